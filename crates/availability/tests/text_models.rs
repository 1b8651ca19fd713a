use availability::formats::{File, Format};

#[test]
fn look() {
    let f = |n: &str, t: &str| File { name: n.into(), text: t.into() };
    let main = f("cluster.sm", include_str!("models/cluster.sm"));
    let csl = f("cluster.csl", include_str!("models/cluster.csl"));
    let beside = [("csl", csl)];
    let model = Format::Prism.read(&main, &beside, &[]).unwrap_or_else(|error| panic!("{}", availability::explain(&error, if error.place.as_ref().unwrap().file == "cluster.sm" {&main.text} else {&beside[0].1.text})));
        let values = model.solve().unwrap();
        for (measure, value) in model.measures().iter().zip(values) {
            println!("{:30} {:.17e} {} {}", measure.name(), value.value, measure.unit(), value.digits());
        }
    let model = Format::Explicit.read(&f("a.tra", "2 2\n0 1 0.001\n1 0 2\n"), &[("lab", f("a.lab", "0=\"init\" 1=\"down\"\n0: 0\n1: 1\n")), ("srew", f("a.srew", "2 1\n1 5\n"))], &[]).unwrap();
        let values = model.solve().unwrap();
        for (measure, value) in model.measures().iter().zip(values) {
            println!("{:30} {:.17e} {} {}", measure.name(), value.value, measure.unit(), value.digits());
        }
}
