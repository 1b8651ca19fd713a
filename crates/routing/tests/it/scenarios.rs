//! Scripts in, transcripts out: `scenarios/*.txt` against golden files.
//!
//! Every script is also run with a takeover after each of its lines, and has to give the same transcript.

use std::fmt::Write as _;

use model::route::{CallNumber, News, Offer, OfferNumber, Order, Unanswered};
use model::{Span, Time};
use redundancy::mailbox::Envelope;
use routing::{AgentSettings, Ask, Choice, Output, QueueSettings, Settings};

use crate::tape::Tape;

#[test]
fn scenarios_are_as_written_down_and_survive_a_takeover_after_every_line() {
    insta::glob!("scenarios/*.txt", |path| {
        let script = std::fs::read_to_string(path).expect("the script can be read");
        let quiet = run(&script, false);
        assert_eq!(quiet, run(&script, true), "a takeover changes nothing that anybody sees");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("transcript", quiet);
        });
    });
}

fn run(script: &str, restless: bool) -> String {
    let (settings, lines) = script.split_once("--\n").expect("settings, a line of two dashes, what happens");
    let mut player = Player {
        tape: Tape::new(parse_settings(settings), restless),
        offers: Vec::new(),
        last: None,
        transcript: String::new(),
    };
    for line in lines.lines().map(str::trim) {
        player.play(line);
    }
    player.transcript
}

fn parse_settings(text: &str) -> Settings {
    let mut settings = Settings::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["agent", id, extension, rest @ ..] => settings.agents.push(AgentSettings {
                id: (*id).into(),
                extension: (*extension).into(),
                auto_ready: rest == ["auto"],
            }),
            ["queue", number, "capacity", capacity, "patience", seconds, "agents", agents @ ..] => {
                settings.queues.push(QueueSettings {
                    number: (*number).into(),
                    agents: agents.iter().map(|agent| (*agent).to_owned()).collect(),
                    capacity: capacity.parse().expect("a capacity"),
                    no_answer: Span::from_secs(seconds.parse().expect("seconds")),
                });
            }
            _ => panic!("not a setting: {line}"),
        }
    }
    settings
}

struct Player {
    tape: Tape,
    /// The offers in the order in which they were made: the first is `o1`.
    offers: Vec<OfferNumber>,
    last: Option<Ask>,
    transcript: String,
}

