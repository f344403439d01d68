//! The table: a line for each metric, a column for each program, and how rtail stands to what it must reach.

use std::fmt;

use crate::measure::Outcome;
use crate::metric::{Metric, Verdict, short};
use crate::peer::Peer;

/// What `Display` writes as Markdown.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    /// rtail first, then `tail`, which the others are compared with.
    pub(crate) peers: &'a [Peer],
    pub(crate) outcomes: &'a [Outcome],
}

impl Table<'_> {
    fn head(&self) -> Vec<String> {
        let mut head = vec!["row".to_owned(), "metric".to_owned()];
        head.extend(self.peers.iter().map(|peer| peer.label.clone()));
        let base = self.peers.get(1).map_or("", |peer| &peer.label);
        head.extend([format!("rtail / {base}"), "must".to_owned(), "aim".to_owned(), "reached".to_owned()]);
        head
    }

    fn lines(&self) -> Vec<Vec<String>> {
        let lines = self.outcomes.iter().flat_map(|outcome| {
            let metrics = outcome.row.metrics.iter().zip(&outcome.medians);
            metrics.map(|(metric, medians)| line(outcome.row.name, metric, medians))
        });
        std::iter::once(self.head()).chain(lines).collect()
    }
}

/// Cells of one metric. Programs beyond the first two have their ratio to `tail` behind their figure.
fn line(row: &str, metric: &Metric, medians: &[Option<f64>]) -> Vec<String> {
    let base = medians.get(1).copied().flatten();
    let ratio = |value: Option<f64>| ratio(value, base);
    let mut cells = vec![row.to_owned(), metric.name.to_owned()];
    for (at, &value) in medians.iter().enumerate() {
        let shown = value.map_or("-".to_owned(), |value| metric.unit.show(value));
        let beside = ratio(value).filter(|_| at > 1).map_or(String::new(), |ratio| format!(" ({}x)", short(ratio)));
        cells.push(shown + &beside);
    }
    let own = medians.first().copied().flatten();
    cells.push(ratio(own).map_or("-".to_owned(), |ratio| format!("{}x", short(ratio))));
    cells.extend(metric.goal.show(metric.unit));
    cells.push(
        match metric.goal.judge(own, ratio(own)) {
            Verdict::Aim => "aim",
            Verdict::Must => "must",
            Verdict::Missed => "MISSED",
            Verdict::Open => "-",
        }
        .to_owned(),
    );
    cells
}

/// How many times as much; nothing where one of the two is missing, or `tail` has nothing to divide by.
fn ratio(value: Option<f64>, base: Option<f64>) -> Option<f64> {
    let ratio = value? / base?;
    ratio.is_finite().then_some(ratio)
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> =
            (0..columns).map(|at| lines.iter().map(|line| line[at].len()).max().unwrap_or(0)).collect();
        for (at, line) in lines.iter().enumerate() {
            for (cell, width) in line.iter().zip(&widths) {
                write!(f, "| {cell:width$} ")?;
            }
            writeln!(f, "|")?;
            if at == 0 {
                widths.iter().try_for_each(|width| write!(f, "| {:-<width$} ", ""))?;
                writeln!(f, "|")?;
            }
        }
        for outcome in self.outcomes {
            for note in &outcome.notes {
                writeln!(f, "{}: {note}", outcome.row.name)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Goal, Unit};

    #[test]
    fn a_line_has_figures_ratios_and_a_verdict() {
        let metric = Metric::new("wall", Unit::Time, Goal::RatioUpTo(0.3, 0.2));
        let cells = line("bulk", &metric, &[Some(0.25), Some(1.0), Some(2.0)]);
        assert_eq!(
            cells,
            ["bulk", "wall", "250 ms", "1.00 s", "2.00 s (2.00x)", "0.25x", "<= 0.3x", "<= 0.2x", "must"]
        );
    }

    #[test]
    fn what_was_not_measured_or_never_came_is_not_judged_by_its_ratio() {
        let metric = Metric::new("level", Unit::Time, Goal::RatioUpTo(1.0, 1.0));
        assert_eq!(line("r", &metric, &[None, Some(1.0)])[2..], ["-", "1.00 s", "-", "<= 1x", "<= 1x", "-"]);
        assert_eq!(line("r", &metric, &[Some(0.0), Some(0.0)])[4], "-");
    }
}
