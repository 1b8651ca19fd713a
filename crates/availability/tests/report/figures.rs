//! What the figures are, against arithmetic by hand.

use availability::model::{OriginKind, Resources};
use availability::own;
use availability::report::{Kind, Language, Question, Report, Varied, YEAR_MINUTES};

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
    assert_eq!((assumed.count, assumed.not_said, assumed.of), (1, 1, 3));
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
fn what_is_better_stays_within_its_range() {
    let text = SMALL.replace("~ gamma", "between 1 per 1500 h and 1 per 500 h ~ gamma");
    let text = text.replace("10 h", "10 h between 10 h and 1 day");
    let report = report("small.avail", &text, 10);
    let better = |name: &str| {
        let found = report.improvements.iter().find(|one| report.sources[one.source].name == name);
        found.map(|found| found.better)
    };
    assert!(better("fails").is_some_and(|rate| close(rate, 1.0 / 1500.0)), "{:?}", better("fails"));
    // It is as good as it can be.
    assert_eq!(better("repair"), None);
    let given = [("fails".to_owned(), "1 per 1500 h".to_owned())];
    let question = Question::new("small.avail", &text, &given, Resources::default()).expect("read");
    let saves = report.main().downtime.value - question.plan().solve().expect("solved")[0].value;
    assert!(report.improvements.iter().any(|one| close(one.saves, saves)), "{saves} {:?}", report.improvements);
}

/// A fault is over in a second, if it is covered: nearly always.
const COVERED: &str = r#"
parameter fails = 1 per 10000 h from measured "log.json"
parameter c     = 99.999 % from assumed "a guess"
chain part {
  up: fine
  fine -> brief at c*fails
  fine -> lasting at (1 - c)*fails
  brief -> fine at 1/(1 s)
  lasting -> fine at 1/(10 h)
}
measure service = downtime of part
"#;

#[test]
fn parameters_are_compared_by_the_odds_of_shares() {
    let report = report("covered.avail", COVERED, 10);
    let [first, second] = &report.sources[..] else { panic!("{:?}", report.sources) };
    assert_eq!((first.name.as_str(), second.name.as_str()), ("fails", "c"));
    assert!(second.elasticity.is_some_and(|elasticity| elasticity < -2e4), "{second:?}");
    // Of fails*(c*brief + (1 - c)*lasting) by the logarithm of the odds of c, by hand.
    let (c, brief, lasting) = (0.999_99, 1.0 / 3_600.0, 10.0);
    let expected = c * (1.0 - c) * (brief - lasting) / (c * brief + (1.0 - c) * lasting);
    let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-6;
    assert!(second.sensitivity.is_some_and(|found| near(found, expected)), "{second:?} {expected}");
    let assumed = report.assumed();
    assert!(near(assumed.weight, expected.abs() / (1.0 + expected.abs())), "{assumed:?}");
    let said = "1 of 2 parameters is only assumed; it carries 20.9 % of the sensitivity of service.";
    assert_eq!(report.assumptions(Language::English), said);
}

