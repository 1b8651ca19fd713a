//! What belongs to the commands themselves: completions and manual pages.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::{Cli, Command};
use crate::failure::{Failure, Kind};
use crate::output;

/// Prints the completions for a shell.
///
/// # Errors
/// If standard output cannot be written.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::<Command>::command(), "everline", &mut script);
    output::result(&String::from_utf8_lossy(&script))
}

/// Prints the manual page of the program, or of one of its commands.
///
/// # Errors
/// If there is no such command.
pub(crate) fn man(path: &[String]) -> Result<(), Failure> {
    let mut root = Cli::<Command>::command();
    root.build();
    let mut command = &root;
    for name in path {
        command = command.find_subcommand(name).ok_or_else(|| {
            Failure::new(Kind::Wrong, format!("there is no command \"{}\"", path.join(" "))).help("see `everline help`")
        })?;
    }
    let mut page = Vec::new();
    let source = concat!("everline ", env!("CARGO_PKG_VERSION"));
    let rendered = clap_mangen::Man::new(command.clone()).source(source).render(&mut page);
    rendered.map_err(|error| Failure::failed(format!("cannot make the page: {error}")))?;
    output::result(&String::from_utf8_lossy(&page))
}
