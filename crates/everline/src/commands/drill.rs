//! `everline drill`.

mod reach;

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use drill::course::Progress;
use drill::hands::{ByOrder, Hands, Local, Rehearsing};
use drill::load::{self, Extension, Net, People, Queue};
use drill::page::page;
use drill::plan::Plan;
use drill::plan::builtin::{self, Builtin};
use drill::result::{Ending, Report, Run, SCHEMA};
use drill::run::Drill;
use drill::table::table;
use jiff::Timestamp;
use model::Trouble;
use network::address;
use network::rehearsal::{Network, Place};
use nix::sys::signal::{SigSet, Signal};
use serde_json::{Value, json};

use self::reach::{Agents, Reach};
use crate::cli::Listing;
use crate::config;
use crate::control::Control;
use crate::failure::{Failure, Kind};
use crate::files;
use crate::folder::{self, Folder};
use crate::hosts::Hosts;
use crate::lock::Lock;
use crate::output::{self, remark};
use crate::rehearsal;
use crate::settings::{Device, Settings, Transport};

/// What to do about a plan of which a step was never made.
const UNMADE: &str = "a step that was never made has shown nothing: mend it in the plan, or give the place what it needs; the plan \
                      `usual` needs a rehearsal by `everline up --hosts 3 --disks --clocks`";

/// Runs a plan.
///
/// # Errors
/// If the plan is wrong, nothing runs, a right is missing, the result cannot be written, or a promise was broken.
pub(crate) fn run(
    folder: &Folder,
    plan: &str,
    seed: Option<u64>,
    out: Option<&Path>,
    real: bool,
) -> Result<(), Failure> {
    let plan = read_plan(plan)?;
    let seed = match seed {
        Some(seed) => seed,
        None => getrandom::u64().map_err(|error| Failure::failed(format!("no random numbers: {error}")))? >> 32,
    };
    out.map_or(Ok(()), is_name)?;
    let _only = only(folder)?;
    let stops = listen_to_signals()?;
    let command = format!("everline drill run {} --seed {seed}{}", plan.name, if real { " --real" } else { "" });
    let drill = drill_of(folder, plan, seed, command, real)?;
    let out = out.map_or_else(|| Ok(usual_place(folder)), std::path::absolute);
    let out = out.map_err(|error| Failure::new(Kind::Wrong, format!("the result has no path: {error}")))?;
    try_place(&out)?;
    announce(&drill);
    let mut teller = Teller { stops, is_waiting: false };
    let report = drill::run::run(drill, &mut |progress| teller.tell(progress))?;
    teller.clear();
    output::result(&table(&report))?;
    write(&report, &out)?;
    let page = out.with_extension("html");
    remark(&format!("\nresult: {}\npage:   {}", out.display(), page.display()));
    match (&report.ended_early, report.broken.len()) {
        (Some(why), _) => Err(Failure::failed(format!("the drill ended before its plan did: {why}"))),
        (None, 0) if report.has_passed() => Ok(()),
        (None, 0) => Err(Failure::failed(report.not_made().unwrap_or_default()).help(UNMADE)),
        (None, count) => Err(Failure::failed(format!("the drill found {}", output::count(count, "broken promise")))
            .help(format!("{} shows each run", page.display()))),
    }
}

/// Shows the built-in plans, or one of them.
///
/// # Errors
/// If there is no such plan.
pub(crate) fn list(plan: Option<&str>, listing: Listing) -> Result<(), Failure> {
    let faults = |plan: &Builtin| Plan::parse(plan.name, plan.text).map_or(0, |plan| plan.runs());
    let Some(name) = plan else {
        if listing.json {
            let row = |plan: &Builtin| json!({ "name": plan.name, "faults": faults(plan), "about": plan.about });
            let rows: Vec<Value> = builtin::ALL.iter().map(row).collect();
            return output::result(&format!("{}\n", json!({ "plans": rows })));
        }
        let row = |plan: &Builtin| [output::plain(plan.name), output::plain(faults(plan)), output::plain(plan.about)];
        let rows: Vec<_> = builtin::ALL.iter().map(row).collect();
        return output::result(&output::table(["PLAN", "FAULTS", "WHAT FOR"], &rows, "no plans"));
    };
    let plan = builtin::find(name).ok_or_else(|| no_plan(name))?;
    if listing.json {
        let shown = json!({ "name": plan.name, "faults": faults(&plan), "about": plan.about, "text": plan.text });
        return output::result(&format!("{shown}\n"));
    }
    output::result(plan.text)
}

