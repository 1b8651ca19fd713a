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
    fn the_table_is_straight() {
        let table = markdown(&["a", "long"], &[["name".into(), "1".into()]]);
        assert_eq!(table, "| a    | long |\n| ---- | ---: |\n| name |    1 |\n");
    }
}
