//! Options as GNU's `getopt_long` reads them, over a clap definition.
//!
//! clap has rules of its own: an abbreviation that fits two options is an unknown one, `-n -5` needs permission,
//! `-n=5` means 5, messages have other words. So the arguments are read here first, by GNU's rules and with the
//! definition's names, and spelled so that clap has nothing to decide: long names in full, values after `=`,
//! operands after `--`.
//!
//! Not here: values. That `x` is no number of lines is found when clap hands it to its parser.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::slice;

use clap::{Arg, Command};

use super::complaint::Complaint;
use super::{old_form, similar};

/// Where options may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Before, between and after operands.
    Any,
    /// Before the first operand only: for commands that have commands, and for `POSIXLY_CORRECT`.
    OptionsFirst,
}

/// Where `-5f` and its like may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OldForms {
    /// Nowhere: there are no options that they could stand for.
    Nowhere,
    /// Only alone, as GNU has it: there [`old_form`] has rewritten them, elsewhere they are mistakes.
    Alone,
    /// Wherever an option may: no option is a digit, so nothing else can be meant.
    Anywhere,
}

/// A command line as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The options up to the first mistake, in canonical spelling.
    pub(super) options: Vec<OsString>,
    /// The operands, as typed.
    pub(super) operands: Vec<OsString>,
    /// What ended the reading. A wrong value before it, or `--help`, goes first: GNU acts on options as it reads.
    pub(super) mistake: Option<Mistake>,
}

/// What can't be read, and what is to be said of it.
#[derive(Debug)]
pub(super) enum Mistake {
    /// An option that the command does not have; another one may.
    Foreign(Complaint),
    /// An option that the command has, misused.
    Misuse(Complaint),
}

impl Mistake {
    /// The complaint; of a foreign option with the remedy, if there is one.
    pub(super) fn complaint(self, remedy: impl FnOnce() -> Option<String>) -> Complaint {
        match self {
            Self::Foreign(complaint) => complaint.with_hint(remedy()),
            Self::Misuse(complaint) => complaint,
        }
    }
}

impl From<Complaint> for Mistake {
    fn from(complaint: Complaint) -> Self {
        Self::Misuse(complaint)
    }
}

impl Line {
    /// The canonical line for clap, without the program's name, and the mistake that ended it.
    pub(super) fn into_parts(self) -> (Vec<OsString>, Option<Mistake>) {
        let mut arguments = self.options;
        arguments.push("--".into());
        arguments.extend(self.operands);
        (arguments, self.mistake)
    }
}

/// Reads `args`, which begin after the program's name, with the options of `command`, which has been built.
pub(super) fn read(command: &Command, order: Order, old_forms: OldForms, args: &[OsString]) -> Line {
    let mut reader = Reader { command, old_forms, line: Line::default(), rest: args.iter() };
    reader.line.mistake = reader.read(order).err();
    reader.line
}

/// Whether an option has a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Never,
    /// Only directly attached: `--follow=name`.
    Optional,
    Required,
}

