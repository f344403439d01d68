//! What must be true of what came out, whatever happened: each line that was written came once, whole and in its
//! order, or it was announced as lost. It is slow and looks at everything.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use super::follower::Out;
use super::fs::Key;
use super::line::Line;
use super::world::{LIVE, World};
use crate::tail::event::{Arrival, Ending};
use crate::tail::files::FileId;
use crate::tail::proof::ANCHOR;

/// A file is let go in a moment: what is written within so many calls of that may be too late.
const MOMENT: u64 = 12;

/// The time by which a look goes is that of its beginning.
const ONE_LOOK: Duration = Duration::from_millis(5);

/// How far behind the clock the core takes the times of births to be told.
const TICK: Duration = Duration::from_millis(20);

/// A line, or the beginning of one, that came out.
struct Came {
    line: usize,
    /// Where in what came out.
    place: usize,
    /// Which file it was read from.
    from: Key,
    /// How much of it came.
    length: u64,
}

/// Says what is wrong with what came out of a world that has come to rest before the call `rested`.
pub(super) fn judge(world: &World, out: &[Out], rested: u64) -> Result<(), String> {
    let came = read(world, out)?;
    contiguous(out)?;
    let first = once(world, out, &came)?;
    in_order(world, out, &first)?;
    lost_nothing_that_came(world, out, &came)?;
    complete(world, out, &came, rested)
}

/// Takes what came out apart into lines; each must be one that was written.
fn read(world: &World, out: &[Out]) -> Result<Vec<Came>, String> {
    let mut came = Vec::new();
    for (place, data) in out.iter().enumerate() {
        let Out::Data { bytes, ending, from, .. } = data else { continue };
        let pieces: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        for (index, piece) in pieces.iter().enumerate() {
            let text = std::str::from_utf8(piece).map_err(|_| format!("no text: {piece:?}"))?;
            let text =
                if world.zeros_are_data || unseen(world, out, *from) { text.trim_start_matches('\0') } else { text };
            let number = text.strip_prefix('L').and_then(|text| text.split('.').next()?.parse::<usize>().ok());
            let written = number.and_then(|number| Some((number, world.lines.get(number)?)));
            let last = index + 1 == pieces.len();
            let stump = |line: &Line| {
                let stump = line.stump.map(|left| &line.text[..left]);
                stump.is_some_and(|stump| text.strip_suffix('\n') == Some(stump))
            };
            // What is written behind a cut ends the line first that was cut.
            if text == "\n" && world.lines.iter().any(|line| line.stump.is_some()) {
                continue;
            }
            let line = match written {
                Some((number, line)) if stump(line) => number,
                Some((number, line)) if line.text == text => number,
                // The beginning of a line ends a file that was cut before more of it was read, or written.
                Some((number, line)) if last && *ending == Ending::Unterminated && line.text.starts_with(text) => {
                    number
                }
                _ => return Err(format!("torn, at {place}: {text:?}")),
            };
            came.push(Came { line, place, from: *from, length: piece.len() as u64 });
        }
    }
    Ok(came)
}

/// The bytes of each run follow each other, but for what was announced.
fn contiguous(out: &[Out]) -> Result<(), String> {
    let mut ends: BTreeMap<(FileId, u64), u64> = BTreeMap::new();
    for (place, out) in out.iter().enumerate() {
        match out {
            Out::Data { file, run, offset, bytes, .. } => {
                let end = ends.entry((*file, *run)).or_insert(*offset);
                if *end != *offset {
                    return Err(format!("at {place}: offset {offset} behind {end} of run {run}"));
                }
                *end += bytes.len() as u64;
            }
            Out::Killed { .. } => ends.clear(),
            _ => {}
        }
    }
    Ok(())
}

