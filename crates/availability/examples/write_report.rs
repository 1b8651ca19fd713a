//! Writes the report of one of Everline's own solutions as a page:
//! `cargo run -p availability --example write_report -- three-hosts zh > report.html`.

use availability::model::Resources;
use availability::report::{Language, Question, Samples};
use availability::{Error, own};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let solution = words.first().map_or("three-hosts", String::as_str);
    let language = if words.get(1).is_some_and(|word| word == "zh") { Language::Chinese } else { Language::English };
    match page(solution, language) {
        Ok(page) => print!("{page}"),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

fn page(solution: &str, language: Language) -> Result<String, Error> {
    let question = Question::new(&own::path(solution), &own::solution(solution)?.text(), &[], Resources::default())?;
    let samples = Samples { seed: 1, values: question.plan().sample(1, 0..2_000)? };
    Ok(question.report(Some(&samples))?.html(language))
}
