//! Copies written out, one by one.

use super::{FaultTree, GateKind, Input};
use crate::Error;

impl FaultTree {
    /// The same tree with its copies ([`GateKind::Copies`]) written out as things of their own: the event `disk` of the
    /// gate `array` becomes `array.1.disk`, `array.2.disk` and so on. Beside it for each event the event that it is a copy
    /// of, or itself.
    ///
    /// # Errors
    /// If the tree would have more than `limit` events and gates.
    pub fn expanded(&self, limit: usize) -> Result<(Self, Vec<usize>), Error> {
        if !self.gates.iter().any(|gate| matches!(gate.kind, GateKind::Copies { .. })) {
            return Ok((self.clone(), (0..self.events.len()).collect()));
        }
        let mut expansion =
            Expansion { tree: self, limit, size: 0, depth: 0, builder: Self::builder(), origins: Vec::new() };
        expansion.declare(self.top, "")?;
        for (name, occurs) in &self.houses {
            expansion.builder.house(name.clone(), *occurs);
        }
        let tree = expansion.builder.finish(self.name(self.top))?;
        Ok((tree, expansion.origins))
    }
}

/// Of copies within copies; deeper, there is only one of most of them.
const MAX_DEPTH: usize = 64;

struct Expansion<'a> {
    tree: &'a FaultTree,
    limit: usize,
    size: usize,
    depth: usize,
    builder: super::FaultTreeBuilder,
    origins: Vec<usize>,
}

impl Expansion<'_> {
    /// Declares all that is below a root, with a prefix for the copy that it belongs to.
    fn declare(&mut self, root: Input, prefix: &str) -> Result<(), Error> {
        let tree = self.tree;
        let mut seen = vec![false; tree.gates.len()];
        let mut event_seen = vec![false; tree.events.len()];
        let mut open = vec![root];
        while let Some(input) = open.pop() {
            match input {
                Input::Event(event) if !std::mem::replace(&mut event_seen[event], true) => {
                    self.count(1)?;
                    self.builder.event(format!("{prefix}{}", tree.events[event]));
                    self.origins.push(event);
                }
                Input::Gate(gate) if !std::mem::replace(&mut seen[gate], true) => {
                    self.gate(gate, prefix)?;
                    if !matches!(tree.gates[gate].kind, GateKind::Copies { .. }) {
                        open.extend(tree.gates[gate].inputs.iter().rev());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn gate(&mut self, gate: usize, prefix: &str) -> Result<(), Error> {
        self.count(1)?;
        let gate = &self.tree.gates[gate];
        let name = format!("{prefix}{}", gate.name);
        if let GateKind::Copies { k, n } = gate.kind {
            let member = gate.inputs[0];
            let copies: Vec<_> = (1..=n).map(|copy| format!("{name}.{copy}.")).collect();
            self.count(copies.len())?;
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                let what = format!("copies stand within copies more than {MAX_DEPTH} times");
                return Err(Error::new(what, "copies of one thing are the thing itself"));
            }
            for copy in &copies {
                self.declare(member, copy)?;
            }
            self.depth -= 1;
            let inputs: Vec<_> = copies.iter().map(|copy| self.name(member, copy)).collect();
            self.builder.gate(name, GateKind::AtLeast(k), inputs);
        } else {
            let inputs: Vec<_> = gate.inputs.iter().map(|&input| self.name(input, prefix)).collect();
            self.builder.gate(name, gate.kind, inputs);
        }
        Ok(())
    }

    fn name(&self, input: Input, prefix: &str) -> String {
        match input {
            Input::House(_) => self.tree.name(input).to_owned(),
            _ => format!("{prefix}{}", self.tree.name(input)),
        }
    }

    fn count(&mut self, more: usize) -> Result<(), Error> {
        self.size += more;
        if self.size > self.limit {
            let what = format!("written out, the copies in the tree make more than {} events and gates", self.limit);
            return Err(Error::new(what, "keep them as copies, or raise the limit"));
        }
        Ok(())
    }
}
