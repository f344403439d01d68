//! The tailing core: follows files through rotation, truncation and replacement and loses nothing in silence.
//!
//! A [`Tail`] is driven by whoever wants its events; it has no thread of its own that reads, but for what is on mounts
//! that may stop answering ([`Guarded`]). Its other threads are those of the event sources, which mark what may have
//! changed and wake the wait. Each look compares what is
//! held of a file with what is seen of it ([`decide`]), so that a lost event costs time, never data.
//!
//! ```
//! use rtail::tail::{Event, Options, Tail};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("app.log");
//! std::fs::write(&path, "first\nsecond\n")?;
//!
//! let mut tail = Tail::new(Options::default())?;
//! let source = tail.follow(&path);
//! while let Some(event) = tail.next()? {
//!     if let Event::Data(data) = event {
//!         assert_eq!(data.source, source);
//!         assert_eq!(data.bytes, b"first\nsecond\n");
//!         break;
//!     }
//! }
//! tail.join();
//! # Ok(())
//! # }
//! ```

mod attention;
mod beside;
mod copies;
pub mod decide;
mod discovery;
mod engine;
mod event;
mod evidence;
mod failures;
mod files;
mod generation;
mod guarded;
mod gzip;
mod lineage;
mod lines;
mod listing;
mod matches;
mod member;
#[cfg(test)]
mod model;
mod name;
mod options;
mod passage;
mod pattern;
mod place;
mod position;
mod proof;
mod report;
mod scan;
mod schedule;
mod seldom;
mod source;
mod start;
mod step;
mod suspects;
mod turnover;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

pub use self::event::{
    Age, Arrival, Because, Begins, Data, Doubt, Ending, Event, Evidence, FileId, FileKind, Happening, Loss, Noticed,
    Outlook, Since, SourceId, Standing,
};
pub use self::files::{Disk, Entry, Files, Flow, Handle, Links, Meta};
pub use self::guarded::Guarded;
pub use self::lines::Framing;
pub use self::options::{
    Following, Lineage, Looks, Nuls, Options, Passing, Pipes, ReadErrors, Retry, Rewriting, Start,
};
pub use self::passage::Passage;
pub use self::pattern::{
    BadPattern, Selection, could_match, is_pattern, looks_like_pattern, matches_compressed, matching,
};
pub use self::position::{Copied, Position, Resume};
pub use crate::wake::{Also, Trouble, Until};

use self::discovery::Discovery;
use self::engine::Engine;
use self::listing::Listed;
use self::pattern::Pattern;
use self::report::Report;
use self::source::Source;
use self::step::Due;
use crate::wake::{Attention, Mounts, Wake};

/// How often everything is looked at although no event came.
const SAFETY: Duration = Duration::from_secs(30);

/// Follows any number of files.
///
/// Nothing is read ahead: a tail that isn't asked for events reads nothing, but [`hold`](Self::hold) keeps it
/// from losing sight of files that are rotated away meanwhile.
#[derive(Debug)]
pub struct Tail {
    engine: Engine,
    wake: Wake,
    discovery: Discovery,
    safety_at: Instant,
    /// Whether somebody wants a source to be looked at.
    asked: bool,
    reports: VecDeque<Report>,
}

impl Tail {
    /// A tail of the files of this machine, without sources as yet.
    ///
    /// # Errors
    /// When the system has no descriptor left to wait on. That no event source can be started is no error: files
    /// are looked at in intervals then, and the trouble is reported as an event.
    pub fn new(options: Options) -> io::Result<Self> {
        let mounts = Rc::new(Mounts::of_this_process());
        let files = Guarded::new(Rc::clone(&mounts), Arc::new(|| Box::<Listed>::default()));
        Self::with(options, Box::new(files), mounts)
    }