impl Player {
    fn play(&mut self, line: &str) {
        writeln!(self.transcript, "{line}").expect("a string takes everything");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] | ["#", ..] => {}
            ["greet"] => self.tape.greet(),
            ["cut"] => self.tape.cut(),
            ["sip", "forgets"] => self.tape.forget(),
            ["sip", "starts", "over"] => self.tape.start_over(),
            ["cold", "start"] => self.tape.cold_start(),
            ["show"] => self.show(),
            ["wait", seconds] => self.tape.wait(Span::from_secs(seconds.parse().expect("seconds"))),
            ["agent", agent, "ready"] => self.set(agent, Choice::Ready),
            ["agent", agent, "not-ready", reason @ ..] => {
                let reason = (!reason.is_empty()).then(|| reason.join(" "));
                self.set(agent, Choice::NotReady { reason });
            }
            ["again"] => {
                let ask = self.last.clone().expect("something was asked");
                self.tape.ask_again(ask);
            }
            _ => {
                let news = self.parse_news(&words);
                self.tape.say(news);
            }
        }
        for output in std::mem::take(&mut self.tape.out) {
            let text = self.describe(&output);
            writeln!(self.transcript, "    {text}").expect("a string takes everything");
        }
    }

    fn set(&mut self, agent: &str, choice: Choice) {
        let ask = Ask::SetAgent { agent: agent.into(), choice };
        self.last = Some(ask.clone());
        self.tape.ask(ask);
    }

    fn parse_news(&self, words: &[&str]) -> News {
        match *words {
            ["all", "told"] => News::AllTold,
            [call, "left"] => News::Left { call: parse_call(call) },
            [call, "answered", offer] => News::Answered { call: parse_call(call), offer: self.offer(offer) },
            [call, "unanswered", offer, why] => {
                let why = match why {
                    "no-answer" => Unanswered::NoAnswer,
                    "declined" => Unanswered::Declined,
                    "unreachable" => Unanswered::Unreachable,
                    _ => panic!("not a reason: {why}"),
                };
                News::NotAnswered { call: parse_call(call), offer: self.offer(offer), why }
            }
            [call, "waits", queue, since, ref offer @ ..] => News::Waiting {
                call: parse_call(call),
                queue: queue.into(),
                since: Time::from_micros(since.parse().expect("a time")),
                offer: match *offer {
                    [] => None,
                    [number, agent, extension] => {
                        Some(Offer { number: self.offer(number), agent: agent.into(), extension: extension.into() })
                    }
                    _ => panic!("not an offer: {offer:?}"),
                },
            },
            [number, stands @ ("up" | "down"), ref calls @ ..] => News::Extension {
                number: number.into(),
                reachable: stands == "up",
                calls: calls.iter().map(|call| parse_call(call)).collect(),
            },
            _ => panic!("not a line of a script: {words:?}"),
        }
    }

    fn offer(&self, name: &str) -> OfferNumber {
        let at: usize = name.strip_prefix('o').and_then(|at| at.parse().ok()).expect("an offer");
        // One that was never made has a number that is never drawn.
        self.offers.get(at - 1).copied().unwrap_or(OfferNumber(at as u64))
    }

    fn name(&mut self, offer: OfferNumber) -> String {
        let known = self.offers.iter().position(|known| *known == offer);
        let at = known.unwrap_or_else(|| {
            self.offers.push(offer);
            self.offers.len() - 1
        });
        format!("o{}", at + 1)
    }

    fn describe(&mut self, output: &Output) -> String {
        match output {
            Output::Mail(Envelope::Message { message, .. }) => format!("> {}", self.describe_order(message)),
            Output::Mail(other) => panic!("the tape keeps these to itself: {other:?}"),
            Output::Reconnect => "> (connects anew)".into(),
            Output::Answer(answer) => match &answer.result {
                Ok(row) => format!("= {} {} {:?} since {}", row.id, row.state, row.reason, row.since),
                Err(refusal) => format!("= {refusal}"),
            },
            Output::Event(event) => {
                if let routing::Event::Offered { offer, .. } = event {
                    self.name(*offer);
                }
                let names = (1..).zip(&self.offers);
                let text = names.fold(event.to_string(), |text, (at, offer)| {
                    text.replace(&format!("offer {:x}", offer.0), &format!("offer o{at}"))
                });
                format!("- {text}")
            }
        }
    }

    fn describe_order(&mut self, order: &Order) -> String {
        match order {
            Order::Queued { call } => format!("queued c{}", call.0),
            Order::Refuse { call, status } => format!("refuse c{} {status}", call.0),
            Order::Ring { call, offer, patience } => {
                format!(
                    "ring {} for c{}, {}, {} for {patience}",
                    offer.extension,
                    call.0,
                    self.name(offer.number),
                    offer.agent
                )
            }
            Order::Withdraw { call, offer } => format!("withdraw {} of c{}", self.name(*offer), call.0),
            Order::Audit { extension } => format!("audit {extension}"),
            Order::AllTold => "all told".into(),
        }
    }

    fn show(&mut self) {
        for row in self.tape.pair.engine.agents() {
            let reason = row.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            writeln!(self.transcript, "    | {} {} {}{reason} since {}", row.id, row.extension, row.state, row.since)
                .expect("a string takes everything");
        }
        for row in self.tape.pair.engine.queues() {
            writeln!(
                self.transcript,
                "    | {} waiting {} ringing {} ready {}",
                row.number, row.waiting, row.ringing, row.ready
            )
            .expect("a string takes everything");
        }
    }
}

fn parse_call(name: &str) -> CallNumber {
    CallNumber(name.strip_prefix('c').and_then(|number| number.parse().ok()).expect("a call"))
}
