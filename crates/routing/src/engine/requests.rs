//! What people ask for: done once, answered as often as it is asked (rule 11 of the hot standby protocol).

use model::{RecordKey, Time};

use super::{ANSWERED_FOR, ANSWERED_MAX, Engine};
use crate::index::DeskAt;
use crate::output::Output;
use crate::record::{ANSWERED, Agent, Answered, Chosen, Extension, Reason, Value};
use crate::request::{AgentRow, Answer, Ask, Choice, REASON_MAX, Refusal, RequestNumber};

impl Engine {
    /// Does what is asked, or gives the answer that was given before.
    pub(super) fn request(&mut self, now: Time, request: RequestNumber, ask: Ask) {
        let key = RecordKey::new(ANSWERED, request.0);
        if let Some(answered) = self.get::<Answered>(key) {
            let answer = answered.answer.clone();
            return self.outputs.push(Output::Answer(answer));
        }
        if self.index.answered >= ANSWERED_MAX {
            let result = Err(Refusal::TooManyRequests);
            return self.outputs.push(Output::Answer(Answer { request, result }));
        }
        let Ask::SetAgent { agent, choice } = ask;
        let answer = Answer { request, result: self.set_agent(now, &agent, choice) };
        self.index.answered += 1;
        self.store.insert(key, Value::Answered(Answered { answer: answer.clone(), until: now + ANSWERED_FOR }));
        self.outputs.push(Output::Answer(answer));
    }

    fn set_agent(&mut self, now: Time, agent: &str, choice: Choice) -> Result<AgentRow, Refusal> {
        let desk = self.index.desk_of(agent).or_else(|| self.index.desk_at(agent)).ok_or(Refusal::UnknownAgent)?;
        match choice {
            Choice::Ready => self.choose_ready(now, desk),
            Choice::NotReady { reason: Some(reason) } if reason.len() > REASON_MAX => {
                return Err(Refusal::ReasonTooLong);
            }
            Choice::NotReady { reason } => {
                let key = self.index.desks[desk].agent;
                if let Some(agent) = self.get_mut::<Agent>(key) {
                    agent.chosen = Chosen::NotReady(Reason::Given(reason));
                }
                self.withdraw(desk);
            }
        }
        self.refresh(now, desk);
        self.row(desk).ok_or(Refusal::UnknownAgent)
    }

    /// Who says "ready" joins the end of the idle, and is tried again even if the last offer found no contact.
    fn choose_ready(&mut self, now: Time, desk: DeskAt) {
        let (agent, extension) = (self.index.desks[desk].agent, self.index.desks[desk].extension);
        let retried = self.get_mut::<Extension>(extension).is_some_and(|extension| extension.failed.take().is_some());
        if let Some(agent) = self.get_mut::<Agent>(agent)
            && (retried || agent.chosen != Chosen::Ready)
        {
            agent.chosen = Chosen::Ready;
            agent.idle_since = now;
        }
    }
}
