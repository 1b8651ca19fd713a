//! The expressions of a whole hierarchy as one list of nodes, each behind those that it needs.

use crate::capacity::{refused_share, roundings, waiting_share};
use crate::model::large::LongRuns;
use crate::model::nested::Nested;
use crate::model::solve::{SMALLEST, Solve, absolute};
use crate::text::exact::{Exact, ROUNDING};
use crate::{Certain, Error, Scalar};

/// The index of a node.
pub(crate) type Id = usize;

/// A number that another is computed from.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// A number, and the bound of its absolute error.
    Constant(Exact, f64),
    /// The parameter of this index.
    Parameter(usize),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    /// The second one where the first is not 0, else the third.
    Choose(Id, Id, Id),
    /// A measure of a model, given its rates, probabilities and rewards.
    Solve(Solve, Vec<Id>),
}

impl Node {
    /// The nodes that it is computed from.
    pub(crate) fn needs(&self) -> impl Iterator<Item = Id> + '_ {
        let (few, many): ([Option<Id>; 3], &[Id]) = match self {
            Self::Constant(..) | Self::Parameter(_) => ([None; 3], &[]),
            Self::Unary(_, x) => ([Some(*x), None, None], &[]),
            Self::Binary(_, a, b) => ([Some(*a), Some(*b), None], &[]),
            Self::Choose(a, b, c) => ([Some(*a), Some(*b), Some(*c)], &[]),
            Self::Solve(_, inputs) => ([None; 3], inputs),
        };
        few.into_iter().flatten().chain(many.iter().copied())
    }

    /// The same, its nodes having moved to these places.
    pub(crate) fn moved(&self, place: &[Id]) -> Self {
        match self {
            Self::Constant(..) | Self::Parameter(_) => self.clone(),
            Self::Unary(function, x) => Self::Unary(*function, place[*x]),
            Self::Binary(function, a, b) => Self::Binary(*function, place[*a], place[*b]),
            Self::Choose(a, b, c) => Self::Choose(place[*a], place[*b], place[*c]),
            Self::Solve(solve, inputs) => {
                Self::Solve(solve.clone(), inputs.iter().map(|&input| place[input]).collect())
            }
        }
    }
}

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Negate,
    Sqrt,
    Exp,
    ExpM1,
    Ln,
    Floor,
    /// The share of calls that so many servers refuse at this load (Erlang B).
    Refused(u32),
    /// The share of callers who wait for one of so many servers at this load (Erlang C).
    Waiting(u32),
}

/// Functions of two numbers; comparisons give 1 or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Min,
    Max,
    Equal,
    Less,
}

/// A [`Scalar`] whose number can be replaced by a more exact one, its derivative kept.
pub(crate) trait Carrier: Scalar {
    /// The same derivative, with this number.
    fn with_value(self, value: Exact) -> Self;

    /// The number, as exactly as there is.
    fn exact(self) -> Exact;
}

impl Carrier for f64 {
    fn with_value(self, value: Exact) -> Self {
        value.rounded()
    }
    fn exact(self) -> Exact {
        Exact::from(self)
    }
}

impl Carrier for Exact {
    fn with_value(self, value: Exact) -> Self {
        value
    }
    fn exact(self) -> Exact {
        self
    }
}

impl Carrier for Nested<Exact> {
    fn with_value(self, value: Exact) -> Self {
        Self { value, ..self }
    }
    fn exact(self) -> Exact {
        self.value
    }
}

impl Unary {
    /// The function, with the bound of its own relative error.
    pub(crate) fn exact(self, x: Exact) -> (Exact, f64) {
        // The elementary functions of the platform are right to about one unit in the last place.
        let plain = |value: f64| (Exact::from(value), 4.0 * f64::EPSILON);
        match self {
            Self::Negate => (-x, 0.0),
            Self::Sqrt => (x.sqrt(), 8.0 * ROUNDING),
            Self::Floor => (x.floor(), 0.0),
            // e^(high + low) = e^high (1 + low), to 2^-106.
            Self::Exp => plain(x.high.exp()),
            Self::ExpM1 => plain(x.high.exp_m1()),
            Self::Ln => plain(x.high.ln()),
            Self::Refused(servers) => (refused_share(servers, x), roundings(servers) * ROUNDING),
            Self::Waiting(servers) => (waiting_share(servers, x), roundings(servers) * ROUNDING),
        }
    }

