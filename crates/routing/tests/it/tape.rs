//! A SIP Server that says what it is made to say, and takes down what it is told.

use model::route::{News, Order};
use model::{Span, Time};
use redundancy::mailbox::{Envelope, Heard};
use routing::{Ask, Input, Output, RequestNumber, Settings};

use crate::pair::Pair;

pub(crate) struct Tape {
    pub(crate) pair: Pair,
    pub(crate) now: Time,
    /// True if the primary is to be replaced by its backup after every step.
    pub(crate) restless: bool,
    connected: bool,
    stream: u64,
    said: Vec<News>,
    heard: Heard,
    /// Nobody has asked for the present stream yet.
    anew: bool,
    requests: u64,
    /// What came out since it was last looked at, without greetings and confirmations.
    pub(crate) out: Vec<Output>,
}

impl Tape {
    pub(crate) fn new(settings: Settings, restless: bool) -> Self {
        let now = Time::ZERO + Span::from_secs(1);
        let pair = Pair::new(settings, now);
        Self {
            pair,
            now,
            restless,
            connected: false,
            stream: 0,
            said: Vec::new(),
            heard: Heard::default(),
            anew: false,
            requests: 0,
            out: Vec::new(),
        }
    }

    /// A connection is made, and both sides greet.
    pub(crate) fn greet(&mut self) {
        self.connected = true;
        let greeting = self.pair.handle(self.now, Input::MailConnected);
        let answer = self.pair.handle(self.now, Input::Mail(Envelope::Greeting(self.heard)));
        self.take(greeting);
        self.take(answer);
        self.confirm();
    }

    pub(crate) fn cut(&mut self) {
        self.connected = false;
        self.input(Input::MailGone);
    }

    /// The SIP Server loses its memory of what it said and heard.
    pub(crate) fn forget(&mut self) {
        self.heard = Heard::default();
        self.start_over();
    }

    /// The SIP Server begins a new stream; what is said from now on is said whenever it is asked for.
    pub(crate) fn start_over(&mut self) {
        self.stream += 1;
        self.said.clear();
        self.anew = true;
    }

    pub(crate) fn say(&mut self, news: News) {
        self.said.push(news.clone());
        if self.connected {
            let number = self.said.len() as u64;
            self.input(Input::Mail(Envelope::Message { stream: self.stream, number, message: news }));
            self.confirm();
        }
        self.rest();
    }

    pub(crate) fn ask(&mut self, ask: Ask) {
        self.requests += 1;
        self.ask_again(ask);
    }

    /// The last request once more.
    pub(crate) fn ask_again(&mut self, ask: Ask) {
        self.input(Input::Request { id: RequestNumber(self.requests), ask });
        self.confirm();
        self.rest();
    }

    /// Lets time go by, to each deadline on the way.
    pub(crate) fn wait(&mut self, span: Span) {
        let until = self.now + span;
        while self.pair.deadline() <= until {
            self.now = self.now.max(self.pair.deadline());
            let outputs = self.pair.expire(self.now);
            self.take(outputs);
            self.confirm();
        }
        self.now = until;
        self.rest();
    }

    pub(crate) fn cold_start(&mut self) {
        let outputs = self.pair.cold_start(self.now);
        self.connected = false;
        self.take(outputs);
    }

    pub(crate) fn take_over(&mut self) {
        let outputs = self.pair.take_over(self.now);
        self.take(outputs);
        if self.connected {
            self.greet();
        }
    }

    fn rest(&mut self) {
        if self.restless {
            self.take_over();
        }
    }

    fn input(&mut self, input: Input) {
        let outputs = self.pair.handle(self.now, input);
        self.take(outputs);
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match &output {
                Output::Mail(envelope) => {
                    assert!(self.connected, "mail goes out only where somebody listens");
                    if self.hear(envelope.clone()) {
                        self.out.push(output);
                    }
                }
                Output::Reconnect => {
                    self.connected = false;
                    self.out.push(output);
                }
                Output::Answer(_) | Output::Event(_) => self.out.push(output),
            }
        }
    }

    /// True if it is a message.
    fn hear(&mut self, envelope: Envelope<Order>) -> bool {
        match envelope {
            Envelope::Greeting(heard) => {
                let is_ours = heard.stream == self.stream && heard.stream != 0;
                if !is_ours && !self.anew {
                    self.start_over();
                }
                self.anew = false;
                let taken = if is_ours { heard.taken } else { 0 };
                let rest = self.said.get(taken as usize..).expect("nobody heard what was not said").to_vec();
                for (number, message) in (taken + 1..).zip(rest) {
                    self.input(Input::Mail(Envelope::Message { stream: self.stream, number, message }));
                }
                false
            }
            Envelope::Confirmed(heard) => {
                assert_eq!(heard.stream, self.stream, "what is confirmed was said");
                false
            }
            Envelope::Message { stream, number, .. } => {
                let begins = stream != self.heard.stream && number == 1;
                let goes_on = stream == self.heard.stream && number == self.heard.taken + 1;
                assert!(begins || goes_on, "mail comes once and in order: the greeting said how far it was heard");
                self.heard = Heard { stream, taken: number };
                true
            }
        }
    }

    fn confirm(&mut self) {
        if self.connected && self.heard.stream != 0 {
            self.input(Input::Mail(Envelope::Confirmed(self.heard)));
        }
    }
}
