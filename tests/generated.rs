//! Completions and man pages are what the definition of the command line says.
//!
//! After a change of the definition, `UPDATE_GENERATED=1 cargo test --test generated` writes them anew.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::{Arg, ArgAction, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use rtail::cli::guide::{self, Guide};

/// A file below the root of the package, and what it has to contain.
struct Generated {
    path: PathBuf,
    content: String,
}

impl Generated {
    fn new(directory: &str, name: impl AsRef<Path>, content: Vec<u8>) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory).join(name);
        Self { path, content: String::from_utf8(content).unwrap() }
    }

    /// Compares the file with its content, or brings it up to date if that is asked for.
    #[track_caller]
    fn check(&self) {
        if env::var_os("UPDATE_GENERATED").is_some() {
            fs::create_dir_all(self.path.parent().unwrap()).unwrap();
            fs::write(&self.path, &self.content).unwrap();
        }
        let path = self.path.display();
        let found = fs::read_to_string(&self.path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(found == self.content, "{path} is out of date; run UPDATE_GENERATED=1 cargo test --test generated");
    }
}

/// The definition without its hidden options: completions would offer them, and with two dashes instead of three.
fn offered(command: &Command) -> Command {
    // clap takes names that live as long as the program; this one is a test.
    let name: &'static str = command.get_name().to_owned().leak();
    Command::new(name)
        .about(command.get_about().cloned().unwrap_or_default())
        .disable_help_subcommand(true)
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).flat_map(spelt_apart))
        .subcommands(command.get_subcommands().map(offered))
}

/// An option whose value can only be attached to its long name, as two: shells would offer the value after `-f` too.
/// One whose value is nothing to offer is a switch: shells would not offer files after `--wait`.
fn spelt_apart(arg: &Arg) -> Vec<Arg> {
    let switch = |name: &'static str| {
        Arg::new(name).action(ArgAction::SetTrue).help(arg.get_help().cloned().unwrap_or_default())
    };
    match (arg.get_short(), arg.get_long()) {
        _ if !arg.is_require_equals_set() => vec![arg.clone()],
        (Some(short), _) => vec![switch(short.to_string().leak()).short(short), arg.clone().short(None)],
        (None, Some(long)) if arg.get_possible_values().is_empty() => {
            let long: &'static str = long.to_owned().leak();
            vec![switch(long).long(long)]
        }
        (None, _) => vec![arg.clone()],
    }
}

fn completions(shell: Shell) -> Generated {
    let mut content = Vec::new();
    let mut command = offered(&rtail::cli::command()).version(env!("CARGO_PKG_VERSION")).propagate_version(true);
    clap_complete::generate(shell, &mut command, "rtail", &mut content);
    let mut text = String::from_utf8(content).unwrap();
    if shell == Shell::Bash {
        text = completed(&text);
    }
    Generated::new("completions", shell_file(shell), text.into_bytes())
}

/// Has bash complete what `clap_complete` leaves out: the value in `--follow=na`, which bash splits into three words,
/// and files wherever no option has begun.
fn completed(script: &str) -> String {
    const SPLIT: &str = r#"    if [[ ${cur} == "=" ]]; then
        cur=""
    elif [[ ${prev} == "=" && ${COMP_CWORD} -ge 2 ]]; then
        prev="${COMP_WORDS[COMP_CWORD-2]}"
    fi

"#;
    const CASES: &str = "    case \"${cmd}\" in\n        rtail)\n";
    let at = script.find(CASES).expect("clap_complete writes another script");
    // Without candidates bash offers files.
    [&script[..at], SPLIT, &script[at..]]
        .concat()
        .replace("${cur} == -* || ${COMP_CWORD} -eq 2 ]]", "${cur} == -* ]]")
        .replace(
            "            esac\n            COMPREPLY=( $(compgen -W \"${opts}\" -- \"${cur}\") )\n",
            "            esac\n",
        )
}

/// The names that the shells look for.
fn shell_file(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => "rtail.bash",
        Shell::Elvish => "rtail.elv",
        Shell::Fish => "rtail.fish",
        Shell::PowerShell => "_rtail.ps1",
        Shell::Zsh => "_rtail",
        _ => panic!("no completions for {shell}"),
    }
}

