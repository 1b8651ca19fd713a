//! Expressions as code for a stack machine: no tree to walk, nothing to allocate.

use super::rules::{Binary, Expression, Unary};
use crate::Scalar;
use crate::capacity::{counted, refused_share, waiting_share};

/// One instruction. Operands are on the stack, and the result replaces them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Instruction {
    Number(f64),
    Variable(usize),
    Parameter(usize),
    Unary(Unary),
    Binary(Binary),
    /// Compares a variable with a constant: most of all guards.
    Compare(Binary, usize, f64),
    /// Goes on there.
    Jump(usize),
    /// Takes the top; goes on there if it is false.
    Unless(usize),
    /// Goes on there and leaves the top, if it is false (`And`) or true (`Or`); else takes it.
    Shortcut(bool, usize),
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Code(Vec<Instruction>);

/// What code works with: the values of the variables and parameters, and a stack.
pub(super) struct Machine<'a, T> {
    pub(super) variables: Vec<f64>,
    parameters: &'a [T],
    stack: Vec<T>,
}

fn truth<T: Scalar>(is: bool) -> T {
    if is { T::ONE } else { T::ZERO }
}

fn is_true<T: Scalar>(value: T) -> bool {
    value.value() != 0.0
}

/// Whether the value of an expression is 0 or 1.
fn is_condition(expression: &Expression) -> bool {
    use Binary as B;
    match expression {
        Expression::Unary(Unary::Not, _) => true,
        Expression::Binary(operation, ..) => {
            matches!(operation, B::And | B::Or | B::Equal | B::Different | B::Less | B::AtMost)
        }
        _ => false,
    }
}

impl Code {
    pub(super) fn new(expression: &Expression) -> Self {
        let mut code = Self(Vec::new());
        code.add(expression);
        code
    }

    fn add(&mut self, expression: &Expression) {
        match expression {
            Expression::Number(value) => self.0.push(Instruction::Number(*value)),
            Expression::Variable(index) => self.0.push(Instruction::Variable(*index)),
            Expression::Parameter(index) => self.0.push(Instruction::Parameter(*index)),
            Expression::Unary(operation, of) => {
                self.add(of);
                self.0.push(Instruction::Unary(*operation));
            }
            Expression::Binary(operation @ (Binary::And | Binary::Or), first, second) => {
                self.add(first);
                let jump = self.0.len();
                self.0.push(Instruction::Jump(0));
                self.add(second);
                self.0[jump] = Instruction::Shortcut(*operation == Binary::Or, self.0.len());
                // A truth value, whichever operand tells it.
                if !(is_condition(first) && is_condition(second)) {
                    self.0.extend([Instruction::Unary(Unary::Not); 2]);
                }
            }
            Expression::Binary(operation, first, second) => self.add_binary(*operation, first, second),
            Expression::If(condition, then, otherwise) => {
                self.add(condition);
                let unless = self.0.len();
                self.0.push(Instruction::Jump(0));
                self.add(then);
                let jump = self.0.len();
                self.0.push(Instruction::Jump(0));
                self.0[unless] = Instruction::Unless(self.0.len());
                self.add(otherwise);
                self.0[jump] = Instruction::Jump(self.0.len());
            }
        }
    }

    fn add_binary(&mut self, operation: Binary, first: &Expression, second: &Expression) {
        let compares = matches!(operation, Binary::Equal | Binary::Different | Binary::Less | Binary::AtMost);
        if let (true, Expression::Variable(index), Expression::Number(value)) = (compares, first, second) {
            self.0.push(Instruction::Compare(operation, *index, *value));
        } else {
            self.add(first);
            self.add(second);
            self.0.push(Instruction::Binary(operation));
        }
    }
}

impl<'a, T: Scalar> Machine<'a, T> {
    pub(super) fn new(variables: usize, parameters: &'a [T]) -> Self {
        Self { variables: vec![0.0; variables], parameters, stack: Vec::with_capacity(16) }
    }

    /// The value of an expression as a truth value.
    pub(super) fn holds(&mut self, code: &Code) -> bool {
        match code.0[..] {
            [Instruction::Compare(operation, index, value)] => compare(operation, self.variables[index], value),
            [Instruction::Variable(index)] => self.variables[index] != 0.0,
            _ => is_true(self.run(code)),
        }
    }

    /// The value of an expression.
    pub(super) fn run(&mut self, code: &Code) -> T {
        self.stack.clear();
        let mut next = 0;
        while let Some(instruction) = code.0.get(next) {
            next += 1;
            match *instruction {
                Instruction::Number(value) => self.stack.push(T::from(value)),
                Instruction::Variable(index) => self.stack.push(T::from(self.variables[index])),
                Instruction::Parameter(index) => self.stack.push(self.parameters[index]),
                Instruction::Compare(operation, index, value) => {
                    self.stack.push(truth(compare(operation, self.variables[index], value)));
                }
                Instruction::Jump(to) => next = to,
                Instruction::Unless(to) => {
                    if !is_true(self.pop()) {
                        next = to;
                    }
                }
                Instruction::Shortcut(on, to) => {
                    let top = self.pop();
                    if is_true(top) == on {
                        self.stack.push(top);
                        next = to;
                    }
                }
                Instruction::Unary(operation) => {
                    let of = self.pop();
                    self.stack.push(unary(operation, of));
                }
                Instruction::Binary(operation) => {
                    let second = self.pop();
                    let first = self.pop();
                    self.stack.push(binary(operation, first, second));
                }
            }
        }
        self.pop()
    }

    /// Compiled code never takes more than it put there.
    fn pop(&mut self) -> T {
        self.stack.pop().unwrap_or(T::ZERO)
    }
}

fn compare(operation: Binary, first: f64, second: f64) -> bool {
    match operation {
        Binary::Equal => first == second,
        Binary::Different => first != second,
        Binary::Less => first < second,
        _ => first <= second,
    }
}

fn unary<T: Scalar>(operation: Unary, of: T) -> T {
    match operation {
        Unary::Not => truth(!is_true(of)),
        Unary::Negate => -of,
        Unary::Floor => T::from(of.value().floor()),
        Unary::Ceiling => T::from(of.value().ceil()),
        Unary::Root => of.sqrt(),
        Unary::Exponential => of.exp(),
        Unary::Logarithm => of.ln(),
    }
}

fn binary<T: Scalar>(operation: Binary, first: T, second: T) -> T {
    match operation {
        Binary::Add => first + second,
        Binary::Subtract => first - second,
        Binary::Multiply => first * second,
        Binary::Divide => first / second,
        Binary::Modulo => first - second * T::from((first.value() / second.value()).floor()),
        Binary::Power => first.pow(second),
        Binary::Refused => of_servers(first, |servers| refused_share(servers, second)),
        Binary::Waiting => of_servers(first, |servers| waiting_share(servers, second)),
        Binary::Least => {
            if first.value() <= second.value() {
                first
            } else {
                second
            }
        }
        Binary::Greatest => {
            if first.value() >= second.value() {
                first
            } else {
                second
            }
        }
        Binary::And => truth(is_true(first) && is_true(second)),
        Binary::Or => truth(is_true(first) || is_true(second)),
        Binary::Equal | Binary::Different | Binary::Less | Binary::AtMost => {
            truth(compare(operation, first.value(), second.value()))
        }
    }
}

/// A share that depends on a number of servers; no number if they cannot be counted.
fn of_servers<T: Scalar>(servers: T, share: impl FnOnce(u32) -> T) -> T {
    counted(servers.value()).map_or_else(|| T::from(f64::NAN), share)
}
