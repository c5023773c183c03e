//! What came of holding two builds against each other, as a table and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::guardrail::{Change, Difference, Envelope, Guardrail};
use crate::plural::counted;

/// How a new build differs from the one that serves.
#[derive(Debug, Clone)]
pub struct Report {
    live: Build,
    candidate: Build,
    /// Texts of the gateway's own that both were asked about.
    canaries: usize,
    /// Examples of the build that serves that both were asked about.
    examples: usize,
    /// Those of them in which the new one is weaker, counted from 1.
    broken: BTreeSet<usize>,
    /// Messages that both were asked about.
    messages: usize,
    /// Messages that nothing can be said of: they need the network, or do not get there.
    skipped: usize,
    /// Whether it was given up after many failures.
    is_cut: bool,
    rows: BTreeMap<Row, Count>,
    cost: Option<Cost>,
}

/// One build of a guardrail.
#[derive(Debug, Clone)]
pub struct Build {
    name: String,
    version: String,
    digest: String,
}

/// Differences of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// What is different; the weaker ones come first.
    pub change: Change,
    /// The rule.
    pub rule: String,
    /// In what: a canary text, or messages of a server, a method and a kind.
    pub place: String,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    messages: usize,
    findings: usize,
}

/// What both took for the same messages.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// The build that serves, for a message.
    pub live: Duration,
    /// The new one.
    pub candidate: Duration,
    /// How many times the former the latter may be.
    pub most: u32,
}

/// What a message may cost whatever it cost before.
const CHEAP: Duration = Duration::from_micros(250);

/// Failures after which no more is asked.
pub(super) const MOST_FAILURES: usize = 10;

impl Build {
    fn of(guardrail: &Guardrail) -> Self {
        let manifest = guardrail.manifest();
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: guardrail.anatomy().digest.clone(),
        }
    }

    fn text(&self) -> String {
        let digest = self.digest.rsplit(':').next().unwrap_or_default();
        let digest: String = digest.chars().take(12).collect();
        format!("{} {} ({digest})", self.name, self.version)
    }

    fn json(&self) -> Value {
        json!({ "name": self.name, "version": self.version, "digest": self.digest })
    }
}

impl Cost {
    /// How many times the time of the build that serves the new one takes.
    pub fn factor(&self) -> f64 {
        self.candidate.as_secs_f64() / self.live.as_secs_f64().max(1e-6)
    }

    /// Whether that is more than it may be.
    pub fn is_beyond(&self) -> bool {
        self.candidate > CHEAP && self.candidate > self.live * self.most
    }

    fn text(&self) -> String {
        format!(
            "cost: {} µs before, {} µs now for a message: {:.1} times (at most {}{})",
            self.live.as_micros(),
            self.candidate.as_micros(),
            self.factor(),
            self.most,
            match self.is_beyond() {
                true => ": TOO MUCH",
                false => "",
            }
        )
    }
}

impl Report {
    pub(super) fn of(live: &Guardrail, candidate: &Guardrail) -> Self {
        Self {
            live: Build::of(live),
            candidate: Build::of(candidate),
            canaries: 0,
            examples: 0,
            broken: BTreeSet::new(),
            messages: 0,
            skipped: 0,
            is_cut: false,
            rows: BTreeMap::new(),
            cost: None,
        }
    }

    pub(super) fn saw_canary(&mut self, name: &str, differences: Option<Vec<Difference>>) {
        match differences {
            Some(differences) => {
                self.canaries += 1;
                self.add(differences, &format!("canary: {name}"));
            }
            None => self.skipped += 1,
        }
    }

    pub(super) fn saw_example(&mut self, number: usize, differences: Option<Vec<Difference>>) {
        let Some(differences) = differences else {
            self.skipped += 1;
            return;
        };
        self.examples += 1;
        let (weaker, mut other): (Vec<_>, Vec<_>) = differences
            .into_iter()
            .partition(|it| it.change.is_weaker());
        if !weaker.is_empty() {
            self.broken.insert(number);
        }
        self.add(weaker, &format!("old build's example {number}"));
        // By which rule something is done was not promised, and there may be hundreds of
        // examples, which nobody has to look at one by one.
        other.retain(|it| !matches!(it.change, Change::Silent | Change::Reports));
        self.add(other, "old build's examples");
    }

    pub(super) fn saw_message(&mut self, envelope: &Envelope, differences: Vec<Difference>) {
        self.messages += 1;
        let kind = envelope.kind.as_str();
        let place = format!("{} {} {kind}", envelope.server, envelope.method);
        self.add(differences, &place);
    }

    pub(super) fn skipped(&mut self) {
        self.skipped += 1;
    }

    pub(super) fn cost(&mut self, cost: Cost) {
        self.cost = Some(cost);
    }

    /// Whether there is no use in asking on; noted if so.
    pub(super) fn is_enough(&mut self) -> bool {
        let rows = self.rows.iter();
        let failures = rows.filter(|(row, _)| row.change == Change::Fails);
        self.is_cut |= failures.map(|(_, count)| count.messages).sum::<usize>() >= MOST_FAILURES;
        self.is_cut
    }

