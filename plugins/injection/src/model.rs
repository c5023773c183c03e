//! The trained part: a weight for each feature that says something.

use crate::features::Key;
use crate::rule::Context;

/// What a model's file starts with.
const MAGIC: &[u8; 4] = b"inj2";

/// A linear model over features, quantised to a byte a weight.
#[derive(Debug)]
pub struct Model {
    /// Keys and weights, at places that the keys tell; a free place has the key 0.
    table: Vec<(Key, f32)>,
    bias: f32,
    limits: [Limits; 2],
}

/// What a sum means. What a server says of itself is short and made of the words that attacks are made of (read, send,
/// file, token), so it has limits of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// The sum of weights from which it counts.
    pub offset: f32,
    /// How much what is above that counts.
    pub gain: f32,
    /// The sum from which a text is reported.
    pub warn: f32,
    /// The sum from which it is refused.
    pub block: f32,
}

impl Limits {
    /// The number of the limits that hold in a context.
    pub fn number(context: Context) -> usize {
        usize::from(context == Context::Description)
    }
}

/// What a model is made of.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// A weight for each feature.
    pub weights: Vec<(Key, f32)>,
    /// What every text has.
    pub bias: f32,
    /// What a sum means: in a description, which is the second, and elsewhere.
    pub limits: [Limits; 2],
}

/// The scores that stand for the two sums.
const WARN: f32 = 0.6;
const BLOCK: f32 = 0.9;

impl Model {
    /// Reads a model's file.
    ///
    /// # Errors
    /// It is none.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let parts = Parts::read(bytes).ok_or("it is no model")?;
        Ok(Self::new(&parts))
    }

    /// A model of its parts.
    pub fn new(parts: &Parts) -> Self {
        let size = (parts.weights.len() * 3).next_power_of_two().max(8);
        let mut model = Self {
            table: vec![(0, 0.0); size],
            bias: parts.bias,
            limits: parts.limits,
        };
        for (key, weight) in &parts.weights {
            let place = model.place(*key);
            if let Some(free) = model.table.get_mut(place) {
                *free = (*key, *weight);
            }
        }
        model
    }

    /// Whether the feature says anything.
    pub fn knows(&self, key: Key) -> bool {
        self.weight(key) != 0.0
    }

    /// What the rules say together, or what the model says if that is more. Each feature counts once.
    pub fn sum(&self, features: &mut Vec<Key>, evidence: f32, context: Context) -> f32 {
        features.sort_unstable();
        features.dedup();
        let weights = features.iter().map(|key| self.weight(*key));
        let limits = self.limits(context);
        let above = self.bias + weights.sum::<f32>() - limits.offset;
        evidence.max(limits.gain * above)
    }

    fn limits(&self, context: Context) -> Limits {
        let [elsewhere, description] = self.limits;
        match Limits::number(context) {
            0 => elsewhere,
            _ => description,
        }
    }

    /// The score, from 0 to 1, that a sum stands for: 0.6 from where a text is reported, 0.9 from where it is refused.
    pub fn score(&self, sum: f32, context: Context) -> f32 {
        let Limits { warn, block, .. } = self.limits(context);
        let logit = |score: f32| (score / (1.0 - score)).ln();
        let slope = (logit(BLOCK) - logit(WARN)) / (block - warn).max(1e-3);
        let logit = logit(WARN) + slope * (sum - warn);
        1.0 / (1.0 + (-logit).exp())
    }

    fn weight(&self, key: Key) -> f32 {
        let found = self.table.get(self.place(key));
        found
            .filter(|(known, _)| *known == key)
            .map_or(0.0, |(_, weight)| *weight)
    }

    /// Where the key is, or would be. The table is never full.
    fn place(&self, key: Key) -> usize {
        let mask = self.table.len() - 1;
        let mut place = (key >> 3) as usize & mask;
        while let Some((known, _)) = self.table.get(place)
            && *known != 0
            && *known != key
        {
            place = (place + 1) & mask;
        }
        place
    }
}

impl Parts {
    /// The file of a model: a head, the keys in order, and for each a byte.
    pub fn write(&self) -> Vec<u8> {
        let mut weights = self.weights.clone();
        weights.sort_unstable_by_key(|(key, _)| *key);
        let most = weights
            .iter()
            .map(|(_, weight)| weight.abs())
            .fold(1e-6, f32::max);
        let scale = most / 127.0;
        let mut bytes = MAGIC.to_vec();
        let limits = self.limits.iter();
        let limits = limits.flat_map(|it| [it.offset, it.gain, it.warn, it.block]);
        for number in [scale, self.bias].into_iter().chain(limits) {
            bytes.extend(number.to_le_bytes());
        }
        for (key, _) in &weights {
            bytes.extend(key.to_le_bytes());
        }
        #[expect(clippy::cast_possible_truncation, reason = "between -127 and 127")]
        bytes.extend(
            weights
                .iter()
                .flat_map(|(_, weight)| ((weight / scale).round() as i8).to_le_bytes()),
        );
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (head, rest) = rest.split_at_checked(40)?;
        let mut head = head
            .chunks_exact(4)
            .filter_map(|four| Some(f32::from_le_bytes(four.try_into().ok()?)));
        let scale = head.next()?;
        let (keys, quantised) = rest.split_at_checked(rest.len() / 5 * 4)?;
        let keys = keys
            .chunks_exact(4)
            .filter_map(|four| Some(Key::from_le_bytes(four.try_into().ok()?)));
        let weights = quantised
            .iter()
            .map(|byte| f32::from(i8::from_le_bytes([*byte])) * scale);
        let bias = head.next()?;
        let mut limits = || {
            Some(Limits {
                offset: head.next()?,
                gain: head.next()?,
                warn: head.next()?,
                block: head.next()?,
            })
        };
        Some(Self {
            weights: keys.zip(weights).collect(),
            bias,
            limits: [limits()?, limits()?],
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_as_it_was_written() {
        let parts = Parts {
            weights: vec![(9, 1.0), (1, -0.5), (17, 0.25)],
            bias: -1.0,
            limits: [2.0, 4.0].map(|warn| Limits {
                offset: -1.0,
                gain: warn,
                warn: warn - 1.0,
                block: warn + 1.0,
            }),
        };
        let model = Model::read(&parts.write()).unwrap();
        assert!(model.knows(9) && model.knows(1) && !model.knows(10));
        let here = Context::Result;
        let sum = model.sum(&mut vec![1, 9, 9], 0.5, here);
        assert!((sum - 1.0).abs() < 0.02, "{sum}");
        let below = model.sum(&mut vec![1], 0.5, here);
        assert!((below - 0.5).abs() < 1e-6, "{below}");
        assert!((model.score(1.0, here) - 0.6).abs() < 1e-3);
        assert!((model.score(3.0, here) - 0.9).abs() < 1e-3);
        assert!((model.score(3.0, Context::Description) - 0.6).abs() < 1e-3);
        assert!(Model::read(b"something else").is_err());
    }
}
