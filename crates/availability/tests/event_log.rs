//! Event logs in their three forms, what is estimated from them, and errors with the line.

mod repository;

use availability::estimate::log::{EventLog, History};
use availability::estimate::{Confidence, Ending};

const TEXT: &str = "\
# Two servers, forty hours.
2026-01-01T00:00:00Z       *      begin
2026-01-01T10:00:00Z       sip-a  down
2026-01-01T12:00:00+01:00  sip-a  up     # an hour later
2026-01-01 20:00:00Z       sip-b  down
2026-01-01T20:30:00Z       sip-b  up
2026-01-02T15:00:00Z       sip-a  down
2026-01-02T16:00:00Z       *      end
";

const CSV: &str = "\
component,note,time,event
*,,2026-01-01T00:00:00Z,begin
sip-a,\"fan, again\",2026-01-01T10:00:00Z,down
sip-a,,2026-01-01T11:00:00Z,up
\"sip-b\",,2026-01-01T20:00:00Z,down
sip-b,,2026-01-01T20:30:00Z,up
sip-a,,2026-01-02T15:00:00Z,down
*,,2026-01-02T16:00:00Z,end
";

const JSON: &str = r#"
{"time": "2026-01-01T00:00:00Z", "component": "*", "event": "begin"}
{"time": "2026-01-01T10:00:00Z", "component": "sip-a", "event": "down", "why": "fan"}
{"time": "2026-01-01T11:00:00Z", "component": "sip-a", "event": "up"}
{"time": "2026-01-01T20:00:00Z", "component": "sip-b", "event": "down"}
{"time": "2026-01-01T20:30:00Z", "component": "sip-b", "event": "up"}
{"time": "2026-01-02T15:00:00Z", "component": "sip-a", "event": "down"}
{"time": "2026-01-02T16:00:00Z", "component": "*", "event": "end"}
"#;

#[test]
fn the_three_forms_say_the_same() {
    let log = EventLog::read("log", TEXT).expect("valid");
    assert_eq!(log, EventLog::read("log", CSV).expect("valid"));
    assert_eq!(log, EventLog::read("log", JSON).expect("valid"));
    // A spreadsheet begins its file with a byte-order mark.
    for text in [TEXT, CSV, JSON] {
        assert_eq!(log, EventLog::read("log", &format!("\u{feff}{text}")).expect("valid"));
    }
}

#[test]
fn rates_and_availability_come_out_of_it() {
    let histories = EventLog::read("log", TEXT).expect("valid").histories;
    let (failures, repairs) = (History::failures(&histories).expect("up"), History::repairs(&histories).expect("down"));
    // a: 10 + 28 up, 1 + 1 down, the last one cut off; b: 20 + 19.5 up, 0.5 down.
    assert_eq!((failures.time, failures.events, failures.ending), (77.5, 3, Ending::Time));
    assert_eq!((repairs.time, repairs.events, repairs.ending), (2.5, 2, Ending::Time));
    assert_eq!(History::still_down(&histories), 1);
    assert_eq!(History::complete_hours(&histories, true), [28.0]);
    assert_eq!(History::complete_hours(&histories, false), [1.0, 0.5]);
    let confidence = Confidence::two_sided(0.9).expect("valid");
    let availability = History::availability(&histories, confidence).expect("failures and repairs");
    let ratio = 2.5 / 77.5 * 3.0 / 2.0;
    assert!((availability.unavailable.point - ratio / (1.0 + ratio)).abs() < 1e-15);
    assert!(availability.unavailable.lower < 0.03 && availability.unavailable.upper > 0.1);
    // a fails at 10 and 38 of 38 hours, which the second one ended; b at 20 of 39.5. Two uniform shares, 0.2632 + 0.5063.
    let trend = History::trend(&histories).expect("failures");
    let sum: f64 = 10.0 / 38.0 + 20.0 / 39.5;
    assert!((trend.p_value - sum * sum).abs() < 1e-12, "{trend:?}");
    let power_law = History::power_law_trend(&histories).expect("failures");
    let product: f64 = 10.0 / 38.0 * 20.0 / 39.5;
    assert!((power_law.statistic + 2.0 * product.ln()).abs() < 1e-12, "{power_law:?}");
}

