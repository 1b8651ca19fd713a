//! What a model text says, before names and units are looked up.

use crate::text::exact::Exact;
use crate::text::source::{Name, Span};
use crate::text::unit::Unit;

/// The statements of a text, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) definitions: Vec<Definition>,
    pub(crate) models: Vec<Model>,
    pub(crate) measures: Vec<Measure>,
    /// `designed NAME, NAME`: models of what is not built yet.
    pub(crate) designed: Vec<Name>,
}

/// `parameter NAME = VALUE between LOW and HIGH ~ DISTRIBUTION from KIND "SOURCE"`.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Name,
    /// Missing only in the PRISM language, where the command line has to give it.
    pub(crate) value: Option<Expr>,
    pub(crate) between: Option<(Expr, Expr)>,
    pub(crate) distribution: Option<Distribution>,
    pub(crate) origin: Option<(OriginKind, String)>,
}

/// `gamma(shape = 10)`.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    pub(crate) family: Name,
    pub(crate) arguments: Vec<(Name, Expr)>,
}

/// Where a parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// From data that somebody has; the text names the file.
    Measured,
    /// From a publication, which the text names.
    Published,
    /// Nobody knows; the text may say why it is plausible.
    Assumed,
}

/// `let NAME = VALUE`.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: Name,
    pub(crate) value: Expr,
}

/// `measure NAME = VALUE in UNIT`.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) value: Expr,
    pub(crate) unit: Option<(Unit, String)>,
}

/// A model with a name.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) name: Name,
    pub(crate) body: Body,
}

/// What kinds of models there are.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Chain(Vec<Item<ChainItem>>),
    Rules(Rules),
    Structure { works: bool, items: Vec<Item<StructureItem>> },
    Graph { from: Reference, to: Reference, edges: Vec<Item<Edge>> },
}

/// An item, or items for each value of an index.
#[derive(Clone, Debug)]
pub(crate) enum Item<T> {
    One(T),
    For { index: Name, from: Expr, to: Expr, body: Vec<Item<T>> },
}

/// A line of a chain.
#[derive(Clone, Debug)]
pub(crate) enum ChainItem {
    Up(Vec<Reference>),
    Down(Vec<Reference>),
    Start(Reference),
    Label(Name, Vec<Reference>),
    Arc { from: Reference, to: Reference, rate: Expr },
    Reward(Name, Vec<(Reference, Option<Reference>, Expr)>),
}

/// Guarded rules over bounded variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) modules: Vec<Module>,
    /// Named conditions and expressions over the variables.
    pub(crate) formulas: Vec<(Name, Expr)>,
    /// Conditions that can be asked for.
    pub(crate) labels: Vec<(Name, Expr)>,
    pub(crate) up: Option<Expr>,
    pub(crate) down: Option<Expr>,
    pub(crate) rewards: Vec<RuleReward>,
}

/// Variables, and the rules that change them.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    pub(crate) name: Option<Name>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) commands: Vec<Command>,
}

/// A variable of a module.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: Name,
    pub(crate) kind: VariableKind,
    pub(crate) start: Option<Expr>,
}

/// The values of a variable.
#[derive(Clone, Debug)]
pub(crate) enum VariableKind {
    Range(Expr, Expr),
    Bool,
    Words(Vec<Name>),
}

/// `[ACTION] when GUARD then EFFECTS at RATE`.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) action: Option<Name>,
    pub(crate) guard: Expr,
    /// One in a model text; in the PRISM language `rate: effects` may be repeated.
    pub(crate) alternatives: Vec<(Expr, Vec<(Name, Expr)>)>,
    pub(crate) span: Span,
}

/// What is earned in states and by rules.
#[derive(Clone, Debug)]
pub(crate) struct RuleReward {
    pub(crate) name: Name,
    pub(crate) states: Vec<(Option<Expr>, Expr)>,
    /// Action (`None`: the rules without one), condition, amount.
    pub(crate) actions: Vec<(Option<Name>, Option<Expr>, Expr)>,
}

/// A line of a fault tree or a block diagram.
#[derive(Clone, Debug)]
pub(crate) enum StructureItem {
    Event(Reference, Law),
    Gate(Reference, Expr),
}

/// How something fails.
#[derive(Clone, Debug)]
pub(crate) enum Law {
    /// As another model does, as a copy of its own.
    Model(Name),
    Probability(Expr),
    Rates {
        fails: Expr,
        repaired: Option<Expr>,
    },
    Known {
        unavailability: Expr,
        frequency: Expr,
    },
}

/// A connection of a reliability graph.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: Reference,
    pub(crate) to: Reference,
    pub(crate) both_ways: bool,
    pub(crate) law: Law,
}

/// A name that may have indexes: `server[c,1]`; `None` is `*`, all of them.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) name: Name,
    pub(crate) indexes: Vec<Option<Expr>>,
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
}

/// Its kinds.
#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Number(Exact),
    Bool(bool),
    Unit(Unit),
    Reference(Reference),
    Negate(Box<Expr>),
    Not(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Call(Name, Vec<Expr>),
    Count(Least, Vec<Expr>),
    Ask(Box<Ask>),
    /// A connection of a network; the sign says whether it leads both ways.
    Edge(Box<(Reference, &'static str, Reference)>),
}

/// How many of several inputs.
#[derive(Clone, Debug)]
pub(crate) enum Least {
    Count(Box<Expr>),
    All,
    Any,
}

/// Operators with two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Plus,
    Minus,
    Times,
    Divide,
    Power,
}

/// A measure of a model, `probability of STATES in MODEL at TIME`.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The words of the measure, one space between them.
    pub(crate) phrase: Name,
    /// The states, the event or the reward that it is about.
    pub(crate) target: Option<Expr>,
    pub(crate) model: Name,
    /// `at`, `over`, `within`, `until`, `before`, `above`, `with holding`, in the order of the text.
    pub(crate) clauses: Vec<(Name, Expr)>,
}
