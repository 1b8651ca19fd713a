use availability::model::Model;

#[test]
fn look() {
    let text = include_str!("models/sip-websphere.avail");
    let t = std::time::Instant::now();
    let model = Model::read("sip", text, &[]).unwrap_or_else(|error| panic!("{}", availability::explain(&error, text)));
    println!("read {:?}", t.elapsed());
    let plan = model.plan(&[0]);
    for _ in 0..3 {
    let t = std::time::Instant::now();
    let v = plan.solve().unwrap();
    println!("solve {:?} {:?}", t.elapsed(), v);
    let t = std::time::Instant::now();
    let g = plan.gradient(0).unwrap();
    println!("gradient {:?} {:?}", t.elapsed(), &g[..3]);
    let t = std::time::Instant::now();
    let h = plan.hessian(0).unwrap();
    println!("hessian {:?} {:?}", t.elapsed(), &h[0][..3]);
    let x: Vec<f64> = model.parameters().iter().map(|p| p.value()).collect();
    let t = std::time::Instant::now();
    for _ in 0..100 { plan.values_at(&x).unwrap(); }
    println!("value {:?}", t.elapsed() / 100);
    }
}
