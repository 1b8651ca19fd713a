//! Second derivatives: the first ones once more, on numbers that move with one parameter.
//!
//! Few of the models of a hierarchy depend on one parameter. What the others are worth, and their derivatives, is the same
//! in every row of the matrix and is computed once.

use std::cell::OnceCell;

use crate::Error;
use crate::model::Plan;
use crate::model::nested::Nested;
use crate::model::node::{self, Id, Node, Values};
use crate::model::solve::Solve;
use crate::text::exact::Exact;

/// What is the same in all rows.
struct Still {
    parameters: Vec<Exact>,
    values: Values<Exact>,
    /// The derivatives of each model by its inputs, once they were asked for.
    gradients: Vec<OnceCell<Vec<Exact>>>,
}

/// A number and its derivative by the parameter of a row.
type Moving = Nested<Exact>;

fn stands(inputs: &[Moving]) -> bool {
    inputs.iter().all(|input| input.slope == Exact::ZERO)
}

impl Still {
    fn value(&self, id: Id, solve: &Solve, inputs: &[Moving]) -> Result<Moving, Error> {
        if stands(inputs) {
            return Ok(Nested { value: self.values.carried[id], slope: Exact::ZERO });
        }
        solve.value(inputs)
    }

    fn gradient(&self, id: Id, solve: &Solve, inputs: &[Moving]) -> Result<Vec<Moving>, Error> {
        if !stands(inputs) {
            return solve.gradient(inputs);
        }
        let known = &self.gradients[id];
        if known.get().is_none() {
            let plain: Vec<Exact> = inputs.iter().map(|input| input.value).collect();
            // Nobody else fills it between.
            let _ = known.set(solve.gradient(&plain)?);
        }
        let still = |&value: &Exact| Nested { value, slope: Exact::ZERO };
        Ok(known.get().map(|gradient| gradient.iter().map(still).collect()).unwrap_or_default())
    }
}

impl Plan<'_> {
    /// One row of the matrix of second derivatives: those of [`Self::gradient`] by one parameter. The pass backwards is run
    /// on numbers that carry the derivative by it.
    ///
    /// # Errors
    /// Those of the models that are solved.
    pub fn hessian_row(&self, measure: usize, parameter: usize) -> Result<Vec<f64>, Error> {
        self.row(&self.still()?, measure, parameter)
    }

    /// All second derivatives of a measure, row by row; 0 for parameters that the plan does not need. A plan of this measure
    /// alone has the least to compute.
    ///
    /// # Errors
    /// Those of the models that are solved.
    pub fn hessian(&self, measure: usize) -> Result<Vec<Vec<f64>>, Error> {
        let still = self.still()?;
        let count = still.parameters.len();
        let row = |parameter| {
            if self.needs(parameter) { self.row(&still, measure, parameter) } else { Ok(vec![0.0; count]) }
        };
        (0..count).map(row).collect()
    }

    fn still(&self) -> Result<Still, Error> {
        let parameters: Vec<Exact> = self.model.parameters.iter().map(|parameter| parameter.value).collect();
        let values = Values::new(&self.nodes, &parameters, &parameters)?;
        let gradients = self.nodes.iter().map(|_: &Node| OnceCell::new()).collect();
        Ok(Still { parameters, values, gradients })
    }

    fn row(&self, still: &Still, measure: usize, parameter: usize) -> Result<Vec<f64>, Error> {
        let seed = |(index, &value): (usize, &Exact)| Nested {
            value,
            slope: if index == parameter { Exact::ONE } else { Exact::ZERO },
        };
        let seeds: Vec<Moving> = still.parameters.iter().enumerate().map(seed).collect();
        let value = |id, solve: &Solve, inputs: &[Moving]| still.value(id, solve, inputs);
        let values = Values::with(&self.nodes, &still.parameters, &seeds, value)?;
        let gradient = |id, solve: &Solve, inputs: &[Moving]| still.gradient(id, solve, inputs);
        let adjoint = node::backward_with(&self.nodes, &values, self.roots[measure], gradient)?;
        Ok(self.by_parameters(&adjoint).into_iter().map(|slope| slope.slope.rounded()).collect())
    }
}
