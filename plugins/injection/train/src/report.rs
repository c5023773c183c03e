//! What models are worth on families that they have not seen.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use mcp_gateway_injection::detector::Detector;
use mcp_gateway_injection::model::{Limits, Model, Parts};
use mcp_gateway_injection::rule::Context;

use crate::corpus::{Family, Text};
use crate::fit::{Sample, bare, fit};
use crate::mutate::MUTATIONS;

/// The limits that there are, by their numbers, and which share of the harmless texts may be reported: of ordinary ones,
/// and of hard ones. Of hard descriptions there are so few that one of them is more than 2 %.
const PLACES: [(usize, (f32, f32)); 2] = [(0, (0.0035, 0.02)), (1, (0.0035, 0.05))];
/// So many may be refused.
const BLOCK: (f32, f32) = (0.0003, 0.003);
/// What so many reach counts nothing of a model; what so few reach is enough to be reported.
const NOTHING: (f32, f32) = (0.02, 0.06);
const ENOUGH: (f32, f32) = (0.0003, 0.002);
/// Every so many texts of a source are disguised.
const DISGUISED: u32 = 3;
/// Less than what a model says of any text.
const LOW: f32 = -40.0;
/// No third of the harmless sources: there are 0, 1 and 2.
const NONE: usize = 3;

/// What becomes of the texts of a source in a context.
#[derive(Default)]
struct Line {
    texts: u32,
    warned: u32,
    blocked: u32,
    /// By the rules alone.
    rules: u32,
    disguised: u32,
    /// Of the disguised ones, plain and by disguise.
    found: [u32; MUTATIONS.len() + 1],
}

/// A harmless text: what the rules say, what a model says that has not seen its source, and what both say.
struct Harmless {
    third: usize,
    /// The number of the limits that hold for it.
    limits: usize,
    family: Family,
    rules: f32,
    words: f32,
    both: f32,
}

/// Prints the table, and returns the limits for a model of everything.
///
/// For each family a model is made of all other families and of two thirds of the harmless sources. Everything that is
/// chosen is chosen on harmless texts, by models that have not seen them; for a family, on those of the two thirds.
pub(crate) fn leave_one_family_out(
    texts: &[Text],
    samples: &[Sample],
    lines_to: &mut dyn Write,
) -> Result<[Limits; 2]> {
    let sources = thirds(texts);
    let third = |text: &Text| {
        sources
            .get(text.source.as_str())
            .copied()
            .unwrap_or_default()
    };
    let rules = bare()?;
    let mut models = Vec::new();
    for (number, family) in Family::ATTACKS.into_iter().enumerate() {
        let kept = samples.iter().zip(texts).filter(|(sample, text)| {
            sample.family != Family::Tasks
                && match sample.attack {
                    true => sample.family != family,
                    false => third(text) != number % 3,
                }
        });
        let kept: Vec<&Sample> = kept.map(|(sample, _)| sample).collect();
        let parts = fit(&kept);
        eprintln!("without {family:?}: {} weights", parts.weights.len());
        models.push(parts);
    }
    let words = models.iter().map(words).collect::<Result<Vec<_>>>()?;
    let sum = |detector: &Detector, text: &Text| detector.sum(&text.text, text.context);
    let mut harmless = Vec::new();
    for text in texts.iter().filter(|text| !text.attack) {
        let third = third(text);
        harmless.push(Harmless {
            third,
            limits: Limits::number(text.context),
            family: text.family,
            rules: sum(&rules, text),
            words: words.get(third).map_or(0.0, |model| sum(model, text)),
            both: 0.0,
        });
    }
    let mut detectors = Vec::new();
    for (number, parts) in models.iter().enumerate() {
        detectors.push(detector(&Parts {
            limits: PLACES.map(|place| scale(&harmless, number % 3, place)),
            ..parts.clone()
        })?);
    }
    for (text, known) in texts.iter().filter(|text| !text.attack).zip(&mut harmless) {
        known.both = detectors
            .get(known.third)
            .map_or(0.0, |model| sum(model, text));
    }
    let limits: Vec<_> = (0..=NONE)
        .map(|held| {
            PLACES.map(|(place, shares)| {
                let least = |sum: fn(&Harmless) -> f32, shares| {
                    self::least(&harmless, held, place, sum, shares)
                };
                let warn = least(|text| text.both, shares);
                let block = least(|text| text.both, BLOCK).max(warn + 0.5);
                (warn, block, least(|text| text.rules, shares))
            })
        })
        .collect();
    let limits_of = |held: usize, context: Context| {
        let [elsewhere, description] = limits.get(held).copied().unwrap_or_default();
        match Limits::number(context) {
            0 => elsewhere,
            _ => description,
        }
    };
    let mut lines: BTreeMap<(bool, Family, &str, &str), Line> = BTreeMap::new();
    let mut known = harmless.iter();
    for text in texts {
        let key = (
            text.attack,
            text.family,
            text.source.as_str(),
            text.place.as_str(),
        );
        let line = lines.entry(key).or_default();
        line.texts += 1;
        if !text.attack {
            if let Some(known) = known.next() {
                let (warn, block, alone) = limits_of(known.third, text.context);
                line.warned += u32::from(known.both >= warn);
                line.blocked += u32::from(known.both >= block);
                line.rules += u32::from(known.rules >= alone);
                tell(
                    lines_to,
                    &rules,
                    text,
                    known.both - warn,
                    known.both - block,
                )?;
            }
            continue;
        }
        // Plain tasks are in no model, so any will do.
        let fold = Family::ATTACKS
            .iter()
            .position(|family| *family == text.family);
        let fold = fold.unwrap_or_default();
        let Some(detector) = detectors.get(fold) else {
            continue;
        };
        let (warn, block, alone) = limits_of(fold % 3, text.context);
        let plain = sum(detector, text);
        line.warned += u32::from(plain >= warn);
        line.blocked += u32::from(plain >= block);
        line.rules += u32::from(sum(&rules, text) >= alone);
        tell(lines_to, &rules, text, plain - warn, plain - block)?;
        if line.texts.is_multiple_of(DISGUISED) {
            line.disguised += 1;
            let disguised = MUTATIONS
                .iter()
                .map(|(_, disguise)| detector.sum(&disguise(&text.text), text.context));
            for (found, sum) in line
                .found
                .iter_mut()
                .zip(std::iter::once(plain).chain(disguised))
            {
                *found += u32::from(sum >= warn);
            }
        }
    }
    print(&lines);
    let [elsewhere, description] = limits.get(NONE).copied().unwrap_or_default();
    let whole = |place, (warn, block, _): (f32, f32, f32)| Limits {
        warn,
        block,
        ..scale(&harmless, NONE, place)
    };
    let [place, other] = PLACES;
    let limits = [whole(place, elsewhere), whole(other, description)];
    eprintln!("{limits:?}");
    Ok(limits)
}

