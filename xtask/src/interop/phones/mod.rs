//! Two phones with real audio: they register, one calls the queue, the other takes the call, and both go on
//! hearing each other while the server that carries the call is killed.

mod baresip;
mod tone;

use std::net::SocketAddr;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use model::Chance;
use serde::Deserialize;

use super::fault::Kind;
use crate::lab::everline::Everline;
use crate::lab::ports::Ports;
use crate::lab::sipp::Transport;
use crate::lab::{EXTENSIONS, PHONES, SERVER};
use baresip::{Account, Phone};
use drill::status::Status;

/// What the agent says, in hertz.
const TONE_OF_AGENT: u32 = 700;
/// What the caller says, in hertz.
const TONE_OF_CALLER: u32 = 1_100;
/// Generous: it only bounds how long a phone that does nothing is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Talk before and after the fault.
const TALK: Duration = Duration::from_secs(3);
/// Of the tenths of a second after the first with the tone, at least so many percent must have it.
const ENOUGH_PERCENT: usize = 95;

/// The calls: what happens in the middle of each, and whether the agent ends it.
const CALLS: [(Kind, bool); 3] = [(Kind::SipKill, false), (Kind::SipHang, true), (Kind::Switchover, true)];

#[derive(Deserialize)]
struct Agents {
    agents: Vec<Agent>,
}

#[derive(Deserialize)]
struct Agent {
    state: String,
}

#[derive(Deserialize)]
struct Calls {
    calls: Vec<serde_json::Value>,
}

/// Makes one call for each of [`CALLS`]; returns a line for each that says what was heard.
pub(super) fn run(transport: Transport, folder: &Path, chance: &mut Chance) -> Result<Vec<String>> {
    let mut ports = Ports::default();
    let server = ports.take(SERVER)?;
    let places = [ports.take(PHONES)?, ports.take(PHONES)?, ports.take(EXTENSIONS)?, ports.take(EXTENSIONS)?];
    drop(ports);
    let passwords = [format!("{:016x}", chance.next_u64()), format!("{:016x}", chance.next_u64())];
    let name = format!("phones-{}", transport.name());
    let mut everline = Everline::start(&name, &configuration(server, &passwords), None)?;
    let account = |number: usize, tone| Account {
        number: ["1001", "1002"][number],
        password: &passwords[number],
        server,
        transport: transport.name(),
        tone,
    };
    let folder = folder.join(&name);
    let agent = Phone::start(&account(0, TONE_OF_AGENT), places[0], places[1], &folder.join("agent"))?;
    let caller = Phone::start(&account(1, TONE_OF_CALLER), places[2], places[3], &folder.join("caller"))?;
    let mut both = Both { agent, caller, server };
    let lines = both.calls(&mut everline, chance);
    if lines.is_err() {
        everline.keep_folder();
        eprintln!("  kept: {} and {}", folder.display(), everline.folder().display());
    } else {
        std::fs::remove_dir_all(&folder)?;
        everline.stop()?;
    }
    lines.map(|lines| lines.into_iter().map(|line| format!("{}: {line}", transport.name())).collect())
}

fn configuration(server: SocketAddr, passwords: &[String; 2]) -> String {
    format!(
        "[sip]\ndomain = \"127.0.0.1\"\nlisten = [\"udp:{server}\", \"tcp:{server}\"]\n\n\
         [[extension]]\nnumber = \"1001\"\npassword = \"{}\"\n\n\
         [[extension]]\nnumber = \"1002\"\npassword = \"{}\"\n\n\
         [[agent]]\nid = \"anna\"\nextension = \"1001\"\nauto-ready = true\n\n\
         [[queue]]\nnumber = \"9000\"\nagents = [\"anna\"]\ncapacity = 10\ndefault = \"1001\"\n",
        passwords[0], passwords[1]
    )
}

struct Both {
    agent: Phone,
    caller: Phone,
    server: SocketAddr,
}

impl Both {
    fn calls(&mut self, everline: &mut Everline, chance: &mut Chance) -> Result<Vec<String>> {
        // Both are registered before the first call; what registers them must outlive every fault.
        self.agent.wait_for("200 OK", PATIENCE)?;
        self.caller.wait_for("200 OK", PATIENCE)?;
        CALLS.iter().map(|(kind, agent_ends)| self.call(*kind, *agent_ends, everline, chance)).collect()
    }

