//! The structure function: whether the top event occurs, as a function of its basic events, in the form in which it is
//! computed with.

mod coherence;
mod compile;
mod evaluate;
mod frequency;
mod limits;
mod modules;
mod order;
mod sensitivity;

use std::sync::OnceLock;

pub use frequency::Repairable;
use limits::size;
pub use limits::{Limits, Order};
use sensitivity::Branches;
pub use sensitivity::Sensitivity;

use super::FaultTree;
use super::diagram::Diagram;
use crate::Error;

/// Whether the top event occurs, as a function of which basic events have occurred: a reduced ordered binary decision
/// diagram (Bryant 1986; Rauzy 1993 for fault trees).
///
/// It is made once from a fault tree, a block diagram or a reliability graph, and then evaluated for as many
/// probabilities as are wanted; each evaluation takes a few operations for each node of the diagram. All sums in it have
/// positive terms only, so that a probability of 1e-30 has as many right digits as one of 0.9, and so has its complement.
/// All functions take the probabilities of the basic events in the order of [`Self::events`].
#[derive(Clone, Debug)]
pub struct StructureFunction {
    events: Vec<String>,
    /// The last is the top; each is behind those whose copies it has.
    modules: Vec<Module>,
    memory: usize,
    branches: OnceLock<Result<Vec<Branches>, Error>>,
}

/// A diagram of its own: the whole tree, or what copies are made of.
#[derive(Clone, Debug)]
struct Module {
    /// What decides each level.
    variables: Vec<Variable>,
    diagram: Diagram,
    /// Whether no negation is in it. One with negations may be coherent all the same.
    coherent: bool,
}

/// What decides the nodes of one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variable {
    /// The basic event of this number.
    Event(usize),
    /// Whether at least `k` of `n` copies of a module occur.
    Copies { k: u32, n: u32, module: usize },
}

impl StructureFunction {
    /// The structure function of a fault tree.
    ///
    /// # Errors
    /// If the diagram does not fit into the memory allowed, or copies share something with the rest of the tree.
    pub fn of_tree(tree: &FaultTree, limits: &Limits) -> Result<Self, Error> {
        Ok(Self::new(tree.events().to_vec(), compile::modules(tree, limits)?, limits))
    }

    /// A coherent function of one diagram, whose levels are the events of these numbers.
    pub(crate) fn of_diagram(events: Vec<String>, levels: Vec<usize>, diagram: Diagram, limits: &Limits) -> Self {
        let variables = levels.into_iter().map(Variable::Event).collect();
        Self::new(events, vec![Module { variables, diagram, coherent: true }], limits)
    }

    fn new(events: Vec<String>, modules: Vec<Module>, limits: &Limits) -> Self {
        Self { events, modules, memory: limits.memory, branches: OnceLock::new() }
    }

    /// The names of the basic events.
    #[must_use]
    pub fn events(&self) -> &[String] {
        &self.events
    }

    /// The event of each level and the diagram, if no event stands for several things.
    pub(crate) fn single(&self, asked: &str) -> Result<(Vec<usize>, &Diagram), Error> {
        let levels = |module: &Module| {
            let event = |variable: &Variable| match *variable {
                Variable::Event(event) => Some(event),
                Variable::Copies { .. } => None,
            };
            module.variables.iter().map(event).collect::<Option<Vec<_>>>()
        };
        if let [module] = self.modules.as_slice()
            && let Some(levels) = levels(module)
        {
            return Ok((levels, &module.diagram));
        }
        let what = format!("{asked} are about single events, and here several copies have one event in common");
        Err(Error::new(what, "write the copies out (`FaultTree::expanded`) and ask again"))
    }

    /// How many nodes the diagrams have: what an evaluation takes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.modules.iter().map(|module| module.diagram.len()).sum()
    }
}
