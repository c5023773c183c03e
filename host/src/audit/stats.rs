//! `audit stats`: how many calls, blocks and findings there were, of what and when,
//! and how long calls took.

use std::collections::BTreeMap;
use std::io::Write;

use rusqlite::{Connection, Row};
use serde_json::{Value, json};

use super::failure::AuditError;
use super::filter::Filter;
use super::plain;
use super::query::millis;
use super::reading::{Reading, Wanted};
use super::table::{self, Column};
use super::when::When;
use crate::plural::counted;

/// What is read of each record.
const READ: &str = "seq, time, coalesce(server, '-'), CASE WHEN method = 'tools/call' \
     THEN coalesce(subject, method) ELSE method END, outcome, duration, kind";

/// The rules that fired in a record, and how often each.
const FOUND: &str = "SELECT guardrail || '/' || rule, sum(count) FROM findings \
     WHERE seq = ? GROUP BY 1";

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// For how many hours each has a line of its own.
const HOURS: i64 = 48;

/// How many lines a table has; what is rarer is left out.
const TOP: usize = 20;

/// How wide the longest bar is.
const BAR: usize = 40;

/// What there was of a kind.
#[derive(Default)]
struct Group {
    calls: usize,
    blocked: usize,
    /// That ended badly otherwise.
    failed: usize,
    findings: i64,
    durations: Vec<i64>,
}

#[derive(Default)]
struct Stats {
    all: Group,
    hours: BTreeMap<i64, Group>,
    tools: BTreeMap<(String, String), Group>,
    servers: BTreeMap<String, Group>,
    outcomes: BTreeMap<String, usize>,
    /// How often each was found, and in how many calls.
    rules: BTreeMap<String, (i64, i64)>,
}

/// Prints the numbers of the calls that meet a condition.
pub(super) fn stats(
    reading: &Reading,
    filter: &Filter,
    is_json: bool,
    out: &mut dyn Write,
) -> Result<(), AuditError> {
    let mut stats = Stats::of(reading, filter)?;
    if is_json {
        writeln!(out, "{}", plain::json(&format!("{:#}", stats.json())))?;
        return Ok(());
    }
    stats.print(out)
}

impl Stats {
    fn of(reading: &Reading, filter: &Filter) -> Result<Self, AuditError> {
        let mut stats = Self::default();
        reading.rows(READ, Wanted::all(filter), &mut |database, row| {
            reading.ok(stats.read(database, row))
        })?;
        Ok(stats)
    }

    /// Counts a row of [`READ`].
    fn read(&mut self, database: &Connection, row: &Row<'_>) -> rusqlite::Result<()> {
        if row.get_ref(6)?.as_str()? != "call" {
            return Ok(());
        }
        let mut findings = 0;
        let mut found = database.prepare_cached(FOUND)?;
        let mut found = found.query([row.get::<_, i64>(0)?])?;
        while let Some(rule) = found.next()? {
            let count: i64 = rule.get(1)?;
            let (all, calls) = self.rules.entry(rule.get(0)?).or_default();
            *all += count;
            *calls += 1;
            findings += count;
        }
        let what = (row.get(2)?, row.get(3)?);
        self.add(row.get(1)?, what, row.get(4)?, row.get(5)?, findings);
        Ok(())
    }

