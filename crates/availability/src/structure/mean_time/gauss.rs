//! Gauss and Legendre's rule of 20 points, and how far off it can be.

/// The positive points and their weights on -1 to 1, to all digits of binary64.
pub(super) const POINTS: [(f64, f64); 10] = [
    (0.076_526_521_133_497_34, 0.152_753_387_130_725_84),
    (0.227_785_851_141_645_07, 0.149_172_986_472_603_74),
    (0.373_706_088_715_419_55, 0.142_096_109_318_382_04),
    (0.510_867_001_950_827_1, 0.131_688_638_449_176_64),
    (0.636_053_680_726_515, 0.118_194_531_961_518_41),
    (0.746_331_906_460_150_8, 0.101_930_119_817_240_44),
    (0.839_116_971_822_218_8, 0.083_276_741_576_704_75),
    (0.912_234_428_251_326, 0.062_672_048_334_109_07),
    (0.963_971_927_277_913_8, 0.040_601_429_800_386_94),
    (0.993_128_599_185_094_9, 0.017_614_007_139_152_118),
];

/// The sum of the half axes of the ellipse with foci -1 and 1 in which the integrand is bounded.
const RHO: f64 = 3.0;
/// Its half axes.
pub(super) const ALONG: f64 = (RHO + 1.0 / RHO) / 2.0;
pub(super) const ACROSS: f64 = (RHO - 1.0 / RHO) / 2.0;

/// How far off the rule is over an interval of this half width, for a function that is at most `largest` in the ellipse.
///
/// A polynomial of degree 39 comes as near to the function as `2 M rho^-39 / (rho - 1)` (Trefethen, theorem 8.2). The rule
/// is exact for it; for the rest both the integral and the rule are off by at most twice that.
pub(super) fn error(half: f64, largest: f64) -> f64 {
    half * 8.0 * largest * RHO.powi(-39) / (RHO - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_powers_up_to_38_are_integrated_exactly() {
        for power in (0..=38).step_by(2) {
            let sum: f64 = POINTS.iter().map(|(x, weight)| 2.0 * weight * x.powi(power)).sum();
            let expected = 2.0 / f64::from(power + 1);
            assert!(((sum - expected) / expected).abs() < 4e-15, "x^{power}: {sum} instead of {expected}");
        }
    }
}
