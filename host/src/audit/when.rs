//! Times, as a person writes them and as they are shown: in UTC, by the
//! millisecond.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A moment, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct When(pub i64);

/// A time that nobody understands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a time; write how long ago (90s, 15m, 24h, 7d, 2w), a day (2026-11-25), \
     or a time (2026-11-25T14:30, 2026-11-25T14:30:00+02:00; UTC without an offset)"
)]
pub struct NotATime;

impl When {
    /// This moment.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        Self(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    /// What a person means by this text at this moment.
    pub fn parse(text: &str, now: Self) -> Result<Self, NotATime> {
        let text = text.trim();
        if text == "now" {
            return Ok(now);
        }
        match ago(text) {
            Some(millis) => Ok(Self(now.0.saturating_sub(millis))),
            None => at(text).ok_or(NotATime),
        }
    }

    fn date_time(self) -> OffsetDateTime {
        let nanos = i128::from(self.0) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// In words that a column of a table can hold: to the second, in UTC.
    pub fn short(self) -> String {
        let at = self.date_time();
        let (hour, minute, second) = at.to_hms();
        format!("{} {hour:02}:{minute:02}:{second:02}", at.date())
    }
}

/// RFC 3339, with milliseconds.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.date_time();
        let (hour, minute, second, milli) = at.to_hms_milli();
        let date = at.date();
        write!(f, "{date}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// The milliseconds of `24h` and the like.
fn ago(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    (number >= 0)
        .then_some(number)?
        .checked_mul(seconds * 1_000)
}

/// The moment that a day or a time names.
fn at(text: &str) -> Option<When> {
    let text = text.replacen(' ', "T", 1);
    let (date, clock) = text.split_once('T').unwrap_or((&text, "00:00:00"));
    let offset_at = clock.find(['Z', 'z', '+', '-']).unwrap_or(clock.len());
    let (clock, offset) = clock.split_at_checked(offset_at)?;
    let seconds = if clock.matches(':').count() == 1 {
        ":00"
    } else {
        ""
    };
    let offset = if offset.is_empty() { "Z" } else { offset };
    let whole = format!("{date}T{clock}{seconds}{offset}");
    let at = OffsetDateTime::parse(&whole, &Rfc3339).ok()?;
    let nanos = at.to_offset(UtcOffset::UTC).unix_timestamp_nanos();
    i64::try_from(nanos / 1_000_000).ok().map(When)
}

/// For [`FromStr`]'s users, who ask at this moment.
impl FromStr for When {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        Self::parse(text, Self::now())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let now = When::parse("2026-11-25T12:00:00Z", When(0)).unwrap();
        When::parse(text, now).map_or_else(|_| "no".to_owned(), |when| when.to_string())
    }

    #[test]
    fn times_are_written_as_ages_as_days_or_as_moments() {
        for (text, means) in [
            ("now", "2026-11-25T12:00:00.000Z"),
            ("90s", "2026-11-25T11:58:30.000Z"),
            ("24h", "2026-11-24T12:00:00.000Z"),
            ("7 d", "2026-11-18T12:00:00.000Z"),
            ("2w", "2026-11-11T12:00:00.000Z"),
            ("2026-11-01", "2026-11-01T00:00:00.000Z"),
            ("2026-11-01 14:30", "2026-11-01T14:30:00.000Z"),
            ("2026-11-01T14:30:05.25+02:00", "2026-11-01T12:30:05.250Z"),
            ("2026-11-01T14:30-01:00", "2026-11-01T15:30:00.000Z"),
        ] {
            assert_eq!(shown(text), means, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_an_error() {
        for text in [
            "",
            "h",
            "-1h",
            "24x",
            "1.5h",
            "2026-13-01",
            "yesterday",
            "T",
            "99999999999999w",
            "é",
        ] {
            assert_eq!(shown(text), "no", "{text}");
        }
    }
}
