//! How a tail behaves, for all of its sources.

use std::time::Duration;

use super::lines::Framing;

/// Where the first output of each file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The last lines (`-n NUM`).
    LastLines(u64),
    /// The last bytes (`-c NUM`).
    LastBytes(u64),
    /// From the NUM-th line on, counted from 1 (`-n +NUM`); 0 is 1.
    FromLine(u64),
    /// From the NUM-th byte on, counted from 1 (`-c +NUM`); 0 is 1.
    FromByte(u64),
    /// From a byte offset, counted from 0 (`--since-offset`). Beyond the end means that the file was cut since.
    Offset(u64),
}

/// What is done about NULs at the end of a file, which may be room that was set aside for data to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nuls {
    /// Held back until data follow them. NULs that begin a file after a truncation are skipped and counted: its
    /// writer kept its offset and left a hole.
    HoldBack,
    /// Data like any other byte.
    Pass,
}

/// What is followed after the first output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// Nothing: a source ends at the end of its file.
    Nothing,
    /// The file that was opened, whatever its name becomes.
    Descriptor,
    /// The name, whatever file it means.
    Name,
}

/// What is done about a name that can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// One that can't be opened at the start is given up; one that goes away later is looked for.
    Never,
    /// It is looked for until it can be opened.
    Always,
}

/// In which rounds of polling a name is looked at. Its open file is looked at in each, and a name that means none too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// In each.
    EachRound,
    /// After more than this many rounds in a row in which its open file didn't change (GNU's
    /// `--max-unchanged-stats`).
    AfterQuietRounds(u64),
}

/// What the first output of pipes and FIFOs is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipes {
    /// Of standard input, what is asked for of all that comes until its end. The same of a named FIFO that is the
    /// only source; of several sources none is to wait for one, so that what a FIFO brings is new.
    Windowed,
    /// The same of standard input; what a named FIFO brings is new.
    NamedNew,
    /// What pipes and FIFOs bring is new.
    New,
}

/// What is done about a file that can't be read. The first failure is reported at once, and is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadErrors {
    /// It is tried for as long as the source is followed; a file that its name no longer means is let go after reads
    /// have failed for 5 s.
    KeepTrying,
    /// After reads have failed for 5 s the source ends with [`ReadFailed`](super::Happening::ReadFailed) and its last
    /// error. What can be read of its other files is still delivered.
    GiveUp,
}

/// How files that are rewritten in place are dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewriting {
    /// What really happened is found out by content, so that nothing is repeated or missed.
    Discern,
    /// As GNU `tail` does: one that became shorter is read from the beginning, one that kept its length is not.
    AsGnu,
}

/// What is done about files that a followed name meant while nobody looked, and about copies of files that were cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lineage {
    /// They are looked for beside the name, and what was not read is read from them.
    Find,
    /// They are not looked for, as GNU `tail` doesn't.
    Ignore,
}

/// Whether bytes may pass from a file to the output without being copied through the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// No: every byte is delivered as [`Data`](super::Data).
    Never,
    /// Where bytes lie in bulk and lines need not be kept whole, they are offered as a
    /// [`Passage`](super::Passage), again and again until they are passed.
    Offered,
}

/// How a tail behaves. [`Default`] follows by name, whole lines, from the last ten of them; take it for what you
/// don't set (`..Options::default()`), since there may be more to set one day.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where a file that is there from the start begins. Later ones begin at 0.
    pub start: Start,
    /// What is followed.
    pub following: Following,
    /// What is done about names that can't be opened.
    pub retry: Retry,
    /// Whether lines are kept whole.
    pub framing: Framing,
    /// Whether bytes may pass from a file to the output without being copied through the tail.
    pub passing: Passing,
    /// The byte that ends a line.
    pub terminator: u8,
    /// The longest line that is delivered whole under [`Framing::Lines`], in bytes, its terminator not counted. A
    /// longer one comes in pieces of at most that many bytes ([`Ending::Piece`](super::Ending::Piece)), but never of
    /// less than one character. Held in memory are that many bytes and one read, for each file.
    pub longest_line: usize,
    /// What is done about files that can't be read while they are followed. Where nothing is, any failure ends a
    /// source at once.
    pub read_errors: ReadErrors,
    /// What is done about NULs that may be no data.
    pub nuls: Nuls,
    /// How files that are rewritten in place are dealt with.
    pub rewriting: Rewriting,
    /// What is done about files that went by unseen, and about copies. Where no name is followed they are not looked
    /// for, unless a tail is [resumed](super::Tail::resume).
    pub lineage: Lineage,
    /// How long a file that its name no longer means must be quiet before it is let go.
    pub rotate_wait: Duration,
    /// The interval between looks at files that have no notification; `None`: 250 ms while they change, else 1 s.
    pub poll_interval: Option<Duration>,
    /// In which rounds names are looked at where looking at an interval is what finds changes.
    pub looks: Looks,
    /// Look at an interval only, without notification.
    pub poll_only: bool,
    /// What the first output of pipes and FIFOs is.
    pub pipes: Pipes,
    /// Treat regular files as if they could not be seeked.
    pub never_seek: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            start: Start::LastLines(10),
            following: Following::Name,
            retry: Retry::Always,
            framing: Framing::Lines,
            passing: Passing::Never,
            terminator: b'\n',
            longest_line: 1024 * 1024,
            read_errors: ReadErrors::KeepTrying,
            nuls: Nuls::HoldBack,
            rewriting: Rewriting::Discern,
            lineage: Lineage::Find,
            rotate_wait: Duration::from_secs(5),
            poll_interval: None,
            looks: Looks::EachRound,
            poll_only: false,
            pipes: Pipes::Windowed,
            never_seek: false,
        }
    }
}