/// Prints the table of a result.
///
/// # Errors
/// If it cannot be read, or the page cannot be written.
pub(crate) fn report(file: &Path, to: Option<&Path>) -> Result<(), Failure> {
    let bytes = fs::read(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new(Kind::Wrong, format!("there is no file {}", file.display()))
            .help("name a result: `everline drill run` writes them into `drills` in the folder, and says where"),
        _ => Trouble::of_file("read", file, &error).into(),
    })?;
    let report: Report = serde_json::from_slice(&bytes).map_err(|error| {
        let what = format!("{} is no result of a drill: {error}", file.display());
        Failure::new(Kind::Wrong, what).help("name a file that `everline drill run` wrote")
    })?;
    if report.schema != SCHEMA {
        let what = format!("{} has the form {}, which this version does not know", file.display(), report.schema);
        return Err(Failure::new(Kind::Wrong, what).help(format!("this version reads {SCHEMA}")));
    }
    if let Some(to) = to {
        let to = &std::path::absolute(to).map_err(|error| Trouble::of_file("write", to, &error))?;
        files::replace(to, page(&report).as_bytes()).map_err(|error| Trouble::of_file("write", to, &error))?;
    }
    output::result(&table(&report))
}

/// Prints a configuration with all that a drill needs.
///
/// # Errors
/// If it cannot be printed.
pub(crate) fn configuration(rate: u32) -> Result<(), Failure> {
    output::result(&text(rate))
}

/// Writes one if there is none, readable by its owner only.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_configuration(folder: &Folder) -> Result<(), Failure> {
    let path = folder::configuration(folder);
    if path.exists() {
        return Ok(());
    }
    let written = files::create(&path, text(drill::plan::USUAL_RATE).as_bytes());
    written.map_err(|error| Trouble::of_file("write", &path, &error))?;
    remark(&format!("Wrote a configuration for drills: {}", path.display()));
    Ok(())
}

/// The configuration for a rate, on one host and in a rehearsal.
fn text(rate: u32) -> String {
    let (ipv4, ipv6) = (Place::Carriers.ipv4(Network::Access), Place::Carriers.ipv6(Network::Access));
    let carriers = [IpAddr::from(ipv4), Ipv4Addr::new(127, 0, 0, 2).into(), ipv6.into()];
    let sip = "[sip]\ndomain = \"127.0.0.1\"\nlisten = [\"udp:127.0.0.1:5060\", \"tcp:127.0.0.1:5060\"]\n\n";
    load::configuration(rate, &carriers, sip)
}

/// The plan of this name, or in this file.
fn read_plan(name: &str) -> Result<Plan, Failure> {
    let (name, text) = match builtin::find(name) {
        Some(plan) => (plan.name.to_owned(), plan.text.to_owned()),
        None => match fs::read_to_string(name) {
            Ok(text) => (name.to_owned(), text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_plan(name)),
            Err(error) => return Err(Trouble::of_file("read", Path::new(name), &error).into()),
        },
    };
    Plan::parse(&name, &text).map_err(|problems| {
        let rendered: Vec<String> = problems.iter().map(|problem| problem.render(&name)).collect();
        Failure::new(Kind::Wrong, format!("the plan has errors; nothing was done\n{}", rendered.join("\n")))
            .help("`everline drill list usual` shows a plan")
    })
}

