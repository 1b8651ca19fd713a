//! Fault trees as values.

mod builder;
mod expand;

pub use builder::FaultTreeBuilder;

use std::collections::BTreeSet;

use crate::Error;

/// What a gate does with its inputs. An input counts as true if its event has occurred, so in a fault tree if it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateKind {
    /// Occurs if all inputs occur.
    And,
    /// Occurs if any input occurs.
    Or,
    /// Occurs if its one input does not.
    Not,
    /// Occurs if exactly one of its two inputs occurs.
    Xor,
    /// Occurs if at least so many inputs occur: `k` of `n` failed (the "voting" gate).
    AtLeast(u32),
    /// Occurs if at least `k` of `n` copies of its one input occur. The copies are alike and independent of each other and
    /// of all else: everything below the input (all its events, if it is a gate) stands for as many things as there are
    /// copies, and must not be used outside. Two such gates over the same input have copies of their own.
    ///
    /// What it takes does not grow with the number of combinations, but as `n` times the smaller of `k` and `n - k + 1`.
    Copies {
        /// How many of the copies must occur.
        k: u32,
        /// How many copies there are.
        n: u32,
    },
}

/// What a gate has below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// The basic event of this number, in [`FaultTree::events`].
    Event(usize),
    /// The gate of this number, in [`FaultTree::gates`].
    Gate(usize),
    /// The house event of this number, in [`FaultTree::houses`].
    House(usize),
}

/// A gate with its name and inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The name that errors call it by.
    pub name: String,
    /// What it does.
    pub kind: GateKind,
    /// What it does it with.
    pub inputs: Vec<Input>,
}

/// A fault tree: a top event that follows from basic events through gates. An event or gate that is an input of several
/// gates is shared, it is the same thing everywhere.
///
/// A tree is made by [`FaultTree::builder`], and once made it is sound: all names are defined once, no gate is above
/// itself, and each has as many inputs as it needs. [`super::StructureFunction`] computes with it.
///
/// ```
/// use availability::structure::{FaultTree, GateKind, Limits, Probability, StructureFunction};
///
/// let mut tree = FaultTree::builder();
/// tree.events(["power", "disk", "mirror"]);
/// tree.gate("storage", GateKind::And, ["disk", "mirror"]);
/// tree.gate("down", GateKind::Or, ["power", "storage"]);
/// let tree = tree.finish("down")?;
///
/// let function = StructureFunction::of_tree(&tree, &Limits::default())?;
/// let down = function.probability(&[1e-6, 1e-3, 1e-3].map(Probability::of))?;
/// assert_eq!(down.yes, 1.999999e-6);
/// # Ok::<(), availability::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultTree {
    events: Vec<String>,
    houses: Vec<(String, bool)>,
    gates: Vec<Gate>,
    top: Input,
    /// All gates, each behind those that it needs.
    order: Vec<usize>,
}

impl FaultTree {
    /// The beginning of a tree without anything in it.
    #[must_use]
    pub fn builder() -> FaultTreeBuilder {
        FaultTreeBuilder::default()
    }

    /// The names of the basic events, in the order in which they were declared: the order of all lists of probabilities.
    #[must_use]
    pub fn events(&self) -> &[String] {
        &self.events
    }

    /// The house events: constants with a name, by which a part of the tree is switched on or off.
    #[must_use]
    pub fn houses(&self) -> &[(String, bool)] {
        &self.houses
    }

    /// The gates, in the order in which they were declared.
    #[must_use]
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// The top event.
    #[must_use]
    pub fn top(&self) -> Input {
        self.top
    }

    /// The same tree with another gate or event as its top event: what a part of it does by itself.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn with_top(&self, top: &str) -> Result<Self, Error> {
        let events = (0..self.events.len()).map(Input::Event);
        let gates = (0..self.gates.len()).map(Input::Gate);
        match events.chain(gates).find(|&input| self.name(input) == top) {
            Some(top) => Ok(Self { top, ..self.clone() }),
            None => Err(Error::new(
                format!("the tree has no gate and no event {top:?}"),
                "name one of its gates or basic events",
            )),
        }
    }

    /// The same tree without the events, house events and gates that its top event does not depend on.
    #[must_use]
    pub fn needed(&self) -> Self {
        let mut needed = BTreeSet::from([self.top]);
        for &gate in self.order.iter().rev() {
            if needed.contains(&Input::Gate(gate)) {
                needed.extend(self.gates[gate].inputs.iter().copied());
            }
        }
        let kept =
            |count: usize, input: fn(usize) -> Input| (0..count).filter(|&k| needed.contains(&input(k))).collect();
        let events: Vec<usize> = kept(self.events.len(), Input::Event);
        let houses: Vec<usize> = kept(self.houses.len(), Input::House);
        let gates: Vec<usize> = kept(self.gates.len(), Input::Gate);
        // All three lists are sorted.
        let place = |list: &[usize], number: usize| list.partition_point(|&kept| kept < number);
        let moved = |input: Input| match input {
            Input::Event(event) => Input::Event(place(&events, event)),
            Input::House(house) => Input::House(place(&houses, house)),
            Input::Gate(gate) => Input::Gate(place(&gates, gate)),
        };
        let gate = |&number: &usize| {
            let gate = &self.gates[number];
            Gate { inputs: gate.inputs.iter().map(|&input| moved(input)).collect(), ..gate.clone() }
        };
        let order = self.order.iter().filter(|gate| gates.binary_search(gate).is_ok());
        Self {
            events: events.iter().map(|&event| self.events[event].clone()).collect(),
            houses: houses.iter().map(|&house| self.houses[house].clone()).collect(),
            order: order.map(|&gate| place(&gates, gate)).collect(),
            gates: gates.iter().map(gate).collect(),
            top: moved(self.top),
        }
    }

    /// The name of an input.
    #[must_use]
    pub fn name(&self, input: Input) -> &str {
        match input {
            Input::Event(event) => &self.events[event],
            Input::Gate(gate) => &self.gates[gate].name,
            Input::House(house) => &self.houses[house].0,
        }
    }

    /// All gates, each behind those that it needs.
    pub(crate) fn bottom_up(&self) -> &[usize] {
        &self.order
    }
}
