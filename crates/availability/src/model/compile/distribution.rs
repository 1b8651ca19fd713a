//! Distributions of parameters, as the text names them.

use super::Compiler;
use crate::Error;
use crate::model::distribution::Distribution;
use crate::text::ast;
use crate::text::exact::Exact;
use crate::text::source::{Span, did_you_mean};
use crate::text::unit::Dimension;

/// A kind of distribution: its name, its arguments, and which of them the value of the parameter stands for.
struct Family {
    name: &'static str,
    arguments: &'static [&'static str],
    /// The argument that is the parameter's own value unless it is given.
    usual: Option<&'static str>,
    /// Arguments that are plain numbers; the others have the unit of the parameter.
    plain: &'static [&'static str],
}

const FAMILIES: [Family; 7] = [
    Family { name: "uniform", arguments: &["low", "high"], usual: None, plain: &[] },
    Family { name: "loguniform", arguments: &["low", "high"], usual: None, plain: &[] },
    Family { name: "normal", arguments: &["mean", "sd"], usual: Some("mean"), plain: &[] },
    Family {
        name: "lognormal",
        arguments: &["median", "error_factor"],
        usual: Some("median"),
        plain: &["error_factor"],
    },
    Family { name: "gamma", arguments: &["shape", "mean"], usual: Some("mean"), plain: &["shape"] },
    Family { name: "beta", arguments: &["a", "b"], usual: None, plain: &["a", "b"] },
    Family { name: "triangular", arguments: &["low", "mode", "high"], usual: Some("mode"), plain: &[] },
];

impl Compiler<'_> {
    /// The distribution of a parameter of this name and value.
    ///
    /// # Errors
    /// If there is no such distribution, its arguments do not fit, or the parameter cannot have this value by it.
    pub(super) fn distribution(
        &mut self,
        parameter: &str,
        asked: &ast::Distribution,
        value: Exact,
        dimension: Dimension,
    ) -> Result<Distribution, Error> {
        let made = self.made(asked, value, dimension)?;
        let name = &asked.family;
        if matches!(made, Distribution::Beta { .. }) && dimension != Dimension::PLAIN {
            let what = format!("`beta` is a distribution of shares, and `{parameter}` is {}", dimension.name());
            return Err(self.error(name.span, what, "rates and times have `gamma` or `lognormal`"));
        }
        let (low, high) = made.support();
        if (low..=high).contains(&value.rounded()) {
            return Ok(made);
        }
        let unit = if dimension == Dimension::PLAIN { String::new() } else { format!(" {}", dimension.usual_unit()) };
        let what = format!("the value of `{parameter}`, {}{unit}, lies outside of its distribution", value.rounded());
        Err(self.error(name.span, what, format!("`{}` has values from {low} to {high}{unit} here", name.text)))
    }

    fn made(&mut self, asked: &ast::Distribution, value: Exact, dimension: Dimension) -> Result<Distribution, Error> {
        let name = &asked.family;
        let Some(family) = FAMILIES.iter().find(|family| family.name == name.text) else {
            let known = FAMILIES.iter().map(|family| family.name);
            let what = format!("there is no distribution `{}`{}", name.text, did_you_mean(&name.text, known.clone()));
            return Err(self.error(
                name.span,
                what,
                format!("distributions are {}", known.collect::<Vec<_>>().join(", ")),
            ));
        };
        let mut found = Vec::new();
        for argument in family.arguments {
            let given = asked.arguments.iter().find(|(name, _)| name.text == *argument);
            found.push(match given {
                Some((_, expr)) => {
                    let (number, _, own) = self.alone(expr)?;
                    let wanted = if family.plain.contains(argument) { Dimension::PLAIN } else { dimension };
                    self.same_dimension(expr.span, own, wanted, &format!("`{argument}`"), "what it stands for")?;
                    number.rounded()
                }
                None if family.usual == Some(argument) => value.rounded(),
                None => {
                    let what = format!("`{}` needs `{argument} = ...`", name.text);
                    return Err(self.error(
                        name.span,
                        what,
                        format!("its arguments are {}", family.arguments.join(", ")),
                    ));
                }
            });
        }
        if let Some((wrong, _)) =
            asked.arguments.iter().find(|(given, _)| !family.arguments.contains(&given.text.as_str()))
        {
            let near = did_you_mean(&wrong.text, family.arguments.iter().copied());
            let what = format!("`{}` has no argument `{}`{near}", name.text, wrong.text);
            return Err(self.error(wrong.span, what, format!("its arguments are {}", family.arguments.join(", "))));
        }
        self.checked(family.name, &found, name.span)
    }

    fn checked(&self, family: &str, n: &[f64], span: Span) -> Result<Distribution, Error> {
        let (made, sound, rule) = match family {
            "uniform" => (Distribution::Uniform { low: n[0], high: n[1] }, n[0] < n[1], "`low` below `high`"),
            "loguniform" => (
                Distribution::LogUniform { low: n[0], high: n[1] },
                0.0 < n[0] && n[0] < n[1],
                "0 below `low` below `high`",
            ),
            "normal" => (Distribution::Normal { mean: n[0], sd: n[1] }, n[1] > 0.0, "`sd` above 0"),
            "lognormal" => {
                let made = Distribution::Lognormal { median: n[0], error_factor: n[1] };
                (made, n[0] > 0.0 && n[1] > 1.0, "`median` above 0 and `error_factor` above 1")
            }
            "gamma" => (
                Distribution::Gamma { shape: n[0], mean: n[1] },
                n[0] > 0.0 && n[1] > 0.0,
                "`shape` and `mean` above 0",
            ),
            "beta" => (Distribution::Beta { a: n[0], b: n[1] }, n[0] > 0.0 && n[1] > 0.0, "`a` and `b` above 0"),
            _ => {
                let made = Distribution::Triangular { low: n[0], mode: n[1], high: n[2] };
                (made, n[0] <= n[1] && n[1] <= n[2] && n[0] < n[2], "`low`, `mode` and `high` in this order")
            }
        };
        if sound {
            Ok(made)
        } else {
            Err(self.error(span, format!("this is no {family} distribution"), format!("it wants {rule}")))
        }
    }
}
