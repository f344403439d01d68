//! A checkpoint on a real disk, and in the hands of other processes.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::*;
use crate::tail::{FileId, Position};

/// One source that was read up to `offset`.
fn sources(offset: u64) -> Vec<Resume> {
    let file = FileId { device: 1, inode: 2, birth: None };
    let position =
        Position { file, offset, size: offset, ended: None, head: b"L1\n".to_vec(), anchor: b"L9\n".to_vec() };
    vec![Resume { path: "a.log".into(), files: vec![position], looked: None, known: vec![file], copies: vec![] }]
}

/// Sources whose text is longer than a page.
fn many_sources() -> Vec<Resume> {
    (0..100).flat_map(sources).collect()
}

/// The names in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// An error as the program prints it.
fn line(error: Error) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

fn refusal(path: &Path) -> String {
    line(Checkpoint::open(path).unwrap_err())
}

/// A directory with a checkpoint that was saved and closed.
fn saved(offset: u64) -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("x.ckpt");
    Checkpoint::open(&path).unwrap().save(&sources(offset)).unwrap();
    (temp, path)
}

#[test]
fn nothing_is_saved_where_there_is_no_file_and_none_comes_to_be() {
    let temp = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::open(temp.path().join("x.ckpt")).unwrap();
    assert_eq!(checkpoint.saved(), []);
    assert_eq!(names(temp.path()), ["x.ckpt.lock"]);
}

#[test]
fn what_is_saved_is_there_for_the_next_one() {
    let (temp, path) = saved(3);
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.saved(), sources(3));
    checkpoint.save(&many_sources()).unwrap();
    assert_eq!(checkpoint.saved(), many_sources());
    checkpoint.save(&[]).unwrap();
    assert_eq!(checkpoint.saved(), []);
    checkpoint.save(&sources(6)).unwrap();
    drop(checkpoint);
    assert_eq!(Checkpoint::open(&path).unwrap().saved(), sources(6));
    assert_eq!(names(temp.path()), ["x.ckpt", "x.ckpt.lock"]);
}

#[test]
fn only_its_owner_may_read_it() {
    let (_temp, path) = saved(3);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(mode(&path), 0o644, "not touched before it is replaced");
    checkpoint.save(&sources(6)).unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn what_the_file_holds_already_is_not_written_again() {
    let (_temp, path) = saved(3);
    let file = File::open(&path).unwrap();
    let is_same = || fs::metadata(&path).unwrap().ino() == file.metadata().unwrap().ino();
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    checkpoint.save(&sources(3)).unwrap();
    assert!(is_same());
    checkpoint.save(&sources(6)).unwrap();
    assert!(!is_same());
}

#[test]
fn an_empty_list_is_written_where_there_was_no_file() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("x.ckpt");
    Checkpoint::open(&path).unwrap().save(&[]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"rtail_checkpoint\":1,\"sources\":[]}\n");
}

#[test]
fn whoever_reads_it_meanwhile_sees_the_old_or_the_new_one_whole() {
    let (_temp, path) = saved(0);
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut last = 0;
            while !over.load(Ordering::Acquire) {
                let seen = format::read(&fs::read(&path).unwrap()).unwrap();
                let offset = seen[0].files[0].offset;
                assert!(offset >= last, "{offset} after {last}");
                last = offset;
            }
        });
        for offset in 1..=100 {
            checkpoint.save(&sources(offset)).unwrap();
        }
        over.store(true, Ordering::Release);
        reader.join().unwrap();
    });
}

