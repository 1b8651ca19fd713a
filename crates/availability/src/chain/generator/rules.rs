//! Rules over bounded variables: what a large chain is written as.

use crate::Place;

/// An expression over the variables and parameters of [`Rules`].
///
/// All values are numbers: truth is 1 and falsehood 0, and whatever is not 0 is true; the values of an enumeration are its
/// words' places from 0. Whoever reads a language checks its types before; here nothing is left to check but ranges.
/// A front end builds this tree, and [`super::Space::explore`] compiles it to code for a small stack machine.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A constant.
    Number(f64),
    /// The variable of this index in [`Rules::variables`]: its value before the transition.
    Variable(usize),
    /// The parameter of this index; its value comes with each evaluation, and may carry a derivative.
    Parameter(usize),
    /// An operation on one value.
    Unary(Unary, Box<Self>),
    /// An operation on two values.
    Binary(Binary, Box<Self>, Box<Self>),
    /// The second if the first is true, else the third; only the chosen one is evaluated.
    If(Box<Self>, Box<Self>, Box<Self>),
}

/// Operations on one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// 1 for 0, and 0 for all else.
    Not,
    /// Minus the value.
    Negate,
    /// The largest whole number not above it.
    Floor,
    /// The smallest whole number not below it.
    Ceiling,
    /// The square root.
    Root,
    /// e to this power.
    Exponential,
    /// The natural logarithm.
    Logarithm,
}

/// Operations on two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// Sum.
    Add,
    /// Difference.
    Subtract,
    /// Product.
    Multiply,
    /// Quotient, of real numbers.
    Divide,
    /// Remainder with the sign of the divisor.
    Modulo,
    /// First to the power of the second.
    Power,
    /// The share of calls that so many servers (the first) refuse at this load (the second):
    /// [`erlang_b`](crate::capacity::erlang_b); no number if they cannot be counted.
    Refused,
    /// The share of callers who wait for one of so many servers at this load:
    /// [`ErlangC`](crate::capacity::ErlangC); 1 if the load is no less than the servers.
    Waiting,
    /// The smaller one.
    Least,
    /// The larger one.
    Greatest,
    /// Both; the second is evaluated only if the first is true.
    And,
    /// At least one; the second is evaluated only if the first is false.
    Or,
    /// Equal.
    Equal,
    /// Not equal.
    Different,
    /// First less than second.
    Less,
    /// First less than or equal to second.
    AtMost,
}

impl Expression {
    /// An operation on one value.
    #[must_use]
    pub fn unary(operation: Unary, of: Self) -> Self {
        Self::Unary(operation, Box::new(of))
    }

    /// An operation on two values.
    #[must_use]
    pub fn binary(operation: Binary, first: Self, second: Self) -> Self {
        Self::Binary(operation, Box::new(first), Box::new(second))
    }

    /// A choice.
    #[must_use]
    pub fn choose(condition: Self, then: Self, otherwise: Self) -> Self {
        Self::If(Box::new(condition), Box::new(then), Box::new(otherwise))
    }
}

/// A variable with whole values from `low` to `high`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name, for messages and for the names of states.
    pub name: String,
    /// The smallest value.
    pub low: i64,
    /// The largest value.
    pub high: i64,
    /// The value in the beginning.
    pub initial: i64,
    /// The names of its values from `low` on, for an enumeration or a truth value; empty for a number.
    pub words: Vec<String>,
}

/// What a rule does at a rate: assignments that all use the values from before.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The rate per unit of time. Of rules that happen together the rates are multiplied.
    pub rate: Expression,
    /// Pairs of variable and new value.
    pub effects: Vec<(usize, Expression)>,
}

/// A rule: while its guard is true, each of its outcomes happens at its rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What messages call it: its line, or its text.
    pub name: String,
    /// Where it stands, if it comes from a text and its name says the line: errors carry it.
    pub place: Option<Place>,
    /// Rules of the same action in different modules happen together: one of each module that has the action; if a module
    /// has none that is enabled, the action does not happen.
    pub action: Option<String>,
    /// When it is enabled.
    pub guard: Expression,
    /// What happens.
    pub outcomes: Vec<Outcome>,
}

/// A module: a part of the system with its own rules, which see the variables of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    /// Its name, for messages.
    pub name: String,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// One clause of a reward.
#[derive(Clone, Debug, PartialEq)]
pub enum Clause {
    /// States in which the guard is true earn this for each unit of time.
    State {
        /// Which states.
        guard: Expression,
        /// How much.
        value: Expression,
    },
    /// Transitions of this action out of states in which the guard is true earn this each time.
    Transition {
        /// The action; none for the transitions that have none.
        action: Option<String>,
        /// Which states.
        guard: Expression,
        /// How much.
        value: Expression,
    },
}

/// A model: variables, modules of rules, and what is asked about its states.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// The variables; a state is a value for each.
    pub variables: Vec<Variable>,
    /// The names of the parameters, whose values come beside.
    pub parameters: Vec<String>,
    /// The modules.
    pub modules: Vec<Module>,
    /// Labels: name, and the states for which it is true.
    pub labels: Vec<(String, Expression)>,
    /// Rewards: name and clauses, whose sum counts.
    pub rewards: Vec<(String, Vec<Clause>)>,
}
