//! The program under test: started, listened to, and judged when it has ended.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::ended::Ended;
use super::oracle::{contains, indented, shown};
use super::process::{self, Resources};
use super::{Logs, skip};

/// How long a condition may take. It is met in milliseconds unless something is wrong; the long forms write more.
pub(super) fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(if super::soaking() { 120 } else { 20 })
}

/// How often a condition is looked at that no output announces.
pub(super) const GLANCE: Duration = Duration::from_millis(4);

/// How long an orderly end may take here; the real bound is a benchmark's business.
const ORDERLY: Duration = Duration::from_secs(2);

/// Sends a signal to a process.
pub(super) fn send(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, signal).expect("the process is there to be signalled");
}

/// How the output of the tail under test is read.
#[derive(Clone, Copy, Debug)]
pub enum Drain {
    /// As fast as it comes.
    AtOnce,
    /// Not before [`Tail::drain`].
    WhenTold,
    /// So many bytes, then a gap.
    Slowly {
        /// Bytes of one read.
        bytes: usize,
        /// Time between two reads.
        gap: Duration,
    },
    /// The first line, then the pipe is closed, like `head -1`.
    OneLine,
    /// The same, but not before [`Tail::drain`].
    OneLineWhenTold,
}

/// A program to be run in the directory of some logs.
pub struct Run<'a> {
    logs: &'a Logs,
    program: PathBuf,
    name: &'static str,
    args: Vec<OsString>,
    shell: Option<String>,
    stdin: Stdio,
    drain: Drain,
}

impl<'a> Run<'a> {
    pub(super) fn new(logs: &'a Logs, program: &Path, name: &'static str) -> Self {
        Self {
            logs,
            program: program.to_owned(),
            name,
            args: Vec::new(),
            shell: None,
            stdin: Stdio::null(),
            drain: Drain::AtOnce,
        }
    }

    /// Adds arguments, cut at blanks.
    pub fn args(mut self, args: &str) -> Self {
        self.args.extend(args.split_whitespace().map(OsString::from));
        self
    }

    /// Adds one argument, whatever its bytes.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Has a shell run it: `script` starts it as `"$@"`, with `exec` where it is to have the shell's process ID.
    pub fn through(mut self, script: impl Into<String>) -> Self {
        self.shell = Some(script.into());
        self
    }

    /// Gives it the default action for the signals that may be ignored where the tests run (`nohup`, `&`).
    pub fn with_default_signals(self) -> Self {
        self.through(r#"exec env --default-signal=TERM,INT,HUP "$@""#)
    }

    /// Runs it as a user whom file permissions bind; `None` where that can't be had.
    pub fn by_nobody(mut self) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return Some(self);
        }
        super::find_program("setpriv")?;
        let own_copy = self.logs.beside("rtail-for-others");
        fs::copy(&self.program, &own_copy).unwrap();
        self.program = own_copy;
        let setpriv = r#"setpriv --reuid=65534 --regid=65534 --clear-groups "$@""#;
        let works = Command::new("sh").args(["-c", setpriv, "sh", "true"]).status();
        if !works.is_ok_and(|status| status.success()) {
            skip("another user's rights can't be taken on");
            return None;
        }
        Some(self.through(format!("exec {setpriv}")))
    }

    /// Runs it in a user namespace of its own, after `setup`; `None` where there are none.
    pub fn in_user_namespace(self, setup: &str) -> Option<Self> {
        let unshare = format!(r#"exec unshare -Ur sh -c '{setup} && exec "$@"' sh "$@""#);
        let works = Command::new("sh").args(["-c", &unshare, "sh", "true"]).stderr(Stdio::null()).status();
        if !works.is_ok_and(|status| status.success()) {
            skip("user namespaces, or limits in them, are not permitted");
            return None;
        }
        Some(self.through(unshare))
    }

    /// Gives it standard input; without, it has `/dev/null`.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Says how its output is read.
    pub fn drained(mut self, drain: Drain) -> Self {
        self.drain = drain;
        self
    }

    /// Starts it.
    pub fn start(self) -> Tail {
        let mut command = match self.shell {
            None => Command::new(&self.program),
            Some(script) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &script, "sh"]).arg(&self.program);
                shell
            }
        };
        let mut process = command
            .args(&self.args)
            .current_dir(self.logs.path(""))
            .env_remove("POSIXLY_CORRECT")
            .env_remove("_POSIX2_VERSION")
            .env("LC_ALL", "C")
            .stdin(self.stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program under test starts");
        let heard = Arc::new(Heard::new(!matches!(self.drain, Drain::WhenTold | Drain::OneLineWhenTold)));
        let stdout = process.stdout.take().expect("its output is a pipe");
        let stderr = process.stderr.take().expect("its messages are a pipe");
        let listeners = vec![
            listen(&heard, stdout, self.drain, |said| &mut said.stdout),
            listen(&heard, stderr, Drain::AtOnce, |said| &mut said.stderr),
        ];
        Tail { name: self.name, process, heard, listeners }
    }

    /// Runs it until it ends by itself.
    #[track_caller]
    pub fn run(self) -> Ended {
        self.start().ended()
    }
}

