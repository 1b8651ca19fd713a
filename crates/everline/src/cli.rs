//! What can be typed. The doc comments here are the help texts.

mod availability;

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use availability::{
    AvailabilityCommand, AvailabilityReport, Budget, Compare, Estimate, EstimateCounts, EstimateDrill, EstimateLog,
    EstimateParts, EstimatePlan, Export, Goal, PageLanguage, Question, Solve, Until,
};

/// An open SIP contact centre that stays up.
///
/// One folder is one contact centre: its configuration, its data, its logs and its sockets. Every command works on
/// the folder named by --dir, else by EVERLINE_DIR, else on ./everline.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example:\n  everline up\n\nExit codes: 0 done, 1 failed, \
    2 wrong usage or configuration, 3 nothing is running there"
)]
pub(crate) struct Cli<C: Subcommand> {
    /// The folder of the contact centre
    // An empty name is refused where it can be said which one is meant.
    #[arg(
        long,
        global = true,
        env = "EVERLINE_DIR",
        default_value = "everline",
        value_name = "DIR",
        value_parser = OsStringValueParser::new().map(PathBuf::from)
    )]
    pub(crate) dir: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: C,
}

/// What the program itself types: no help, completion or suggestion knows of it.
#[derive(Debug, Subcommand)]
pub(crate) enum Inner {
    /// Run one application; `up` and the local control agent do this.
    Run {
        /// The application's name, `sip-a`.
        application: String,
        /// Which run of it this is.
        #[arg(long, value_name = "N", default_value_t = 0)]
        run_number: u64,
    },
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the contact centre in the foreground
    ///
    /// Writes an example configuration if there is none, starts everything, prints what listens where and how to
    /// place a first call, then a line "ready". Ctrl-C ends it. A terminal that closes does not: `everline stop` does.
    #[command(after_help = "Examples:\n  everline up --dir /srv/everline\n  everline up --hosts 3\n  \
                          everline up --hosts 3 --disks --clocks\n  everline up --hosts 3 --own-addresses")]
    Up {
        /// Rehearse several hosts: run the same solution on so many of them, in network namespaces of this machine
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=12))]
        hosts: Option<u8>,
        /// Give each of them a disk of its own, in memory, so that a drill can fill it
        #[arg(long, requires = "hosts")]
        disks: bool,
        /// Give each of them a clock of its own, so that a drill can move it; needs libfaketime
        #[arg(long, requires = "hosts")]
        clocks: bool,
        /// Let them speak IPv6: with each other, and with the phones
        #[arg(long, requires = "hosts")]
        ipv6: bool,
        /// Have each of them serve at an address of its own, as where no address can pass from host to host
        #[arg(long, requires = "hosts")]
        own_addresses: bool,
    },
    /// One host of a solution that has several
    #[command(subcommand, after_help = "Example:\n  everline host run --dir /srv/everline")]
    Host(HostCommand),
    /// Play with the links of a rehearsal
    #[command(subcommand, after_help = "Example:\n  everline link cut h1 h2")]
    Link(LinkCommand),
    /// Show the applications: roles, states, processes, readiness
    #[command(after_help = "Example:\n  everline status --json | jq '.applications[] | select(.role == \"primary\")'")]
    Status(Listing),
    /// Show the calls in progress
    #[command(after_help = "Example:\n  everline calls")]
    Calls(Listing),
    /// Show the agents and their states
    #[command(after_help = "Example:\n  everline agents")]
    Agents(Listing),
    /// Put an agent ready or not ready
    #[command(after_help = "Example:\n  everline agent anna not-ready --reason lunch")]
    Agent {
        /// The agent's id or extension
        #[arg(value_name = "NUMBER")]
        number: String,
        /// The new state
        state: AgentState,
        /// Why not ready, for the others to see
        #[arg(long, value_name = "REASON")]
        reason: Option<String>,
    },
    /// Let the backup of a pair become its primary, as planned
    ///
    /// Refused, with the reason, if the backup is not level. No call notices.
    #[command(after_help = "Example:\n  everline switchover sip")]
    Switchover {
        /// The pair, "sip" or "routing"
        #[arg(value_name = "PAIR")]
        pair: String,
    },
    /// Begin a pair again although a host that nobody can reach may still serve it
    ///
    /// Without --accept-loss it says what is in doubt, and does nothing.
    #[command(after_help = "Example:\n  everline promote sip --accept-loss")]
    Promote {
        /// The pair, "sip" or "routing"
        #[arg(value_name = "PAIR")]
        pair: String,
        /// The host of whatever is in doubt is off, and the calls that it held may be lost
        #[arg(long)]
        accept_loss: bool,
    },
    /// End the contact centre cleanly
    #[command(after_help = "Example:\n  everline stop")]
    Stop,
    /// Make faults under a load of calls, and see what becomes of the calls
    ///
    /// Phones, agents, callers and a carrier are played by this command; what is in the way is killed, frozen, cut off, and
    /// repaired. Ends with 1 if a promise was broken.
    #[command(subcommand, after_help = "Examples:\n  everline up --hosts 3\n  everline drill run smoke")]
    Drill(DrillCommand),
    /// Solve availability models
    ///
    /// Nothing needs to run. docs/availability.md describes the model language.
    #[command(subcommand, after_help = "Example:\n  everline availability solve duplex.avail")]
    Availability(AvailabilityCommand),
    /// Look at the configuration
    #[command(subcommand, after_help = "Example:\n  everline config check")]
    Config(Config),
    /// Print a script that completes commands in a shell
    #[command(after_help = "Example:\n  everline completions bash > /etc/bash_completion.d/everline")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or that of one command
    #[command(after_help = "Example:\n  everline man agent | man -l -")]
    Man {
        /// The command
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
}

