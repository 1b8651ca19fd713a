//! Scripts: what the phones and the Routing Server do, line by line.

use call::{Carrier, Extension, FixedContact, Input, Listener, Queue, Settings, Trunk};
use model::{Kind, Span};
use redundancy::hot_standby::Engine as _;

use super::noise::Noise;
use super::phone::{Extra, Phone};
use super::{CrashAt, World};

/// The contact centre of all scripts: extensions 1001 to 1003 register, devices 2001 to 2004 are at 10.0.2.1 to .4,
/// 2005 is reached over TCP, 10.0.9.1 is a trunk; Anna sits at 2001, Ben at 2002, Carl at 1001.
fn settings() -> Settings {
    let server = super::moving::host(0);
    let registers =
        |number: u32| (number.to_string(), Extension { password: Some(format!("secret{number}")), contact: None });
    let device = |number: u32, transport: &str| {
        let contact = FixedContact::parse(&format!("sip:{number}@10.0.2.{}:5060{transport}", number - 2000));
        (number.to_string(), Extension { password: None, contact: Some(contact.expect("a contact")) })
    };
    let mut extensions: std::collections::BTreeMap<_, _> = (1001..=1003).map(registers).collect();
    extensions.extend((2001..=2004).map(|number| device(number, "")));
    extensions.extend([device(2005, ";transport=tcp")]);
    let agents = [("2001", "anna"), ("2002", "ben"), ("1001", "carl")];
    Settings {
        domain: "example.com".to_owned(),
        listeners: [Carrier::Udp, Carrier::Tcp].map(|carrier| Listener { carrier, address: server }).into(),
        extensions,
        queues: [
            ("9000".to_owned(), Queue { default: Some("2004".to_owned()) }),
            ("9001".to_owned(), Queue { default: None }),
        ]
        .into(),
        agents: agents.map(|(number, id)| (number.to_owned(), id.to_owned())).into(),
        trunks: vec![Trunk {
            name: "carrier".to_owned(),
            address: "10.0.9.1".parse().expect("an address"),
            port: None,
        }],
        secret: [7; 32],
        sha_256: true,
        expiry: call::Expiry { shortest: 30, longest: 7_200 },
        ..Settings::default()
    }
}

/// Runs a script, with a takeover after as many inputs as `crash_at` says. Gives the ladder and the count of inputs.
pub(crate) fn run(script: &str, crash_at: CrashAt) -> (String, usize) {
    let mut world = World::new(settings(), crash_at);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        world.line(line);
    }
    world.pass(Span::from_secs(120));
    let rest = world.census();
    world.note(&format!("left: {rest}"));
    (std::mem::take(&mut world.ladder), world.inputs)
}

/// Runs a script on a bad line, with a takeover after as many inputs as `crash_at` says, and checks that no more is
/// left in the end than there should be.
pub(crate) fn run_noisy(script: &str, seed: u64, crash_at: CrashAt) {
    let mut world = World::new(settings(), crash_at);
    world.noise = Some(Noise::new(seed));
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        world.line(line);
    }
    world.noise = None;
    // Beyond the longest call and registration.
    world.pass(Span::from_secs(25 * 3_600));
    let waiting = world.keys(Kind(6)).len();
    let letters = world.keys(Kind(8)).len();
    let calls = world.keys(Kind(1));
    let first = calls.first().and_then(|key| world.engine.store_mut().get(*key));
    assert_eq!(calls.len(), waiting, "seed {seed}: calls are left that nobody waits in: {first:?}");
    assert!(letters < 100, "letters pile up");
}

