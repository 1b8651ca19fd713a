//! Asks at the address of the SIP Server, from the outside, whether somebody serves there (hot-standby protocol, detection: "it
//! runs but does not serve").
//!
//! Each host of a solution of several asks by OPTIONS (RFC 3261 11), as a carrier would, and says in its status if there is no
//! answer for [`PATIENCE`]. Where that goes for the host of the backup and for a third one, although the primary says that it serves, phones
//! get no answer either: the backup is asked to take over. One host alone may be the one that is cut off. Not again before
//! [`PAUSE`] is over, so that a network that comes and goes does not make the roles do so. The same goes for calls that are not taken
//! although OPTIONS are answered (`probe_call`).
//!
//! A host that another one has never answered proves nothing by that: a firewall may be between them, or it may have no way there. Such
//! a host says so in its status, and neither asks for a takeover nor agrees to one.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use management::{Detection, Sign};
use model::{Epoch, Span};
use network::address;
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::{ControlSettings, Place, probe_call, servers};
use crate::life::{Noticed, Notices};
use crate::wire::{ApplicationRow, Role};

/// How often it is asked.
const EVERY: Duration = Duration::from_millis(250);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_millis(240);
/// How long nobody may answer: longer than a takeover takes.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Nobody is missed in the first time: a solution has to start.
const START: Duration = Duration::from_secs(5);
/// Between two switchovers that come of this.
const PAUSE: Duration = Duration::from_secs(60);

/// What is asked at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Options,
    Call,
}

/// What is asked where.
type Asked = (Question, Place);

/// Says that there is no answer, to people and to other hosts.
struct Sentence<'a>(&'a Asked);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            (Question::Options, place) => write!(f, "nobody answers this host at {place}"),
            (Question::Call, place) => write!(f, "nobody takes the calls of this host at {place}"),
        }
    }
}

/// Says to people that there is no answer, and that it proves nothing; other hosts must not find a [`Sentence`] in it.
struct Unproven<'a>(&'a Asked);

impl fmt::Display for Unproven<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, what, request) = match self.0 {
            (Question::Options, place) => (place, "answered OPTIONS", "OPTIONS"),
            (Question::Call, place) => (place, "taken a call", "INVITE"),
        };
        write!(
            f,
            "no other host has {what} of this one at {place} so far, so it cannot judge who serves phones there: if \
             somebody does, let its {request} pass from host to host (a firewall, or no way into the network of the phones)"
        )
    }
}

/// What has no answer now, for whoever asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Unanswered {
    /// With each, whether that proves anything: another host has answered before.
    all: Arc<Mutex<BTreeMap<Asked, bool>>>,
    notices: Notices,
    /// When the backup was asked to take over last, whatever for.
    acted: Arc<Mutex<Option<Instant>>>,
}

impl Unanswered {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Asked, bool>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody answers there.
    pub(super) fn is_silent(&self, place: &Place) -> bool {
        self.all().contains_key(&(Question::Options, place.clone()))
    }

    /// What people should know, and other hosts look for.
    pub(super) fn note(&self) -> Option<String> {
        let all = self.all();
        let said = |(asked, is_proof): (&Asked, &bool)| {
            if *is_proof { Sentence(asked).to_string() } else { Unproven(asked).to_string() }
        };
        (!all.is_empty()).then(|| all.iter().map(said).collect::<Vec<_>>().join("; "))
    }

    /// What was noticed since.
    pub(super) fn noticed(&self) -> Vec<Noticed> {
        self.notices.take()
    }

    /// Whether the backup may be asked to take over; if so it was, now.
    fn may_act(&self, now: Instant) -> bool {
        let mut acted = self.acted.lock().unwrap_or_else(PoisonError::into_inner);
        let may = acted.is_none_or(|acted| now.duration_since(acted) >= PAUSE);
        if may {
            *acted = Some(now);
        }
        may
    }

    /// Tells what has become of a silence.
    fn tell(&self, asked: &Asked, verdict: Verdict) {
        let (question, place) = asked;
        let what = if *question == Question::Call { Detection::Call } else { Detection::Service };
        let span = |time: Duration| Span::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        match verdict {
            Verdict::Nothing => {}
            Verdict::Ended(lasted) => {
                let was_proof = self.all().remove(asked);
                if was_proof == Some(true) {
                    self.notices.add(what, place.to_string(), Sign::Over(span(lasted)));
                    tracing::info!("no more: {}, for {} ms", Sentence(asked), lasted.as_millis());
                }
            }
            Verdict::Unproven => {
                self.all().insert(asked.clone(), false);
                tracing::warn!("{}", Unproven(asked));
            }
            Verdict::Begun(lasted, questions) => {
                self.all().insert(asked.clone(), true);
                self.notices.add(what, place.to_string(), Sign::Noticed(span(lasted)));
                tracing::error!("{}, for {} ms and {questions} questions so far", Sentence(asked), lasted.as_millis());
            }
        }
    }
}