/// What can be done with a host.
#[derive(Debug, Subcommand)]
pub(crate) enum HostCommand {
    /// Run this host's part of the solution in the foreground
    ///
    /// As `up` does where there is one host only. Ctrl-C ends it.
    #[command(after_help = "Example:\n  everline host run --dir /srv/everline")]
    Run,
    /// Make this machine the first host of a solution
    ///
    /// Writes a configuration with these hosts if there is none, makes the authority that issues the certificates of all hosts,
    /// and prints what is to be given on each of the others.
    #[command(
        after_help = "Example:\n  everline host init --host h1=10.0.1.1/24,10.0.2.1/24 --host h2=10.0.1.2/24,10.0.2.2/24 \\\n    \
        --host h3=10.0.1.3/24,10.0.2.3/24 --address 192.0.2.10/24@eth0"
    )]
    Init(Init),
    /// Let another host join: prints what is to be given there
    ///
    /// On the host with the authority. A token is good for one host, once, and for a short time; it ends the older ones for that
    /// host, those included that `everline host init` has printed.
    #[command(after_help = "Example:\n  everline host token h2")]
    Token {
        /// The host that is to join
        #[arg(value_name = "HOST")]
        host: String,
        /// Let it join although it has before: the machine was replaced or installed anew, or its certificate has expired. What ran
        /// there is shut out, and must be off
        #[arg(long)]
        again: bool,
        /// With --again, although it is not reached and has a side of a pair: then it must be off
        #[arg(long, requires = "again")]
        force: bool,
        /// How long the token is good
        #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1440))]
        minutes: u32,
    },
    /// Make this machine a host of a solution
    ///
    /// Copy the line that `everline host token` has printed. The key of this host is made here and stays here. A machine that is a host
    /// already stays that one, and gets another certificate: by a line that was made with --again, as long as it does not run.
    #[command(after_help = "Example:\n  everline host join 10.0.1.1 TOKEN")]
    Join {
        /// An address of the host with the authority
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// The token
        #[arg(value_name = "TOKEN")]
        token: String,
    },
    /// Take a host out of the solution
    ///
    /// On the host with the authority. Its certificates count for nothing any more, the coordinator goes on without it, and the
    /// configuration has no such host; if it lives, everything on it is ended first. Refused if the others could not go on.
    #[command(after_help = "Example:\n  everline host remove h3")]
    Remove {
        /// The host
        #[arg(value_name = "HOST")]
        host: String,
        /// Although it lives and holds a side of a pair, or is not reached and had one: then it must be off
        #[arg(long)]
        force: bool,
    },
    /// Show the hosts of the solution: which are reachable, and what runs there
    #[command(after_help = "Example:\n  everline host list")]
    List(Listing),
    /// Print the systemd unit that runs this host
    #[command(after_help = "Example:\n  everline host unit --install --user everline --dir /srv/everline")]
    Unit {
        /// Whom the processes belong to, as the folder must; root if left away
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Write it to /etc/systemd/system/everline.service
        #[arg(long)]
        install: bool,
    },
    /// Take the power of a host of a rehearsal
    ///
    /// Everything on it ends at once, and its links go dark.
    #[command(after_help = "Example:\n  everline host fail h2")]
    Fail {
        /// The host
        #[arg(value_name = "HOST")]
        host: String,
    },
    /// Give a host of a rehearsal its power back
    #[command(after_help = "Example:\n  everline host repair h2")]
    Repair {
        /// The host
        #[arg(value_name = "HOST")]
        host: String,
    },
}

/// How a solution with several hosts begins.
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// A host with its address and prefix in each network between the hosts; the first one is this machine
    #[arg(long = "host", value_name = "NAME=ADDRESS/PREFIX,...")]
    pub(crate) hosts: Vec<String>,
    /// An address that whoever serves takes, with its interface
    #[arg(long = "address", value_name = "ADDRESS/PREFIX@INTERFACE")]
    pub(crate) addresses: Vec<String>,
    /// Which of the hosts this machine is, if not the first one
    #[arg(long, value_name = "NAME")]
    pub(crate) here: Option<String>,
    /// The name of the solution
    #[arg(long, value_name = "NAME", default_value = "everline")]
    pub(crate) solution: String,
    /// How long the tokens for the other hosts are good
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub(crate) minutes: u32,
}

