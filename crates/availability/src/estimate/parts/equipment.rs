//! What an equipment consists of.

use super::words::{Words, lines};
use crate::{Error, Place};

/// A list of parts and the conditions that they work under.
#[derive(Clone, Debug)]
pub struct Equipment {
    /// Its name.
    pub name: String,
    /// In degrees Celsius, for parts that say nothing else.
    pub temperature: Option<f64>,
    /// Factor and value, for parts that say nothing else.
    pub conditions: Vec<(String, String)>,
    /// The parts.
    pub lines: Vec<Line>,
}

/// Some equal parts.
#[derive(Clone, Debug)]
pub struct Line {
    /// How many.
    pub count: f64,
    /// The name that the table of factors knows.
    pub part: String,
    /// In degrees Celsius, if other than the equipment's.
    pub temperature: Option<f64>,
    /// Factor and value, where other than the equipment's.
    pub conditions: Vec<(String, String)>,
    /// Where it stands.
    pub place: Place,
}

impl Equipment {
    /// Reads a list of parts; `file` names it in errors.
    ///
    /// # Errors
    /// At the first line that the form described at the module does not allow, or if there is no part.
    pub fn read(file: &str, text: &str) -> Result<Self, Error> {
        let mut equipment =
            Self { name: file.to_owned(), temperature: None, conditions: Vec::new(), lines: Vec::new() };
        for mut words in lines(file, text)? {
            let first = words.take("a keyword or a count")?;
            if let Ok(count) = first.parse::<f64>() {
                if !(count > 0.0 && count.is_finite()) {
                    return Err(words.error(format!("a count of {first}"), "count at least one part"));
                }
                let line = Line::read(count, &mut words)?;
                equipment.lines.push(line);
                continue;
            }
            match first {
                "equipment" => words.take("the name of the equipment")?.clone_into(&mut equipment.name),
                "temperature" => equipment.temperature = Some(words.temperature()?),
                factor => {
                    let value = words.take("a value of the factor")?;
                    equipment.conditions.push((factor.to_owned(), value.to_owned()));
                }
            }
            words.end()?;
        }
        if equipment.lines.is_empty() {
            return Err(Error::new(format!("{file} lists no part"), "list parts by lines such as: 2 ssd"));
        }
        Ok(equipment)
    }
}

impl Line {
    fn read(count: f64, words: &mut Words) -> Result<Self, Error> {
        let part = words.take("the name of the part")?.to_owned();
        let mut line = Self { count, part, temperature: None, conditions: Vec::new(), place: words.place() };
        while let Some(word) = words.try_take() {
            if word == "temperature" {
                line.temperature = Some(words.temperature()?);
            } else {
                let value = words.take("a value of the factor")?;
                line.conditions.push((word.to_owned(), value.to_owned()));
            }
        }
        Ok(line)
    }
}
