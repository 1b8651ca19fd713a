//! Chance as a value: a generator whose draws all follow from one seed.

/// A generator of pseudo-random numbers (xoshiro256++, Blackman and Vigna 2019), seeded by splitmix64 as its authors advise.
///
/// The same seed gives the same draws on every machine. Parts of one piece of work that run beside each other take
/// [`Chance::part`]s of one seed, so that the result does not depend on how the work was divided.
#[derive(Clone, Debug)]
pub struct Chance {
    state: [u64; 4],
}

impl Chance {
    /// The generator of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut mixed = seed;
        Self { state: std::array::from_fn(|_| splitmix(&mut mixed)) }
    }

    /// The generator of one numbered part of the work that this seed stands for.
    #[must_use]
    pub fn part(seed: u64, number: u64) -> Self {
        let mut mixed = seed ^ number.wrapping_mul(0xd134_2543_de82_ef95);
        Self::new(splitmix(&mut mixed))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number between 0 and 1, neither of which comes.
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// An exponential time of mean 1.
    pub fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// A number of the standard normal distribution (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 {
                return x * (-2.0 * square.ln() / square).sqrt();
            }
        }
    }

    /// A number of the gamma distribution of this shape, which is positive, and scale 1 (Marsaglia and Tsang 2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = self.uniform().powf(1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

/// One step of splitmix64 (Steele, Lea, Flood 2014).
const fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draws_are_those_of_the_published_generators() {
        // First output of splitmix64 from 0, as printed by the authors' C code.
        assert_eq!(splitmix(&mut 0), 0xe220_a839_7b1d_cdaf);
        // xoshiro256++ from the state 1, 2, 3, 4: rotl(1 + 4, 23) + 1, by hand.
        let mut chance = Chance { state: [1, 2, 3, 4] };
        assert_eq!(chance.bits(), 41_943_041);
        assert_eq!(chance.state, [7, 0, 262_146, 211_106_232_532_992]);
    }

    #[test]
    fn uniform_and_exponential_draws_have_their_moments() {
        let mut chance = Chance::part(7, 3);
        let n = 100_000;
        let mut sums = [0.0_f64; 4];
        for _ in 0..n {
            let (u, x) = (chance.uniform(), chance.exponential());
            for (sum, value) in sums.iter_mut().zip([u, u * u, x, x * x]) {
                *sum += value / f64::from(n);
            }
        }
        // Five standard deviations of each mean.
        for (sum, (expected, deviation)) in sums.iter().zip([(0.5, 0.29), (1.0 / 3.0, 0.3), (1.0, 1.0), (2.0, 4.5)]) {
            assert!((sum - expected).abs() < 5.0 * deviation / f64::from(n).sqrt(), "{sum} for {expected}");
        }
    }
}
