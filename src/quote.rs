//! Names in messages and headers, quoted as GNU does.
//!
//! A name is bytes; what comes out is one line of text that a shell reads as that name again. This is gnulib's
//! "shell-escape" quoting as it works in a UTF-8 locale: printable characters of any script stay as they are, the
//! rest, bytes that are not UTF-8 included, is spelled in `$'…'`. Other locales are not looked at, so that a
//! message about a name is the same wherever it is written.
//!
//! Not here: deciding which names are shown, and what else is on the line.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Quotes a name for a message that has it between blanks: `cannot open 'app.log' for reading`.
#[must_use]
pub fn quote(name: impl AsRef<OsStr>) -> String {
    let name = name.as_ref().as_bytes();
    if name.contains(&b'\'') && pieces(name).all(Piece::is_plain_in_double_quotes) {
        // An apostrophe is common in names; this is the form that stays readable.
        return format!("\"{}\"", String::from_utf8_lossy(name));
    }
    let mut text = String::from("'");
    let mut escaping = false;
    for piece in pieces(name) {
        let form = piece.form();
        if matches!(form, Form::Escaped(_)) != escaping {
            text.push_str(if escaping { "''" } else { "'$'" });
            escaping = !escaping;
        }
        match form {
            Form::Escaped(escaped) => text.push_str(&escaped),
            Form::Plain('\'') => text.push_str("'\\''"),
            Form::Plain(c) => text.push(c),
        }
    }
    text.push('\'');
    text
}

/// Quotes a name only when a shell, or a reader of `name: message`, could misread it: `app.log: file truncated`.
#[must_use]
pub fn quote_if_needed(name: impl AsRef<OsStr>) -> String {
    let name = name.as_ref();
    if name.is_empty() || pieces(name.as_bytes()).any(Piece::needs_quotes) {
        quote(name)
    } else {
        name.to_string_lossy().into_owned()
    }
}

/// Quotes an argument for a usage error as GNU does outside UTF-8 locales: `invalid PID: 'x'`.
///
/// Unlike [`quote`], the result is for reading alone: it escapes with backslashes and means nothing to a shell.
#[must_use]
pub fn quote_argument(argument: impl AsRef<OsStr>) -> String {
    let mut text = String::from("'");
    for piece in pieces(argument.as_ref().as_bytes()) {
        match piece.form() {
            Form::Escaped(escaped) => text.push_str(&escaped),
            Form::Plain(c @ ('\'' | '\\')) => text.extend(['\\', c]),
            Form::Plain(c) => text.push(c),
        }
    }
    text.push('\'');
    text
}

/// One character of a name, or one byte of it that is not part of any.
#[derive(Clone, Copy)]
struct Piece {
    content: Content,
    is_first: bool,
    is_alone: bool,
}

#[derive(Clone, Copy)]
enum Content {
    Char(char),
    Byte(u8),
}

/// How a piece is written.
enum Form {
    /// As it is.
    Plain(char),
    /// As a backslash and what follows it.
    Escaped(String),
}

fn pieces(name: &[u8]) -> impl Iterator<Item = Piece> {
    let contents = name.utf8_chunks().flat_map(|chunk| {
        let chars = chunk.valid().chars().map(Content::Char);
        chars.chain(chunk.invalid().iter().copied().map(Content::Byte))
    });
    let is_alone = name.len() == 1;
    contents.enumerate().map(move |(index, content)| Piece { content, is_first: index == 0, is_alone })
}

impl Piece {
    fn form(self) -> Form {
        let c = match self.content {
            Content::Byte(byte) => return Form::Escaped(octal(byte)),
            Content::Char(c) => c,
        };
        let letter = match c {
            '\x07' => 'a',
            '\x08' => 'b',
            '\x0c' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\x0b' => 'v',
            _ if is_printable(c) => return Form::Plain(c),
            _ => return Form::Escaped(c.encode_utf8(&mut [0; 4]).bytes().map(octal).collect()),
        };
        Form::Escaped(format!("\\{letter}"))
    }