#[test]
fn what_is_no_whole_checkpoint_is_refused_and_left_as_it_is() {
    let (temp, path) = saved(3);
    let whole = fs::read(&path).unwrap();
    // Within a key.
    let half = whole.windows(4).position(|window| window == b"inod").unwrap() + 2;
    let version = b"{\"rtail_checkpoint\":7,\"entries\":{}}".to_vec();
    let rows = [
        (vec![], " is damaged (it is empty): remove it to begin anew".to_owned()),
        (vec![0; whole.len()], " is damaged (it begins with NUL bytes): remove it to begin anew".to_owned()),
        (
            whole[..half].to_vec(),
            format!(" is damaged (EOF while parsing a string at line 1 column {half}): remove it to begin anew"),
        ),
        (version, ": checkpoint version 7 is not one of this rtail's (1): remove it to begin anew".to_owned()),
        (b"L1\nL2\n".to_vec(), " is not a checkpoint of rtail: choose another name".to_owned()),
    ];
    for (content, message) in rows {
        fs::write(&path, &content).unwrap();
        assert_eq!(refusal(&path), format!("'{}'{message}", path.display()));
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(names(temp.path()), ["x.ckpt", "x.ckpt.lock"]);
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(Checkpoint::open(&path).unwrap().saved(), sources(3), "the refusals left no lock");
}

#[test]
fn each_cut_of_it_is_refused() {
    let (_temp, path) = saved(3);
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() - 1 {
        fs::write(&path, &whole[..length]).unwrap();
        let refusal = refusal(&path);
        assert!(refusal.contains(" is damaged ("), "{length}: {refusal}");
    }
}

#[test]
fn a_log_given_by_mistake_is_not_read_as_a_whole() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("app.log");
    fs::write(&path, "L1\n").unwrap();
    // More than any memory holds; the rest is a hole.
    File::options().write(true).open(&path).unwrap().set_len(1 << 42).unwrap();
    assert!(refusal(&path).ends_with("is not a checkpoint of rtail: choose another name"));
}

#[test]
fn what_is_no_regular_file_is_refused_without_a_trace() {
    let temp = tempfile::tempdir().unwrap();
    let fifo = temp.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    fs::create_dir(temp.path().join("directory")).unwrap();
    symlink("/dev/null", temp.path().join("link")).unwrap();
    for name in ["fifo", "directory", "link", "directory/..", "directory/."] {
        let path = temp.path().join(name);
        let expected = format!("'{}' can't be a checkpoint: it is not a regular file", path.display());
        assert_eq!(refusal(&path), expected);
    }
    assert_eq!(refusal(Path::new("/")), "'/' can't be a checkpoint: it is not a regular file");
    assert_eq!(names(temp.path()), ["directory", "fifo", "link"]);
}

#[test]
fn a_place_that_is_not_there_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("file"), "").unwrap();
    symlink("loop", temp.path().join("loop")).unwrap();
    let root = temp.path().display();
    for (name, message) in [
        ("none/x.ckpt", format!("cannot find directory '{root}/none': No such file or directory (os error 2)")),
        ("file/x.ckpt", format!("cannot read checkpoint '{root}/file/x.ckpt': Not a directory (os error 20)")),
        ("loop", format!("cannot read checkpoint '{root}/loop': Too many levels of symbolic links (os error 40)")),
    ] {
        assert_eq!(refusal(&temp.path().join(name)), message);
    }
    assert_eq!(names(temp.path()), ["file", "loop"]);
}

#[test]
fn a_directory_that_is_not_writable_is_refused_at_once() {
    let (temp, path) = saved(3);
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if File::create(temp.path().join("other")).is_ok() {
        eprintln!("skipped: root may write anywhere");
        return;
    }
    let message = format!("cannot save checkpoint '{}': Permission denied (os error 13)", path.display());
    assert_eq!(refusal(&path), message);
}

#[test]
fn a_file_that_could_not_be_replaced_is_refused_at_once() {
    let (temp, path) = saved(3);
    // Not even root can remove a directory as a file.
    fs::create_dir(temp.path().join(".x.ckpt.tmp")).unwrap();
    let message = format!("cannot save checkpoint '{}': Is a directory (os error 21)", path.display());
    assert_eq!(refusal(&path), message);
    fs::remove_dir(temp.path().join(".x.ckpt.tmp")).unwrap();
    assert_eq!(Checkpoint::open(&path).unwrap().saved(), sources(3));
}

#[test]
fn a_save_that_failed_can_be_made_again() {
    let (temp, path) = saved(3);
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    let old = fs::read(&path).unwrap();
    let obstacle = temp.path().join(".x.ckpt.tmp");
    fs::create_dir(&obstacle).unwrap();
    for _ in 0..2 {
        let error = checkpoint.save(&sources(6)).unwrap_err();
        assert!(matches!(&error, Error::System { operation: Operation::Save, .. }), "{error:?}");
        assert_eq!(fs::read(&path).unwrap(), old);
    }
    fs::remove_dir(&obstacle).unwrap();
    checkpoint.save(&sources(6)).unwrap();
    drop(checkpoint);
    assert_eq!(Checkpoint::open(&path).unwrap().saved(), sources(6));
    assert_eq!(names(temp.path()), ["x.ckpt", "x.ckpt.lock"]);
}