/// Asks at each address until the control server ends.
pub(super) fn begin(settings: &Arc<ControlSettings>, unanswered: &Unanswered) {
    for place in &settings.probed {
        for question in [Question::Options, Question::Call] {
            let (settings, unanswered, place) = (Arc::clone(settings), unanswered.clone(), place.clone());
            tokio::spawn(async move {
                let asked = (question, place);
                if let Err(error) = probe(&settings, &asked, &unanswered).await {
                    let place = asked.1;
                    tracing::error!("cannot ask at {place} whether somebody serves there: {error}");
                }
            });
        }
    }
}

async fn probe(settings: &ControlSettings, asked: &Asked, unanswered: &Unanswered) -> io::Result<()> {
    let (question, place) = asked;
    let any = if place.name().is_none_or(|address| address.is_ipv4()) {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    let mut pace = interval(if *question == Question::Call { settings.probe_call } else { EVERY });
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Where there is no other host, none takes over, and people are told what is.
    let mut silence = Silence { is_heard: settings.others.is_empty(), ..Silence::new(Instant::now()) };
    let mut failing = Failing::default();
    for number in 0u64.. {
        pace.tick().await;
        let before = if silence.is_heard { None } else { address::here().ok() };
        let from = match question {
            Question::Options => ask(&socket, place, number).await,
            Question::Call if unanswered.is_silent(place) => None,
            Question::Call => probe_call::call(&socket, place, &settings.secret, number).await,
        };
        if let (Some(from), Some(before)) = (from, before)
            && is_elsewhere(from.ip(), &before, || address::here().ok())
        {
            silence.is_heard = true;
            tracing::info!("another host has answered at {place} ({question:?}): from now on it counts if nobody does");
        }
        // Where nobody answers at all, that is what is told.
        let answered = from.is_some() || *question == Question::Call && unanswered.is_silent(place);
        unanswered.tell(asked, silence.after(Instant::now(), answered));
        let standing = if silence.is_proof() { standing(settings).await } else { None };
        let is_confirmed = failing.is_confirmed(standing.as_ref().map(|standing| standing.epoch));
        if let Some(standing) = standing
            && is_confirmed
            && could_take_over(settings, asked, &standing).await
            && unanswered.may_act(Instant::now())
        {
            take_over(settings).await;
        }
    }
    Ok(())
}

/// True if an address was on another host all the while, by the addresses of this one before it was asked and after the answer. The
/// kernel is asked for the latter only if it was not here before: while this host serves, the answers are its own.
fn is_elsewhere(address: IpAddr, before: &[IpAddr], after: impl FnOnce() -> Option<Vec<IpAddr>>) -> bool {
    !before.contains(&address) && after().is_some_and(|after| !after.contains(&address))
}

/// Asks once; who has answered, if anybody has.
async fn ask(socket: &UdpSocket, place: &Place, number: u64) -> Option<SocketAddr> {
    let call = format!("probe-{}-{number}", std::process::id());
    let (here, address) = (socket.local_addr().ok()?, place.name()?);
    let text = format!(
        "OPTIONS sip:{address} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{call};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:probe@{address}>;tag={number}\r\nTo: <sip:{address}>\r\nCall-ID: {call}\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
    // What cannot be sent has no answer.
    place.send(socket, text.as_bytes()).await.ok()?;
    let mut room = [0; 2_048];
    let answered = async {
        loop {
            // A network that is gone says so here.
            let Ok((length, from)) = socket.recv_from(&mut room).await else { continue };
            if place.has(from) && is_answer(&room[..length], &call) {
                return from;
            }
        }
    };
    timeout(ANSWER, answered).await.ok()
}

/// Any answer to the question of that name will do: who refuses serves.
fn is_answer(bytes: &[u8], call: &str) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.starts_with("SIP/2.0 ") && text.contains(call)
}

/// How long nobody has answered.
#[derive(Debug)]
struct Silence {
    /// When somebody answered last, or should have answered first.
    answered: Instant,
    /// How many questions had no answer since.
    questions: u32,
    /// It was told.
    is_told: bool,
    /// Another host has answered once since this process runs, so the way there is open.
    is_heard: bool,
}

/// The epoch in which a question has failed: another host may have had the backup take over meanwhile, and who serves now is not to
/// blame for what its predecessor did not answer.
#[derive(Debug, Default)]
struct Failing(Option<Epoch>);

impl Failing {
    /// A question has failed, and this is the epoch of who should have answered; true if the one before has failed in the same.
    fn is_confirmed(&mut self, epoch: Option<Epoch>) -> bool {
        let before = std::mem::replace(&mut self.0, epoch);
        before.is_some() && before == epoch
    }
}

/// What is to be told.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Nothing,
    /// Nobody has answered for so long, [`PATIENCE`] or more, and so many questions: by OPTIONS seven at most, whatever else keeps
    /// this host from asking.
    Begun(Duration, u32),
    /// Nobody has answered for so long, and no other host ever has.
    Unproven,
    /// Somebody does again, after so long.
    Ended(Duration),
}

