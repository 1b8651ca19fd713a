//! No input makes a reader of files panic: valid ones with a piece cut out, doubled or replaced.

use availability::compose::Composed;
use availability::estimate::Confidence;
use availability::estimate::drill::Drill;
use availability::estimate::log::{EventLog, instant};
use availability::estimate::parts::{Equipment, Factors};
use proptest::prelude::*;

const SEEDS: [&str; 8] = [
    "2026-01-01T00:00:00Z * begin\n2026-01-02T00:00:00,5+01:00 a down # why\n2026-W02-1T24:00Z a up\n2026-040T00Z * end\n",
    "time,component,event\n2026-01-01T00:00Z,\"a, b\",begin\n20260102T000000.5Z,\"a, b\",end\n",
    "{\"time\": \"2026-01-01T00:00:00Z\", \"component\": \"a\", \"event\": \"begin\"}\n",
    "unit FIT\nreference 40 C\nfactor environment office 1 rack 1.5\npart \"memory module\" 60 activation 0.7 eV environment rack 2\n",
    "equipment \"a server\"\nenvironment rack\ntemperature 40C\n8 \"memory module\" temperature 50 C\n",
    "{\"schema\": \"everline-drill-1\", \"place\": \"here\", \"seed\": 1, \"runs\": [{\"step\": \"a\", \"kind\": \"b\", \"ending\": \"passed\", \"gap_us\": 3}]}",
    "use \"a.avail\" as b {\n c = 1\n let d = 2 }\n}\nparameter x = 1 from measured \"f#gap of b\"\nchain y { up: z }\n",
    "use \"a.avail\"",
];

fn damaged() -> impl Strategy<Value = String> {
    (0..SEEDS.len(), 0..200_usize, 0..12_usize, "\\PC{0,3}", 0..3_usize).prop_map(|(seed, at, length, new, times)| {
        let text: Vec<char> = SEEDS[seed].chars().collect();
        let at = at.min(text.len());
        let end = (at + length).min(text.len());
        let piece: String = text[at..end].iter().collect();
        let (before, after): (String, String) = (text[..at].iter().collect(), text[end..].iter().collect());
        format!("{before}{}{new}{after}", piece.repeat(times))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn readers_answer_with_a_value_or_an_error(text in damaged()) {
        let confidence = Confidence::two_sided(0.95).expect("valid");
        let _ = EventLog::read("log", &text);
        let _ = instant(&text);
        if let (Ok(table), Ok(list)) = (Factors::read("table", &text), Equipment::read("list", SEEDS[4])) {
            let _ = table.predict(&list);
        }
        if let (Ok(table), Ok(list)) = (Factors::read("table", SEEDS[3]), Equipment::read("list", &text)) {
            let _ = table.predict(&list);
        }
        if let Ok(drill) = Drill::read("drill", &text) {
            let _ = drill.estimates(confidence);
        }
        let whole = Composed::new("m.avail", &mut |path| Ok(if path == "m.avail" { text.clone() } else { SEEDS[6].to_owned() }));
        if let Ok(mut whole) = whole {
            let _ = whole.measure(confidence, &mut |_| Some(text.clone()));
        }
    }
}
