//! From a fault tree to diagrams.

use super::modules::{Part, parts};
use super::order::{Weights, leaves};
use super::{Limits, Module, Order, Variable};
use crate::Error;
use crate::structure::diagram::{BYTES_PER_NODE, Diagram, Edge, Full, Store};
use crate::structure::{FaultTree, Gate, GateKind, Input};

/// The diagrams of a tree, the top last.
pub(super) fn modules(tree: &FaultTree, limits: &Limits) -> Result<Vec<Module>, Error> {
    let (parts, numbers) = parts(tree)?;
    let module_of = |input| numbers.get(&input).copied().unwrap_or_default();
    let mut modules = Vec::new();
    let mut memory = limits.memory;
    for part in &parts {
        let module = smallest(tree, part, &Limits { memory, ..*limits }, &module_of)?;
        memory = memory.saturating_sub(module.diagram.len() * BYTES_PER_NODE);
        modules.push(module);
    }
    Ok(modules)
}

/// The diagram of a part in the order that the limits ask for.
fn smallest(
    tree: &FaultTree,
    part: &Part,
    limits: &Limits,
    module_of: &impl Fn(Input) -> usize,
) -> Result<Module, Error> {
    let mut best: Option<Module> = None;
    let mut refused = None;
    for &order in limits.order.candidates() {
        let leaves = leaves(tree, part.root, &Weights::of(tree, order));
        match (Build::new(tree, part, &leaves, *limits).run(), &best) {
            (Ok(diagram), Some(module)) if diagram.len() >= module.diagram.len() => {}
            (Ok(diagram), _) => {
                let variables = leaves.iter().filter_map(|&leaf| variable(tree, leaf, module_of)).collect();
                best = Some(Module { variables, diagram, coherent: is_coherent(tree, part) });
            }
            (Err(error), _) => refused = Some(error),
        }
        if best.is_some() && limits.order == Order::FirstThatFits {
            break;
        }
    }
    match (best, refused) {
        (Some(module), _) => Ok(module),
        (None, Some(error)) => Err(error),
        (None, None) => Err(Error::new("no order of the events was tried", "choose an order")),
    }
}

fn is_coherent(tree: &FaultTree, part: &Part) -> bool {
    !part.gates.iter().any(|&gate| matches!(tree.gates()[gate].kind, GateKind::Not | GateKind::Xor))
}

fn variable(tree: &FaultTree, leaf: Input, module_of: &impl Fn(Input) -> usize) -> Option<Variable> {
    match leaf {
        Input::Event(event) => Some(Variable::Event(event)),
        Input::Gate(gate) => match &tree.gates()[gate] {
            Gate { kind: GateKind::Copies { k, n }, inputs, .. } => {
                Some(Variable::Copies { k: *k, n: *n, module: module_of(inputs[0]) })
            }
            _ => None,
        },
        Input::House(_) => None,
    }
}

/// One diagram in the making.
struct Build<'a> {
    tree: &'a FaultTree,
    part: &'a Part,
    store: Store,
    limits: Limits,
    /// The functions of events, and of the gates that are still needed.
    events: Vec<Option<Edge>>,
    gates: Vec<Option<Edge>>,
    /// How many gates of the part still need a gate.
    uses: Vec<usize>,
    /// At this size what is not needed any more is thrown away.
    collect_at: usize,
}

const FIRST_COLLECTION: usize = 1 << 16;

impl<'a> Build<'a> {
    fn new(tree: &'a FaultTree, part: &'a Part, leaves: &[Input], limits: Limits) -> Self {
        let mut uses = vec![0; tree.gates().len()];
        for &gate in &part.gates {
            for &input in &tree.gates()[gate].inputs {
                if let Input::Gate(below) = input {
                    uses[below] += 1;
                }
            }
        }
        let mut build = Self {
            tree,
            part,
            store: Store::new(limits.memory),
            limits,
            events: vec![None; tree.events().len()],
            gates: vec![None; tree.gates().len()],
            uses,
            collect_at: FIRST_COLLECTION,
        };
        for (level, &leaf) in leaves.iter().enumerate() {
            let function = build.store.variable(level as u32).ok();
            match leaf {
                Input::Event(event) => build.events[event] = function,
                Input::Gate(gate) => {
                    build.gates[gate] = function;
                    // Never let go of: a variable is needed to the end.
                    build.uses[gate] = usize::MAX;
                }
                Input::House(_) => {}
            }
        }
        build
    }