    /// The bound of the absolute error of the function, given that of the number.
    pub(crate) fn error(self, x: Exact, wrong: f64) -> f64 {
        let (exact, own) = self.exact(x);
        // What an elementary function, which takes binary64, does not see of its argument.
        let unseen = if own >= f64::EPSILON { x.low.abs() } else { 0.0 };
        let slope = self.apply(x.rounded(), exact).1;
        let lost = if self == Self::Exp { underflow(exact) } else { 0.0 };
        exact.rounded().abs() * own + lost + spread(slope, wrong + unseen)
    }

    /// The function of a scalar, and its derivative, given its exact value.
    fn apply<T: Carrier>(self, x: T, value: Exact) -> (T, T) {
        let moving = Nested { value: x, slope: T::ONE };
        let result = match self {
            Self::Negate => -x,
            Self::Sqrt => x.sqrt(),
            Self::Exp => x.exp(),
            Self::ExpM1 => x.exp_m1(),
            Self::Ln => x.ln(),
            Self::Floor => T::ZERO,
            Self::Refused(servers) => refused_share(servers, x),
            Self::Waiting(servers) => waiting_share(servers, x),
        };
        let result = result.with_value(value);
        let derivative = match self {
            Self::Negate => -T::ONE,
            Self::Sqrt => T::from(0.5) / result,
            Self::Exp => result,
            Self::ExpM1 => result + T::ONE,
            Self::Ln => T::ONE / x,
            Self::Floor => T::ZERO,
            Self::Refused(servers) => refused_share(servers, moving).slope,
            Self::Waiting(servers) => waiting_share(servers, moving).slope,
        };
        (result, derivative)
    }
}

impl Binary {
    pub(crate) fn exact(self, a: Exact, b: Exact) -> (Exact, f64) {
        let flag = |is: bool| (if is { Exact::ONE } else { Exact::ZERO }, 0.0);
        match self {
            Self::Add => (a + b, ROUNDING),
            Self::Subtract => (a - b, ROUNDING),
            Self::Multiply => (a * b, ROUNDING),
            Self::Divide => (a / b, 4.0 * ROUNDING),
            Self::Power => power(a, b),
            Self::Min => (if b < a { b } else { a }, 0.0),
            Self::Max => (if b > a { b } else { a }, 0.0),
            Self::Equal => flag(a == b),
            Self::Less => flag(a < b),
        }
    }

    /// The bound of the absolute error of the function, given the numbers and theirs.
    pub(crate) fn error(self, a: (Exact, f64), b: (Exact, f64)) -> f64 {
        let (exact, own) = self.exact(a.0, b.0);
        let [left, right] = self.slopes(a.0.rounded(), b.0.rounded(), exact.rounded());
        let multiplies = matches!(self, Self::Multiply | Self::Divide | Self::Power);
        let lost = if multiplies && a.0 != Exact::ZERO && b.0 != Exact::ZERO { underflow(exact) } else { 0.0 };
        exact.rounded().abs() * own + lost + spread(left, a.1) + spread(right, b.1)
    }

    /// The function of two scalars, given its exact value.
    fn apply<T: Carrier>(self, a: T, b: T, value: Exact) -> T {
        let result = match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
            Self::Power => a.pow(b),
            Self::Min => {
                if b.value() < a.value() {
                    b
                } else {
                    a
                }
            }
            Self::Max => {
                if b.value() > a.value() {
                    b
                } else {
                    a
                }
            }
            Self::Equal | Self::Less => T::ZERO,
        };
        result.with_value(value)
    }

    /// The derivatives by both sides, given the result.
    fn slopes<T: Carrier>(self, a: T, b: T, result: T) -> [T; 2] {
        match self {
            Self::Add => [T::ONE, T::ONE],
            Self::Subtract => [T::ONE, -T::ONE],
            Self::Multiply => [b, a],
            Self::Divide => [T::ONE / b, -(result / b)],
            Self::Power => {
                let by_base = if b == T::ZERO { T::ZERO } else { b * a.pow(b - T::ONE) };
                [by_base, if a.value() > 0.0 { result * a.ln() } else { T::ZERO }]
            }
            Self::Min if b.value() < a.value() => [T::ZERO, T::ONE],
            Self::Max if b.value() > a.value() => [T::ZERO, T::ONE],
            Self::Min | Self::Max => [T::ONE, T::ZERO],
            Self::Equal | Self::Less => [T::ZERO, T::ZERO],
        }
    }
}

