//! The table of contents: every workload, what is measured of it, and how good that is to be.

mod bulk;
mod cool;
mod filter;
mod hot;
mod live;
mod neighbour;
mod overflow;
mod quiet;
mod startup;
mod storm;

use std::time::Duration;

use self::hot::Load;
use crate::metric::Goal::{self, RatioFrom, RatioUpTo, UpTo};
use crate::metric::Metric;
use crate::metric::Unit::{Count, Delivery, Factor, Frequency, Share, Size, Time};
use crate::peer::{Peer, Show};
use crate::sink::Sink;
use crate::stage::Stage;

/// One workload.
#[derive(Debug)]
pub(crate) struct Row {
    /// What it is called on the command line and in the table.
    pub(crate) name: &'static str,
    /// What happens in it.
    pub(crate) about: &'static str,
    /// What it shows; marked lines alone need a program that filters.
    pub(crate) show: Show,
    /// Who plays it.
    pub(crate) cast: Cast,
    /// What is measured of it.
    pub(crate) metrics: &'static [Metric],
    /// Plays it once with one program and returns a figure for each metric.
    pub(crate) sample: fn(&Stage, &Peer) -> anyhow::Result<Vec<f64>>,
}

/// Who plays a row, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cast {
    /// All programs in turns, as often as was asked for.
    All,
    /// rtail alone, once.
    Rtail,
}

impl Row {
    const fn new(
        name: &'static str,
        about: &'static str,
        metrics: &'static [Metric],
        sample: fn(&Stage, &Peer) -> anyhow::Result<Vec<f64>>,
    ) -> Self {
        Self { name, about, show: Show::All, cast: Cast::All, metrics, sample }
    }

    const fn filtering(self, show: Show) -> Self {
        Self { show, ..self }
    }

    const fn alone(self) -> Self {
        Self { cast: Cast::Rtail, ..self }
    }
}

/// What every line that is written is owed.
const LOST: Metric = Metric::new("lines lost", Count, UpTo(0.0, 0.0));
const UNHARMED: &[Metric] = &[
    LOST,
    Metric::new("repeated", Count, UpTo(0.0, 0.0)),
    Metric::new("torn", Count, UpTo(0.0, 0.0)),
    Metric::new("reordered", Count, UpTo(0.0, 0.0)),
];

/// What a writer at full speed asks for, but for how much a second of CPU time must deliver.
const fn hot(delivery: Goal) -> [Metric; 5] {
    [
        Metric::new("MB per CPU second", Delivery, delivery),
        Metric::new("lag at the end", Time, UpTo(5e-3, 1.5e-3)),
        Metric::new("writer's time", Time, RatioUpTo(0.75, 0.5)),
        LOST,
        Metric::new("torn", Count, UpTo(0.0, 0.0)),
    ]
}

const COOL: &[Metric] = &[
    Metric::new("latency p50", Time, RatioUpTo(2.0, 1.2)),
    Metric::new("latency p99", Time, RatioUpTo(2.0, 1.2)),
    Metric::new("CPU a line", Time, RatioUpTo(2.5, 1.2)),
];

const fn quiet(cpu: Goal) -> [Metric; 2] {
    [Metric::new("wake-ups", Frequency, UpTo(0.2, 0.05)), Metric::new("CPU", Share, cpu)]
}

