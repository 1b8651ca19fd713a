//! The user's table of base rates and factors, and what it predicts.

use std::collections::BTreeMap;

use super::Equipment;
use super::words::{Words, lines};
use crate::Error;

/// Boltzmann's constant in eV/K (exact in the SI since 2019: 1.380649e-23 J/K over 1.602176634e-19 J/eV).
const BOLTZMANN: f64 = 1.380_649e-23 / 1.602_176_634e-19;
/// 0 degrees Celsius in kelvin.
const FREEZING: f64 = 273.15;
/// The least and the largest failure rate of a part, per hour: what is beyond has no number in every unit.
const RATES: (f64, f64) = (1e-200, 1e200);

/// Base rates of parts, and factors by which conditions multiply them.
#[derive(Clone, Debug)]
pub struct Factors {
    /// Base rates are for this temperature, in degrees Celsius.
    reference: Option<f64>,
    /// Factor and value by name: its number.
    factors: BTreeMap<String, BTreeMap<String, f64>>,
    parts: BTreeMap<String, Part>,
}

#[derive(Clone, Debug)]
struct Part {
    /// Per hour.
    rate: f64,
    /// In eV.
    activation: Option<f64>,
    /// Factor and value by name, where this part has a number of its own.
    own: BTreeMap<(String, String), f64>,
}

/// A predicted failure rate, and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Failures per hour of the whole equipment, if every part is needed.
    pub rate: f64,
    /// The parts, in the order of the equipment's file.
    pub parts: Vec<PartRate>,
}

/// What one line of the equipment contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct PartRate {
    /// The part's name.
    pub part: String,
    /// How many there are.
    pub count: f64,
    /// Failures per hour of one of them, factors included.
    pub each: f64,
    /// The factors that were applied: name with value, and number.
    pub factors: Vec<(String, f64)>,
}

impl Factors {
    /// Reads a table; `file` names it in errors.
    ///
    /// # Errors
    /// At the first line that the form described at the module does not allow, or if the table has no unit or no part.
    pub fn read(file: &str, text: &str) -> Result<Self, Error> {
        let mut table = Self { reference: None, factors: BTreeMap::new(), parts: BTreeMap::new() };
        let mut unit = None;
        for mut words in lines(file, text)? {
            match words.take("a keyword")? {
                "unit" => unit = Some(read_unit(&mut words)?),
                "reference" => table.reference = Some(words.temperature()?),
                "factor" => table.read_factor(&mut words)?,
                "part" => {
                    let Some(unit) = unit else {
                        return Err(words.error("a part before the unit of its rate", "begin the file with: unit FIT"));
                    };
                    table.read_part(&mut words, unit)?;
                }
                other => {
                    let what = format!("{other:?} begins no line of a table of factors");
                    return Err(words.error(what, "lines begin with unit, reference, factor or part"));
                }
            }
            words.end()?;
        }
        if table.parts.is_empty() {
            return Err(Error::new(format!("{file} has no part"), "name parts by lines such as: part ssd 250"));
        }
        Ok(table)
    }

    fn read_factor(&mut self, words: &mut Words) -> Result<(), Error> {
        let name = words.take("the name of the factor")?;
        if ["temperature", "equipment", "activation"].contains(&name) || self.factors.contains_key(name) {
            let remedy = "give each factor one line and a name other than temperature, equipment or activation";
            return Err(words.error(format!("the factor {name:?} is reserved or stands twice"), remedy));
        }
        let mut values = BTreeMap::new();
        while let Some(value) = words.try_take() {
            let number = words.number("factor")?;
            if values.insert(value.to_owned(), number).is_some() {
                return Err(words.error(format!("{value:?} stands twice in this factor"), "give it one number"));
            }
        }
        if values.is_empty() {
            return Err(
                words.error(format!("the factor {name:?} has no value"), "write names and numbers, such as: office 1")
            );
        }
        self.factors.insert(name.to_owned(), values);
        Ok(())
    }

    fn read_part(&mut self, words: &mut Words, unit: f64) -> Result<(), Error> {
        let name = words.take("the name of the part")?;
        let mut part = Part { rate: words.number("rate")? * unit, activation: None, own: BTreeMap::new() };
        while let Some(word) = words.try_take() {
            if word == "activation" {
                part.activation = Some(words.number("activation energy")?);
                if words.take("the unit of the energy, eV")? != "eV" {
                    return Err(
                        words.error("an activation energy in another unit than eV", "write for example: 0.7 eV")
                    );
                }
                if self.reference.is_none() {
                    return Err(words.error(
                        "an activation energy without the temperature that the rates are for",
                        "add a line such as: reference 40 C, above the parts",
                    ));
                }
                continue;
            }
            let value = words.take("a value of the factor")?;
            self.number(word, value).map_err(|what| words.error(what, self.known(word)))?;
            let number = words.number("factor")?;
            part.own.insert((word.to_owned(), value.to_owned()), number);
        }
        if self.parts.insert(name.to_owned(), part).is_some() {
            return Err(words.error(format!("the part {name:?} stands twice"), "give each part one line"));
        }
        Ok(())
    }