/// What can be done with the links of a rehearsal.
#[derive(Debug, Subcommand)]
pub(crate) enum LinkCommand {
    /// Let nothing pass any more
    #[command(after_help = "Examples:\n  everline link cut h1 h2\n  everline link cut h1 h2 --one-way --network a")]
    Cut(Between),
    /// Let everything arrive later
    #[command(after_help = "Example:\n  everline link delay h1 h2 50")]
    Delay {
        /// Where
        #[command(flatten)]
        between: Between,
        /// How much later, in milliseconds
        #[arg(value_name = "MS")]
        millis: u64,
    },
    /// Lose packets by chance
    #[command(after_help = "Example:\n  everline link loss h1 h2 5")]
    Loss {
        /// Where
        #[command(flatten)]
        between: Between,
        /// How many of a hundred are lost
        #[arg(value_name = "PERCENT")]
        percent: f64,
    },
    /// Lose all packets that are longer than so many octets, and tell nobody
    #[command(after_help = "Example:\n  everline link black-hole h1 h2 1000")]
    BlackHole {
        /// Where
        #[command(flatten)]
        between: Between,
        /// The longest packet that passes, in octets
        #[arg(value_name = "OCTETS")]
        octets: u32,
    },
    /// Make links whole again, all of them if none is named
    #[command(after_help = "Examples:\n  everline link repair\n  everline link repair h1 h2")]
    Repair {
        /// The two ends
        #[arg(value_name = "PLACE", num_args = 2)]
        ends: Vec<String>,
    },
    /// Show which links are not whole
    #[command(after_help = "Example:\n  everline link list")]
    List(Listing),
}

/// Links of a rehearsal.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Between {
    /// One end: a host, `phones`, `carriers` or `stranger`
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// The other end
    #[arg(value_name = "TO")]
    pub(crate) to: String,
    /// Only what goes from the first end to the other one
    #[arg(long)]
    pub(crate) one_way: bool,
    /// Only in this network, `access`, `a` or `b`; can be repeated
    #[arg(long = "network", value_name = "NETWORK", value_delimiter = ',')]
    pub(crate) networks: Vec<String>,
}

/// What can be done about drills.
#[derive(Debug, Subcommand)]
pub(crate) enum DrillCommand {
    /// Run a plan against what runs in the folder, and write down what happened
    ///
    /// PLAN is a file, or the name of a built-in plan. The result is a JSON file (docs/drill-result.md) with a page beside it.
    #[command(after_help = "Examples:\n  everline drill run\n  everline drill run my.plan --seed 7")]
    Run {
        /// The plan
        #[arg(value_name = "PLAN", default_value = "usual")]
        plan: String,
        /// Repeats the draws of an earlier drill; drawn if not given
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        /// Where the result goes; the page gets the same name with .html
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Drill a solution that is no rehearsal, after a confirmation
        #[arg(long)]
        real: bool,
    },
    /// Show the built-in plans, or the text of one
    #[command(after_help = "Example:\n  everline drill list usual > my.plan")]
    List {
        /// The plan
        #[arg(value_name = "PLAN")]
        plan: Option<String>,
        /// How it is printed
        #[command(flatten)]
        listing: Listing,
    },
    /// Print the table of a result again, and write its page
    #[command(after_help = "Example:\n  everline drill report drill.json --page drill.html")]
    Report {
        /// The result
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where the page goes
        #[arg(long, value_name = "FILE")]
        page: Option<PathBuf>,
    },
    /// Print a configuration with all that a drill needs
    #[command(after_help = "Example:\n  everline drill config > everline/everline.toml")]
    Config {
        /// The calls a second that it is made for
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
        rate: u32,
    },
}

/// `NAME=VALUE`.
fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, as in `c=99%`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// How a listing is printed.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Listing {
    /// Print JSON for programs instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Say all that is wrong with the configuration
    ///
    /// With file, line, key and what is allowed. Nothing needs to run.
    #[command(after_help = "Example:\n  everline config check --dir /srv/everline")]
    Check(Listing),
    /// Make everline.toml of this host the configuration of all hosts
    ///
    /// Refused if somebody has changed it since, and while no majority of the coordinator can be reached. It counts on each host
    /// from its next start. A password-file or variable that only another host has stays as it was given there.
    #[command(after_help = "Example:\n  everline config apply")]
    Apply {
        /// The version that it takes the place of, if not the one that this file was made from
        #[arg(long, value_name = "VERSION")]
        over: Option<u64>,
    },
    /// Print the configuration that all hosts share, with its passwords
    #[command(after_help = "Example:\n  everline config show > /srv/everline/everline.toml")]
    Show(Listing),
}

/// The state that an agent is put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AgentState {
    /// The agent takes calls
    Ready,
    /// The agent takes no calls from queues
    NotReady,
}
