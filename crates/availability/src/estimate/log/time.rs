//! Instants in any form of ISO 8601.

use crate::Error;

const DAY: i64 = 86_400;
/// 1970-01-01 as days since 0000-03-01 of the proleptic Gregorian calendar.
const EPOCH: i64 = 719_468;

/// The nanoseconds since 1970-01-01T00:00:00Z of an instant in ISO 8601.
///
/// Date: `2026-11-29`, `20261129`, ordinal `2026-333`, `2026333`, week `2026-W48-7`, `2026W487`; then `T`, `t` or one blank; time:
/// `04`, `04:05`, `0405`, `04:05:06`, `040506`, the last part with a fraction after `.` or `,`, midnight also as `24:00`, a leap
/// second as `23:59:60` (the instant behind it); zone, which must be there: `Z`, `+01`, `+0130`, `+01:30`.
///
/// # Errors
/// If the text is none of these, names no zone, or lies outside of the years 1678 to 2261, which 64 bits of nanoseconds hold.
pub fn instant(text: &str) -> Result<i64, Error> {
    parse(text).map_err(|what| {
        Error::new(
            format!("{text:?} is no instant: {what}"),
            "write ISO 8601 with a zone, such as 2026-11-29T04:05:06.25Z or ...+01:00",
        )
    })
}

fn parse(text: &str) -> Result<i64, &'static str> {
    let text = text.trim();
    let at = text.find(['T', 't', ' ']).ok_or("there is no time of day")?;
    let (date, rest) = (&text[..at], &text[at + 1..]);
    let zone = rest.find(['Z', 'z', '+', '-', '\u{2212}']).ok_or("there is no zone")?;
    let (clock, zone) = rest.split_at(zone);
    let days = days(date)?;
    let (seconds, fraction) = clock_time(clock)?;
    let whole = days * DAY + seconds - offset(zone)?;
    whole.checked_mul(1_000_000_000).and_then(|ns| ns.checked_add(fraction)).ok_or("the year is out of range")
}

/// Exactly these digits as a number.
fn digits(text: &str, length: usize) -> Result<i64, &'static str> {
    if text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_err(|_| "a number is too long")
    } else {
        Err("a number has too few or too many digits")
    }
}

fn within(value: i64, low: i64, high: i64, what: &'static str) -> Result<i64, &'static str> {
    if (low..=high).contains(&value) { Ok(value) } else { Err(what) }
}

/// Days since 1970-01-01.
fn days(date: &str) -> Result<i64, &'static str> {
    if !date.is_ascii() || date.len() < 7 {
        return Err("the date is too short");
    }
    let (year, rest) = date.split_at(4);
    let year = within(digits(year, 4)?, 1678, 2261, "the year is out of range")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    if let Some(week) = rest.strip_prefix('W') {
        let (number, day) = week.split_at_checked(2).ok_or("the week is too short")?;
        let number = within(digits(number, 2)?, 1, 53, "there is no such week")?;
        let day = within(digits(day.strip_prefix('-').unwrap_or(day), 1)?, 1, 7, "there is no such day of the week")?;
        // Week 1 holds 4 January; 1970-01-01 was a Thursday.
        let fourth = civil(year, 1, 4);
        let monday = fourth - (fourth + 3).rem_euclid(7);
        return Ok(monday + 7 * (number - 1) + day - 1);
    }
    if rest.len() == 3 {
        let length = civil(year + 1, 1, 1) - civil(year, 1, 1);
        return Ok(civil(year, 1, 1) + within(digits(rest, 3)?, 1, length, "there is no such day of the year")? - 1);
    }
    let (month, day) = rest.split_once('-').or_else(|| rest.split_at_checked(2)).ok_or("the date is too short")?;
    let month = within(digits(month, 2)?, 1, 12, "there is no such month")?;
    let day = digits(day, 2)?;
    let next = if month == 12 { civil(year + 1, 1, 1) } else { civil(year, month + 1, 1) };
    Ok(civil(year, month, 1) + within(day, 1, next - civil(year, month, 1), "there is no such day in the month")? - 1)
}

/// Days since 1970-01-01 of a date (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
const fn civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH
}

