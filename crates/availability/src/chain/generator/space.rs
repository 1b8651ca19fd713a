//! All states of a model that can be reached, and the arcs between them.

use super::check::check;
use super::code::{Code, Machine};
use super::halves::Halves;
use super::keys::{Index, Keys};
use super::limits::Limits;
use super::precision;
use super::program::{Earning, Move, Program};
use super::rules::{Expression, Rules};
use crate::capacity::MOST_COUNTED;
use crate::chain::large::Hierarchy;
use crate::chain::room::Room;
use crate::chain::{Chain, Rewards, Sparse, States};
use crate::structure::Bounded;
use crate::{Error, Scalar};

/// The states of a model that can be reached, in breadth-first order from its beginning, and their arcs.
pub struct Space {
    program: Program,
    rules: Rules,
    parameters: Vec<f64>,
    limits: Limits,
    /// Of two states that this exchanges only the one with the smaller key is there.
    halves: Option<Halves>,
    keys: Keys,
    arcs: Sparse,
    loops: usize,
}

/// Models whose variables have fewer combinations of values are small enough to be explored as they are.
const SMALL: u128 = 1 << 18;
/// So many states are explored between two words about it.
const STRETCH: usize = 1 << 16;

/// Nobody hears how many states were explored.
pub(crate) const NOBODY: &dyn Fn(usize) = &|_: usize| ();

impl Space {
    /// Explores a model: from the beginning applies all rules until no new state appears. `parameters` are the values of
    /// [`Rules::parameters`].
    ///
    /// # Errors
    /// If the rules are wrong (a missing variable, a value outside its range, a rate that is none), or the states or their
    /// arcs would outgrow the limits; the model or its state is named.
    pub fn explore(rules: &Rules, parameters: &[f64], limits: Limits) -> Result<Self, Error> {
        Self::explore_with(rules, parameters, limits, |_| None, NOBODY)
    }

    /// The same, but if the model is large and has two halves that are alike, of two states in which they have only changed
    /// places one is there, and stands for both (automatic lumping): all measures that do not tell the halves apart
    /// ([`Space::tells_apart`]) are the same in half the memory and time.
    ///
    /// # Errors
    /// As [`Space::explore`].
    pub fn explore_alike(rules: &Rules, parameters: &[f64], limits: Limits) -> Result<Self, Error> {
        Self::explore_told(rules, parameters, limits, true, NOBODY)
    }

    /// As [`Space::explore_alike`] or [`Space::explore`]; somebody hears now and then how many states were explored.
    pub(crate) fn explore_told(
        rules: &Rules,
        parameters: &[f64],
        limits: Limits,
        alike: bool,
        explored: &dyn Fn(usize),
    ) -> Result<Self, Error> {
        let halves = |keys: u128| if keys < SMALL || !alike { None } else { Halves::of(rules) };
        Self::explore_with(rules, parameters, limits, halves, explored)
    }

    pub(super) fn explore_with(
        rules: &Rules,
        parameters: &[f64],
        limits: Limits,
        halves: impl FnOnce(u128) -> Option<Halves>,
        explored: &dyn Fn(usize),
    ) -> Result<Self, Error> {
        check(rules)?;
        if parameters.len() != rules.parameters.len() {
            return Err(Error::new(
                format!("{} values were given for {} parameters", parameters.len(), rules.parameters.len()),
                "give each parameter its value, in the order of their declaration",
            ));
        }
        let program = Program::new(rules)?;
        let halves = halves(program.keys);
        let mut keys = Keys::new(u64::try_from(program.keys).is_err());
        let mut index = Index::new(program.keys, limits.bytes / 16);
        let mut machine = Machine::new(rules.variables.len(), parameters);
        let mut room = Room::new(limits.bytes, index.bytes());
        let mut arcs = Sparse::new();
        let (mut loops, mut place) = (0, 0);
        let mut full = index.place(program.initial(), &mut keys, &mut room).is_none();
        while !full && place < keys.len() {
            let key = keys.get(place);
            program.decode(key, &mut machine.variables);
            let mut looped = false;
            program.moves(key, &mut machine, &mut |step: Move<f64>| {
                let to = first_of_two(&program, halves.as_ref(), step.to);
                if to == key {
                    looped = true;
                } else if !full {
                    match index.place(to, &mut keys, &mut room) {
                        Some(end) if arcs.make_room(&mut room) => arcs.add(end, step.rate),
                        _ => full = true,
                    }
                }
                Ok(())
            })?;
            full = full || !arcs.make_room(&mut room) || arcs.full();
            full = full || keys.len() > limits.states.min(u32::MAX as usize - 1);
            if !full {
                arcs.end_row();
                loops += usize::from(looped);
                place += 1;
                if place.is_multiple_of(STRETCH) {
                    explored(place);
                }
            }
        }
        if full {
            let last = program.describe(if keys.len() == 0 { program.initial() } else { keys.get(keys.len() - 1) });
            return Err(limits.outgrown(keys.len(), place, room.taken(), &last));
        }
        Ok(Self { program, rules: rules.clone(), parameters: parameters.to_vec(), limits, halves, keys, arcs, loops })
    }