    fn add(&mut self, differences: Vec<Difference>, place: &str) {
        for difference in differences {
            let row = Row {
                change: difference.change,
                rule: difference.rule,
                place: place.to_owned(),
            };
            let count = self.rows.entry(row).or_default();
            count.messages += 1;
            count.findings += difference.count;
        }
    }

    /// Whether the new build protects less, or costs too much.
    pub fn is_worse(&self) -> bool {
        self.rows.keys().any(|row| row.change.is_weaker())
            || self.cost.is_some_and(|cost| cost.is_beyond())
    }

    /// Whether there is any difference at all.
    pub fn is_different(&self) -> bool {
        !self.rows.is_empty() || self.is_worse()
    }

    /// In one line, what is worse.
    pub fn summary(&self) -> String {
        let mut totals: BTreeMap<Change, (usize, Vec<&str>)> = BTreeMap::new();
        for (row, count) in &self.rows {
            let (messages, rules) = totals.entry(row.change).or_default();
            *messages += count.messages;
            if !row.rule.is_empty() && !rules.contains(&row.rule.as_str()) {
                rules.push(&row.rule);
            }
        }
        let worse = totals.iter().filter(|(change, _)| change.is_weaker());
        let mut parts: Vec<String> = worse
            .map(|(change, (messages, rules))| match rules.as_slice() {
                [] => format!("{} in {}", change.name(), counted(messages, "message")),
                rules => format!(
                    "{} in {} ({})",
                    change.name(),
                    counted(messages, "message"),
                    rules.join(", ")
                ),
            })
            .collect();
        if let Some(broken) = self.broken_examples() {
            parts.push(broken);
        }
        if let Some(cost) = self.cost.filter(Cost::is_beyond) {
            parts.push(cost.text());
        }
        match parts.is_empty() {
            true => "it is no weaker".to_owned(),
            false => parts.join("; "),
        }
    }

    /// Which examples of which build no longer hold, if any.
    fn broken_examples(&self) -> Option<String> {
        let numbers: Vec<String> = self.broken.iter().map(usize::to_string).collect();
        let (word, hold) = match numbers.len() {
            0 => return None,
            1 => ("example", "holds"),
            _ => ("examples", "hold"),
        };
        let numbers = numbers.join(", ");
        let build = self.live.text();
        Some(format!("{word} {numbers} of {build} no longer {hold}"))
    }

    /// All differences as a table.
    pub fn table(&self) -> String {
        let mut text = format!("{} → {}\n", self.live.text(), self.candidate.text());
        text.push_str(&format!(
            "asked about {}, {} of the old build and {}",
            counted(self.canaries, "canary text"),
            counted(self.examples, "example"),
            counted(self.messages, "message")
        ));
        if self.skipped > 0 {
            text.push_str(&format!("; {} cannot be compared", self.skipped));
        }
        if self.is_cut {
            text.push_str("; given up after many failures");
        }
        text.push('\n');
        match self.rows.is_empty() {
            true => text.push_str("no verdict differs\n"),
            false => text.push_str(&self.rows_as_text()),
        }
        if let Some(cost) = &self.cost {
            text.push_str(&cost.text());
            text.push('\n');
        }
        text
    }

    fn rows_as_text(&self) -> String {
        let heads = ["", "change", "rule", "in", "messages", "findings"].map(str::to_owned);
        let rows = self.rows.iter().map(|(row, count)| {
            let weight = match row.change.is_weaker() {
                true => "WORSE",
                false => "",
            };
            let rule = match row.rule.as_str() {
                "" => "-",
                rule => rule,
            };
            [
                weight.to_owned(),
                row.change.name().to_owned(),
                rule.to_owned(),
                row.place.clone(),
                count.messages.to_string(),
                count.findings.to_string(),
            ]
        });
        let all: Vec<[String; 6]> = std::iter::once(heads).chain(rows).collect();
        let width = |column: usize| {
            let cells = all.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..6).map(width).collect();
        let mut text = String::new();
        for row in &all {
            let cells = row.iter().zip(&widths).enumerate();
            let line: Vec<String> = cells
                .map(|(column, (cell, width))| match column {
                    4.. => format!("{cell:>width$}"),
                    _ => format!("{cell:<width$}"),
                })
                .collect();
            text.push_str(&format!("  {}\n", line.join("  ").trim_end()));
        }
        text
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|(row, count)| {
            json!({
                "change": row.change.name(),
                "worse": row.change.is_weaker(),
                "rule": row.rule,
                "in": row.place,
                "messages": count.messages,
                "findings": count.findings,
            })
        });
        let cost = self.cost.map(|cost| {
            json!({
                "before": cost.live.as_micros() as u64,
                "now": cost.candidate.as_micros() as u64,
                "most": cost.most,
                "tooMuch": cost.is_beyond(),
            })
        });
        json!({
            "old": self.live.json(),
            "new": self.candidate.json(),
            "canaries": self.canaries,
            "examples": self.examples,
            "broken": self.broken,
            "messages": self.messages,
            "skipped": self.skipped,
            "cut": self.is_cut,
            "worse": self.is_worse(),
            "differences": rows.collect::<Vec<_>>(),
            "cost": cost,
        })
    }
}
