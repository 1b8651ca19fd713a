//! The lines of chains, trees, block diagrams and reliability graphs.

use crate::Error;
use crate::text::ast::{Body, ChainItem, Edge, Law, StructureItem};
use crate::text::parser::Parser;

impl Parser<'_> {
    /// A line of a chain: an arc, or `up:`, `down:`, `start:`, `label:`, `reward:`.
    pub(crate) fn chain_item(&mut self) -> Result<ChainItem, Error> {
        let heading = ["up", "down", "start"].into_iter().find(|word| self.is_word(0, word) && self.is_sign(1, ":"));
        if let Some(heading) = heading {
            self.take();
            self.take();
            return Ok(match heading {
                "up" => ChainItem::Up(self.references("a state")?),
                "down" => ChainItem::Down(self.references("a state")?),
                _ => ChainItem::Start(self.reference("a state")?),
            });
        }
        let is_named = self.is_sign(2, ":");
        if is_named && self.eat_word("label") {
            let name = self.name("a name for these states")?;
            self.take();
            return Ok(ChainItem::Label(name, self.references("a state")?));
        }
        if is_named && self.eat_word("reward") {
            return self.chain_reward();
        }
        let from =
            self.reference("an arc, `up -> down at RATE`, or `up:`, `down:`, `start:`, `label NAME:`, `reward NAME:`")?;
        self.sign_behind_name("->", "and the next state")?;
        let to = self.reference("the next state")?;
        self.word("at", "and the rate")?;
        Ok(ChainItem::Arc { from, to, rate: self.rate()? })
    }

    /// `reward NAME: both = 2, one = 1, one -> both = 1`.
    fn chain_reward(&mut self) -> Result<ChainItem, Error> {
        let name = self.name("a name for the reward")?;
        self.take();
        let mut terms = Vec::new();
        loop {
            let from = self.reference("a state")?;
            let to = if self.eat_sign("->") { Some(self.reference("the next state")?) } else { None };
            self.sign("=", "and what is earned")?;
            terms.push((from, to, self.sum()?));
            if !self.eat_sign(",") {
                return Ok(ChainItem::Reward(name, terms));
            }
        }
    }

    pub(crate) fn tree_item(&mut self) -> Result<StructureItem, Error> {
        self.structure_item("event")
    }

    pub(crate) fn block_item(&mut self) -> Result<StructureItem, Error> {
        self.structure_item("block")
    }

    /// `event NAME LAW`, or `NAME = LOGIC`.
    fn structure_item(&mut self, keyword: &str) -> Result<StructureItem, Error> {
        if self.is_word(0, keyword) && !self.is_sign(1, "=") {
            self.take();
            let name = self.reference("a name")?;
            if self.is_sign(0, "=") {
                let own = &name.name.text;
                let what = format!("`=` does not say how `{own}` fails");
                let remedy = format!("write `{keyword} {own} probability 0.01`; a gate has no `{keyword}` before it");
                return Err(self.source.error(self.peek(0).span, what, remedy));
            }
            return Ok(StructureItem::Event(name, self.law()?));
        }
        let name = self.reference(&format!("`{keyword} NAME ...` or `NAME = ...`"))?;
        self.sign_behind_name("=", "and what it is made of")?;
        let logic = self.expression()?;
        match self.lost_count() {
            Some(error) => Err(error),
            None => Ok(StructureItem::Gate(name, logic)),
        }
    }

    /// How something fails: `is MODEL`, `probability P`, `fails at RATE, repaired at RATE`,
    /// `unavailability U, failure frequency W`.
    fn law(&mut self) -> Result<Law, Error> {
        if self.eat_word("is") {
            return Ok(Law::Model(self.name("the name of a model")?));
        }
        if self.eat_word("probability") {
            return Ok(Law::Probability(self.sum()?));
        }
        if self.eat_word("unavailability") {
            let unavailability = self.sum()?;
            self.sign(",", "and the failure frequency")?;
            self.word("failure", "frequency")?;
            self.word("frequency", "and its value")?;
            return Ok(Law::Known { unavailability, frequency: self.sum()? });
        }
        if !self.eat_word("fails") {
            return Err(self.unexpected(
                "`is MODEL`, `probability P`, `fails at RATE`, or `unavailability U, failure frequency W`",
            ));
        }
        self.word("at", "and the rate")?;
        let fails = self.rate()?;
        let repaired = if self.is_sign(0, ",") && self.is_word(1, "repaired") {
            self.take();
            self.take();
            self.word("at", "and the rate")?;
            Some(self.rate()?)
        } else {
            None
        };
        Ok(Law::Rates { fails, repaired })
    }

    /// `{ from A to B; a -> b LAW; a -- b LAW }`.
    pub(crate) fn graph(&mut self) -> Result<Body, Error> {
        // The ends come first, so that the rest is a block like any other.
        self.sign("{", "before the lines of a graph")?;
        self.word("from", "and the node where it begins")?;
        let from = self.reference("a node")?;
        self.word("to", "and the node where it ends")?;
        let to = self.reference("a node")?;
        let edges = self.rest_of_block(Self::edge)?;
        Ok(Body::Graph { from, to, edges })
    }

    fn edge(&mut self) -> Result<Edge, Error> {
        let from = self.reference("an edge, `a -> b fails at RATE`, or `a -- b ...` for both directions")?;
        let both_ways = self.eat_sign("--");
        if !both_ways {
            self.sign_behind_name("->", "or `--`")?;
        }
        let to = self.reference("a node")?;
        Ok(Edge { from, to, both_ways, law: self.law()? })
    }
}
