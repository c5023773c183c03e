//! `audit query` and `audit tail`: calls as rows, objects or values with commas.

use std::io::Write;
use std::time::Duration;

use serde_json::Value;

use super::call::{Call, Content};
use super::csv;
use super::failure::AuditError;
use super::filter::Filter;
use super::plain;
use super::reading::{Order, Reading, Wanted};
use super::table::{self, Column};
use super::{Format, Tail};

/// How much of a text is looked at for a cell of a table.
const CELL: usize = 400;

/// How often a follower looks for new records.
const PACE: Duration = Duration::from_millis(200);

const COLUMNS: [Column<'static>; 9] = [
    Column::number("ID"),
    Column::words("TIME (UTC)"),
    Column::text("CLIENT"),
    Column::text("SERVER"),
    Column::text("WHAT"),
    Column::words("OUTCOME"),
    Column::number("MS"),
    Column::text("FOUND"),
    Column::text("ARGUMENTS, REASON"),
];

/// Prints calls.
pub(super) fn query(
    reading: &Reading,
    wanted: Wanted<'_>,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), AuditError> {
    match format {
        Format::Table => {
            let mut rows = Vec::new();
            reading.each(wanted, &mut |call| {
                rows.push(row(&call));
                Ok(())
            })?;
            if rows.is_empty() {
                writeln!(out, "no calls")?;
                return Ok(());
            }
            out.write_all(table::render(&COLUMNS, &rows, table::terminal()).as_bytes())?;
        }
        Format::Json => {
            reading.each(wanted, &mut |call| object(&call, out))?;
        }
        Format::Csv => {
            let mut rows = csv::Rows::begin(out)?;
            reading.each(wanted, &mut |call| rows.call(&call))?;
            rows.end()?;
        }
    }
    Ok(())
}

/// Prints the latest calls, and goes on with those that come if it follows.
pub(super) fn tail(
    reading: &Reading,
    filter: &Filter,
    options: Tail,
    out: &mut dyn Write,
) -> Result<(), AuditError> {
    let show = |call: &Call, out: &mut dyn Write| match options.is_json {
        true => object(call, out),
        false => Ok(writeln!(out, "{}", line(call))?),
    };
    let mut last = reading.last()?;
    let mut calls = Vec::new();
    let latest = Wanted {
        order: Order::Latest,
        limit: options.lines,
        ..Wanted::all(filter)
    };
    reading.each(latest, &mut |call| {
        calls.push(call);
        Ok(())
    })?;
    for call in calls.iter().rev() {
        show(call, out)?;
    }
    out.flush()?;
    reading.release()?;
    if !options.follows {
        return Ok(());
    }
    loop {
        std::thread::sleep(PACE);
        reading.look()?;
        let newest = reading.last()?;
        if newest > last {
            let new = Wanted {
                range: last + 1..=newest,
                ..Wanted::all(filter)
            };
            reading.each(new, &mut |call| show(&call, out))?;
            out.flush()?;
            last = newest;
        }
        reading.release()?;
    }
}

/// A call as an object on a line.
pub(super) fn object(call: &Call, out: &mut dyn Write) -> Result<(), AuditError> {
    Ok(out.write_all(object_line(&call.json()).as_bytes())?)
}

/// A value on a line, which no terminal acts upon.
pub(super) fn object_line(value: &Value) -> String {
    format!("{}\n", plain::json(&value.to_string()))
}

fn row(call: &Call) -> Vec<String> {
    vec![
        call.seq.to_string(),
        call.time.short(),
        call.who(),
        call.server.clone().unwrap_or_default(),
        call.what(),
        call.outcome.clone(),
        millis(call.duration),
        found(call),
        gist(call),
    ]
}

/// A call as a line that stands alone.
fn line(call: &Call) -> String {
    let words = [
        call.seq.to_string(),
        call.time.short(),
        call.server.clone().unwrap_or_else(|| "-".to_owned()),
        call.what(),
        call.outcome.clone(),
        format!("{} ms", millis(call.duration)),
        found(call),
        gist(call),
    ];
    let words = words.iter().filter(|word| !word.is_empty());
    let line = words.map(|word| plain::line(word).into_owned());
    table::cut(&line.collect::<Vec<_>>().join("  "), table::terminal())
}

/// The rules that fired, with a count where it is more than one.
fn found(call: &Call) -> String {
    let rules = call.rules().into_iter().map(|(rule, count)| match count {
        1 => rule,
        _ => format!("{rule} ×{count}"),
    });
    rules.collect::<Vec<_>>().join(", ")
}

/// Why it did not end well, else what was asked.
fn gist(call: &Call) -> String {
    let Content { text, .. } = &call.arguments;
    let text = call.reason.as_ref().or(text.as_ref());
    text.map(|text| text.chars().take(CELL).collect())
        .unwrap_or_default()
}

/// Microseconds as milliseconds.
pub(super) fn millis(micros: i64) -> String {
    format!("{}.{}", micros / 1000, micros % 1000 / 100)
}