fn no_plan(name: &str) -> Failure {
    let known: Vec<&str> = builtin::ALL.iter().map(|plan| plan.name).collect();
    Failure::new(Kind::Wrong, format!("there is no plan \"{name}\", neither built in nor as a file"))
        .help(format!("name a file, or one of {}", known.join(", ")))
}

/// Makes this the only drill of a folder: each would take the faults of another one for its own.
fn only(folder: &Folder) -> Result<Option<Lock>, Failure> {
    let lock = || Lock::only(folder, "drill", "everline drill run", "let it end, or interrupt it by Ctrl-C");
    folder.lock("drill").parent().is_some_and(Path::is_dir).then(lock).transpose()
}

/// Everything that a drill of this folder needs.
fn drill_of(folder: &Folder, plan: Plan, seed: u64, command: String, real: bool) -> Result<Drill, Failure> {
    let rehearsal = rehearsal::running(folder)?;
    let mut hosts = rehearsal.as_ref().map_or_else(|| vec![(String::new(), folder.clone())], |it| it.hosts.clone());
    if rehearsal.is_none() && !Control::new(folder).is_running()? {
        let folder = folder.path().display();
        let what = format!("nothing is running in the folder {folder}");
        let help =
            format!("start a rehearsal with `everline up --hosts 3 --dir {folder}`, or name another folder with --dir");
        return Err(Failure::new(Kind::Absent, what).help(help));
    }
    let settings = hosts.first().map(|(_, folder)| Settings::read(&folder::settings(folder)));
    let settings = settings.unwrap_or_else(|| Err("the rehearsal has no hosts".into())).map_err(Failure::failed)?;
    if settings.has_own_addresses() {
        let what = "each host serves at an address of its own, and the phones that a drill plays know one address";
        let help = "rehearse with `everline up --hosts 3`, without --own-addresses, in another folder";
        return Err(Failure::new(Kind::Wrong, what).help(help));
    }
    if let (None, [(here, _)], Some(told)) = (&rehearsal, &mut hosts[..], &settings.hosts) {
        here.clone_from(&told.here);
    }
    let here = hosts.first().cloned();
    let site = Arc::new(Reach { hosts });
    let (net, hands, place): (Net, Box<dyn Hands>, String) = match rehearsal {
        Some(_) if real => {
            let what = "what runs there is a rehearsal, and no real solution";
            return Err(Failure::new(Kind::Wrong, what).help("leave --real away"));
        }
        Some(it) => {
            // One that was killed over this has left it to the next.
            it.net.free_disks()?;
            let place = format!("a rehearsal of {} hosts", it.hosts.len());
            let hands = Rehearsing::new(site.clone(), it.net.clone(), it.addresses);
            (Net::Rehearsal(it.net), Box::new(hands), place)
        }
        None => match (&settings.hosts, here) {
            (Some(several), Some((name, folder))) => {
                is_allowed(&settings, real)?;
                let names: Vec<&str> = several.all.iter().map(|host| host.name.as_str()).collect();
                confirm(&settings.solution, &format!("ends processes and whole hosts ({})", names.join(", ")), real)?;
                let fence = settings.fence.program.as_ref().map(|_| Duration::from_secs(settings.fence.after.into()));
                let hands = ByOrder::new(site.clone(), Box::new(Agents { here: name, folder }), fence);
                let place = format!("a real solution of {} hosts", names.len());
                (own_place(&settings, several)?, Box::new(hands), place)
            }
            _ => {
                confirm(&settings.solution, "kills and freezes processes", real)?;
                (Net::Here, Box::new(Local::new(site.clone())), "a real solution, on this host".into())
            }
        },
    };
    let people = people(&settings);
    Ok(Drill { plan, seed, people, net, site, hands, everline: env!("CARGO_PKG_VERSION").into(), command, place })
}

/// The other hosts look at it themselves before they harm anything; nobody is asked in vain.
fn is_allowed(settings: &Settings, real: bool) -> Result<(), Failure> {
    if !real || settings.may_drill {
        return Ok(());
    }
    let what = format!("the configuration of {} does not allow drills; nothing was done", settings.solution);
    let help = "write `allow = true` under [drill], give `everline config apply`, and restart each host";
    Err(Failure::new(Kind::Wrong, what).help(help))
}

