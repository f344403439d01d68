//! What became of the lines that were written.

use crate::log;

/// How many lines did not come out once, whole and in the order of their stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Never came out whole.
    pub(crate) lost: u64,
    /// Came out again.
    pub(crate) repeated: u64,
    /// Pieces between newlines that are no line that was written.
    pub(crate) torn: u64,
    /// Came out after a later one.
    pub(crate) reordered: u64,
}

impl Account {
    /// Compares output with what was written: for each stream, how many lines of this length.
    pub(crate) fn new(output: &[u8], length: usize, written: &[u64]) -> Self {
        let mut account = Self::default();
        let streams = written.iter().enumerate();
        let mut streams: Vec<Stream> = streams.map(|(at, &lines)| Stream::new(at, length, lines)).collect();
        for line in output.split_inclusive(|&byte| byte == b'\n') {
            let claim = log::parse(line).and_then(|(at, number)| Some((streams.get_mut(at)?, number)));
            if !claim.is_some_and(|(stream, number)| stream.take(number, line, &mut account)) {
                account.torn += 1;
            }
        }
        account.lost = streams.iter().flat_map(|stream| &stream.seen).filter(|&&seen| !seen).count() as u64;
        account
    }
}

/// What was seen of one stream.
struct Stream {
    /// A line as it must be, whatever number it had last.
    line: Vec<u8>,
    seen: Vec<bool>,
    /// The number after the highest one seen.
    next: u64,
}

impl Stream {
    fn new(at: usize, length: usize, lines: u64) -> Self {
        let seen = vec![false; usize::try_from(lines).unwrap_or(usize::MAX)];
        Self { line: log::blank(at, length), seen, next: 0 }
    }

    /// Takes a line that claims this number; false if it isn't that line.
    fn take(&mut self, number: u64, line: &[u8], account: &mut Account) -> bool {
        log::number(&mut self.line, number);
        let seen = usize::try_from(number).ok().and_then(|at| self.seen.get_mut(at));
        let Some(seen) = seen.filter(|_| self.line == line) else { return false };
        if std::mem::replace(seen, true) {
            account.repeated += 1;
        } else if number < self.next {
            account.reordered += 1;
        }
        self.next = self.next.max(number + 1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(lines: &[(usize, u64)]) -> Vec<u8> {
        let line = |&(stream, number)| {
            let mut line = log::blank(stream, 40);
            log::number(&mut line, number);
            line
        };
        lines.iter().flat_map(line).collect()
    }

    #[test]
    fn each_way_to_fail_is_counted_as_what_it_is() {
        let perfect = output(&[(0, 0), (1, 0), (0, 1), (0, 2), (1, 1)]);
        assert_eq!(Account::new(&perfect, 40, &[3, 2]), Account::default());

        let lost = Account { lost: 2, ..Account::default() };
        assert_eq!(Account::new(&output(&[(0, 0), (0, 3)]), 40, &[4]), lost);

        let repeated = Account { repeated: 1, ..Account::default() };
        assert_eq!(Account::new(&output(&[(0, 0), (0, 1), (0, 0)]), 40, &[2]), repeated);

        let reordered = Account { reordered: 1, ..Account::default() };
        assert_eq!(Account::new(&output(&[(0, 0), (0, 2), (0, 1)]), 40, &[3]), reordered);

        let mut torn = output(&[(0, 0), (0, 1)]);
        torn.remove(60);
        assert_eq!(Account::new(&torn, 40, &[2]), Account { torn: 1, lost: 1, ..Account::default() });
    }

    #[test]
    fn what_was_never_written_is_torn() {
        assert_eq!(Account::new(&output(&[(0, 0), (7, 0), (0, 9)]), 40, &[1]).torn, 2);
    }
}