/// Seconds since midnight, and nanoseconds besides.
fn clock_time(clock: &str) -> Result<(i64, i64), &'static str> {
    let (whole, fraction) = match clock.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (clock, None),
    };
    let compact: String = whole.split(':').collect();
    let colons = whole.len() - compact.len();
    if !compact.is_ascii() || ![2, 4, 6].contains(&compact.len()) || (colons > 0 && colons != compact.len() / 2 - 1) {
        return Err("the time of day is neither hh:mm:ss nor shorter");
    }
    let part = |k: usize| compact.get(2 * k..2 * k + 2).map_or(Ok(0), |text| digits(text, 2));
    let (hour, minute, second) = (
        within(part(0)?, 0, 24, "there is no such hour")?,
        within(part(1)?, 0, 59, "there is no such minute")?,
        within(part(2)?, 0, 60, "there is no such second")?,
    );
    let unit = [3600, 60, 1][compact.len() / 2 - 1];
    let nanoseconds = fraction.map_or(Ok(0), |fraction| fraction_of(fraction, unit))?;
    let seconds = 3600 * hour + 60 * minute + second;
    if seconds > DAY || (seconds == DAY && hour == 24 && nanoseconds > 0) {
        return Err("the day ends at 24:00");
    }
    Ok((seconds + nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000))
}

/// The nanoseconds of a decimal fraction of so many seconds.
fn fraction_of(digits: &str, seconds: i64) -> Result<i64, &'static str> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("the fraction has no digits");
    }
    let mut scale = seconds * 1_000_000_000;
    let mut sum = 0;
    for digit in digits.bytes() {
        scale /= 10;
        sum += i64::from(digit - b'0') * scale;
    }
    Ok(sum)
}

/// The seconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Result<i64, &'static str> {
    let (sign, rest) = match zone.chars().next() {
        Some('Z' | 'z') if zone.len() == 1 => return Ok(0),
        Some('+') => (1, &zone[1..]),
        Some('-') => (-1, &zone[1..]),
        Some('\u{2212}') => (-1, &zone['\u{2212}'.len_utf8()..]),
        _ => return Err("there is something behind the zone"),
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None => rest.split_at_checked(2).ok_or("the zone is too short")?,
    };
    let minutes = if minutes.is_empty() { 0 } else { within(digits(minutes, 2)?, 0, 59, "there is no such zone")? };
    Ok(sign * (3600 * within(digits(hours, 2)?, 0, 23, "there is no such zone")? + 60 * minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_names_the_same_instant() {
        // 2026-11-29T04:05:06.25Z is 1795925106.25 s (date -u -d).
        for text in [
            "2026-11-29T04:05:06.25Z",
            "2026-11-29t04:05:06,250z",
            "2026-11-29 05:05:06.25+01",
            "20261129T093506.25+0530",
            "2026-333T04:05:06.25Z",
            "2026333T040506.25Z",
            "2026-W48-7T04:05:06.25Z",
            "2026W487T04:05:06.25Z",
            "2026-11-28T22:05:06.25\u{2212}06:00",
            "2026-11-29T04:05.1041666666666Z",
        ] {
            let off = instant(text).unwrap_or_else(|error| panic!("{error}")) - 1_795_925_106_250_000_000;
            assert!(off.abs() < 10, "{text}: {off}");
        }
        assert_eq!(instant("1970-01-01T00Z").expect("valid"), 0);
        assert_eq!(instant("2024-02-29T24:00Z"), instant("2024-03-01T00:00Z"));
        assert_eq!(instant("2016-12-31T23:59:60Z"), instant("2017-01-01T00:00:00Z"));
        assert_eq!(instant("1969-12-31T23:59:59.5Z").expect("valid"), -500_000_000);
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-11-29",
            "2026-11-29T04:05:06",
            "2026-02-29T00:00Z",
            "2026-13-01T00:00Z",
            "2026-00-01T00:00Z",
            "2026-11-29T25:00Z",
            "2026-11-29T24:01Z",
            "2026-11-29T04:60Z",
            "2026-11-29T4:05Z",
            "2026-11-29T04:05:06.Z",
            "2026-366T00:00Z",
            "2026-W54-1T00:00Z",
            "1200-01-01T00:00Z",
            "2026-11-29T04:05+1",
            "2026-11-29T04:05Zx",
            "2026-11-29T04:0506Z",
            "2026-11-29Tü4:05Z",
            "2026-1é-29T04:05Z",
            "2026-11-29T04:05+25:00",
            "Tuesday T 1Z",
        ] {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