#[test]
fn what_is_said_of_assumptions_counts_what_is_not_said_and_names_other_systems() {
    let said = report("small.avail", SMALL, 10).assumptions(Language::English);
    assert!(said.starts_with("1 of 3 parameters is only assumed, and of 1 nothing is said; they carry "), "{said}");
    assert!(!said.contains("Published"), "{said}");
    for (language, words) in [(Language::English, "those of other systems"), (Language::Chinese, "来自其他系统")]
    {
        let said = three_hosts().assumptions(language);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn models_of_others_keep_their_names() {
    let text = SMALL.replace("chain part", "chain control").replace("is part ", "is control ");
    let report = report("b.avail", &text, 10);
    assert!(report.components.iter().any(|component| component.name == "control"));
    for language in [Language::English, Language::Chinese] {
        assert_eq!(report.title("control", language), "control");
        let page = report.html(language);
        assert!(!page.contains("Control Server") && !page.contains("控制服务器"), "{language:?}");
        assert!(!page.contains("what callers notice") && !page.contains("来电者"), "{language:?}");
    }
    assert!(three_hosts().html(Language::English).contains("what callers notice as an outage"));
    assert_eq!(three_hosts().title("control", Language::English), "Control Server");
}

#[test]
fn parameters_say_what_they_are_and_who_needs_them() {
    let text = SMALL.replace("from assumed \"a guess\"", "from assumed \"a guess\"   # new versions");
    let report = report("small.avail", &text, 10);
    let source = |name: &str| report.sources.iter().find(|source| source.name == name).expect("the parameter");
    let described = |name: &str| report.described(source(name), Language::English);
    assert_eq!(described("works"), "new versions (part)");
    // Without a remark, where it comes from.
    assert_eq!(described("fails"), "log.json (part)");
    assert_eq!(described("repair"), "part");
    let three = three_hosts();
    let notice = three.sources.iter().find(|source| source.name == "notice").expect("the parameter");
    let components = notice.components.len();
    assert!(components > 3, "{components}");
    let words = format!("until somebody looks into it (SIP Server, hot pair, and {} more)", components - 1);
    assert_eq!(three.described(notice, Language::English), words);
    let words = format!("有人着手处理之前的时间（SIP 服务器，热备对等 {components} 个组件）");
    assert_eq!(three.described(notice, Language::Chinese), words);
    // The components of the main service come first.
    let main: Vec<usize> = three.main().members.iter().map(|member| member.component).collect();
    assert!(main.contains(&notice.components[0]) && !main.contains(&notice.components[components - 1]));
}

#[test]
fn what_has_only_a_probability_is_in_the_downtime_and_not_among_the_failures() {
    let text = SMALL.replace(
        "event switch unavailability 1e-5, failure frequency 1 per year; top = rack or switch",
        "event switch probability 1e-5; event other unavailability 2e-5, failure frequency 3 per year; top = rack or switch or other",
    );
    let report = report("small.avail", &text, 10);
    let service = report.main();
    let works = 12.0 / 8_760.0;
    let fine = 1.0 / (1.0 + 1e-2 + works);
    let part = (1e-2 + works) * fine;
    let up = (1.0 - part * part) * (1.0 - 1e-5) * (1.0 - 2e-5);
    assert!((service.unavailability() / (1.0 - up) - 1.0).abs() < 1e-9, "{}", service.unavailability());
    // Each of two parts fails while the other one is down; the switch is not counted.
    let racks = 2.0 * part * fine * (1e-3 + works) * 8_760.0;
    let failures = (1.0 - 1e-5) * (racks * (1.0 - 2e-5) + 3.0 * (1.0 - part * part));
    assert!((service.failures.value / failures - 1.0).abs() < 1e-9, "{} {failures}", service.failures.value);
    assert_eq!(service.uncounted, ["whole.switch"]);
    assert!(report.services[1].uncounted.is_empty());
    let page = report.html(Language::English);
    assert!(page.contains("failures are counted without whole.switch"), "{page}");
    assert_eq!(report.json()["services"][0]["failures_without"][0], "whole.switch");
}

#[test]
fn what_is_not_built_yet_is_marked() {
    let three = three_hosts();
    let service = |name: &str| three.services.iter().find(|service| service.name == name).expect("the service");
    let titled = |name: &str, language| three.service_title(service(name), language);
    assert_eq!(titled("calls", Language::English), "Calls");
    assert!(service("queues").designed.is_empty());
    assert_eq!(titled("prompts", Language::English), "Prompts and media (in part designed, not built yet)");
    assert_eq!(titled("prompts", Language::Chinese), "语音提示与媒体（部分已设计，尚未实现）");
    let component = |name: &str| three.components.iter().find(|one| one.name == name).expect("the component");
    let media = |language| three.component_title(component("media_pool"), language);
    assert_eq!(media(Language::English), "Media Server, pool (designed, not built yet)");
    assert_eq!(media(Language::Chinese), "媒体服务器，池（已设计，尚未实现）");
    assert!(!component("sip_pair").designed && !component("control").designed);
    let said = three.not_built(Language::English).expect("something");
    for name in
        ["Media Server, pool", "Stat Server, warm pair", "Message Server, warm pair", "Concentrator, in parallel"]
    {
        assert!(said.contains(name), "{said}");
    }
    let sites = solution("two-sites");
    assert_eq!(sites.main().designed, ["sites"]);
    let all = report("small.avail", &format!("{SMALL}designed whole\n"), 10);
    assert_eq!(all.service_title(all.main(), Language::English), "service (designed, not built yet)");
    assert_eq!(report("small.avail", SMALL, 10).not_built(Language::English), None);
}

#[test]
fn without_distributions_there_is_no_interval() {
    let text = SMALL.replace("~ gamma(shape = 4)", "");
    let report = report("small.avail", &text, 10);
    assert!(report.sampled.is_none() && report.swings.is_empty() && report.main().spread.is_none());
    assert!(report.html(Language::English).contains("No parameter has a distribution"));
}

#[test]
fn a_model_without_parameters_says_that_it_has_none() {
    let text = "chain c { up: a; a -> b at 1 per year; b -> a at 1/(2 h) }\nmeasure d = downtime of c\n";
    let units = "parameter n = 2\nblocks c { for i in 1..n { block u[i] fails at 1 per year, repaired at 1/(2 h) } }\n\
                 measure d = downtime of c\n";
    for (text, english, chinese) in [
        (text, "The model names no parameters, so that", "模型没有命名任何参数，"),
        (
            units,
            "The model names no parameters but those that decide about its",
            "除决定结构的参数外，模型没有命名任何参数",
        ),
    ] {
        let report = report("c.avail", text, 10);
        for (language, said) in [(Language::English, english), (Language::Chinese, chinese)] {
            assert!(report.assumptions(language).starts_with(said), "{}", report.assumptions(language));
            let page = report.html(language);
            // In the verdict and in the place of what to improve; without any parameter in that of their sources, too.
            let places = if report.sources.is_empty() { 3 } else { 2 };
            assert_eq!(page.matches(said).count(), places, "{page}");
        }
    }
}

#[test]
fn what_samples_leave_alone_is_said() {
    let text = SMALL.replace("repair = 10 h", "repair = 10 h between (1 + 1) h and 1 day");
    let ranged = report("small.avail", &text, 10);
    assert_eq!(ranged.varied(), Varied { count: 1, of: 3, only_range: vec!["repair".to_owned()] });
    let value = ranged.json();
    assert_eq!(value["varied"]["only_range"], serde_json::json!(["repair"]));
    let parameters = value["parameters"].as_array().expect("parameters");
    let between = |name: &str| &parameters.iter().find(|one| one["name"] == name).expect(name)["between"];
    assert_eq!(*between("repair"), serde_json::json!([2.0, 24.0]));
    assert!(between("fails").is_null());
    for (language, said) in [
        (
            Language::English,
            "1 of 3 parameters has a distribution and was varied; this one has only a range: repair; numbers that no \
             parameter names are taken as they are.",
        ),
        (
            Language::Chinese,
            "3 个参数中有 1 个带有分布并参与抽样；只有取值范围、未参与抽样的参数：repair；未命名为参数的数字按原值计算。",
        ),
    ] {
        assert_eq!(ranged.what_was_varied(language), said);
        assert!(ranged.html(language).contains(said), "{language:?}");
    }
    let text = text.replace("assumed \"a guess\"", "assumed \"a guess\" between 1/year and 1/day");
    let two = report("small.avail", &text, 10);
    assert!(two.what_was_varied(Language::English).contains("; these have only a range: "));
}

#[test]
fn everlines_solutions_are_made_of_their_components() {
    for name in own::SOLUTIONS {
        let report = solution(name);
        for service in &report.services {
            // Nearly all trees are series at the top: what is redundant has hardly a share.
            let sum: f64 = service.members.iter().map(|member| member.copies as f64 * member.share).sum();
            assert!((0.99..1.01).contains(&sum), "{name} {}: {sum}", service.name);
            let planned = service.planned.unwrap_or_else(|| panic!("{name} {}: nothing is planned", service.name));
            assert!(planned > 0.0 && planned < service.downtime.value, "{name} {}", service.name);
            let spread = service.spread.as_ref().expect("an interval");
            assert!(spread.points.is_sorted() && spread.keeps.is_sorted_by(|a, b| a >= b));
            assert_ne!(report.title(&service.name, Language::Chinese), service.name);
        }
        for component in &report.components {
            assert_ne!(report.title(&component.name, Language::Chinese), component.name, "{name}");
            assert_ne!(report.title(&component.name, Language::English), component.name, "{name}");
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
