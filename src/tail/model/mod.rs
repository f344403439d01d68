//! The proof: the engine runs against a file system in memory, with a clock that stands still between its calls.
//!
//! A history is what writers, rotators and the follower do, made up from a seed, down to what happens between two
//! system calls of the follower (`op`, `world`, `seam`, `fs`). What comes out is kept (`follower`, `ledger`) and compared with
//! what was written (`oracle`). A history that fails is made as small as it can be and printed (`histories`).

mod follower;
mod fs;
mod histories;
mod ledger;
mod line;
mod op;
mod oracle;
mod seam;
mod world;

use std::ops::Range;
use std::time::Duration;

use self::histories::{History, Theme};
use self::op::{Fate, Op, Step};

/// How many histories of each theme are played, in the usual run of the tests and in a long one (`RTAIL_SOAK=1`, or the
/// seeds themselves: `RTAIL_SOAK=30000..60000`).
const USUAL: u64 = 2000;
const SOAK: u64 = 400_000;

fn seeds() -> Range<u64> {
    let Some(soak) = std::env::var("RTAIL_SOAK").ok() else { return 0..USUAL };
    let told = soak.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    told.unwrap_or(0..SOAK)
}

fn prove(theme: Theme) {
    let failed: Vec<_> = seeds().filter_map(|seed| History::of(seed, theme).check().err()).take(10).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn nothing_is_lost_where_files_are_renamed() {
    prove(Theme::Renames);
}

#[test]
fn nothing_is_lost_where_files_are_copied_and_emptied() {
    prove(Theme::Copies);
}

#[test]
fn nothing_is_lost_where_files_are_removed_and_replaced() {
    prove(Theme::Removals);
}

#[test]
fn nothing_is_lost_where_files_are_written_over() {
    prove(Theme::Rewrites);
}

#[test]
fn nothing_is_lost_where_the_follower_is_killed() {
    prove(Theme::Kills);
}

#[test]
fn nothing_is_lost_where_calls_fail() {
    prove(Theme::Faults);
}

#[test]
fn nothing_is_lost_where_files_are_cut_within() {
    prove(Theme::Cuts);
}

#[test]
fn nothing_is_lost_where_links_are_swapped() {
    prove(Theme::Links);
}

/// Plays one history that has failed before.
fn play(rotate_wait: u64, steps: &[(u32, Fate, Op)]) {
    let steps = steps.iter().map(|&(calls, fate, op)| Step { calls, fate, op }).collect();
    let rotate_wait = Duration::from_millis(rotate_wait);
    let history = History { seed: 0, rotate_wait, short_reads: false, polls: false, is_link: false, steps };
    if let Err(wrong) = history.play() {
        panic!("{wrong}\n{history:?}");
    }
}

mod regressions {
    use super::op::Fate::Told;
    use super::op::Op::{
        self, Append, Begin, BeginCopy, Copy, EndCopy, Look, Replace, Return, Rewrite, Rotate, Shorten, Take,
        Truncate,
    };
    use super::op::Style::Up;
    use super::op::To::Live;
    use super::{Duration, History, Step, play};

    #[test]
    fn a_run_of_which_nothing_was_read_is_announced_when_it_is_cut() {
        play(
            5000,
            &[
                (0, Told, Append(1, 8, Live)),
                (0, Told, Look),
                (1, Told, Rewrite),
                (0, Told, Look),
                (0, Told, Take(1)),
                (0, Told, Shorten(2)),
            ],
        );
    }

    #[test]
    fn what_is_recovered_from_a_copy_is_not_said_to_be_lost() {
        play(
            100,
            &[
                (0, Told, Append(1, 40, Live)),
                (8, Told, Copy(Up)),
                (0, Told, Truncate),
                (0, Told, Append(1, 8, Live)),
            ],
        );
    }

    #[test]
    fn a_copy_made_in_the_tick_in_which_its_original_was_born_repeats_nothing() {
        play(100, &[(0, Told, Append(1, 300, Live)), (0, Told, Copy(Up))]);
    }

    #[test]
    fn a_copy_of_which_little_was_read_at_once_is_known() {
        let steps = [Append(4, 8, Live), Take(2), Copy(Up), Truncate].map(|op| Step { calls: 0, fate: Told, op });
        for seed in 0..50 {
            let (rotate_wait, steps) = (Duration::from_millis(100), steps.to_vec());
            let history = History { seed, rotate_wait, short_reads: true, polls: false, is_link: false, steps };
            if let Err(wrong) = history.play() {
                panic!("seed {seed}: {wrong}");
            }
        }
    }

    #[test]
    fn a_copy_whose_number_puts_it_behind_its_original_is_read() {
        play(
            5000,
            &[
                (0, Told, Append(1, 8, Live)),
                (0, Told, Copy(Up)),
                (0, Told, Truncate),
                (4, Told, Rotate(Up)),
                (6, Told, Return),
                (0, Told, Look),
            ],
        );
    }

    #[test]
    fn a_file_that_is_emptied_while_it_is_found_shortened_is_read_from_its_beginning() {
        for calls in 0..12 {
            play(
                5000,
                &[
                    (0, Told, Append(3, 8, Live)),
                    (0, Told, Look),
                    (0, Told, Shorten(2)),
                    (calls, Told, Truncate),
                    (0, Told, Look),
                    (0, Told, Append(3, 8, Live)),
                    (0, Told, Look),
                    (0, Told, Begin),
                ],
            );
        }
    }

    /// A file is read, copied, emptied and written again between the same two calls.
    fn cut_between_two_calls(copy: Option<Op>, then: Op) {
        for calls in 1..14 {
            let cut = [copy, Some(Truncate), Some(then)].into_iter().flatten();
            let mut steps = vec![(0, Told, Append(1, 40, Live)), (0, Told, Look), (0, Told, Append(1, 8, Live))];
            steps.extend(cut.enumerate().map(|(index, op)| (if index == 0 { calls } else { 0 }, Told, op)));
            steps.push((0, Told, Look));
            play(100, &steps);
        }
    }

    #[test]
    fn what_was_written_behind_a_cut_is_not_said_to_be_lost() {
        for copy in [None, Some(Copy(Up))] {
            cut_between_two_calls(copy, Append(2, 40, Live));
            cut_between_two_calls(copy, Append(1, 8, Live));
        }
    }

    #[test]
    fn what_was_seen_and_cut_off_unread_is_said_to_be_lost() {
        for (calls, later) in (1..14).flat_map(|calls| (1..8).map(move |later| (calls, later))) {
            for then in [None, Some(Append(1, 8, Live)), Some(Append(9, 8, Live))] {
                let mut steps = vec![(0, Told, Append(1, 40, Live)), (0, Told, Look), (0, Told, Append(1, 8, Live))];
                steps.extend([(calls, Told, Append(3, 8, Live)), (later, Told, Truncate)]);
                steps.extend(then.map(|then| (0, Told, then)));
                steps.push((0, Told, Look));
                play(100, &steps);
            }
        }
    }

    /// Plays what happens to a file that is being looked at for the first time, between any two pairs of calls.
    fn between_any_calls(first: Op, then: Op, last: &[Op]) {
        for (calls, later) in (1..26).flat_map(|calls| (0..26).map(move |later| (calls, later))) {
            let mut steps = vec![(0, Told, Append(3, 8, Live)), (calls, Told, first), (later, Told, then)];
            steps.extend(last.iter().map(|op| (0, Told, *op)));
            steps.push((0, Told, Look));
            play(5000, &steps);
        }
    }

    #[test]
    fn what_is_copied_and_cut_between_any_calls_comes_once() {
        between_any_calls(BeginCopy(Up), EndCopy, &[Truncate]);
        between_any_calls(BeginCopy(Up), EndCopy, &[Truncate, Append(1, 8, Live)]);
        between_any_calls(Append(1, 8, Live), Copy(Up), &[Truncate]);
        between_any_calls(Append(1, 8, Live), Copy(Up), &[Truncate, Append(2, 40, Live)]);
        between_any_calls(Copy(Up), Truncate, &[Append(1, 8, Live)]);
    }

    #[test]
    fn what_is_cut_between_any_calls_is_announced() {
        between_any_calls(Append(1, 8, Live), Rewrite, &[]);
        between_any_calls(Append(1, 8, Live), Shorten(2), &[Append(1, 8, Live)]);
        between_any_calls(Truncate, Rotate(Up), &[]);
        between_any_calls(Rewrite, Replace(1), &[]);
    }
}
