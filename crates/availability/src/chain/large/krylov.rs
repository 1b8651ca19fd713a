//! GMRES (Saad and Schultz 1986) for a fixed point `y = M y + b`, `M` a sweep.

/// How many directions one cycle takes; each costs a vector of memory. They are kept in single precision: a cycle then
/// takes off no more than six digits, and the next one begins with the residual of what it reached, in double precision.
pub(super) const DIRECTIONS: usize = 12;

/// Sums in eight lanes, which processors add side by side.
fn lanes(terms: impl Iterator<Item = f64>) -> f64 {
    let mut sums = [0.0; 8];
    terms.enumerate().for_each(|(place, term)| sums[place % 8] += term);
    sums.iter().sum()
}

fn norm_of(vector: &[f64]) -> f64 {
    lanes(vector.iter().map(|entry| entry * entry)).sqrt()
}

fn dot(direction: &[f32], vector: &[f64]) -> f64 {
    lanes(direction.iter().zip(vector).map(|(&direction, vector)| f64::from(direction) * vector))
}

fn add(to: &mut [f64], factor: f64, direction: &[f32]) {
    to.iter_mut().zip(direction).for_each(|(to, &direction)| *to += factor * f64::from(direction));
}

/// The direction of a vector of this length.
fn unit(vector: &[f64], length: f64) -> Vec<f32> {
    vector.iter().map(|entry| (entry / length) as f32).collect()
}

/// One cycle: takes `y` to the best point in the space that some sweeps of its residual span. `affine` is `y <- M y + b`,
/// `linear` is `y <- M y`.
pub(super) fn cycle(y: &mut [f64], affine: impl Fn(&mut [f64]), linear: impl Fn(&mut [f64])) {
    let mut next = y.to_vec();
    affine(&mut next);
    next.iter_mut().zip(y.iter()).for_each(|(image, point)| *image -= point);
    let norm = norm_of(&next);
    if norm == 0.0 || !norm.is_finite() {
        return;
    }
    let mut basis = vec![unit(&next, norm)];
    // The Hessenberg matrix, made triangular column by column by rotations.
    let (mut columns, mut rotations): (Vec<Vec<f64>>, Vec<(f64, f64)>) = (Vec::new(), Vec::new());
    let mut right = vec![norm];
    for place in 0..DIRECTIONS {
        next.iter_mut().zip(&basis[place]).for_each(|(next, &direction)| *next = f64::from(direction));
        linear(&mut next);
        // (I - M) v
        next.iter_mut().zip(&basis[place]).for_each(|(image, &point)| *image = f64::from(point) - *image);
        let mut column = Vec::with_capacity(place + 2);
        for direction in &basis {
            let part = dot(direction, &next);
            add(&mut next, -part, direction);
            column.push(part);
        }
        let rest = norm_of(&next);
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
        // Single precision tells no more.
        if rest <= 1e-7 || right[place + 1].abs() <= 1e-7 * norm || place + 1 == DIRECTIONS {
            break;
        }
        basis.push(unit(&next, rest));
    }
    for place in (0..columns.len()).rev() {
        let factor = right[place] / columns[place][place];
        (0..place).for_each(|row| right[row] -= factor * columns[place][row]);
        add(y, factor, &basis[place]);
    }
}
