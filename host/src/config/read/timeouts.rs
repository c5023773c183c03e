//! How long answers may take, by method or by tool.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::methods;
use crate::config::Timeouts;
use crate::config::error::Problem;
use crate::config::field::Field;
use crate::config::section::Section;

/// What any of these times can be: a person may take hours, a batch job days.
pub(super) const RANGE: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(7 * 24 * 3600);

/// Times by method or `prefix/*`. One that nothing can match is an error.
pub(super) fn by_method(section: Section<'_>) -> Timeouts {
    read(section, |field, pattern| {
        if pattern == "*" {
            field.error(Problem::NeverMatches {
                what: field.what(),
                found: pattern,
                remedy: "\"request_timeout\" is for all".to_owned(),
            });
            return None;
        }
        methods::checked(field.reading, field.at, field.what(), pattern)
    })
}

/// Times by tool, as the server calls it, or by the start of its name and `*`.
pub(super) fn by_tool(section: Section<'_>) -> Timeouts {
    read(section, |field, pattern| {
        let start = pattern.strip_suffix('*').unwrap_or(&pattern);
        if !start.is_empty() && !start.contains('*') {
            return Some(pattern);
        }
        field.error(Problem::NeverMatches {
            what: field.what(),
            found: pattern,
            remedy: "write a tool's name, or the start of one and a \"*\"; \"timeout\" is for all"
                .to_owned(),
        });
        None
    })
}

fn read(section: Section<'_>, checked: impl Fn(&Field<'_>, String) -> Option<String>) -> Timeouts {
    let times = section.into_fields().into_iter();
    let time = |(pattern, field): (String, Field<'_>)| {
        let pattern = checked(&field, pattern);
        let time = field.duration(RANGE);
        Some((pattern?, time?))
    };
    Timeouts(times.filter_map(time).collect())
}
