//! A subset of the PRISM language: continuous-time chains as modules of guarded commands, and properties about them.
//!
//! Read are: the model types `ctmc` and `stochastic`; `const` (`int`, `double`, `bool`, with or without a value), `formula`,
//! `label`, `module` with bounded integers and `bool` and commands with rates, actions that synchronise modules, renaming of
//! modules, `rewards` of states and actions; and the properties `S=?`, `P=?` with `F`, `U` and their time bounds `<=t`,
//! `R=?` with `S`, `C<=t`, `I=t` and `F`. Everything else is refused with its place. The unit of time is that of the
//! model, whatever it is: rates are plain numbers here, and so are times.
//!
//! Without a property, asked are the probability of each label in the long run, of a label `down` (or the opposite of `up`) also
//! how often it is entered and the mean time to it, and of each reward its rate, as of [`super::explicit`] chains.
//!
//! The language is described in the manual of PRISM (Kwiatkowska, Norman, Parker, CAV 2011).

mod expression;
mod properties;
mod renaming;
mod write;

pub use write::write;

use crate::Error;
use crate::formats::{File, usual};
use crate::model::{Model, Resources, compile_unitless};
use crate::text::ast::{
    self, Body, Command, Definition, Document, Expr, ExprKind, Module, Parameter, RuleReward, Rules,
};
use crate::text::ast::{Variable, VariableKind};
use crate::text::lexer::Kind;
use crate::text::parser::Parser;
use crate::text::source::{Name, Source, Span, without_mark};

use renaming::Renamed;

/// What the model is called inside; no name of a text has a blank.
const MODEL: &str = "the model";

/// Reads a model and its properties.
///
/// # Errors
/// The first thing that is wrong or does not belong to the subset, with file, line and column.
pub fn read<'f>(
    model: &File,
    properties: impl Iterator<Item = &'f File>,
    given: &[(String, String)],
    resources: Resources<'_>,
) -> Result<Model, Error> {
    let mut text = format!("{}\n", without_mark(&model.text));
    let begin = text.len();
    let mut second = None;
    for file in properties {
        second.get_or_insert((begin, file.name.as_str()));
        text.push_str(without_mark(&file.text));
        text.push('\n');
    }
    let source = Source { file: &model.name, text: &text, second };
    let document = document(source)?;
    compile_unitless(source, &document, given, resources)
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    document: Document,
    rules: Rules,
    renamed: Vec<Renamed>,
    has_type: bool,
}

fn document(source: Source<'_>) -> Result<Document, Error> {
    let mut parser = Parser::new(source, "//")?;
    let mut reading = Reading::default();
    while parser.peek(0).kind != Kind::End {
        if !parser.eat_sign(";") {
            parser.prism_statement(&mut reading)?;
        }
    }
    if !reading.has_type {
        let start = Span::default();
        return Err(source.error(
            start,
            "the model does not say its type",
            "write `ctmc` into its first line; other types are not read",
        ));
    }
    renaming::apply(source, &mut reading)?;
    if reading.document.measures.is_empty() {
        reading.ask_the_usual();
    }
    // What is wrong with the whole is shown where the first module begins.
    let first = reading.rules.modules.first().and_then(|module| module.name.as_ref());
    let name = Name { text: MODEL.to_owned(), span: first.map_or_else(Span::default, |name| name.span) };
    reading.document.models.push(ast::Model { name, body: Body::Rules(reading.rules) });
    Ok(reading.document)
}

impl Reading {
    /// Asks what a chain by states is asked.
    fn ask_the_usual(&mut self) {
        let rules = &mut self.rules;
        let label = |wanted: &str| {
            let found = rules.labels.iter().find(|(name, _)| name.text.trim_matches('"') == wanted);
            found.map(|(_, states)| states.clone())
        };
        let (down, up) = (label("down"), label("up"));
        let has_down = down.is_some() || up.is_some();
        // Where both are there, states that are neither count as up.
        (rules.up, rules.down) = if down.is_some() { (None, down) } else { (up, None) };
        let labels = rules.labels.iter().map(|(name, _)| name.text.as_str());
        let rewards = rules.rewards.iter().map(|reward| reward.name.text.as_str());
        self.document.measures = usual::measures(MODEL, labels, has_down, rewards);
    }
}

