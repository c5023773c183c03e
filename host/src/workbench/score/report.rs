//! What a score looks like, for a person and for a program.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::corpus::Place;
use super::tally::{Count, Slip, Tally, share};
use crate::cli::ScoreArgs;
use crate::guardrail::Fault;
use crate::plural::counted;
use crate::workbench::component::Component;

/// Lines of the table that a person reads; the rest is in the JSON.
const LINES: usize = 60;

/// Failures of the guardrail that are listed.
const FAULTS: usize = 5;

/// The score, and what came in its way.
pub(super) struct Report {
    guardrail: String,
    pub(super) tally: Tally,
    /// Time that the guardrail took.
    pub(super) took: Duration,
    /// Texts without a verdict, and the first of the reasons.
    faults: usize,
    first_faults: Vec<String>,
    /// Rows that were left out, by label, and why.
    pub(super) refused: BTreeMap<String, (usize, String)>,
    /// The marks that were not reached.
    below: Vec<String>,
}

impl Report {
    pub(super) fn new(component: &Component) -> Self {
        Self {
            guardrail: component.origin.clone(),
            tally: Tally::default(),
            took: Duration::ZERO,
            faults: 0,
            first_faults: Vec::new(),
            refused: BTreeMap::new(),
            below: Vec::new(),
        }
    }

    pub(super) fn faulted(&mut self, place: &Place, fault: &Fault) {
        self.faults += 1;
        if self.first_faults.len() < FAULTS {
            self.first_faults.push(format!("{place}: {fault}"));
        }
    }

    pub(super) fn refuse(&mut self, label: &str, reason: &str) {
        let (rows, _) = self
            .refused
            .entry(label.to_owned())
            .or_insert_with(|| (0, reason.to_owned()));
        *rows += 1;
    }

    /// Whether nothing was scored and nothing left out.
    pub(super) fn is_empty(&self) -> bool {
        let texts = self.tally.texts;
        texts.with + texts.clean + self.faults + self.refused.len() == 0
    }

    /// Holds the score against the marks that were set. A text without a verdict is
    /// below every mark.
    pub(super) fn judge(&mut self, args: &ScoreArgs) -> bool {
        let all = self.tally.all();
        let shares = [
            ("recall", all.recall(), args.min_recall),
            ("precision", all.precision(), args.min_precision),
        ];
        for (name, share, mark) in shares {
            if let Some(mark) = mark
                && share.is_none_or(|share| share < mark)
            {
                self.below
                    .push(format!("{name} is {}, below {mark}", figure(share)));
            }
        }
        let alarms = self.tally.texts.alarms as u64;
        if args.max_alarms.is_some_and(|most| alarms > most) {
            let alarms = counted(alarms, "finding");
            self.below.push(format!("{alarms} in clean texts"));
        }
        if self.faults > 0 {
            self.below
                .push(format!("no verdict on {}", counted(self.faults, "text")));
        }
        self.below.is_empty()
    }

    pub(super) fn text(&self, args: &ScoreArgs) -> String {
        let mut text = format!("{}\n\n", self.guardrail);
        let (labels, more) = self.labels();
        let width = labels.iter().map(|(label, _)| label.chars().count());
        let width = width.max().unwrap_or_default().clamp(10, 40);
        text.push_str(&format!(
            "{:width$} expected    found   recall reported    right precision     F1  characters: recall precision\n",
            match &args.by {
                Some(member) => member.as_str(),
                None => "label",
            }
        ));
        let mut line = |label: &str, count: &Count| {
            let characters = count.characters;
            text.push_str(&format!(
                "{label:width$} {:8} {:8} {:>8} {:8} {:8} {:>9} {:>6} {:>19} {:>9}\n",
                count.expected,
                count.found,
                figure(count.recall()),
                count.reported,
                count.right,
                figure(count.precision()),
                figure(count.f1()),
                figure(share(characters.common, characters.expected)),
                figure(share(characters.common, characters.reported)),
            ));
        };
        for (label, count) in &labels {
            line(label, count);
        }
        line("all", &self.tally.all());
        if !args.any_label {
            line("(any label)", &self.tally.any);
        }
        if more > 0 {
            text.push_str(&format!("{more} more are in the answer to --json\n"));
        }
        text.push('\n');
        for line in self.remarks() {
            text.push_str(&line);
            text.push('\n');
        }
        for (title, slips) in [
            ("misses", &self.tally.misses),
            ("false alarms", &self.tally.alarms),
        ] {
            if slips.is_empty() || args.worst == 0 {
                continue;
            }
            let worst = worst(slips, args.worst);
            text.push_str(&format!(
                "\n{title} ({} of {}):\n",
                worst.len(),
                slips.len()
            ));
            for slip in worst {
                text.push_str(&format!("  {slip}\n"));
            }
        }
        for line in &self.below {
            text.push_str(&format!("\nNOT REACHED: {line}\n"));
        }
        text
    }

