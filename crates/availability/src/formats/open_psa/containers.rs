//! What a model consists of: containers, and definitions in them.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::Node;

use super::expression::Parameter;
use super::{MAX_DEPTH, Reading};
use crate::Error;
use crate::formats::lines::Lines;
use crate::structure::{FaultTree, QuantifiedTree};

/// The names of the house events that constants become.
pub(super) const CONSTANTS: [&str; 2] = ["constant false", "constant true"];

impl<'a, 'input> Reading<'a, 'input> {
    pub(super) fn new(lines: &'a Lines<'a>) -> Self {
        Self {
            lines,
            builder: FaultTree::builder(),
            gates: BTreeSet::new(),
            inputs: BTreeSet::new(),
            constants: [false; 2],
            parameters: BTreeMap::new(),
            laws: Vec::new(),
        }
    }

    /// An error at an element.
    pub(super) fn error(&self, node: Node<'_, '_>, what: impl Into<String>, remedy: impl Into<String>) -> Error {
        self.lines.error(node.range().start, what, remedy)
    }

    /// An error about an element that cannot be read.
    pub(super) fn refuse(&self, node: Node<'_, '_>, allowed: &str) -> Error {
        let what = format!("the element `{}` cannot be read here", node.tag_name().name());
        self.error(node, what, format!("allowed are {allowed}"))
    }

    /// An attribute that must be there.
    pub(super) fn attribute(&self, node: Node<'a, 'input>, name: &str) -> Result<&'a str, Error> {
        node.attribute(name).ok_or_else(|| {
            let what = format!("the element `{}` has no attribute `{name}`", node.tag_name().name());
            self.error(node, what, format!("give it one: {name}=\"...\""))
        })
    }

    pub(super) fn container(&mut self, container: Node<'a, 'input>, depth: usize) -> Result<(), Error> {
        self.check_depth(container, depth)?;
        for node in content(container) {
            if node.attribute("role") == Some("private") {
                let what = format!("{:?} is private to its container", node.attribute("name").unwrap_or_default());
                return Err(self.error(node, what, "give it a name of its own in the whole file, and no role"));
            }
            match node.tag_name().name() {
                "define-fault-tree" | "define-component" | "model-data" => self.container(node, depth + 1)?,
                "define-gate" => self.define_gate(node)?,
                "define-basic-event" => self.define_basic_event(node)?,
                "define-house-event" => self.define_house_event(node)?,
                "define-parameter" => self.define_parameter(node)?,
                _ => {
                    return Err(self.refuse(
                        node,
                        "define-fault-tree, define-component, model-data, define-gate, define-basic-event, \
                         define-house-event and define-parameter",
                    ));
                }
            }
        }
        Ok(())
    }

    /// That elements do not stand within each other endlessly.
    pub(super) fn check_depth(&self, node: Node<'_, '_>, depth: usize) -> Result<(), Error> {
        if depth <= MAX_DEPTH {
            return Ok(());
        }
        let what = format!("elements stand within elements more than {MAX_DEPTH} times");
        Err(self.error(node, what, "give the inner ones definitions of their own"))
    }

    fn define_gate(&mut self, node: Node<'a, 'input>) -> Result<(), Error> {
        let name = self.attribute(node, "name")?;
        let formula = self.only(node, "one formula")?;
        self.gates.insert(name.to_owned());
        self.gate(name, formula, &mut 0, 0)
    }

    fn define_basic_event(&mut self, node: Node<'a, 'input>) -> Result<(), Error> {
        let name = self.attribute(node, "name")?;
        let law = self.only(node, "a probability, or a law like exponential")?;
        self.builder.at(self.lines.place(node.range().start)).event(name);
        self.laws.push((name.to_owned(), law));
        Ok(())
    }

    fn define_house_event(&mut self, node: Node<'a, 'input>) -> Result<(), Error> {
        let name = self.attribute(node, "name")?;
        let constant = self.only(node, "a constant")?;
        if !constant.has_tag_name("constant") {
            return Err(self.refuse(constant, "a constant"));
        }
        let occurs = self.boolean(constant)?;
        self.builder.at(self.lines.place(node.range().start)).house(name, occurs);
        Ok(())
    }

    pub(super) fn boolean(&self, node: Node<'a, 'input>) -> Result<bool, Error> {
        match self.attribute(node, "value")? {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(self.error(node, format!("{other:?} is no constant"), "write \"true\" or \"false\"")),
        }
    }

    fn define_parameter(&mut self, node: Node<'a, 'input>) -> Result<(), Error> {
        let name = self.attribute(node, "name")?;
        if let Some(unit @ ("years" | "years-1" | "fit" | "FIT")) = node.attribute("unit") {
            let what = format!("the parameter {name:?} is in {unit}");
            return Err(self.error(node, what, "write it in hours or per hour"));
        }
        let value = self.only(node, "one expression")?;
        if self.parameters.insert(name.to_owned(), Parameter::Defined(value)).is_some() {
            let what = format!("the parameter {name:?} is defined twice");
            return Err(self.error(node, what, "define it once"));
        }
        Ok(())
    }

    /// The one element in another.
    pub(super) fn only(&self, node: Node<'a, 'input>, what: &str) -> Result<Node<'a, 'input>, Error> {
        let mut content = content(node);
        match (content.next(), content.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => {
                let name = node.attribute("name").unwrap_or(node.tag_name().name());
                Err(self.error(node, format!("{name:?} is empty"), format!("write {what} in it")))
            }
            (_, Some(second)) => {
                Err(self.error(second, "a second element stands where one is allowed", format!("write {what}")))
            }
        }
    }

    pub(super) fn finish(mut self, root: Node<'a, 'input>, top: Option<&str>) -> Result<QuantifiedTree, Error> {
        let tops: Vec<_> = self.gates.iter().filter(|gate| !self.inputs.contains(*gate)).cloned().collect();
        let top = match (top, tops.as_slice()) {
            (Some(top), _) => top.to_owned(),
            (None, [top]) => top.clone(),
            // All gates are in cycles, or there is none: the builder says which.
            (None, []) => self.gates.first().cloned().unwrap_or_default(),
            (None, several) => {
                let what = format!("{} gates are no input of another: {}", several.len(), several.join(", "));
                return Err(self.error(root, what, "say which of them is the top event, as with `--top NAME`"));
            }
        };
        for (occurs, name) in [false, true].into_iter().zip(CONSTANTS) {
            if self.constants[usize::from(occurs)] {
                self.builder.house(name, occurs);
            }
        }
        let laws = std::mem::take(&mut self.laws);
        let laws = laws.into_iter().map(|(event, node)| self.law(&event, node)).collect::<Result<_, _>>()?;
        Ok(QuantifiedTree { tree: self.builder.finish(&top)?, laws })
    }
}

/// The elements in another that are no labels.
pub(super) fn content<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    let is_content = |node: &Node<'a, 'input>| !node.has_tag_name("label") && !node.has_tag_name("attributes");
    node.children().filter(Node::is_element).filter(is_content)
}
