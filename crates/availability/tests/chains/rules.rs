//! The generators of the reference files as [`Rules`].

use std::collections::BTreeMap;

use availability::chain::generator::{Binary, Clause, Expression, Module, Outcome, Rule, Rules, Unary, Variable};
use serde_json::Value;

/// What words stand for: variables, parameters, enumeration words, definitions.
type Names = BTreeMap<String, Expression>;

/// The model of a file, with these values for parameters that are counts (`N`), which become constants.
pub(crate) fn rules(file: &Value, counts: &[(&str, f64)]) -> (Rules, Vec<f64>) {
    let mut names: Names =
        [("true", 1.0), ("false", 0.0)].map(|(word, value)| (word.into(), Expression::Number(value))).into();
    let (mut rules, mut values) = (Rules::default(), Vec::new());
    for (name, value) in counts {
        names.insert((*name).into(), Expression::Number(*value));
    }
    for (name, entry) in file["parameters"].as_object().expect("parameters") {
        let text = entry["value"].as_str().expect("a value");
        if name != "N" && name != "k" && !text.contains("..") {
            names.insert(name.clone(), Expression::Parameter(values.len()));
            rules.parameters.push(name.clone());
            values.push(crate::reference::rate(text, &BTreeMap::new()));
        }
    }
    let model = &file["model"];
    for (index, (name, entry)) in model["variables"].as_object().expect("variables").iter().enumerate() {
        rules.variables.push(variable(name, entry, &mut names));
        names.insert(name.clone(), Expression::Variable(index));
    }
    for (name, text) in model["definitions"].as_object().into_iter().flatten() {
        let definition = parse(text, &names);
        names.insert(name.clone(), definition);
    }
    let list = model["rules"].as_array().expect("rules");
    let rule = |entry: &Value| {
        let effects = entry["effect"].as_object().expect("effects").iter().map(|(name, value)| {
            let Some(Expression::Variable(index)) = names.get(name) else { panic!("{name} is no variable") };
            (*index, parse(value, &names))
        });
        Rule {
            name: entry.to_string(),
            place: None,
            action: entry["counts_as"].as_str().map(str::to_owned),
            guard: parse(&entry["guard"], &names),
            outcomes: vec![Outcome { rate: parse(&entry["rate"], &names), effects: effects.collect() }],
        }
    };
    rules.modules.push(Module { name: "all".into(), rules: list.iter().map(rule).collect() });
    // Definitions of labels by labels are few and not deep: repeat until all are known.
    let mut open: Vec<_> = model["labels"].as_object().expect("labels").iter().collect();
    while !open.is_empty() {
        let before = open.len();
        open.retain(|(name, text)| {
            let known = words(text.as_str().expect("a text")).all(|word| names.contains_key(word));
            if known {
                let states = parse(text, &names);
                rules.labels.push(((*name).clone(), states.clone()));
                names.insert((*name).clone(), states);
            }
            !known
        });
        assert!(open.len() < before, "labels without meaning: {open:?}");
    }
    for (name, text) in model["rewards"].as_object().into_iter().flatten() {
        let (guard, text) = (Expression::Number(1.0), text.as_str().expect("a text"));
        let clause = if text.starts_with("1 at each rule") {
            Clause::Transition { action: Some("repair".into()), guard, value: Expression::Number(1.0) }
        } else {
            Clause::State { guard, value: parse(&Value::from(text), &names) }
        };
        rules.rewards.push((name.clone(), vec![clause]));
    }
    (rules, values)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    parts.filter(|word| word.starts_with(char::is_alphabetic) && !["and", "or", "not", "if", "min"].contains(word))
}

