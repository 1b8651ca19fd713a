//! GMRES (Saad and Schultz 1986) for a fixed point `y = M y + b`, `M` a sweep.

/// How many directions one cycle takes; each costs a vector of memory.
pub(super) const DIRECTIONS: usize = 8;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, of: &[f64]) {
    to.iter_mut().zip(of).for_each(|(to, of)| *to += factor * of);
}

/// One cycle: takes `y` to the best point in the space that some sweeps of its residual span. `affine` is `y <- M y + b`,
/// `linear` is `y <- M y`. Returns the residual's norm before the cycle and its estimate behind it.
pub(super) fn cycle(y: &mut [f64], affine: impl Fn(&mut [f64]), linear: impl Fn(&mut [f64])) -> (f64, f64) {
    let mut first = y.to_vec();
    affine(&mut first);
    first.iter_mut().zip(y.iter()).for_each(|(image, point)| *image -= point);
    let norm = dot(&first, &first).sqrt();
    if norm == 0.0 || !norm.is_finite() {
        return (norm, norm);
    }
    first.iter_mut().for_each(|entry| *entry /= norm);
    let mut basis = vec![first];
    // The Hessenberg matrix, made triangular column by column by rotations.
    let (mut columns, mut rotations): (Vec<Vec<f64>>, Vec<(f64, f64)>) = (Vec::new(), Vec::new());
    let mut right = vec![norm];
    for place in 0..DIRECTIONS {
        let mut next = basis[place].clone();
        linear(&mut next);
        // (I - M) v
        next.iter_mut().zip(&basis[place]).for_each(|(image, point)| *image = point - *image);
        let mut column = Vec::with_capacity(place + 2);
        for direction in &basis {
            let part = dot(direction, &next);
            add(&mut next, -part, direction);
            column.push(part);
        }
        let rest = dot(&next, &next).sqrt();
        for (row, &(cosine, sine)) in rotations.iter().enumerate() {
            let (upper, lower) = (column[row], column[row + 1]);
            column[row] = cosine * upper + sine * lower;
            column[row + 1] = cosine * lower - sine * upper;
        }
        let length = column[place].hypot(rest);
        if length == 0.0 {
            break;
        }
        let (cosine, sine) = (column[place] / length, rest / length);
        column[place] = length;
        rotations.push((cosine, sine));
        columns.push(column);
        right.push(-sine * right[place]);
        right[place] *= cosine;
        if rest <= 1e-14 * norm || place + 1 == DIRECTIONS {
            break;
        }
        next.iter_mut().for_each(|entry| *entry /= rest);
        basis.push(next);
    }
    for place in (0..columns.len()).rev() {
        let factor = right[place] / columns[place][place];
        (0..place).for_each(|row| right[row] -= factor * columns[place][row]);
        add(y, factor, &basis[place]);
    }
    (norm, right[columns.len()].abs())
}
