//! A long life: a log that is rotated in every way, and rtail stopped and continued, killed and resumed at random.
//!
//! By default it is a short one: 20,000 lines, 60 rotations, 6 kills. `RTAIL_SOAK=1` plays 1,000,000 lines, 2,000 rotations
//! and 50 kills; `RTAIL_SEED=n` plays another one. What rtail can't promise is left out, as its README tells: more than one rotation within a tick of the
//! kernel's clock, and ways to rotate that are mixed between two of its looks.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]
#![allow(clippy::print_stderr, reason = "a soak tells what it has done")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use common::{Ended, Logs, Mode, Random, Signal, Tail, consecutive, in_both_modes, pause, pause_ms, soaking};

/// How long the life is.
#[derive(Clone, Copy)]
struct Length {
    /// Times with one way of rotating.
    eras: u64,
    rotations_of_an_era: u64,
    lines_of_a_file: u64,
    /// Kills in each era of the second half.
    kills_of_an_era: u64,
}

const SHORT: Length = Length { eras: 6, rotations_of_an_era: 10, lines_of_a_file: 333, kills_of_an_era: 2 };
const LONG: Length = Length { eras: 100, rotations_of_an_era: 20, lines_of_a_file: 500, kills_of_an_era: 1 };

/// A way to rotate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `mv a.log a.log-17`
    Dated,
    /// `mv a.log.1 a.log.2; mv a.log a.log.1`
    Cascade,
    /// `cp a.log a.log-17; : >a.log`
    Copied,
    /// `mv a.log.1 a.log.2; cp a.log a.log.1; : >a.log`
    CopiedInCascade,
    /// `mv new a.log`
    Replaced,
    /// `rm a.log`
    Removed,
}

impl Way {
    const ALL: [Self; 6] =
        [Self::Dated, Self::CopiedInCascade, Self::Replaced, Self::Cascade, Self::Copied, Self::Removed];

    /// Whether the old lines are anywhere but in the open file afterwards.
    fn keeps_the_old_file(self) -> bool {
        !matches!(self, Self::Replaced | Self::Removed)
    }
}

fn line(number: u64) -> String {
    format!("L{number:08}\n")
}

/// The log, those who write and rotate it, and how far rtail has come with it.
struct Life<'a> {
    logs: &'a Logs,
    mode: Mode,
    random: Random,
    tail: Option<Tail>,
    stopped: bool,
    written: u64,
    rotations: u64,
    /// The lines that begin a file, or a run of one.
    firsts: BTreeSet<u64>,
    /// The line after the last one that has come.
    delivered: u64,
    /// At which line the present run has to begin.
    due: Due,
    killed: u64,
    repeated: u64,
}

/// What a checkpoint says of where the next run begins.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// At this line.
    Line(u64),
    /// With a file of which nothing was recorded, and not before this line.
    Beginning(u64),
}

impl<'a> Life<'a> {
    fn new(logs: &'a Logs, mode: Mode, seed: u64) -> Self {
        Self {
            logs,
            mode,
            random: Random::new(seed),
            tail: None,
            stopped: false,
            written: 0,
            rotations: 0,
            firsts: BTreeSet::from([0]),
            delivered: 0,
            due: Due::Line(0),
            killed: 0,
            repeated: 0,
        }
    }

    /// Writes lines, a few at a time.
    fn write(&mut self, count: u64) {
        let mut log = self.logs.open("a.log");
        for number in self.written..self.written + count {
            log.write(line(number));
            if self.random.below(60) == 0 {
                pause(Duration::from_micros(self.random.below(400)));
            }
        }
        self.written += count;
    }

    fn rotate(&mut self, way: Way) {
        self.rotations += 1;
        let numbered = format!("a.log-{:06}", self.rotations);
        match way {
            Way::Dated => _ = self.logs.rename("a.log", numbered),
            Way::Cascade => _ = self.logs.cascade("a.log", 1000),
            Way::Copied => _ = self.logs.copytruncate("a.log", &numbered),
            Way::CopiedInCascade => _ = self.logs.move_on("a.log", 1000).copytruncate("a.log", "a.log.1"),
            Way::Replaced => _ = self.logs.replace("a.log", ""),
            Way::Removed => _ = self.logs.remove("a.log"),
        }
        self.firsts.insert(self.written);
        // Two files of one tick of the kernel's clock can't be told apart.
        pause_ms(5);
    }

    /// Starts rtail where it is recorded that it had come to.
    fn start(&mut self) {
        let anchors = self.logs.anchors("a.log");
        let lines = anchors.iter().filter_map(|anchor| consecutive(last_line(anchor)));
        let (Due::Line(before) | Due::Beginning(before)) = self.due;
        self.due = match lines.map(|(_, last)| last + 1).max() {
            Some(due) => Due::Line(due),
            None => Due::Beginning(before),
        };
        self.stopped = false;
        self.tail = Some(self.logs.stream(self.mode, "--checkpoint ../at --wait --rotate-wait 100ms a.log"));
    }

    #[track_caller]
    fn tail(&self) -> &Tail {
        self.tail.as_ref().expect("it runs")
    }

    fn go_on(&mut self) {
        if self.tail.is_none() {
            self.start();
        }
        if std::mem::take(&mut self.stopped) {
            self.tail().cont();
        }
    }

    /// Stops it, or lets it go on, or neither.
    fn stir(&mut self) {
        let die = self.random.below(8);
        match &self.tail {
            Some(tail) if !self.stopped && die < 2 => {
                tail.stop();
                self.stopped = true;
            }
            Some(_) if self.stopped && die == 7 => self.go_on(),
            _ => {}
        }
    }

