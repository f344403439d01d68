//! The label that a line begins with: the name of its file, as short as it can be told from the others, in a column
//! and in a colour of its own.

use std::collections::HashMap;
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use unicode_width::UnicodeWidthStr;

use crate::output::colour::{self, Colour, RESET};
use crate::quote::quote_if_needed;

/// Which part of a name is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As much of its end as no other name has.
    Shortest,
    /// All of it.
    Path,
}

/// The labels of all files.
#[derive(Debug)]
pub(crate) struct Labels {
    form: Form,
    colour: Colour,
    names: HashMap<PathBuf, Hue>,
    /// How many names end so, for every end of every name.
    ends: HashMap<PathBuf, usize>,
    /// How many names have each hue.
    hues: [usize; colour::LABELS],
    /// How wide the widest label was so far. A column that became narrower again would only be restless.
    width: usize,
    /// Labels as they are written, as long as they are valid.
    written: HashMap<PathBuf, Vec<u8>>,
}

/// The number of a label's colour.
type Hue = usize;

impl Labels {
    /// Labels for these names and for whatever others will be asked for.
    pub(crate) fn new<'a>(form: Form, colour: Colour, names: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut labels = Self {
            form,
            colour,
            names: HashMap::new(),
            ends: HashMap::new(),
            hues: [0; colour::LABELS],
            width: 0,
            written: HashMap::new(),
        };
        names.into_iter().for_each(|name| labels.add(name));
        labels.width = labels.names.keys().map(|name| labels.text(name).width()).max().unwrap_or(0);
        labels
    }

    /// What a line of this file begins with.
    pub(crate) fn of(&mut self, name: &Path) -> &[u8] {
        if !self.names.contains_key(name) {
            self.add(name);
        }
        if !self.written.contains_key(name) {
            let text = self.text(name);
            if text.width() > self.width {
                self.width = text.width();
                self.written.clear();
            }
            self.written.insert(name.to_owned(), self.write(name, &text));
        }
        &self.written[name]
    }

    /// Nothing more will come of this file. Its label, if it is asked for again, may have another colour.
    pub(crate) fn forget(&mut self, name: &Path) {
        let Some(hue) = self.names.remove(name) else { return };
        self.hues[hue] -= 1;
        for end in ends(name) {
            if let Some(count) = self.ends.get_mut(end) {
                *count -= 1;
                if *count == 0 {
                    self.ends.remove(end);
                }
            }
        }
        self.written.clear();
    }

    fn add(&mut self, name: &Path) {
        if self.names.contains_key(name) {
            return;
        }
        let hue = self.hue(name);
        self.hues[hue] += 1;
        self.names.insert(name.to_owned(), hue);
        for end in ends(name) {
            *self.ends.entry(end.to_owned()).or_default() += 1;
        }
        // Others may need more of their names now.
        self.written.clear();
    }

    /// The same for the same name in every run, unless another has it and there are others.
    fn hue(&self, name: &Path) -> Hue {
        let least = self.hues.iter().min();
        let first = fnv1a(name.as_os_str().as_bytes()) as usize % self.hues.len();
        let in_turn = (first..self.hues.len()).chain(0..first);
        in_turn.into_iter().find(|hue| Some(&self.hues[*hue]) == least).unwrap_or(first)
    }

    fn text(&self, name: &Path) -> String {
        let shown = match self.form {
            Form::Path => name,
            Form::Shortest => ends(name).take_while(|end| self.ends.get(*end) == Some(&1)).last().unwrap_or(name),
        };
        quote_if_needed(shown)
    }

    fn write(&self, name: &Path, text: &str) -> Vec<u8> {
        let padding = self.width - text.width();
        let column = format!("{text}{:padding$} |", "");
        match self.colour {
            Colour::Off => [column.as_bytes(), b" "].concat(),
            Colour::On => [&colour::label(self.names[name]), column.as_bytes(), RESET, b" "].concat(),
        }
    }
}

