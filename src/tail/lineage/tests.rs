use super::names::*;
use super::*;

#[test]
fn rotated_names_are_told_from_other_logs() {
    let rows: [(&str, &[&str], &[&str]); 4] = [
        (
            "app.log",
            &[
                "app.log.1",
                "app.log.10",
                "app.log-20261120",
                "app.log.2026-11-20_10-00-00",
                "app.log_3",
                "app.log~",
                "app.log.~1~",
                "app.log.old",
                "app.log.bak2",
                "app.log-backup-1",
                "app.log.Nov-20-2026",
                "app-2026-11-20.log",
                "app.1.log",
                "app-2026-11-20T10-00-00.000.log",
                "app.old.log",
                "app_2.log",
                "app.log-20261120.zst",
            ],
            &[
                "app.log",
                "app.log1",
                "app.logs.1",
                "app.log.sha256",
                "app.log.lock",
                "app.log.",
                "app2.log",
                "app-errors.log",
                "app-errors-2.log",
                "app.log.gz",
                "app.txt",
                "xapp.log.1",
                "app.lo",
                "",
            ],
        ),
        ("messages", &["messages.1", "messages-20261120", "messages.old"], &["messages", "messagesx.1", "mess.1"]),
        ("0.log", &["0.log.20260101-101010"], &["1.log", "00.log"]),
        (".log", &[".log.1"], &["1.log", "a.log"]),
    ];
    for (base, rotated, others) in rows {
        let is_base = |name: &str| bases(name.as_bytes()).contains(&base.as_bytes().to_vec());
        for name in rotated {
            assert!(mark(base.as_bytes(), name.as_bytes()).is_some(), "{name} was {base}");
            assert!(is_base(name), "{name} was {base}");
        }
        for name in others {
            assert!(mark(base.as_bytes(), name.as_bytes()).is_none(), "{name} was never {base}");
            let is_packed = super::names::rotated(base.as_bytes(), name.as_bytes()).is_some();
            assert_eq!(is_base(name), is_packed, "{name} was never {base}");
        }
    }
}

#[test]
fn siblings_are_regular_files_that_can_be_read_as_they_are() {
    let temp = tempfile::tempdir().unwrap();
    let names = ["a.log", "a.log.1", "a.log.1.gz", "a-2.log", "a-2.gz.log", "a.log.3.gz", "a.log.4.zst.tmp"];
    for name in names.into_iter().chain(["a.log.gz", "a.log.4.gz.tmp", "a.log.5.gz.1", "b.log.1", "b.log.1.gz"]) {
        std::fs::write(temp.path().join(name), name).unwrap();
    }
    std::fs::create_dir(temp.path().join("a.log.4")).unwrap();
    std::os::unix::fs::symlink("a.log", temp.path().join("a.log.5")).unwrap();
    let mut found =
        siblings(&crate::tail::files::Disk, &temp.path().join("a.log"), &crate::tail::failures::Failures::default())
            .unwrap()
            .unwrap();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let names: Vec<_> = found.iter().map(|sibling| sibling.path.file_name().unwrap()).collect();
    assert_eq!(names, ["a-2.log", "a.log.1", "a.log.3.gz", "a.log.gz"]);
    assert_eq!(found.iter().filter(|sibling| sibling.form == Form::Packed).count(), 2);
    assert_eq!((found[0].size, &found[0].numbers), (7, &vec![2]));
}

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000 + millis)
}

fn file(inode: u64, birth: u64) -> FileId {
    FileId { device: 1, inode, birth: Some(at(birth)) }
}

/// A sibling with the number `mark`, the inode of the same number, and the times of its birth and last write.
fn sibling(mark: u64, inode: u64, birth: u64, modified: u64) -> Sibling {
    let path = PathBuf::from(format!("a.log.{mark}"));
    Sibling {
        path,
        id: file(inode, birth),
        size: 1,
        modified: at(modified),
        numbers: vec![mark],
        place: MarkPlace::Appended,
        form: Form::Plain,
    }
}

fn inodes(siblings: &[Sibling], between: &Between<'_>) -> Vec<u64> {
    unseen(siblings, between)
        .into_iter()
        .filter(|(_, sure)| *sure == Certainty::Sure)
        .map(|(one, _)| one.id.inode)
        .collect()
}