struct Reader<'a> {
    command: &'a Command,
    old_forms: OldForms,
    line: Line,
    rest: slice::Iter<'a, OsString>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, order: Order) -> Result<(), Mistake> {
        while let Some(arg) = self.rest.next() {
            match arg.as_bytes() {
                b"--" => self.line.operands.extend(self.rest.by_ref().cloned()),
                [b'-', b'-', long @ ..] => self.read_long(long)?,
                [b'-', cluster @ ..] if !cluster.is_empty() => match self.old_form(arg) {
                    Some(options) => self.line.options.extend(options),
                    None => self.read_cluster(cluster)?,
                },
                _ => {
                    self.line.operands.push(arg.clone());
                    if order == Order::OptionsFirst {
                        self.line.operands.extend(self.rest.by_ref().cloned());
                    }
                }
            }
        }
        Ok(())
    }

    /// Ordinary options for an old form where it may stand.
    fn old_form(&self, arg: &OsStr) -> Option<Vec<OsString>> {
        (self.old_forms == OldForms::Anywhere).then(|| old_form::number(arg)).flatten()
    }

    fn options(&self) -> impl Iterator<Item = &'a Arg> + use<'a> {
        self.command.get_arguments().filter(|arg| !arg.is_positional())
    }

    /// Reads `--name`, `--name=value` or `--name value`, the dashes already taken off.
    fn read_long(&mut self, text: &[u8]) -> Result<(), Mistake> {
        let (name, attached) = match text.iter().position(|&b| b == b'=') {
            Some(at) => (&text[..at], Some(OsStr::from_bytes(&text[at + 1..]))),
            None => (text, None),
        };
        let (name, arg) = self.find_long(name, text)?;
        let value = match (value_of(arg), attached) {
            (Value::Never, Some(_)) => {
                let text = format!("option '--{name}' doesn't allow an argument");
                return Err(Complaint::with_pointer(text).into());
            }
            (Value::Required, None) => Some(self.next(&format!("option '--{name}' requires an argument"))?),
            (_, attached) => attached,
        };
        self.push(arg, None, value);
        Ok(())
    }

    /// Finds the option that `name` is or abbreviates; `text` is the name as typed, with its value.
    fn find_long(&self, name: &[u8], text: &[u8]) -> Result<(Cow<'a, str>, &'a Arg), Mistake> {
        let mut fitting: Vec<_> = self
            .options()
            .flat_map(|arg| long_names(arg).map(move |name| (name, arg)))
            .filter(|(full, _)| full.as_bytes().starts_with(name))
            .collect();
        fitting.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let Some(exact) = fitting.iter().position(|(full, _)| full.as_bytes() == name) {
            return Ok(fitting.swap_remove(exact));
        }

        let text = String::from_utf8_lossy(text);
        let Some((_, first)) = fitting.first() else {
            let complaint = Complaint::with_pointer(format!("unrecognized option '--{text}'"));
            return Err(Mistake::Foreign(complaint.with_hint(self.meant_by(name))));
        };
        if fitting.iter().any(|(_, arg)| arg.get_id() != first.get_id()) {
            let names: Vec<_> = fitting.iter().map(|(name, _)| format!("'--{name}'")).collect();
            let names = names.join(" ");
            let text = format!("option '--{text}' is ambiguous; possibilities: {names}");
            return Err(Complaint::with_pointer(text).into());
        }
        Ok(fitting.swap_remove(0))
    }

    /// Reads `-abc`, the dash already taken off: options without a value, up to one that takes the rest as its own.
    fn read_cluster(&mut self, cluster: &[u8]) -> Result<(), Mistake> {
        for (at, &byte) in cluster.iter().enumerate() {
            let letter = char::from(byte);
            let found = self.options().find(|arg| byte.is_ascii() && arg.get_short() == Some(letter));
            let arg = found.ok_or_else(|| Mistake::Foreign(self.unknown_short(&cluster[at..])))?;
            if value_of(arg) != Value::Required {
                self.push(arg, Some(letter), None);
                continue;
            }
            let value = match &cluster[at + 1..] {
                [] => self.next(&format!("option requires an argument -- '{letter}'"))?,
                attached => OsStr::from_bytes(attached),
            };
            self.push(arg, Some(letter), Some(value));
            break;
        }
        Ok(())
    }

    /// Takes the next argument as a value, whatever it looks like.
    fn next(&mut self, missing: &str) -> Result<&'a OsStr, Complaint> {
        self.rest.next().map(OsString::as_os_str).ok_or_else(|| Complaint::with_pointer(missing))
    }

    /// Adds an option in its canonical spelling: as typed without a value, since `-h` is less than `--help`, and
    /// by its long name with one.
    fn push(&mut self, arg: &Arg, typed_short: Option<char>, value: Option<&OsStr>) {
        let mut option = match (typed_short, arg.get_long()) {
            (Some(letter), _) if value.is_none() => OsString::from(format!("-{letter}")),
            (_, Some(name)) => OsString::from(format!("--{name}")),
            (_, None) => unreachable!("every option with a value has a long name"),
        };
        if let Some(value) = value {
            option.push("=");
            option.push(value);
        }
        self.line.options.push(option);
    }

    /// A guess at what was meant by an unknown long option.
    fn meant_by(&self, name: &[u8]) -> Option<String> {
        let names = self.options().filter(|arg| !arg.is_hide_set()).flat_map(long_names).map(Cow::into_owned);
        let meant = similar::closest(std::str::from_utf8(name).ok()?, names)?;
        Some(format!("did you mean '--{meant}'?"))
    }

    /// What to say of a letter that is no option, the first of `rest`.
    fn unknown_short(&self, rest: &[u8]) -> Complaint {
        let digits: String = rest.iter().take_while(|b| b.is_ascii_digit()).copied().map(char::from).collect();
        if let Some(digit) = digits.chars().next() {
            // A number, but not where the old form has it.
            let hint = (self.old_forms != OldForms::Nowhere).then(|| format!("use -n {digits}"));
            return Complaint::plain(format!("option used in invalid context -- {digit}")).with_hint(hint);
        }
        let shown = String::from_utf8_lossy(&rest[..1]);
        Complaint::with_pointer(format!("invalid option -- '{shown}'"))
    }
}

fn value_of(arg: &Arg) -> Value {
    match arg.get_num_args() {
        Some(number) if !number.takes_values() => Value::Never,
        Some(number) if number.min_values() == 0 => Value::Optional,
        _ => Value::Required,
    }
}

/// The long names of an option, without the dashes that all of them have.
///
/// A hidden option has one dash more, as GNU's own hidden ones have: `---disable-inotify`. clap can't define such a
/// name, so it is made here.
fn long_names(arg: &Arg) -> impl Iterator<Item = Cow<'_, str>> {
    let names = arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default());
    names.map(|name| if arg.is_hide_set() { Cow::Owned(format!("-{name}")) } else { Cow::Borrowed(name) })
}
