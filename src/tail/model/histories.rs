//! Histories: made up from a seed, played, and made smaller as long as they still fail.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::follower::Follower;
use super::op::{Failing, Fate, Op, Step, Style, To};
use super::oracle::judge;
use super::world::{LIVE, World};
use crate::output::dice::Dice;

/// How often a history is gone through to make it smaller.
const ROUNDS: usize = 6;

/// One history.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// What the small delays between calls come from.
    pub(super) seed: u64,
    pub(super) rotate_wait: Duration,
    pub(super) short_reads: bool,
    /// Whether the follower looks at an interval only.
    pub(super) polls: bool,
    /// Whether the name is a symbolic link.
    pub(super) is_link: bool,
    pub(super) steps: Vec<Step>,
}

/// What may happen in a history.
#[derive(Clone, Copy, Debug)]
pub(super) enum Theme {
    /// Files are renamed and made anew.
    Renames,
    /// They are also copied and emptied.
    Copies,
    /// They are also removed and replaced.
    Removals,
    /// They are also shortened and written over.
    Rewrites,
    /// The follower is killed and resumed, in whatever happens.
    Kills,
    /// Calls fail for a while, and files have more than one name.
    Faults,
    /// Files are cut within lines, and under writers that go on where they were.
    Cuts,
    /// The name, or a directory on the way to it, is a link.
    Links,
}

impl History {
    /// The history that a seed stands for.
    pub(super) fn of(seed: u64, theme: Theme) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let style = dice.pick(&[Style::Up, Style::Dates, Style::Down]);
        let mut steps = Vec::new();
        let length = 4 + dice.roll(28);
        while steps.len() < length {
            let ops = happening(&mut dice, theme, style);
            let between = dice.roll(3) == 0;
            let fate = match dice.roll(8) {
                0 => Fate::Lost,
                1 => Fate::Late([1, 30, 2000][dice.roll(3)]),
                _ => Fate::Told,
            };
            for op in ops {
                let calls = if between && !op.is_ours() { u32::try_from(dice.roll(12)).unwrap() } else { 0 };
                steps.push(Step { calls, fate, op });
            }
        }
        Self {
            seed,
            rotate_wait: dice.pick(&[Duration::from_secs(5), Duration::from_millis(100)]),
            short_reads: matches!(theme, Theme::Renames | Theme::Copies) && dice.roll(4) == 0,
            polls: dice.roll(6) == 0,
            is_link: matches!(theme, Theme::Links) && dice.roll(2) == 0,
            steps,
        }
    }

    /// Plays it; what went wrong, if anything did.
    pub(super) fn play(&self) -> Result<(), String> {
        let played = catch_unwind(AssertUnwindSafe(|| {
            let mut world = World::new(self.seed);
            world.short_reads = self.short_reads;
            if self.is_link {
                world.fs.lead(LIVE, "r.log");
            }
            let mut follower = Follower::new(world, self.rotate_wait, self.polls);
            // What was there and gone before the first look is not asked for.
            follower.play(Step { calls: 0, fate: Fate::Told, op: Op::Look });
            for step in &self.steps {
                follower.play(*step);
            }
            let rested = follower.world.borrow().calls;
            follower.end();
            let world = follower.world.borrow();
            judge(&world, &follower.out, rested).map_err(|wrong| (wrong, format!("{:#?}", follower.out)))
        }));
        match played {
            Ok(result) => result.map_err(|(wrong, out)| {
                if std::env::var_os("RTAIL_MODEL_OUT").is_some() { format!("{wrong}\n{out}") } else { wrong }
            }),
            Err(panic) => Err(panic.downcast_ref::<String>().map_or("a panic".to_owned(), Clone::clone)),
        }
    }

    /// Leaves out and simplifies whatever it fails without.
    fn shrink(mut self, kind: &str) -> Self {
        for _ in 0..ROUNDS {
            let before = self.steps.clone();
            for index in (0..self.steps.len()).rev() {
                let mut smaller = self.clone();
                smaller.steps.remove(index);
                self.keep(smaller, kind);
            }
            for index in 0..self.steps.len() {
                for simpler in simpler(self.steps[index]) {
                    let mut smaller = self.clone();
                    smaller.steps[index] = simpler;
                    self.keep(smaller, kind);
                }
            }
            let plain = Self { short_reads: false, polls: false, ..self.clone() };
            self.keep(plain, kind);
            if self.steps == before {
                break;
            }
        }
        self
    }

    fn keep(&mut self, smaller: Self, kind: &str) {
        if smaller.play().is_err_and(|wrong| kind_of(&wrong) == kind) {
            *self = smaller;
        }
    }

    /// Plays it, and says what is the least that went wrong.
    pub(super) fn check(self) -> Result<(), String> {
        let Err(first) = self.play() else { return Ok(()) };
        let (seed, smallest) = (self.seed, self.shrink(kind_of(&first)));
        let wrong = smallest.play().err().unwrap_or_default();
        let first = first.lines().next().unwrap_or_default();
        let mut text = format!("seed {seed}: {first}\nsmallest: {wrong}\n");
        let History { rotate_wait, short_reads, polls, is_link, .. } = smallest;
        writeln!(
            text,
            "rotate_wait: {rotate_wait:?}, short_reads: {short_reads}, polls: {polls}, is_link: {is_link}"
        )
        .unwrap();
        for Step { calls, fate, op } in &smallest.steps {
            writeln!(text, "    ({calls}, {fate:?}, {op:?}),").unwrap();
        }
        Err(text)
    }
}

/// A smaller history is to fail in the same way.
fn kind_of(wrong: &str) -> &str {
    wrong.split([':', ',']).next().unwrap_or_default()
}

