//! What of a text a score is made of.

use std::ops::Range;

use crate::detector::{Detector, Seen};
use crate::lexicon::{Mark, Word};
use crate::rule::Context;

/// So many words are a block; two blocks one after the other are what a score is given to.
pub const BLOCK: usize = 32;

/// Marks that are no further apart than this are a pair.
const PAIR: u32 = 7;

/// A feature, by a hash of it.
pub type Key = u32;

/// What is seen in one block of words.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// What is there, each as often as it is.
    pub features: Vec<Key>,
    /// The rules that fit, and how sure they are.
    pub rules: Vec<(usize, f32)>,
}

/// The blocks of a text.
pub fn blocks(detector: &Detector, seen: &Seen, keep: impl Fn(Key) -> bool) -> Vec<Block> {
    let mut blocks = vec![Block::default(); seen.tokens.len().div_ceil(BLOCK)];
    let mut add = |token: usize, key: Key, hit: Option<(usize, f32)>| {
        if let Some(block) = blocks.get_mut(token / BLOCK) {
            if keep(key) {
                block.features.push(key);
            }
            block.rules.extend(hit);
        }
    };
    for (index, mark) in seen.marks.iter().enumerate() {
        add(mark.first, concept(mark), None);
        if mark.urged {
            add(mark.first, order(mark), None);
        }
        let after = seen.marks.iter().skip(index + 1);
        let near = after.take_while(|other| other.at <= mark.at + PAIR).take(4);
        for other in near.filter(|other| other.first > mark.last) {
            add(mark.first, pair(mark, other), None);
        }
    }
    for hit in &seen.hits {
        let (weight, whole) = detector.weight(seen, hit);
        let kind = if weight * 1.3 < whole { 6 } else { 5 };
        let key = key(kind, rule_number(detector, hit.rule), 0);
        add(hit.first, key, Some((hit.rule, weight)));
    }
    blocks
}

/// The features that everything in this context has.
pub fn context(context: Context) -> Key {
    key(7, context as u64, 0)
}

/// How much the rules that fit say together: 0 for nothing, and more without bound.
pub fn evidence(rules: &[(usize, f32)]) -> f32 {
    let mut seen: Vec<(usize, f32)> = Vec::with_capacity(rules.len());
    for (rule, weight) in rules {
        match seen.iter_mut().find(|(known, _)| known == rule) {
            Some((_, known)) => *known = known.max(*weight),
            None => seen.push((*rule, *weight)),
        }
    }
    let doubt: f32 = seen.iter().map(|(_, weight)| 1.0 - weight).product();
    -doubt.max(0.01).ln()
}

/// The words of the window that starts with a block.
pub fn window(block: usize, words: usize) -> Range<usize> {
    block * BLOCK..words.min((block + 2) * BLOCK)
}

fn concept(mark: &Mark) -> Key {
    key(3, u64::from(mark.concept.0), 0)
}

/// What is demanded, and not only spoken of.
fn order(mark: &Mark) -> Key {
    key(2, u64::from(mark.concept.0), 0)
}

fn pair(one: &Mark, other: &Mark) -> Key {
    key(4, u64::from(one.concept.0), u64::from(other.concept.0))
}

/// Rules keep their features when others come and go.
fn rule_number(detector: &Detector, rule: usize) -> u64 {
    let rule = detector.rules().get(rule);
    rule.map_or(0, |rule| Word::exact(&rule.id).number())
}

/// The kind is in the last three bits.
fn key(kind: u64, one: u64, other: u64) -> Key {
    let hash = (one ^ other.rotate_left(23) ^ kind << 59).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let upper = u32::try_from(hash >> 32).unwrap_or_default();
    upper & !7 | u32::try_from(kind & 7).unwrap_or_default()
}