/// Where the phones are on a host of several: at an address that stays here when the one that they call goes to another host.
fn own_place(settings: &Settings, hosts: &Hosts) -> Result<Net, Failure> {
    let called: Vec<IpAddr> = settings.sip.listen.iter().map(|listen| listen.address.ip()).collect();
    let virtuals = hosts.addresses.iter().map(crate::hosts::Address::read).collect::<Result<Vec<_>, _>>()?;
    for one in virtuals.iter().filter(|one| called.contains(&one.address)) {
        let network = |address| config::network_of(address, one.prefix);
        let stays = |here: &IpAddr| virtuals.iter().all(|virtual_one| virtual_one.address != *here);
        let is_near = |here: &IpAddr| here.is_ipv4() == one.address.is_ipv4() && network(*here) == network(one.address);
        if let Some(own) = address::at(&one.interface)?.into_iter().filter(stays).find(is_near) {
            return Ok(Net::At(own));
        }
    }
    let fits = |own: &&IpAddr| called.iter().any(|one| one.is_ipv4() == own.is_ipv4());
    let own = hosts.host(&hosts.here).and_then(|host| host.networks.iter().find(fits));
    Ok(own.map_or(Net::Here, |own| Net::At(*own)))
}

/// Lets a person type the name of what is going to be broken.
fn confirm(solution: &str, does: &str, real: bool) -> Result<(), Failure> {
    if !real {
        let what = format!("{solution} is no rehearsal: a drill kills its processes under its own calls");
        let help = "rehearse with `everline up --hosts 3`; or say --real, and confirm it";
        return Err(Failure::new(Kind::Wrong, what).help(help));
    }
    remark(&format!("This drill {does} of {solution}, and registers as its extensions.\nType its name to go on:"));
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::failed(format!("nothing can be typed: {error}")))?;
    if line.trim() != solution {
        return Err(Failure::failed("not confirmed; nothing was done").help(format!("type {solution}")));
    }
    Ok(())
}

/// Who can be played, by the configuration that the servers have.
fn people(settings: &Settings) -> People {
    let listens = |transport| settings.sip.listen.iter().find(|listen| listen.transport == transport);
    let address = |transport| listens(transport).map(|listen| listen.address).filter(|address| address.port() > 0);
    let agent = |number: &str| settings.agents.iter().find(|agent| agent.extension == number).map(|one| one.id.clone());
    let extensions = settings.extensions.iter().filter_map(|extension| match &extension.device {
        Device::Registers(secret) => Some(Extension {
            number: extension.number.clone(),
            password: secret.reveal().to_owned(),
            agent: agent(&extension.number),
        }),
        Device::Fixed(_) => None,
    });
    let queues = settings.queues.iter();
    People {
        udp: address(Transport::Udp),
        tcp: address(Transport::Tcp),
        domain: settings.sip.domain.clone(),
        extensions: extensions.collect(),
        queues: queues.map(|queue| Queue { number: queue.number.clone(), agents: queue.agents.clone() }).collect(),
        carriers: settings.trunks.iter().map(|trunk| (trunk.address, trunk.port)).collect(),
    }
}

/// The file of a result, where nothing else is said.
fn usual_place(folder: &Folder) -> PathBuf {
    let now = Timestamp::now().strftime("%Y%m%d-%H%M%S");
    folder.path().join("drills").join(format!("{now}.json"))
}

/// Whether a result and its page can have names by this one.
fn is_name(out: &Path) -> Result<(), Failure> {
    let wrong = |what: &str, help: &str| Err(Failure::new(Kind::Wrong, format!("{} {what}", out.display())).help(help));
    if out.is_dir() {
        return wrong("is a folder", "name a file in it, such as drill.json");
    }
    if out.extension().is_some_and(|end| end == "html") {
        return wrong("would be the page as well", "name the result drill.json: its page is drill.html then");
    }
    Ok(())
}