/// What came out and was not saved before a kill may come again. So may what was left of a file that was cut off and
/// written to before the next look: that can't be told from one that was written anew, which is what is announced
/// (core.md 5: anything else that differs). And so may what stands in a small copy, which can't be told from a file that
/// begins alike (`copies`: a few bytes prove nothing). Nothing else may; what comes again so is left out.
fn once<'a>(world: &World, out: &[Out], came: &'a [Came]) -> Result<Vec<&'a Came>, String> {
    let unsaved = |place: usize| {
        let kill = out[place..].iter().position(|out| matches!(out, Out::Killed { .. })).map(|at| &out[place + at]);
        match (kill, &out[place]) {
            (Some(Out::Killed { saved, unproven }), Out::Data { file, run, offset, bytes, .. }) => {
                let end = offset + bytes.len() as u64;
                place >= *saved || unproven.iter().any(|of| (of.0, of.1) == (*file, *run) && end > of.2)
            }
            _ => false,
        }
    };
    let (mut seen, mut done) = (BTreeMap::new(), BTreeMap::new());
    let mut first = Vec::new();
    for one in came {
        let (line, place) = (&world.lines[one.line], one.place);
        let before = *seen.entry(one.line).or_insert(place);
        if before < place {
            let id = world.fs.inodes[line.home].id;
            let anew = |out: &Out| matches!(out, Out::Rewritten { file } if *file == id);
            let small_copy = |other: &Came| {
                let small = other.from != line.home && world.fs.inodes[other.from].content.len() < ANCHOR;
                other.line == one.line && small && unseen(world, out, other.from)
            };
            if (line.survived && out[before..place].iter().any(anew)) || came.iter().any(small_copy) {
                continue;
            }
        }
        if let Some(before) = done.get(&one.line) {
            return Err(format!("repeated: L{}, at {before} and {place}", one.line));
        }
        if !unsaved(place) {
            done.insert(one.line, place);
        }
        first.push(one);
    }
    Ok(first)
}

/// Between two kills, lines come in the order of their files and runs, those that were written to an older file when
/// there was a newer one aside, and within each run in its order.
///
/// Of files that were born in one tick of the clock and were found beside the name, copies among them, nobody knows the order who was not told of each
/// rename (core.md 6, traps). Others that were found there come in the order of their births (core.md 6, chains), in
/// which a copy follows what was written to its original later.
fn in_order(world: &World, out: &[Out], came: &[&Came]) -> Result<(), String> {
    let mut kills = out.iter().enumerate().filter(|(_, out)| matches!(out, Out::Killed { .. })).map(|(at, _)| at);
    let mut next_kill = kills.next();
    let mut newest: Option<(u64, usize, Key)> = None;
    let mut ends: BTreeMap<(Key, usize), (u64, usize)> = BTreeMap::new();
    for Came { line, place, from, .. } in came {
        if next_kill.is_some_and(|kill| kill < *place) {
            next_kill = kills.find(|kill| kill > place);
            newest = None;
            ends.clear();
        }
        let written = &world.lines[*line];
        let end = ends.entry((written.home, written.run)).or_default();
        if written.offset < end.0 {
            return Err(format!("disorder: L{line} behind L{}", end.1));
        }
        *end = (written.offset, *line);
        if written.late {
            continue;
        }
        let turn = written.turn.unwrap_or(0);
        if let Some((newest, other, of)) = newest
            && turn < newest
        {
            let beside = |line: &Line, from| from != line.home || unseen(world, out, from);
            let (this, that) = (beside(written, *from), beside(&world.lines[other], of));
            let one_tick = world.birth(*from) == world.birth(of) && (this || that);
            let by_birth = world.birth(*from) > world.birth(of) && unseen(world, out, *from);
            // What was read and cut off at once may be of the run before that of a copy, or of the one behind it.
            let last = &world.lines[other];
            let in_a_tick = |copy, copied: &Line, read: &Line| {
                copy != copied.home && apart(world.birth(copy), read.clock) <= TICK
            };
            let by_tick =
                written.home == last.home && (in_a_tick(*from, written, last) || in_a_tick(of, last, written));
            if by_tick || (*from != of && (one_tick || by_birth)) {
                continue;
            }
            return Err(format!("disorder: L{line} of turn {turn} behind L{other} of turn {newest}"));
        }
        newest = Some((turn, *line, *from));
    }
    Ok(())
}

fn apart(birth: Option<SystemTime>, written: SystemTime) -> Duration {
    let Some(birth) = birth else { return Duration::MAX };
    written.duration_since(birth).unwrap_or_else(|error| error.duration())
}