impl Silence {
    fn new(now: Instant) -> Self {
        Self { answered: now + START, questions: 0, is_told: false, is_heard: false }
    }

    /// Whether it speaks against whoever should serve.
    const fn is_proof(&self) -> bool {
        self.is_told && self.is_heard
    }

    fn after(&mut self, now: Instant, answered: bool) -> Verdict {
        let lasted = now.saturating_duration_since(self.answered);
        if answered {
            (self.answered, self.questions) = (now, 0);
            return if std::mem::take(&mut self.is_told) { Verdict::Ended(lasted) } else { Verdict::Nothing };
        }
        // At first there is nobody yet who would be missed.
        self.questions = self.questions.saturating_add(u32::from(now > self.answered));
        if self.is_told || lasted < PATIENCE {
            return Verdict::Nothing;
        }
        self.is_told = true;
        if self.is_heard { Verdict::Begun(lasted, self.questions) } else { Verdict::Unproven }
    }
}

/// How the pair of the SIP Server stands: who says that it serves, and who could take over.
struct Standing<'a> {
    primary: &'a String,
    backup: &'a String,
    epoch: Epoch,
}

async fn standing(settings: &ControlSettings) -> Option<Standing<'_>> {
    let (mut primary, mut backup) = (None, None);
    for member in &settings.sip.members {
        match servers::status(&settings.folder, member).await {
            Some((report, _)) if report.role == Some(Role::Primary) && report.level => {
                primary = Some((member, report.epoch));
            }
            Some((report, _)) if report.role == Some(Role::Backup) && report.ready => backup = Some(member),
            _ => {}
        }
    }
    let (primary, epoch) = primary?;
    Some(Standing { primary, backup: backup?, epoch })
}

/// True if a backup on this host could take over from a primary that says it serves, and that a third host does not reach either.
async fn could_take_over(settings: &ControlSettings, asked: &Asked, standing: &Standing<'_>) -> bool {
    let Standing { primary, backup, .. } = standing;
    if !runs_at(settings, "lca", backup).await {
        return false;
    }
    for other in &settings.others {
        let rows = rows_of(settings, &other.agent).await;
        let note = |row: &ApplicationRow| row.report.as_ref().and_then(|report| report.note.clone());
        let agrees = rows.iter().filter_map(note).any(|note| note.contains(&Sentence(asked).to_string()));
        if agrees && !rows.iter().any(|row| row.name == **primary) {
            return true;
        }
    }
    false
}

/// Whether an application is one of those that an agent looks after.
async fn runs_at(settings: &ControlSettings, agent: &str, application: &str) -> bool {
    rows_of(settings, agent).await.iter().any(|row| row.name == application)
}

async fn rows_of(settings: &ControlSettings, agent: &str) -> Vec<ApplicationRow> {
    servers::applications(&settings.folder, agent).await.map_or_else(|_| Vec::new(), |(rows, _)| rows)
}