#[test]
fn after_a_failed_save_the_file_is_written_though_it_may_hold_the_same() {
    let (temp, path) = saved(3);
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    let obstacle = temp.path().join(".x.ckpt.tmp");
    fs::create_dir(&obstacle).unwrap();
    checkpoint.save(&sources(6)).unwrap_err();
    fs::remove_dir(&obstacle).unwrap();
    let file = File::open(&path).unwrap();
    checkpoint.save(&sources(3)).unwrap();
    assert_ne!(fs::metadata(&path).unwrap().ino(), file.metadata().unwrap().ino());
}

#[test]
fn what_a_killed_process_was_writing_is_thrown_away() {
    let (temp, path) = saved(3);
    let stale = temp.path().join(".x.ckpt.tmp");
    fs::write(&stale, &fs::read(&path).unwrap()[..20]).unwrap();
    assert_eq!(Checkpoint::open(&path).unwrap().saved(), sources(3));
    assert_eq!(names(temp.path()), ["x.ckpt", "x.ckpt.lock"]);
}

#[test]
fn what_others_put_in_our_way_is_not_followed() {
    let (temp, path) = saved(3);
    let victim = temp.path().join("victim");
    fs::write(&victim, "precious\n").unwrap();
    symlink(&victim, temp.path().join(".x.ckpt.tmp")).unwrap();
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    symlink(&victim, temp.path().join(".x.ckpt.tmp")).unwrap();
    checkpoint.save(&sources(6)).unwrap();
    drop(checkpoint);

    let lock = temp.path().join("x.ckpt.lock");
    fs::remove_file(&lock).unwrap();
    symlink(&victim, &lock).unwrap();
    let message = format!("cannot lock '{}': Too many levels of symbolic links (os error 40)", lock.display());
    assert_eq!(refusal(&path), message);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious\n");
}

#[test]
fn behind_a_link_the_file_it_leads_to_is_replaced() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path();
    fs::create_dir(root.join("store")).unwrap();
    symlink("../second", root.join("store/first")).unwrap();
    symlink("store/first", root.join("link")).unwrap();
    symlink(root.join("store/real.ckpt"), root.join("second")).unwrap();
    // The first time the last link leads nowhere yet.
    for offset in [3, 6] {
        let mut checkpoint = Checkpoint::open(root.join("link")).unwrap();
        checkpoint.save(&sources(offset)).unwrap();
        for name in ["link", "second", "store/first"] {
            assert!(fs::symlink_metadata(root.join(name)).unwrap().is_symlink(), "{name}");
        }
        let other_name = refusal(&root.join("store/real.ckpt"));
        assert!(other_name.contains("real.ckpt' is in use by another process"), "{other_name}");
        drop(checkpoint);
        assert_eq!(Checkpoint::open(root.join("store/real.ckpt")).unwrap().saved(), sources(offset));
    }
    assert_eq!(names(root), ["link", "second", "store"]);
    assert_eq!(names(&root.join("store")), ["first", "real.ckpt", "real.ckpt.lock"]);
}

#[test]
fn a_link_that_is_redirected_later_changes_nothing() {
    let (temp, path) = saved(3);
    let link = temp.path().join("link");
    symlink(&path, &link).unwrap();
    let mut checkpoint = Checkpoint::open(&link).unwrap();
    fs::remove_file(&link).unwrap();
    symlink("elsewhere", &link).unwrap();
    checkpoint.save(&sources(6)).unwrap();
    drop(checkpoint);
    assert_eq!(Checkpoint::open(&path).unwrap().saved(), sources(6));
    assert!(!temp.path().join("elsewhere").exists());
}

#[test]
fn the_second_one_is_refused_until_the_first_is_dropped() {
    let (_temp, path) = saved(3);
    for _ in 0..50 {
        let first = Checkpoint::open(&path).unwrap();
        let pid = std::process::id();
        assert_eq!(refusal(&path), format!("'{}' is in use by another process (pid {pid})", path.display()));
        drop(first);
    }
}