    fn kill(&mut self) {
        pause(Duration::from_micros(self.random.below(4000)));
        if let Some(tail) = self.tail.take() {
            self.killed += 1;
            self.judge(tail.end_by(Signal::KILL));
        }
    }

    /// What a run has delivered follows what is recorded of the run before it, line by line.
    #[track_caller]
    fn judge(&mut self, ended: Ended) {
        let ended = ended.never_noticed("lost");
        let Some((first, last)) = consecutive(&ended.stdout) else { return };
        match self.due {
            Due::Line(due) => {
                let told = String::from_utf8_lossy(&ended.stderr);
                assert_eq!(first, due, "it began elsewhere than where the run before was recorded:\n{told}");
            }
            Due::Beginning(earliest) => {
                assert!(first >= earliest && self.firsts.contains(&first), "it began at {first}, where no file does");
            }
        }
        assert!(first <= self.delivered, "{first} came, and {} was due", self.delivered);
        self.repeated += self.delivered - first;
        self.delivered = self.delivered.max(last + 1);
    }

    /// Waits until all that is written has come.
    #[track_caller]
    fn catch_up(&mut self) {
        self.go_on();
        self.tail().until_printed(line(self.written - 1));
    }

    /// Has the log rotated in one way for a while.
    fn live_through(&mut self, way: Way, length: Length, kills: u64) {
        let mut kill_at: Vec<u64> = (0..kills).map(|_| self.random.below(length.rotations_of_an_era)).collect();
        let mut away = 0;
        for rotation in 0..length.rotations_of_an_era {
            let count = length.lines_of_a_file;
            self.write(count / 3);
            self.stir();
            if let Some(index) = kill_at.iter().position(|at| *at <= rotation && self.tail.is_some()) {
                kill_at.swap_remove(index);
                self.kill();
                away = self.random.below(4);
            }
            self.write(count - count / 3);
            if self.tail.is_none() && away == 0 {
                self.start();
            }
            away = away.saturating_sub(1);
            self.stir();
            if !way.keeps_the_old_file() {
                // What nobody has open nobody can read.
                self.go_on();
                self.tail().until_printed(line(self.written - count));
                self.stir();
            }
            self.rotate(way);
        }
        for _ in kill_at {
            self.go_on();
            self.kill();
        }
        // The next way begins when rtail knows all of this one.
        self.write(1);
        self.catch_up();
    }

    /// Waits until it is recorded that the log was read to its end, and nothing else.
    #[track_caller]
    fn until_recorded(&self) {
        let log = fs::metadata(self.logs.path("a.log")).unwrap();
        let (alone, last) = ([(log.ino(), log.len())], line(self.written - 1));
        self.tail().until("all is recorded", |_| {
            let is_last = |anchor: &Vec<u8>| anchor.ends_with(last.as_bytes());
            self.logs.positions("a.log") == alone && self.logs.anchors("a.log").iter().all(is_last)
        });
    }

    /// Removes the old files once rtail has let them go.
    #[track_caller]
    fn clean_up(&self) {
        self.until_recorded();
        for entry in fs::read_dir(self.logs.path("")).unwrap() {
            let name = entry.unwrap().file_name();
            if name != "a.log" {
                self.logs.remove(name);
            }
        }
    }
}

/// What stands behind the last newline but one.
fn last_line(text: &[u8]) -> &[u8] {
    let Some((_, before)) = text.split_last() else { return text };
    before.iter().rposition(|&byte| byte == b'\n').map_or(text, |newline| &text[newline + 1..])
}

in_both_modes!(a_long_life_of_rotations_stops_and_kills_loses_nothing);
fn a_long_life_of_rotations_stops_and_kills_loses_nothing(mode: Mode) {
    let length = if soaking() { LONG } else { SHORT };
    let seed = std::env::var("RTAIL_SEED").map_or(20_261_120, |seed| seed.parse().unwrap());
    eprintln!("seed {seed}");
    let logs = Logs::new();
    let mut life = Life::new(&logs, mode, seed);
    life.write(1);
    life.catch_up();
    life.tail().until("it has recorded something", |_| !logs.positions("a.log").is_empty());
    let (held, mut memory) = (life.tail().resources(), 0);
    for era in 0..length.eras {
        let in_first_half = era < length.eras / 2;
        let mut ways = Way::ALL.into_iter().filter(|way| in_first_half || way.keeps_the_old_file()).cycle();
        let way = ways.nth(usize::try_from(era).unwrap()).expect("a cycle");
        life.live_through(way, length, if in_first_half { 0 } else { length.kills_of_an_era });
        life.tail().until_no_more_than(held);
        // What is recorded when it is killed is to be of the same era, and no file that is gone.
        if era + 1 >= length.eras / 2 {
            life.until_recorded();
        }
        if era % 5 == 4 {
            life.clean_up();
        }
        if era == length.eras / 10 {
            memory = life.tail().memory();
        }
        if era == length.eras / 2 - 1 {
            let growth = life.tail().memory().saturating_sub(memory);
            assert!(growth < 2 << 20, "memory grew by {growth} bytes");
        }
    }
    let ended = life.tail.take().expect("it runs").end();
    life.judge(ended);
    assert_eq!(life.delivered, life.written);
    let Life { written, rotations, killed, repeated, .. } = life;
    eprintln!(
        "{written} lines, {rotations} rotations, {killed} kills: 0 lost, {repeated} that were not recorded repeated"
    );
    assert_eq!(
        (rotations, killed),
        (length.eras * length.rotations_of_an_era, length.eras / 2 * length.kills_of_an_era)
    );
    logs.rtail("stream --checkpoint ../at --no-follow a.log").run().with_status(0).printed("").quietly();
}
