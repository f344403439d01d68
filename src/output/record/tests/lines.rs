use super::*;
use crate::output::dice::Dice;
use crate::tail::{Age, Data, Ending, SourceId};

const WHOLE: Ending = Ending::Line;

fn data(offset: u64, bytes: &[u8], ending: Ending) -> Data<'_> {
    let (source, path) = (SourceId(0), Path::new("app.log"));
    Data { source, path, file: FILE, run: 1, offset, bytes, ending, age: Age::Appended }
}

/// The records of a delivery, one by one, without what is the same in all of them and without their newlines.
fn encode(lines: &mut Lines, data: &Data<'_>) -> Vec<String> {
    let head = r#"{"type":"line","path":"app.log","file_id":"7ff65801b879b56d","#;
    let mut out = Vec::new();
    let mut records = Vec::new();
    for line in lines.of(data) {
        let begin = out.len();
        let length = line.encode(&mut out);
        assert_eq!(begin + length, out.len());
        let record = str::from_utf8(&out[begin..]).unwrap();
        records.push(record.strip_prefix(head).unwrap().strip_suffix("}\n").unwrap().to_owned());
    }
    records
}

fn parsed(line: &str) -> String {
    let records = encode(&mut Lines::new(Parse::Json), &data(0, line.as_bytes(), Ending::Unterminated));
    let [record] = &records[..] else { panic!("{records:?}") };
    record.split_once(r#""unterminated":true,"#).unwrap().1.to_owned()
}

#[test]
fn a_line_is_a_record() {
    let mut out = Vec::new();
    let mut lines = Lines::new(Parse::Nothing);
    let line = lines.of(&data(100, b"hello\r\n", WHOLE)).next().unwrap();
    assert_eq!((line.bytes, line.offset, line.next_offset, line.piece), (b"hello\r".as_slice(), 100, 107, None));
    line.encode(&mut out);
    let expected = concat!(
        r#"{"type":"line","path":"app.log","file_id":"7ff65801b879b56d","offset":100,"next_offset":107,"#,
        r#""text":"hello\r"}"#,
        "\n"
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn each_line_of_a_delivery_is_a_record_and_bytes_that_are_no_text_are_in_base64() {
    let records = encode(&mut Lines::new(Parse::Nothing), &data(5, b"a\"\n\nb\xff\nc\0\n", WHOLE));
    assert_eq!(
        records,
        [
            r#""offset":5,"next_offset":8,"text":"a\"""#,
            r#""offset":8,"next_offset":9,"text":"""#,
            r#""offset":9,"next_offset":12,"bytes_base64":"Yv8=""#,
            r#""offset":12,"next_offset":15,"text":"c\u0000""#,
        ]
    );
}

#[test]
fn an_over_long_line_comes_in_marked_pieces() {
    let mut lines = Lines::new(Parse::Nothing);
    assert_eq!(
        encode(&mut lines, &data(0, b"aa", Ending::Piece)),
        [r#""offset":0,"next_offset":2,"text":"aa","piece":"first""#]
    );
    assert_eq!(
        encode(&mut lines, &data(2, b"bb", Ending::Piece)),
        [r#""offset":2,"next_offset":4,"text":"bb","piece":"middle""#]
    );
    assert_eq!(
        encode(&mut lines, &data(4, b"c\nd\n", WHOLE)),
        [r#""offset":4,"next_offset":6,"text":"c","piece":"last""#, r#""offset":6,"next_offset":8,"text":"d""#]
    );
}

#[test]
fn the_newline_of_an_over_long_line_may_come_alone() {
    let mut lines = Lines::new(Parse::Nothing);
    encode(&mut lines, &data(0, b"aa", Ending::Piece));
    assert_eq!(
        encode(&mut lines, &data(2, b"\n\n", WHOLE)),
        [r#""offset":2,"next_offset":3,"text":"","piece":"last""#, r#""offset":3,"next_offset":4,"text":"""#]
    );
}

#[test]
fn a_line_without_its_newline_is_marked_behind_pieces_too() {
    let mut lines = Lines::new(Parse::Nothing);
    let expected = r#""offset":0,"next_offset":1,"text":"a","unterminated":true"#;
    assert_eq!(encode(&mut lines, &data(0, b"a", Ending::Unterminated)), [expected]);
    encode(&mut lines, &data(1, b"b", Ending::Piece));
    let expected = r#""offset":2,"next_offset":3,"text":"c","piece":"last","unterminated":true"#;
    assert_eq!(encode(&mut lines, &data(2, b"c", Ending::Unterminated)), [expected]);
}

#[test]
fn pieces_of_one_file_are_not_continued_by_another_nor_by_a_new_run_nor_by_the_same_file_under_another_name() {
    let mut lines = Lines::new(Parse::Nothing);
    encode(&mut lines, &data(0, b"aa", Ending::Piece));
    let whole = [r#""offset":2,"next_offset":4,"text":"b""#];
    assert_eq!(encode(&mut lines, &Data { run: 2, ..data(2, b"b\n", WHOLE) }), whole);
    assert_eq!(encode(&mut lines, &Data { source: SourceId(1), ..data(2, b"b\n", WHOLE) }), whole);
    let last = [r#""offset":2,"next_offset":4,"text":"b","piece":"last""#];
    assert_eq!(encode(&mut lines, &data(2, b"b\n", WHOLE)), last);
}

#[test]
fn pieces_are_continued_behind_a_cut_unless_it_took_the_whole_line() {
    let mut lines = Lines::new(Parse::Nothing);
    encode(&mut lines, &data(8, b"aaaa", Ending::Piece));
    encode(&mut lines, &data(12, b"aaaa", Ending::Piece));
    let last = [r#""offset":10,"next_offset":12,"text":"b","piece":"last""#];
    assert_eq!(encode(&mut lines, &data(10, b"b\n", WHOLE)), last);
    encode(&mut lines, &data(14, b"aaaa", Ending::Piece));
    let whole = [r#""offset":14,"next_offset":16,"text":"b""#];
    assert_eq!(encode(&mut lines, &data(14, b"b\n", WHOLE)), whole);
}

#[test]
fn nothing_is_no_line() {
    let mut lines = Lines::new(Parse::Nothing);
    for ending in [WHOLE, Ending::Unterminated, Ending::Piece] {
        assert!(lines.of(&data(0, b"", ending)).next().is_none());
    }
    assert_eq!(encode(&mut lines, &data(0, b"a\n", WHOLE)), [r#""offset":0,"next_offset":2,"text":"a""#]);
}

#[test]
fn objects_are_given_as_they_stand() {
    assert_eq!(parsed(r#" {"b" : 1.50,"a":"\u00e9","b":2} "#), r#""fields":{"b" : 1.50,"a":"\u00e9","b":2}"#);
    assert_eq!(parsed("{\"a\":\r1}\r"), r#""fields":{"a": 1}"#);
    assert_eq!(parsed("{}"), r#""fields":{}"#);
}

#[test]
fn what_is_no_object_is_text_with_a_reason() {
    assert_eq!(parsed("[1]"), r#""parse_error":"not an object""#);
    assert_eq!(parsed(r#"{"a":"#), r#""parse_error":"EOF while parsing a value at line 1 column 5""#);
    let records = encode(&mut Lines::new(Parse::Json), &data(0, b"\n{\"\xff\":1}\n", WHOLE));
    assert_eq!(
        records,
        [
            r#""offset":0,"next_offset":1,"text":"","parse_error":"EOF while parsing a value at line 1 column 0""#,
            concat!(
                r#""offset":1,"next_offset":9,"bytes_base64":"eyL/IjoxfQ==","#,
                r#""parse_error":"invalid utf-8 sequence of 1 bytes from index 2""#
            ),
        ]
    );
}

#[test]
fn pieces_are_not_parsed() {
    let mut lines = Lines::new(Parse::Json);
    let first = r#""offset":0,"next_offset":2,"text":"{}","piece":"first","parse_error":"part of a line""#;
    assert_eq!(encode(&mut lines, &data(0, b"{}", Ending::Piece)), [first]);
    let last = r#""offset":2,"next_offset":5,"text":"{}","piece":"last","parse_error":"part of a line""#;
    assert_eq!(encode(&mut lines, &data(2, b"{}\n", WHOLE)), [last]);
}

/// What files are put together from: all that could upset a line, a string or a parser.
const BITS: [&[u8]; 22] = [
    b"\n",
    b"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\x1b[31m",
    b"\x7f",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    "\u{2028}\u{2029}\u{85}\u{feff}".as_bytes(),
    "é🦀".as_bytes(),
    b"plain text",
    b"\"\\/",
    b"\\n\\u0000",
    b"{\"a\":1}",
    b"\n{\"a\":[\"\\ud83e\\udd80\",{}],\"text\":null}\n",
    b"\n{\"a\":\r1}\r\n",
    b"\n{\"a\":\"\\ud800\"}\n",
    b"\n[1e999]\n",
    b"{",
];

/// Cuts a file into deliveries as the core does: whole lines, or parts of one line of which something, be it only its
/// newline, comes later; at the end a line without its newline.
fn cut(dice: &mut Dice, file: &[u8]) -> Vec<(usize, usize, Ending)> {
    let mut deliveries = Vec::new();
    let mut begin = 0;
    while begin < file.len() {
        let ends: Vec<usize> = (begin..file.len()).filter(|at| file[*at] == b'\n').map(|at| at + 1).collect();
        let line_end = ends.first().copied().unwrap_or(file.len());
        let longest_piece = line_end - begin - 1;
        let delivery = if longest_piece > 0 && dice.roll(3) == 0 {
            (begin, begin + 1 + dice.roll(longest_piece), Ending::Piece)
        } else if ends.is_empty() {
            (begin, file.len(), Ending::Unterminated)
        } else {
            (begin, ends[dice.roll(ends.len().min(4))], WHOLE)
        };
        deliveries.push(delivery);
        begin = delivery.1;
    }
    deliveries
}

/// What a reader makes of one file's records.
#[derive(Default)]
struct Reader {
    bytes: Vec<u8>,
    /// Whether the last record was a piece with more to come.
    within: bool,
}

impl Reader {
    fn read(&mut self, record: &str) {
        let json = record.strip_suffix('\n').unwrap();
        assert!(!json.contains(['\n', '\r']), "{json}");
        let record: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert_eq!(record["type"], "line");
        assert_eq!(record["offset"], self.bytes.len(), "{json}");
        let line = bytes(&record, "text", "bytes_base64");
        assert!(!line.contains(&b'\n'), "{json}");
        let piece = record.get("piece").map(|piece| piece.as_str().unwrap());
        assert_eq!(self.within, matches!(piece, Some("middle" | "last")), "{json}");
        self.within = matches!(piece, Some("first" | "middle"));
        let unterminated = record.get("unterminated").map(|value| assert_eq!(*value, true)).is_some();
        assert!(!(self.within && unterminated), "{json}");
        self.bytes.extend_from_slice(&line);
        if !self.within && !unterminated {
            self.bytes.push(b'\n');
        }
        assert_eq!(record["next_offset"], self.bytes.len(), "{json}");
        let object = str::from_utf8(&line).ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
        match object.filter(|value| value.is_object() && piece.is_none()) {
            Some(object) => assert_eq!(record["fields"], object, "{json}"),
            None => assert!(record["parse_error"].is_string() && record.get("fields").is_none(), "{json}"),
        }
    }
}

#[test]
fn whatever_is_in_two_files_and_however_they_are_cut_their_records_give_them_back() {
    let mut seen = [0; 3];
    for seed in 0..2000 {
        let mut dice = Dice(seed);
        let mut lines = Lines::new(Parse::Json);
        let files = [(); 2].map(|()| {
            let bits = dice.roll(30);
            (0..bits).flat_map(|_| BITS[dice.roll(BITS.len())]).copied().collect::<Vec<u8>>()
        });
        let mut deliveries = files.each_ref().map(|file| cut(&mut dice, file).into_iter());
        let mut readers = [Reader::default(), Reader::default()];
        let mut out = Vec::new();
        while deliveries.iter().any(|left| left.len() > 0) {
            let at = dice.roll(2);
            let Some((begin, end, ending)) = deliveries[at].next() else { continue };
            seen[ending as usize] += 1;
            let delivery = Data { source: SourceId(at), ..data(begin as u64, &files[at][begin..end], ending) };
            for line in lines.of(&delivery) {
                let before = out.len();
                let length = line.encode(&mut out);
                let record = str::from_utf8(&out[before..before + length]).unwrap();
                readers[at].read(record);
                assert_eq!(line.next_offset, readers[at].bytes.len() as u64, "seed {seed}");
            }
        }
        for (file, reader) in files.iter().zip(&readers) {
            assert_eq!(reader.bytes, *file, "seed {seed}");
        }
    }
    assert!(seen.iter().all(|count| *count > 300), "{seen:?}");
}