#[test]
fn who_holds_the_lock_without_saying_so_is_not_named() {
    let (temp, path) = saved(3);
    let lock = File::create(temp.path().join("x.ckpt.lock")).unwrap();
    fs4::FileExt::lock(&lock).unwrap();
    assert_eq!(refusal(&path), format!("'{}' is in use by another process", path.display()));
    // Not by closing it, which another test that is starting a process would delay.
    fs4::FileExt::unlock(&lock).unwrap();
    Checkpoint::open(&path).unwrap();
}

#[test]
fn a_killed_process_leaves_no_lock() {
    let (_temp, path) = saved(3);
    let mut child = play("hold", &path, Command::new(env::current_exe().unwrap()));
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(printed.any(|line| line.unwrap().ends_with("held")), "the child has the checkpoint");
    let message = format!("'{}' is in use by another process (pid {})", path.display(), child.id());
    assert_eq!(refusal(&path), message);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(Checkpoint::open(&path).unwrap().saved(), sources(3));
}

#[test]
fn a_change_of_directory_changes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.current_dir(temp.path());
    passes(play("move", Path::new("x.ckpt"), command));
    assert_eq!(Checkpoint::open(temp.path().join("x.ckpt")).unwrap().saved(), sources(3));
}

#[test]
fn a_full_disk_leaves_the_old_one_and_no_litter() {
    const SMALL_DISK: &str = r#"mount -t tmpfs -o size=64k,mode=700 none "$0" && exec "$@""#;
    let temp = tempfile::tempdir().unwrap();
    let on_small_disk = || {
        let mut command = Command::new("unshare");
        command.args(["-Urm", "sh", "-c", SMALL_DISK]).arg(temp.path());
        command
    };
    if !on_small_disk().arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no namespaces here");
        return;
    }
    let mut command = on_small_disk();
    command.arg(env::current_exe().unwrap());
    passes(play("fill", &temp.path().join("x.ckpt"), command));
}

/// What a child is to play, and with which checkpoint.
const PART: &str = "RTAIL_TEST_PART";
const CHECKPOINT: &str = "RTAIL_TEST_CHECKPOINT";

/// Runs this test program once more, by `command`, for [`plays_a_part`] alone.
fn play(part: &str, path: &Path, mut command: Command) -> Child {
    command.args(["--exact", "checkpoint::tests::plays_a_part", "--nocapture"]);
    command.env(PART, part).env(CHECKPOINT, path).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

fn passes(child: Child) {
    let output = child.wait_with_output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

/// Passes at once, but in a process that [`play`] started.
#[test]
fn plays_a_part() {
    let (Ok(part), Ok(path)) = (env::var(PART), env::var(CHECKPOINT)) else { return };
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    match part.as_str() {
        "hold" => {
            println!("held");
            // Until it is killed, or its parent is gone.
            let _ = std::io::stdin().read(&mut [0]);
        }
        "move" => {
            env::set_current_dir("/").unwrap();
            checkpoint.save(&sources(3)).unwrap();
        }
        "fill" => a_disk_is_full(Path::new(&path), checkpoint),
        _ => panic!("no such part: {part}"),
    }
}

fn a_disk_is_full(path: &Path, mut checkpoint: Checkpoint) {
    let directory = path.parent().unwrap();
    checkpoint.save(&sources(3)).unwrap();
    let old = fs::read(path).unwrap();

    let ballast = directory.join("ballast");
    let full = std::io::copy(&mut std::io::repeat(b'x'), &mut File::create(&ballast).unwrap());
    assert_eq!(full.unwrap_err().kind(), ErrorKind::StorageFull);
    for sources in [many_sources(), sources(6), many_sources()] {
        let error = line(checkpoint.save(&sources).unwrap_err());
        let cause = "No space left on device (os error 28)";
        assert_eq!(error, format!("cannot save checkpoint '{}': {cause}", path.display()));
        assert_eq!(fs::read(path).unwrap(), old);
        assert_eq!(names(directory), ["ballast", "x.ckpt", "x.ckpt.lock"]);
    }
    drop(checkpoint);
    checkpoint = Checkpoint::open(path).unwrap();
    assert_eq!(checkpoint.saved(), sources(3));
    checkpoint.save(&many_sources()).unwrap_err();

    fs::remove_file(&ballast).unwrap();
    checkpoint.save(&many_sources()).unwrap();
    drop(checkpoint);
    assert_eq!(Checkpoint::open(path).unwrap().saved(), many_sources());
    assert_eq!(names(directory), ["x.ckpt", "x.ckpt.lock"]);
}
