//! What a person reads when everything is up: what listens where, and how to place a first call.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::folder::{self, Folder};
use crate::settings::{Device, Extension, Listen, Secret, Settings};

/// The text; its last line is `ready`.
pub(super) fn text(folder: &Folder, settings: &Settings) -> String {
    let mut text = format!("Everline {}, contact centre \"{}\"\n", env!("CARGO_PKG_VERSION"), settings.solution);
    // Writing to a String cannot fail; the same goes for the lines below.
    let _ = writeln!(text, "  folder   {}", folder.path().display());
    for listen in &settings.sip.listen {
        let _ = writeln!(text, "  listens  {listen}");
    }
    if let Some(listen) = settings.sip.listen.first() {
        text.push_str(&first_call(settings, *listen).unwrap_or_default());
    }
    let _ = writeln!(
        text,
        "\nCtrl-C ends it. In another terminal: `everline{} status`, likewise calls, agents, switchover sip, stop",
        folder::option(folder)
    );
    text.push_str("ready\n");
    text
}

/// Two phones and a number to dial; `None` if the configuration has no agent who could take a call.
pub(crate) fn first_call(settings: &Settings, listen: Listen) -> Option<String> {
    let phones = || settings.extensions.iter().filter_map(Phone::of);
    let phone = |number: &str| phones().find(|phone| phone.number == number);
    let (agent, callee) = settings.agents.iter().find_map(|agent| Some((agent, phone(&agent.extension)?)))?;
    let mut text = format!("\nFirst phone: agent {} takes calls at extension {}\n", agent.id, callee.number);
    text.push_str(&callee.account(settings, listen));
    let is_seat = |number: &str| settings.agents.iter().any(|agent| agent.extension == number);
    let caller = phones().find(|phone| !is_seat(phone.number));
    let caller = caller.or_else(|| phones().find(|phone| phone.number != callee.number));
    let queue = settings.queues.iter().find(|queue| queue.agents.contains(&agent.id));
    if let (Some(caller), Some(queue)) = (caller, queue) {
        let _ = writeln!(text, "\nFirst call: dial {} from a second phone, extension {}", queue.number, caller.number);
        text.push_str(&caller.account(settings, listen));
    }
    Some(text)
}

/// A phone that registers.
struct Phone<'a> {
    number: &'a str,
    password: &'a Secret,
}

impl<'a> Phone<'a> {
    fn of(extension: &'a Extension) -> Option<Self> {
        match &extension.device {
            Device::Registers(password) => Some(Self { number: &extension.number, password }),
            Device::Fixed(_) => None,
        }
    }

    /// What to type into the phone.
    fn account(&self, settings: &Settings, listen: Listen) -> String {
        let Listen { transport, address } = listen;
        let (number, domain) = (self.number, &settings.sip.domain);
        // A secret that is kept out of the configuration is kept out of the terminal as well.
        let shown = self.password.is_inline;
        let password = if shown { self.password.reveal() } else { "as in its password-file or in the environment" };
        let mut text =
            format!("  any SIP phone  registrar {address} over {transport}, user {number}, password {password}\n");
        let quoted = self.password.reveal().contains([';', '"', '\\', '>', ',']);
        if shown && !quoted {
            let _ = writeln!(
                text,
                "  baresip        {}",
                baresip(number, domain, address, &transport.to_string(), password)
            );
        }
        text
    }
}

/// An account line of baresip; the registrar is an outbound proxy if the domain is not its address.
fn baresip(number: &str, domain: &str, address: SocketAddr, transport: &str, password: &str) -> String {
    if *domain == address.ip().to_string() {
        return format!("<sip:{number}@{address};transport={transport}>;auth_pass={password}");
    }
    format!(
        "<sip:{number}@{domain};transport={transport}>;outbound=\"sip:{address};transport={transport}\";auth_pass={password}"
    )
}
