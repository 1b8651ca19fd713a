use std::time::Duration;

use super::builtin::{ALL, find};
use super::{Deed, HostName, Plan, Role, Stretch, Target};

fn deed(line: &str) -> Deed {
    let plan = Plan::parse("test", line).expect("it is understood");
    plan.steps[0].deed.clone()
}

fn problem(line: &str) -> String {
    let problems = Plan::parse("my.plan", line).expect_err("it is wrong");
    problems.iter().map(|problem| problem.render("my.plan")).collect::<Vec<_>>().join("\n")
}

fn named(name: &str) -> HostName {
    HostName::Named(name.into())
}

#[test]
fn every_kind_of_step_is_read() {
    let primary = || Target::Side { pair: "sip".into(), role: Role::Primary };
    let seconds = Duration::from_secs;
    assert_eq!(deed("kill sip.primary"), Deed::Kill(vec![primary()]));
    let lca = Target::Application { name: "lca".into(), host: None };
    assert_eq!(deed("kill lca + sip.primary # both"), Deed::Kill(vec![lca, primary()]));
    let control = Target::Application { name: "control".into(), host: Some(named("h2")) };
    assert_eq!(deed("kill control@h2"), Deed::Kill(vec![control]));
    assert_eq!(deed("freeze sip.primary"), Deed::Freeze(primary(), seconds(10)));
    assert_eq!(deed("freeze sip.primary 2s"), Deed::Freeze(primary(), seconds(2)));
    assert_eq!(deed("power off h1 for 7s"), Deed::PowerOff(named("h1"), seconds(7)));
    let of = HostName::Of { pair: "sip".into(), role: Role::Primary };
    assert_eq!(deed("power off @sip.primary"), Deed::PowerOff(of.clone(), seconds(5)));
    let both = |one_way, networks: &[&str]| Stretch {
        from: named("h1"),
        to: named("h2"),
        one_way,
        networks: networks.iter().map(|name| (*name).to_owned()).collect(),
    };
    assert_eq!(deed("cut h1 h2 on a"), Deed::Cut(both(false, &["a"]), seconds(5)));
    assert_eq!(deed("cut h1 -> h2 on a,b 3s"), Deed::Cut(both(true, &["a", "b"]), seconds(3)));
    assert_eq!(deed("cut h1->h2"), Deed::Cut(both(true, &[]), seconds(5)));
    assert_eq!(deed("cut off h1 on access 3s"), Deed::CutOff(named("h1"), vec!["access".into()], seconds(3)));
    assert_eq!(deed("cut off @sip.primary"), Deed::CutOff(of, Vec::new(), seconds(5)));
    for name in ["switchboard", "authority", "etcd"] {
        let target = Target::Application { name: name.into(), host: None };
        assert_eq!(deed(&format!("freeze {name}")), Deed::Freeze(target, seconds(10)));
    }
    assert_eq!(deed("loss 5% h1 h2"), Deed::Loss(5.0, both(false, &[]), seconds(5)));
    assert_eq!(deed("delay 50ms h1 h2"), Deed::Delay(Duration::from_millis(50), both(false, &[]), seconds(5)));
    assert_eq!(deed("black hole 200 h1 -> h2 on a 3s"), Deed::BlackHole(200, both(true, &["a"]), seconds(3)));
    assert_eq!(deed("take coordinator 2"), Deed::TakeCoordinator(2, seconds(5)));
    assert_eq!(deed("clock h1 +1h"), Deed::MoveClock(named("h1"), 3_600, seconds(5)));
    assert_eq!(deed("clock h1 -30s 1s"), Deed::MoveClock(named("h1"), -30, seconds(1)));
    assert_eq!(deed("steal address"), Deed::StealAddress(seconds(5)));
    assert_eq!(deed("fill disk h1"), Deed::FillDisk(named("h1"), seconds(5)));
    assert_eq!(deed("switchover sip"), Deed::Switchover("sip".into()));
    assert_eq!(deed("repair"), Deed::Repair);
}

#[test]
fn what_counts_for_the_lines_below_counts_for_them_only() {
    let text = "kill sip.primary\nrepeat 20\nload 30 calls/s\nhold 10000 calls\nkill sip.backup\n";
    let plan = Plan::parse("test", text).expect("right");
    assert_eq!(plan.steps.iter().map(|step| step.runs).collect::<Vec<_>>(), [1, 20]);
    assert_eq!((plan.rate, plan.held, plan.runs(), plan.steps[1].line), (30, 10_000, 21, 5));
}

#[test]
fn a_problem_names_file_line_column_and_what_is_allowed() {
    assert_eq!(
        problem("repeat 20\n  kill sip.primry"),
        "my.plan:2:8: `sip.primry` is not understood here\n  |   kill sip.primry\n  |        ^^^^^^^^^^\n  allowed: \
         sip.primary, sip.backup, routing.primary, routing.backup, coordinator, or an application such as control, lca, \
         switchboard, authority, etcd, sip-a, also with its host: lca@h2"
    );
    for (line, place, word) in [
        ("kill", "1:5", "the line ends too early"),
        ("kil sip.primary", "1:1", "power off"),
        ("loss 5 h1 h2", "1:6", "5%"),
        ("cut h1 h2 on c", "1:14", "networks"),
        ("cut off", "1:8", "the line ends too early"),
        ("cut off h1 h2", "1:12", "a time such as"),
        ("cut h1 h1", "1:10", "two ends"),
        ("freeze sip.backup 10", "1:19", "10s"),
        ("repeat 0", "1:8", "1 to 1000"),
        ("hold 0 calls", "1:6", "1 to 20000"),
        ("take coordinator 4", "1:18", "1 to 3"),
        ("repair now", "1:8", "nothing more"),
        ("# only this", "1:1", "no step"),
    ] {
        let said = problem(line);
        assert!(said.starts_with(&format!("my.plan:{place}: ")) && said.contains(word), "{line}: {said}");
    }
}

#[test]
fn every_built_in_plan_is_right() {
    for builtin in ALL {
        let plan = Plan::parse(builtin.name, builtin.text).map_err(|problems| problems[0].render(builtin.name));
        plan.expect("it is right");
    }
}

#[test]
fn the_usual_plan_kills_and_freezes_every_application_and_looks_twice_at_what_is_usual() {
    let usual = find("usual").expect("built in");
    let plan = Plan::parse(usual.name, usual.text).expect("it is right");
    let often = |step: &str| plan.steps.iter().filter(|one| one.text == step && one.runs == 20).count();
    let servers = ["sip.primary", "sip.backup", "routing.primary", "routing.backup"];
    for name in servers.into_iter().chain(["control", "lca", "switchboard", "authority", "etcd"]) {
        assert_eq!([format!("kill {name}"), format!("freeze {name} 10s")].map(|step| often(&step)), [1, 1], "{name}");
    }
    assert_eq!(often("nothing 5s"), 2);
}
