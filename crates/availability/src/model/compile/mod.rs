//! From a text to nodes: names are looked up, units are checked, models are made ready.

mod ask;
mod ask_time;
mod chain;
mod distribution;
mod formula;
mod lower;
mod names;
mod rules;
mod series;
mod structure;
mod structure_ask;
mod structure_downtime;
mod structure_importance;
mod structure_time;
mod structure_tree;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::node::{Binary, Id, Node};
use crate::model::{Measure, Model, Parameter, Resources};
use crate::text::ast::{Body, Document, Expr, ExprKind};
use crate::text::exact::Exact;
use crate::text::source::{Source, Span, did_you_mean};
use crate::text::unit::Dimension;
use crate::{Error, Place};

use names::Entity;

/// The deepest that expressions, and what they need, may stand within one another: more would exhaust a stack of 2 MiB without
/// optimisation.
const MAX_LEVEL: u32 = 160;

/// An expression that became a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lowered {
    pub(crate) id: Id,
    pub(crate) dimension: Dimension,
}

/// Something that was asked for while it was being made, for the error that names the circle.
#[derive(Clone, Debug)]
struct Open {
    entity: Entity,
    what: String,
}

/// The work of making a [`Model`] out of a [`Document`].
pub(crate) struct Compiler<'a> {
    source: Source<'a>,
    /// Where the lines of its text end.
    ends: Vec<usize>,
    document: &'a Document,
    /// Everything that has a name.
    names: BTreeMap<&'a str, Entity>,
    parameters: Vec<Parameter>,
    nodes: Vec<Node>,
    dimensions: Vec<Dimension>,
    /// The values of nodes that are made of numbers alone and are none, `ln(-1)`, with the bounds of their errors: these stay
    /// operations, so that it can be told where they come from.
    endless: BTreeMap<Id, (Exact, f64)>,
    /// Nodes that exist already, so that none is computed twice.
    known: BTreeMap<Key, Id>,
    definitions: Vec<Option<Lowered>>,
    chains: BTreeMap<usize, chain::Chain>,
    structures: BTreeMap<usize, structure::Structure>,
    /// Answers that exist already, by model and words.
    answers: BTreeMap<String, Lowered>,
    /// What is being made, from the outside to the inside.
    open: Vec<Open>,
    /// Names that mean a number here: indexes of loops, variables of rules and their values.
    locals: Vec<(String, Exact)>,
    /// The values of nodes that decide about structures.
    fixed: BTreeMap<Id, Exact>,
    /// Nodes that are what these ones are, if they are what they must be, by the kind of number.
    sounds: BTreeMap<(Id, &'static str), Id>,
    /// Places in the text that were asked for, by their first byte.
    places: BTreeMap<usize, Arc<Place>>,
    /// How deep what is lowered stands within others.
    level: u32,
    /// Formats without units: rates are plain numbers, and so are times.
    unitless: bool,
    /// All states of rules are wanted, also of those with two halves that are alike.
    whole: bool,
    /// Something was asked for that tells such halves apart.
    tells_apart: bool,
    /// What is left to be used.
    resources: Resources<'a>,
}

/// What makes two nodes the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Constant([u64; 3], i32),
    Parameter(usize),
    Binary(Binary, Id, Id),
}

/// Makes a model out of a text that was read; `given` are parameters with values that take the place of those in the text, and
/// behind the measures stand those of the parts of one of them, if one is named.
///
/// # Errors
/// The first thing that is wrong, with its place; and if the measure has no parts.
pub(crate) fn compile(
    source: Source<'_>,
    document: &Document,
    given: &[(String, String)],
    unitless: bool,
    parts_of: Option<&str>,
    resources: Resources<'_>,
) -> Result<Model, Error> {
    let mut compiler = Compiler::new(source, document, unitless, false, resources)?;
    let model = compiler.compiled(given, parts_of);
    if !compiler.tells_apart {
        return model;
    }
    // All states after all: something is asked for that half of them cannot tell.
    drop((compiler, model));
    Compiler::new(source, document, unitless, true, resources)?.compiled(given, parts_of)
}

