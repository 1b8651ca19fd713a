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

/// How likely it is that `values` come out as much larger than `others` as they do, or more, if both are of one kind: the one-sided
/// rank test of Mann and Whitney (1947), by the normal approximation with continuity correction. Where values are equal it is
/// rather less likely than that. 1 if there is nothing to compare.
#[must_use]
pub fn chance_to_exceed(values: &[u64], others: &[u64]) -> f64 {
    if values.is_empty() || others.is_empty() {
        return 1.0;
    }
    let pairs = values.iter().flat_map(|value| others.iter().map(move |other| value.cmp(other)));
    let u: f64 = pairs.map(|order| f64::from(order as i8 + 1) / 2.0).sum();
    let (n, m) = (values.len() as f64, others.len() as f64);
    normal_tail((u - n * m / 2.0 - 0.5) / (n * m * (n + m + 1.0) / 12.0).sqrt())
}

/// Coefficients of [`normal_tail`], from the constant one up.
const TAIL: [f64; 10] = [
    -1.265_512_23,
    1.000_023_68,
    0.374_091_96,
    0.096_784_18,
    -0.186_288_06,
    0.278_868_07,
    -1.135_203_98,
    1.488_515_87,
    -0.822_152_23,
    0.170_872_77,
];

/// How likely it is that a normal variable exceeds `point`, to 1.2e-7 of that: half the complementary error function of
/// `point / sqrt(2)`, by the approximation of Press et al., Numerical Recipes, section 6.2 (`erfcc`).
fn normal_tail(point: f64) -> f64 {
    let x = point.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + x / 2.0);
    let exponent = TAIL.iter().rev().fold(0.0_f64, |sum, coefficient| sum * t + coefficient) - x * x;
    let tail = t * exponent.exp() / 2.0;
    if point < 0.0 { 1.0 - tail } else { tail }
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
        assert!(chance_to_exceed(&above(82), &others) < 0.01 && chance_to_exceed(&above(81), &others) > 0.01);
        assert!(chance_to_exceed(&others, &others) > 0.5);
        assert!([chance_to_exceed(&[], &others), chance_to_exceed(&[9], &[])].iter().all(|chance| *chance >= 1.0));
        // Fewer than five values each cannot show it to a hundredth, whatever they are.
        assert!(chance_to_exceed(&[6, 7, 8, 9, 10], &[1, 2, 3, 4, 5]) < 0.01);
        assert!(chance_to_exceed(&[5, 6, 7, 8], &[1, 2, 3, 4]) > 0.01);
    }

    #[test]
    fn the_tail_of_the_normal_law_is_that_of_its_tables() {
        for (point, tail) in [
            (0.0, 0.5),
            (1.0, 0.158_655_253_9),
            (-1.0, 0.841_344_746_1),
            (2.326, 0.010_009_275_3),
            (6.0, 9.865_876_5e-10),
        ] {
            assert!((normal_tail(point) / tail - 1.0).abs() < 1.3e-7, "{point}: {}", normal_tail(point));
        }
    }

    #[test]
    fn the_table_is_straight() {
        let table = markdown(&["a", "long"], &[["name".into(), "1".into()]]);
        assert_eq!(table, "| a    | long |\n| ---- | ---: |\n| name |    1 |\n");
    }
}
