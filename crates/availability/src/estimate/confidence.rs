//! How sure an interval is, which ends it has, and the interval itself.

use super::special::Tail;
use crate::Error;

/// How sure an interval is to hold the true value, and on which side the doubt lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence {
    /// The confidence, within 0 and 1: 0.95 for 95 %.
    pub level: f64,
    /// Which ends the interval has.
    pub sides: Sides,
    /// 1 - level, as a number of its own.
    doubt: f64,
}

/// The ends of an interval, named by the quantity that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Half of the doubt lies below, half above.
    Both,
    /// All of the doubt lies below: a lower bound only.
    Lower,
    /// All of the doubt lies above: an upper bound only.
    Upper,
}

impl Confidence {
    /// A confidence like 0.95 with these ends.
    ///
    /// # Errors
    /// Unless the level lies between 0 and 1, both excluded.
    pub fn new(level: f64, sides: Sides) -> Result<Self, Error> {
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::new(
                format!("a confidence of {level}"),
                "give a number between 0 and 1, both excluded, as 0.95 for 95 %",
            ));
        }
        // 1 - 0.95 is 0.05 up to the rounding of 0.95; levels are decimals of a few places, so 0.05 is meant.
        let doubt = ((1.0 - level) * 1e15).round() / 1e15;
        Ok(Self { level, sides, doubt: if doubt > 0.0 { doubt } else { 1.0 - level } })
    }

    /// An interval with both ends.
    ///
    /// # Errors
    /// As [`Confidence::new`].
    pub fn two_sided(level: f64) -> Result<Self, Error> {
        Self::new(level, Sides::Both)
    }

    /// The doubt below the lower end; `None` where there is no lower end.
    #[must_use]
    pub fn below(self) -> Option<f64> {
        match self.sides {
            Sides::Both => Some(0.5 * self.doubt),
            Sides::Lower => Some(self.doubt),
            Sides::Upper => None,
        }
    }

    /// The doubt above the upper end; `None` where there is no upper end.
    #[must_use]
    pub fn above(self) -> Option<f64> {
        self.mirrored().below()
    }

    /// The whole doubt, 1 - level.
    #[must_use]
    pub const fn doubt(self) -> f64 {
        self.doubt
    }

    /// The same for a quantity that falls where this one rises, as a mean time does with a rate.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        let sides = match self.sides {
            Sides::Both => Sides::Both,
            Sides::Lower => Sides::Upper,
            Sides::Upper => Sides::Lower,
        };
        Self { sides, ..self }
    }

    /// An interval whose ends are quantiles of one law, as those of a posterior are; a missing end is the natural limit.
    pub(crate) fn cut(self, point: f64, limits: (f64, f64), quantile: impl Fn(Tail) -> f64) -> Interval {
        Interval {
            point,
            lower: self.below().map_or(limits.0, |doubt| quantile(Tail::Lower(doubt))),
            upper: self.above().map_or(limits.1, |doubt| quantile(Tail::Upper(doubt))),
        }
    }
}

/// An estimate with its interval. Where the interval has one end only, the other is the natural limit of the quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub point: f64,
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Interval {
    /// The interval of the reciprocal: a mean time for a rate. 1/0 is infinite.
    #[must_use]
    pub fn reciprocal(self) -> Self {
        Self { point: self.point.recip(), lower: self.upper.recip(), upper: self.lower.recip() }
    }

    /// Whether a value lies within, ends included.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}