    /// Whether a name, because of this piece, can't stand bare on a line.
    fn needs_quotes(self) -> bool {
        match self.form() {
            Form::Plain('#' | '~') => self.is_first,
            Form::Plain('{' | '}') => self.is_alone,
            // The colon means nothing to a shell, but it ends the name in `name: message`.
            Form::Plain(c) => " !\"$&'()*;<=>?[\\^`|:".contains(c),
            Form::Escaped(_) => true,
        }
    }

    /// Whether this piece means itself between double quotes, in a shell and in C alike.
    fn is_plain_in_double_quotes(self) -> bool {
        match self.form() {
            Form::Plain('#' | '~') => self.is_first,
            Form::Plain('{' | '}') => self.is_alone,
            Form::Plain(c) => c.is_ascii_alphanumeric() || " %'+,-./:@]_".contains(c),
            Form::Escaped(_) => false,
        }
    }
}

/// Whether a character has a shape of its own. Code points that are not assigned yet count as printable: to know
/// them takes a table, and a terminal shows them harmlessly.
fn is_printable(c: char) -> bool {
    let line_or_paragraph_separator = matches!(c, '\u{2028}' | '\u{2029}');
    let not_a_character = matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe;
    !c.is_control() && !line_or_paragraph_separator && !not_a_character
}

