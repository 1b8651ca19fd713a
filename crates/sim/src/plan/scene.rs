//! Scenes for the crash-point table: one call, brought into one state, and struck at one step of the server.

use model::{Span, Time};
use redundancy::hot_standby::Sabotage;

use super::{Act, CallPlan, Fault, Kind, Layout, Manner, Moment, PhonePlan, Plan, Point, QUEUE, Target, Who, World};
use crate::kernel::Delay;

/// The state that a call is in when the server is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// The INVITE is taken, and nothing was heard of the callee.
    Trying,
    /// The callee rings.
    Ringing,
    /// The callee plays something before it answers.
    EarlyMedia,
    /// The callee has answered, and the caller has not acknowledged it.
    AnsweredNotAcknowledged,
    /// Both talk.
    Established,
    /// A re-INVITE is under way: the call is being put on hold.
    ReinviteOpen,
    /// The caller waits in the queue.
    Queued,
    /// An agent's phone rings for the caller.
    Offered,
    /// The caller has given up, and the callee has not confirmed it.
    BeingCancelled,
    /// One side has hung up, and the other one has not confirmed it.
    BeingTornDown,
    /// A phone registers.
    Registering,
}

/// Who is struck at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Victims {
    /// The SIP Server's primary, or its backup; the pair survives the loss of one side.
    pub sip: Option<Who>,
    /// The Routing Server's primary, or its backup.
    pub routing: Option<Who>,
    /// The coordinator.
    pub coordinator: bool,
}

/// When the scene's call is made.
const DIALLED: Time = Time::from_micros(1_000_000);

/// How long a datagram takes in a scene.
const HOP: u64 = 300;

impl Scene {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Trying,
        Self::Ringing,
        Self::EarlyMedia,
        Self::AnsweredNotAcknowledged,
        Self::Established,
        Self::ReinviteOpen,
        Self::Queued,
        Self::Offered,
        Self::BeingCancelled,
        Self::BeingTornDown,
        Self::Registering,
    ];

    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trying => "trying",
            Self::Ringing => "ringing",
            Self::EarlyMedia => "early media",
            Self::AnsweredNotAcknowledged => "answered, not acknowledged",
            Self::Established => "established",
            Self::ReinviteOpen => "re-INVITE open",
            Self::Queued => "queued",
            Self::Offered => "offered",
            Self::BeingCancelled => "being cancelled",
            Self::BeingTornDown => "being torn down",
            Self::Registering => "registering",
        }
    }

    /// When the trap is set: the call has come into its state, and the next step takes it on.
    const fn armed(self) -> Time {
        Time::from_micros(match self {
            // The callee says 100 and, 20 ms later, 180 or 183.
            Self::Trying => DIALLED.as_micros() + 2 * HOP + 50,
            // 180 is out at 21 ms, the callee answers at 200 ms.
            Self::Ringing | Self::EarlyMedia | Self::Offered => DIALLED.as_micros() + 100_000,
            // The answer is out at 201 ms; the ACK is on its way for two hops.
            Self::AnsweredNotAcknowledged => DIALLED.as_micros() + 200_000 + 3 * HOP + 150,
            Self::Established => DIALLED.as_micros() + 300_000,
            // The caller holds 200 ms after the answer; the re-INVITE is with the callee one hop later.
            Self::ReinviteOpen => DIALLED.as_micros() + 400_000 + 5 * HOP + 150,
            // The agents come back half a second after the call.
            Self::Queued => DIALLED.as_micros() + 450_000,
            Self::BeingCancelled => DIALLED.as_micros() + 120_000 + HOP + 150,
            Self::BeingTornDown => DIALLED.as_micros() + 800_000 + 4 * HOP + 150,
            Self::Registering => DIALLED.as_micros() + 495_000,
        })
    }

    /// The plan that brings a call into this state and strikes at the `count`-th step after that.
    #[must_use]
    pub fn plan(self, layout: Layout, (moment, point, count): (Moment, Point, u32), victims: Victims) -> Plan {
        let mut plan = Plan { world: World::Calls, sabotage: Sabotage::None, ..Plan::quiet(7, layout) };
        plan.network.delay = Delay::micros(HOP, HOP);
        plan.link = Delay::micros(20, 20);
        plan.scheduler = Delay::micros(0, 0);
        plan.calm = Time::from_micros(2_600_000);
        plan.phones = [1001, 1002, 1003, 1004, 1004, 1005, 1006].map(PhonePlan::honest).into();
        let trunk = plan.phones.len() as u8;
        let queue = matches!(self, Self::Queued | Self::Offered);
        let mut call = CallPlan::honest(DIALLED, trunk, if queue { QUEUE } else { 1005 });
        match self {
            Self::EarlyMedia => plan.phones[5].manner = Manner::PlaysFirst,
            Self::Established | Self::ReinviteOpen => call.holds = Some(Span::from_millis(200)),
            Self::Queued => {
                let away = Some(Time::from_micros(500_000));
                plan.phones.iter_mut().take(3).for_each(|phone| phone.leaves = away);
            }
            Self::BeingCancelled => call.cancels = Some(Span::from_millis(120)),
            Self::Registering => plan.phones[6].leaves = Some(Time::from_micros(500_000)),
            _ => {}
        }
        plan.calls = vec![call];
        let trap = Kind::Trap(Target { pair: 0, who: Who::Primary }, moment, point, count, Act::Signal);
        plan.faults = vec![Fault { at: self.armed(), kind: trap }];
        plan.signalled = victims.strikes();
        plan
    }
}

impl Victims {
    /// Everybody alone, and each two that the design claims to survive: not both sides of one pair.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for sip in [None, Some(Who::Primary), Some(Who::Backup)] {
            for routing in [None, Some(Who::Primary), Some(Who::Backup)] {
                for coordinator in [false, true] {
                    let count = u8::from(sip.is_some()) + u8::from(routing.is_some()) + u8::from(coordinator);
                    if (1..=2).contains(&count) {
                        all.push(Self { sip, routing, coordinator });
                    }
                }
            }
        }
        all
    }

    /// Their name, for people: `P` and `B` of the SIP Server, `p` and `b` of the Routing Server, `C`.
    #[must_use]
    pub fn name(self) -> String {
        let letter = |who: Option<Who>, primary: char, backup: char| match who {
            None => String::new(),
            Some(Who::Primary) => primary.to_string(),
            Some(_) => backup.to_string(),
        };
        let coordinator = if self.coordinator { "C" } else { "" };
        letter(self.sip, 'P', 'B') + &letter(self.routing, 'p', 'b') + coordinator
    }

    fn strikes(self) -> Vec<Kind> {
        let kill = |pair: u8| move |who: Who| Kind::Strike(Target { pair, who }, Act::Kill);
        let coordinator = self.coordinator.then_some(Kind::ControlCrash(Span::from_millis(250)));
        coordinator.into_iter().chain(self.sip.map(kill(0))).chain(self.routing.map(kill(1))).collect()
    }
}
