//! Numbers as people read them.

use super::{Language, YEAR_MINUTES};

/// Three significant digits without a power of ten, where that is short enough.
#[must_use]
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    if !(1e-5..1e7).contains(&size) {
        return format!("{value:.2e}");
    }
    // The power of ten after rounding: 9.999 is 10.0.
    let rounded = format!("{value:.2e}");
    let power: i32 = rounded.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    format!("{value:.*}", (2 - power).max(0) as usize)
}

/// An availability in per cent from the unavailability, with two digits of what is missing from 100 %.
#[must_use]
pub fn percent(unavailability: f64) -> String {
    if unavailability <= 0.0 {
        return "100 %".to_owned();
    }
    let missing = 100.0 * unavailability;
    let digits = (1.0 - missing.log10().floor()).clamp(0.0, 15.0) as usize;
    format!("{:.digits$} %", 100.0 - missing)
}

/// A share, in per cent.
#[must_use]
pub fn share(share: f64) -> String {
    match 100.0 * share {
        0.0 => "0 %".to_owned(),
        small if small.abs() < 0.05 => "< 0.1 %".to_owned(),
        share => format!("{share:.1} %"),
    }
}

/// A time in minutes, in the unit in which it is read most easily.
#[must_use]
pub fn duration(minutes: f64, language: Language) -> String {
    let seconds = minutes * 60.0;
    let [ms, s, min, h, d] = units(language);
    match seconds {
        _ if seconds == 0.0 => "0".to_owned(),
        _ if seconds < 0.9995 => format!("{} {ms}", short(seconds * 1e3)),
        _ if seconds < 59.95 => format!("{} {s}", short(seconds)),
        _ if minutes < 59.95 => format!("{} {min}", short(minutes)),
        _ if minutes < 2_880.0 => {
            let tenths = (minutes * 10.0).round();
            let (hours, rest) = ((tenths / 600.0).floor(), (tenths % 600.0) / 10.0);
            if rest == 0.0 { format!("{hours} {h}") } else { format!("{hours} {h} {rest} {min}") }
        }
        _ if minutes < 2.0 * YEAR_MINUTES => format!("{} {d}", short(minutes / 1_440.0)),
        _ => format!("{} {}", short(minutes / YEAR_MINUTES), language.pick("years", "年")),
    }
}

/// Milliseconds, seconds, minutes, hours and days.
pub(super) const fn units(language: Language) -> [&'static str; 5] {
    match language {
        Language::English => ["ms", "s", "min", "h", "d"],
        Language::Chinese => ["毫秒", "秒", "分钟", "小时", "天"],
    }
}

/// A rate per hour, in the unit in which it is read most easily.
#[must_use]
pub fn rate(per_hour: f64, language: Language) -> String {
    let year = language.pick("year", "年");
    let [_, s, _, h, _] = units(language);
    match per_hour {
        _ if per_hour * 8_760.0 < 2_000.0 => format!("{}/{year}", short(per_hour * 8_760.0)),
        _ if per_hour < 2_000.0 => format!("{}/{h}", short(per_hour)),
        _ => format!("{}/{s}", short(per_hour / 3_600.0)),
    }
}

/// An elasticity, or a sensitivity: with its sign, to four digits behind the point.
#[must_use]
pub fn elasticity(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) if value.abs() < 5e-5 => "≈ 0".to_owned(),
        Some(value) => format!("{value:+.4}"),
    }
}

/// A value in one of the units that parameters have.
#[must_use]
pub fn value_with_unit(value: f64, unit: &str, language: Language) -> String {
    let text = match unit {
        "h" => duration(value * 60.0, language),
        "1/h" => rate(value, language),
        "1" => short_share(value),
        _ => format!("{} {unit}", short(value)),
    };
    without_zeros(&text)
}

/// The text without zeros at the end of the number that it begins with: what somebody chose has no more digits than it needs.
fn without_zeros(text: &str) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if unit.starts_with('e') || !number.contains('.') {
        return text.to_owned();
    }
    format!("{}{unit}", number.trim_end_matches('0').trim_end_matches('.'))
}

/// A plain number; one just below 1 keeps two digits of what is missing.
fn short_share(value: f64) -> String {
    if value > 0.99 && value < 1.0 {
        let digits = (1.0 - (1.0 - value).log10().floor()).clamp(0.0, 15.0) as usize;
        return format!("{value:.digits$}");
    }
    let text = short(value);
    if value.fract() == 0.0 && value.abs() < 1e7 { format!("{value}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_say_them() {
        let cases = [
            (short(5.2563), "5.26"),
            (short(0.000_345_67), "0.000346"),
            (short(1234.5), "1234"),
            (short(9.9996), "10.0"),
            (short(1e-9), "1.00e-9"),
            (percent(1e-5), "99.9990 %"),
            (percent(1.23e-6), "99.99988 %"),
            (percent(0.5), "50 %"),
            (percent(0.0), "100 %"),
            (share(0.1234), "12.3 %"),
            (share(1e-5), "< 0.1 %"),
            (duration(525.6, Language::English), "8 h 45.6 min"),
            (duration(52.56, Language::English), "52.6 min"),
            (duration(0.25, Language::English), "15.0 s"),
            (duration(0.155 / 60.0, Language::English), "155 ms"),
            (duration(119.99, Language::English), "2 h"),
            (duration(5_000.0, Language::English), "3.47 d"),
            (duration(525_600.0, Language::English), "365 d"),
            (duration(525.6, Language::Chinese), "8 小时 45.6 分钟"),
            (duration(0.155 / 60.0, Language::Chinese), "155 毫秒"),
            (rate(6.0 / 8_760.0, Language::English), "6.00/year"),
            (rate(6.0 / 8_760.0, Language::Chinese), "6.00/年"),
            (rate(2.0 * 3_600.0, Language::English), "2.00/s"),
            (rate(2.0 * 3_600.0, Language::Chinese), "2.00/秒"),
            (value_with_unit(0.9959, "1", Language::English), "0.9959"),
            (value_with_unit(0.5, "h", Language::English), "30 min"),
            (value_with_unit(0.5, "h", Language::Chinese), "30 分钟"),
            (value_with_unit(40.0 * 8_760.0, "h", Language::English), "40 years"),
            (value_with_unit(40.0 * 8_760.0, "h", Language::Chinese), "40 年"),
            (value_with_unit(12.0 / 8_760.0, "1/h", Language::English), "12/year"),
            (elasticity(Some(-0.25)), "-0.2500"),
            (elasticity(Some(1e-9)), "≈ 0"),
            (value_with_unit(3.0, "1", Language::English), "3"),
            (value_with_unit(0.05, "1", Language::English), "0.05"),
        ];
        for (text, expected) in cases {
            assert_eq!(text, expected);
        }
    }
}
