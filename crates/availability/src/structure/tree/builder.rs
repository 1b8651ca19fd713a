//! How a fault tree is put together from names, and what is checked before it is one.

use std::collections::{BTreeMap, BTreeSet};

use super::{FaultTree, Gate, GateKind, Input};
use crate::{Error, Place};

/// A fault tree in the making. Names may be used before they are declared; [`FaultTreeBuilder::finish`] checks all.
#[derive(Clone, Debug, Default)]
pub struct FaultTreeBuilder {
    events: Vec<(String, Option<Place>)>,
    houses: Vec<(String, bool, Option<Place>)>,
    gates: Vec<NamedGate>,
    place: Option<Place>,
}

#[derive(Clone, Debug)]
struct NamedGate {
    name: String,
    kind: GateKind,
    inputs: Vec<String>,
    place: Option<Place>,
}

impl FaultTreeBuilder {
    /// Says where in a text the following declarations stand, for errors.
    pub fn at(&mut self, place: Place) -> &mut Self {
        self.place = Some(place);
        self
    }

    /// Declares a basic event.
    pub fn event(&mut self, name: impl Into<String>) -> &mut Self {
        self.events.push((name.into(), self.place.clone()));
        self
    }

    /// Declares several basic events.
    pub fn events<N: Into<String>>(&mut self, names: impl IntoIterator<Item = N>) -> &mut Self {
        for name in names {
            self.event(name);
        }
        self
    }

    /// Declares a house event: a constant with a name.
    pub fn house(&mut self, name: impl Into<String>, occurs: bool) -> &mut Self {
        self.houses.push((name.into(), occurs, self.place.clone()));
        self
    }

    /// Makes house events that do not occur of these basic events.
    pub(crate) fn never(&mut self, names: &BTreeSet<String>) -> &mut Self {
        let events = std::mem::take(&mut self.events).into_iter();
        let (gone, kept): (Vec<_>, Vec<_>) = events.partition(|(name, _)| names.contains(name));
        self.events = kept;
        self.houses.extend(gone.into_iter().map(|(name, place)| (name, false, place)));
        self
    }

    /// Declares a gate over events, house events and gates.
    pub fn gate<N: Into<String>>(
        &mut self,
        name: impl Into<String>,
        kind: GateKind,
        inputs: impl IntoIterator<Item = N>,
    ) -> &mut Self {
        let inputs = inputs.into_iter().map(Into::into).collect();
        self.gates.push(NamedGate { name: name.into(), kind, inputs, place: self.place.clone() });
        self
    }

    /// The tree with this gate or event as its top event.
    ///
    /// # Errors
    /// If a name is declared twice or not at all, a gate has the wrong number of inputs or cannot count so many of them,
    /// or a gate is above itself; the error names the gates, and where they stand.
    pub fn finish(self, top: &str) -> Result<FaultTree, Error> {
        let names = self.names()?;
        let mut gates = Vec::new();
        for gate in &self.gates {
            let of = |error: Error| place(error, gate.place.as_ref());
            let inputs =
                gate.inputs.iter().map(|name| resolve(&names, name, &gate.name)).collect::<Result<Vec<_>, _>>();
            let inputs = inputs.map_err(of)?;
            check_count(gate).map_err(of)?;
            gates.push(Gate { name: gate.name.clone(), kind: gate.kind, inputs });
        }
        let Some(&top) = names.get(top) else {
            let what = format!("the top event {top:?} is not declared");
            return Err(Error::new(what, "it must be the name of a gate or of a basic event"));
        };
        let order = bottom_up(&gates).map_err(|cycle| self.cycle(&cycle))?;
        let events = self.events.into_iter().map(|(name, _)| name).collect();
        let houses = self.houses.into_iter().map(|(name, occurs, _)| (name, occurs)).collect();
        Ok(FaultTree { events, houses, gates, top, order })
    }

    fn names(&self) -> Result<BTreeMap<&str, Input>, Error> {
        let events = self.events.iter().enumerate().map(|(k, (name, at))| (name, at, Input::Event(k)));
        let houses = self.houses.iter().enumerate().map(|(k, (name, _, at))| (name, at, Input::House(k)));
        let gates = self.gates.iter().enumerate().map(|(k, gate)| (&gate.name, &gate.place, Input::Gate(k)));
        let mut names = BTreeMap::new();
        for (name, at, input) in events.chain(houses).chain(gates) {
            if names.insert(name.as_str(), input).is_some() {
                let error = Error::new(
                    format!("the name {name:?} is declared twice"),
                    "each event and each gate needs a name of its own; to use one in several gates, declare it once",
                );
                return Err(place(error, at.as_ref()));
            }
        }
        Ok(names)
    }

    fn cycle(&self, cycle: &[usize]) -> Error {
        let names: Vec<_> = cycle.iter().chain(cycle.first()).map(|&gate| self.gates[gate].name.as_str()).collect();
        let what = format!("the fault tree has a cycle: {}", names.join(" needs "));
        let error = Error::new(what, "a gate must not be among its own causes; take one of these inputs away");
        place(error, cycle.first().and_then(|&gate| self.gates[gate].place.as_ref()))
    }
}