fn variable(name: &str, entry: &Value, names: &mut Names) -> Variable {
    let number = |value: &Value, names: &Names| match parse(value, names) {
        Expression::Number(value) => value as i64,
        Expression::Binary(Binary::Add, first, second) => match (*first, *second) {
            (Expression::Number(first), Expression::Number(second)) => (first + second) as i64,
            other => panic!("{other:?} is no number"),
        },
        other => panic!("{other:?} is no number"),
    };
    let (mut low, mut high, mut words) = (0, 1, vec!["false".to_owned(), "true".to_owned()]);
    if let Some(list) = entry["enum"].as_array() {
        words = list.iter().map(|word| word.as_str().expect("a word").to_owned()).collect();
        high = words.len() as i64 - 1;
        for (place, word) in words.iter().enumerate() {
            names.insert(word.clone(), Expression::Number(place as f64));
        }
    } else if let Some(range) = entry["range"].as_array() {
        (low, high, words) = (number(&range[0], names), number(&range[1], names), vec![]);
    }
    Variable { name: name.into(), low, high, initial: number(&entry["init"], names), words }
}

/// The expression of a text or number.
fn parse(value: &Value, names: &Names) -> Expression {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut parser = Parser { rest: &text, names };
    let expression = parser.either();
    assert!(parser.rest.trim().is_empty(), "what is '{}' in '{text}'?", parser.rest);
    expression
}

struct Parser<'a> {
    rest: &'a str,
    names: &'a Names,
}

impl Parser<'_> {
    fn take(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        let wordy = sign.ends_with(char::is_alphabetic);
        let Some(rest) = self.rest.strip_prefix(sign) else { return false };
        if wordy && rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return false;
        }
        self.rest = rest;
        true
    }

    fn level(&mut self, signs: &[(&str, Binary)], below: fn(&mut Self) -> Expression) -> Expression {
        let mut value = below(self);
        while let Some((_, operation)) = signs.iter().find(|(sign, _)| self.take(sign)) {
            value = Expression::binary(*operation, value, below(self));
        }
        value
    }

    fn either(&mut self) -> Expression {
        self.level(&[("or", Binary::Or)], Self::both)
    }

    fn both(&mut self) -> Expression {
        self.level(&[("and", Binary::And)], Self::negation)
    }

    fn negation(&mut self) -> Expression {
        if self.take("not") { Expression::unary(Unary::Not, self.negation()) } else { self.comparison() }
    }

    fn comparison(&mut self) -> Expression {
        let first = self.sum();
        for (sign, operation, swap) in [
            ("<=", Binary::AtMost, false),
            (">=", Binary::AtMost, true),
            ("!=", Binary::Different, false),
            ("<", Binary::Less, false),
            (">", Binary::Less, true),
            ("=", Binary::Equal, false),
        ] {
            if self.take(sign) {
                let second = self.sum();
                let (first, second) = if swap { (second, first) } else { (first, second) };
                return Expression::binary(operation, first, second);
            }
        }
        first
    }

    fn sum(&mut self) -> Expression {
        self.level(&[("+", Binary::Add), ("-", Binary::Subtract)], Self::product)
    }

    fn product(&mut self) -> Expression {
        self.level(&[("*", Binary::Multiply), ("/", Binary::Divide)], Self::atom)
    }

    fn atom(&mut self) -> Expression {
        if self.take("(") {
            let value = self.either();
            assert!(self.take(")"), "a bracket stays open before '{}'", self.rest);
            return value;
        }
        for word in ["if", "min"] {
            if self.take(word) {
                return self.call(word);
            }
        }
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word.parse() {
            Ok(number) => Expression::Number(number),
            Err(_) => self.names.get(word).unwrap_or_else(|| panic!("no name '{word}'")).clone(),
        }
    }

    fn call(&mut self, word: &str) -> Expression {
        assert!(self.take("("), "{word} has no bracket");
        let mut arguments = vec![self.either()];
        while self.take(",") {
            arguments.push(self.either());
        }
        assert!(self.take(")"), "{word} stays open");
        match (word, &arguments[..]) {
            ("if", [condition, then, otherwise]) => {
                Expression::choose(condition.clone(), then.clone(), otherwise.clone())
            }
            ("min", [first, second]) => Expression::binary(Binary::Least, first.clone(), second.clone()),
            _ => panic!("{word} of {arguments:?}"),
        }
    }
}
