//! Expressions, and the laws of basic events.

use roxmltree::Node;

use super::Reading;
use super::containers::content;
use crate::Error;
use crate::structure::{Law, Probability};

/// A parameter as far as it is known.
#[derive(Clone, Copy)]
pub(super) enum Parameter<'a, 'input> {
    /// By this expression.
    Defined(Node<'a, 'input>),
    /// Its expression is just being evaluated.
    Open,
    Known(f64),
}

const EXPRESSIONS: &str = "float, int, parameter, pi, neg, add, sub, mul, div, abs, exp, log, log10, pow, sqrt, min, max and \
                           mean; in a basic event also exponential, GLM and Weibull";

impl<'a, 'input> Reading<'a, 'input> {
    /// The law of a basic event.
    pub(super) fn law(&mut self, event: &str, node: Node<'a, 'input>) -> Result<Law, Error> {
        let law = match node.tag_name().name() {
            "exponential" => {
                let ([rate], time) = self.arguments(node)?;
                fixed(Law::Exponential { rate }, time)
            }
            "GLM" => {
                let ([at_start, failure_rate, repair_rate], time) = self.arguments(node)?;
                fixed(Law::Repaired { at_start, failure_rate, repair_rate }, time)
            }
            "Weibull" => {
                let ([scale, shape, shift], time) = self.arguments(node)?;
                fixed(Law::Weibull { scale, shape, shift }, time)
            }
            _ => Law::Fixed(Probability::of(self.number(node, 0)?)),
        };
        law.check(event).map_err(|error| error.at(self.lines.place(node.range().start)))?;
        Ok(law)
    }

    /// So many numbers and a time, which is `None` if it is that of the mission.
    fn arguments<const N: usize>(&mut self, node: Node<'a, 'input>) -> Result<([f64; N], Option<f64>), Error> {
        let arguments: Vec<_> = content(node).collect();
        let Some((&time, numbers)) = arguments.split_last().filter(|(_, numbers)| numbers.len() == N) else {
            let what = format!("`{}` has {} arguments", node.tag_name().name(), arguments.len());
            return Err(self.error(node, what, format!("it has {}, of which the last is the time", N + 1)));
        };
        let mut values = [0.0; N];
        for (value, &node) in values.iter_mut().zip(numbers) {
            *value = self.number(node, 0)?;
        }
        let time = if time.has_tag_name("system-mission-time") { None } else { Some(self.time(time)?) };
        Ok((values, time))
    }

    fn time(&mut self, node: Node<'a, 'input>) -> Result<f64, Error> {
        let time = self.number(node, 0)?;
        if time >= 0.0 {
            return Ok(time);
        }
        Err(self.error(node, format!("the time is {time}"), "a time is not negative"))
    }

    /// The value of an expression.
    fn number(&mut self, node: Node<'a, 'input>, depth: usize) -> Result<f64, Error> {
        self.check_depth(node, depth)?;
        let operator = node.tag_name().name();
        let value = match operator {
            "float" | "int" => {
                let text = self.attribute(node, "value")?;
                text.trim()
                    .parse()
                    .map_err(|_| self.error(node, format!("{text:?} is no number"), "write it like 1.2e-3"))?
            }
            "pi" => std::f64::consts::PI,
            "parameter" => self.parameter(node, depth)?,
            "system-mission-time" => {
                let what = "the mission time stands in an expression";
                return Err(self.error(node, what, "it can be the last argument of exponential, GLM and Weibull only"));
            }
            "neg" | "abs" | "exp" | "log" | "log10" | "sqrt" | "add" | "sub" | "mul" | "div" | "pow" | "min"
            | "max" | "mean" => {
                let arguments =
                    content(node).map(|node| self.number(node, depth + 1)).collect::<Result<Vec<_>, _>>()?;
                self.apply(node, operator, &arguments)?
            }
            _ => return Err(self.refuse(node, EXPRESSIONS)),
        };
        if f64::is_finite(value) {
            return Ok(value);
        }
        Err(self.error(node, format!("the value of `{operator}` is {value}"), "it must be a finite number"))
    }

    fn apply(&self, node: Node<'a, 'input>, operator: &str, arguments: &[f64]) -> Result<f64, Error> {
        let folded = |f: fn(f64, f64) -> f64| arguments.iter().copied().reduce(f);
        let result = match (operator, arguments) {
            ("neg", &[x]) => Some(-x),
            ("abs", &[x]) => Some(x.abs()),
            ("exp", &[x]) => Some(x.exp()),
            ("log", &[x]) => Some(x.ln()),
            ("log10", &[x]) => Some(x.log10()),
            ("sqrt", &[x]) => Some(x.sqrt()),
            ("pow", &[x, y]) => Some(x.powf(y)),
            ("add", _) => folded(|a, b| a + b),
            ("sub", _) => folded(|a, b| a - b),
            ("mul", _) => folded(|a, b| a * b),
            ("div", _) => folded(|a, b| a / b),
            ("min", _) => folded(f64::min),
            ("max", _) => folded(f64::max),
            ("mean", _) => folded(|a, b| a + b).map(|sum| sum / arguments.len() as f64),
            _ => None,
        };
        result.ok_or_else(|| {
            let what = format!("`{operator}` has {} arguments", arguments.len());
            self.error(node, what, "neg, abs, exp, log, log10 and sqrt have one, pow two, the others at least one")
        })
    }

    fn parameter(&mut self, node: Node<'a, 'input>, depth: usize) -> Result<f64, Error> {
        let name = self.attribute(node, "name")?;
        let Some(parameter) = self.parameters.get_mut(name) else {
            return Err(self.error(node, format!("the parameter {name:?} is not defined"), "add a `define-parameter`"));
        };
        let expression = match *parameter {
            Parameter::Known(value) => return Ok(value),
            Parameter::Open => {
                let what = format!("the parameter {name:?} depends on itself");
                return Err(self.error(node, what, "define it by others only"));
            }
            Parameter::Defined(expression) => expression,
        };
        *parameter = Parameter::Open;
        let value = self.number(expression, depth + 1)?;
        self.parameters.insert(name.to_owned(), Parameter::Known(value));
        Ok(value)
    }
}

/// A law, or what it says for a time that is given.
fn fixed(law: Law, time: Option<f64>) -> Law {
    time.map_or(law, |time| Law::Fixed(law.at(time)))
}