    /// A tail of other files than this machine's, for tests of what the system rarely does.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_files(options: Options, files: Box<dyn Files>) -> io::Result<Self> {
        Self::with(options, files, Rc::new(Mounts::none()))
    }

    /// What is on these `mounts` is not watched.
    fn with(options: Options, files: Box<dyn Files>, mounts: Rc<Mounts>) -> io::Result<Self> {
        let poll_only = options.poll_only || options.following == Following::Nothing;
        let wake = Wake::new(poll_only, mounts)?;
        let now = Instant::now();
        let mut engine = Engine::new(options, files, now);
        engine.can_make_room(true);
        Ok(Self {
            wake,
            engine,
            discovery: Discovery::new(),
            safety_at: now + SAFETY,
            asked: false,
            reports: VecDeque::new(),
        })
    }

    /// Follows a name. Nothing is looked at before events are asked for.
    pub fn follow(&mut self, path: impl Into<PathBuf>) -> SourceId {
        self.engine.add_name(path.into(), Instant::now())
    }

    /// Follows a name from where an earlier tail had come to, through whatever has happened meanwhile: its files are
    /// found wherever they are beside the name, or copies of them, and read on; then those that the name meant since,
    /// in their order, and what it means now. What can't be found is reported as lost.
    ///
    /// Nothing is looked at before events are asked for.
    pub fn resume(&mut self, saved: Resume) -> SourceId {
        self.engine.add_resumed(saved, Instant::now())
    }

    /// Goes on with a file that a pattern of an earlier tail had found, whatever its name is now; a pattern of this tail
    /// that matches it doesn't take it up again. To be called before events are asked for.
    pub fn resume_found(&mut self, saved: Resume) -> SourceId {
        let path = saved.path.clone();
        let source = self.engine.add_resumed_found(saved, Instant::now());
        self.discovery.adopt(source, path);
        source
    }

    /// Proves for a later [`resume`](Self::resume) that a file was read up to `offset`, which bytes of this `run` were
    /// delivered up to (or where it was opened). Reads the file.
    ///
    /// `None` if that can't be proved: the file is not open any more, is no regular one, or was rewritten since, so
    /// that the offset means nothing. What was read last can be proved although it was cut since. An offset told before a [`HeadCut`](Happening::HeadCut) is to be asked for as what
    /// it is now.
    #[must_use]
    pub fn position(&self, source: SourceId, file: FileId, run: u64, offset: u64) -> Option<Position> {
        self.engine.source(source)?.prove(file, run, offset)
    }

    /// When the name of a source was last seen to mean the newest of its files, or nothing, and all that it had meant
    /// until then was read to its end: for a [`Resume`].
    #[must_use]
    pub fn looked(&self, source: SourceId) -> Option<SystemTime> {
        self.engine.source(source)?.looked()
    }

    /// Files beside the name of a source that are dealt with and no older than those that are open, for a [`Resume`]:
    /// copies, and files that were let go. Opens and lists nothing.
    #[must_use]
    pub fn known(&self, source: SourceId) -> Vec<FileId> {
        self.engine.source(source).map(Source::known).unwrap_or_default()
    }

    /// Those of the [known](Self::known) files that are copies, for a [`Resume`].
    #[must_use]
    pub fn copies(&self, source: SourceId) -> Vec<Copied> {
        self.engine.source(source).map(Source::copies).unwrap_or_default()
    }

    /// Follows standard input from where its offset is. `name` is what it goes by.
    ///
    /// # Errors
    /// When it can't be duplicated. One that was closed when the program started is reported as inaccessible.
    pub fn follow_stdin(&mut self, name: impl Into<PathBuf>) -> io::Result<SourceId> {
        Ok(self.engine.add_open(name.into(), files::stdin()?, Instant::now()))
    }

    /// Follows all files whose names match a glob pattern, now and later, each once: a file that is renamed to
    /// another matching name goes on where it was, and one that has a source already gets no other. Later ones are
    /// followed from their beginning. Nothing is looked at before events are asked for.
    ///
    /// # Errors
    /// When the pattern can't be understood.
    pub fn follow_pattern(&mut self, pattern: &Path) -> Result<(), BadPattern> {
        self.find_by(Pattern::new(pattern)?);
        Ok(())
    }

    /// Follows a directory's files, now and later, with those of the directories below it, as far as they are selected,
    /// or the file of this name, whatever it is; a glob pattern stands for all that it matches. Otherwise the same as
    /// [`follow_pattern`](Self::follow_pattern).
    ///
    /// # Errors
    /// When the pattern can't be understood.
    pub fn follow_tree(&mut self, path: &Path, selection: Selection) -> Result<(), BadPattern> {
        self.find_by(if is_pattern(path) {
            Pattern::new(path)?.with_below(selection)
        } else {
            Pattern::below(path, selection)
        });
        Ok(())
    }

    fn find_by(&mut self, pattern: Pattern) {
        let pattern = Rc::new(pattern);
        self.engine.expect(Rc::clone(&pattern));
        self.discovery.add(pattern);
    }

    /// Keeps patterns from matching this file: what the events are written to.
    pub fn leave_out(&mut self, file: FileId) {
        self.discovery.leave_out(file);
    }

    /// Keeps patterns from matching whatever file has this path.
    pub fn leave_out_path(&mut self, path: &Path) {
        self.discovery.leave_out_path(path);
    }

    /// Whether some source may still bring something: one that is followed, or a pattern.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.discovery.is_empty() && self.engine.sources().next().is_none()
    }

    /// Whether some source has a file open, rather than only the hope for one.
    #[must_use]
    pub fn has_files(&self) -> bool {
        !self.discovery.is_empty() || self.engine.sources().any(|(_, source)| source.has_files())
    }

    /// Whether all that was there at the start has been delivered.
    #[must_use]
    pub fn past_start(&self) -> bool {
        self.engine.past_start()
    }

    /// A source that was given up before anything of it was reported, and why; of several the first. To be asked after
    /// the first [`hold`](Self::hold).
    #[must_use]
    pub fn given_up(&self) -> Option<(&Path, &Happening)> {
        let given_up = self.engine.sources().filter_map(|(id, source)| Some((id, source.path(), source.given_up()?)));
        given_up.min_by_key(|(id, ..)| *id).map(|(_, path, what)| (path, what))
    }

    /// By what a source is noticed; `None` for one that has ended.
    #[must_use]
    pub fn noticed(&self, source: SourceId) -> Option<Noticed> {
        self.engine.noticed(source)
    }

    /// Whether events are used, rather than looks at an interval alone.
    #[must_use]
    pub fn uses_events(&self) -> bool {
        self.wake.has_events()
    }

    /// The files that are open now, each source's oldest first.
    pub fn files(&self) -> impl Iterator<Item = Standing<'_>> {
        self.engine.sources().flat_map(|(source, followed)| {
            followed.members().map(move |member| {
                let (offset, size) = member.read_of();
                let (file, run, kept) = (member.file(), member.run(), member.kept());
                Standing { source, path: followed.path(), file, run, offset, kept, size }
            })
        })
    }

    /// How far the newest open file of a source has been read.
    #[must_use]
    pub fn standing(&self, source: SourceId) -> Option<Standing<'_>> {
        let followed = self.engine.source(source)?;
        let member = followed.members().last()?;
        let ((offset, size), kept) = (member.read_of(), member.kept());
        Some(Standing { source, path: followed.path(), file: member.file(), run: member.run(), offset, kept, size })
    }

    /// Has the files of a source read to their ends as they are now, although nothing has announced a change; the next
    /// wait ends at once. Whether that is done says [`has_read`](Self::has_read).
    pub fn look_at(&mut self, source: SourceId) {
        self.engine.mark(source, Due::NameAndFiles);
        self.asked = true;
    }

    /// Whether nothing is left to be read of a source, as far as is known, since it was last looked at.
    #[must_use]
    pub fn has_read(&self, source: SourceId) -> bool {
        self.engine.source(source).is_none_or(|source| !source.is_due())
    }

    /// Closes the file of a source that a pattern has found, if it has been read to its end, until there is more in it;
    /// nothing of that can be noticed from outside but that there is a descriptor more. What is written to it meanwhile
    /// is noticed as before; only what is written in the very moment in which its last name goes may be lost, which is
    /// reported. False if there is something left to be done about it.
    pub fn rest(&mut self, source: SourceId) -> bool {
        let rests = self.engine.rest_file(source);
        // What was written while it was closed has no event.
        self.asked |= rests;
        rests
    }

    /// Has each file that is there from the start begin where this says, instead of where the options say.
    pub fn begin_by(&mut self, begin: impl Fn(&Path, FileId) -> Start + 'static) {
        self.engine.begin_by(Box::new(begin));
    }

    /// Returns the next event, if there is one without waiting. Reads files, so it blocks as long as the disk
    /// does.
    pub fn try_next(&mut self) -> Option<Event<'_>> {
        self.prepare();
        self.take()
    }

    /// Returns the next event, waiting for it if need be; `None` when no source is left.
    ///
    /// # Errors
    /// When the system refuses to wait.
    #[allow(clippy::should_implement_trait, reason = "an iterator can't lend the bytes")]
    pub fn next(&mut self) -> io::Result<Option<Event<'_>>> {
        while !self.prepare() {
            if self.is_over() {
                return Ok(None);
            }
            self.wait(None, &mut [])?;
        }
        Ok(self.take())
    }

    /// Hands out what was prepared: what happened to files first, then what belongs to none.
    fn take(&mut self) -> Option<Event<'_>> {
        if self.engine.has_found() {
            return self.engine.take_next();
        }
        self.reports.pop_front().map(Event::from)
    }

    /// Finds the next thing to report; false if there is none.
    fn prepare(&mut self) -> bool {
        let now = Instant::now();
        self.look_around(now);
        loop {
            self.reports.extend(std::iter::from_fn(|| self.wake.take_trouble()).map(Report::Trouble));
            if self.engine.has_next(now) || !self.reports.is_empty() {
                return true;
            }
            // What has come into sight is watched, then looked at once more, and only then is there nothing.
            if !self.carry_out_wants() {
                return false;
            }
        }
    }

    /// Follows nothing any more: names are looked at once more, and each open file is read to its end as it is now
    /// and delivered with its unfinished line, before the tail is over.
    pub fn finish(&mut self) {
        self.engine.mark_all();
        self.attend();
        let reports = self.discovery.look_at_last(&mut self.engine, &mut self.wake, Instant::now());
        self.reports.extend(reports);
        self.discovery.end(&mut self.engine);
        self.engine.finish();
    }

    /// Has long searches for the place to begin end when this is set, as by the handler of a signal.
    pub fn interrupt_by(&mut self, flag: Arc<AtomicBool>) {
        self.engine.interrupt_by(flag);
    }

    /// Waits until there may be something to report, one of `also` is ready, or `deadline` has come.
    ///
    /// # Errors
    /// When the system refuses to wait. A signal is no error; the wait just ends.
    pub fn wait(&mut self, deadline: Option<Instant>, also: &mut [Also<'_>]) -> io::Result<()> {
        if self.carry_out_wants() || std::mem::take(&mut self.asked) {
            // Not everything was watched or looked at yet, so there is something to do first.
            return Ok(());
        }
        let deadline = self.wait_until(deadline);
        let readable: Vec<_> = self.engine.readable().collect();
        let ready = self.wake.wait(Attention::All { readable: &readable }, deadline, also)?;
        for source in ready {
            self.engine.mark(source, Due::Files);
        }
        Ok(())
    }

    /// Waits while the events can't be taken, until one of `also` is ready or `deadline` has come; it may end sooner.
    /// What is written meanwhile stays where it is, but names are attended to: files that they come to mean are held
    /// open, without being read, since they can't be renamed or removed from under us any more then.
    ///
    /// # Errors
    /// When the system refuses to wait. A signal is no error; the wait just ends.
    pub fn hold(&mut self, deadline: Option<Instant>, also: &mut [Also<'_>]) -> io::Result<()> {
        self.attend();
        let deadline = self.wait_until(deadline);
        self.wake.wait(Attention::Names, deadline, also)?;
        self.attend();
        Ok(())
    }

    /// When a wait has to end at the latest.
    fn wait_until(&mut self, deadline: Option<Instant>) -> Option<Instant> {
        let safety = (!self.is_over() && self.wake.has_events()).then_some(self.safety_at);
        let ours = [self.engine.deadline(), self.discovery.look_at(), safety, deadline];
        ours.into_iter().flatten().min()
    }

    /// Ends the tail: closes its files and waits until every thread it started is gone and every watch released. Only a
    /// thread that itself waits for a mount that doesn't answer is left behind; returns where these mounts are.
    #[allow(clippy::must_use_candidate, reason = "who ends anyway may have nothing to say")]
    pub fn join(self) -> Vec<PathBuf> {
        let Self { engine, wake, discovery, .. } = self;
        engine.leave();
        wake.join();
        drop(discovery);
        engine.into_files().end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write as _;

    fn append(path: &Path, text: &str) {
        OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// What is delivered until it is `enough` and nothing is left, and whether a trouble was reported on the way.
    fn delivered(tail: &mut Tail, enough: &str) -> (String, bool) {
        let (mut text, mut trouble) = (String::new(), false);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match tail.try_next() {
                Some(Event::Data(data)) => text.push_str(std::str::from_utf8(data.bytes).unwrap()),
                Some(Event::Trouble(_)) => trouble = true,
                Some(_) => {}
                None if text.len() >= enough.len() => return (text, trouble),
                None => {
                    assert!(Instant::now() < deadline, "waited in vain for {enough:?}, got {text:?}");
                    tail.wait(Some(deadline), &mut []).unwrap();
                }
            }
        }
    }

    #[test]
    fn an_event_source_that_fails_is_replaced_by_polling_and_begun_again() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.log");
        append(&path, "L0\n");
        let mut tail = Tail::new(Options::default()).unwrap();
        let source = tail.follow(&path);
        assert_eq!(delivered(&mut tail, "L0\n"), ("L0\n".to_owned(), false));
        assert_eq!(tail.noticed(source), Some(Noticed::ByEvents));

        tail.wake.fail_for_test();
        append(&path, "L1\n");
        assert_eq!(delivered(&mut tail, "L1\n"), ("L1\n".to_owned(), true));
        assert_eq!(tail.noticed(source), Some(Noticed::ByPolling(Because::NoWatch)));
        std::fs::rename(&path, temp.path().join("a.log.1")).unwrap();
        append(&path, "L2\n");
        assert_eq!(delivered(&mut tail, "L2\n").0, "L2\n");

        let deadline = Instant::now() + Duration::from_secs(20);
        while !tail.uses_events() {
            assert!(Instant::now() < deadline, "no event source was started again");
            tail.wait(Some(deadline), &mut []).unwrap();
            while tail.try_next().is_some() {}
        }
        assert_eq!(tail.noticed(source), Some(Noticed::ByEvents));
        append(&path, "L3\n");
        assert_eq!(delivered(&mut tail, "L3\n").0, "L3\n");
        std::fs::rename(&path, temp.path().join("a.log.2")).unwrap();
        append(&path, "L4\n");
        assert_eq!(delivered(&mut tail, "L4\n").0, "L4\n");
        tail.join();
    }
}
