//! The special functions behind every interval: incomplete gamma and beta functions, both tails of each, and their
//! inverses; and by them the normal, chi-square, F and Student quantiles, binomial and Poisson sums.
//!
//! They are our own since no crate that was tried has what coverage needs. The 0.95 quantile of the beta law with 6 and 9,995,
//! the bound for 5 misses in 10,000 injections, is 9e-10 off in `statrs` 0.18 (its chi-square and F quantiles are good to
//! 2e-14); `puruspe` 0.4 is up to 6e-12 off and panics for many degrees of freedom; neither takes the upper tail's
//! probability. Here each tail is computed by itself (the smaller one never as one less the other), the leading factor by
//! Loader's saddle-point form instead of differences of large logarithms, and quantiles by Newton's method on the logarithm
//! of the smaller tail. Tests hold relative errors below 1e-13 against 30-digit figures, up to parameters of a million.
//!
//! Arguments outside of a function's domain give NaN; the estimates check theirs first and say what is wrong.

mod beta;
mod gamma;
mod laws;
mod newton;

pub use beta::{beta_quantile, beta_tails, ln_beta};
pub use gamma::{gamma_quantile, gamma_tails, ln_gamma};
pub use laws::{
    binomial_at_most, chi_square_quantile, f_quantile, normal_quantile, normal_tails, poisson_at_most, student_quantile,
};

pub(crate) use gamma::{deviance, poisson_weight, stirling_error};
pub(crate) use newton::increasing_root;

/// The two tails of a distribution at a point, each computed by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tails {
    /// The probability to be at or below the point.
    pub lower: f64,
    /// The probability to be above it.
    pub upper: f64,
}

impl Tails {
    /// The tails seen from the other side.
    #[must_use]
    pub const fn swapped(self) -> Self {
        Self { lower: self.upper, upper: self.lower }
    }

    const NAN: Self = Self { lower: f64::NAN, upper: f64::NAN };
}

/// Which tail a quantile cuts off, and its probability: that of the smaller tail keeps all digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tail {
    /// So much lies below the quantile.
    Lower(f64),
    /// So much lies above it.
    Upper(f64),
}

impl Tail {
    /// The same cut named by its smaller tail; `None` unless its probability lies within 0 and 1.
    pub(crate) fn smaller(self) -> Option<Self> {
        let (Self::Lower(p) | Self::Upper(p)) = self;
        if !(0.0..=1.0).contains(&p) {
            return None;
        }
        Some(match self {
            _ if p <= 0.5 => self,
            Self::Lower(p) => Self::Upper(1.0 - p),
            Self::Upper(p) => Self::Lower(1.0 - p),
        })
    }
}