/// All rows, in the order in which they are played.
pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "bulk-pipe",
        "a large file from the start into a pipe that is read",
        &[Metric::new("wall", Time, RatioUpTo(0.30, 0.22)), Metric::new("CPU", Time, RatioUpTo(0.12, 0.08))],
        |stage, peer| bulk::whole(stage, peer, Sink::Counted),
    ),
    Row::new(
        "bulk-splice",
        "the same into a pipe that is spliced away",
        &[Metric::new("wall", Time, RatioUpTo(0.20, 0.11)), Metric::new("CPU", Time, Goal::None)],
        |stage, peer| bulk::whole(stage, peer, Sink::Spliced),
    ),
    Row::new(
        "bulk-null",
        "the same into /dev/null",
        &[Metric::new("wall", Time, RatioUpTo(0.25, 0.15)), Metric::new("CPU", Time, Goal::None)],
        |stage, peer| bulk::whole(stage, peer, Sink::Null),
    ),
    Row::new(
        "bulk-follow",
        "the same into a pipe that is read, while following",
        &[Metric::new("wall", Time, RatioUpTo(0.30, 0.22)), Metric::new("CPU", Time, RatioUpTo(0.12, 0.08))],
        bulk::followed,
    ),
    Row::new(
        "last-10",
        "the last 10 lines of a large file",
        &[Metric::new("wall", Time, RatioUpTo(1.15, 0.90))],
        |stage, peer| bulk::last(stage, peer, 10, 20),
    ),
    Row::new(
        "last-1000000",
        "the last 1,000,000 lines of a large file",
        &[Metric::new("wall", Time, RatioUpTo(0.45, 0.33))],
        |stage, peer| bulk::last(stage, peer, 1_000_000, 1),
    ),
    Row::new(
        "tiny",
        "ten lines: print and end, first output while following, memory",
        &[
            Metric::new("print and end", Time, RatioUpTo(1.3, 1.0)),
            Metric::new("first output", Time, RatioUpTo(1.3, 1.0)),
            Metric::new("RSS", Size, RatioUpTo(2.5, 1.5)),
        ],
        startup::tiny,
    ),
    Row::new("hot-1", "1 file, 100 B lines at full speed", &hot(RatioFrom(12.0, 40.0)), |stage, peer| {
        hot::run(stage, peer, Load::short(1))
    }),
    Row::new("hot-10", "10 files, 100 B lines at full speed", &hot(RatioFrom(10.0, 30.0)), |stage, peer| {
        hot::run(stage, peer, Load::short(10))
    }),
    Row::new("hot-100", "100 files, 100 B lines at full speed", &hot(RatioFrom(5.0, 14.0)), |stage, peer| {
        hot::run(stage, peer, Load::short(100))
    }),
    Row::new("hot-long-1", "1 file, 1 KiB lines at full speed", &hot(RatioFrom(4.0, 9.0)), |stage, peer| {
        hot::run(stage, peer, Load::long(1))
    }),
    Row::new("hot-long-100", "100 files, 1 KiB lines at full speed", &hot(RatioFrom(3.0, 6.0)), |stage, peer| {
        hot::run(stage, peer, Load::long(100))
    }),
    Row::new("hot-batch", "1 file, 100 B lines, 64 in a write", &hot(RatioFrom(3.0, 10.0)), |stage, peer| {
        hot::run(stage, peer, Load::batched(1))
    }),
    Row::new(
        "overflow",
        "the event queue overflows while the program is stopped (SIGSTOP)",
        &[LOST, Metric::new("level after", Time, UpTo(50e-3, 10e-3))],
        overflow::run,
    ),
    Row::new("cool-5ms", "one line every 5 ms", COOL, |stage, peer| cool::run(stage, peer, Duration::from_millis(5))),
    Row::new("cool-200us", "one line every 200 us", COOL, |stage, peer| {
        cool::run(stage, peer, Duration::from_micros(200))
    }),
    Row::new("idle-1", "1 quiet file", &quiet(Goal::None), |stage, peer| quiet::idle(stage, peer, 1)),
    Row::new("idle-100", "100 quiet files", &quiet(Goal::None), |stage, peer| quiet::idle(stage, peer, 100)),
    Row::new("idle-1000", "1,000 quiet files", &quiet(Goal::None), |stage, peer| quiet::idle(stage, peer, 1000)),
    Row::new("idle-10000", "10,000 quiet files", &quiet(UpTo(400e-6, 50e-6)), |stage, peer| {
        quiet::idle(stage, peer, 10_000)
    }),
    Row::new(
        "many",
        "10,000 files: memory, and what starting costs",
        &[Metric::new("RSS", Size, RatioUpTo(4.0, 1.0)), Metric::new("start-up CPU", Time, RatioUpTo(1.0, 0.5))],
        |stage, peer| quiet::start(stage, peer, 10_000),
    ),
    Row::new(
        "neighbour",
        "a busy file that nobody follows, in the same directory",
        &[
            Metric::new("our CPU", Time, UpTo(2e-3, 0.0)),
            Metric::new("its writer's time", Time, RatioUpTo(1.15, 1.0)),
        ],
        neighbour::run,
    ),
    Row::new(
        "one-of-many",
        "a line to one of 10,000 files, compared with one of 1",
        &[
            Metric::new("growth of p50", Factor, UpTo(2.0, 1.2)),
            Metric::new("growth of CPU a line", Factor, UpTo(2.0, 1.2)),
        ],
        cool::growth,
    ),
    Row::new("storm-rename", "200 renames a second", UNHARMED, storm::renames),
    Row::new("storm-cascade", "200 rotations a second through five names", UNHARMED, storm::cascades),
    Row::new(
        "storm-late",
        "100 renames a second, each file written to once more up to 300 ms later",
        UNHARMED,
        storm::late,
    ),
    Row::new("storm-burst", "2,500 renames a second", UNHARMED, storm::burst),
    Row::new(
        "live",
        "20 files, 10,000 lines a second, each rotated once a second (create, copytruncate): what grows, by tenths",
        &[
            Metric::new("growth of RSS", Factor, UpTo(1.1, 1.02)),
            Metric::new("of descriptors", Factor, UpTo(1.1, 1.05)),
            Metric::new("of watches", Factor, UpTo(1.1, 1.05)),
            Metric::new("of threads", Factor, UpTo(1.0, 1.0)),
            LOST,
            Metric::new("repeated", Count, UpTo(0.0, 0.0)),
            Metric::new("torn", Count, UpTo(0.0, 0.0)),
        ],
        live::run,
    )
    .alone(),
    Row::new(
        "filter-bulk",
        "a large file from the start, 1 % of its lines",
        &[Metric::new("CPU", Time, RatioUpTo(0.28, 0.18))],
        filter::bulk,
    )
    .filtering(Show::Marked),
    Row::new(
        "filter-live",
        "1 file, 100 B lines at full speed, 1 % of them",
        &[Metric::new("CPU", Time, RatioUpTo(0.15, 0.03))],
        |stage, peer| filter::live(stage, peer, Show::Marked),
    )
    .filtering(Show::Marked),
    Row::new(
        "filter-stream",
        "the same with `rtail stream`",
        &[Metric::new("CPU", Time, RatioUpTo(0.15, 0.03))],
        |stage, peer| filter::live(stage, peer, Show::Streamed),
    )
    .filtering(Show::Streamed),
];
