//! What models are worth on families that they have not seen.

use std::collections::BTreeMap;

use anyhow::Result;
use mcp_gateway_injection::detector::Detector;
use mcp_gateway_injection::model::{Model, Parts};

use crate::corpus::{Family, Text};
use crate::fit::{Limits, Sample, bare, fit};
use crate::mutate::MUTATIONS;

/// So many of the harmless texts may be reported, and refused: of ordinary ones, and of hard ones.
const WARN: (f32, f32) = (0.0035, 0.02);
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
    family: Family,
    rules: f32,
    words: f32,
    both: f32,
}

/// Prints the table, and returns the limits for a model of everything.
///
/// For each family a model is made of all other families and of two thirds of the harmless sources. Everything that is
/// chosen is chosen on harmless texts, by models that have not seen them; for a family, on those of the two thirds.
pub(crate) fn leave_one_family_out(texts: &[Text], samples: &[Sample]) -> Result<Limits> {
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
            family: text.family,
            rules: sum(&rules, text),
            words: words.get(third).map_or(0.0, |model| sum(model, text)),
            both: 0.0,
        });
    }
    let mut detectors = Vec::new();
    for (number, parts) in models.iter().enumerate() {
        detectors.push(detector(&scale(&harmless, number % 3).of(parts.clone()))?);
    }
    for (text, known) in texts.iter().filter(|text| !text.attack).zip(&mut harmless) {
        known.both = detectors
            .get(known.third)
            .map_or(0.0, |model| sum(model, text));
    }
    let both = |text: &Harmless| text.both;
    let alone = |text: &Harmless| text.rules;
    let limits: Vec<_> = (0..=NONE)
        .map(|held| {
            let warn = least(&harmless, held, both, WARN);
            let block = least(&harmless, held, both, BLOCK).max(warn + 0.5);
            (warn, block, least(&harmless, held, alone, WARN))
        })
        .collect();
    let limits_of = |held: usize| limits.get(held).copied().unwrap_or_default();
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
                let (warn, block, alone) = limits_of(known.third);
                line.warned += u32::from(known.both >= warn);
                line.blocked += u32::from(known.both >= block);
                line.rules += u32::from(known.rules >= alone);
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
        let (warn, block, alone) = limits_of(fold % 3);
        let plain = sum(detector, text);
        line.warned += u32::from(plain >= warn);
        line.blocked += u32::from(plain >= block);
        line.rules += u32::from(sum(&rules, text) >= alone);
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
    let (warn, block, _) = limits_of(NONE);
    let limits = Limits {
        warn,
        block,
        ..scale(&harmless, NONE)
    };
    eprintln!("{limits:?}");
    Ok(limits)
}

/// A detector with a model as it will be read: a byte a weight.
fn detector(parts: &Parts) -> Result<Detector> {
    let model = Model::read(&parts.write()).map_err(|error| anyhow::anyhow!(error))?;
    Ok(bare()?.with(model))
}

/// A detector whose sum is what a model says, from `LOW` on.
fn words(parts: &Parts) -> Result<Detector> {
    let model = Model::new(&Parts {
        offset: LOW,
        gain: 1.0,
        ..parts.clone()
    });
    Ok(bare()?.without_rules().with(model))
}

/// From where on a model counts, and how much.
fn scale(harmless: &[Harmless], held: usize) -> Limits {
    let words = |text: &Harmless| text.words;
    let low = least(harmless, held, words, NOTHING);
    let high = least(harmless, held, words, ENOUGH);
    let rules = |text: &Harmless| text.rules;
    let warn = least(harmless, held, rules, WARN);
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
    sum: impl Fn(&Harmless) -> f32,
    (ordinary, hard): (f32, f32),
) -> f32 {
    let least = |family: Family, share: f32| {
        let seen = harmless
            .iter()
            .filter(|text| text.third != held && text.family == family);
        let mut sums: Vec<f32> = seen.map(&sum).filter(|sum| !sum.is_nan()).collect();
        sums.sort_by(|one, other| other.total_cmp(one));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a number of texts"
        )]
        let allowed = (sums.len() as f32 * share) as usize;
        sums.get(allowed).copied().unwrap_or_default() + 1e-3
    };
    least(Family::Ordinary, ordinary).max(least(Family::Hard, hard))
}

/// Which third of the harmless sources each is in. Those whose mails and pages the attacks of InjecAgent are put into
/// are held out together with that family, which is the first.
fn thirds(texts: &[Text]) -> BTreeMap<&str, usize> {
    let mut sources: Vec<(Family, &str)> = texts
        .iter()
        .filter(|text| !text.attack)
        .map(|text| (text.family, text.source.as_str()))
        .collect();
    sources.sort_unstable();
    sources.dedup();
    let third = |(index, (_, source)): (usize, (Family, &'_ str))| match source.starts_with("bipia")
    {
        true => 0,
        false => index % 3,
    };
    let thirds: Vec<usize> = sources.iter().copied().enumerate().map(third).collect();
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
    for (what, family) in [("ordinary", Family::Ordinary), ("hard", Family::Hard)] {
        let of = lines.iter().filter(|((_, one, ..), _)| *one == family);
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