impl Parser<'_> {
    fn prism_statement(&mut self, reading: &mut Reading) -> Result<(), Error> {
        let token = self.peek(0);
        match self.text(token) {
            "ctmc" | "stochastic" => {
                self.take();
                reading.has_type = true;
            }
            "const" => self.constant(&mut reading.document)?,
            "formula" => {
                self.take();
                let name = self.name("the name of the formula")?;
                self.sign("=", "after the name")?;
                reading.rules.formulas.push((name, self.prism_expression()?));
                self.sign(";", "at the end of the formula")?;
            }
            "label" => {
                self.take();
                let name = self.label()?;
                self.sign("=", "after the name")?;
                reading.rules.labels.push((name, self.prism_expression()?));
                self.sign(";", "at the end of the label")?;
            }
            "module" => self.prism_module(reading)?,
            "rewards" => reading.rules.rewards.push(self.prism_rewards()?),
            "P" | "S" | "R" => self.property(reading, None)?,
            _ if token.kind == Kind::Quoted && self.is_sign(1, ":") => {
                let name = self.quoted("the name of the property")?;
                self.take();
                self.property(reading, Some(name))?;
            }
            other => {
                let what = format!("`{other}` does not belong to the subset of the PRISM language that is read here");
                let remedy =
                    "there are ctmc, const, formula, label, module, rewards, and the properties S=?, P=? and R=?";
                return Err(self.source.error(token.span, what, remedy));
            }
        }
        Ok(())
    }

    /// A name in quotes; inside it keeps them, so that a label and a variable can have the same name.
    fn label(&mut self) -> Result<Name, Error> {
        let (text, span) = self.quoted("a label in quotes")?;
        Ok(Name { text: format!("\"{text}\""), span })
    }

    /// The name of a reward in quotes. Nothing else can stand where it does, so that it needs them no more.
    fn reward_name(&mut self) -> Result<Name, Error> {
        let (text, span) = self.quoted("the name of a reward in quotes")?;
        Ok(Name { text, span })
    }

    /// `const double x = 1/500;`: a parameter if its value is made of numbers only, else an expression.
    fn constant(&mut self, document: &mut Document) -> Result<(), Error> {
        self.take();
        let _ = self.eat_word("int") || self.eat_word("double") || self.eat_word("bool");
        let name = self.name("the name of the constant")?;
        let value = if self.eat_sign("=") { Some(self.prism_expression()?) } else { None };
        self.sign(";", "at the end of the constant")?;
        match value {
            Some(value) if !is_literal(&value) => document.definitions.push(Definition { name, value }),
            value => {
                document.parameters.push(Parameter { name, value, between: None, distribution: None, origin: None });
            }
        }
        Ok(())
    }

    fn prism_module(&mut self, reading: &mut Reading) -> Result<(), Error> {
        self.take();
        let name = self.name("the name of the module")?;
        if self.eat_sign("=") {
            let of = self.name("the module that is copied")?;
            self.sign("[", "before the new names")?;
            let mut names = Vec::new();
            while !self.is_sign(0, "]") {
                let old = self.name("a name of the module that is copied")?;
                self.sign("=", "and the new name")?;
                names.push((old.text, self.name("the new name")?.text));
                if !self.eat_sign(",") {
                    break;
                }
            }
            self.sign("]", "after the new names")?;
            self.word("endmodule", "at the end of the module")?;
            reading.renamed.push(Renamed { name, of, names });
            return Ok(());
        }
        let mut module = Module { name: Some(name), variables: Vec::new(), commands: Vec::new() };
        while !self.eat_word("endmodule") {
            if self.is_sign(0, "[") {
                module.commands.push(self.prism_command()?);
            } else {
                module.variables.push(self.prism_variable()?);
            }
        }
        reading.rules.modules.push(module);
        Ok(())
    }

    /// `x : [0..N] init N;`, `b : bool init true;`.
    fn prism_variable(&mut self) -> Result<Variable, Error> {
        let name = self.name("a variable, a command `[action] guard -> rate : update;`, or `endmodule`")?;
        self.sign(":", "and the values of the variable")?;
        let kind = if self.eat_word("bool") {
            VariableKind::Bool
        } else {
            self.sign("[", "or `bool`: variables are bounded")?;
            let low = self.prism_expression()?;
            self.sign("..", "between the smallest and the largest value")?;
            let high = self.prism_expression()?;
            self.sign("]", "after the largest value")?;
            VariableKind::Range(low, high)
        };
        let start = if self.eat_word("init") { Some(self.prism_expression()?) } else { None };
        self.sign(";", "at the end of the variable")?;
        Ok(Variable { name, kind, start })
    }

    /// `[action] guard -> rate : (x'=x-1) & (y'=0) + rate : true;`.
    fn prism_command(&mut self) -> Result<Command, Error> {
        let start = self.peek(0).span;
        let action = self.prism_action()?;
        let guard = self.prism_expression()?;
        self.sign("->", "after the guard")?;
        let mut alternatives = Vec::new();
        loop {
            let is_update = self.is_sign(0, "(") && self.is_sign(2, "'");
            let rate = if is_update {
                Expr::number(1.0, self.peek(0).span)
            } else {
                let rate = self.prism_expression()?;
                self.sign(":", "between the rate and the update")?;
                rate
            };
            alternatives.push((rate, self.update()?));
            if !self.eat_sign("+") {
                break;
            }
        }
        let span = start.to(self.sign(";", "at the end of the command")?.span);
        Ok(Command { action, guard, alternatives, span })
    }

    /// `[]` or `[name]`.
    fn prism_action(&mut self) -> Result<Option<Name>, Error> {
        self.sign("[", "before the action")?;
        let action = if self.is_sign(0, "]") { None } else { Some(self.name("an action")?) };
        self.sign("]", "after the action")?;
        Ok(action)
    }

    fn update(&mut self) -> Result<Vec<(Name, Expr)>, Error> {
        let mut updates = Vec::new();
        if self.eat_word("true") {
            return Ok(updates);
        }
        loop {
            self.sign("(", "before an assignment, `(x'=x-1)`")?;
            let name = self.name("a variable")?;
            self.sign("'", "behind the variable that changes")?;
            self.sign("=", "and its new value")?;
            updates.push((name, self.prism_expression()?));
            self.sign(")", "after the assignment")?;
            if !self.eat_sign("&") {
                return Ok(updates);
            }
        }
    }

    /// `rewards "name" [action] guard : amount; guard : amount; endrewards`; without a name it is the empty one.
    fn prism_rewards(&mut self) -> Result<RuleReward, Error> {
        let start = self.take().span;
        let name = if self.peek(0).kind == Kind::Quoted {
            self.reward_name()?
        } else {
            Name { text: String::new(), span: start }
        };
        let mut reward = RuleReward { name, states: Vec::new(), actions: Vec::new() };
        while !self.eat_word("endrewards") {
            let action = if self.is_sign(0, "[") { Some(self.prism_action()?) } else { None };
            let guard = self.prism_expression()?;
            self.sign(":", "and what is earned")?;
            let amount = self.prism_expression()?;
            self.sign(";", "at the end of what is earned")?;
            match action {
                Some(action) => reward.actions.push((action, Some(guard), amount)),
                None => reward.states.push((Some(guard), amount)),
            }
        }
        Ok(reward)
    }
}

/// Whether an expression has no names in it.
fn is_literal(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Unit(_) => true,
        ExprKind::Negate(x) | ExprKind::Not(x) => is_literal(x),
        ExprKind::Binary(_, a, b) => is_literal(a) && is_literal(b),
        ExprKind::Call(_, arguments) => arguments.iter().all(is_literal),
        ExprKind::Reference(_) | ExprKind::Count(..) | ExprKind::Ask(_) | ExprKind::Edge(..) => false,
    }
}
