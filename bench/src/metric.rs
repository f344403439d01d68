//! What is measured of a row, in which unit, and how good it is to be.

/// One figure of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) goal: Goal,
}

impl Metric {
    pub(crate) const fn new(name: &'static str, unit: Unit, goal: Goal) -> Self {
        Self { name, unit, goal }
    }
}

/// What the figures of a metric count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds.
    Time,
    /// Bytes.
    Size,
    /// Megabytes delivered in a second of CPU time.
    Delivery,
    /// Occurrences.
    Count,
    /// Occurrences in a second.
    Frequency,
    /// Seconds of CPU time in a second.
    Share,
    /// How many times as much.
    Factor,
}

impl Unit {
    /// Writes a figure for people.
    pub(crate) fn show(self, value: f64) -> String {
        if !value.is_finite() {
            return "never".to_owned();
        }
        match self {
            Self::Time if value >= 1.0 => format!("{value:.2} s"),
            Self::Time if value >= 1e-3 || value == 0.0 => format!("{} ms", short(value * 1e3)),
            Self::Time => format!("{} us", short(value * 1e6)),
            Self::Size => format!("{} MiB", short(value / 1_048_576.0)),
            Self::Delivery => format!("{} MB/s", short(value)),
            Self::Count => format!("{value:.0}"),
            Self::Frequency => format!("{}/s", short(value)),
            Self::Share => format!("{} us/s", short(value * 1e6)),
            Self::Factor => short(value),
        }
    }
}

/// A number with two or three digits that count.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// How good a figure is to be: what it must reach, and what it aims at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At most so many times what `tail` takes.
    RatioUpTo(f64, f64),
    /// At least so many times what `tail` brings.
    RatioFrom(f64, f64),
    /// At most this, whatever `tail` takes.
    UpTo(f64, f64),
    /// None: shown because it explains others.
    None,
}

/// How a figure stands to its goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As good as it aims to be.
    Aim,
    /// As good as it must be.
    Must,
    /// Not good enough.
    Missed,
    /// There is nothing to be judged.
    Open,
}

impl Goal {
    /// Judges a figure, or its ratio to `tail`'s where that is what counts.
    pub(crate) fn judge(self, value: Option<f64>, ratio: Option<f64>) -> Verdict {
        let (judged, must, aim, better): (_, _, _, fn(f64, f64) -> bool) = match self {
            Self::RatioUpTo(must, aim) => (ratio, must, aim, |is, goal| is <= goal),
            Self::RatioFrom(must, aim) => (ratio, must, aim, |is, goal| is >= goal),
            Self::UpTo(must, aim) => (value, must, aim, |is, goal| is <= goal),
            Self::None => return Verdict::Open,
        };
        match judged {
            None => Verdict::Open,
            Some(is) if better(is, aim) => Verdict::Aim,
            Some(is) if better(is, must) => Verdict::Must,
            Some(_) => Verdict::Missed,
        }
    }

    /// Writes what must be reached and what is aimed at.
    pub(crate) fn show(self, unit: Unit) -> [String; 2] {
        match self {
            Self::RatioUpTo(must, aim) => [must, aim].map(|goal| format!("<= {goal}x")),
            Self::RatioFrom(must, aim) => [must, aim].map(|goal| format!(">= {goal}x")),
            Self::UpTo(must, aim) => [must, aim].map(|goal| format!("<= {}", unit.show(goal))),
            Self::None => [String::new(), String::new()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_judged_by_ratio_or_by_itself() {
        let up_to = Goal::RatioUpTo(2.0, 1.0);
        assert_eq!(
            [0.9, 1.5, 2.1].map(|ratio| up_to.judge(Some(9.0), Some(ratio))),
            [Verdict::Aim, Verdict::Must, Verdict::Missed]
        );
        let from = Goal::RatioFrom(4.0, 9.0);
        assert_eq!(
            [10.0, 5.0, 1.0].map(|ratio| from.judge(Some(0.0), Some(ratio))),
            [Verdict::Aim, Verdict::Must, Verdict::Missed]
        );
        assert_eq!(Goal::UpTo(0.0, 0.0).judge(Some(1.0), Some(0.1)), Verdict::Missed);
        assert_eq!(Goal::UpTo(5e-3, 1e-3).judge(Some(f64::INFINITY), None), Verdict::Missed);
        assert_eq!(up_to.judge(Some(1.0), None), Verdict::Open);
    }

    #[test]
    fn figures_are_written_in_the_size_people_read() {
        assert_eq!(Unit::Time.show(1.234), "1.23 s");
        assert_eq!(Unit::Time.show(0.0123), "12.3 ms");
        assert_eq!(Unit::Time.show(20.4e-6), "20.4 us");
        assert_eq!(Unit::Time.show(f64::INFINITY), "never");
        assert_eq!(Unit::Share.show(50e-6), "50.0 us/s");
        assert_eq!(Unit::Count.show(16_384.0), "16384");
    }
}