/// The page of one command, which has been built.
fn man_page(command: &Command) -> Generated {
    let typed = command.get_bin_name().unwrap_or(command.get_name());
    let name = typed.replace(' ', "-");
    let usage = format!("{typed} [OPTION]... {}", operands(command));
    let shown = command.clone().display_name(&name).override_usage(usage).subcommand_help_heading("COMMANDS");
    // Operands are for the description, not for the list of options.
    let shown = shown.mut_args(|arg| if arg.is_positional() { arg.hide(true) } else { arg });
    // The blank keeps the empty date in its place.
    let page = Man::new(shown).title(&name).date(" ").source(concat!("rtail ", env!("CARGO_PKG_VERSION")));

    let mut text = PREAMBLE.to_owned();
    text += &section(|out| page.render_title(out));
    text += &section(|out| page.render_name_section(out));
    text += &section(|out| page.render_synopsis_section(out));
    text += &section(|out| page.render_description_section(out));
    text += &section(|out| notes(command).to_writer(out));
    if command.has_subcommands() {
        text += &section(|out| page.render_subcommands_section(out));
    }
    text += &in_groups(command, &section(|out| page.render_options_section(out)));
    text += &section(|out| exit_status_and_examples(guide::to(command.get_name())).to_writer(out));
    text += &section(|out| see_also(command).to_writer(out));
    Generated::new("man", format!("{name}.1"), text.into_bytes())
}

/// What begins every piece of roff, and has to begin the page only.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

fn section(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut content = Vec::new();
    render(&mut content).unwrap();
    String::from_utf8(content).unwrap().strip_prefix(PREAMBLE).unwrap().to_owned()
}

/// What `--help` says after the options, for the end of the description; examples and statuses have sections.
fn notes(command: &Command) -> Roff {
    let text = command.get_after_long_help().or(command.get_after_help()).unwrap().to_string();
    let mut roff = Roff::new();
    roff.control("PP", []).text([roman(text.split("\n\n").next().unwrap())]);
    roff
}

/// Has the groups of options stand below OPTIONS, where `clap_mangen` has sections beside it.
fn in_groups(command: &Command, options: &str) -> String {
    let headings = command.get_arguments().filter_map(Arg::get_help_heading);
    headings.fold(options.to_owned(), |text, heading| {
        let mut section = Roff::new();
        section.control("SH", [heading.to_uppercase().as_str()]);
        let mut group = Roff::new();
        group.control("SS", [heading]);
        text.replace(&section.to_roff(), &group.to_roff())
    })
}

fn exit_status_and_examples(guide: Guide) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in guide.statuses {
        roff.control("TP", []).text([bold(*status)]).text([roman(*meaning)]);
    }
    roff.control("SH", ["EXAMPLES"]);
    for (line, purpose) in guide.examples {
        roff.control("TP", []).text([bold(*line)]).text([roman(*purpose)]);
    }
    roff
}

fn see_also(command: &Command) -> Roff {
    let mut own: Vec<_> = command.get_subcommands().map(|sub| format!("rtail-{}", sub.get_name())).collect();
    if own.is_empty() {
        own.push("rtail".to_owned());
    }
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let own = own.iter().map(|page| (page.as_str(), "(1), "));
    let pages = own.chain([("tail", "(1), "), ("logrotate", "(8), "), ("inotify", "(7)")]);
    roff.text(pages.flat_map(|(page, section)| [bold(page), roman(section)]).collect::<Vec<_>>());
    roff
}

/// What stands after the options in a synopsis.
fn operands(command: &Command) -> String {
    let Some(operand) = command.get_positionals().next() else { return "COMMAND [ARGUMENT]...".to_owned() };
    let name = operand.get_value_names().and_then(|names| names.first()).unwrap();
    if operand.is_required_set() { format!("{name}...") } else { format!("[{name}]...") }
}

#[test]
fn completions_are_up_to_date() {
    for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
        completions(shell).check();
    }
}

#[test]
fn man_pages_are_up_to_date() {
    let mut root = rtail::cli::command();
    root.build();
    man_page(&root).check();
    for command in root.get_subcommands() {
        man_page(command).check();
    }
}

#[test]
fn nothing_hidden_is_offered() {
    for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
        let text = completions(shell).content;
        assert!(text.contains("since-offset"), "{shell}");
        assert!(!text.contains("disable-inotify") && !text.contains("presume-input-pipe"), "{shell}");
    }
}
