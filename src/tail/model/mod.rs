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

use std::time::Duration;

use self::histories::{History, Theme};
use self::op::{Fate, Op, Step};

/// How many histories of each theme are played, in the usual run of the tests and in a long one.
const USUAL: u64 = 2000;
const SOAK: u64 = 400_000;

fn prove(theme: Theme) {
    let seeds = if std::env::var_os("RTAIL_SOAK").is_some() { SOAK } else { USUAL };
    let failed: Vec<_> = (0..seeds).filter_map(|seed| History::of(seed, theme).check().err()).take(3).collect();
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

/// Plays one history that has failed before.
fn play(rotate_wait: u64, steps: &[(u32, Fate, Op)]) {
    let steps = steps.iter().map(|&(calls, fate, op)| Step { calls, fate, op }).collect();
    let rotate_wait = Duration::from_millis(rotate_wait);
    let history = History { seed: 0, rotate_wait, short_reads: false, polls: false, steps };
    if let Err(wrong) = history.play() {
        panic!("{wrong}");
    }
}

mod regressions {
    use super::op::Fate::Told;
    use super::op::Op::{Append, Begin, Copy, Look, Return, Rewrite, Rotate, Shorten, Take, Truncate};
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
            let history = History { seed, rotate_wait, short_reads: true, polls: false, steps };
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
}
