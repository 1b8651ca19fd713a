//! A small system of equations, factorised once.

/// The factors of a matrix: rows in the order of their pivots (LU with partial pivoting; Golub and Van Loan 2013, section 3.4).
pub(super) struct Factors {
    size: usize,
    rows: Vec<Vec<f64>>,
    order: Vec<usize>,
}

impl Factors {
    /// Factorises a matrix; nothing if it is singular.
    pub(super) fn of(mut rows: Vec<Vec<f64>>) -> Option<Self> {
        let size = rows.len();
        let mut order: Vec<usize> = (0..size).collect();
        for step in 0..size {
            let pivot = (step..size).max_by(|&a, &b| rows[a][step].abs().total_cmp(&rows[b][step].abs()))?;
            rows.swap(step, pivot);
            order.swap(step, pivot);
            let (above, below) = rows.split_at_mut(step + 1);
            let head = &above[step];
            if head[step] == 0.0 || !head[step].is_finite() {
                return None;
            }
            for row in below {
                let factor = row[step] / head[step];
                row[step] = factor;
                if factor != 0.0 {
                    row[step + 1..]
                        .iter_mut()
                        .zip(&head[step + 1..])
                        .for_each(|(entry, above)| *entry -= factor * above);
                }
            }
        }
        Some(Self { size, rows, order })
    }

    /// `x` with `A x = b`.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = self.order.iter().map(|&row| b[row]).collect();
        for row in 0..self.size {
            let sum: f64 = (0..row).map(|place| self.rows[row][place] * x[place]).sum();
            x[row] -= sum;
        }
        for row in (0..self.size).rev() {
            let sum: f64 = (row + 1..self.size).map(|place| self.rows[row][place] * x[place]).sum();
            x[row] = (x[row] - sum) / self.rows[row][row];
        }
        x
    }

    /// `y` with `y A = b`.
    pub(super) fn solve_left(&self, b: &[f64]) -> Vec<f64> {
        let mut z = b.to_vec();
        for column in 0..self.size {
            z[column] /= self.rows[column][column];
            let known = z[column];
            (column + 1..self.size).for_each(|place| z[place] -= known * self.rows[column][place]);
        }
        for column in (0..self.size).rev() {
            let known = z[column];
            (0..column).for_each(|place| z[place] -= known * self.rows[column][place]);
        }
        let mut y = vec![0.0; self.size];
        self.order.iter().zip(z).for_each(|(&row, value)| y[row] = value);
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_solved() {
        let matrix = vec![vec![0.0, 2.0, 1.0], vec![1.0, -3.0, 0.5], vec![4.0, 1.0, 1.0]];
        let factors = Factors::of(matrix.clone()).unwrap();
        let (x, y) = (factors.solve(&[3.0, -2.0, 5.5]), factors.solve_left(&[3.0, -2.0, 5.5]));
        for (place, expected) in [3.0, -2.0, 5.5].into_iter().enumerate() {
            let right: f64 = (0..3).map(|column| matrix[place][column] * x[column]).sum();
            let left: f64 = (0..3).map(|row| y[row] * matrix[row][place]).sum();
            assert!((right - expected).abs() < 1e-14 && (left - expected).abs() < 1e-14, "{right} {left} {expected}");
        }
        assert!(Factors::of(vec![vec![1.0, 2.0], vec![2.0, 4.0]]).is_none());
    }
}
