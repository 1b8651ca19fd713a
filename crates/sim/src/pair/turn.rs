//! One turn of a server's thread: what a shell does each time its poll returns.

use model::{Incarnation, Span, Time};
use redundancy::hot_standby::{Commit, Message};

use super::link::{OnLink, Read};
use super::process::FromControl;
use super::{End, Event, MOST_SPINS, Pair, PairEvent, Service, Side, other};
use crate::kernel::Core;

/// Datagrams that are received at once.
const BATCH: usize = 8;

impl<S: Service> Pair<S> {
    /// Lets the process have the processor at `at`, if it is not to have it earlier.
    pub(super) fn wake<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, at: Time) {
        let delay = self.plan.scheduler.draw(&mut core.chances.hosts);
        let Some(process) = &mut self.applications[side].process else { return };
        let at = at.max(core.now) + delay;
        if at < process.wake_at {
            process.wake_at = at;
            let run = process.me.run;
            self.plan_event(core, at, Event::Wake(side, run));
        }
    }

    pub(super) fn wakes<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, run: u64) {
        let now = core.now;
        if let Some(process) = self.run_mut(side, run).filter(|process| process.wake_at == now) {
            process.wake_at = Time::NEVER;
            if !process.stopped {
                self.turn(core, side);
            }
        }
    }

    pub(super) fn resumes<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, run: u64) {
        if let Some(process) = self.run_mut(side, run).filter(|process| process.stopped) {
            process.stopped = false;
            core.trace.mark(core.now, self.actor(side), 0xc047, || "continues".to_owned());
            self.turn(core, side);
        }
    }

    pub(super) fn local(&self, core_now: Time, side: Side) -> Time {
        self.hosts[self.host_of(side)].clock.local(core_now)
    }

    /// One turn; ends early if the process ends or is stopped in the middle.
    fn turn<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        let finished = self.take_part(core, side).is_some();
        if finished {
            self.plan_next_turn(core, side);
        }
        self.check_after_turn(core);
    }

    fn take_part<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        self.carry(core, side)?;
        self.accept_links(core, side);
        self.hear_control(core, side)?;
        self.hear_link(core, side, false)?;
        self.hear_far(core, side)?;
        self.hear_facts(core, side)?;
        self.hear_dialling(core, side)?;
        self.take_in_journals(core, side)?;
        self.write_out(core, side);
        self.do_what_is_due(core, side)?;
        self.take_inputs(core, side)?;
        self.take_streams(core, side)?;
        self.take_asides(core, side)?;
        let local = self.local(core.now, side);
        self.applications[side].process.as_mut()?.replica.flush(local);
        self.carry(core, side)?;
        self.announce_address(core, side);
        Some(())
    }

    fn hear_control<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        while let Some(news) = self.next_from_control(core.now, side) {
            let local = self.local(core.now, side);
            let process = self.applications[side].process.as_mut()?;
            process.note_kept();
            match news {
                FromControl::Up => process.replica.coordinator_up(),
                FromControl::Down => process.replica.coordinator_down(),
                FromControl::Says(reply) => process.replica.coordinator_says(local, reply),
            }
            self.carry(core, side)?;
        }
        Some(())
    }

    /// Reads the link; with `drain`, all that its kernel holds, because the writer has ended.
    fn hear_link<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, drain: bool) -> Option<()> {
        loop {
            let read = self.read_link(core, side, drain);
            let local = self.local(core.now, side);
            let process = self.applications[side].process.as_mut()?;
            match read {
                Read::Nothing => {
                    process.note_kept();
                    return Some(());
                }
                Read::Frame(OnLink::Stream(news)) => {
                    self.hear_of_stream(side, news);
                    continue;
                }
                Read::Frame(OnLink::Protocol(frame)) => {
                    // The first octet names the message; only the first ones are worth reading twice.
                    match frame.first().filter(|name| **name <= 1).and_then(|_| Message::decode(&frame)) {
                        Some(Message::Hello { .. }) => self.hand_over_streams(core, side)?,
                        Some(Message::Welcome { .. }) => self.forget_stale_streams(side),
                        _ => {}
                    }
                    let process = self.applications[side].process.as_mut()?;
                    process.note_kept();
                    process.replica.link_frame(local, &frame);
                }
                Read::End => {
                    process.note_kept();
                    process.replica.link_down(local);
                }
            }
            self.carry(core, side)?;
        }
    }

    fn hear_facts<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        while let Some(who) = self.applications[side].process.as_ref()?.facts.front().cloned() {
            if self.plan.layout.commit() == Commit::Published && self.link_leads_to(side, &who) {
                self.hear_link(core, side, true)?;
            }
            let local = self.local(core.now, side);
            let process = self.applications[side].process.as_mut()?;
            process.facts.pop_front();
            process.note_kept();
            if let Some(pledge) = self.agents.last_words.get(&who) {
                process.replica.last_word(who.clone(), *pledge);
            }
            process.replica.ended(local, &who);
            self.carry(core, side)?;
        }
        Some(())
    }

    /// True if nobody but `who` can have written what waits on the link.
    fn link_leads_to(&self, side: Side, who: &Incarnation) -> bool {
        self.side_of(who) == Some(other(side))
    }

    fn hear_dialling<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let local = self.local(core.now, side);
        let process = self.applications[side].process.as_mut()?;
        if std::mem::take(&mut process.failed_to_dial) {
            process.replica.link_down(local);
            self.carry(core, side)?;
        }
        let process = self.applications[side].process.as_mut()?;
        if std::mem::take(&mut process.answered) && process.link.is_some() {
            process.stale = process.streams.keys().copied().collect();
            process.replica.link_up();
            self.carry(core, side)?;
        }
        Some(())
    }

    fn do_what_is_due<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let local = self.local(core.now, side);
        let process = self.applications[side].process.as_mut()?;
        if process.replica.deadline() <= local {
            process.note_kept();
            process.replica.tick(local);
            self.carry(core, side)?;
        }
        Some(())
    }

    /// Receives datagrams into the ring, then hands them to the engine one by one.
    fn take_inputs<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let process = self.applications[side].process.as_mut()?;
        if !process.replica.accepts_inputs() {
            return Some(());
        }
        let host = self.host_of(side);
        for (number, datagram) in self.hosts[host].receive_into_ring(BATCH) {
            self.feed(core, side, number, &datagram)?;
        }
        Some(())
    }

    /// Takes in what came on other ways; not while inputs must wait, because nobody would repeat it.
    fn take_asides<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let local = self.local(core.now, side);
        loop {
            let process = self.applications[side].process.as_mut()?;
            let arrived = process.asides.front().is_some_and(|(at, _)| *at <= core.now);
            if !arrived || !process.replica.accepts_inputs() {
                return Some(());
            }
            if let Some((_, aside)) = process.asides.pop_front() {
                S::aside(&mut process.replica, local, &aside);
            }
        }
    }

    /// Hands one datagram to the engine.
    pub(super) fn feed<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
        number: u64,
        datagram: &S::Datagram,
    ) -> Option<()> {
        let local = self.local(core.now, side);
        let host = self.host_of(side);
        let process = self.applications[side].process.as_mut()?;
        let ring = &mut self.hosts[host].ring;
        ring.take_in_hand(&process.me, number);
        core.trace.mark(core.now, crate::kernel::Actor::Server(self.id, side as u8), number, || {
            format!("takes #{number} {}", S::describe_datagram(datagram))
        });
        let _ = S::feed(&mut process.replica, local, number, datagram);
        if S::died(&mut process.replica) {
            self.ends(core, side, End::Aborted);
            return None;
        }
        ring.put_down();
        Some(())
    }

    /// Plans when the process runs again: at its deadline, or when something waits for it.
    fn plan_next_turn<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        let host = self.host_of(side);
        let host = &mut self.hosts[host];
        let Some(process) = &self.applications[side].process else { return };
        host.ring.free(process.replica.mark());
        let announcer = process.announcer.map_or(Time::NEVER, |announcer| announcer.deadline());
        let due = process.replica.deadline().min(process.far.deadline()).min(announcer);
        let due = host.clock.when(due);
        let far = self.cables.next_arrival(&process.far.cables(), side);
        let accepts = process.replica.accepts_inputs();
        let aside = process.asides.front().filter(|_| accepts).map_or(Time::NEVER, |(at, _)| *at);
        let reads = accepts && !host.socket.is_empty();
        let next = if reads { core.now } else { due.min(self.link_arrival(side)).min(far).min(aside) };
        if next <= core.now {
            self.spins += 1;
            if self.spins > MOST_SPINS {
                core.fail("progress", || "a server runs without end and without effect".to_owned());
            }
            let soon = core.now + Span::from_micros(1);
            return self.wake(core, side, soon);
        }
        self.spins = self.spins.saturating_sub(1);
        if next < Time::NEVER {
            self.wake(core, side, next);
        }
    }
}