/// Writes a line of what becomes of a text: how far it is above the limits, and which rules fit.
fn tell(
    to: &mut dyn Write,
    rules: &Detector,
    text: &Text,
    warn: f32,
    block: f32,
) -> std::io::Result<()> {
    let passages = rules.passages(&text.text, text.context, 0.0);
    let surest = passages
        .iter()
        .max_by(|one, other| one.score.total_cmp(&other.score));
    let known = surest.map_or(&[][..], |passage| &passage.rules);
    let known = known.iter().filter_map(|rule| rules.rules().get(*rule));
    let known: Vec<&str> = known.map(|rule| rule.id.as_str()).collect();
    let line = serde_json::json!({
        "source": text.source, "context": text.place, "attack": text.attack,
        "warn": warn, "block": block, "rules": known, "text": text.text,
    });
    writeln!(to, "{line}")
}

/// A detector with a model as it will be read: a byte a weight.
fn detector(parts: &Parts) -> Result<Detector> {
    let model = Model::read(&parts.write()).map_err(|error| anyhow::anyhow!(error))?;
    Ok(bare()?.with(model))
}

/// A detector whose sum is what a model says, from `LOW` on.
fn words(parts: &Parts) -> Result<Detector> {
    let model = Model::new(&Parts {
        limits: [Limits {
            offset: LOW,
            gain: 1.0,
            ..Limits::default()
        }; 2],
        ..parts.clone()
    });
    Ok(bare()?.without_rules().with(model))
}

/// From where on a model counts, and how much.
fn scale(harmless: &[Harmless], held: usize, (place, shares): (usize, (f32, f32))) -> Limits {
    let least = |sum: fn(&Harmless) -> f32, shares| self::least(harmless, held, place, sum, shares);
    let low = least(|text| text.words, NOTHING);
    let high = least(|text| text.words, ENOUGH);
    let warn = least(|text| text.rules, shares);
    Limits {
        offset: low + LOW,
        gain: warn / (high - low).max(0.5),
        warn,
        block: warn,
    }
}

