//! Figures as people read them: percentiles, and tables in Markdown.

/// A table in Markdown that is also straight in a terminal; each row has as many cells as the head.
#[must_use]
pub fn markdown<R: AsRef<[String]>>(head: &[&str], rows: &[R]) -> String {
    let width = |(column, name): (usize, &&str)| {
        let cells = rows.iter().filter_map(|row| row.as_ref().get(column)).map(|cell| cell.chars().count());
        cells.chain([name.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = head.iter().enumerate().map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let rule =
        |(column, width): (usize, &usize)| "-".repeat(width.saturating_sub(1)) + if column == 0 { "-" } else { ":" };
    let rules: Vec<String> = widths.iter().enumerate().map(rule).collect();
    let mut text = line(&mut head.iter().copied());
    text.push_str(&line(&mut rules.iter().map(String::as_str)));
    for row in rows {
        text.push_str(&line(&mut row.as_ref().iter().map(String::as_str)));
    }
    text
}

/// The smallest value that `part` of 100 do not exceed; 0 of nothing.
#[must_use]
pub fn percentile(values: &[u64], part: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * part).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

/// The point that a normal variable exceeds in one of a hundred cases.
const ONE_PERCENT: f64 = 2.326;

/// Whether `values` are larger than `others`, by more than chance does to one of a hundred pairs of samples that do not differ: the
/// one-sided rank test of Mann and Whitney (1947), by the normal approximation with continuity correction. Samples of less than
/// five values each cannot show it.
#[must_use]
pub fn exceeds(values: &[u64], others: &[u64]) -> bool {
    let pairs = values.iter().flat_map(|value| others.iter().map(move |other| value.cmp(other)));
    let u: f64 = pairs.map(|order| f64::from(order as i8 + 1) / 2.0).sum();
    let (n, m) = (values.len() as f64, others.len() as f64);
    u - n * m / 2.0 - 0.5 > ONE_PERCENT * (n * m * (n + m + 1.0) / 12.0).sqrt()
}

/// Microseconds as milliseconds, to a hundredth.
#[must_use]
pub fn millis(micros: u64) -> String {
    format!("{:.2}", micros as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!([0, 50, 99, 100].map(|part| percentile(&hundred, part)), [1, 50, 99, 100]);
        assert_eq!(percentile(&[7], 99), 7);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn samples_are_told_apart_as_tables_of_the_test_say() {
        // n = m = 10: by the tables the number of pairs is in the upper hundredth from 81 on, by the approximation from 82 on.
        let others: Vec<u64> = (0..10).map(|at| 10 * at).collect();
        let above =
            |pairs: u64| -> Vec<u64> { (0..10).map(|at| 10 * (pairs / 10 + u64::from(at < pairs % 10)) - 5).collect() };
        assert!(exceeds(&above(82), &others) && !exceeds(&above(81), &others));
        assert!(!exceeds(&others, &others) && !exceeds(&[], &others) && !exceeds(&[9], &[]));
        assert!(exceeds(&[6, 7, 8, 9, 10], &[1, 2, 3, 4, 5]) && !exceeds(&[5, 6, 7, 8], &[1, 2, 3, 4]));
    }

    #[test]
    fn the_table_is_straight() {
        let table = markdown(&["a", "long"], &[["name".into(), "1".into()]]);
        assert_eq!(table, "| a    | long |\n| ---- | ---: |\n| name |    1 |\n");
    }
}