/// Whether a file was found beside the name, perhaps by a follower that was killed.
fn unseen(world: &World, out: &[Out], key: Key) -> bool {
    let id = world.fs.inodes[key].id;
    let by = |arrival: &Arrival| matches!(arrival, Arrival::Unseen | Arrival::Resumed);
    out.iter().any(|out| matches!(out, Out::Opened { file, arrival } if *file == id && by(arrival)))
}

/// No gap is announced where something came out.
fn lost_nothing_that_came(world: &World, out: &[Out], came: &[Came]) -> Result<(), String> {
    // That a small copy held the same can't be known.
    let mut life = 0;
    let length = |line| came.iter().filter(|came| came.line == line).map(|came| came.length).max().unwrap_or(0);
    for (place, lost) in out.iter().enumerate() {
        match lost {
            Out::Killed { .. } => life = place,
            Out::Lost { file, range: Some(range), run: Some(run) } => {
                let has_come = out[life..place].iter().any(|out| match out {
                    Out::Data { file: of, run: in_run, offset, bytes, .. } => {
                        (of, in_run) == (file, run)
                            && *offset < range.end
                            && range.start < offset + bytes.len() as u64
                    }
                    _ => false,
                });
                // What a follower knows that was resumed may be less than what had come.
                let elsewhere = |line| {
                    let copied = |one: &Came| one.line == line && unseen(world, out, one.from);
                    came.iter().any(copied)
                };
                let missing = world.lines.iter().enumerate().any(|(number, line)| {
                    let is_in = line.offset < range.end && range.start < line.end();
                    let missing = length(number) < line.written || elsewhere(number);
                    world.fs.inodes[line.home].id == *file && is_in && missing
                });
                if life == 0 && !missing {
                    return Err(format!("at {place}: {range:?} is said to be lost, where nothing is missing"));
                }
                if has_come {
                    return Err(format!("at {place}: {range:?} of run {run} is said to be lost, and came out"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whatever did not come was announced as lost, or could not be known.
fn complete(world: &World, out: &[Out], came: &[Came], rested: u64) -> Result<(), String> {
    for (number, line) in world.lines.iter().enumerate() {
        let lengths = came.iter().filter(|came| came.line == number).map(|came| came.length);
        let length = lengths.max().unwrap_or(0);
        if length >= line.written || line.excuse.is_some() {
            continue;
        }
        let home = &world.fs.inodes[line.home];
        // One that is let go for want of a descriptor may not be there any more when there is one. Where the way to the name has led, nobody knows who was not there.
        if home.given_up {
            continue;
        }
        if !home.opened && world.fs.is_elsewhere(line.home) {
            continue;
        }
        let tells = |range: &Range<u64>| range.start <= line.offset + length && line.end() <= range.end;
        let announced = out.iter().any(|out| match out {
            Out::Lost { file, range: Some(range), .. } => {
                (*file == home.id && tells(range)) || world.fs.stands_in(number, *file, range)
            }
            // What can't be looked for has no name.
            Out::Lost { file, range: None, .. } => *file == home.id || world.failures > 0,
            Out::Doubtful { file, range } => *file == home.id && tells(range),
            _ => false,
        });
        // Read on until it has been quiet for the time that is to be waited for late writers (core.md 6).
        let quiet = world.lost_at.get(&line.home).map(|lost| (*lost + world.rotate_wait).saturating_sub(ONE_LOOK));
        let in_time =
            |at: u64, clock| at <= rested && line.at + MOMENT >= at && quiet.is_some_and(|end| end <= clock);
        let closed =
            |out: &Out| matches!(out, Out::Closed { file, at, clock } if *file == home.id && in_time(*at, *clock));
        let let_go = out.iter().any(closed) && world.fs.lookup(LIVE) != Some(line.home);
        if !announced && !let_go {
            let whole = if line.is_whole() { "" } else { ", which was never finished" };
            let where_it_was = format!("file {} run {} at {}", line.home, line.run, line.offset);
            return Err(format!("lost: L{number}{whole}, turn {:?}, {where_it_was}", line.turn));
        }
    }
    Ok(())
}