async fn take_over(settings: &ControlSettings) {
    let Ok(request) = getrandom::u64() else { return };
    match servers::switch_over(&settings.folder, &settings.sip, request).await {
        Ok(()) => tracing::warn!("the backup on this host serves now, as nobody was reached at the address"),
        Err(trouble) => tracing::error!("the backup on this host cannot serve instead: {trouble}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_and_so_is_its_end() {
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        let mut silence = Silence { is_heard: true, ..Silence::new(begun) };
        assert_eq!(silence.after(at(0), false), Verdict::Nothing, "nobody was there yet");
        assert_eq!(silence.after(at(5_900), false), Verdict::Nothing);
        assert_eq!(silence.after(at(6_000), true), Verdict::Nothing);
        assert_eq!(silence.after(at(7_400), false), Verdict::Nothing, "a takeover takes less");
        assert_eq!(silence.after(at(7_500), false), Verdict::Begun(PATIENCE, 2));
        assert_eq!(silence.after(at(9_000), false), Verdict::Nothing);
        assert_eq!(silence.after(at(10_000), true), Verdict::Ended(Duration::from_secs(4)));
        assert_eq!(silence.after(at(11_600), false), Verdict::Begun(Duration::from_millis(1_600), 1));
    }

    #[test]
    fn so_many_questions_have_no_answer_before_it_is_told() {
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        // When the last answer came, after how long a question has failed: at once if it cannot be sent.
        let told = |every: u64, answer: u64, fails: u64| {
            let mut silence = Silence { is_heard: true, ..Silence::new(begun) };
            silence.after(at(answer), true);
            let mut told = (1..).map(|number| silence.after(at(every * number + fails), false));
            told.find(|verdict| *verdict != Verdict::Nothing)
        };
        let begun = |millis, questions| Some(Verdict::Begun(Duration::from_millis(millis), questions));
        assert_eq!(told(250, 0, 240), begun(1_740, 6));
        assert_eq!(told(250, 240, 240), begun(1_500, 6));
        assert_eq!(told(250, 240, 0), begun(1_510, 7));
        // Of calls that are made every second one is enough, or two.
        assert_eq!(told(1_000, 0, 900), begun(1_900, 1));
        assert_eq!(told(1_000, 900, 900), begun(2_000, 2));
    }

    #[test]
    fn what_another_host_has_never_answered_proves_nothing() {
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        let place: Place = ["192.0.2.5:5060".parse().unwrap()].into_iter().collect();
        let (asked, unanswered) = ((Question::Options, place), Unanswered::default());
        let mut silence = Silence::new(begun);
        // This host itself has served there.
        assert_eq!(silence.after(at(6_000), true), Verdict::Nothing);
        let verdict = silence.after(at(7_500), false);
        assert_eq!((&verdict, silence.is_proof()), (&Verdict::Unproven, false));
        unanswered.tell(&asked, verdict);
        let note = unanswered.note().unwrap();
        assert!(note.contains("cannot judge") && note.contains("192.0.2.5:5060"), "{note}");
        assert!(!note.contains(&Sentence(&asked).to_string()), "no other host takes it for a yes: {note}");
        assert!(unanswered.is_silent(&asked.1) && unanswered.noticed().is_empty());
        // Another one does.
        silence.is_heard = true;
        unanswered.tell(&asked, silence.after(at(8_000), true));
        assert_eq!((unanswered.note(), unanswered.noticed().len()), (None, 0));
        let verdict = silence.after(at(9_500), false);
        assert!(verdict == Verdict::Begun(PATIENCE, 1) && silence.is_proof());
        unanswered.tell(&asked, verdict);
        assert_eq!(unanswered.note(), Some(Sentence(&asked).to_string()));
    }

    #[test]
    fn an_answer_of_this_host_does_not_count() {
        let [ours, theirs]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.5"].map(|address| address.parse().unwrap());
        let (without, with) = (vec![ours], vec![ours, theirs]);
        assert!(is_elsewhere(theirs, &without, || Some(without.clone())));
        assert!(!is_elsewhere(theirs, &without, || Some(with.clone())), "it was moved here");
        assert!(!is_elsewhere(theirs, &without, || None), "the kernel does not say");
        assert!(!is_elsewhere(theirs, &with, || panic!("once is enough")), "it was here before");
        assert!(address::here().unwrap().contains(&Ipv4Addr::LOCALHOST.into()));
    }

    #[test]
    fn roles_change_once_a_minute_at_most() {
        let now = Instant::now();
        let unanswered = Unanswered::default();
        assert!(unanswered.may_act(now), "the first time");
        assert!(!unanswered.may_act(now + Duration::from_secs(59)) && unanswered.clone().may_act(now + PAUSE));
        assert!(!unanswered.may_act(now + PAUSE), "for whatever it is asked");
    }

    #[test]
    fn who_has_taken_over_is_not_to_blame_for_what_was_not_answered_before() {
        let mut failing = Failing::default();
        let epochs = [Some(1), Some(1), Some(2), Some(2), None, Some(2)];
        let confirmed = epochs.map(|epoch| failing.is_confirmed(epoch.map(Epoch)));
        assert_eq!(confirmed, [false, true, false, true, false, false]);
    }

    #[tokio::test]
    async fn only_the_answer_to_the_question_counts() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let place: Place = ["127.0.0.1:9".parse().unwrap(), server.local_addr().unwrap()].into_iter().collect();
        let serve = async {
            let mut room = [0; 2_048];
            let (length, from) = server.recv_from(&mut room).await.unwrap();
            let asked = String::from_utf8_lossy(&room[..length]).into_owned();
            server.send_to(b"SIP/2.0 200 OK\r\nCall-ID: another\r\n\r\n", from).await.unwrap();
            server.send_to(asked.replace("OPTIONS sip:", "SIP/2.0 405 sip:").as_bytes(), from).await.unwrap();
        };
        let (answered, ()) = tokio::join!(ask(&socket, &place, 7), serve);
        assert_eq!(answered, server.local_addr().ok());
    }
}
