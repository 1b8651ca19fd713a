//! No input makes a reader of files panic: valid ones with a piece cut out, doubled or replaced.

use availability::compose::Composed;
use availability::estimate::Confidence;
use availability::estimate::drill::Drill;
use availability::estimate::log::{EventLog, instant};
use availability::estimate::parts::{Equipment, Factors};
use availability::formats::{File, Format};
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

/// A text with a piece from somewhere in it left out, doubled or replaced.
fn damage(text: &str, at: f64, length: usize, new: &str, times: usize) -> String {
    let text: Vec<char> = text.chars().collect();
    let at = ((at * text.len() as f64) as usize).min(text.len());
    let end = (at + length).min(text.len());
    let piece: String = text[at..end].iter().collect();
    let (before, after): (String, String) = (text[..at].iter().collect(), text[end..].iter().collect());
    format!("{before}{}{new}{after}", piece.repeat(times))
}

fn damaged() -> impl Strategy<Value = String> {
    (0..SEEDS.len(), 0.0..1.0, 0..12_usize, "\\PC{0,3}", 0..3_usize)
        .prop_map(|(seed, at, length, new, times)| damage(SEEDS[seed], at, length, &new, times))
}

/// Models in all formats: the file and one beside it, with its ending.
const MODELS: [(Format, &str, &str, &str); 9] = [
    (Format::Avail, include_str!("models/duplex.avail"), "", ""),
    (Format::Avail, include_str!("models/mm13.avail"), "", ""),
    (Format::Avail, include_str!("models/chinese.avail"), "", ""),
    (
        Format::Avail,
        "parameter n = 3 between 1 and 9 ~ uniform(low = 1, high = 4) from assumed \"why\"\nlet m = if(n > 2, 1/(2 h), 3 per day)\n\
         rules r { x : 0..3 start n; y : {a, b} start a; z : bool\n let f = x*2\n module k { q : 0..1 start 0\n [t] when q=0 then q := 1 at 2 }\n\
         when x > 0 then x := x-1, y := b at x*m\n [t] when x < n and not z then x := x+1 at m + 1 per hour\n when q=1 then q := 0 at m\n label l = f > 2\n up: x>0 or y=a\n\
         reward w: 3*x per hour\n reward v: [t] 1\n reward u: erlang_b(x, 1.5) + erlang_c(2, 1/2) }\n\
         chain c { for i in 0..n { s[i] -> s[i+1] at 2 FIT; s[i+1] -> s[i] at m }\n down: s[n]\n up: s[0], s[1], s[2], s[4] \n label e: s[1] }\n\
         tree t { event a is c; event b fails at 5/year, repaired at m; event d[1] probability 1e-3 \n top = at least 3 of 2*a, b, not d[*] }\n\
         tree q { event e is c; event f fails at 5/year, repaired at m; top = e or f }\n\
         blocks o { block p[1] is c; block p[2] is t; works = parallel(p[1], series(p[2], p[1])) }\n\
         graph g { from u to v; u -> w is c; w -- v is t; u -> v probability 1 ppm }\n\
         measure A = (1 - unavailability of r)/2 in %\nmeasure time to x=0 in r in min\nmeasure probability of l in r before down\nmeasure reward v of r\n\
         measure failures of t in per year\nmeasure birnbaum importance of w -- v in g\nmeasure fussell vesely importance of u -> w in g\nmeasure mtbf of o\n\
         measure defects per million of c with holding 3 min\nmeasure availability of c at 2 h\n\
         measure probability of downtime in q above 1 min over 2 h\nmeasure reward u of r",
        "",
        "",
    ),
    (Format::Prism, include_str!("models/cluster.sm"), "csl", include_str!("models/cluster.csl")),
    (
        Format::Prism,
        "ctmc\nconst int N = 2; const double l = 2;\nformula f = n>0 ? 1 : 0;\nmodule m n : [0..N] init N; b : bool init false;\n\
         [a] n>0 & !b -> n*l : (n'=n-1) & (b'=true) + 2 : true;\n [] b -> 3 : (b'=false);\n [r] n<N => b -> 1 : (n'=min(N, n+1)); endmodule\n\
         module k = m [n=o, b=d, a=z, r=s] endmodule\nlabel \"x\" = f=0 | mod(n, 2)=1;\nrewards \"w\" [a] true : 1; n=1 : pow(2, n); endrewards",
        "props",
        "\"u\": S=? [ \"x\" ];\nP=? [ n>0 U<=2 n=0 ];\nR{\"w\"}=? [ C<=3 ];\nR{\"w\"}=? [ S ];\nP=? [ F b ];\n",
    ),
    (Format::Explicit, "3 4\n0 1 2\n1 0 3\n1 2 0.5\n2 0 1.5\n", "lab", "0=\"init\" 1=\"down\"\n0: 0\n2: 1\n"),
    (
        Format::OpenPsa,
        "<opsa-mef><define-fault-tree name=\"T\"><define-gate name=\"top\"><or><and><basic-event name=\"a\"/><gate name=\"g\"/></and>\
         <not><basic-event name=\"b\"/></not></or></define-gate><define-gate name=\"g\"><atleast min=\"2\"><basic-event name=\"a\"/>\
         <basic-event name=\"b\"/><house-event name=\"h\"/></atleast></define-gate></define-fault-tree><model-data>\
         <define-house-event name=\"h\"><constant value=\"true\"/></define-house-event><define-basic-event name=\"a\"><exponential>\
         <float value=\"1e-3\"/><parameter name=\"t\"/></exponential></define-basic-event><define-basic-event name=\"b\"><float value=\"0.1\"/>\
         </define-basic-event><define-parameter name=\"t\"><float value=\"10\"/></define-parameter></model-data></opsa-mef>",
        "",
        "",
    ),
    (
        Format::Galileo,
        "toplevel \"S\";\n\"S\" or \"A\" \"B\";\n\"A\" and \"x\" \"y\";\n\"B\" 2of3 \"x\" \"y\" \"z\";\n\"x\" lambda=1e-4 repair=0.1;\n\
         \"y\" prob=0.2;\n\"z\" rate=3 shape=2;\n",
        "",
        "",
    ),
];

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
            let _ = whole.measure(confidence, &mut |_| Some(File { name: "f".to_owned(), text: text.clone() }));
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn models_are_read_and_solved_or_refused(
        model in 0..MODELS.len(), where_ in (0.0..1.0, 0..12_usize, "[ -~]{0,2}", 0..3_usize), beside in any::<bool>(),
    ) {
        let (format, text, ending, other) = MODELS[model];
        // The cluster of few stations.
        let text = &text.replace("N = 4", "N = 1");
        let hurt = |text: &str| damage(text, where_.0, where_.1, &where_.2, where_.3);
        let (text, other) = if beside && !ending.is_empty() { (text.to_owned(), hurt(other)) } else { (hurt(text), other.to_owned()) };
        let file = |ending: &str, text| File { name: format!("m.{ending}"), text };
        if let Ok(model) = format.read(&file("x", text), &[(ending, file(ending, other))], &[]) {
            let plan = model.plan(&(0..model.measures().len()).collect::<Vec<_>>());
            if plan.solve().is_ok() {
                for measure in 0..plan.measures().len() {
                    let _ = plan.gradient(measure);
                    if ending.is_empty() {
                        let _ = plan.hessian_row(measure, 0);
                    }
                }
            }
        }
    }
}