fn simpler(step: Step) -> Vec<Step> {
    let mut all = vec![Step { fate: Fate::Told, ..step }, Step { calls: 0, ..step }];
    if step.calls > 1 {
        all.push(Step { calls: step.calls - 1, ..step });
    }
    match step.op {
        Op::Append(count, length, to) => {
            let fewer = [Op::Append(1, length, to), Op::Append(count, 8, to)];
            all.extend(fewer.map(|op| Step { op, ..step }));
        }
        Op::Take(count) if count > 1 => all.push(Step { op: Op::Take(count - 1), ..step }),
        Op::Save(kept) if kept > 0 => all.push(Step { op: Op::Save(0), ..step }),
        Op::Sleep(millis) | Op::Stall(millis) | Op::Block(millis) | Op::Crash(millis) if millis > 1 => {
            let shorter = |millis| match step.op {
                Op::Sleep(_) => Op::Sleep(millis),
                Op::Stall(_) => Op::Stall(millis),
                Op::Block(_) => Op::Block(millis),
                // Nobody is killed and begun again within one tick of the clock.
                _ => Op::Crash(millis.max(5)),
            };
            all.push(Step { op: shorter(millis / 2), ..step });
        }
        _ => {}
    }
    all.retain(|other| *other != step);
    all
}

/// Something that happens: what belongs together, in its order.
fn happening(dice: &mut Dice, theme: Theme, style: Style) -> Vec<Op> {
    let theirs = dice.roll(5) < 2;
    if !theirs {
        return match dice.roll(14) {
            0 => vec![Op::Take(u32::try_from(1 + dice.roll(4)).unwrap())],
            1 => vec![Op::Block(dice.pick(&[1, 50, 1000]))],
            2 => vec![Op::Stall(dice.pick(&[3, 10, 500, 7000]))],
            3 => vec![Op::Overflow],
            4 | 5 => vec![Op::Sleep(dice.pick(&[1, 4, 10, 150]))],
            6 => vec![Op::Sleep(dice.pick(&[400, 6000, 40_000]))],
            7 if matches!(theme, Theme::Kills) => {
                vec![Op::Save(dice.roll(3)), Op::Crash(dice.pick(&[5, 20, 3000]))]
            }
            8 if matches!(theme, Theme::Kills) => vec![Op::Save(dice.roll(3))],
            9 if matches!(theme, Theme::Kills) => vec![Op::Crash(dice.pick(&[5, 20, 3000]))],
            _ => vec![Op::Look],
        };
    }
    let length = dice.pick(&[8, 8, 40, 300]);
    let lines = |dice: &mut Dice, to| Op::Append(u32::try_from(1 + dice.roll(4)).unwrap(), length, to);
    let kinds = match theme {
        Theme::Renames => 10,
        Theme::Copies => 12,
        Theme::Removals => 15,
        Theme::Rewrites | Theme::Kills | Theme::Faults | Theme::Cuts => 17,
        Theme::Links => 6,
    };
    match (theme, dice.roll(3)) {
        (Theme::Faults, 0) => {
            let what = [Failing::Open, Failing::Read, Failing::List];
            return vec![Op::Fail(dice.pick(&what), u32::try_from(1 + dice.roll(5)).unwrap())];
        }
        (Theme::Faults, 1) if style == Style::Dates && dice.roll(3) == 0 => return vec![Op::Link(style)],
        (Theme::Cuts, 0) => return vec![dice.pick(&[Op::CutWithin, Op::Hole])],
        (Theme::Links, 0) => {
            let count = u32::try_from(dice.roll(3)).unwrap();
            return vec![dice.pick(&[Op::Retarget(count), Op::Swap(count)])];
        }
        (Theme::Links, 1) => return vec![dice.pick(&[Op::Truncate, Op::Shorten(2), Op::Rewrite, Op::CutWithin])],
        _ => {}
    }
    match dice.roll(kinds) {
        0..=3 => vec![lines(dice, To::Live)],
        4 => vec![lines(dice, To::Previous)],
        5 => vec![Op::Begin],
        6 => vec![Op::Finish],
        7..=9 => {
            let mut ops = moved_on(dice, style);
            ops.push(Op::Rotate(style));
            match dice.roll(6) {
                0 | 1 => ops.push(Op::Create),
                2 | 3 => ops.push(lines(dice, To::Live)),
                4 => ops.push(Op::Return),
                _ => {}
            }
            ops
        }
        10 | 11 => {
            let mut ops = moved_on(dice, style);
            if dice.roll(3) == 0 {
                ops.extend([Op::BeginCopy(style), Op::EndCopy, Op::Truncate]);
            } else {
                ops.extend([Op::Copy(style), Op::Truncate]);
            }
            if dice.roll(2) == 0 {
                ops.push(lines(dice, To::Live));
            }
            ops
        }
        12 => vec![Op::Unlink],
        13 => vec![Op::Unlink, lines(dice, To::Live)],
        14 => vec![Op::Replace(u32::try_from(1 + dice.roll(3)).unwrap())],
        15 => vec![Op::Shorten(1 + dice.roll(3))],
        _ => vec![Op::Rewrite],
    }
}

/// Where rotated files are numbered from the newest on, they are moved on first, and the oldest is removed.
fn moved_on(dice: &mut Dice, style: Style) -> Vec<Op> {
    if style != Style::Down {
        return Vec::new();
    }
    let kept = u32::try_from(4 + dice.roll(4)).unwrap();
    std::iter::once(Op::Drop(kept)).chain((1..kept).rev().map(Op::MoveOn)).collect()
}