    fn add(
        &mut self,
        time: i64,
        (server, what): (String, String),
        outcome: String,
        duration: i64,
        findings: i64,
    ) {
        for group in [
            &mut self.all,
            self.hours.entry(time.div_euclid(HOUR) * HOUR).or_default(),
            self.servers.entry(server.clone()).or_default(),
            self.tools.entry((server, what)).or_default(),
        ] {
            group.calls += 1;
            match outcome.as_str() {
                "ok" => {}
                "blocked" => group.blocked += 1,
                _ => group.failed += 1,
            }
            group.findings += findings;
            group.durations.push(duration);
        }
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    fn print(&mut self, out: &mut dyn Write) -> Result<(), AuditError> {
        let (Some((&first, _)), Some((&last, _))) =
            (self.hours.first_key_value(), self.hours.last_key_value())
        else {
            writeln!(out, "no calls")?;
            return Ok(());
        };
        let outcomes = self.outcomes.iter();
        let outcomes = outcomes.map(|(outcome, count)| format!("{count} {outcome}"));
        let outcomes = outcomes.collect::<Vec<_>>().join(", ");
        let calls = counted(self.all.calls, "call");
        writeln!(out, "{calls}: {}\n", plain::line(&outcomes))?;
        let unit = if (last - first) / HOUR < HOURS {
            HOUR
        } else {
            DAY
        };
        self.chart(unit, out)?;
        let terminal = table::terminal();
        let mut print = |kind, rows: Vec<_>| {
            let text = table::render(&columns(kind), &rows, terminal);
            writeln!(out, "\n{text}").map(drop)
        };
        let tools = std::mem::take(&mut self.tools).into_iter();
        let tools = tools.map(|((server, what), group)| (format!("{server}: {what}"), group));
        print("TOOL OR METHOD", top(tools.collect()))?;
        let servers = std::mem::take(&mut self.servers).into_iter();
        print("SERVER", top(servers.collect()))?;
        if !self.rules.is_empty() {
            let columns = [
                Column::text("RULE"),
                Column::number("FOUND"),
                Column::number("CALLS"),
            ];
            let rules = self.rules().into_iter().take(TOP);
            let rows = rules.map(|(rule, (found, calls))| {
                vec![rule.clone(), found.to_string(), calls.to_string()]
            });
            let rows: Vec<_> = rows.collect();
            writeln!(out, "\n{}", table::render(&columns, &rows, terminal))?;
        }
        Ok(())
    }

    /// The rules, those that were found most often first.
    fn rules(&self) -> Vec<(&String, (i64, i64))> {
        let mut rules: Vec<_> = self.rules.iter().map(|(rule, it)| (rule, *it)).collect();
        rules.sort_by_key(|(_, (found, _))| std::cmp::Reverse(*found));
        rules
    }

    /// A bar for each hour or day; blocked calls at its end.
    fn chart(&self, unit: i64, out: &mut dyn Write) -> Result<(), AuditError> {
        let mut bars: BTreeMap<i64, (usize, usize)> = BTreeMap::new();
        for (hour, group) in &self.hours {
            let (calls, blocked) = bars.entry(hour.div_euclid(unit) * unit).or_default();
            *calls += group.calls;
            *blocked += group.blocked;
        }
        let most = bars.values().map(|(calls, _)| *calls).max().unwrap_or(1);
        for (time, (calls, blocked)) in bars {
            let length = |count: usize| (count * BAR).div_ceil(most.max(1));
            let (whole, dark) = (length(calls), length(blocked));
            let bar = "█".repeat(whole.saturating_sub(dark)) + &"░".repeat(dark);
            let width = if unit == HOUR { 16 } else { 10 };
            let time: String = When(time).short().chars().take(width).collect();
            let blocked = match blocked {
                0 => String::new(),
                count => format!(", {count} blocked"),
            };
            writeln!(out, "{time}  {bar} {calls}{blocked}")?;
        }
        Ok(())
    }

    fn json(&mut self) -> Value {
        let rules = self.rules().into_iter();
        let rules = rules
            .map(|(rule, (count, calls))| json!({ "rule": rule, "count": count, "calls": calls }));
        let rules: Vec<_> = rules.collect();
        let hours = self.hours.iter_mut();
        let hours = hours.map(|(time, group)| group.json("hour", When(*time).to_string()));
        let tools = self.tools.iter_mut().map(|((server, what), group)| {
            let mut tool = group.json("what", what.clone());
            if let Some(object) = tool.as_object_mut() {
                object.insert("server".to_owned(), server.clone().into());
            }
            tool
        });
        let servers = self.servers.iter_mut();
        let servers = servers.map(|(server, group)| group.json("server", server.clone()));
        json!({
            "hours": hours.collect::<Vec<_>>(),
            "tools": tools.collect::<Vec<_>>(),
            "servers": servers.collect::<Vec<_>>(),
            "rules": rules,
            "outcomes": self.outcomes,
            "all": self.all.json("what", "all".to_owned()),
        })
    }
}

impl Group {
    /// The duration that so many of a hundred calls do not exceed: microseconds.
    fn percentile(&mut self, percent: usize) -> i64 {
        self.durations.sort_unstable();
        let rank = (self.durations.len() * percent).div_ceil(100);
        let at = self.durations.get(rank.saturating_sub(1));
        at.copied().unwrap_or_default()
    }

    fn json(&mut self, kind: &str, name: String) -> Value {
        json!({
            kind: name,
            "calls": self.calls,
            "blocked": self.blocked,
            "failed": self.failed,
            "findings": self.findings,
            "p50": self.percentile(50),
            "p95": self.percentile(95),
        })
    }
}

fn columns(kind: &'static str) -> [Column<'static>; 7] {
    [
        Column::text(kind),
        Column::number("CALLS"),
        Column::number("BLOCKED"),
        Column::number("FAILED"),
        Column::number("FOUND"),
        Column::number("P50 MS"),
        Column::number("P95 MS"),
    ]
}

/// The rows of what there was most of.
fn top(mut groups: Vec<(String, Group)>) -> Vec<Vec<String>> {
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.calls));
    groups.truncate(TOP);
    let rows = groups.into_iter().map(|(name, mut group)| {
        vec![
            name,
            group.calls.to_string(),
            group.blocked.to_string(),
            group.failed.to_string(),
            group.findings.to_string(),
            millis(group.percentile(50)),
            millis(group.percentile(95)),
        ]
    });
    rows.collect()
}