/// A power, by multiplication if the exponent is a small whole number.
fn power(a: Exact, b: Exact) -> (Exact, f64) {
    match b.whole() {
        Some(whole) if whole.unsigned_abs() <= 1024 => {
            let count = whole.unsigned_abs() as u32;
            let value = a.whole_power(count);
            let value = if whole < 0 { Exact::ONE / value } else { value };
            (value, f64::from(count + 4) * ROUNDING)
        }
        _ => (Exact::from(a.high.powf(b.high)), 4.0 * f64::EPSILON),
    }
}

/// Which nodes are needed for some of them, themselves included.
pub(super) fn needed(nodes: &[Node], roots: &[Id]) -> Vec<bool> {
    let mut needed = vec![false; nodes.len()];
    roots.iter().for_each(|&root| needed[root] = true);
    for id in (0..nodes.len()).rev() {
        if needed[id] {
            nodes[id].needs().for_each(|need| needed[need] = true);
        }
    }
    needed
}

/// What the nodes are worth: in twice the precision of binary64 where it can be had, and as scalars.
pub(crate) struct Values<T> {
    pub(crate) exact: Vec<Exact>,
    pub(crate) carried: Vec<T>,
}

impl<T: Carrier> Values<T> {
    /// Computes all nodes; `parameters` are the exact values, `seeds` the scalars that stand for them.
    ///
    /// # Errors
    /// Those of the models that are solved.
    pub(crate) fn new(nodes: &[Node], parameters: &[Exact], seeds: &[T]) -> Result<Self, Error> {
        Self::with(nodes, parameters, seeds, |_, solve, inputs| solve.value(inputs))
    }

    /// The same, the value of a model being what `value` says of its node.
    pub(super) fn with(
        nodes: &[Node],
        parameters: &[Exact],
        seeds: &[T],
        value: impl Fn(Id, &Solve, &[T]) -> Result<T, Error>,
    ) -> Result<Self, Error> {
        let mut values = Self { exact: Vec::with_capacity(nodes.len()), carried: Vec::with_capacity(nodes.len()) };
        let mut inputs = Vec::new();
        for (id, node) in nodes.iter().enumerate() {
            let (exact, carried) = match node {
                Node::Parameter(index) => (parameters[*index], seeds[*index]),
                Node::Solve(solve, needs) => {
                    inputs.clear();
                    inputs.extend(needs.iter().map(|&need| values.carried[need]));
                    let carried = value(id, solve, &inputs)?;
                    (carried.exact(), carried)
                }
                _ => values.arithmetic(node),
            };
            values.exact.push(exact);
            values.carried.push(carried);
        }
        Ok(values)
    }

    /// A node that neither is a parameter nor solves a model.
    fn arithmetic(&self, node: &Node) -> (Exact, T) {
        match node {
            Node::Unary(function, x) => {
                let exact = function.exact(self.exact[*x]).0;
                (exact, function.apply(self.carried[*x], exact).0)
            }
            Node::Binary(function, a, b) => {
                let exact = function.exact(self.exact[*a], self.exact[*b]).0;
                (exact, function.apply(self.carried[*a], self.carried[*b], exact))
            }
            Node::Choose(condition, yes, no) => {
                let chosen = self.chosen(*condition, *yes, *no);
                (self.exact[chosen], self.carried[chosen])
            }
            Node::Constant(value, _) => (*value, T::ZERO.with_value(*value)),
            Node::Parameter(_) | Node::Solve(..) => (Exact::ZERO, T::ZERO),
        }
    }

    fn chosen(&self, condition: Id, yes: Id, no: Id) -> Id {
        if self.exact[condition] == Exact::ZERO { no } else { yes }
    }
}

/// The derivatives of one node by all nodes before it, backwards through the list (Griewank and Walther 2008, chapter 3).
///
/// # Errors
/// Those of the models that are solved.
pub(crate) fn backward<T: Carrier>(nodes: &[Node], values: &Values<T>, of: Id) -> Result<Vec<T>, Error> {
    backward_with(nodes, values, of, |_, solve, inputs| solve.gradient(inputs))
}

