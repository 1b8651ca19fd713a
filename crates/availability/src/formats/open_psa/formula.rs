//! Formulas: what a gate is made of.

use roxmltree::Node;

use super::Reading;
use super::containers::{CONSTANTS, content};
use crate::Error;
use crate::structure::GateKind;

const FORMULAS: &str = "and, or, not, xor, iff, nand, nor, atleast, cardinality, imply, gate, basic-event, house-event, \
                        event and constant";

impl<'a, 'input> Reading<'a, 'input> {
    /// Declares a gate of this name with a formula; formulas in it become gates whose names are numbered.
    pub(super) fn gate(
        &mut self,
        name: &str,
        formula: Node<'a, 'input>,
        inner: &mut usize,
        depth: usize,
    ) -> Result<(), Error> {
        self.check_depth(formula, depth)?;
        let place = self.lines.place(formula.range().start);
        let (kind, inputs) = match formula.tag_name().name() {
            "and" => (GateKind::And, self.inputs(name, formula, inner, depth)?),
            "or" => (GateKind::Or, self.inputs(name, formula, inner, depth)?),
            "not" => (GateKind::Not, self.inputs(name, formula, inner, depth)?),
            "xor" => (GateKind::Xor, self.inputs(name, formula, inner, depth)?),
            "atleast" => {
                let least = self.whole(formula, "min")?;
                (GateKind::AtLeast(least), self.inputs(name, formula, inner, depth)?)
            }
            negated @ ("nand" | "nor" | "iff") => {
                let kind = match negated {
                    "nand" => GateKind::And,
                    "nor" => GateKind::Or,
                    _ => GateKind::Xor,
                };
                let inputs = self.inputs(name, formula, inner, depth)?;
                (GateKind::Not, vec![self.helper(name, formula, kind, inputs, inner)])
            }
            "imply" => {
                let mut inputs = self.inputs(name, formula, inner, depth)?;
                if inputs.len() != 2 {
                    let what = format!("an `imply` has {} inputs", inputs.len());
                    return Err(self.error(formula, what, "it has two"));
                }
                let then = inputs.pop().unwrap_or_default();
                (GateKind::Or, vec![self.helper(name, formula, GateKind::Not, inputs, inner), then])
            }
            "cardinality" => self.cardinality(name, formula, inner, depth)?,
            // A gate that is another by another name.
            _ => (GateKind::Or, vec![self.input(name, formula, inner, depth)?]),
        };
        self.builder.at(place).gate(name, kind, inputs);
        Ok(())
    }

    /// At least `min`, and not more than `max`.
    fn cardinality(
        &mut self,
        owner: &str,
        formula: Node<'a, 'input>,
        inner: &mut usize,
        depth: usize,
    ) -> Result<(GateKind, Vec<String>), Error> {
        let (min, max) = (self.whole(formula, "min")?, self.whole(formula, "max")?);
        let inputs = self.inputs(owner, formula, inner, depth)?;
        if min > max || max as usize > inputs.len() {
            let what = format!("a `cardinality` wants {min} to {max} of {} inputs", inputs.len());
            return Err(self.error(formula, what, "the numbers must ascend, and not be more than the inputs"));
        }
        let mut parts = Vec::new();
        if min > 0 {
            parts.push(self.helper(owner, formula, GateKind::AtLeast(min), inputs.clone(), inner));
        }
        if (max as usize) < inputs.len() {
            let more = self.helper(owner, formula, GateKind::AtLeast(max + 1), inputs, inner);
            parts.push(self.helper(owner, formula, GateKind::Not, vec![more], inner));
        }
        if parts.is_empty() {
            parts.push(self.constant(true));
        }
        Ok((GateKind::And, parts))
    }

    fn inputs(
        &mut self,
        owner: &str,
        formula: Node<'a, 'input>,
        inner: &mut usize,
        depth: usize,
    ) -> Result<Vec<String>, Error> {
        content(formula).map(|node| self.input(owner, node, inner, depth)).collect()
    }

    /// The name of what a formula is: that which it refers to, or a gate of its own.
    fn input(&mut self, owner: &str, node: Node<'a, 'input>, inner: &mut usize, depth: usize) -> Result<String, Error> {
        match node.tag_name().name() {
            "gate" | "basic-event" | "house-event" | "event" => {
                let name = self.attribute(node, "name")?.to_owned();
                self.inputs.insert(name.clone());
                Ok(name)
            }
            "constant" => {
                let occurs = self.boolean(node)?;
                Ok(self.constant(occurs))
            }
            "and" | "or" | "not" | "xor" | "iff" | "nand" | "nor" | "atleast" | "cardinality" | "imply" => {
                *inner += 1;
                let name = format!("{owner}{INNER}{inner}");
                self.gate(&name, node, inner, depth + 1)?;
                Ok(name)
            }
            _ => Err(self.refuse(node, FORMULAS)),
        }
    }

    fn constant(&mut self, occurs: bool) -> String {
        self.constants[usize::from(occurs)] = true;
        CONSTANTS[usize::from(occurs)].to_owned()
    }

    /// Declares a gate that a formula needs besides its own.
    fn helper(
        &mut self,
        owner: &str,
        formula: Node<'_, '_>,
        kind: GateKind,
        inputs: Vec<String>,
        inner: &mut usize,
    ) -> String {
        *inner += 1;
        let name = format!("{owner}{INNER}{inner}");
        self.builder.at(self.lines.place(formula.range().start)).gate(name.clone(), kind, inputs);
        name
    }

    fn whole(&self, node: Node<'a, 'input>, name: &str) -> Result<u32, Error> {
        let text = self.attribute(node, name)?;
        text.parse().map_err(|_| self.error(node, format!("{name}={text:?} is no number"), "write a whole number"))
    }
}

/// Between the name of a gate and the number of a formula in it.
const INNER: &str = ".formula-";
