//! A program of the operator that moves an address where the network believes no announcements, as in most clouds.

use std::path::PathBuf;
use std::process::Command;

use model::{Span, Time, Trouble};

use super::VirtualAddress;
use crate::program::{self, Run};

/// What happens to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// This host takes it.
    Claim,
    /// This host gives it up.
    Release,
    /// Does it lead to this host?
    Ask,
}

impl Deed {
    /// The word for it, as the hook is told.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Release => "release",
            Self::Ask => "ask",
        }
    }
}

/// A program that is told of every claim and release, and asked whether the address leads here.
///
/// It is called as `PROGRAM claim|release|ask ADDRESS/PREFIX INTERFACE`, with the environment of this process and
/// `EVERLINE_DEED`, `EVERLINE_ADDRESS`, `EVERLINE_PREFIX` and `EVERLINE_INTERFACE` in addition; its standard input is empty, and
/// what it writes is quoted if it fails. Exit code 0 means that the address is moved (or was already, as calls are repeated), or leads
/// to this host. It
/// leads a process group of its own, which is killed as a whole when its time is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hook {
    /// The program, absolute or relative to the working folder.
    pub program: PathBuf,
    /// How long a call may take before it is ended.
    pub limit: Span,
}

impl Hook {
    /// Starts the program, and does not wait for it. When its time is over it is killed.
    ///
    /// # Errors
    /// The program does not exist or may not be run, or there is no room for another process.
    pub fn start(&self, deed: Deed, address: &VirtualAddress, now: Time) -> Result<Run, Trouble> {
        let (name, place) = (self.program.display(), format!("{}/{}", address.address, address.prefix));
        let what = format!("the hook `{name} {} {place} {}`", deed.word(), address.interface);
        let mut command = Command::new(&self.program);
        command.arg(deed.word()).arg(place).arg(&address.interface);
        command.env("EVERLINE_DEED", deed.word()).env("EVERLINE_ADDRESS", address.address.to_string());
        command.env("EVERLINE_PREFIX", address.prefix.to_string()).env("EVERLINE_INTERFACE", &address.interface);
        program::start(&mut command, &what, now, self.limit)
    }
}
