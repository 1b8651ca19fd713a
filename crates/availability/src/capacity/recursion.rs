//! Erlang B and C for any scalar, by recursion: with derivatives, with bounds, with thirty digits. So models have them.

use crate::Scalar;

/// The most servers that are counted one by one.
pub(crate) const MOST_COUNTED: u32 = 100_000;
/// A share whose inverse is larger is taken for 0, before anything underflows.
const LARGEST_INVERSE: f64 = 1e250;

/// The number of servers that this value is; nothing if it is none, or too large.
pub(crate) fn counted(servers: f64) -> Option<u32> {
    let is_count = servers.fract() == 0.0 && (0.0..=f64::from(MOST_COUNTED)).contains(&servers);
    is_count.then_some(servers as u32)
}

/// How many roundings of their arithmetic [`refused_share`] and [`waiting_share`] can be off by, relative to themselves, a
/// quotient having four: six for each step of the recursion, sixteen for the rest.
pub(crate) fn roundings(servers: u32) -> f64 {
    6.0 * f64::from(servers) + 16.0
}

/// B(n, a), the share of calls that n servers refuse ([`super::erlang_b`]): all of them without a server, none without
/// traffic. What is below 1e-250 is 0; of what is no traffic it is no number.
///
/// `1/B(k) = 1 + k/a * 1/B(k-1)` has positive terms only.
pub(crate) fn refused_share<T: Scalar>(servers: u32, traffic: T) -> T {
    let offered = traffic.value();
    if !(offered >= 0.0 && offered.is_finite()) {
        return T::from(f64::NAN);
    }
    if offered == 0.0 {
        // The same recursion for B itself, so that derivatives come along; from the third step on they are 0 to the second.
        return (1..=servers.min(3)).fold(T::ONE, |share, server| {
            let carried = traffic * share;
            carried / (T::from(f64::from(server)) + carried)
        });
    }
    let mut inverse = T::ONE;
    for server in 1..=servers {
        inverse = T::ONE + T::from(f64::from(server)) / traffic * inverse;
        if inverse.value() > LARGEST_INVERSE {
            return T::ZERO;
        }
    }
    T::ONE / inverse
}

/// C(n, a), the share of callers who wait for one of n servers ([`super::ErlangC::waiting_share`]):
/// `n B / ((n - a) + a B)`. Where the traffic is as much as the servers or more the queue grows without end, and all wait.
pub(crate) fn waiting_share<T: Scalar>(servers: u32, traffic: T) -> T {
    let all = T::from(f64::from(servers));
    if traffic.value() >= all.value() {
        return T::ONE;
    }
    let refused = refused_share(servers, traffic);
    all * refused / ((all - traffic) + traffic * refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dual;
    use crate::capacity::{ErlangC, erlang_b, erlang_b_slope};
    use crate::structure::Bounded;

    #[test]
    fn the_recursion_gives_what_the_closed_forms_give() {
        for (servers, traffic) in [(1_u32, 1.0), (10, 5.0), (50, 40.0), (100, 50.0), (3, 700.0)] {
            let found: Dual = refused_share(servers, Dual::variable(traffic));
            let (share, slope) = (erlang_b(servers.into(), traffic), erlang_b_slope(servers.into(), traffic));
            let near = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
            near(found.value, share.expect("valid"));
            near(found.slope, slope.expect("valid"));
            if traffic < f64::from(servers) {
                let waiting = ErlangC::new(servers.into(), traffic, 1.0).expect("valid").waiting_share();
                near(waiting_share(servers, traffic), waiting);
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_have_their_values() {
        assert_eq!([refused_share(0, 5.0), waiting_share(0, 5.0), waiting_share(3, 3.0)], [1.0; 3]);
        assert_eq!([refused_share(4, 0.0), waiting_share(4, 0.0)], [0.0; 2]);
        // B(1, a) = a/(1 + a).
        assert_eq!(refused_share(1, Dual::variable(0.0)), Dual { value: 0.0, slope: 1.0 });
        // Below 1e-250; and no traffic.
        assert_eq!(refused_share(1000, 1.0), 0.0);
        let none = [refused_share(3, -1.0), waiting_share(3, -1.0), refused_share(3, f64::NAN)];
        assert!(none.into_iter().all(f64::is_nan), "{none:?}");
        assert_eq!([counted(4.0), counted(4.5), counted(-1.0), counted(1e9)], [Some(4), None, None, None]);
    }

    #[test]
    fn the_bound_of_a_load_that_is_not_known_exactly_holds_and_stays_small() {
        // 100 servers refuse 1000 Erlang: most of the recursion is near 1.
        let found = refused_share(100, Bounded { value: 1000.0, error: 1e-3 });
        let moved = (refused_share(100, 1000.001) - refused_share(100, 999.999)) / 2.0;
        assert!(found.error >= moved && found.error < 1.1 * moved, "{found:?} {moved:e}");
    }
}