#[test]
fn what_was_born_between_two_generations_is_taken_in_order_of_birth() {
    let (last, live) = (file(1, 100), file(9, 900));
    let siblings = [sibling(2, 3, 500, 600), sibling(1, 4, 700, 700), sibling(3, 1, 100, 200), sibling(4, 7, 50, 60)];
    let between = Between { last: Some(last), found_in: None, looked: None, live: Some(live), known: &[] };
    assert_eq!(inodes(&siblings, &between), [3, 4]);
    assert_eq!(inodes(&siblings, &Between { live: None, ..between }), [3, 4]);
    assert_eq!(inodes(&siblings, &Between { known: &[file(3, 500)], ..between }), [4]);
    assert_eq!(inodes(&siblings, &Between { live: Some(file(9, 600)), ..between }), [3], "born after the live one");
    assert_eq!(inodes(&siblings, &Between { looked: Some(at(1600)), ..between }), [4], "there before the last look");
    assert_eq!(inodes(&siblings, &Between { last: None, ..between }), [0u64; 0], "nothing was known");
    assert_eq!(inodes(&siblings, &Between { last: None, looked: Some(at(1500)), ..between }), [3, 4]);
}

#[test]
fn what_was_copied_away_since_a_look_is_taken_in_order_of_birth() {
    let other = Sibling { place: MarkPlace::Inserted, ..sibling(5, 5, 500, 500) };
    let empty = Sibling { size: 0, ..sibling(6, 6, 500, 500) };
    let siblings = [sibling(1, 1, 600, 610), other, empty, sibling(2, 2, 500, 510), sibling(3, 3, 300, 310)];
    let cuts = Cuts { file: file(9, 100), looked: at(420), modified: at(700), known: &[] };
    let inodes = |cuts: &Cuts<'_>| -> Vec<u64> {
        copied(&siblings, cuts).into_iter().map(|sibling| sibling.id.inode).collect()
    };
    assert_eq!(inodes(&cuts), [2, 1]);
    assert_eq!(inodes(&Cuts { known: &[file(2, 500)], ..cuts }), [1]);
    assert_eq!(inodes(&Cuts { looked: at(521), ..cuts }), [1], "there before the last look");
    assert_eq!(inodes(&Cuts { modified: at(600), ..cuts }), [2], "still written after the cut");
    assert_eq!(inodes(&Cuts { file: file(9, 550), ..cuts }), [1], "older than the file");
    assert_eq!(inodes(&Cuts { file: FileId { birth: None, ..cuts.file }, ..cuts }), [0u64; 0]);
}

#[test]
fn of_a_name_that_meant_nothing_only_what_bears_the_whole_of_it_was_a_generation() {
    let other = Sibling { place: MarkPlace::Inserted, ..sibling(2, 2, 500, 500) };
    let siblings = [sibling(1, 1, 400, 400), other];
    let between = Between { last: None, found_in: None, looked: Some(at(300)), live: Some(file(9, 900)), known: &[] };
    assert_eq!(inodes(&siblings, &between), [1]);
    assert_eq!(inodes(&siblings, &Between { last: Some(file(8, 100)), ..between }), [1, 2]);
}

#[test]
fn without_times_of_birth_nothing_is_told() {
    let unborn = |inode| FileId { birth: None, ..file(inode, 0) };
    let siblings = [sibling(1, 3, 500, 600), Sibling { id: unborn(4), ..sibling(2, 4, 0, 700) }];
    let between =
        Between { last: Some(file(1, 100)), found_in: None, looked: None, live: Some(file(9, 900)), known: &[] };
    assert_eq!(inodes(&siblings, &between), [3]);
    assert_eq!(inodes(&siblings, &Between { last: Some(unborn(1)), ..between }), [0u64; 0]);
    assert_eq!(inodes(&siblings, &Between { live: Some(unborn(9)), ..between }), [0u64; 0]);
}

#[test]
fn generations_of_one_tick_are_put_into_order_by_their_numbers_as_others_count() {
    let last = file(1, 100);
    let between = Between { last: Some(last), found_in: None, looked: None, live: Some(file(9, 504)), known: &[] };
    // Each got the next number: the last one known has the lowest.
    let up = [sibling(3, 3, 500, 500), sibling(1, 1, 100, 500), sibling(10, 4, 500, 500), sibling(2, 2, 500, 504)];
    assert_eq!(inodes(&up, &between), [2, 3, 4]);
    // All were moved on each time: the last one known has the highest.
    let down = [sibling(3, 3, 500, 500), sibling(4, 1, 100, 500), sibling(1, 4, 500, 500), sibling(2, 2, 500, 500)];
    assert_eq!(inodes(&down, &between), [3, 2, 4]);
    // A copy that was moved on after the others goes against what most of them show.
    let copy = [sibling(3, 1, 100, 500), sibling(4, 8, 490, 490), sibling(2, 2, 500, 504), sibling(1, 3, 500, 500)];
    assert_eq!(inodes(&copy, &Between { known: &[file(8, 490)], ..between }), [2, 3]);
    // The last one known was copied away and cut again and again before it was renamed, and others were born, all
    // within one tick.
    let copies = [sibling(4, 5, 500, 500), sibling(5, 6, 500, 500), sibling(6, 7, 500, 500)];
    let rotated = [sibling(1, 4, 500, 500), sibling(2, 3, 500, 500), sibling(3, 1, 100, 500)];
    let known = [file(5, 500), file(6, 500), file(7, 500)];
    let all = [copies.as_slice(), &rotated].concat();
    assert_eq!(inodes(&all, &Between { known: &known, ..between }), [3, 4]);
    // All are of the tick of the last one known, which shows it.
    let last = file(1, 500);
    let of_one_tick = Between { last: Some(last), ..between };
    let up = [sibling(3, 4, 500, 500), sibling(1, 1, 500, 500), sibling(2, 3, 500, 500)];
    assert_eq!(inodes(&up, &of_one_tick), [3, 4]);
    let down = [sibling(2, 3, 500, 500), sibling(3, 1, 500, 500), sibling(1, 4, 500, 500)];
    assert_eq!(inodes(&down, &of_one_tick), [3, 4]);
    // Nothing shows how they count: by their last writes, then as most rotators count.
    let unknown = [sibling(3, 3, 500, 500), sibling(2, 2, 500, 500), sibling(4, 4, 500, 508)];
    assert_eq!(inodes(&unknown, &between), [3, 2, 4]);
}