fn octal(byte: u8) -> String {
    format!("\\{byte:03o}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name, its form when needed, and its form always; all but the colon's row are what GNU `ls` prints with
    /// `--quoting-style=shell-escape` and `shell-escape-always` in a UTF-8 locale.
    const NAMES: &[(&[u8], &str, &str)] = &[
        (b"app.log", "app.log", "'app.log'"),
        (b"", "''", "''"),
        (b"-", "-", "'-'"),
        (b"-x", "-x", "'-x'"),
        (b"a b", "'a b'", "'a b'"),
        (b"standard input", "'standard input'", "'standard input'"),
        // One apostrophe among harmless characters: double quotes.
        (b"it's", "\"it's\"", "\"it's\""),
        (b"a'b c", "\"a'b c\"", "\"a'b c\""),
        (b"'", "\"'\"", "\"'\""),
        (b"''", "\"''\"", "\"''\""),
        (b"a'@", "\"a'@\"", "\"a'@\""),
        (b"~'", "\"~'\"", "\"~'\""),
        // An apostrophe among others: out of the quotes and in again.
        (b"a'b$", "'a'\\''b$'", "'a'\\''b$'"),
        (b"a'\"b", "'a'\\''\"b'", "'a'\\''\"b'"),
        (b"a'~", "'a'\\''~'", "'a'\\''~'"),
        (b"'{", "''\\''{'", "''\\''{'"),
        (b"{'", "'{'\\'''", "'{'\\'''"),
        (b"'~", "''\\''~'", "''\\''~'"),
        ("é'".as_bytes(), "'é'\\'''", "'é'\\'''"),
        (b"a'\nb", "'a'\\'''$'\\n''b'", "'a'\\'''$'\\n''b'"),
        // Special to a shell anywhere.
        (b"a\"b", "'a\"b'", "'a\"b'"),
        (b"a$b", "'a$b'", "'a$b'"),
        (b"a?b", "'a?b'", "'a?b'"),
        (b"a\\b", "'a\\b'", "'a\\b'"),
        (b"a[b", "'a[b'", "'a[b'"),
        (b"a=b", "'a=b'", "'a=b'"),
        (b"a!b", "'a!b'", "'a!b'"),
        (b"a^b", "'a^b'", "'a^b'"),
        (b"a|b", "'a|b'", "'a|b'"),
        (b"a`b", "'a`b'", "'a`b'"),
        (b"a;b", "'a;b'", "'a;b'"),
        (b"a<b", "'a<b'", "'a<b'"),
        (b"a>b", "'a>b'", "'a>b'"),
        (b"a&b", "'a&b'", "'a&b'"),
        (b"a(b)", "'a(b)'", "'a(b)'"),
        (b"*", "'*'", "'*'"),
        // Special only at the start, or alone.
        (b"#a", "'#a'", "'#a'"),
        (b"a#b", "a#b", "'a#b'"),
        (b"~a", "'~a'", "'~a'"),
        (b"a~", "a~", "'a~'"),
        (b"{", "'{'", "'{'"),
        (b"}", "'}'", "'}'"),
        (b"{a}", "{a}", "'{a}'"),
        // Never special.
        (b"a]b", "a]b", "'a]b'"),
        (b"a,b", "a,b", "'a,b'"),
        (b"a@b%c+d", "a@b%c+d", "'a@b%c+d'"),
        // Without a printable form.
        (b"a\nb", "'a'$'\\n''b'", "'a'$'\\n''b'"),
        (b"\n", "''$'\\n'", "''$'\\n'"),
        (b"\n\n", "''$'\\n\\n'", "''$'\\n\\n'"),
        (b"x\ny\nz", "'x'$'\\n''y'$'\\n''z'", "'x'$'\\n''y'$'\\n''z'"),
        (b"a\tb", "'a'$'\\t''b'", "'a'$'\\t''b'"),
        (b"a\x1bb", "'a'$'\\033''b'", "'a'$'\\033''b'"),
        (b"\x07\x08\x0c\x0b\r", "''$'\\a\\b\\f\\v\\r'", "''$'\\a\\b\\f\\v\\r'"),
        (b"\x012", "''$'\\001''2'", "''$'\\001''2'"),
        (b"\x7f", "''$'\\177'", "''$'\\177'"),
        // Not UTF-8.
        (b"\xff\xfe", "''$'\\377\\376'", "''$'\\377\\376'"),
        (b"a\xffb", "'a'$'\\377''b'", "'a'$'\\377''b'"),
        (b"\xc3", "''$'\\303'", "''$'\\303'"),
        (b"\xed\xa0\x80", "''$'\\355\\240\\200'", "''$'\\355\\240\\200'"),
        (b"\xc3\xa9\xff", "'é'$'\\377'", "'é'$'\\377'"),
        // Beyond ASCII.
        ("é".as_bytes(), "é", "'é'"),
        ("日本".as_bytes(), "日本", "'日本'"),
        ("😀".as_bytes(), "😀", "'😀'"),
        ("\u{a0}".as_bytes(), "\u{a0}", "'\u{a0}'"),
        ("\u{85}".as_bytes(), "''$'\\302\\205'", "''$'\\302\\205'"),
        ("\u{2028}".as_bytes(), "''$'\\342\\200\\250'", "''$'\\342\\200\\250'"),
        ("\u{fdd0}".as_bytes(), "''$'\\357\\267\\220'", "''$'\\357\\267\\220'"),
        // `ls` leaves the colon bare; GNU's messages of the form `name: …` do not.
        (b"a:b", "'a:b'", "'a:b'"),
    ];

    #[test]
    fn names_are_quoted_as_gnu_does() {
        for (name, if_needed, always) in NAMES {
            let name = OsStr::from_bytes(name);
            assert_eq!(quote_if_needed(name), *if_needed, "{name:?}");
            assert_eq!(quote(name), *always, "{name:?}");
        }
    }

    #[test]
    fn a_quoted_name_is_one_line() {
        for (name, ..) in NAMES {
            assert!(!quote(OsStr::from_bytes(name)).contains('\n'), "{name:?}");
        }
    }

    #[test]
    fn a_shell_reads_a_quoted_name_as_the_name() {
        for (name, ..) in NAMES {
            let script = format!("printf %s {}", quote(OsStr::from_bytes(name)));
            let Ok(shell) = std::process::Command::new("bash").args(["-c", &script]).output() else {
                return; // no bash here, and `$'…'` is not in every sh
            };
            assert_eq!(shell.stdout, *name, "{script}");
        }
    }

    #[test]
    fn arguments_are_escaped_with_backslashes() {
        for (argument, quoted) in [
            (&b"x"[..], "'x'"),
            (b"", "''"),
            (b"a'b", "'a\\'b'"),
            (b"a\\b", "'a\\\\b'"),
            (b"a\"b", "'a\"b'"),
            (b"5\n", "'5\\n'"),
            (b"\xff", "'\\377'"),
            (b"\x1b\r", "'\\033\\r'"),
        ] {
            assert_eq!(quote_argument(OsStr::from_bytes(argument)), quoted);
        }
    }
}