    pub(super) fn json(&self, args: &ScoreArgs) -> Value {
        let texts = self.tally.texts;
        let labels: serde_json::Map<String, Value> = self
            .tally
            .labels
            .iter()
            .map(|(label, count)| (label.clone(), of(count)))
            .collect();
        let slips = |slips: &[Slip]| -> Vec<Value> {
            let worst = worst(slips, args.worst).into_iter();
            worst.map(Slip::json).collect()
        };
        json!({
            "guardrail": self.guardrail,
            "labels": labels,
            "all": of(&self.tally.all()),
            "anyLabel": of(&self.tally.any),
            "texts": {
                "withSomething": texts.with,
                "noticed": texts.noticed,
                "clean": texts.clean,
                "flagged": texts.flagged,
                "falseAlarms": texts.alarms,
                "placed": texts.placed,
                "exact": texts.exact,
                "bytes": texts.bytes,
                "cleanBytes": texts.clean_bytes,
            },
            "seconds": self.took.as_secs_f64(),
            "megabytesPerSecond": self.speed(),
            "faults": self.faults,
            "firstFaults": self.first_faults,
            "refusedLabels": self.refused.iter().map(|(label, (rows, reason))| {
                json!({ "label": label, "rows": rows, "reason": reason })
            }).collect::<Vec<_>>(),
            "misses": slips(&self.tally.misses),
            "alarms": slips(&self.tally.alarms),
            "below": self.below,
        })
    }

    /// The labels that there is most of, or, if there are many, most wrong with; and how
    /// many are left out.
    fn labels(&self) -> (Vec<(&str, Count)>, usize) {
        let labels = self.tally.labels.iter();
        let mut labels: Vec<(&str, Count)> =
            labels.map(|(l, count)| (l.as_str(), *count)).collect();
        if labels.len() > LINES {
            let wrong = |count: &Count| count.expected - count.found + count.reported - count.right;
            labels.sort_by_key(|(_, count)| std::cmp::Reverse(wrong(count)));
        }
        let more = labels.len().saturating_sub(LINES);
        labels.truncate(LINES);
        labels.sort_by_key(|(_, count)| std::cmp::Reverse(count.expected));
        (labels, more)
    }

    fn remarks(&self) -> Vec<String> {
        let texts = self.tally.texts;
        let mut lines = Vec::new();
        if texts.with > 0 {
            let noticed = figure(share(texts.noticed, texts.with));
            lines.push(format!(
                "texts with something: {} of {} noticed ({noticed})",
                texts.noticed, texts.with
            ));
        }
        if texts.placed > texts.clean {
            let exact = figure(share(texts.exact, texts.placed));
            lines.push(format!(
                "texts with exactly what is expected: {} of {} ({exact})",
                texts.exact, texts.placed
            ));
        }
        if texts.clean > 0 {
            let flagged = figure(share(texts.flagged, texts.clean));
            lines.push(format!(
                "clean texts: {} of {} flagged ({flagged}), {} in {}",
                texts.flagged,
                texts.clean,
                counted(texts.alarms, "finding"),
                size(texts.clean_bytes)
            ));
        }
        lines.push(format!(
            "speed: {} in {:.2} s, {} MB/s",
            size(texts.bytes),
            self.took.as_secs_f64(),
            self.speed()
                .map_or_else(|| "-".into(), |speed| format!("{speed:.1}")),
        ));
        if self.faults > 0 {
            lines.push(format!("NO VERDICT on {}:", counted(self.faults, "text")));
            lines.extend(self.first_faults.iter().map(|fault| format!("  {fault}")));
        }
        let left_out: usize = self.refused.values().map(|(rows, _)| rows).sum();
        if left_out > 0 {
            let labels = self
                .refused
                .iter()
                .map(|(label, (rows, _))| format!("{label} ({rows})"));
            lines.push(format!(
                "left out are {left_out} rows, whose label the guardrail does not take in its configuration: {}",
                labels.collect::<Vec<_>>().join(", ")
            ));
        }
        lines
    }