/// The least sum that keeps false alarms within their limits, on the harmless texts of all thirds but one.
fn least(
    harmless: &[Harmless],
    held: usize,
    place: usize,
    sum: impl Fn(&Harmless) -> f32,
    (ordinary, hard): (f32, f32),
) -> f32 {
    let least = |family: Family, share: f32| {
        let seen = harmless
            .iter()
            .filter(|text| text.third != held && text.limits == place && text.family == family);
        let mut sums: Vec<f32> = seen.map(&sum).filter(|sum| !sum.is_nan()).collect();
        sums.sort_by(|one, other| other.total_cmp(one));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a number of texts"
        )]
        let allowed = (sums.len() as f32 * share).round() as usize;
        sums.get(allowed).copied().unwrap_or_default() + 1e-3
    };
    least(Family::Ordinary, ordinary).max(least(Family::Hard, hard))
}

/// Which third of the harmless sources each is in. Those whose mails and pages the attacks of InjecAgent are put into
/// are held out together with that family, which is the first; so are the results of AgentDojo's tools, and mails, with
/// theirs.
fn thirds(texts: &[Text]) -> BTreeMap<&str, usize> {
    let mut sources: Vec<(Family, &str)> = texts
        .iter()
        .filter(|text| !text.attack)
        .map(|text| (text.family, text.source.as_str()))
        .collect();
    sources.sort_unstable();
    sources.dedup();
    let with = |family: Family| {
        let fold = Family::ATTACKS.iter().position(|other| *other == family);
        fold.unwrap_or_default() % 3
    };
    let mut others = 0;
    let third = |(_, source): (Family, &'_ str)| match source {
        "agentdojo" => with(Family::AgentDojo),
        "mailman" | "python-mails" => with(Family::Mails),
        _ => {
            others += 1;
            match source.starts_with("bipia") {
                true => with(Family::InjecAgent),
                false => (others - 1) % 3,
            }
        }
    };
    let thirds: Vec<usize> = sources.iter().copied().map(third).collect();
    sources
        .into_iter()
        .map(|(_, source)| source)
        .zip(thirds)
        .collect()
}

#[expect(
    clippy::print_stdout,
    reason = "the table is what the program is asked for"
)]
fn print(lines: &BTreeMap<(bool, Family, &str, &str), Line>) {
    let share = |count: u32, of: u32| f64::from(count) / f64::from(of.max(1));
    println!("| source | context | texts | warn | block | rules alone |");
    println!("|---|---|--:|--:|--:|--:|");
    for ((_, _, source, place), line) in lines {
        let all = line.texts;
        let (warn, block, rules) = (
            share(line.warned, all),
            share(line.blocked, all),
            share(line.rules, all),
        );
        println!("| {source} | {place} | {all} | {warn:.4} | {block:.4} | {rules:.4} |");
    }
    type Which = fn(&str) -> bool;
    let of: [(&str, Family, Which); 3] = [
        ("ordinary descriptions", Family::Ordinary, |place| {
            place == "tool_description"
        }),
        ("ordinary, elsewhere", Family::Ordinary, |place| {
            place != "tool_description"
        }),
        ("hard", Family::Hard, |_| true),
    ];
    for (what, family, which) in of {
        let of = lines
            .iter()
            .filter(|((_, one, _, place), _)| *one == family && which(place));
        let sum =
            |count: &dyn Fn(&Line) -> u32| of.clone().map(|(_, line)| count(line)).sum::<u32>();
        let all = sum(&|line| line.texts);
        let (warn, block) = (sum(&|line| line.warned), sum(&|line| line.blocked));
        let rules = share(sum(&|line| line.rules), all);
        println!(
            "| all {what} | | {all} | {:.4} | {:.4} | {rules:.4} |",
            share(warn, all),
            share(block, all)
        );
    }
    println!();
    let names = MUTATIONS.map(|(name, _)| name).join(" | ");
    println!("| source | context | texts | plain | {names} |");
    println!("|---|---|--:|--:|{}", "--:|".repeat(MUTATIONS.len()));
    let mut total = Line::default();
    for ((_, _, source, place), line) in lines.iter().filter(|(_, line)| line.disguised > 0) {
        let found = line
            .found
            .map(|found| format!("{:.3}", share(found, line.disguised)))
            .join(" | ");
        println!("| {source} | {place} | {} | {found} |", line.disguised);
        total.disguised += line.disguised;
        for (sum, found) in total.found.iter_mut().zip(line.found) {
            *sum += found;
        }
    }
    let found = total
        .found
        .map(|found| format!("{:.3}", share(found, total.disguised)))
        .join(" | ");
    println!("| all | | {} | {found} |", total.disguised);
}
