//! Carries out what the replica asks for.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use redundancy::hot_standby::{Effect, Predecessor, Released, Remark, Retirement, RoleName, Serve, Stamp};

use super::durable::UNCOUNTED;
use super::hindrance::Hindrance;
use super::link::{Link, LinkFrame};
use super::mail::Mail;
use super::service::{Action, Service};
use super::shell::{End, Shell};
use super::streams::Stream;
use crate::channel::Channel;
use crate::clock;
use crate::coordinator::Coordinator;
use crate::local;
use crate::wire::{Opening, Trouble};

impl<S: Service> Shell<S> {
    /// Carries out effects until there are none.
    pub(super) fn carry_out(&mut self) {
        loop {
            let effects: Vec<_> = self.replica.take_effects().collect();
            if effects.is_empty() {
                return self.let_go();
            }
            for effect in effects {
                self.perform(effect);
            }
        }
    }

    fn perform(&mut self, effect: Effect<S::Output>) {
        match effect {
            Effect::Frame { bytes, checkpoint } => {
                if let Some(stamp) = checkpoint {
                    self.holding.begins(stamp, clock::now());
                }
                match self.far {
                    Some(_) => self.tell_far(&bytes),
                    None => self.put_on_link(bytes, checkpoint),
                }
            }
            Effect::Release(output) => self.act(output),
            Effect::Shadow(output) => self.shadow(output),
            Effect::Pledge(revision) => self.pulse.pledge(revision),
            Effect::Ask(request) => drop(self.coordinator.send(request)),
            Effect::Dial(primary) if self.far.is_some() => self.dial_far(&primary.application),
            Effect::Dial(primary) => self.dial(&primary.application),
            Effect::HangUp if self.far.is_some() => self.hang_up_far(),
            Effect::HangUp => self.hang_up(),
            Effect::Journal { stamp, key, change } => self.record(stamp, key, &change),
            Effect::ReadJournals => self.begin(),
            Effect::Serve(serve) => self.serve(serve),
            Effect::StandBy => self.stand_by(),
            Effect::Retire(why) => self.retire(why),
            Effect::Tell(remark) => self.tell(&remark),
        }
    }

    /// Lets a released output out. Nothing else in this program writes to the network.
    fn act(&mut self, output: Released<S::Output>) {
        self.holding.ends(output.stamp(), clock::now());
        match S::action(output.into_inner()) {
            Action::Datagram { listener, to, bytes } => self.intake.post(listener, to, bytes),
            Action::Connect { connection, to } => self.connect(connection, to),
            Action::Stream { connection, bytes } => self.write_to(connection, &bytes),
            Action::Close { connection } => self.close_when_written(connection),
            Action::Mail(letter) => self.mail.send(letter, &self.mail_poll),
            Action::MailAgain => self.mail.begin_again(),
            Action::Answer { request, reply } => self.answer_order(request, &reply),
            Action::Log(note) => self.notes.take(self.now, &note),
        }
    }

    fn connect(&mut self, number: u64, to: SocketAddr) {
        if self.intake.streams.contains_key(&number) {
            return;
        }
        match Stream::connecting(to) {
            Ok(stream) => {
                self.intake.insert(number, stream);
                self.tell_connection(number);
            }
            Err(error) => {
                tracing::warn!(connection = number, "cannot connect: {error}");
                self.tell_closed(number);
            }
        }
    }

    fn write_to(&mut self, number: u64, bytes: &[u8]) {
        let Some(stream) = self.intake.streams.get_mut(&number) else { return };
        match stream.write(bytes) {
            Ok(()) => self.intake.watch(number),
            Err(_) => {
                self.close_stream(number);
                self.tell_closed(number);
            }
        }
    }

    fn close_when_written(&mut self, number: u64) {
        let Some(stream) = self.intake.streams.get_mut(&number) else { return };
        stream.closes = true;
        stream.settle();
        if !stream.account.is_open {
            // Nobody will take what waits for it; the engine waits to hear so.
            self.close_stream(number);
            self.tell_closed(number);
        } else if !stream.is_waiting() {
            self.close_stream(number);
        }
    }

    /// The engine hears in the midst of its outputs that a connection is gone.
    fn tell_closed(&mut self, number: u64) {
        if let Some(input) = S::closed(number) {
            self.replica.input(self.now, number, None, input);
            self.replica.flush(self.now);
        }
    }

