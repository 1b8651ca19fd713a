//! What can be typed behind `everline availability`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::{Listing, assignment};
use crate::commands::availability::amounts;

/// What can be done with availability models.
#[derive(Debug, Subcommand)]
pub(crate) enum AvailabilityCommand {
    /// Solve a model: print each measure with its value, its unit and the digits that are sure
    ///
    /// MODEL is a file, or one of Everline's own models by its name. The ending of a file says its format: .avail is the
    /// language of docs/availability.md, .sm or .prism a subset of the PRISM language (properties in .csl or .props beside it),
    /// .tra an explicit chain (.sta, .lab and .srew beside it), .xml a fault tree of Open-PSA, .dft one of Galileo.
    #[command(after_help = "Examples:\n  everline availability solve duplex.avail\n  \
        everline availability solve duplex.avail --parameter \"c=99 %\" --measure downtime --gradient --hessian\n  \
        everline availability solve cluster.sm --parameter N=8 --json\n  \
        everline availability solve three-hosts --measure calls\n  \
        everline availability solve duplex.avail --samples 100000 --seed 7")]
    Solve(Solve),
    /// Estimate parameters from what was observed: logs, drills, counts, parts; and how much has to be observed
    #[command(subcommand, after_help = "Example:\n  everline availability estimate log field.log")]
    Estimate(Estimate),
    /// Put the measures of several settings side by side
    ///
    /// Either of a model (`--set`), or of Everline's own solutions: a built-in question, or a number of hosts.
    #[command(after_help = "Examples:\n  everline availability compare --question standby\n  \
        everline availability compare --hosts 1..5 --set \"notice=5 min,1 h\" --measure calls\n  \
        everline availability compare duplex.avail --set \"c=90%,99%,99.9%\"")]
    Compare(Compare),
    /// What must a parameter be, so that a measure comes to a target?
    ///
    /// Without --parameter each parameter is tried by itself, the least change first. All others keep their values.
    #[command(after_help = "Examples:\n  everline availability goal three-hosts --target 99.999%\n  \
        everline availability goal duplex.avail --measure downtime --target 5.26min --parameter c")]
    Goal(Goal),
    /// Share out an allowed downtime among the parts of a service
    ///
    /// By three rules: in proportion to what each part has now, the same for each, and with the least effort (the worst parts
    /// come down to one level). The parts are those of which one is enough to bring the service down.
    #[command(after_help = "Examples:\n  everline availability budget three-hosts --target 5.26min\n  \
        everline availability budget plant.avail --measure downtime --target 99.9%")]
    Budget(Budget),
    /// Write a chain or a fault tree of a model in a form that other tools read
    ///
    /// The ending of FILE says the form. A chain: .tra makes the explicit files of PRISM and Storm (.lab and .srew beside it), .sm
    /// or .prism a model in the PRISM language; rules are written out state by state. A fault tree, or a block diagram as a tree of
    /// what fails: .xml is the form of Open-PSA, .dft that of Galileo. Numbers are those that follow from the parameters, rates
    /// per hour. What has no place in a form is left out, and said.
    #[command(after_help = "Examples:\n  everline availability export duplex.avail duplex.tra\n  \
        everline availability export sip-server sip.sm --chain sip_pair\n  \
        everline availability export server.avail server.xml\n  \
        everline availability export plant.avail pumps.dft --tree pumps\n  \
        everline availability export plant.xml plant.dft")]
    Export(Export),
    /// Report a solution: what is down how long and why, what to improve first, and how sure all of that is
    ///
    /// Without a file it is about one of Everline's own solutions, whose models are built in. A file is a model in the
    /// language of docs/availability.md; its measures `downtime of MODEL` are its services, and the first one is the main one.
    #[command(after_help = "Examples:\n  everline availability report\n  \
        everline availability report --solution two-sites --html report.html --language zh\n  \
        everline availability report --drill drill.json --json\n  \
        everline availability report centre.avail --parameter \"notice=1 h\"")]
    Report(AvailabilityReport),
}

/// Values that take the place of those in the model.
#[derive(Debug, clap::Args)]
pub(crate) struct Given {
    /// Another value for a parameter, with its unit; can be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) parameters: Vec<(String, String)>,
}