    /// Bytes that states and arcs take.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.bytes() + self.arcs.bytes()
    }

    /// How many products it takes about to eliminate all states; nothing if there is no memory for that.
    pub(crate) fn elimination_work(&self) -> Option<f64> {
        self.arcs.elimination_work(self.limits.bytes)
    }

    /// How many states there are.
    #[must_use]
    pub fn states(&self) -> usize {
        self.keys.len()
    }

    /// How many states the model has: more than [`Space::states`] if some stand for two.
    #[must_use]
    pub fn states_of_model(&self) -> usize {
        let Some(halves) = &self.halves else { return self.states() };
        let stands_for_two = |state: &usize| {
            let key = self.keys.get(*state);
            self.program.exchanged(key, halves) != key
        };
        self.states() + (0..self.states()).filter(stands_for_two).count()
    }

    /// Whether a condition tells halves apart of which this space keeps one: it cannot be asked for here.
    #[must_use]
    pub fn tells_apart(&self, condition: &Expression) -> bool {
        self.halves.as_ref().is_some_and(|halves| !halves.is_even(condition))
    }

    /// The space with all states of the model, within the limits of this one, and for each of them the state here that stands for
    /// it; nothing if they are all here.
    ///
    /// # Errors
    /// As [`Space::explore`].
    pub fn whole(&self) -> Result<Option<(Self, Vec<usize>)>, Error> {
        if self.halves.is_none() {
            return Ok(None);
        }
        let whole = Self::explore(&self.rules, &self.parameters, self.limits)?;
        let places = self.places();
        let place = |state: usize| self.place_of(&places, whole.keys.get(state));
        let stands = (0..whole.states()).map(place).collect::<Result<_, _>>()?;
        Ok(Some((whole, stands)))
    }

    /// Which states are side by side by the values of their variables; none if their keys are too long.
    #[must_use]
    pub(crate) fn hierarchy(&self) -> Option<Hierarchy> {
        u64::try_from(self.program.keys).ok()?;
        let ranges: Vec<u64> =
            self.program.variables.iter().map(|variable| (variable.high - variable.low + 1) as u64).collect();
        // Where a state stands for two, the wide variables decide which of them it is, so that states side by side remain so.
        let mut order: Vec<usize> = (0..ranges.len()).collect();
        order.sort_by_key(|&variable| std::cmp::Reverse(ranges[variable]));
        let (mut here, mut there) = (vec![0.0; ranges.len()], vec![0.0; ranges.len()]);
        let key = |state: usize| {
            let key = self.keys.get(state);
            let Some(halves) = &self.halves else { return key as u64 };
            let other = self.program.exchanged(key, halves);
            self.program.decode(key, &mut here);
            self.program.decode(other, &mut there);
            let place = order.iter().find(|&&variable| here[variable] != there[variable]);
            place.map_or(key, |&variable| if here[variable] < there[variable] { key } else { other }) as u64
        };
        Some(Hierarchy::of_values((0..self.states()).map(key), &ranges))
    }

    /// The arcs between different states; those between the same two are one.
    #[must_use]
    pub const fn arcs(&self) -> &Sparse {
        &self.arcs
    }

    /// How many states have an arc back to themselves, or to a state for which they stand.
    #[must_use]
    pub const fn self_loops(&self) -> usize {
        self.loops
    }

    /// A state as people read it: `left=4, crew=idle`.
    #[must_use]
    pub fn describe(&self, state: usize) -> String {
        self.program.describe(self.keys.get(state))
    }

    /// The states with a label.
    ///
    /// # Errors
    /// If the model has no such label.
    pub fn label(&self, name: &str) -> Result<States, Error> {
        let found = self.rules.labels.iter().find(|(label, _)| label == name);
        let (_, states) =
            found.ok_or_else(|| missing("label", name, self.rules.labels.iter().map(|(name, _)| name)))?;
        Ok(self.holding(states))
    }

    /// The states in which a condition over the variables holds.
    #[must_use]
    pub fn holding(&self, condition: &Expression) -> States {
        let code = Code::new(condition);
        let mut machine = Machine::new(self.program.variables.len(), &self.parameters);
        let holds = (0..self.states()).map(|state| {
            self.program.decode(self.keys.get(state), &mut machine.variables);
            machine.holds(&code)
        });
        States::new(holds.collect())
    }

    /// What each state earns for each unit of time, the transitions out of it counted with their rates, for these values of
    /// the parameters (those of [`Space::explore`], which may carry bounds).
    ///
    /// # Errors
    /// If the model has no such reward, or the parameters make a rate or an earning that is none.
    pub fn reward_rates<T: Scalar>(&self, name: &str, parameters: &[T]) -> Result<Vec<T>, Error> {
        let earnings = self.earnings(name)?;
        let mut machine = Machine::new(self.program.variables.len(), parameters);
        let mut rates = Vec::with_capacity(self.states());
        for state in 0..self.states() {
            let key = self.keys.get(state);
            self.program.decode(key, &mut machine.variables);
            let (mut sum, per_action) = earned(&earnings, &mut machine);
            if !per_action.is_empty() {
                self.program.moves(key, &mut machine, &mut |step: Move<T>| {
                    sum += step.rate * of_action(&per_action, step.action);
                    Ok(())
                })?;
            }
            rates.push(self.number(name, key, sum)?);
        }
        Ok(rates)
    }

    /// What is earned in a state.
    ///
    /// # Errors
    /// If it is no number.
    fn number<T: Scalar>(&self, reward: &str, key: u128, earned: T) -> Result<T, Error> {
        if !earned.value().is_nan() {
            return Ok(earned);
        }
        Err(Error::new(
            format!("the reward '{reward}' is no number in state {}", self.program.describe(key)),
            format!("nothing is divided by 0; servers are counted, 0 to {MOST_COUNTED}, and a load is 0 or more"),
        ))
    }

    /// The parameters that the space was explored with.
    #[must_use]
    pub fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    /// A bound of the relative error of each rate in [`Self::arcs`], as the rates of the rules with exactly these parameters
    /// have them; infinite if a rate has no sure digit. Where the rules alone do not tell (they subtract, say), all states are
    /// gone through once more. Decisions in rules are taken as they are computed.
    ///
    /// # Errors
    /// If the parameters make a rate that is none.
    pub fn rate_error(&self, parameters: &[Bounded]) -> Result<f64, Error> {
        let known = precision::rates(&self.rules, parameters);
        if known.is_finite() {
            return Ok(known);
        }
        let mut machine = Machine::new(self.program.variables.len(), parameters);
        let mut worst = 0.0_f64;
        for state in 0..self.states() {
            let key = self.keys.get(state);
            self.program.decode(key, &mut machine.variables);
            self.program.moves(key, &mut machine, &mut |step: Move<Bounded>| {
                let Bounded { value, error } = step.rate;
                // `max` would pass over what is no number.
                worst = worst.max(if error.is_nan() { f64::INFINITY } else { error / value });
                Ok(())
            })?;
        }
        Ok(worst + precision::summing(&self.rules))
    }

    /// The states by their keys.
    fn places(&self) -> Vec<(u128, usize)> {
        let mut places: Vec<_> = (0..self.states()).map(|state| (self.keys.get(state), state)).collect();
        places.sort_unstable();
        places
    }

    /// The state that stands for this key.
    fn place_of(&self, places: &[(u128, usize)], key: u128) -> Result<usize, Error> {
        let first = first_of_two(&self.program, self.halves.as_ref(), key);
        let found = places.binary_search_by_key(&first, |&(key, _)| key).map_err(|_| {
            let state = self.program.describe(key);
            Error::new(
                format!("these parameters lead to state {state}, which was not explored"),
                "explore the model with these parameters",
            )
        })?;
        Ok(places[found].1)
    }

    fn earnings(&self, name: &str) -> Result<Vec<Earning>, Error> {
        let found = self.rules.rewards.iter().find(|(reward, _)| reward == name);
        let (_, clauses) =
            found.ok_or_else(|| missing("reward", name, self.rules.rewards.iter().map(|(name, _)| name)))?;
        Ok(clauses.iter().filter_map(|clause| Earning::new(clause, &self.program.actions)).collect())
    }

    /// The same states as a [`Chain`] with names, labels and rewards, its rates and rewards evaluated for `parameters`,
    /// which may carry derivatives. Arcs are kept apart as rules make them, also those back to the same state, so that two
    /// evaluations of the same space have the same arcs in the same order.
    ///
    /// # Errors
    /// If the parameters make a rate or a reward that is none, or lead to a state that [`Space::explore`] did not see.
    pub fn chain<T: Scalar>(&self, parameters: &[T]) -> Result<Chain<T>, Error> {
        let mut chain = Chain::new();
        let mut machine = Machine::new(self.program.variables.len(), parameters);
        let places = self.places();
        (0..self.states()).for_each(|state| _ = chain.add_state(self.describe(state)));
        let named = &self.rules.rewards;
        let rewards: Vec<_> = named.iter().map(|(name, _)| self.earnings(name)).collect::<Result<_, _>>()?;
        let mut by_name = vec![Rewards { states: Vec::new(), arcs: Vec::new() }; rewards.len()];
        for state in 0..self.states() {
            let key = self.keys.get(state);
            self.program.decode(key, &mut machine.variables);
            let earned: Vec<_> = rewards.iter().map(|earnings| earned(earnings, &mut machine)).collect();
            self.program.moves(key, &mut machine, &mut |step: Move<T>| {
                chain.add_arc(state, self.place_of(&places, step.to)?, step.rate)?;
                for (((name, _), rewards), (_, per_action)) in named.iter().zip(&mut by_name).zip(&earned) {
                    rewards.arcs.push(self.number(name, key, of_action(per_action, step.action))?);
                }
                Ok(())
            })?;
            for (((name, _), rewards), (sum, _)) in named.iter().zip(&mut by_name).zip(earned) {
                rewards.states.push(self.number(name, key, sum)?);
            }
        }
        for ((name, _), rewards) in named.iter().zip(by_name) {
            chain.set_rewards(name, rewards);
        }
        for (name, _) in &self.rules.labels {
            chain.set_label(name, self.label(name)?);
        }
        Ok(chain)
    }
}