    fn run(mut self) -> Result<Diagram, Error> {
        for (done, &number) in self.part.gates.iter().enumerate() {
            let gate = &self.tree.gates()[number];
            if self.store.len() >= self.collect_at {
                self.collect();
            }
            // A second try, without what is not needed any more.
            let function = self.function(gate).or_else(|Full| {
                self.collect();
                self.function(gate)
            });
            let function = function.map_err(|Full| self.full(gate, done))?;
            self.gates[number] = Some(function);
            for &input in &gate.inputs {
                self.release(input);
            }
        }
        let root = self.input(self.part.root).map_err(|Full| self.too_small())?;
        Ok(Diagram::of(&self.store, &[root]))
    }

    fn release(&mut self, input: Input) {
        if let Input::Gate(gate) = input
            && self.uses[gate] != usize::MAX
        {
            self.uses[gate] -= 1;
            if self.uses[gate] == 0 && self.part.root != input {
                self.gates[gate] = None;
            }
        }
    }

    fn collect(&mut self) {
        let slots = || 0..self.events.len() + self.gates.len();
        let slot = |k: usize| if k < self.events.len() { self.events[k] } else { self.gates[k - self.events.len()] };
        let mut kept: Vec<_> = slots().filter_map(slot).collect();
        let places: Vec<_> = slots().filter(|&k| slot(k).is_some()).collect();
        self.store.collect(&mut kept);
        for (place, edge) in places.into_iter().zip(kept) {
            let events = self.events.len();
            *if place < events { &mut self.events[place] } else { &mut self.gates[place - events] } = Some(edge);
        }
        self.collect_at = (self.store.len() * 2).max(FIRST_COLLECTION);
    }

    fn input(&self, input: Input) -> Result<Edge, Full> {
        match input {
            Input::Event(event) => self.events[event].ok_or(Full),
            Input::Gate(gate) => self.gates[gate].ok_or(Full),
            Input::House(house) => Ok(Edge::FALSE.negate_if(self.tree.houses()[house].1)),
        }
    }

    fn function(&mut self, gate: &Gate) -> Result<Edge, Full> {
        let inputs = gate.inputs.iter().map(|&input| self.input(input)).collect::<Result<Vec<_>, _>>()?;
        match gate.kind {
            GateKind::And => self.store.fold(true, &inputs),
            GateKind::Or => self.store.fold(false, &inputs),
            GateKind::Not => Ok(!inputs[0]),
            GateKind::Xor => self.store.xor(inputs[0], inputs[1]),
            GateKind::AtLeast(k) => self.store.at_least(k as usize, &inputs),
            // A leaf of its part, and so no gate of it.
            GateKind::Copies { .. } => Ok(inputs[0]),
        }
    }

    fn full(&self, gate: &Gate, done: usize) -> Error {
        let what = format!(
            "the decision diagram does not fit into {}: {} nodes when gate {:?} was added, after {done} of {} gates",
            self.limits.told(),
            self.store.len(),
            gate.name,
            self.part.gates.len()
        );
        Error::new(what, self.remedy())
    }

    fn too_small(&self) -> Error {
        Error::new(format!("the decision diagram does not fit into {}", self.limits.told()), self.remedy())
    }

    fn remedy(&self) -> String {
        format!("{}, {SMALLER}", self.limits.bound.remedy())
    }
}

const SMALLER: &str = "write inputs that have events in common next to each other, or make an independent part of the \
                       tree a model of its own and use its probability here";
