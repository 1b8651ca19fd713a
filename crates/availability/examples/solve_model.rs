//! Solves the model in a file: `cargo run -p availability --example solve_model -- models/solutions/one-host.avail`.

use availability::Error;
use availability::compose::Composed;
use availability::estimate::Confidence;
use availability::formats::File;
use availability::model::Model;

fn main() {
    let mut failed = false;
    for path in std::env::args().skip(1) {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        if let Err(error) = solve(&path, read) {
            println!("{path}: {error}");
            failed = true;
        }
    }
    std::process::exit(i32::from(failed));
}

fn solve(path: &str, read: impl Fn(&str) -> Option<String>) -> Result<(), Error> {
    let mut whole = Composed::new(path, &mut |path| {
        read(path).ok_or_else(|| Error::new(format!("{path} cannot be read"), "look at its name"))
    })?;
    let file = |path: &str| Some(File { name: path.to_owned(), text: read(path)? });
    let taken = whole.measure(Confidence::two_sided(0.95)?, &mut { file })?;
    let text = whole.text();
    let model = Model::read(path, &text, &[]).map_err(|error| whole.explain(error))?;
    let values = model.solve().map_err(|error| whole.explain(error))?;
    println!("{path} ({} parameters measured)", taken.replaced.len());
    for (measure, value) in model.measures().iter().zip(values) {
        println!("  {:40} {value} {}", measure.name(), measure.unit());
    }
    Ok(())
}
