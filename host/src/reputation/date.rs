//! Points in time, as registries write them.

use std::time::{SystemTime, UNIX_EPOCH};

/// The seconds since 1970 of a date and time such as `2026-07-28T10:00:00.000Z`; what
/// it says of the time zone does not matter for ages in days.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let (date, time) = text.split_at_checked(10)?;
    let mut date = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut time = time.get(1..9).unwrap_or_default().split(':');
    let mut part = || {
        time.next()
            .and_then(|it| it.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let of_day = part() * 3600 + part() * 60 + part();
    // Years that begin in March end with the day that only some have.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + of_day)
}

/// Now, in seconds since 1970.
pub(super) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_seconds_since_1970() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-28T23:59:59.123Z", Some(951_782_399)),
            ("2024-02-29T00:00:00+00:00", Some(1_709_164_800)),
            ("2026-11-25", Some(1_795_564_800)),
            ("yesterday", None),
            ("2026-13-01T00:00:00Z", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