    /// The number of a factor's value, or what is wrong with their names.
    fn number(&self, factor: &str, value: &str) -> Result<f64, String> {
        let values = self.factors.get(factor).ok_or_else(|| format!("there is no factor {factor:?}"))?;
        values.get(value).copied().ok_or_else(|| format!("the factor {factor:?} has no value {value:?}"))
    }

    fn known(&self, factor: &str) -> String {
        let names = |names: Vec<&String>| names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match self.factors.get(factor) {
            Some(values) => format!("its values are: {}", names(values.keys().collect())),
            None => format!("the table has: {}", names(self.factors.keys().collect())),
        }
    }

    /// The failure rate of an equipment, added up over its parts.
    ///
    /// # Errors
    /// If the table does not know a part or a value; if the equipment leaves a factor open, or a temperature on which a
    /// part depends; if a rate is too large or too small for a number.
    pub fn predict(&self, equipment: &Equipment) -> Result<Prediction, Error> {
        let parts =
            equipment.lines.iter().map(|line| self.part_rate(equipment, line)).collect::<Result<Vec<_>, _>>()?;
        Ok(Prediction { rate: parts.iter().map(|part| part.count * part.each).sum(), parts })
    }

    fn part_rate(&self, equipment: &Equipment, line: &super::Line) -> Result<PartRate, Error> {
        let wrong = |what: String, remedy: String| Error::new(what, remedy).at(line.place.clone());
        let part = self.parts.get(&line.part).ok_or_else(|| {
            let names: Vec<&str> = self.parts.keys().map(String::as_str).collect();
            wrong(format!("there is no part {:?} in the table", line.part), format!("it has: {}", names.join(", ")))
        })?;
        let conditions = equipment.conditions.iter().chain(&line.conditions);
        // What a line says comes later and counts.
        let chosen: BTreeMap<&str, &str> =
            conditions.map(|(factor, value)| (factor.as_str(), value.as_str())).collect();
        if let Some(factor) = chosen.keys().find(|factor| !self.factors.contains_key(**factor)) {
            return Err(wrong(format!("there is no factor {factor:?}"), self.known(factor)));
        }
        let mut factors = Vec::new();
        for factor in self.factors.keys() {
            let value = chosen.get(factor.as_str()).ok_or_else(|| {
                wrong(format!("the factor {factor:?} is left open for {:?}", line.part), self.known(factor))
            })?;
            let general = self.number(factor, value).map_err(|what| wrong(what, self.known(factor)))?;
            let own = part.own.get(&(factor.clone(), (*value).to_owned()));
            factors.push((format!("{factor} {value}"), own.copied().unwrap_or(general)));
        }
        if let (Some(activation), Some(reference)) = (part.activation, self.reference) {
            let celsius = line.temperature.or(equipment.temperature).ok_or_else(|| {
                wrong(
                    format!("the temperature of {:?} is left open", line.part),
                    "add a line such as: temperature 35 C".to_owned(),
                )
            })?;
            let inverse = |celsius: f64| (celsius + FREEZING).recip();
            let factor = (activation / BOLTZMANN * (inverse(reference) - inverse(celsius))).exp();
            factors.push((format!("temperature {celsius} C"), factor));
        }
        let each = factors.iter().fold(part.rate, |rate, (_, factor)| rate * factor);
        let (least, largest) = RATES;
        if let Some(rate) = [each, line.count * each].into_iter().find(|rate| !(least..=largest).contains(rate)) {
            return Err(wrong(
                format!("the rate of {:?} comes to {rate:e} per hour", line.part),
                format!("rates lie between {least:e} and {largest:e}: look at base rate, factors and count"),
            ));
        }
        Ok(PartRate { part: line.part.clone(), count: line.count, each, factors })
    }
}

/// The size of a unit of rate, per hour.
fn read_unit(words: &mut Words) -> Result<f64, Error> {
    match words.take("a unit")? {
        "FIT" => Ok(1e-9),
        "per-million-hours" => Ok(1e-6),
        "per-hour" => Ok(1.0),
        other => {
            Err(words.error(format!("{other:?} is no unit of a rate"), "write FIT, per-million-hours or per-hour"))
        }
    }
}