/// What to solve, and what to print.
#[derive(Debug, clap::Args)]
pub(crate) struct Solve {
    /// A model file, or a built-in model by name, such as three-hosts
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// Only this measure, by its name or its first words; can be repeated
    #[arg(long = "measure", value_name = "NAME")]
    pub(crate) measures: Vec<String>,
    #[command(flatten)]
    pub(crate) given: Given,
    /// The derivatives by all parameters as well, and by how many per cent a measure changes with one per cent of each
    #[arg(long)]
    pub(crate) gradient: bool,
    /// The second derivatives by each two of the parameters that a measure needs
    #[arg(long)]
    pub(crate) hessian: bool,
    /// How uncertain the measures are, by so many samples of the parameters' distributions and by the delta method
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=100_000_000))]
    pub(crate) samples: Option<u64>,
    /// The seed of the samples
    #[arg(long, value_name = "N", default_value_t = 1, requires = "samples")]
    pub(crate) seed: u64,
    /// The gate that is the top event, if several gates of an Open-PSA tree are no input of another
    #[arg(long, value_name = "NAME")]
    pub(crate) top: Option<String>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// What to write, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// A model file, or a built-in model by name, such as sip-server
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// Where it goes; what is there is replaced, unless it was read
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Which chain, rules, tree or block diagram of the model, if there are several
    #[arg(long = "chain", visible_alias = "tree", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The gate that is the top event, if several gates of an Open-PSA tree are no input of another
    #[arg(long, value_name = "NAME")]
    pub(crate) top: Option<String>,
    #[command(flatten)]
    pub(crate) given: Given,
}

/// What to report, and in which form.
#[derive(Debug, clap::Args)]
pub(crate) struct AvailabilityReport {
    /// The model; without it, one of Everline's own solutions
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Which of Everline's own solutions
    #[arg(long, value_name = "NAME", default_value = "three-hosts", value_parser = availability::own::SOLUTIONS, conflicts_with = "file")]
    pub(crate) solution: String,
    /// A result of `everline drill run`: parameters that the models take from a drill get what it measured
    #[arg(long, value_name = "FILE")]
    pub(crate) drill: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) given: Given,
    /// How many samples of the parameters' distributions the intervals are made of
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(2..=10_000_000))]
    pub(crate) samples: u64,
    /// The seed of the samples
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write a page with drawings to this file as well; what is there is replaced, unless it was read
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// The language of the page
    #[arg(long, value_enum, default_value_t = PageLanguage::En)]
    pub(crate) language: PageLanguage,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PageLanguage {
    /// English
    En,
    /// Chinese
    Zh,
}

/// From which observations parameters are estimated.
#[derive(Debug, Subcommand)]
pub(crate) enum Estimate {
    /// Rates, mean times and availability from a log of failures and repairs
    ///
    /// The log has lines `TIME COMPONENT EVENT` (or CSV with a header, or JSON lines: docs/availability.md shows each); events are
    /// begin, begin-down, down, up and end, and the component * begins and ends the observation of all that the log names. A unit
    /// that never failed needs a line of its own, `NAME begin` at the instant of `* begin`. A log with gaps is refused at its line.
    #[command(after_help = "Examples:\n  everline availability estimate log field.log\n  \
        everline availability estimate log field.log --pool --tests --confidence 90%\n  \
        everline availability estimate log field.log --pool --phases 6\n  \
        everline availability estimate log life-test.log --pool --until failure\n  \
        everline availability estimate log field.log --prior \"3 per year\" --error-factor 10 --json")]
    Log(EstimateLog),
    /// Coverage and times from the result files of drills
    ///
    /// For each kind of fault and each step: the coverage with its exact interval (Clopper and Pearson) and the mean times that
    /// were measured, and the value with its distribution that a model takes. Several files are one campaign.
    #[command(after_help = "Examples:\n  everline availability estimate drill drill.json\n  \
        everline availability estimate drill monday.json tuesday.json --any-time --json")]
    Drill(EstimateDrill),
    /// A failure rate or a coverage from counts
    ///
    /// Either failures and the time up in which they came, all units together: the rate and the mean up time with exact
    /// intervals. Or faults that were made and those of them that were covered: the coverage with the exact interval (Clopper and
    /// Pearson) and with that of the posterior of Jeffreys' prior.
    #[command(after_help = "Examples:\n  everline availability estimate counts --failures 3 --over 17000h\n  \
        everline availability estimate counts --failures 10 --over \"2 years\" --until failure --confidence 90%\n  \
        everline availability estimate counts --covered 198 --of 200 --json")]
    Counts(EstimateCounts),
    /// How much has to be observed before a claim is shown
    ///
    /// CLAIM is one of three, told apart by its unit:
    ///
    /// - A share is a coverage: so much of all faults is covered, or more (99.9%, 0.999). The answer is how many faults have to be
    ///   made.
    ///
    /// - A time is a mean up time: so long, or longer ("10000 h", "2 years", "90 days"). The answer is how long has to be watched,
    ///   the time up of all units added up.
    ///
    /// - A rate is a failure rate: so often, or less ("2 per year", "1 per 5 years", "500 FIT", which is 500 in 1e9 hours). The
    ///   answer is that for its mean time.
    ///
    /// There is a row for each number of misses or failures on the way, up to --misses: with each of them more has to be made or
    /// watched before the claim is shown.
    ///
    /// With --sequential a coverage is tested fault by fault: for each number of misses, from how many faults on the claim is shown,
    /// and up to how many it is given up; and how many faults that takes on average.
    #[command(after_help = "Examples:\n  everline availability estimate plan --claim 99.9% --confidence 95%\n  \
        everline availability estimate plan --claim 0.99 --misses 0\n  \
        everline availability estimate plan --claim 99.9% --sequential 99.99% --risk 10%\n  \
        everline availability estimate plan --claim \"2 per year\" --misses 5\n  \
        everline availability estimate plan --claim \"500 FIT\"\n  \
        everline availability estimate plan --claim \"10000 h\" --confidence 90% --json\n  \
        everline availability estimate plan --claim \"2 years\"")]
    Plan(EstimatePlan),
    /// The failure rate of hardware by parts count
    ///
    /// Base rates and factors come from your own file, since the published tables are licensed. What stands in both files, with an
    /// example of each: docs/availability.md.
    #[command(after_help = "Example:\n  everline availability estimate parts server.parts --factors factors.txt")]
    Parts(EstimateParts),
}