fn place(error: Error, at: Option<&Place>) -> Error {
    match at {
        Some(at) => error.at(at.clone()),
        None => error,
    }
}

fn resolve(names: &BTreeMap<&str, Input>, name: &str, gate: &str) -> Result<Input, Error> {
    names.get(name).copied().ok_or_else(|| {
        let what = format!("the gate {gate:?} has the input {name:?}, which is not declared");
        Error::new(what, "declare it as a basic event, a house event or a gate")
    })
}

fn check_count(gate: &NamedGate) -> Result<(), Error> {
    let (name, count) = (&gate.name, gate.inputs.len());
    let inputs = match gate.kind {
        GateKind::And | GateKind::Or | GateKind::AtLeast(_) => count > 0,
        GateKind::Not | GateKind::Copies { .. } => count == 1,
        GateKind::Xor => count == 2,
    };
    if !inputs {
        let what = format!("the gate {name:?} ({}) has {count} inputs", describe(gate.kind));
        let remedy = "and, or and at-least take one input or more, not and copies exactly one, xor exactly two";
        return Err(Error::new(what, remedy));
    }
    let (k, n) = match gate.kind {
        GateKind::AtLeast(k) => (k as usize, count),
        GateKind::Copies { k, n } => (k as usize, n as usize),
        _ => return Ok(()),
    };
    if k == 0 || k > n {
        let what = format!("the gate {name:?} wants {k} of {n} inputs");
        return Err(Error::new(what, format!("the number must be from 1 to {n}")));
    }
    if n > MAX_COPIES {
        let what = format!("the gate {name:?} counts {n} inputs");
        return Err(Error::new(what, format!("at most {MAX_COPIES} can be counted")));
    }
    Ok(())
}

/// More copies would take minutes, as the square of their number.
const MAX_COPIES: usize = 100_000;

fn describe(kind: GateKind) -> String {
    match kind {
        GateKind::And => "and".into(),
        GateKind::Or => "or".into(),
        GateKind::Not => "not".into(),
        GateKind::Xor => "xor".into(),
        GateKind::AtLeast(k) => format!("at least {k}"),
        GateKind::Copies { k, n } => format!("{k} of {n} copies"),
    }
}

/// The gates in an order in which each follows those that it needs, or else the gates of a cycle, each needing the next.
fn bottom_up(gates: &[Gate]) -> Result<Vec<usize>, Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; gates.len()];
    let mut order = Vec::with_capacity(gates.len());
    for start in 0..gates.len() {
        if marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::Open;
        // The gates that are open, and how many inputs of each were seen.
        let mut path = vec![(start, 0)];
        while let Some((gate, seen)) = path.last_mut() {
            let (gate, input) = (*gate, gates[*gate].inputs.get(*seen).copied());
            *seen += 1;
            match input {
                Some(Input::Gate(below)) if marks[below] == Mark::New => {
                    marks[below] = Mark::Open;
                    path.push((below, 0));
                }
                Some(Input::Gate(below)) if marks[below] == Mark::Open => {
                    return Err(path.into_iter().map(|(gate, _)| gate).skip_while(|&gate| gate != below).collect());
                }
                Some(_) => {}
                None => {
                    marks[gate] = Mark::Done;
                    order.push(gate);
                    path.pop();
                }
            }
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(declare: impl Fn(&mut FaultTreeBuilder) -> &mut FaultTreeBuilder) -> String {
        let mut builder = FaultTree::builder();
        builder.events(["a", "b"]);
        declare(&mut builder);
        builder.finish("top").unwrap_err().to_string()
    }

    #[test]
    fn a_cycle_is_named_gate_by_gate_where_it_stands() {
        let place = Place { file: "plant.xml".into(), line: 7, column: 3 };
        let error = refused(|builder| {
            builder.gate("top", GateKind::Or, ["a", "pump"]).at(place.clone());
            builder.gate("pump", GateKind::And, ["b", "power"]).gate("power", GateKind::Not, ["pump"])
        });
        assert!(
            error.starts_with("plant.xml:7:3: the fault tree has a cycle: pump needs power needs pump: "),
            "{error}"
        );
    }

    #[test]
    fn names_and_numbers_are_checked() {
        let or = GateKind::Or;
        for (says, error) in [
            ("declared twice", refused(|builder| builder.gate("a", or, ["b"]))),
            ("input \"c\", which is not", refused(|builder| builder.gate("top", or, ["c"]))),
            ("top event \"top\" is not declared", refused(|builder| builder)),
            ("(or) has 0 inputs", refused(|builder| builder.gate("top", or, [""; 0]))),
            ("(not) has 2 inputs", refused(|builder| builder.gate("top", GateKind::Not, ["a", "b"]))),
            ("wants 3 of 2", refused(|builder| builder.gate("top", GateKind::AtLeast(3), ["a", "b"]))),
            ("wants 0 of 4", refused(|builder| builder.gate("top", GateKind::Copies { k: 0, n: 4 }, ["a"]))),
        ] {
            assert!(error.contains(says), "{error}");
        }
    }
}
