//! How each server's engine is tied to the loop: bytes to inputs, outputs to effects, rows for people.

mod routing;
mod sip;

use crate::wire::Page;

/// The part of a list of rows behind the place `after`, at most `limit` of them.
fn page<Row>(rows: impl ExactSizeIterator<Item = Row>, after: Option<u64>, limit: u32) -> Page<Row> {
    let start = usize::try_from(after.map_or(0, |after| after.saturating_add(1))).unwrap_or(usize::MAX);
    let end = start.saturating_add(limit as usize).min(rows.len());
    let next = (end < rows.len() && end > start).then(|| end as u64 - 1);
    Page { rows: rows.skip(start).take(limit as usize).collect(), next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let mut after = None;
        let mut all = Vec::new();
        loop {
            let part = page(0..10u8, after, 4);
            all.extend(part.rows);
            after = part.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(all, (0..10).collect::<Vec<u8>>());
    }
}