/// What a program has said so far.
pub struct Said {
    /// Its output.
    pub stdout: Vec<u8>,
    /// Its messages.
    pub stderr: Vec<u8>,
    open_streams: u8,
    draining: bool,
}

impl Said {
    /// Whether a message that is complete contains `text`.
    pub fn noticed(&self, text: &str) -> bool {
        let complete = self.stderr.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        contains(&self.stderr[..complete], text.as_bytes())
    }
}

struct Heard {
    said: Mutex<Said>,
    more: Condvar,
}

impl Heard {
    fn new(draining: bool) -> Self {
        let said = Said { stdout: Vec::new(), stderr: Vec::new(), open_streams: 2, draining };
        Self { said: Mutex::new(said), more: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.lock());
        self.more.notify_all();
    }

    fn wait<'a>(&self, said: MutexGuard<'a, Said>, longest: Duration) -> MutexGuard<'a, Said> {
        self.more.wait_timeout(said, longest).unwrap_or_else(PoisonError::into_inner).0
    }
}

fn listen(
    heard: &Arc<Heard>,
    mut stream: impl Read + Send + 'static,
    drain: Drain,
    part: fn(&mut Said) -> &mut Vec<u8>,
) -> JoinHandle<()> {
    let heard = Arc::clone(heard);
    std::thread::spawn(move || {
        let size = if let Drain::Slowly { bytes, .. } = drain { bytes } else { 1 << 18 };
        let mut block = vec![0; size];
        let mut said = heard.lock();
        while !said.draining {
            said = heard.wait(said, GLANCE);
        }
        drop(said);
        loop {
            let len = match stream.read(&mut block) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            heard.update(|said| part(said).extend_from_slice(&block[..len]));
            match drain {
                Drain::OneLine | Drain::OneLineWhenTold if block[..len].contains(&b'\n') => break,
                Drain::Slowly { gap, .. } => std::thread::sleep(gap),
                _ => {}
            }
        }
        drop(stream);
        heard.update(|said| said.open_streams -= 1);
    })
}

/// A program under test that runs. Dropped before its end was asked for, it is killed.
pub struct Tail {
    name: &'static str,
    process: Child,
    heard: Arc<Heard>,
    listeners: Vec<JoinHandle<()>>,
}

impl Tail {
    /// Waits until a condition is met; `what` names it for the report of a failure.
    #[track_caller]
    pub fn until(&self, what: &str, mut met: impl FnMut(&Said) -> bool) -> &Self {
        let deadline = deadline();
        let mut said = self.heard.lock();
        loop {
            // Before the condition, so that a condition met by its last words counts.
            let over = said.open_streams == 0 || (!said.draining && process::is_gone(self.pid()));
            if met(&said) {
                return self;
            }
            assert!(!over, "it ended before {what}\n{}", report(&said));
            assert!(Instant::now() < deadline, "waited in vain until {what}\n{}", report(&said));
            said = self.heard.wait(said, GLANCE);
        }
    }

    /// Waits until the line `Ln` was printed, whole: as it is, or as a record.
    #[track_caller]
    pub fn until_line(&self, number: u32) -> &Self {
        let (plain, member) = (format!("L{number}\n"), format!("\"text\":\"L{number}\""));
        let mut seen = 0;
        self.until(&format!("L{number} was printed"), |said| {
            let found = match said.stdout.first() {
                Some(b'{') => contains(&said.stdout[seen..], member.as_bytes()),
                _ => starts_of(&said.stdout, plain.as_bytes(), seen),
            };
            seen = said.stdout.len().saturating_sub(member.len());
            found
        })
    }

    /// Waits until there was a record of a type.
    #[track_caller]
    pub fn until_record(&self, kind: &str) -> &Self {
        self.until_printed(format!("{{\"type\":\"{kind}\""))
    }

    /// Waits until these bytes were printed, at the start of a line.
    #[track_caller]
    pub fn until_printed(&self, text: impl AsRef<[u8]>) -> &Self {
        let text = text.as_ref();
        let mut seen = 0;
        self.until(&format!("{} was printed", shown(text)), |said| {
            let found = starts_of(&said.stdout, text, seen);
            seen = said.stdout.len().saturating_sub(text.len());
            found
        })
    }

    /// Waits until so many bytes were printed.
    #[track_caller]
    pub fn until_bytes(&self, count: usize) -> &Self {
        self.until(&format!("{count} bytes were printed"), |said| said.stdout.len() >= count)
    }

