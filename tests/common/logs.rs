//! A directory of logs, and those who write and rotate them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write as _;
use std::ops::RangeInclusive;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::fs::FlockOperation;
use serde_json::Value;

use super::oracle::lines;
use super::run::{Run, Tail};
use super::{Mode, Signal};

/// A temporary directory of logs. The tail under test runs in it, so names in its messages are as short as here.
pub struct Logs {
    root: tempfile::TempDir,
    dir: PathBuf,
}

impl Logs {
    /// An empty directory, which other users may read.
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let dir = root.path().join("logs");
        fs::create_dir(&dir).unwrap();
        for dir in [root.path(), &dir] {
            fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
        }
        Self { root, dir }
    }

    /// A directory with one log.
    pub fn with(name: &str, numbers: RangeInclusive<u32>) -> Self {
        let logs = Self::new();
        logs.append(name, numbers);
        logs
    }

    /// A directory with one file of the given content.
    pub fn holding(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let logs = Self::new();
        logs.write(name, bytes);
        logs
    }

    /// Where a name is.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.join(name)
    }

    /// A place beside the logs, for what must not be among them.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    // The program under test.

    /// `rtail follow ARGS`, started; the arguments are cut at blanks.
    pub fn follow(&self, mode: Mode, args: &str) -> Tail {
        self.following(mode, args).start()
    }

    /// `rtail follow ARGS`, not started yet.
    pub fn following(&self, mode: Mode, args: &str) -> Run<'_> {
        self.looking("follow", mode).args(args)
    }

    /// `rtail stream ARGS`, started; the arguments are cut at blanks.
    pub fn stream(&self, mode: Mode, args: &str) -> Tail {
        self.streaming(mode, args).start()
    }

    /// `rtail stream ARGS`, not started yet.
    pub fn streaming(&self, mode: Mode, args: &str) -> Run<'_> {
        self.looking("stream", mode).args(args)
    }

    fn looking(&self, command: &str, mode: Mode) -> Run<'_> {
        let run = self.rtail(command);
        match mode {
            Mode::Events => run,
            Mode::Polling => run.args("--poll=20ms"),
        }
    }

    /// `rtail ARGS`, not started yet.
    pub fn rtail(&self, args: &str) -> Run<'_> {
        Run::new(self, assert_cmd::cargo::cargo_bin!("rtail"), "rtail").args(args)
    }

    /// The same program under the name `tail`, not started yet.
    pub fn tail(&self, args: &str) -> Run<'_> {
        let name = self.beside("tail");
        if !name.exists() {
            symlink(assert_cmd::cargo::cargo_bin!("rtail"), &name).unwrap();
        }
        Run::new(self, &name, "tail").args(args)
    }

    // Writers.

    /// Appends the numbered lines of a range, one write a line.
    pub fn append(&self, name: impl AsRef<Path>, numbers: RangeInclusive<u32>) -> &Self {
        let mut file = self.open(name);
        for number in numbers {
            file.write(format!("L{number}\n"));
        }
        self
    }

    /// Appends bytes in one write.
    pub fn append_bytes(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> &Self {
        self.open(name).write(bytes);
        self
    }

    /// Opens a file as a logger does: created if need be, every write at its end.
    pub fn open(&self, name: impl AsRef<Path>) -> Appender {
        Appender(OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap())
    }

    /// Writes as the shell does with `>`: an existing file is truncated, and keeps its identity.
    pub fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    /// Opens a FIFO when somebody reads it, writes, and closes it.
    pub fn write_fifo(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let deadline = super::run::deadline();
        let mut options = OpenOptions::new();
        options.write(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        let mut fifo = loop {
            match options.open(self.path(name)) {
                Ok(fifo) => break fifo,
                Err(error) => assert!(Instant::now() < deadline, "nobody reads {name}: {error}"),
            }
            std::thread::sleep(super::run::GLANCE);
        };
        fifo.write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Reads a file as it is now.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The files of a name in the checkpoint `../at`, oldest first: inode and offset.
    pub fn positions(&self, name: &str) -> Vec<(u64, u64)> {
        let number = |file: &Value, key: &str| file[key].as_u64().unwrap();
        self.saved_files(name).iter().map(|file| (number(file, "inode"), number(file, "offset"))).collect()
    }

    /// For each of these files, the last bytes before the offset.
    pub fn anchors(&self, name: &str) -> Vec<Vec<u8>> {
        let anchor = |file: &Value| BASE64_STANDARD.decode(file["anchor"].as_str().unwrap()).unwrap();
        self.saved_files(name).iter().map(anchor).collect()
    }

    fn saved_files(&self, name: &str) -> Vec<Value> {
        let Ok(text) = fs::read(self.path("../at")) else { return Vec::new() };
        let checkpoint: Value = serde_json::from_slice(&text).expect("a whole checkpoint");
        let sources = checkpoint["sources"].as_array().unwrap();
        let is_it = |path: &str| Path::new(path).file_name().is_some_and(|file| file == name);
        let source = sources.iter().find(|source| source["path"].as_str().is_some_and(is_it));
        source.map(|source| source["files"].as_array().unwrap().clone()).unwrap_or_default()
    }

    /// Waits until some process holds a lock on a file.
    pub fn until_locked(&self, name: &str) -> &Self {
        let deadline = super::run::deadline();
        let file = File::open(self.path(name)).unwrap();
        while rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            rustix::fs::flock(&file, FlockOperation::Unlock).unwrap();
            assert!(Instant::now() < deadline, "{name} is never locked");
            std::thread::sleep(super::run::GLANCE);
        }
        self
    }

    /// Waits until something was written to a file.
    pub fn until_written(&self, name: &str) -> &Self {
        let deadline = super::run::deadline();
        while fs::metadata(self.path(name)).map_or(0, |meta| meta.len()) == 0 {
            assert!(Instant::now() < deadline, "{name} is never written");
            std::thread::sleep(super::run::GLANCE);
        }
        self
    }

    /// A writer in a process of its own, which appends.
    pub fn writer(&self, name: impl AsRef<Path>) -> Writer {
        Writer::to(self.open(name).0)
    }

    /// A writer in a process of its own, without `O_APPEND`: it goes on at its own offset whatever becomes of the file.
    pub fn writer_keeping_its_offset(&self, name: impl AsRef<Path>) -> Writer {
        Writer::to(File::create(self.path(name)).unwrap())
    }

    // Rotators.

    /// `mv FROM TO`
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> &Self {
        fs::rename(self.path(from), self.path(to)).unwrap();
        self
    }

    /// `mv log.2 log.3; mv log.1 log.2`, up to `depth`.
    pub fn move_on(&self, name: &str, depth: u32) -> &Self {
        for number in (1..depth).rev() {
            let from = self.path(format!("{name}.{number}"));
            if from.exists() {
                fs::rename(from, self.path(format!("{name}.{}", number + 1))).unwrap();
            }
        }
        self
    }

    /// The same, and `mv log log.1`.
    pub fn cascade(&self, name: &str, depth: u32) -> &Self {
        self.move_on(name, depth).rename(name, format!("{name}.1"))
    }

    /// Puts a new file in the place of another at once, as editors and atomic writers do.
    pub fn replace(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> &Self {
        let new = self.beside("replacement");
        fs::write(&new, bytes).unwrap();
        fs::rename(new, self.path(name)).unwrap();
        self
    }

    /// `cp NAME COPY; : > NAME`
    pub fn copytruncate(&self, name: &str, copy: &str) -> &Self {
        fs::copy(self.path(name), self.path(copy)).unwrap();
        self.write(name, "")
    }

    /// `truncate -s LEN NAME`
    pub fn truncate(&self, name: &str, len: u64) -> &Self {
        let file = OpenOptions::new().write(true).open(self.path(name)).unwrap();
        file.set_len(len).unwrap();
        self
    }

    /// `rm NAME`
    pub fn remove(&self, name: impl AsRef<Path>) -> &Self {
        fs::remove_file(self.path(name)).unwrap();
        self
    }

    /// `ln -s TARGET NAME`
    pub fn link(&self, target: &str, name: &str) -> &Self {
        symlink(target, self.path(name)).unwrap();
        self
    }

    /// `ln -s TARGET t; mv -T t NAME`
    pub fn retarget(&self, name: &str, target: &str) -> &Self {
        self.link(target, "new-link").rename("new-link", name)
    }

    /// `mkdir NAME`
    pub fn make_dir(&self, name: &str) -> &Self {
        fs::create_dir(self.path(name)).unwrap();
        self
    }

    /// `rm -r NAME`
    pub fn remove_dir(&self, name: &str) -> &Self {
        fs::remove_dir_all(self.path(name)).unwrap();
        self
    }

    /// `chmod MODE NAME`
    pub fn permit(&self, name: &str, mode: u32) -> &Self {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
        self
    }

    /// `ln TARGET NAME`
    pub fn hard_link(&self, target: &str, name: &str) -> &Self {
        fs::hard_link(self.path(target), self.path(name)).unwrap();
        self
    }

    /// `mkfifo NAME`
    pub fn make_fifo(&self, name: &str) -> &Self {
        let mode = rustix::fs::Mode::from_raw_mode(0o644);
        rustix::fs::mknodat(rustix::fs::CWD, self.path(name), rustix::fs::FileType::Fifo, mode, 0).unwrap();
        self
    }
}

/// An open log, written by the test itself; each write is one system call.
pub struct Appender(File);

impl Appender {
    /// Writes bytes in one write.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).unwrap();
        self
    }
}

/// A writer in a process of its own (`cat`), which has its file open until it ends.
pub struct Writer {
    process: Child,
    input: Option<ChildStdin>,
}

impl Writer {
    fn to(file: File) -> Self {
        Self::spawn(Command::new("cat").stdout(file))
    }

    /// A shell that runs `script` in the directory of the logs. `read go` in it waits for [`go`](Self::go).
    pub fn script(logs: &Logs, script: &str) -> Self {
        Self::spawn(Command::new("sh").args(["-c", script]).current_dir(&logs.dir))
    }

    /// A Python program, with the path of a log as its argument.
    pub fn python(logs: &Logs, program: &str, name: &str) -> Self {
        Self::spawn(Command::new("python3").args(["-c", program]).arg(logs.path(name)))
    }

    /// A Python program that carries out lines of commands on a log, which it has open for appending: `lock`, `unlock`,
    /// `write TEXT` (a line), `part TEXT` (none), `truncate`, `sleep SECONDS`, `exit`.
    pub fn obeying(logs: &Logs, name: &str) -> Self {
        const PROGRAM: &str = "
import fcntl, os, sys, time
log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
for line in sys.stdin:
    command, _, text = line.rstrip('\\n').partition(' ')
    if command == 'lock': fcntl.flock(log, fcntl.LOCK_EX)
    elif command == 'unlock': fcntl.flock(log, fcntl.LOCK_UN)
    elif command == 'write': os.write(log, (text + '\\n').encode())
    elif command == 'part': os.write(log, text.encode())
    elif command == 'truncate': os.ftruncate(log, 0)
    elif command == 'sleep': time.sleep(float(text))
    elif command == 'exit': os._exit(0)
";
        Self::python(logs, PROGRAM, name)
    }

    /// Has an [obeying](Self::obeying) writer carry out commands, given with semicolons between them.
    pub fn obey(&mut self, commands: &str) -> &mut Self {
        let lines: Vec<&str> = commands.split(';').map(str::trim_start).collect();
        self.write(lines.join("\n") + "\n")
    }

    fn spawn(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).spawn().unwrap();
        let input = process.stdin.take();
        Self { process, input }
    }

    /// Has the process write bytes; they are in the file a moment later.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let input = self.input.as_mut().expect("a writer that still runs");
        input.write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Has the process write numbered lines.
    pub fn append(&mut self, numbers: RangeInclusive<u32>) -> &mut Self {
        self.write(lines(numbers))
    }

    /// Its process ID.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Lets a [`script`](Self::script) go on, and waits until it is gone.
    pub fn go(mut self) {
        self.write("go\n");
        self.finish();
    }

    /// Ends the process after what it was given to write, and waits until it is gone.
    pub fn finish(mut self) {
        drop(self.input.take());
        self.process.wait().unwrap();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        super::run::send(self.process.id(), signal);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