/// The same, compressed: the birth is that of the compressed file.
fn packed(mark: u64, inode: u64, birth: u64, modified: u64) -> Sibling {
    Sibling { form: Form::Packed, ..sibling(mark, inode, birth, modified) }
}

#[test]
fn what_was_compressed_between_two_looks_is_put_where_it_was_written_last() {
    let between = Between {
        last: Some(file(1, 100)),
        found_in: None,
        looked: Some(at(1150)),
        live: Some(file(9, 900)),
        known: &[],
    };
    // 3 was compressed after 4 had come, and 5 after the live one.
    let siblings = [packed(3, 3, 750, 600), sibling(2, 4, 610, 700), packed(1, 5, 950, 890), packed(4, 2, 760, 120)];
    assert_eq!(inodes(&siblings, &between), [3, 4, 5], "2 was written last before the last look");
    assert_eq!(inodes(&siblings, &Between { live: None, known: &[file(3, 750)], ..between }), [4, 5]);
    // Somebody still wrote to 3 when 4, which nobody wrote to, had come: the numbers tell, where others show how.
    let late = [packed(3, 3, 750, 620), sibling(2, 4, 610, 610), sibling(1, 5, 700, 700)];
    assert_eq!(inodes(&late, &between), [3, 4, 5]);
    // Dates count up, and say nothing of numbers of another kind.
    let dates = [packed(20_261_119, 3, 650, 600), packed(20_261_120, 4, 750, 700), sibling(1, 5, 800, 800)];
    assert_eq!(inodes(&dates, &between), [3, 4, 5]);
}

#[test]
fn what_is_older_than_the_last_one_by_its_number_was_no_generation_since() {
    // The times of the compressed ones are those of their compression, some of them in whole seconds.
    let siblings =
        [packed(4, 3, 960, 970), sibling(3, 1, 100, 200), sibling(2, 4, 500, 600), sibling(1, 9, 900, 900)];
    let between =
        Between { last: Some(file(1, 100)), found_in: None, looked: None, live: Some(file(9, 900)), known: &[] };
    assert_eq!(inodes(&siblings, &between), [4]);
    assert_eq!(unseen(&siblings, &between).len(), 1);
    // Without the others nothing tells how these numbers count.
    assert_eq!(inodes(&siblings[..2], &between), [0u64; 0]);
    assert_eq!(unseen(&siblings[..2], &between), [(&siblings[0], Certainty::Doubtful)]);
    let whole = Sibling { modified: at(0), ..packed(2, 4, 650, 0) };
    assert_eq!(inodes(&[whole], &between), [4], "written within this second");
    assert_eq!(inodes(&[packed(2, 4, 650, 1)], &between), [0u64; 0]);
}

#[test]
fn neighbours_of_one_tick_are_kept_out_by_the_order() {
    // All of one tick, counting down: 3 was before the last one, 1 has followed the live one already.
    let siblings = [sibling(5, 5, 100, 100), sibling(4, 3, 500, 500), sibling(3, 1, 500, 500)];
    let more = [sibling(2, 2, 500, 500), sibling(1, 9, 500, 500), sibling(0, 7, 500, 500)];
    let all = [siblings.as_slice(), &more].concat();
    let between =
        Between { last: Some(file(1, 500)), found_in: None, looked: None, live: Some(file(9, 500)), known: &[] };
    assert_eq!(inodes(&all, &Between { known: &[file(3, 500)], ..between }), [2]);
}