#[test]
fn an_observation_may_pause() {
    let log = "\
2026-01-01T00:00Z a begin
2026-01-01T05:00Z a end
2026-03-01T00:00Z a begin-down
2026-03-01T01:00Z a up
2026-03-01T04:00Z a end
";
    let histories = EventLog::read("log", log).expect("valid").histories;
    let failures = History::failures(&histories).expect("up");
    assert_eq!((failures.time, failures.events), (8.0, 0));
    assert!(History::availability(&histories, Confidence::two_sided(0.9).expect("valid")).is_err());
    assert!(History::trend(&histories).is_err());
    assert_eq!(History::still_down(&histories), 0);
}

#[test]
fn the_end_of_all_leaves_alone_what_has_ended() {
    let log = "\
2026-01-01T00:00Z * begin
2026-01-01T02:00Z a down
2026-01-01T03:00Z a up
2026-01-01T04:00Z b end
2026-01-01T10:00Z * end
";
    let histories = EventLog::read("log", log).expect("valid").histories;
    let hours = |one: usize| History::failures(&histories[one..=one]).expect("up").time;
    assert_eq!((hours(0), hours(1)), (9.0, 4.0));
}

#[test]
fn a_time_down_that_does_not_end_is_no_repair() {
    // One repair after an hour; three hours later nobody had repaired it a second time.
    let log = "\
2026-01-01T00:00Z a begin
2026-01-01T05:00Z a down
2026-01-01T06:00Z a up
2026-01-01T08:00Z a down
2026-01-01T11:00Z a end
";
    let histories = EventLog::read("log", log).expect("valid").histories;
    let repairs = History::repairs(&histories).expect("down");
    assert_eq!((repairs.time, repairs.events, repairs.ending), (4.0, 1, Ending::Time));
    let rate = repairs.rate(Confidence::two_sided(0.9).expect("valid"));
    // Chi-square 0.05 of 2 degrees is -2 ln 0.95, 0.95 of 4 degrees 9.487729.
    assert!((rate.point - 0.25).abs() < 1e-15 && (rate.lower + 0.95_f64.ln() / 4.0).abs() < 1e-12, "{rate:?}");
    assert!((rate.upper - 9.487_729_037 / 8.0).abs() < 1e-8, "{rate:?}");
}

#[test]
fn a_unit_that_never_failed_is_declared_beside_the_star() {
    let (star, end) = ("2026-01-01T00:00Z * begin\n", "2026-01-01T08:00Z a down\n2026-01-01T10:00Z * end\n");
    let read = |text: String| EventLog::read("log", &text).expect("valid");
    let hours = |log: &EventLog| History::failures(&log.histories).expect("up").time;
    assert_eq!(hours(&read(format!("{star}{end}"))), 8.0);
    for at in ["00:00", "04:00"] {
        let own = format!("2026-01-01T{at}Z b begin\n");
        let log = read(format!("{star}{own}{end}"));
        assert_eq!(hours(&log), if at == "00:00" { 18.0 } else { 14.0 });
        assert!(log.by_star && !log.histories[0].is_eventless() && log.histories[1].is_eventless());
    }
    let above = read(format!("2026-01-01T00:00Z b begin\n{star}{end}"));
    assert_eq!(above, read(format!("{star}2026-01-01T00:00Z b begin\n{end}")));
    // Its own line says in which state it begins.
    assert_eq!(hours(&read(format!("{star}2026-01-01T00:00Z b begin-down\n{end}"))), 8.0);
    let alone = read("2026-01-01T00:00Z a begin\n2026-01-01T10:00Z a end".to_owned());
    assert!(!alone.by_star);
}