    fn shadow(&mut self, output: S::Output) {
        let Action::Stream { connection, bytes } = S::action(output) else { return };
        let Some(link) = &mut self.link else { return };
        match self.intake.streams.get_mut(&connection) {
            Some(stream) => stream.shadow(&bytes),
            None => link.early.entry(connection).or_default().extend_from_slice(&bytes),
        }
    }

    fn put_on_link(&mut self, bytes: Vec<u8>, checkpoint: Option<Stamp>) {
        let Some(link) = &mut self.link else { return };
        match link.send_protocol(bytes, checkpoint) {
            Ok(()) => self.link_moved(),
            Err(error) => self.link_broke(&error),
        }
    }

    fn dial(&mut self, primary: &str) {
        let path = self.settings.folder.socket(primary);
        let connected = local::connect(&path).map_err(Into::into).and_then(|stream| {
            let mut channel = Channel::new(stream);
            channel.send(&Opening::Peer)?;
            let mut link = Link::new(channel);
            link.stale = self.intake.streams.keys().copied().collect();
            self.adopt_link(link)
        });
        match connected {
            Ok(()) => self.replica.link_up(),
            Err(_) => self.replica.link_down(self.now),
        }
    }

    fn serve(&mut self, serve: Serve) {
        self.later.push(format!("serves as primary epoch={} takeover={}", serve.epoch, serve.after.is_some()));
        self.count_calls = self.now + UNCOUNTED;
        self.addresses.claim(self.now);
        self.hindrance = Hindrance::none();
        if self.intake.listeners.is_empty()
            && let Err(trouble) = self.intake.listen(&self.settings.doors)
        {
            if serve.after.is_none() {
                // That an address could not be taken is why nobody can listen there.
                let trouble = self.addresses.troubles().next().unwrap_or(trouble);
                self.end = Some(End::Failed(trouble));
                return;
            }
            self.hindrance.keeps_shut(self.now, trouble);
        }
        let mut known = self.known_connections();
        if serve.after.as_ref().is_none_or(|predecessor| !predecessor.complete) {
            // What a predecessor had read and written of its connections is gone, so their streams make no sense any more.
            // Their peers come back (RFC 5626).
            self.intake.end_streams();
            self.orphans.learn(&self.settings, self.replica.engine_mut().connected());
            self.close_missing(&std::mem::take(&mut known));
        }
        if let Some(predecessor) = &serve.after {
            self.succeed(predecessor, &known);
            self.take_waiting();
            self.replica.inputs_taken(self.now);
        }
        self.mail = Mail::Due;
    }

    /// Takes the predecessor's place: its inputs, its connections, of which the records knew the `known` ones.
    fn succeed(&mut self, predecessor: &Predecessor, known: &BTreeSet<u64>) {
        self.intake.inherit_streams();
        // Either a connection's record or its descriptor may have been on its way. What the predecessor had read of a new
        // one is in the ring, so the engine must know it before; of one that is gone, so it must know it still; and what it
        // wants to connect now has no descriptor yet.
        self.open_unknown(known);
        self.take_left_behind(predecessor);
        self.close_missing(known);
        self.replica.flush(self.now);
    }

    /// The connections that the records know.
    fn known_connections(&self) -> BTreeSet<u64> {
        self.replica.engine().connections().into_iter().collect()
    }

    /// Tells the engine that those of `known` that have no descriptor are gone.
    fn close_missing(&mut self, known: &BTreeSet<u64>) {
        for number in known {
            if !self.intake.streams.contains_key(number)
                && let Some(input) = S::lost(*number)
            {
                self.replica.input(self.now, *number, None, input);
            }
        }
    }

    /// Tells the engine of the connections that are not among the `known` ones.
    fn open_unknown(&mut self, known: &BTreeSet<u64>) {
        let unknown: Vec<_> = self
            .intake
            .streams
            .iter()
            .filter(|(number, stream)| stream.account.is_open && !known.contains(number))
            .map(|(number, stream)| (*number, stream.account.listener, stream.account.remote))
            .collect();
        for (number, listener, remote) in unknown {
            self.opened(number, listener, remote);
        }
    }

    /// Opens the way to the other pair, if this side serves since this turn.
    pub(super) fn open_mail(&mut self) {
        if !matches!(self.mail, Mail::Due) {
            return;
        }
        self.mail = Mail::Off;
        if let Err(error) = self.try_mail() {
            tracing::error!("cannot be reached by the other pair: {error}");
        }
    }