impl<'a> Compiler<'a> {
    fn new(
        source: Source<'a>,
        document: &'a Document,
        unitless: bool,
        whole: bool,
        resources: Resources<'a>,
    ) -> Result<Self, Error> {
        let names = names::all(source, document)?;
        Ok(Self {
            source,
            ends: source.line_ends(),
            document,
            names,
            parameters: Vec::new(),
            nodes: Vec::new(),
            dimensions: Vec::new(),
            endless: BTreeMap::new(),
            known: BTreeMap::new(),
            definitions: vec![None; document.definitions.len()],
            chains: BTreeMap::new(),
            structures: BTreeMap::new(),
            answers: BTreeMap::new(),
            open: Vec::new(),
            locals: Vec::new(),
            fixed: BTreeMap::new(),
            sounds: BTreeMap::new(),
            places: BTreeMap::new(),
            level: 0,
            unitless,
            whole,
            tells_apart: false,
            resources,
        })
    }

    fn compiled(&mut self, given: &'a [(String, String)], parts_of: Option<&str>) -> Result<Model, Error> {
        let document = self.document;
        self.parameters(given)?;
        // In the order of the text, so that a long row of them, each made of the one before, is not deep. What no measure needs
        // is looked at as well: an error in it is one.
        for index in 0..document.definitions.len() {
            self.definition(index)?;
        }
        let mut measures = self.measures()?;
        if let Some(measure) = parts_of {
            measures.extend(self.parts(measure)?);
        }
        for index in 0..document.models.len() {
            match &document.models[index].body {
                Body::Chain(_) | Body::Rules(_) => self.chain(index)?,
                Body::Structure { .. } | Body::Graph { .. } => self.structure(index)?,
            }
        }
        let name = |index: &usize| document.models[*index].name.text.clone();
        let chains = self.chains.iter().map(|(index, chain)| chain.named(&name(index))).collect();
        let parts = self.structures.iter().filter_map(|(index, tree)| Some((name(index), tree.parts()?))).collect();
        let uncounted = self.structures.iter().map(|(index, tree)| (name(index), tree.uncounted())).collect();
        let designed = document.designed.iter().map(|name| self.model(name).map(|_| name.text.clone()));
        let designed = designed.collect::<Result<_, _>>()?;
        let trees = self.trees();
        let (parameters, nodes) = (std::mem::take(&mut self.parameters), std::mem::take(&mut self.nodes));
        Ok(Model { parameters, nodes, measures, chains, trees, parts, uncounted, designed })
    }
}

/// The model whose downtime an expression asks, and nothing else.
fn downtime_of(value: &Expr) -> Option<String> {
    match &value.kind {
        ExprKind::Ask(ask) if ask.phrase.text == "downtime" => Some(ask.model.text.clone()),
        _ => None,
    }
}

impl<'a> Compiler<'a> {
    fn error(&self, span: Span, what: impl Into<String>, remedy: impl Into<String>) -> Error {
        self.source.error(span, what, remedy)
    }

    fn place(&self, span: Span) -> Place {
        self.source.place_among(span, &self.ends)
    }

    /// The measures that the text asks for.
    fn measures(&mut self) -> Result<Vec<Measure>, Error> {
        let document = self.document;
        let mut measures: Vec<Measure> = Vec::new();
        for asked in &document.measures {
            if measures.iter().any(|measure| measure.name == asked.name) {
                let what = format!("there are two measures `{}`", asked.name);
                return Err(self.error(asked.span, what, "give each a name of its own, `measure NAME = ...`"));
            }
            let value = self.lower(&asked.value)?;
            let (unit, size) = match &asked.unit {
                None => self.usual_unit(&asked.value, value.dimension),
                Some((unit, _)) if unit.dimension != value.dimension => {
                    let what = format!(
                        "the measure is {}, and this unit is for {}",
                        value.dimension.name(),
                        unit.dimension.name()
                    );
                    return Err(self.error(
                        asked.span,
                        what,
                        format!("leave the unit away for `{}`, or name another", value.dimension.usual_unit()),
                    ));
                }
                Some((unit, text)) => (text.clone(), unit.size),
            };
            let node = if size == Exact::ONE {
                value.id
            } else {
                let size = self.constant(size, value.dimension);
                self.binary(Binary::Divide, value.id, size, Dimension::PLAIN)
            };
            let (name, place) = (asked.name.clone(), self.place(asked.span));
            measures.push(Measure { name, unit, node, place, downtime_of: downtime_of(&asked.value) });
        }
        Ok(measures)
    }

