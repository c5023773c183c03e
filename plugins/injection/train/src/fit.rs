//! Trains a linear model: logistic regression by AdaGrad, each attack by the window that looks most like one.

use std::collections::HashMap;

use anyhow::{Result, anyhow};
use mcp_gateway_injection::detector::Detector;
use mcp_gateway_injection::features::{self, Block, Key};
use mcp_gateway_injection::model::{Limits, Parts};
use mcp_gateway_injection::reading::Reading;

use crate::SEED;
use crate::corpus::{Family, Text};
use crate::random::Random;

/// A text as a model sees it.
pub(crate) struct Sample {
    pub(crate) family: Family,
    pub(crate) attack: bool,
    pub(crate) source: String,
    windows: Vec<Vec<Key>>,
}

const EPOCHS: usize = 14;
const RATE: f32 = 0.1;
/// How much weights are drawn to nothing.
const DECAY: f32 = 2e-3;
/// So many texts have a feature that is looked at.
const LEAST: u32 = 6;
/// How much harmless texts count.
const HARMLESS: f32 = 3.0;
const SMALL: f32 = 0.03;

/// The detector without a model.
pub(crate) fn bare() -> Result<Detector> {
    Detector::bare().map_err(|error| anyhow!(error))
}

pub(crate) fn samples(detector: &Detector, texts: &[Text]) -> Vec<Sample> {
    let sample = |text: &Text| {
        let seen = detector.see(&Reading::plain(&text.text), text.context);
        let blocks = features::blocks(detector, &seen, |_| true);
        let windows = (0..blocks.len().saturating_sub(1).max(1)).map(|first| {
            let two: Vec<&Block> = blocks.iter().skip(first).take(2).collect();
            let mut features: Vec<Key> = two
                .iter()
                .flat_map(|block| block.features.clone())
                .collect();
            features.push(features::context(text.context));
            features.sort_unstable();
            features.dedup();
            features
        });
        Sample {
            family: text.family,
            attack: text.attack,
            source: text.source.clone(),
            windows: windows.collect(),
        }
    };
    texts.iter().map(sample).collect()
}

/// What the sources end with whose attacks are only counted.
const COUNTED: &str = "-b";

/// The model of everything that there is, but for what is only counted.
pub(crate) fn whole(samples: &[Sample], limits: [Limits; 2]) -> Parts {
    let all: Vec<&Sample> = samples
        .iter()
        .filter(|sample| sample.family != Family::Tasks && !sample.source.ends_with(COUNTED))
        .collect();
    Parts {
        limits,
        ..fit(&all)
    }
}

/// A model of these.
pub(crate) fn fit(samples: &[&Sample]) -> Parts {
    let chosen = chosen(samples);
    let ids: HashMap<Key, usize> = chosen
        .iter()
        .enumerate()
        .map(|(id, key)| (*key, id))
        .collect();
    let known: Vec<Vec<Vec<usize>>> = samples
        .iter()
        .map(|sample| {
            let ids = |window: &Vec<Key>| {
                window
                    .iter()
                    .filter_map(|key| ids.get(key).copied())
                    .collect()
            };
            sample.windows.iter().map(ids).collect()
        })
        .collect();
    let weights = importance(samples);
    let mut model = Linear::new(&chosen);
    let mut random = Random::new(SEED);
    let mut order: Vec<usize> = (0..samples.len()).collect();
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for index in &order {
            let (Some(sample), Some(windows), Some(weight)) =
                (samples.get(*index), known.get(*index), weights.get(*index))
            else {
                continue;
            };
            if sample.attack {
                let best = windows
                    .iter()
                    .max_by(|one, other| model.sum(one).total_cmp(&model.sum(other)));
                if let Some(window) = best {
                    model.learn(window, 1.0, *weight);
                }
            } else {
                for window in windows {
                    if model.sum(window) > -5.0 {
                        model.learn(window, 0.0, *weight);
                    }
                }
            }
        }
    }
    model.parts(&chosen)
}

/// How much each sample counts: families and sources alike, whether they are large or small.
fn importance(samples: &[&Sample]) -> Vec<f32> {
    let mut sizes: HashMap<(bool, &str, Family), f32> = HashMap::new();
    for sample in samples {
        *sizes.entry(group(sample)).or_default() += 1.0;
    }
    let weight = |sample: &&Sample| {
        let size = sizes.get(&group(sample)).copied().unwrap_or(1.0);
        let whole = if sample.attack {
            size.min(400.0)
        } else {
            HARMLESS * size.min(400.0)
        };
        whole / size
    };
    samples.iter().map(weight).collect()
}

fn group<'s>(sample: &&'s Sample) -> (bool, &'s str, Family) {
    let source = if sample.attack {
        ""
    } else {
        sample.source.as_str()
    };
    (sample.attack, source, sample.family)
}

/// The features that are worth a weight.
fn chosen(samples: &[&Sample]) -> Vec<Key> {
    let mut counts: HashMap<Key, u32> = HashMap::new();
    for sample in samples {
        let mut keys: Vec<Key> = sample.windows.iter().flatten().copied().collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            *counts.entry(key).or_default() += 1;
        }
    }
    let mut keys: Vec<Key> = counts
        .into_iter()
        .filter(|(_, count)| *count >= LEAST)
        .map(|(key, _)| key)
        .collect();
    keys.sort_unstable();
    keys
}

struct Linear {
    weights: Vec<f32>,
    squares: Vec<f32>,
    bias: f32,
    bias_square: f32,
}

impl Linear {
    fn new(chosen: &[Key]) -> Self {
        Self {
            weights: vec![0.0; chosen.len()],
            squares: vec![1e-2; chosen.len()],
            bias: -3.0,
            bias_square: 1.0,
        }
    }

    fn sum(&self, window: &[usize]) -> f32 {
        let weights = window.iter().filter_map(|id| self.weights.get(*id));
        self.bias + weights.sum::<f32>()
    }

    fn learn(&mut self, window: &[usize], truth: f32, weight: f32) {
        let slope = (1.0 / (1.0 + (-self.sum(window)).exp()) - truth) * weight;
        for id in window {
            if let (Some(one), Some(square)) =
                (self.weights.get_mut(*id), self.squares.get_mut(*id))
            {
                let slope = slope + DECAY * *one;
                *square += slope * slope;
                *one -= RATE * slope / square.sqrt();
            }
        }
        self.bias_square += slope * slope;
        self.bias -= RATE * slope / self.bias_square.sqrt();
    }

    fn parts(&self, chosen: &[Key]) -> Parts {
        let weights = chosen.iter().copied().zip(self.weights.iter().copied());
        Parts {
            weights: weights.filter(|(_, weight)| weight.abs() > SMALL).collect(),
            bias: self.bias,
            ..Parts::default()
        }
    }
}
