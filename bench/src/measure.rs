//! Plays a row with all programs in turns and takes medians.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::peer::{Peer, Show};
use crate::rows::{Cast, Row};
use crate::stage::Stage;

/// How rows are played.
#[derive(Debug)]
pub(crate) struct Series<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) peers: &'a [Peer],
    pub(crate) runs: u32,
    pub(crate) interrupted: &'a AtomicBool,
}

/// What a row brought.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) row: &'static Row,
    /// For each metric, and in it for each peer, the median; `None` where nothing was measured.
    pub(crate) medians: Vec<Vec<Option<f64>>>,
    /// What went wrong, or why nothing was measured.
    pub(crate) notes: Vec<String>,
}

impl Series<'_> {
    /// Plays a row: A B A B, so that what disturbs the machine disturbs all alike. `None` when interrupted.
    pub(crate) fn measure(&self, row: &'static Row) -> Option<Outcome> {
        let mut samples: Vec<Vec<Vec<f64>>> = vec![vec![Vec::new(); self.peers.len()]; row.metrics.len()];
        let mut notes = Vec::new();
        if row.show != Show::All
            && let Some(peer) = self.peers.iter().find(|peer| !peer.can_filter())
        {
            notes.push(format!("left out: {} has no --grep", peer.label));
            return Some(Outcome { row, medians: medians(samples), notes });
        }
        // Progress is for whoever waits; that it can't be told changes nothing.
        let _ = writeln!(std::io::stderr(), "{}: {}", row.name, row.about);
        let (runs, cast) = match row.cast {
            Cast::All => (self.runs, self.peers),
            // rtail stands first.
            Cast::Rtail => (1, &self.peers[..self.peers.len().min(1)]),
        };
        for run in 1..=runs {
            for (at, peer) in cast.iter().enumerate() {
                if self.interrupted.load(Ordering::Relaxed) {
                    return None;
                }
                match (row.sample)(self.stage, peer) {
                    Ok(values) => samples.iter_mut().zip(values).for_each(|(metric, value)| metric[at].push(value)),
                    Err(error) => notes.push(format!("{}, run {run}: {error:#}", peer.label)),
                }
            }
        }
        Some(Outcome { row, medians: medians(samples), notes })
    }
}

fn medians(samples: Vec<Vec<Vec<f64>>>) -> Vec<Vec<Option<f64>>> {
    samples.into_iter().map(|metric| metric.into_iter().map(median).collect()).collect()
}

/// The value in the middle; of the two in the middle, the mean.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    // The mean of two values that never came is no number.
    Some(if lower.total_cmp(&upper).is_eq() { upper } else { f64::midpoint(lower, upper) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![f64::INFINITY, 1.0, f64::INFINITY]), Some(f64::INFINITY));
        assert_eq!(median(vec![f64::INFINITY, f64::INFINITY]), Some(f64::INFINITY));
    }
}
