use sim::{plan::Plan, toy};
use redundancy::hot_standby::Sabotage;
fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let t = std::time::Instant::now();
    let (from, n) = (args[0], args[1]);
    if args.len() > 2 {
        for sab in Sabotage::ALL {
            let mut found = Vec::new();
            for seed in from..from+n {
                if let Some(v) = toy::run(&Plan::draw(seed, sab), false).violation { found.push((seed, v.checker)); }
            }
            let mut by = std::collections::BTreeMap::new();
            for f in &found { *by.entry(f.1).or_insert(0) += 1; }
            println!("{sab:?}: {} of {n}, first {:?}, {by:?}", found.len(), found.first());
        }
        return;
    }
    let mut fails = std::collections::BTreeMap::<String, (u64, u64)>::new();
    let mut events = 0;
    let mut cold = 0;
    let mut take = 0;
    for seed in from..from + n {
        let plan = Plan::draw(seed, redundancy::hot_standby::Sabotage::None);
        let out = toy::run(&plan, n == 1);
        events += out.events;
        cold += out.cold_starts;
        take += out.takeovers;
        if n == 1 {
            println!("{plan}\n{}", out.ladder);
        }
        if let Some(v) = out.violation {
            let key: String = format!(
                "{} {}",
                v.checker,
                v.what.chars().filter(|c| !c.is_ascii_digit()).take(70).collect::<String>()
            );
            let e = fails.entry(key).or_insert((0, seed));
            e.0 += 1;
            if n == 1 {
                println!("{v}");
            }
        }
    }
    for (k, v) in fails {
        println!("{:5} first {:5} {k}", v.0, v.1);
    }
    println!("{n} seeds, {:?}, {} events/seed, cold {cold}, serves {take}", t.elapsed(), events / n);
}
