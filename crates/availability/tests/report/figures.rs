//! What the figures are, against arithmetic by hand.

use availability::model::{OriginKind, Resources};
use availability::own;
use availability::report::{Kind, Language, Question, Report, YEAR_MINUTES, title};

use crate::support::{SMALL, report, solution, three_hosts};

fn close(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-9
}

#[test]
fn shares_are_criticality_through_the_hierarchy() {
    let report = report("small.avail", SMALL, 10);
    let (fails, works) = (1e-3, 12.0 / 8_760.0);
    // Balance of the chain: broken = fails*10 h, work = works*1 h, each times fine.
    let fine = 1.0 / (1.0 + fails * 10.0 + works);
    let part = (fails * 10.0 + works) * fine;
    let whole = part * part + 1e-5 - part * part * 1e-5;
    let service = report.main();
    assert!(close(service.downtime.value, whole * YEAR_MINUTES), "{}", service.downtime.value);
    assert!(close(service.unavailability(), whole));
    let names: Vec<(&str, usize)> =
        service.members.iter().map(|member| (report.component(member).name.as_str(), member.copies)).collect();
    assert_eq!(names, [("part", 2), ("whole.switch", 1)]);
    // A part is critical while the other one is broken and the switch is not.
    assert!(close(service.members[0].share, part * part * (1.0 - 1e-5) / whole));
    assert!(close(service.members[1].share, 1e-5 * (1.0 - part * part) / whole));
    let planned = report.component(&service.members[0]).planned.expect("planned work");
    assert!(close(planned, works * fine * YEAR_MINUTES));
    // First order: both copies, each with its share.
    let expected = 2.0 * service.members[0].share * whole * YEAR_MINUTES * planned / (part * YEAR_MINUTES);
    assert!(close(service.planned.expect("planned work"), expected), "{:?} {expected}", service.planned);
    assert!(close(report.services[1].downtime.value, part * part * YEAR_MINUTES), "always in minutes");
}

#[test]
fn parameters_say_where_they_come_from_and_what_they_would_save() {
    let report = report("small.avail", SMALL, 10);
    let source = |name: &str| report.sources.iter().find(|source| source.name == name).expect("the parameter");
    assert_eq!(source("fails").origin, Some((OriginKind::Measured, "log.json".to_owned())));
    assert!(!source("fails").is_assumed() && source("works").is_assumed() && source("repair").is_assumed());
    let assumed = report.assumed();
    assert_eq!((assumed.count, assumed.of), (2, 3));
    // What would be saved by half the faults, solved anew.
    let given = [("fails".to_owned(), "1 per 2000 h".to_owned())];
    let halved = Question::new("small.avail", SMALL, &given, Resources::default()).expect("read");
    let better = halved.plan().solve().expect("solved")[0].value;
    let found =
        report.improvements.iter().find(|one| report.sources[one.source].name == "fails").expect("fails matters");
    assert!(close(found.saves, report.main().downtime.value - better));
    assert!(report.improvements.windows(2).all(|pair| pair[0].saves >= pair[1].saves));
    // The only distribution is that of `fails`.
    assert_eq!(report.swings.len(), 1);
    assert!(
        report.swings[0].low < report.main().downtime.value && report.swings[0].high > report.main().downtime.value
    );
}

#[test]
fn without_distributions_there_is_no_interval() {
    let text = SMALL.replace("~ gamma(shape = 4)", "");
    let report = report("small.avail", &text, 10);
    assert!(report.sampled.is_none() && report.swings.is_empty() && report.main().spread.is_none());
    assert!(report.html(Language::English).contains("No parameter has a distribution"));
}

#[test]
fn everlines_solutions_are_made_of_their_components() {
    for name in own::SOLUTIONS {
        let report = solution(name);
        for service in &report.services {
            // Nearly all trees are series at the top: what is redundant has hardly a share.
            let sum: f64 = service.members.iter().map(|member| member.share).sum();
            assert!((0.99..1.01).contains(&sum), "{name} {}: {sum}", service.name);
            // What is planned on a site goes into how often it is lost.
            match service.planned {
                Some(planned) => assert!(planned > 0.0 && planned < service.downtime.value, "{name} {}", service.name),
                None => assert_eq!(name, "two-sites"),
            }
            let spread = service.spread.as_ref().expect("an interval");
            assert!(spread.points.is_sorted() && spread.keeps.is_sorted_by(|a, b| a >= b));
            assert_ne!(title(&service.name, Language::Chinese), service.name);
        }
        for component in &report.components {
            assert_ne!(title(&component.name, Language::Chinese), component.name, "{name}");
            assert_ne!(title(&component.name, Language::English), component.name, "{name}");
        }
        assert!(report.sources.iter().all(|source| source.origin.is_some() || source.elasticity.is_none()));
    }
}

#[test]
fn large_chains_are_drawn_by_one_variable() {
    let report = three_hosts();
    let pair = report.diagrams.iter().find(|diagram| diagram.model == "sip_pair").expect("the pair");
    assert_eq!(pair.merged.as_ref().map(|(variable, _)| variable.as_str()), Some("side"));
    assert_eq!(pair.places.len(), 12);
    let whole: f64 = pair.places.iter().map(|place| place.minutes).sum();
    assert!(close(whole, YEAR_MINUTES));
    let down: f64 = pair.places.iter().filter(|place| place.kind == Kind::Down).map(|place| place.minutes).sum();
    let component = report.components.iter().find(|component| component.name == "sip_pair").expect("the pair");
    assert!(down <= component.downtime.value * (1.0 + 1e-9) && down > 0.9 * component.downtime.value);
    // What flows into a state flows out of it.
    for (index, place) in pair.places.iter().enumerate() {
        let flow = |is_it: &dyn Fn(&availability::report::Flow) -> bool| -> f64 {
            pair.flows.iter().filter(|flow| is_it(flow)).map(|flow| flow.rate * pair.places[flow.from].minutes).sum()
        };
        let (enters, leaves) = (flow(&|flow| flow.to == index), flow(&|flow| flow.from == index));
        assert!((enters / leaves - 1.0).abs() < 1e-6, "{}: {enters} {leaves}", place.name);
    }
}

#[test]
fn what_cannot_be_reported_is_said() {
    let said = |text: &str| {
        let question = Question::new("m.avail", text, &[], Resources::default());
        question.map(|_| ()).expect_err("an error").to_string()
    };
    let none = said("parameter a = 1\nmeasure a = 2*a\n");
    assert!(none.contains("no downtime") && none.contains("downtime of MODEL"), "{none}");
    let many = said(
        "tree t { for k in 1..3000 { event e[k] unavailability 1e-9, failure frequency 1 per year }\n top = any of e[*] }\nmeasure d = downtime of t\n",
    );
    assert!(many.contains("more than 2000 components"), "{many}");
    assert!(own::solution("four-hosts").expect_err("unknown").to_string().contains("one-host"));
    let report: Report = solution("one-host");
    assert_eq!(report.main().name, "calls");
}
