//! Newton's method that cannot run away.

/// Newton steps before the search is taken for settled; each at least halves the bracket once there is one.
const STEPS: usize = 400;

/// The root of an increasing function, whose value and slope are given: Newton steps, kept within the bracket that the signs
/// seen so far leave, halved where a step would leave it. Ends where a step no longer moves the argument, or where the value
/// no longer falls (rounding).
pub(crate) fn increasing_root(start: f64, function: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut x = start;
    let mut stride = 1.0;
    for _ in 0..STEPS {
        let (value, slope) = function(x);
        if value == 0.0 {
            break;
        }
        if value < 0.0 {
            low = x;
        } else {
            high = x;
        }
        let step = value / slope;
        let mut next = x - step;
        if !(next > low && next < high) || step.abs() > stride {
            next = match (low.is_finite(), high.is_finite()) {
                (true, true) if !(next > low && next < high) => f64::midpoint(low, high),
                (true, true) => next,
                _ => x - stride.copysign(value),
            };
            stride *= 2.0;
        }
        if (next - x).abs() <= f64::EPSILON * x.abs().max(0.5) {
            return next;
        }
        x = next;
    }
    x
}