impl World {
    fn line(&mut self, line: &str) {
        if let Some(comment) = line.strip_prefix('#') {
            return self.note(&format!("--{comment}"));
        }
        let (head, headers) = line.split_once(" | ").map_or((line, ""), |(head, headers)| (head, headers));
        let words: Vec<&str> = head.split_whitespace().collect();
        match words.as_slice() {
            ["phone", name, carrier, address, number] => {
                let carrier = if *carrier == "tcp" { Carrier::Tcp } else { Carrier::Udp };
                self.phones.push(Phone::new(name, number, carrier, address.parse().expect("an address")));
            }
            ["time", span] => self.pass(span_of(span)),
            ["deaf", name] => self.phone_mut(name).deaf = true,
            ["hears", name] => self.phone_mut(name).deaf = false,
            ["again", name] => self.say_again(self.index(name)),
            ["close", name] => {
                let Some(connection) = self.phone_mut(name).connection.take() else { return };
                self.note(&format!("{name:<7} >  (closed)"));
                self.feed(Input::Closed { connection });
            }
            // Without a word: it speaks on another connection next.
            ["leave", name] => self.phone_mut(name).connection = None,
            ["ping", name] => self.send_bytes(self.index(name), b"\r\n\r\n"),
            ["own", "addresses"] => self.use_own_addresses(),
            ["move"] => self.move_to_other_host(),
            ["stop"] => {
                let mut after = None;
                while let Some((input, up_to)) = self.engine.closing(after) {
                    self.feed(input);
                    after = Some(up_to);
                }
            }
            ["calls"] => self.list_calls(),
            // What a side begins with that was not admitted.
            ["lose", "track"] => {
                self.engine.lose_track();
                self.engine.store_mut().settle();
                self.checkpoint();
            }
            ["routing", "connect"] => self.routing_connect(),
            ["routing", "gone"] => self.routing_gone(),
            ["routing", "forget"] => self.routing_forget(),
            ["routing", order @ ..] => self.order_from(order),
            [name, what, rest @ ..] => {
                let extra = extra_of(rest, headers);
                match self.compose(self.index(name), what, rest, &extra) {
                    Some(bytes) => self.say(self.index(name), bytes),
                    // What a phone would answer may have been lost.
                    None => assert!(self.noise.is_some(), "{name} cannot say {what}"),
                }
            }
            _ => panic!("what does this line mean? {line}"),
        }
    }

    fn compose(&mut self, at: usize, what: &str, rest: &[&str], extra: &Extra) -> Option<Vec<u8>> {
        let phone = &mut self.phones[at];
        let argument = rest.iter().find(|word| !word.contains('='));
        if let Ok(status) = what.parse() {
            let method = argument.copied().unwrap_or("INVITE");
            return phone.answer(status, method, self.server, extra);
        }
        if let Some(method) = what.strip_prefix('+') {
            return phone.request_inside(method, extra);
        }
        match what {
            "CANCEL" => phone.like_invite("CANCEL", None, extra),
            "REGISTER" => phone.request(what, "sip:example.com", extra),
            _ => phone.request(what, &uri_of(argument.copied().unwrap_or_default()), extra),
        }
    }

    fn list_calls(&mut self) {
        let (rows, next) = self.engine.calls(None, 100);
        assert_eq!(next, None);
        for row in rows {
            let (queue, agent) = (row.queue.unwrap_or("-".into()), row.agent.unwrap_or("-".into()));
            self.note(&format!("calls      {}: {} to {}, queue {queue}, agent {agent}", row.state, row.from, row.to));
        }
    }

    fn index(&self, name: &str) -> usize {
        self.phones.iter().position(|phone| phone.name == name).unwrap_or_else(|| panic!("no phone {name}"))
    }

    fn phone_mut(&mut self, name: &str) -> &mut Phone {
        let at = self.index(name);
        &mut self.phones[at]
    }
}

fn uri_of(argument: &str) -> String {
    match argument {
        uri if uri.contains(':') => uri.to_owned(),
        "" => "sip:example.com".to_owned(),
        number => format!("sip:{number}@example.com"),
    }
}

fn span_of(text: &str) -> Span {
    match text.strip_suffix("ms") {
        Some(millis) => Span::from_millis(millis.parse().expect("milliseconds")),
        None => Span::from_secs(text.trim_end_matches('s').parse().expect("seconds")),
    }
}

/// `key=value` words, and headers behind bars.
fn extra_of(words: &[&str], headers: &str) -> Extra {
    let mut extra = Extra::default();
    for header in headers.split(" | ").filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once(": ").expect("a header");
        extra.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    for (key, value) in words.iter().filter_map(|word| word.split_once('=')) {
        let text = Some(value.to_owned());
        match key {
            "body" => extra.body = text,
            "tag" => extra.tag = text,
            "branch" => extra.branch = text,
            "via" => extra.via = text,
            "contact" => extra.contact = Some(value.replace('_', " ")),
            "password" => extra.password = text,
            "to" => extra.to = text,
            "from" => extra.from = text,
            "dialog" => extra.dialog = value.parse().ok(),
            "request" => extra.request = value.parse().ok(),
            "seq" => extra.seq = value.parse().ok(),
            "hops" => extra.hops = value.parse().ok(),
            "contacts" => extra.nocontact = value == "none",
            _ => {}
        }
    }
    extra
}
