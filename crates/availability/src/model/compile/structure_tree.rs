//! Trees and block diagrams as values of their own.

use std::collections::BTreeMap;

use super::Compiler;
use super::structure::{Failing, Logic, Structure};
use crate::model::tree::{EventLaw, NamedTree, Numbers};
use crate::text::ast::Body;

impl Compiler<'_> {
    /// The trees and block diagrams of the text, which are not needed here any more; networks have no gates.
    pub(super) fn trees(&mut self) -> Vec<NamedTree> {
        let indexes: Vec<usize> = self.structures.keys().copied().collect();
        let laws: Vec<_> = indexes.into_iter().map(|index| self.laws(index)).collect();
        let document = self.document;
        let structures = std::mem::take(&mut self.structures).into_iter().zip(laws);
        let named = structures.filter_map(|((index, structure), events)| {
            let Structure { logic: Logic::Gates(builder), top, .. } = structure else { return None };
            Some(NamedTree { name: document.models[index].name.text.clone(), builder, top, events })
        });
        named.collect()
    }

    /// How the events of a tree fail.
    fn laws(&mut self, index: usize) -> BTreeMap<String, EventLaw> {
        if let Body::Graph { .. } = self.document.models[index].body {
            return BTreeMap::new();
        }
        let events = self.structures[&index].events.clone();
        events.into_iter().map(|(name, failing)| (name, self.event_law(failing))).collect()
    }

    /// How an event fails. That what it is has no unavailability is an error only if somebody wants to have the tree.
    fn event_law(&mut self, failing: Failing) -> EventLaw {
        let document = self.document;
        EventLaw::Numbers(match failing {
            Failing::Probability(id) => Ok(Numbers::Probability(id)),
            Failing::Rates { fails, repaired } => Ok(Numbers::Rates { fails, repaired }),
            Failing::Known { unavailability, .. } => Ok(Numbers::LongRun(unavailability)),
            Failing::As(model) => {
                let is_tree = |index: usize| matches!(document.models[index].body, Body::Structure { .. });
                if self.model(&model).is_ok_and(is_tree) {
                    return EventLaw::Tree(model.text);
                }
                self.usual(&model, "unavailability", None).map(|found| Numbers::LongRun(found.id))
            }
        })
    }
}