    fn definition(&mut self, index: usize) -> Result<Lowered, Error> {
        if let Some(done) = self.definitions[index] {
            return Ok(done);
        }
        let document = self.document;
        let definition = &document.definitions[index];
        self.enter(Entity::Definition(index), format!("`{}`", definition.name.text), definition.name.span)?;
        let outer = std::mem::take(&mut self.locals);
        let lowered = self.lower(&definition.value);
        self.locals = outer;
        self.open.pop();
        let lowered = lowered?;
        self.definitions[index] = Some(lowered);
        Ok(lowered)
    }

    /// Notes that something is being made.
    ///
    /// # Errors
    /// If it is being made already: the hierarchy has a cycle, and the error names all that is in it.
    fn enter(&mut self, entity: Entity, what: String, span: Span) -> Result<(), Error> {
        if let Some(begin) = self.open.iter().position(|open| open.entity == entity) {
            let mut names: Vec<&str> = self.open[begin..].iter().map(|open| open.what.as_str()).collect();
            names.push(&what);
            let what = format!("this goes in a circle: {}", names.join(" needs "));
            return Err(self.error(
                span,
                what,
                "what is computed must not need its own result: break the circle in one place",
            ));
        }
        self.open.push(Open { entity, what });
        Ok(())
    }

    /// Adds a node, or finds the same one.
    fn node(&mut self, node: Node, dimension: Dimension) -> Id {
        let key = match &node {
            Node::Constant(value, wrong) => {
                Some(Key::Constant([value.high, value.low, *wrong].map(f64::to_bits), dimension.0))
            }
            Node::Parameter(index) => Some(Key::Parameter(*index)),
            Node::Binary(function, a, b) => Some(Key::Binary(*function, *a, *b)),
            _ => None,
        };
        if let Some(id) = key.and_then(|key| self.known.get(&key)) {
            return *id;
        }
        self.nodes.push(node);
        self.dimensions.push(dimension);
        let id = self.nodes.len() - 1;
        if let Some(key) = key {
            self.known.insert(key, id);
        }
        id
    }

    /// A number as the text has it.
    fn constant(&mut self, value: Exact, dimension: Dimension) -> Id {
        self.node(Node::Constant(value, value.reading_error()), dimension)
    }

    /// A function of two nodes; of two constants it is a constant.
    fn binary(&mut self, function: Binary, a: Id, b: Id, dimension: Dimension) -> Id {
        let found = self.number(a).zip(self.number(b));
        let found = found.map(|(a, b)| (function.exact(a.0, b.0).0, function.error(a, b)));
        self.operation(Node::Binary(function, a, b), found, dimension)
    }

    /// An operation, or the number that it makes of numbers.
    fn operation(&mut self, operation: Node, made: Option<(Exact, f64)>, dimension: Dimension) -> Id {
        match made {
            Some((value, wrong)) if value.rounded().is_finite() => self.node(Node::Constant(value, wrong), dimension),
            Some(none) => {
                let id = self.node(operation, dimension);
                self.endless.insert(id, none);
                id
            }
            None => self.node(operation, dimension),
        }
    }

    /// The number that a node is, if it is made of numbers alone, with the bound of its error; it need not be finite.
    fn number(&self, id: Id) -> Option<(Exact, f64)> {
        match &self.nodes[id] {
            Node::Constant(value, wrong) => Some((*value, *wrong)),
            _ => self.endless.get(&id).copied(),
        }
    }

    /// What a name could have been meant to be.
    fn near(&self, name: &str) -> String {
        let locals = self.locals.iter().map(|(name, _)| name.as_str());
        did_you_mean(name, self.names.keys().copied().chain(locals))
    }
}
