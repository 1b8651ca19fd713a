//! A history of hours would fill the memory: what is long over is forgotten, a little with each message. A look at everything at
//! once takes longer than the silences that are to be measured, and the phones are silent as long.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::leg::Leg;
use super::transaction::Transaction;
use super::{History, LegKey, Nanos, TransactionKey};

/// How much longer a leg is kept than its transactions, in nanoseconds: their breaches are told with its ladder.
const LONGER: Nanos = 20_000_000_000;

/// How far the look has come; from `None` it begins anew.
#[derive(Default)]
pub(super) struct Looked {
    transaction: Option<TransactionKey>,
    leg: Option<LegKey>,
}

impl History {
    /// Looks at so many transactions and legs, behind those that were looked at last. What has had no message since `before` and is
    /// not in the middle of a call is ended and forgotten.
    pub fn forget(&mut self, before: Nanos, most: usize) {
        let legs = &self.legs;
        let is_old = |(by_server, ..): &TransactionKey, transaction: &Transaction| {
            let is_over = || legs.get(transaction.leg()).is_none_or(|leg| is_over(leg, before));
            transaction.last_at() < before && (transaction.is_complete(*by_server) || is_over())
        };
        for key in next(&self.transactions, &mut self.looked.transaction, most, is_old) {
            if let Some(transaction) = self.transactions.remove(&key)
                && let Some(rule) = transaction.left_open(key.0)
            {
                self.report_left(rule, transaction.leg());
            }
        }
        let long_before = before.saturating_sub(LONGER);
        for key in next(&self.legs, &mut self.looked.leg, most, |_, leg| is_over(leg, long_before)) {
            self.tell_all(&key);
            self.legs.remove(&key);
        }
    }
}

fn is_over(leg: &Leg, before: Nanos) -> bool {
    leg.last_at() < before && !leg.is_live()
}

/// The old ones of so many behind a key, which becomes the last of them; none behind the last of all.
fn next<K: Ord + Clone, V>(
    map: &BTreeMap<K, V>,
    looked: &mut Option<K>,
    most: usize,
    is_old: impl Fn(&K, &V) -> bool,
) -> Vec<K> {
    let from = looked.take().map_or(Bound::Unbounded, Bound::Excluded);
    let (mut old, mut last) = (Vec::new(), None);
    for (key, value) in map.range((from, Bound::Unbounded)).take(most) {
        last = Some(key);
        if is_old(key, value) {
            old.push(key.clone());
        }
    }
    *looked = last.cloned();
    old
}