/// The same, the derivatives of a model by its inputs being what `gradient` says of its node.
pub(super) fn backward_with<T: Carrier>(
    nodes: &[Node],
    values: &Values<T>,
    of: Id,
    gradient: impl Fn(Id, &Solve, &[T]) -> Result<Vec<T>, Error>,
) -> Result<Vec<T>, Error> {
    let mut adjoint = vec![T::ZERO; nodes.len()];
    adjoint[of] = T::ONE;
    for id in (0..=of).rev() {
        let by = adjoint[id];
        // A branch that was not taken may have no derivative at all, so that 0 times it must not be formed.
        if by == T::ZERO {
            continue;
        }
        let carried = &values.carried;
        match &nodes[id] {
            Node::Constant(..) | Node::Parameter(_) => {}
            Node::Unary(function, x) => {
                let (_, slope) = function.apply(carried[*x], values.exact[id]);
                adjoint[*x] += by * slope;
            }
            Node::Binary(function, a, b) => {
                let [left, right] = function.slopes(carried[*a], carried[*b], carried[id]);
                adjoint[*a] += by * left;
                adjoint[*b] += by * right;
            }
            Node::Choose(condition, yes, no) => {
                adjoint[values.chosen(*condition, *yes, *no)] += by;
            }
            Node::Solve(solve, needs) => {
                let inputs: Vec<T> = needs.iter().map(|&need| carried[need]).collect();
                for (&need, slope) in needs.iter().zip(gradient(id, solve, &inputs)?) {
                    adjoint[need] += by * slope;
                }
            }
        }
    }
    Ok(adjoint)
}

/// All nodes, with a bound of the absolute error of each (the parameters come with theirs): what its operation adds, and what that makes of the errors of its
/// inputs.
///
/// # Errors
/// Those of the models that are solved.
pub(crate) fn certain(nodes: &[Node], parameters: &[(Exact, f64)]) -> Result<Vec<Certain>, Error> {
    certain_or_node(nodes, parameters).map_err(|(_, error)| error)
}

/// The same; an error comes with the node that it is of.
pub(super) fn certain_or_node(nodes: &[Node], parameters: &[(Exact, f64)]) -> Result<Vec<Certain>, (Id, Error)> {
    let mut values = Values { exact: Vec::with_capacity(nodes.len()), carried: Vec::with_capacity(nodes.len()) };
    let mut errors: Vec<f64> = Vec::with_capacity(nodes.len());
    let mut long_runs = LongRuns::default();
    for (id, node) in nodes.iter().enumerate() {
        let (exact, error) = match node {
            Node::Parameter(index) => parameters[*index],
            Node::Solve(solve, needs) => {
                let inputs: Vec<Exact> = needs.iter().map(|&need| values.exact[need]).collect();
                let wrong: Vec<f64> = needs.iter().map(|&need| errors[need]).collect();
                match long_runs.answer(solve, &inputs, &wrong).map_err(|error| (id, error))? {
                    Some(found) => (Exact::from(found.value), absolute(found)),
                    None => solve.certain(&inputs, &wrong).map_err(|error| (id, error))?,
                }
            }
            _ => (values.arithmetic(node).0, values.error(node, &errors)),
        };
        values.carried.push(exact.rounded());
        values.exact.push(exact);
        errors.push(error);
    }
    let rounded = |(exact, error): (&Exact, &f64)| {
        let (value, wrong) = (exact.rounded(), error + exact.low.abs());
        Certain { value, relative_error: if wrong == 0.0 { 0.0 } else { wrong / value.abs() } }
    };
    Ok(values.exact.iter().zip(&errors).map(rounded).collect())
}

impl Values<f64> {
    /// The bound of the absolute error of an arithmetic node, all before it being there.
    fn error(&self, node: &Node, errors: &[f64]) -> f64 {
        match node {
            Node::Constant(_, error) => *error,
            Node::Unary(function, x) => function.error(self.exact[*x], errors[*x]),
            Node::Binary(function, a, b) => function.error((self.exact[*a], errors[*a]), (self.exact[*b], errors[*b])),
            Node::Choose(condition, yes, no) => errors[self.chosen(*condition, *yes, *no)],
            Node::Parameter(_) | Node::Solve(..) => 0.0,
        }
    }
}

/// What an operation on numbers that are not 0 can have lost to underflow.
fn underflow(result: Exact) -> f64 {
    if result.rounded().abs() < SMALLEST { SMALLEST } else { 0.0 }
}

/// What an operation of this slope makes of an error, with a thousandth for what the slope changes within the error.
fn spread(slope: f64, error: f64) -> f64 {
    let spread = if error == 0.0 { 0.0 } else { slope.abs() * error * 1.001 };
    if spread.is_nan() || error.is_infinite() { f64::INFINITY } else { spread }
}
