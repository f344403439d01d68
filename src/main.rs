//! The `rtail` program: parse, dispatch, exit status.

use std::process::ExitCode;

use rtail::cli::{self, Command, Refusal};
use rtail::commands::{Exit, follow, show, stream, watch};
use rtail::notice::Notices;
use rtail::settings::Persona;
use rtail::sys::{raise_file_limit, share_heap};

fn main() -> ExitCode {
    let persona = std::env::args_os().next().map_or(Persona::Rtail, |program| cli::persona(&program));
    let mut notices = Notices::new(persona);
    share_heap();
    raise_file_limit();
    let exit = match cli::parse(std::env::args_os()) {
        Ok(invocation) => {
            invocation.warnings.iter().for_each(|warning| notices.say(warning));
            run(&invocation.command, &mut notices)
        }
        Err(Refusal::Shown(text)) => show(&text, &mut notices),
        Err(Refusal::Usage { lines, status }) => {
            notices.lines(&lines);
            return ExitCode::from(status);
        }
    };
    // GNU's `tail` counts a message that nobody could read as a failure.
    match exit {
        Exit::Success if persona == Persona::Tail && notices.failed() => ExitCode::FAILURE,
        exit => exit.carry_out(),
    }
}

fn run(command: &Command, notices: &mut Notices) -> Exit {
    let result = match command {
        Command::Follow(settings) => follow::run(settings, notices),
        Command::Stream(settings) => stream::run(settings, notices),
        Command::Watch(settings) => watch::run(settings, notices),
    };
    result.unwrap_or_else(|error| {
        notices.say(&format!("{error:#}"));
        Exit::Failure
    })
}
