use availability::model::Model;

#[test]
fn look() {
    for (name, text) in [("embedded", include_str!("models/embedded-control.avail")), ("mm13", include_str!("models/mm13.avail")), ("aircraft", include_str!("models/aircraft.avail")), ("chinese", include_str!("models/chinese.avail")), ("c", include_str!("models/workstation-cluster.avail"))] {
        let t = std::time::Instant::now();
        let model = Model::read(name, text, &[]).unwrap_or_else(|error| panic!("{}", availability::explain(&error, text)));
        let values = model.solve().unwrap();
        println!("{name} {:?}", t.elapsed());
        for (measure, value) in model.measures().iter().zip(values) {
            println!("{:30} {:.17e} {} {}", measure.name(), value.value, measure.unit(), value.digits());
        }
    }
}
