//! Reports that tests look at.

use std::sync::OnceLock;

use availability::model::Resources;
use availability::own;
use availability::report::{Question, Report, Samples};

/// The report of one of Everline's own solutions, with few samples.
pub(crate) fn solution(name: &str) -> Report {
    let text = own::solution(name).expect("a solution").text();
    report(&own::path(name), &text, 40)
}

/// That of three hosts, worked out once.
pub(crate) fn three_hosts() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| solution("three-hosts"))
}

pub(crate) fn report(file: &str, text: &str, samples: u64) -> Report {
    let question = Question::new(file, text, &[], Resources::default()).unwrap_or_else(|error| panic!("{error}"));
    let values = question.is_uncertain().then(|| question.plan().sample(5, 0..samples).expect("samples"));
    let samples = values.map(|values| Samples { seed: 5, values });
    question.report(samples.as_ref()).unwrap_or_else(|error| panic!("{error}"))
}

/// Two copies of a part behind a switch, with planned work, and an event that no model describes.
pub(crate) const SMALL: &str = r#"
parameter fails  = 1 per 1000 h ~ gamma(shape = 4) from measured "log.json"
parameter works  = 12 per year from assumed "a guess"
parameter repair = 10 h
chain part {
  up: fine
  fine -> broken at fails
  fine -> work at works
  broken -> fine at 1/repair
  work -> fine at 1 per hour
  label planned: work
}
tree rack { for k in 1..2 { event part[k] is part }; top = all of part[*] }
tree whole { event rack is rack; event switch unavailability 1e-5, failure frequency 1 per year; top = rack or switch }
measure service = downtime of whole
measure parts = downtime of rack in h/year
"#;
