//! The name that was meant by a misspelled one.

/// Of some names the one closest to what was typed, if it is close: a letter in three may be wrong, missing, too many
/// or swapped with its neighbour. A far guess is worse than none.
pub(super) fn closest(typed: &str, names: impl IntoIterator<Item = String>) -> Option<String> {
    let tolerated = (typed.chars().count() / 3).max(1);
    let near = names.into_iter().map(|name| (distance(typed, &name), name));
    near.filter(|(distance, _)| *distance <= tolerated).min().map(|(_, name)| name)
}

/// How many letters have to be changed, inserted, removed or swapped with their neighbour to turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
    // `rows[i][j]` is the distance of the first `i` letters of `a` from the first `j` of `b`.
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_close_name_is_offered() {
        let names = ["lines", "bytes", "follow", "retry", "quiet", "debug", "idle-timeout", "timeout", "no-follow"];
        for (typed, expected) in [
            ("lnes", Some("lines")),
            ("liens", Some("lines")),
            ("bites", Some("bytes")),
            ("quite", Some("quiet")),
            ("folow", Some("follow")),
            ("idle_timeout", Some("idle-timeout")),
            ("idel-timout", Some("idle-timeout")),
            ("timeuot", Some("timeout")),
            ("color", None),
            ("grep", None),
            ("zzz", None),
            ("n", None),
            ("", None),
        ] {
            assert_eq!(closest(typed, names.map(str::to_owned)).as_deref(), expected, "{typed:?}");
        }
    }

    #[test]
    fn a_distance_counts_mistakes_of_a_typist() {
        for (a, b, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("ab", "ba", 1), ("abc", "axc", 1), ("ca", "abc", 3)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a:?} {b:?}");
        }
    }
}