/// The smaller key of the two that an exchange of halves makes of one.
fn first_of_two(program: &Program, halves: Option<&Halves>, key: u128) -> u128 {
    halves.map_or(key, |halves| key.min(program.exchanged(key, halves)))
}

/// What the state that the machine holds earns for each unit of time, and its transitions each time, by action.
fn earned<T: Scalar>(earnings: &[Earning], machine: &mut Machine<'_, T>) -> (T, Vec<(Option<usize>, T)>) {
    let (mut sum, mut per_action) = (T::ZERO, Vec::new());
    for earning in earnings {
        if machine.holds(&earning.guard) {
            let value = machine.run(&earning.value);
            match earning.action {
                None => sum += value,
                Some(action) => per_action.push((action, value)),
            }
        }
    }
    (sum, per_action)
}

fn of_action<T: Scalar>(per_action: &[(Option<usize>, T)], action: Option<usize>) -> T {
    let mut sum = T::ZERO;
    per_action.iter().filter(|(of, _)| *of == action).for_each(|&(_, value)| sum += value);
    sum
}

fn missing<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a String>) -> Error {
    let known: Vec<_> = known.map(String::as_str).collect();
    Error::new(format!("the model has no {kind} '{name}'"), format!("it has: {}", known.join(", ")))
}