#[test]
fn an_observation_may_end_with_a_failure() {
    let log = "\
2026-01-01T00:00Z * begin
2026-01-01T05:00Z a down
2026-01-01T06:00Z a up
2026-01-01T08:00Z b down
2026-01-01T08:00Z * end
";
    let histories = EventLog::read("log", log).expect("valid").histories;
    let (a, b) = (&histories[..1], &histories[1..]);
    let until = |histories: &[History], ending| {
        History::failures_until(histories, ending).map(|found| (found.time, found.events))
    };
    // b failed as its observation ended: no time down of it was seen.
    assert_eq!(History::still_down(&histories), 0);
    assert_eq!(History::failures(&histories).expect("up").ending, Ending::Time);
    assert_eq!(History::failures_until(&histories, Ending::Event).expect("b").ending, Ending::Event);
    assert_eq!(until(&histories, Ending::Event), until(&histories, Ending::Time));
    assert_eq!(until(b, Ending::Event), Ok((8.0, 1)));
    assert_eq!(History::failures(b).expect("up").ending, Ending::Event);
    assert_eq!(History::failures_until(b, Ending::Time).expect("up").ending, Ending::Time);
    assert!(History::repairs(b).is_err());
    let error = until(a, Ending::Event).expect_err("a was up").to_string();
    assert!(error.starts_with("no failure ended the observation of a"), "{error}");
}

#[test]
fn the_examples_of_the_guide_are_read() {
    let Some(guide) = repository::text("docs/availability.md") else { return };
    let blocks: Vec<&str> = guide.split("```\n").skip(1).step_by(2).collect();
    for begin in ["2026-01-01T00:00:00Z  *", "time,component,event\n", "{\"time\""] {
        let block = blocks.iter().find(|block| block.starts_with(begin)).expect(begin);
        let log = EventLog::read("guide", block).expect(begin);
        assert!(log.by_star && !log.histories.is_empty(), "{block}");
    }
}

#[test]
fn what_is_missing_or_out_of_order_is_told_with_its_line() {
    let begin = "2026-01-01T00:00Z * begin\n";
    for (log, expected) in [
        ("2026-01-02T00:00Z a down\n2026-01-01T00:00Z a up", "log:2:1: this event is earlier than that of line 1"),
        ("2026-01-02T00:00Z a down", "log:1:1: a is not observed at this time"),
        (
            &format!("{begin}2026-01-02T00:00Z a down\n2026-01-03T00:00Z a down"),
            "log:3:1: a is down already, since line 2",
        ),
        (&format!("{begin}2026-01-02T00:00Z a up"), "log:2:1: a is up already, since line 1"),
        ("2026-01-01T00:00Z a begin\n2026-01-02T00:00Z * begin", "log:2:1: a is observed already, since line 1"),
        (&format!("{begin}{begin}2026-01-02T00:00Z a down"), "log:2:1: a is observed already, since line 1"),
        (&format!("{begin}2026-01-01T00:00Z a begin\n2026-01-01T00:00Z a end"), "log:3:1: a changes at the instant"),
        (&format!("{begin}2026-01-02T00:00Z a down"), "log:2:1: a is observed since this line, and no line ends that"),
        (&format!("{begin}2026-01-01T00:00Z a down"), "log:2:1: a changes at the instant of line 1"),
        (&format!("{begin}2026-01-02T00:00Z * down\n2026-01-02T00:00Z a down"), "log:2:1: all components at once"),
        (&format!("{begin}2026-01-02T00:00Z a broke"), "log:2:1: \"broke\" is no event"),
        (&format!("{begin}2026-01-02T00:00 a down"), "log:2:1: \"2026-01-02T00:00\" is no instant: there is no zone"),
        (&format!("{begin}2026-01-02T00:00Z down"), "log:2:1: 2 words stand here"),
        (begin, "log:1:1: only * stands in this log"),
        ("# nothing\n\n", "log holds no event"),
        ("time,what,event\n", "log:1:1: the header \"time,what,event\" has no column component"),
        ("time;component;event\n", "log:1:1: the columns are separated by `;`: separate them by commas"),
        ("Time\t\"component\"\tevent\n", "log:1:1: the columns are separated by tabs: separate them by commas"),
        (
            &format!("{begin}2026-01-02T00:00Z a end\n2026-01-03T00:00Z * end"),
            "log:3:1: nothing is observed at this time",
        ),
        ("time,component,event\n2026-01-02T00:00Z,a", "log:2:1: cell 3 is missing"),
        ("time,component,event\n2026-01-02T00:00Z,\"a,down", "log:2:1: a quote is not closed"),
        ("{\"time\": 3}", "log:1:1: there is no text in the field \"time\""),
        ("{\"time\": ", "log:1:1: the line is no JSON"),
    ] {
        let error = EventLog::read("log", log).expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error}\nshould begin with {expected}");
    }
}
