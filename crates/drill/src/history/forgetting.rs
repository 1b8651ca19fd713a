//! A history of hours would fill the memory: what is long over is forgotten, a little with each message. A look at everything at
//! once takes longer than the silences that are to be measured, and the phones are silent as long.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::leg::Leg;
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
        for key in next(&self.transactions, &mut self.looked.transaction, most) {
            let Some(transaction) = self.transactions.get(&key) else { continue };
            let is_over = |leg: &LegKey| self.legs.get(leg).is_none_or(|leg| is_over(leg, before));
            let (by_server, ..) = key;
            if transaction.last_at() < before && (transaction.is_complete(by_server) || is_over(transaction.leg())) {
                let (rule, leg) = (transaction.left_open(by_server), transaction.leg().clone());
                self.transactions.remove(&key);
                if let Some(rule) = rule {
                    self.report_left(rule, &leg);
                }
            }
        }
        for key in next(&self.legs, &mut self.looked.leg, most) {
            if self.legs.get(&key).is_some_and(|leg| is_over(leg, before.saturating_sub(LONGER))) {
                self.legs.remove(&key);
            }
        }
    }
}

fn is_over(leg: &Leg, before: Nanos) -> bool {
    leg.last_at() < before && !leg.is_live()
}

/// So many keys behind this one, which becomes the last of them; none behind the last key of all.
fn next<K: Ord + Clone, V>(map: &BTreeMap<K, V>, looked: &mut Option<K>, most: usize) -> Vec<K> {
    let from = looked.take().map_or(Bound::Unbounded, Bound::Excluded);
    let keys: Vec<K> = map.range((from, Bound::Unbounded)).map(|(key, _)| key).take(most).cloned().collect();
    *looked = keys.last().cloned();
    keys
}
