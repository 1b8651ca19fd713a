//! Chains by states and arcs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Compiler;
use super::formula::Scope;
use super::names::Entity;
use crate::Error;
use crate::chain::States;
use crate::model::NamedChain;
use crate::model::chain_solve::{ChainModel, ChainShape};
use crate::model::node::Id;
use crate::model::sound::Sound;
use crate::text::ast::{Body, ChainItem, Item, Reference};
use crate::text::exact::Exact;
use crate::text::source::{Name, Span, did_you_mean};
use crate::text::unit::Dimension;

/// A chain, or rules written out as one, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) model: ChainModel,
    /// The rate of each arc, or the numbers that go into the rules.
    pub(crate) inputs: Vec<Id>,
    /// Whether each state is up, if the text says it.
    pub(crate) up: Option<Vec<bool>>,
    pub(crate) labels: BTreeMap<String, Vec<bool>>,
    /// What is earned in a chain; rules know that themselves.
    pub(crate) rewards: BTreeMap<String, Earnings>,
    /// The unit of each reward: that of an arc's reward, and of a state's reward times time.
    pub(crate) dimensions: BTreeMap<String, Dimension>,
    /// The variables of rules.
    pub(crate) scope: Option<Scope>,
}

impl Chain {
    /// The chain as a value of its own.
    pub(super) fn named(&self, name: &str) -> NamedChain {
        let down = self.up.iter().map(|up| ("down".to_owned(), up.iter().map(|up| !up).collect()));
        // Labels of the PRISM language have their quotes here, which keep them apart from variables.
        let own = self.labels.iter().map(|(name, states)| (name.trim_matches('"').to_owned(), states.clone()));
        let labels = own.filter(|(name, _)| self.up.is_none() || name != "down").chain(down);
        let labels = labels.map(|(name, states)| (name, States::new(states))).collect();
        let earned = |(name, earned): (&String, &Earnings)| {
            (name.clone(), crate::chain::Rewards { states: earned.states.clone(), arcs: earned.arcs.clone() })
        };
        let rewards = self.rewards.iter().map(earned).collect();
        NamedChain { name: name.to_owned(), model: self.model.clone(), inputs: self.inputs.clone(), labels, rewards }
    }
}

/// What states and arcs earn.
#[derive(Clone, Debug)]
pub(crate) struct Earnings {
    pub(crate) states: Vec<Id>,
    pub(crate) arcs: Vec<Id>,
}

/// A chain in the making.
#[derive(Default)]
struct Draft {
    states: Vec<(String, Span)>,
    index: BTreeMap<String, usize>,
    arcs: Vec<(usize, usize, Id)>,
    up: Vec<usize>,
    down: Vec<usize>,
    start: Option<usize>,
    /// The states of each label, and where it is declared first.
    labels: BTreeMap<String, (Vec<usize>, Span)>,
    rewards: Vec<Earned>,
}

/// What a state earns, or an arc if there is a next state.
struct Earned {
    name: Name,
    from: usize,
    to: Option<(usize, Span)>,
    amount: Id,
    dimension: Dimension,
}

/// Rewards by name, with their units.
type Rewards = (BTreeMap<String, Earnings>, BTreeMap<String, Dimension>);

impl Draft {
    fn state(&mut self, name: String, span: Span) -> usize {
        let next = self.states.len();
        let index = *self.index.entry(name.clone()).or_insert(next);
        if index == next {
            self.states.push((name, span));
        }
        index
    }
}

