//! Modules that are copies of others under new names.

use super::Reading;
use crate::Error;
use crate::text::ast::{Command, Expr, ExprKind, Module, Reference, Variable, VariableKind};
use crate::text::source::{Name, Source, did_you_mean};

/// `module NAME = OF [old = new, ...] endmodule`.
pub(super) struct Renamed {
    pub(super) name: Name,
    pub(super) of: Name,
    pub(super) names: Vec<(String, String)>,
}

/// Formulas within formulas; more are taken for a circle.
const MAX_FORMULAS: u32 = 100;

/// Makes the copies.
pub(super) fn apply(source: Source<'_>, reading: &mut Reading) -> Result<(), Error> {
    for renamed in std::mem::take(&mut reading.renamed) {
        let modules = &reading.rules.modules;
        let own = |module: &&Module| module.name.as_ref().is_some_and(|name| name.text == renamed.of.text);
        let Some(of) = modules.iter().find(own) else {
            let known = modules.iter().filter_map(|module| module.name.as_ref()).map(|name| name.text.as_str());
            let what = format!("there is no module `{}`{}", renamed.of.text, did_you_mean(&renamed.of.text, known));
            return Err(source.error(renamed.of.span, what, "a module is copied from one that is written out"));
        };
        let renaming = Renaming { source, names: &renamed.names, formulas: &reading.rules.formulas };
        let copy = renaming.module(of, renamed.name.clone())?;
        reading.rules.modules.push(copy);
    }
    Ok(())
}

struct Renaming<'a> {
    source: Source<'a>,
    names: &'a [(String, String)],
    formulas: &'a [(Name, Expr)],
}

impl Renaming<'_> {
    fn module(&self, of: &Module, name: Name) -> Result<Module, Error> {
        let mut variables = Vec::new();
        for variable in &of.variables {
            let renamed = self.name(&variable.name);
            if renamed.text == variable.name.text {
                let what = format!("the copy `{}` has no new name for the variable `{}`", name.text, renamed.text);
                return Err(self.source.error(name.span, what, format!("add `{0} = ...` to its names", renamed.text)));
            }
            let kind = match &variable.kind {
                VariableKind::Range(low, high) => VariableKind::Range(self.expr(low)?, self.expr(high)?),
                other => other.clone(),
            };
            let start = variable.start.as_ref().map(|start| self.expr(start)).transpose()?;
            variables.push(Variable { name: renamed, kind, start });
        }
        let commands = of.commands.iter().map(|command| self.command(command)).collect::<Result<_, _>>()?;
        Ok(Module { name: Some(name), variables, commands })
    }

    fn command(&self, command: &Command) -> Result<Command, Error> {
        let mut alternatives = Vec::new();
        for (rate, updates) in &command.alternatives {
            let each = |(name, value): &(Name, Expr)| Ok((self.name(name), self.expr(value)?));
            alternatives.push((self.expr(rate)?, updates.iter().map(each).collect::<Result<_, Error>>()?));
        }
        let action = command.action.as_ref().map(|action| self.name(action));
        Ok(Command { action, guard: self.expr(&command.guard)?, alternatives, span: command.span })
    }

    fn name(&self, name: &Name) -> Name {
        let found = self.names.iter().find(|(old, _)| *old == name.text);
        Name { text: found.map_or_else(|| name.text.clone(), |(_, new)| new.clone()), span: name.span }
    }

    fn expr(&self, expr: &Expr) -> Result<Expr, Error> {
        self.inner(expr, MAX_FORMULAS)
    }

    /// New names also hold inside of formulas, which are written out therefore.
    fn inner(&self, expr: &Expr, deeper: u32) -> Result<Expr, Error> {
        let boxed = |expr: &Expr| self.inner(expr, deeper).map(Box::new);
        let kind = match &expr.kind {
            ExprKind::Reference(reference) => {
                match self.formulas.iter().find(|(name, _)| name.text == reference.name.text) {
                    Some((name, _)) if deeper == 0 => {
                        let what = format!("the formula `{}` needs itself", name.text);
                        return Err(self.source.error(name.span, what, "a formula must not need its own value"));
                    }
                    Some((_, formula)) => return self.inner(formula, deeper - 1),
                    None => ExprKind::Reference(Reference { name: self.name(&reference.name), indexes: Vec::new() }),
                }
            }
            ExprKind::Negate(x) => ExprKind::Negate(boxed(x)?),
            ExprKind::Not(x) => ExprKind::Not(boxed(x)?),
            ExprKind::Binary(operator, a, b) => ExprKind::Binary(*operator, boxed(a)?, boxed(b)?),
            ExprKind::Call(name, arguments) => {
                let arguments = arguments.iter().map(|argument| self.inner(argument, deeper));
                ExprKind::Call(name.clone(), arguments.collect::<Result<_, _>>()?)
            }
            other => other.clone(),
        };
        Ok(Expr { kind, span: expr.span })
    }
}
