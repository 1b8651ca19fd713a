//! The plans that need no file.

/// A plan with its name and what it is good for.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// The name by which `drill run` takes it.
    pub name: &'static str,
    /// What it is good for, in a few words.
    pub about: &'static str,
    /// The plan.
    pub text: &'static str,
}

/// All of them; the first is the one that runs where none is named.
pub const ALL: [Builtin; 3] = [
    Builtin {
        name: "usual",
        about: "every fault twenty times: the promises; needs `up --hosts 3 --disks --clocks`",
        text: include_str!("usual.plan"),
    },
    Builtin {
        name: "smoke",
        about: "the main faults once, at a modest rate: about a minute",
        text: include_str!("smoke.plan"),
    },
    Builtin { name: "host", about: "what can be done where there is one host only", text: include_str!("host.plan") },
];

/// The one of this name.
#[must_use]
pub fn find(name: &str) -> Option<Builtin> {
    ALL.into_iter().find(|plan| plan.name == name)
}
