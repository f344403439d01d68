//! Follows the files named on the command line and shows each line with where it came from.
//!
//! `cargo run --example follow -- app.log`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it gets")]

use rtail::tail::{Event, Options, Start, Tail};

fn main() -> anyhow::Result<()> {
    let options = Options { start: Start::LastLines(3), ..Options::default() };
    let mut tail = Tail::new(options)?;
    for path in std::env::args_os().skip(1) {
        tail.follow(path);
    }
    while let Some(event) = tail.next()? {
        match event {
            Event::Data(data) => {
                let mut offset = data.offset;
                for line in data.bytes.split_inclusive(|&byte| byte == b'\n') {
                    print!("{} {offset}: {}", data.path.display(), String::from_utf8_lossy(line));
                    offset += line.len() as u64;
                }
            }
            other => eprintln!("{other:?}"),
        }
    }
    tail.join();
    Ok(())
}
