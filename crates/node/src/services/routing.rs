//! The Routing Server: it has no socket but its mail.

use std::net::SocketAddr;

use model::Time;
use redundancy::mailbox::Envelope;
use routing::{Answer, Ask, Choice, Engine, Input, Output, RequestNumber};

use super::page;
use crate::server::{Action, Note, Service};
use crate::wire::{AgentRow, CallRow, ControlReply, Page, Trouble};

impl Service for Engine {
    fn datagram(_: u8, _: SocketAddr, _: &[u8]) -> Option<Input> {
        None
    }

    fn bytes(_: u64, _: &[u8]) -> Option<Input> {
        None
    }

    fn accepted_number(_: model::Epoch, count: u64) -> u64 {
        count
    }

    fn opened<'a>(_: u64, _: Option<u8>, _: SocketAddr) -> Option<Self::Input<'a>> {
        None
    }

    fn closed<'a>(_: u64) -> Option<Self::Input<'a>> {
        None
    }

    fn partner<'a>(is_there: bool) -> Self::Input<'a> {
        if is_there { Input::MailConnected } else { Input::MailGone }
    }

    fn mail(bytes: &[u8]) -> Option<Input> {
        postcard::from_bytes::<Envelope<model::route::News>>(bytes).ok().map(Input::Mail)
    }

    fn order<'a>(request: u64, agent: &str, ready: bool, reason: Option<&str>) -> Option<Self::Input<'a>> {
        let choice = if ready { Choice::Ready } else { Choice::NotReady { reason: reason.map(str::to_owned) } };
        Some(Input::Request { id: RequestNumber(request), ask: Ask::SetAgent { agent: agent.to_owned(), choice } })
    }

    fn action(output: Output) -> Action {
        match output {
            Output::Mail(envelope) => {
                Action::Mail(postcard::to_allocvec(&envelope).expect("writing to memory cannot fail"))
            }
            Output::Reconnect => Action::MailAgain,
            Output::Answer(answer) => answered(answer),
            Output::Event(event) => Action::Log(Note::quiet(&event)),
        }
    }

    fn connections(&self) -> Vec<u64> {
        Vec::new()
    }

    fn calls(&mut self, _: Option<u64>, _: u32, _: &dyn Fn(Time) -> u64) -> Page<CallRow> {
        Page { rows: Vec::new(), next: None }
    }

    fn agents(&mut self, after: Option<u64>, limit: u32, date: &dyn Fn(Time) -> u64) -> Page<AgentRow> {
        let rows = Self::agents(self).into_iter().map(|row| AgentRow {
            id: row.id,
            extension: row.extension,
            state: row.state.to_string(),
            reason: row.reason,
            since: date(row.since),
        });
        page(rows, after, limit)
    }
}

fn answered(answer: Answer) -> Action {
    let reply = match answer.result {
        Ok(_) => ControlReply::Done,
        Err(refusal) => ControlReply::Refused(Trouble::new("the agent was not changed", refusal.to_string())),
    };
    Action::Answer { request: answer.request.0, reply }
}