impl Compiler<'_> {
    /// The chain of this index among the models, made when it is asked for the first time.
    pub(super) fn chain(&mut self, index: usize) -> Result<(), Error> {
        if self.chains.contains_key(&index) {
            return Ok(());
        }
        let document = self.document;
        let model = &document.models[index];
        self.enter(Entity::Model(index), format!("`{}`", model.name.text), model.name.span)?;
        let outer = std::mem::take(&mut self.locals);
        let made = match &model.body {
            Body::Chain(items) => self.draw(&model.name, items),
            Body::Rules(rules) => self.generate(&model.name, rules),
            Body::Structure { .. } | Body::Graph { .. } => Err(self.error(
                model.name.span,
                format!("`{}` has no states", model.name.text),
                "states belong to a chain or to rules",
            )),
        };
        self.locals = outer;
        self.open.pop();
        self.chains.insert(index, made?);
        Ok(())
    }

    fn draw(&mut self, name: &Name, items: &[Item<ChainItem>]) -> Result<Chain, Error> {
        let mut draft = Draft::default();
        self.each(items, &mut |compiler, item| compiler.chain_item(&mut draft, item))?;
        if draft.arcs.is_empty() {
            return Err(self.error(
                name.span,
                format!("the chain `{}` has no arcs", name.text),
                "draw one with `up -> down at RATE`",
            ));
        }
        // States that stand in no arc are mistyped more often than meant.
        let drawn: Vec<bool> = {
            let mut drawn = vec![draft.states.len() == 1; draft.states.len()];
            draft.arcs.iter().for_each(|&(from, to, _)| (drawn[from], drawn[to]) = (true, true));
            drawn
        };
        if let Some(lost) = drawn.iter().position(|drawn| !drawn) {
            let (state, span) = &draft.states[lost];
            let others =
                draft.states.iter().zip(&drawn).filter(|(_, drawn)| **drawn).map(|((name, _), _)| name.as_str());
            let what = format!("no arc leads to or from the state `{state}`{}", did_you_mean(state, others));
            return Err(self.error(*span, what, "draw its arcs, or take it away"));
        }
        let up = self.marks(name, &draft)?;
        self.tell_names_apart(&draft, up.as_deref())?;
        let (rewards, dimensions) = self.chain_rewards(&draft)?;
        let count = draft.states.len();
        let members = |states: &Vec<usize>| {
            let mut members = vec![false; count];
            states.iter().for_each(|&state| members[state] = true);
            members
        };
        let labels = draft.labels.iter().map(|(name, (states, _))| (name.clone(), members(states))).collect();
        let starts: Vec<usize> = draft.states.iter().map(|(_, span)| span.start).collect();
        let shape = ChainShape {
            file: self.source.file.to_owned(),
            spots: self.source.spots(&starts),
            states: draft.states.into_iter().map(|(name, _)| name).collect(),
            arcs: draft.arcs.iter().map(|&(from, to, _)| (from, to)).collect(),
            // Without a word about it a chain begins in its first up state, or where its text does.
            start: draft.start.or(up.as_ref().and_then(|up| up.iter().position(|up| *up))).unwrap_or(0),
        };
        let inputs = draft.arcs.into_iter().map(|(_, _, rate)| rate).collect();
        Ok(Chain { model: ChainModel::Drawn(Arc::new(shape)), inputs, up, labels, rewards, dimensions, scope: None })
    }

    fn chain_item(&mut self, draft: &mut Draft, item: &ChainItem) -> Result<(), Error> {
        match item {
            ChainItem::Up(states) => {
                let found = self.states(draft, states)?;
                draft.up.extend(found);
            }
            ChainItem::Down(states) => {
                let found = self.states(draft, states)?;
                draft.down.extend(found);
            }
            ChainItem::Start(state) => {
                let index = self.states(draft, std::slice::from_ref(state))?;
                draft.start = index.first().copied();
            }
            ChainItem::Label(name, states) => {
                let found = self.states(draft, states)?;
                self.free_label(name)?;
                draft.labels.entry(name.text.clone()).or_insert_with(|| (Vec::new(), name.span)).0.extend(found);
            }
            ChainItem::Arc { from, to, rate } => {
                let rate_id = self.of_dimension(rate, Dimension::RATE, "the rate of an arc")?;
                let ends = [self.indexed(from)?, self.indexed(to)?];
                let named = Sound::amount(format!("the rate from `{}` to `{}`", ends[0].0, ends[1].0));
                let rate_id = self.sound(rate_id, rate, "rate of an arc", named)?;
                let [from, to] = ends.map(|(name, span)| draft.state(name, span));
                draft.arcs.push((from, to, rate_id));
            }
            ChainItem::Reward(name, terms) => {
                for (from, to, amount) in terms {
                    let (text, span) = self.indexed(from)?;
                    let from = draft.state(text, span);
                    let to = match to {
                        None => None,
                        Some(to) => {
                            let (text, span) = self.indexed(to)?;
                            Some((draft.state(text, span), span))
                        }
                    };
                    let amount = self.lower(amount)?;
                    draft.rewards.push(Earned {
                        name: name.clone(),
                        from,
                        to,
                        amount: amount.id,
                        dimension: amount.dimension,
                    });
                }
            }
        }
        Ok(())
    }

    fn states(&mut self, draft: &mut Draft, states: &[Reference]) -> Result<Vec<usize>, Error> {
        let mut found = Vec::new();
        for state in states {
            let (name, span) = self.indexed(state)?;
            found.push(draft.state(name, span));
        }
        Ok(found)
    }

    /// Which states are up: those that are marked so, or all that are not marked down.
    fn marks(&self, name: &Name, draft: &Draft) -> Result<Option<Vec<bool>>, Error> {
        let Draft { states, up, down, .. } = draft;
        if up.is_empty() && down.is_empty() {
            return Ok(None);
        }
        let within = |list: &[usize]| {
            let mut members = vec![false; states.len()];
            list.iter().for_each(|&state| members[state] = true);
            members
        };
        let (ups, downs) = (within(up), within(down));
        for ((text, span), (&is_up, &is_down)) in states.iter().zip(ups.iter().zip(&downs)) {
            if is_up && is_down {
                return Err(self.error(*span, format!("the state `{text}` is marked up and down"), "mark it once"));
            }
            if !is_up && !is_down && !up.is_empty() && !down.is_empty() {
                let what = format!("the state `{text}` of `{}` is neither up nor down", name.text);
                return Err(self.error(
                    *span,
                    what,
                    "mark it, or mark only the up states, so that all others are down",
                ));
            }
        }
        Ok(Some(if up.is_empty() { downs.into_iter().map(|down| !down).collect() } else { ups }))
    }

    /// Refuses a label that has the name of the up states or of the down states.
    pub(super) fn free_label(&self, label: &Name) -> Result<(), Error> {
        if self.unitless || !matches!(label.text.as_str(), "up" | "down") {
            return Ok(());
        }
        let what = format!("`{0}` is no label: it names the {0} states of a model", label.text);
        let remedy = format!("give the label another name, or mark the states with `{}:`", label.text);
        Err(self.error(label.span, what, remedy))
    }

    /// Refuses names of which a measure could not tell what they mean.
    fn tell_names_apart(&self, draft: &Draft, up: Option<&[bool]>) -> Result<(), Error> {
        if let Some((label, (_, span))) = draft.labels.iter().find(|(label, _)| draft.index.contains_key(*label)) {
            let what = format!("`{label}` is a state already");
            return Err(self.error(*span, what, "give the label another name"));
        }
        for (name, other, is_up) in [("up", "down", true), ("down", "up", false)] {
            if let (Some(&state), Some(up)) = (draft.index.get(name), up)
                && up[state] != is_up
            {
                let what = format!("the state `{name}` is {other}");
                let remedy = "give it another name: measures call all up states `up`, and all down states `down`";
                return Err(self.error(draft.states[state].1, what, remedy));
            }
        }
        Ok(())
    }

    fn chain_rewards(&mut self, draft: &Draft) -> Result<Rewards, Error> {
        let zero = self.constant(Exact::ZERO, Dimension::PLAIN);
        let mut between: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
        if draft.rewards.iter().any(|earned| earned.to.is_some()) {
            for (arc, &(from, to, _)) in draft.arcs.iter().enumerate() {
                between.entry((from, to)).or_default().push(arc);
            }
        }
        let (mut rewards, mut dimensions) = (BTreeMap::<String, Earnings>::new(), BTreeMap::new());
        for Earned { name, from, to, amount, dimension } in &draft.rewards {
            // What a state earns is per unit of time: with a unit of time beside it both kinds have the same unit.
            let time = if self.unitless { 0 } else { i32::from(to.is_none()) };
            let dimension = Dimension(dimension.0 + time);
            let earnings = rewards.entry(name.text.clone()).or_insert_with(|| Earnings {
                states: vec![zero; draft.states.len()],
                arcs: vec![zero; draft.arcs.len()],
            });
            let expected = *dimensions.entry(name.text.clone()).or_insert(dimension);
            if expected != dimension {
                let what = format!("the reward `{}` adds {} and {}", name.text, expected.name(), dimension.name());
                return Err(self.error(name.span, what, "what an arc earns is a quantity, and what a state earns is a quantity for each unit of time: `3 per hour`"));
            }
            match to {
                None => earnings.states[*from] = *amount,
                Some((to, span)) => {
                    let Some(found) = between.get(&(*from, *to)) else {
                        let what =
                            format!("no arc leads from `{}` to `{}`", draft.states[*from].0, draft.states[*to].0);
                        return Err(self.error(*span, what, "a reward of an arc needs the arc"));
                    };
                    found.iter().for_each(|&arc| earnings.arcs[arc] = *amount);
                }
            }
        }
        Ok((rewards, dimensions))
    }

    /// Calls `act` for each item, with the indexes of its loops as local names.
    pub(super) fn each<T>(
        &mut self,
        items: &[Item<T>],
        act: &mut dyn FnMut(&mut Self, &T) -> Result<(), Error>,
    ) -> Result<(), Error> {
        /// More rounds of a loop are taken for a mistake.
        const MAX_ROUNDS: i64 = 1_000_000;
        for item in items {
            match item {
                Item::One(item) => act(self, item)?,
                Item::For { index, from, to, body } => {
                    let (first, last) = (self.whole(from)?, self.whole(to)?);
                    if last.saturating_sub(first) > MAX_ROUNDS {
                        return Err(self.error(
                            index.span,
                            "this loop has more than a million rounds",
                            "check its ends",
                        ));
                    }
                    for round in first..=last {
                        self.locals.push((index.text.clone(), Exact::from(round as f64)));
                        let done = self.each(body, act);
                        self.locals.pop();
                        done?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A name with its indexes: `server[1,2]`.
    pub(super) fn indexed(&mut self, reference: &Reference) -> Result<(String, Span), Error> {
        let name = &reference.name;
        if reference.indexes.is_empty() {
            return Ok((name.text.clone(), name.span));
        }
        let mut indexes = Vec::new();
        for index in &reference.indexes {
            match index {
                Some(index) => indexes.push(self.whole(index)?.to_string()),
                None => return Err(self.error(name.span, "`*` stands for several here", "name one of them")),
            }
        }
        Ok((format!("{}[{}]", name.text, indexes.join(",")), name.span))
    }
}
