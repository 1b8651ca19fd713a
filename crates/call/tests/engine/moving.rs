//! A host with an address of its own takes over the calls of another one.

use call::limits::{MOVED_CALLS, MOVED_STEP};
use call::{Action, Engine, Event, Settings};
use model::{Epoch, Time};
use redundancy::change::Changes;
use redundancy::hot_standby::Engine as _;

use super::{actions, address, answer, datagram, invite, line, sent_to, settings};

const CALLS: u32 = 3 * MOVED_CALLS as u32 + 7;

/// A host at an address of its own, which has taken over these records.
fn host(last: u8, records: &[u8], epoch: u64) -> Engine {
    let mut settings: Settings = settings();
    settings.agents.clear();
    settings.listeners.iter_mut().for_each(|listener| listener.address = address(last));
    let mut engine = Engine::new(settings.at_home([1, 9].map(|last| address(last).ip()).into()));
    for change in Changes::new(records) {
        engine.store_mut().absorb(&change.expect("whole changes"));
    }
    engine.begin(Time::ZERO, Epoch(epoch), epoch);
    engine
}

fn records(engine: &mut Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.store_mut().drain(&mut bytes, |_, _| {});
    bytes
}

/// A host with many calls that talk.
fn busy() -> Engine {
    let mut engine = host(1, &[], 1);
    engine.expire(Time::ZERO);
    for count in 1..=CALLS {
        datagram(&mut engine, Time::ZERO, &invite(count, "1002"));
        let leg = sent_to(&mut engine, 3).remove(0);
        datagram(&mut engine, Time::ZERO, &answer(&leg, 0));
        let answered = sent_to(&mut engine, 2).pop().expect("the answer");
        let ack = invite(count, "1002").replace("INVITE", "ACK");
        datagram(&mut engine, Time::ZERO, &ack.replace(line(&ack, "To:"), line(&answered, "To:")));
        actions(&mut engine);
    }
    engine
}

#[test]
fn the_parties_of_many_calls_are_told_where_they_are_some_at_a_time() {
    let mut engine = host(9, &records(&mut busy()), 2);
    let mut told = Vec::new();
    let mut now = Time::ZERO;
    let mut taken_over = Vec::new();
    while engine.store().deadline() < Time::ZERO + MOVED_STEP.times(10) {
        now = now.max(engine.store().deadline());
        engine.expire(now);
        let mut refreshes = 0;
        for action in actions(&mut engine) {
            match action {
                Action::Datagram { bytes, .. } if bytes.starts_with(b"UPDATE") => {
                    let text = String::from_utf8(bytes).expect("text");
                    assert!(line(&text, "Contact:").contains(&address(9).to_string()), "{text}");
                    refreshes += 1;
                }
                Action::Log(Event::CallsMoved { calls }) => taken_over.push(calls),
                _ => {}
            }
        }
        told.push(refreshes);
    }
    let step = 2 * MOVED_CALLS;
    assert_eq!(told, [step, step, step, 2 * 7], "both parties of each");
    assert_eq!(taken_over, [CALLS]);
}

#[test]
fn who_takes_over_at_the_same_address_tells_nobody() {
    let mut engine = host(1, &records(&mut busy()), 2);
    engine.expire(Time::ZERO + MOVED_STEP.times(10));
    assert_eq!(actions(&mut engine), []);
}