/// What ended an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Until {
    /// The last failure: it was decided before to observe so many
    Failure,
    /// A time that was fixed before
    Time,
}

/// A log, and what is wanted of it.
#[derive(Debug, clap::Args)]
pub(crate) struct EstimateLog {
    /// The log
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this component; can be repeated
    #[arg(long = "component", value_name = "NAME")]
    pub(crate) components: Vec<String>,
    /// Take all components for alike, and estimate them as one
    #[arg(long)]
    pub(crate) pool: bool,
    /// What ended the hours up; without it the last failure if all are down at the end, else a time
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) until: Option<Until>,
    /// How sure the intervals are
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = amounts::share)]
    pub(crate) confidence: f64,
    /// Test whether the rate is constant and times are exponential, as a Markov chain assumes
    #[arg(long)]
    pub(crate) tests: bool,
    /// Fit the times down with up to so many phases, for a chain where they are not exponential
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=12))]
    pub(crate) phases: Option<u32>,
    /// A failure rate from elsewhere, to be brought up to date by the log
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    pub(crate) prior: Option<String>,
    /// How uncertain it is: its 95 % point over its median
    #[arg(long, value_name = "FACTOR", default_value_t = 10.0, requires = "prior", allow_negative_numbers = true)]
    pub(crate) error_factor: f64,
    /// The seed of the tests' samples
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// Results of drills.
#[derive(Debug, clap::Args)]
pub(crate) struct EstimateDrill {
    /// The result files
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// How sure the intervals are
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = amounts::share)]
    pub(crate) confidence: f64,
    /// Coverage intervals that hold although one looked after each fault and stopped when one liked; they are wider
    #[arg(long)]
    pub(crate) any_time: bool,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// What was counted.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("counted").required(true).args(["failures", "covered"]))]
pub(crate) struct EstimateCounts {
    /// So many failures
    #[arg(long, value_name = "N", requires = "over", allow_negative_numbers = true)]
    pub(crate) failures: Option<u64>,
    /// The time up in which they came, all units together ("17000 h", "2 years")
    #[arg(long, value_name = "TIME", requires = "failures", allow_hyphen_values = true)]
    pub(crate) over: Option<String>,
    /// What ended the observation
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Until::Time, requires = "failures")]
    pub(crate) until: Until,
    /// So many faults that were covered
    #[arg(long, value_name = "N", requires = "of", allow_negative_numbers = true)]
    pub(crate) covered: Option<u64>,
    /// All faults that were made
    #[arg(long, value_name = "N", requires = "covered", allow_negative_numbers = true)]
    pub(crate) of: Option<u64>,
    /// How sure the intervals are
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = amounts::share)]
    pub(crate) confidence: f64,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// A claim.