/// The ends of a name, whole components, the longest first.
fn ends(name: &Path) -> impl Iterator<Item = &Path> {
    let components = iter::successors(Some(name.components()), |components| {
        let mut rest = components.clone();
        rest.next().map(|_| rest)
    });
    components.map(|components| components.as_path()).take_while(|end| !end.as_os_str().is_empty())
}

/// A hash that stays the same from release to release (Fowler, Noll and Vo).
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The labels, without their bars, that files of these names have.
    fn labels(form: Form, names: &[&str]) -> Vec<String> {
        let paths = || names.iter().map(Path::new);
        let mut labels = Labels::new(form, Colour::Off, paths());
        paths().map(|name| String::from_utf8(labels.of(name).to_vec()).unwrap().replace(" | ", "")).collect()
    }

    #[test]
    fn a_label_is_the_shortest_end_that_no_other_name_has() {
        let rows: [(&[&str], &[&str]); 7] = [
            (&["app.log"], &["app.log"]),
            (&["/var/log/app.log"], &["app.log"]),
            (&["a/app.log", "b/app.log"], &["a/app.log", "b/app.log"]),
            (&["x/a/app.log", "y/b/app.log", "z/db.log"], &["a/app.log", "b/app.log", "db.log   "]),
            (&["x/a/app.log", "y/a/app.log"], &["x/a/app.log", "y/a/app.log"]),
            // Part of another name, and the same name twice.
            (&["app.log", "logs/app.log"], &["app.log     ", "logs/app.log"]),
            (&["app.log", "app.log"], &["app.log", "app.log"]),
        ];
        for (names, expected) in rows {
            assert_eq!(labels(Form::Shortest, names), expected);
        }
        assert_eq!(labels(Form::Path, &["/var/log/app.log", "db.log"]), ["/var/log/app.log", "db.log          "]);
    }

    #[test]
    fn columns_are_as_wide_as_they_look() {
        assert_eq!(labels(Form::Shortest, &["世界.log", "ä.log", "app.log"]), ["世界.log", "ä.log   ", "app.log "]);
    }

    #[test]
    fn a_name_can_do_nothing_to_a_terminal() {
        assert_eq!(labels(Form::Shortest, &["\x1b[31m\n.log"]), [r"''$'\033''[31m'$'\n''.log'"]);
    }

    #[test]
    fn a_later_file_makes_others_longer_and_never_narrower() {
        let (app, other) = (Path::new("a/app.log"), Path::new("b/app.log"));
        let mut labels = Labels::new(Form::Shortest, Colour::Off, [app]);
        assert_eq!(labels.of(app), b"app.log | ");
        assert_eq!(labels.of(other), b"b/app.log | ");
        assert_eq!(labels.of(app), b"a/app.log | ");
        labels.forget(other);
        assert_eq!(labels.of(app), b"app.log   | ");
    }

    #[test]
    fn a_label_is_coloured_up_to_its_bar() {
        let mut labels = Labels::new(Form::Shortest, Colour::On, []);
        let written = labels.of(Path::new("a.log")).to_vec();
        assert!(written.starts_with(b"\x1b[38;5;") && written.ends_with(b"ma.log |\x1b[0m "), "{written:?}");
    }

    #[test]
    fn files_have_colours_of_their_own_while_there_are_some() {
        let names: Vec<_> = (0..colour::LABELS).map(|number| PathBuf::from(format!("{number}.log"))).collect();
        let mut labels = Labels::new(Form::Shortest, Colour::On, []);
        let mut begins: Vec<_> =
            names.iter().map(|name| labels.of(name).split(|byte| *byte == b'm').next().unwrap().to_vec()).collect();
        // The first one has the colour that it has in every run.
        assert_eq!(begins[0], Labels::new(Form::Shortest, Colour::On, []).of(&names[0])[..begins[0].len()]);
        begins.sort_unstable();
        begins.dedup();
        assert_eq!(begins.len(), colour::LABELS);
    }
}