    /// One call through the queue, the fault in its middle, and its end.
    fn call(&mut self, kind: Kind, agent_ends: bool, everline: &mut Everline, chance: &mut Chance) -> Result<String> {
        let what = format!("{kind:?}, ended by the {}", if agent_ends { "agent" } else { "caller" });
        eprintln!("  phones: {what}");
        let before = everline.wait_until("level", PATIENCE, Status::is_level)?;
        wait_json(everline, "agents", |agents: &Agents| agents.agents.iter().any(|agent| agent.state == "ready"))?;
        self.agent.forget_recordings()?;
        self.caller.forget_recordings()?;
        self.caller.command(&format!("/dial sip:9000@{}", self.server))?;
        self.caller.wait_for("Call established", PATIENCE)?;
        self.agent.wait_for("Call established", PATIENCE)?;
        sleep(TALK);
        kind.inflict(everline, &before, chance)?;
        sleep(TALK);
        let (ends, hears) =
            if agent_ends { (&mut self.agent, &mut self.caller) } else { (&mut self.caller, &mut self.agent) };
        ends.command("/hangup")?;
        hears.wait_for("session closed", PATIENCE).context("the BYE did not arrive")?;
        wait_json(everline, "calls", |calls: &Calls| calls.calls.is_empty())?;
        let heard = [
            share("the caller", &self.caller.heard(TONE_OF_AGENT)?)?,
            share("the agent", &self.agent.heard(TONE_OF_CALLER)?)?,
        ];
        everline.wait_until("level again", PATIENCE, |after| kind.is_over(&before, after))?;
        Ok(format!("{what}: {}", heard.join(", ")))
    }
}

/// Asks `everline NAME --json` until the answer is as wanted.
fn wait_json<T: for<'a> Deserialize<'a>>(everline: &Everline, name: &str, wanted: impl Fn(&T) -> bool) -> Result<()> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < PATIENCE {
        let output = everline.command(&[name, "--json"])?;
        if output.status.success() {
            let answer = serde_json::from_slice(&output.stdout)
                .with_context(|| format!("everline {name} --json does not follow the interface"))?;
            if wanted(&answer) {
                return Ok(());
            }
        }
        sleep(Duration::from_millis(200));
    }
    anyhow::bail!("everline {name} --json did not become what it should within {} s", PATIENCE.as_secs())
}

/// Judges what one side heard: from the first tenth of a second with the tone to the last, through the fault.
fn share(who: &str, heard: &[bool]) -> Result<String> {
    let first =
        heard.iter().position(|has| *has).with_context(|| format!("{who} heard nothing of the other's tone"))?;
    let last = heard.iter().rposition(|has| *has).unwrap_or(first);
    let whole = &heard[first..=last];
    let good = whole.iter().filter(|has| **has).count();
    let tenths = |span: Duration| span.as_millis() as usize / 100;
    ensure!(
        whole.len() > tenths(TALK) + tenths(TALK) / 2,
        "{who} heard the other for {} tenths of a second only: not beyond the fault",
        whole.len()
    );
    ensure!(
        good * 100 >= whole.len() * ENOUGH_PERCENT,
        "{who} heard the other's tone in {good} of {} tenths of a second only",
        whole.len()
    );
    Ok(format!("{who} heard {good} of {} tenths of a second", whole.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(lengths: &[(bool, usize)]) -> bool {
        let heard: Vec<bool> = lengths.iter().flat_map(|(has, count)| vec![*has; *count]).collect();
        share("somebody", &heard).is_ok()
    }

    #[test]
    fn audio_must_go_on_beyond_the_fault_without_holes() {
        assert!(judged(&[(false, 10), (true, 60), (false, 3)]));
        assert!(judged(&[(true, 30), (false, 1), (true, 30)]));
        assert!(!judged(&[(true, 30), (false, 30)]), "it ended with the fault");
        assert!(!judged(&[(true, 30), (false, 10), (true, 20)]), "a second was missing");
        assert!(!judged(&[(false, 60)]), "there never was a tone");
    }
}