#[derive(Debug, clap::Args)]
pub(crate) struct EstimatePlan {
    /// What is to be shown: a coverage (99.9%), a mean up time ("10000 h") or a failure rate ("2 per year")
    #[arg(long, value_name = "CLAIM", allow_hyphen_values = true)]
    pub(crate) claim: String,
    /// How sure one wants to be
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = amounts::share)]
    pub(crate) confidence: f64,
    /// The most misses or failures on the way that are tabled
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(..=50))]
    pub(crate) misses: u64,
    /// Look after each fault, and stop as soon as it is clear (Wald's sequential test): the coverage that is hoped for, above the
    /// claim; the further above, the fewer faults
    #[arg(long, value_name = "COVERAGE", value_parser = amounts::share)]
    pub(crate) sequential: Option<f64>,
    /// How often the claim may be given up although the coverage is the one that is hoped for
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = amounts::share, requires = "sequential")]
    pub(crate) risk: f64,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// An equipment, and the user's factors.
#[derive(Debug, clap::Args)]
pub(crate) struct EstimateParts {
    /// The parts of the equipment
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Base rates, and factors of environment, quality and temperature
    #[arg(long, value_name = "FILE")]
    pub(crate) factors: PathBuf,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// Questions with built-in settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Question {
    /// SIP Server as one process, as a warm and as a hot pair
    Standby,
    /// The whole solution on 1 to 5 hosts
    Hosts,
    /// Three hosts; faults are bridged after 20 ms, 150 ms, 1 s, 10 s
    Detection,
    /// Three hosts; somebody looks after 5 min, 30 min, an hour, four hours
    Operator,
}

/// What to compare.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("settings").required(true).multiple(true).args(["question", "hosts", "sets"]))]
pub(crate) struct Compare {
    /// A model file, or a built-in model by name, such as three-hosts
    #[arg(value_name = "MODEL", conflicts_with_all = ["question", "hosts"])]
    pub(crate) model: Option<PathBuf>,
    /// A question with built-in models and settings
    #[arg(long, value_name = "QUESTION", conflicts_with = "hosts")]
    pub(crate) question: Option<Question>,
    /// The built-in solution on so many hosts: 1..5, or 1,3
    #[arg(long, value_name = "LIST", value_parser = amounts::hosts)]
    pub(crate) hosts: Option<amounts::Hosts>,
    /// Several values for a parameter, with their units (NAME,NAME=... gives them to several at once); can be repeated, and then
    /// all combinations are solved
    #[arg(long = "set", value_name = "NAME=V1,V2,...", value_parser = assignment)]
    pub(crate) sets: Vec<(String, String)>,
    /// Only this measure, by its name or its first words; can be repeated
    #[arg(long = "measure", value_name = "NAME")]
    pub(crate) measures: Vec<String>,
    #[command(flatten)]
    pub(crate) given: Given,
    /// The gate that is the top event, if several gates of an Open-PSA tree are no input of another
    #[arg(long, value_name = "NAME", requires = "model", conflicts_with_all = ["question", "hosts"])]
    pub(crate) top: Option<String>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// A goal, and which parameter may change.
#[derive(Debug, clap::Args)]
pub(crate) struct Goal {
    /// A model file, or a built-in model by name, such as three-hosts
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// The measure, by its name or its first words; without it the first one of the model
    #[arg(long, value_name = "NAME")]
    pub(crate) measure: Option<String>,
    /// What the measure is to be, with its unit; for downtime a share (99.999%) or minutes a year (5.26min)
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) target: String,
    /// The parameter that may change; without it each is tried by itself
    #[arg(long, value_name = "NAME")]
    pub(crate) parameter: Option<String>,
    /// Another value for a parameter, with its unit; can be repeated
    #[arg(long = "with", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) with: Vec<(String, String)>,
    /// The gate that is the top event, if several gates of an Open-PSA tree are no input of another
    #[arg(long, value_name = "NAME")]
    pub(crate) top: Option<String>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

/// A downtime to be shared out.
#[derive(Debug, clap::Args)]
pub(crate) struct Budget {
    /// A model file (.avail), or a built-in model by name, such as three-hosts
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    /// The downtime of this measure is shared out; without it that of the first one of the model
    #[arg(long, value_name = "NAME")]
    pub(crate) measure: Option<String>,
    /// What is allowed together: minutes a year (5.26min), or an availability (99.999%)
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) given: Given,
    #[command(flatten)]
    pub(crate) listing: Listing,
}
