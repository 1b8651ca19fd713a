//! Reliability graphs: networks whose connections and nodes fail.

mod frontier;
mod plan;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use plan::Plan;

use super::diagram::Full;
use super::{Limits, StructureFunction};
use crate::Error;

/// A network: vertices, and connections between them that work or fail, in one direction or both; vertices may fail too.
///
/// ```
/// use availability::structure::{Limits, Probability, ReliabilityGraph};
///
/// // The bridge network.
/// let mut graph = ReliabilityGraph::new();
/// graph.edge("a", "in", "left").edge("b", "in", "right").edge("e", "left", "right");
/// graph.edge("c", "left", "out").edge("d", "right", "out");
/// let function = graph.connected("in", &["out"], &Limits::default())?;
/// let down = function.probability(&[Probability::of(0.5); 5])?;
/// assert_eq!(down.no, 0.5);
/// # Ok::<(), availability::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ReliabilityGraph {
    vertices: Vec<Vertex>,
    numbers: BTreeMap<String, usize>,
}

#[derive(Clone, Debug, Default)]
struct Vertex {
    name: String,
    fails: bool,
    /// Where a connection leads, and the event that it fails; `None` for one that never does.
    leads: Vec<(usize, Option<String>)>,
}

impl ReliabilityGraph {
    /// A network without anything in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection in both directions that fails if this event occurs. Connections with the same event fail together.
    pub fn edge(&mut self, event: impl Into<String>, from: &str, to: &str) -> &mut Self {
        let event = event.into();
        self.connect(Some(event.clone()), from, to);
        self.connect(Some(event), to, from)
    }

    /// Adds a connection in one direction.
    pub fn arc(&mut self, event: impl Into<String>, from: &str, to: &str) -> &mut Self {
        self.connect(Some(event.into()), from, to)
    }

    /// Adds a connection in one direction that never fails.
    pub fn link(&mut self, from: &str, to: &str) -> &mut Self {
        self.connect(None, from, to)
    }

    /// Has a vertex fail, by an event of its own name; others never do.
    pub fn failing(&mut self, vertex: &str) -> &mut Self {
        let vertex = self.vertex(vertex);
        self.vertices[vertex].fails = true;
        self
    }

    fn connect(&mut self, event: Option<String>, from: &str, to: &str) -> &mut Self {
        let (from, to) = (self.vertex(from), self.vertex(to));
        self.vertices[from].leads.push((to, event));
        self
    }

    fn vertex(&mut self, name: &str) -> usize {
        if let Some(&vertex) = self.numbers.get(name) {
            return vertex;
        }
        self.vertices.push(Vertex { name: name.to_owned(), ..Vertex::default() });
        self.numbers.insert(name.to_owned(), self.vertices.len() - 1);
        self.vertices.len() - 1
    }

    /// The structure function whose top event is that not all of the targets can be reached from the source: two-terminal
    /// reliability for one target, k-terminal for several, all-terminal for all; where all connections lead in both
    /// directions it does not matter which terminal is the source. Its basic events are those that connections and
    /// vertices fail, in the order in which a walk from the source in breadth first meets them; what it does not meet has
    /// no event.
    ///
    /// Event by event, all that is remembered of those decided is which vertices of the frontier (between what is decided
    /// and what is not) reach which others: cases that agree in it are one node (Hardy, Lucet and Limnios 2007, there
    /// for undirected networks). So the diagram grows with the width of the network and not with its size.
    ///
    /// # Errors
    /// If a terminal is not in the network, there is no target, no way at all leads to one, the frontier has more than 128
    /// vertices, or the diagram does not fit into the memory allowed.
    pub fn connected(&self, source: &str, targets: &[&str], limits: &Limits) -> Result<StructureFunction, Error> {
        let source = self.find(source)?;
        let targets = targets.iter().map(|name| self.find(name)).collect::<Result<Vec<_>, _>>()?;
        if targets.is_empty() {
            return Err(Error::new("the network has a source and no target", "name one vertex that is to be reached"));
        }
        let (events, reached) = self.walk(source);
        if let Some(&target) = targets.iter().find(|target| !reached.contains(target)) {
            let (from, to) = (&self.vertices[source].name, &self.vertices[target].name);
            let what = format!("no connection leads from {from:?} to {to:?}, even if all work");
            return Err(Error::new(what, "add the connection, or look at the direction of those that are there"));
        }
        let plan = Plan::of(self, &events, &reached, source, &targets)?;
        let diagram = plan.diagram(limits.memory).map_err(|Full| {
            let what = format!("the decision diagram of the network does not fit into {}", limits.told());
            let remedy = "or replace parts of it that hang on two vertices by one connection";
            Error::new(what, format!("{}, {remedy}", limits.bound.remedy()))
        })?;
        let levels = (0..events.len()).collect();
        Ok(StructureFunction::of_diagram(events, levels, diagram, limits))
    }

    fn find(&self, name: &str) -> Result<usize, Error> {
        self.numbers.get(name).copied().ok_or_else(|| {
            Error::new(format!("the network has no vertex {name:?}"), "name one that a connection leads to or from")
        })
    }

    /// The events, and the vertices, that a walk from a vertex meets.
    fn walk(&self, source: usize) -> (Vec<String>, BTreeSet<usize>) {
        let (mut events, mut known) = (Vec::new(), BTreeSet::new());
        let mut reached = BTreeSet::from([source]);
        let mut queue = VecDeque::from([source]);
        while let Some(vertex) = queue.pop_front() {
            let vertex = &self.vertices[vertex];
            let own = vertex.fails.then_some(&vertex.name);
            for event in own.into_iter().chain(vertex.leads.iter().filter_map(|(_, event)| event.as_ref())) {
                if known.insert(event) {
                    events.push(event.clone());
                }
            }
            queue.extend(vertex.leads.iter().map(|&(to, _)| to).filter(|&to| reached.insert(to)));
        }
        (events, reached)
    }
}
