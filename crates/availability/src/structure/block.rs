//! Reliability block diagrams.

use std::collections::BTreeSet;

use super::{FaultTree, FaultTreeBuilder, GateKind};
use crate::Error;

/// A reliability block diagram: how parts that work make a whole that works.
///
/// ```
/// use availability::structure::{Block, Limits, Probability, StructureFunction};
///
/// // Power, and two of three servers.
/// let servers = ["s1", "s2", "s3"].map(Block::unit);
/// let system = Block::series([Block::unit("power"), Block::at_least(2, servers)]);
///
/// let function = StructureFunction::of_tree(&system.fault_tree()?, &Limits::default())?;
/// let down = function.probability(&[0.5, 0.25, 0.25, 0.25].map(Probability::of))?;
/// assert_eq!(down.no, 0.5 * (27.0 + 27.0) / 64.0);
/// # Ok::<(), availability::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A part with a name; one whose name occurs several times is one part, not several alike.
    Unit(String),
    /// Works if all of these do.
    Series(Vec<Block>),
    /// Works if any of these does.
    Parallel(Vec<Block>),
    /// Works if at least so many of these do.
    AtLeast {
        /// How many must work.
        needed: u32,
        /// Of which blocks.
        of: Vec<Block>,
    },
    /// Works if at least so many of independent copies of a block do; see [`GateKind::Copies`].
    Copies {
        /// How many must work.
        needed: u32,
        /// How many there are.
        count: u32,
        /// Of what.
        of: Box<Block>,
    },
    /// The bridge: two ways from one end to the other, the first through blocks 0 and 2, the second through blocks 1 and
    /// 3, with block 4 between the middle of both.
    Bridge(Box<[Block; 5]>),
}

impl Block {
    /// A part with a name.
    #[must_use]
    pub fn unit(name: impl Into<String>) -> Self {
        Self::Unit(name.into())
    }

    /// Works if all of these do.
    #[must_use]
    pub fn series(blocks: impl IntoIterator<Item = Self>) -> Self {
        Self::Series(blocks.into_iter().collect())
    }

    /// Works if any of these does.
    #[must_use]
    pub fn parallel(blocks: impl IntoIterator<Item = Self>) -> Self {
        Self::Parallel(blocks.into_iter().collect())
    }

    /// Works if at least `needed` of these do.
    #[must_use]
    pub fn at_least(needed: u32, blocks: impl IntoIterator<Item = Self>) -> Self {
        Self::AtLeast { needed, of: blocks.into_iter().collect() }
    }

    /// Works if at least `needed` of `count` copies do.
    #[must_use]
    pub fn copies(needed: u32, count: u32, of: Self) -> Self {
        Self::Copies { needed, count, of: Box::new(of) }
    }

    /// The bridge; for the places of the blocks see [`Self::Bridge`].
    #[must_use]
    pub fn bridge(blocks: [Self; 5]) -> Self {
        Self::Bridge(Box::new(blocks))
    }

    /// The fault tree of the diagram: its top event is that the whole does not work, its basic events are that parts do
    /// not, in the order in which the parts first occur.
    ///
    /// # Errors
    /// If a group is empty, or needs more blocks than it has or none.
    pub fn fault_tree(&self) -> Result<FaultTree, Error> {
        let mut translation = Translation { tree: FaultTree::builder(), units: BTreeSet::new(), groups: 0 };
        let top = translation.fails(self)?;
        translation.tree.finish(&top)
    }
}

struct Translation {
    tree: FaultTreeBuilder,
    units: BTreeSet<String>,
    groups: usize,
}

impl Translation {
    /// Declares that a block fails, and gives its name.
    fn fails(&mut self, block: &Block) -> Result<String, Error> {
        let (word, kind, inputs) = match block {
            Block::Unit(name) => {
                if self.units.insert(name.clone()) {
                    self.tree.event(name.clone());
                }
                return Ok(name.clone());
            }
            Block::Series(blocks) => ("series", GateKind::Or, self.all(blocks)?),
            Block::Parallel(blocks) => ("parallel", GateKind::And, self.all(blocks)?),
            Block::AtLeast { needed, of } => {
                let kind = GateKind::AtLeast(failures(*needed, of.len())?);
                ("at least", kind, self.all(of)?)
            }
            Block::Copies { needed, count, of } => {
                let kind = GateKind::Copies { k: failures(*needed, *count as usize)?, n: *count };
                ("copies", kind, vec![self.fails(of)?])
            }
            Block::Bridge(blocks) => {
                let names = self.all(&blocks[..])?;
                ("bridge", GateKind::Or, self.cuts_of_bridge(&names))
            }
        };
        if inputs.is_empty() {
            let what = format!("a {word} block of the diagram has no blocks in it");
            return Err(Error::new(what, "give it at least one"));
        }
        Ok(self.gate(word, kind, inputs))
    }

    fn all(&mut self, blocks: &[Block]) -> Result<Vec<String>, Error> {
        blocks.iter().map(|block| self.fails(block)).collect()
    }

    fn cuts_of_bridge(&mut self, names: &[String]) -> Vec<String> {
        let cuts: [&[usize]; 4] = [&[0, 1], &[2, 3], &[0, 4, 3], &[1, 4, 2]];
        cuts.map(|cut| {
            let inputs = cut.iter().map(|&block| names[block].clone()).collect();
            self.gate("cut", GateKind::And, inputs)
        })
        .to_vec()
    }

    fn gate(&mut self, word: &str, kind: GateKind, inputs: Vec<String>) -> String {
        // A number that makes the name new, also beside parts that are called like this.
        let name = loop {
            self.groups += 1;
            let name = format!("{word} {}", self.groups);
            if !self.units.contains(&name) {
                break name;
            }
        };
        self.tree.gate(name.clone(), kind, inputs);
        name
    }
}

/// How many failures of `count` blocks are too many.
fn failures(needed: u32, count: usize) -> Result<u32, Error> {
    if needed == 0 || needed as usize > count {
        let what = format!("a block of the diagram needs {needed} of {count} blocks");
        return Err(Error::new(what, format!("the number must be from 1 to {count}")));
    }
    Ok(count as u32 - needed + 1)
}