    /// Waits until a notice that contains `text`.
    #[track_caller]
    pub fn until_noticed(&self, text: &str) -> &Self {
        self.until(&format!("it gave notice: {text}"), |said| said.noticed(text))
    }

    /// Waits until the kernel watches something for it.
    #[track_caller]
    pub fn until_watching(&self) -> &Self {
        self.until("it has an inotify watch", |_| process::watches(self.pid()) > 0)
    }

    /// Waits until what it holds is no more than it was.
    #[track_caller]
    pub fn until_no_more_than(&self, before: Resources) -> &Self {
        self.until(&format!("it holds no more than {before:?}"), |_| {
            let now = self.resources();
            now.descriptors <= before.descriptors && now.watches <= before.watches && now.threads <= before.threads
        })
    }

    /// How many bytes of its output nobody has read yet.
    pub fn bytes_waiting(&self) -> usize {
        let pipe = File::open(format!("/proc/{}/fd/1", self.pid()));
        let bytes = pipe.ok().and_then(|pipe| rustix::io::ioctl_fionread(&pipe).ok()).unwrap_or(0);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Waits until its output has filled the pipe and the pipe stays as full as it is.
    #[track_caller]
    pub fn until_blocked(&self) -> &Self {
        let mut backlog = (0, 0);
        self.until("its output is blocked", |_| {
            let bytes = self.bytes_waiting();
            let looks = if bytes > 0 && bytes == backlog.0 { backlog.1 + 1 } else { 0 };
            backlog = (bytes, looks);
            looks > 10
        })
    }

    /// Stops it where it stands, as a busy machine would, and waits until every thread of it stands.
    #[track_caller]
    pub fn stop(&self) -> &Self {
        self.signal(Signal::STOP).until("it is stopped", |_| process::is_stopped(self.pid()))
    }

    /// Lets it go on after [`stop`](Self::stop).
    pub fn cont(&self) -> &Self {
        self.signal(Signal::CONT)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> &Self {
        send(self.process.id(), signal);
        self
    }

    /// Begins to read its output.
    pub fn drain(&self) -> &Self {
        self.heard.update(|said| said.draining = true);
        self
    }

    /// Its process ID.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// How many files of this name it has open, whatever became of them.
    pub fn holds(&self, name: &str) -> usize {
        process::open_files(self.pid(), name)
    }

    /// What it holds just now.
    pub fn resources(&self) -> Resources {
        Resources::of(self.pid())
    }

    /// The memory it has now, in bytes.
    pub fn memory(&self) -> u64 {
        process::memory(self.pid(), "VmRSS").expect("a process that runs has memory")
    }

    /// The most memory it ever had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        process::memory(self.pid(), "VmHWM").expect("a process that runs has memory")
    }

    /// The bytes it has asked the kernel to read.
    pub fn bytes_read(&self) -> u64 {
        process::bytes_read(self.pid()).expect("a process that runs has an account")
    }

    /// How often its first thread has asked the kernel to read or to write. The others take events, also of what happens
    /// elsewhere.
    pub fn transfers(&self) -> u64 {
        process::transfers(self.pid()).expect("a process that runs has an account")
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub fn ended(self) -> Ended {
        self.ended_before(deadline())
    }

    /// Ends it with TERM, of which it must die.
    #[track_caller]
    pub fn end(self) -> Ended {
        self.signal(Signal::TERM);
        self.ended().died_of(Signal::TERM)
    }

    /// Ends it with a signal, of which it must die in good time.
    #[track_caller]
    pub fn end_by(self, signal: Signal) -> Ended {
        self.signal(signal);
        self.ended_before(Instant::now() + ORDERLY).died_of(signal)
    }

    #[track_caller]
    fn ended_before(mut self, deadline: Instant) -> Ended {
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("our own child") {
                break status;
            }
            let said = self.heard.lock();
            assert!(Instant::now() < deadline, "it does not end\n{}", report(&said));
            drop(self.heard.wait(said, GLANCE));
        };
        self.drain();
        for listener in self.listeners.drain(..) {
            listener.join().expect("a listener does not panic");
        }
        let mut said = self.heard.lock();
        Ended {
            name: self.name,
            status,
            stdout: std::mem::take(&mut said.stdout),
            stderr: std::mem::take(&mut said.stderr),
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.drain();
    }
}

fn report(said: &Said) -> String {
    let last = said.stdout.len().saturating_sub(60);
    format!(
        "  {} bytes were printed, the last of them {}\n  its messages:\n{}",
        said.stdout.len(),
        shown(&said.stdout[last..]),
        indented(&said.stderr)
    )
}

/// Whether `text` stands at the start of a line at `from` or behind.
fn starts_of(bytes: &[u8], text: &[u8], from: usize) -> bool {
    memchr::memmem::find_iter(&bytes[from..], text).any(|at| at + from == 0 || bytes[at + from - 1] == b'\n')
}
