//! What is typed on the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::rows::{ROWS, Row};

/// Measures rtail side by side with the `tail`s of this machine. A row is named whole or by how its name begins
/// (`hot` is all hot writers); without any, all are run.
#[derive(Debug, clap::Parser)]
#[command(after_help = list())]
pub(crate) struct Arguments {
    /// The rows to run
    #[arg(value_name = "ROW")]
    names: Vec<String>,

    /// How often each program plays each row; programs take turns
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,

    /// About how long a live row writes; quiet ones are watched for five times as long
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    pub(crate) seconds: Duration,

    /// How much the bulk rows print, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) size: u64,

    /// Another program to compare with; it is to understand what `tail` or `rtail` does
    #[arg(long, value_name = "PATH")]
    pub(crate) against: Vec<PathBuf>,

    /// The rtail to measure [default: this tree, built for release]
    #[arg(long, value_name = "PATH")]
    pub(crate) rtail: Option<PathBuf>,

    /// Where temporary files go [default: the system's place]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

impl Arguments {
    /// The rows that were asked for, in the order of the table.
    pub(crate) fn rows(&self) -> anyhow::Result<Vec<&'static Row>> {
        if let Some(unknown) = self.names.iter().find(|name| !ROWS.iter().any(|row| names(name, row))) {
            bail!("'{unknown}': no such row; `--help` lists them");
        }
        let wanted = |row: &&Row| self.names.is_empty() || self.names.iter().any(|name| names(name, row));
        Ok(ROWS.iter().filter(wanted).collect())
    }
}

/// Whether this is the row's name, or how it begins and no other row's name.
fn names(name: &str, row: &Row) -> bool {
    row.name == name || (row.name.starts_with(name) && ROWS.iter().all(|row| row.name != name))
}

fn seconds(text: &str) -> anyhow::Result<Duration> {
    let duration = Duration::try_from_secs_f64(text.parse()?).context("not a length of time")?;
    if duration.is_zero() {
        bail!("nothing can be measured in no time");
    }
    Ok(duration)
}

fn list() -> String {
    let width = ROWS.iter().map(|row| row.name.len()).max().unwrap_or(0);
    ROWS.iter().fold("Rows:".to_owned(), |list, row| format!("{list}\n  {:width$}  {}", row.name, row.about))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn rows(typed: &[&str]) -> anyhow::Result<Vec<&'static str>> {
        let arguments = Arguments::try_parse_from([&["rtail-bench"], typed].concat())?;
        Ok(arguments.rows()?.into_iter().map(|row| row.name).collect())
    }

    #[test]
    fn a_row_is_named_whole_or_by_its_beginning() {
        assert_eq!(rows(&[]).unwrap().len(), ROWS.len());
        assert_eq!(rows(&["idle-1"]).unwrap(), ["idle-1"]);
        assert_eq!(rows(&["last", "bulk-n"]).unwrap(), ["bulk-null", "last-10", "last-1000000"]);
        assert!(rows(&["nonsense"]).is_err());
        assert!(rows(&["--seconds", "0"]).is_err());
    }

    #[test]
    fn no_two_rows_have_one_name() {
        let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