    fn try_mail(&mut self) -> std::io::Result<()> {
        let path = |name: &String| self.settings.folder.mail(name);
        self.mail = if self.settings.is_called {
            Mail::answer(&path(&self.settings.me.application), &self.mail_poll)?
        } else {
            let paths: Vec<_> = self.settings.calls.iter().map(path).collect();
            Mail::call(&paths, &self.mail_poll)?
        };
        Ok(())
    }

    fn stand_by(&mut self) {
        tracing::info!("stands by as backup after a planned switchover");
        // What was released leaves from the address before that is given up.
        self.send_datagrams();
        self.mail.hang_up();
        self.addresses.release(self.now);
        self.hindrance = Hindrance::default();
        if self.far.is_some() {
            // Whoever serves on another host has doors of its own.
            self.intake.let_go();
        }
    }

    /// A side without role and link has no right to what was handed over to it: it would keep the address from whoever
    /// begins anew.
    fn let_go(&mut self) {
        let holds = !self.intake.listeners.is_empty() || !self.intake.streams.is_empty();
        let linked = self.link.as_ref().is_some_and(|link| !link.is_broken);
        if holds && !linked && self.replica.status().role == RoleName::Starting {
            self.intake.let_go();
        }
    }

    fn retire(&mut self, why: Retirement) {
        tracing::warn!(?why, "this incarnation is over");
        let me = &self.settings.me.application;
        self.end = Some(last_words(me, &why, &self.settings.folder.log(me)).map_or(End::Retired, End::Failed));
    }

    fn tell(&mut self, remark: &Remark) {
        match remark {
            Remark::Panicked { fingerprint, touched } => {
                tracing::error!(fingerprint, ?touched, "an input made the engine panic: its calls were dropped");
            }
            Remark::SwitchoverFailed(after) => tracing::warn!(%after, "a planned switchover did not come about"),
            Remark::Suspects(peer) => tracing::warn!(%peer, "the primary is gone, asks for the next epoch"),
            Remark::Inherits(peer) => tracing::warn!(%peer, "the primary is gone, and had asked for nothing at the end"),
            Remark::Joining(peer) => tracing::info!(%peer, "sends the records to a new backup"),
            Remark::Level(peer) => tracing::info!(%peer, "the backup is in sync"),
            Remark::Solo => tracing::warn!("goes on without a backup"),
            Remark::BeganWithHeld(Stamp { epoch, sequence }) => self.alarms.lost(format!(
                "everybody in sync had ended: began with what this side had been sent up to checkpoint {sequence} of epoch \
                 {}; calls that came or changed later are lost",
                epoch.0
            )),
            Remark::ColdStart { records, is_behind } => {
                tracing::info!(records, "began with the durable records");
                if *is_behind {
                    self.alarms.lost(
                        "began with the durable records of this host, and another host had newer ones: registrations and states of agents \
                         that changed since this one was in sync are lost"
                            .into(),
                    );
                }
            }
        }
    }

    /// Tells the other side of a connection, with its descriptor.
    pub(super) fn tell_connection(&mut self, number: u64) {
        let Some(stream) = self.intake.streams.get(&number) else { return };
        let (account, descriptor) = (stream.account.clone(), stream.share());
        self.tell_link(&LinkFrame::Connection { number, account }, vec![descriptor]);
    }
}

/// What people must learn of the end of an incarnation, unless it is in the nature of a pair.
fn last_words(me: &str, why: &Retirement, log: &Path) -> Option<Trouble> {
    let what = match why {
        Retirement::CannotKeep => "cannot keep what the other side sent: it is damaged, or of another version",
        Retirement::Diverged => "did not hold the same records as the other side",
        Retirement::Superseded(_) | Retirement::Outdated => return None,
    };
    let remedy = format!("{} and the log of the other side say more", log.display());
    Some(Trouble::new(format!("{me} {what}"), remedy))
}

#[cfg(test)]
mod tests {
    use model::Epoch;

    use super::*;

    #[test]
    fn only_an_end_that_should_not_be_has_last_words() {
        let say = |why| last_words("sip-b", &why, Path::new("log/sip-b.log")).map(|trouble| trouble.to_string());
        let refused = say(Retirement::CannotKeep).unwrap();
        assert!(refused.starts_with("sip-b cannot keep") && refused.contains("(log/sip-b.log and"), "{refused}");
        assert!(say(Retirement::Diverged).is_some());
        assert_eq!([say(Retirement::Superseded(Epoch(2))), say(Retirement::Outdated)], [None, None]);
    }
}
