//! Completions and man pages are what the definition of the command line says.
//!
//! After a change of the definition, `UPDATE_GENERATED=1 cargo test --test generated` writes them anew.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::Command;
use clap_complete::Shell;

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
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().map(offered))
}

fn completions(shell: Shell) -> Generated {
    let mut content = Vec::new();
    let mut command = offered(&rtail::cli::command()).version(env!("CARGO_PKG_VERSION")).propagate_version(true);
    clap_complete::generate(shell, &mut command, "rtail", &mut content);
    Generated::new("completions", shell_file(shell), content)
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

fn man_page(command: &Command) -> Generated {
    let page = clap_mangen::Man::new(command.clone()).source(concat!("rtail ", env!("CARGO_PKG_VERSION")));
    let mut content = Vec::new();
    page.render(&mut content).unwrap();
    Generated::new("man", page.get_filename(), content)
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