    fn speed(&self) -> Option<f64> {
        let seconds = self.took.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a corpus is not that large")]
        (seconds > 0.0).then(|| self.tally.texts.bytes as f64 / seconds / 1e6)
    }
}

impl Slip {
    fn json(&self) -> Value {
        json!({
            "place": self.place,
            "label": self.label,
            "confidence": self.confidence,
            "start": self.range.as_ref().map(|range| range.start),
            "end": self.range.as_ref().map(|range| range.end),
            "excerpt": (!self.excerpt.is_empty()).then_some(&self.excerpt),
        })
    }
}

impl std::fmt::Display for Slip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.place, self.label)?;
        if let Some(range) = &self.range {
            write!(f, " {}..{}", range.start, range.end)?;
        }
        if let Some(confidence) = self.confidence {
            write!(f, " ({confidence:.2})")?;
        }
        if !self.excerpt.is_empty() {
            write!(f, " {:?}", self.excerpt)?;
        }
        Ok(())
    }
}

/// Some of the mistakes: of each label one by one, from the label with the most; and of
/// each those first that the guardrail is surest of.
fn worst(slips: &[Slip], most: usize) -> Vec<&Slip> {
    let mut by_label: BTreeMap<&str, Vec<&Slip>> = BTreeMap::new();
    for slip in slips {
        by_label.entry(&slip.label).or_default().push(slip);
    }
    let mut groups: Vec<Vec<&Slip>> = by_label.into_values().collect();
    for group in &mut groups {
        let sure = |slip: &Slip| slip.confidence.unwrap_or_default();
        group.sort_by(|one, other| sure(other).total_cmp(&sure(one)));
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let rounds = groups.first().map_or(0, Vec::len);
    let in_turn = (0..rounds).flat_map(|round| groups.iter().filter_map(move |g| g.get(round)));
    in_turn.take(most).copied().collect()
}

fn of(count: &Count) -> Value {
    let characters = count.characters;
    json!({
        "expected": count.expected,
        "found": count.found,
        "reported": count.reported,
        "right": count.right,
        "recall": count.recall(),
        "precision": count.precision(),
        "f1": count.f1(),
        "characters": {
            "expected": characters.expected,
            "reported": characters.reported,
            "common": characters.common,
            "recall": share(characters.common, characters.expected),
            "precision": share(characters.common, characters.reported),
        },
    })
}

/// A share to three places. What is not all is not shown as 1.
fn figure(share: Option<f64>) -> String {
    match share {
        None => "-".to_owned(),
        Some(share) if share < 1.0 && share > 0.999 => "0.999".to_owned(),
        Some(share) => format!("{share:.3}"),
    }
}

fn size(bytes: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    match bytes {
        0..100_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.2} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_is_not_all_is_not_shown_as_all() {
        assert_eq!(figure(Some(0.99996)), "0.999");
        assert_eq!(figure(Some(1.0)), "1.000");
        assert_eq!(figure(None), "-");
    }

    #[test]
    fn the_worst_mistakes_are_of_many_labels_and_the_surest_of_each() {
        let slip = |label: &str, confidence| Slip {
            place: String::new(),
            label: label.into(),
            confidence: Some(confidence),
            range: None,
            excerpt: String::new(),
        };
        let slips = [
            slip("b", 0.5),
            slip("a", 0.2),
            slip("a", 0.9),
            slip("a", 0.1),
        ];
        let shown: Vec<_> = worst(&slips, 3)
            .iter()
            .map(|slip| {
                (
                    slip.label.as_str(),
                    slip.confidence.map(|c| (c * 10.0).round()),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [("a", Some(9.0)), ("b", Some(5.0)), ("a", Some(2.0))]
        );
    }
}