/// Finds out before the first fault whether the result can be written: a drill may take hours.
fn try_place(out: &Path) -> Result<(), Failure> {
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder).map_err(|error| Trouble::of_file("make the folder", folder, &error))?;
    }
    let trial = out.with_extension("trial");
    files::replace(&trial, b"").map_err(|error| Trouble::of_file("write", out, &error))?;
    fs::remove_file(&trial).map_err(|error| Trouble::of_file("remove", &trial, &error))?;
    Ok(())
}

fn write(report: &Report, out: &Path) -> Result<(), Failure> {
    let text = serde_json::to_vec_pretty(report).map_err(|error| Failure::failed(format!("no result: {error}")))?;
    files::replace(out, &text).map_err(|error| Trouble::of_file("write", out, &error))?;
    let to = out.with_extension("html");
    files::replace(&to, page(report).as_bytes()).map_err(|error| Trouble::of_file("write", &to, &error))?;
    Ok(())
}

fn announce(drill: &Drill) {
    let Drill { plan, seed, people, place, .. } = drill;
    let phones = people.extensions.len();
    remark(&format!(
        "Drill \"{}\" on {place}: {} at {} calls a second, {phones} phones, seed {seed}",
        plan.name,
        output::count(plan.runs() as usize, "fault"),
        plan.rate
    ));
}

/// Tells a person how it goes: what it waits for on a line that is overwritten, each run on a line of its own.
struct Teller {
    stops: Arc<AtomicBool>,
    is_waiting: bool,
}

impl Teller {
    fn tell(&mut self, progress: Progress<'_>) -> bool {
        match progress {
            Progress::Waits(what) => self.wait(&what),
            Progress::Over { run, of } => {
                self.clear();
                remark(&line(run, of));
            }
        }
        !self.stops.load(Ordering::Relaxed)
    }

    fn wait(&mut self, what: &str) {
        let mut err = io::stderr();
        if err.is_terminal() {
            self.is_waiting = true;
            let what: String = what.chars().take(100).collect();
            // Nobody minds if it cannot be shown.
            let _ = write!(err, "\r\x1b[K  waits for {what}").and_then(|()| err.flush());
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.is_waiting) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// A run in a line.
fn line(run: &Run, of: u32) -> String {
    let head = format!("{:>4}/{of} {}", run.run, run.step);
    if let Some(why) = &run.not_done {
        return format!("{head}: not done: {why}");
    }
    let time =
        |micros: Option<u64>| micros.map_or_else(|| "-".into(), |micros| format!("{:.1} ms", micros as f64 / 1e3));
    let ending = if run.ending == Ending::Passed { "ok" } else { "BROKEN" };
    let mut text = format!(
        "{head} ({}): {ending}, gap {}, detection {}, takeover {}, level after {}",
        run.victims.join(", "),
        time(run.gap_us),
        time(run.detection_us),
        time(run.takeover_us),
        time(run.level_after_us)
    );
    for check in run.checks.iter().filter(|check| !check.ok) {
        text.push_str(&format!("\n       {}: {}", check.name, check.said));
    }
    if run.wrong_sip + run.overtaken > 0 {
        text.push_str(&format!("\n       {} wrong messages, {} callers overtaken", run.wrong_sip, run.overtaken));
    }
    text
}

/// True once Ctrl-C or a SIGTERM asks for the end. The drill then mends what it has broken, and writes down what it has.
fn listen_to_signals() -> Result<Arc<AtomicBool>, Failure> {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
    let cannot = |error: String| Failure::failed(format!("cannot listen to signals: {error}"));
    // Before there is another thread: all inherit it.
    signals.thread_block().map_err(|error| cannot(error.to_string()))?;
    let stops = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stops);
    let listen = move || {
        while signals.wait().is_ok() {
            told.store(true, Ordering::Relaxed);
        }
    };
    thread::Builder::new().name("signals".into()).spawn(listen).map_err(|error| cannot(error.to_string()))?;
    Ok(stops)
}
