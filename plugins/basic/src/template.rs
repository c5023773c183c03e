//! Samples of secrets that are written down without being secrets.

/// Makes the text that a template describes: what it says, and for `[A-Za-z0-9]{20}` so many characters of the class,
/// drawn by lot. The same seed draws the same ones. So no scanner mistakes a file of rules for a leak.
pub(crate) fn expand(template: &str, seed: &str) -> String {
    let mut lot = Lot::of(seed);
    let mut text = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('[') {
        let (plain, tail) = rest.split_at(open);
        text.push_str(plain);
        match class(tail) {
            Some((characters, count, after)) => {
                text.extend((0..count).filter_map(|_| lot.of_these(&characters)));
                rest = after;
            }
            None => {
                text.push('[');
                rest = tail.get(1..).unwrap_or_default();
            }
        }
    }
    text + rest
}

/// The characters of the class at the start, how many of them, and what follows.
fn class(text: &str) -> Option<(Vec<char>, usize, &str)> {
    let (inside, rest) = text.strip_prefix('[')?.split_once("]{")?;
    let (count, rest) = rest.split_once('}')?;
    let mut characters = Vec::new();
    let mut inside = inside.chars().peekable();
    while let Some(first) = inside.next() {
        let mut ahead = inside.clone();
        match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) => {
                characters.extend(first..=last);
                inside = ahead;
            }
            _ => characters.push(first),
        }
    }
    Some((characters, count.parse().ok()?, rest))
}

/// A generator of numbers that look random (xorshift).
struct Lot(u64);

impl Lot {
    fn of(seed: &str) -> Self {
        let start = 0xcbf2_9ce4_8422_2325_u64;
        let state = seed.bytes().fold(start, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(state | 1)
    }

    fn of_these(&mut self, characters: &[char]) -> Option<char> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let number = usize::try_from(self.0 >> 33).ok()?;
        characters
            .get(number.checked_rem(characters.len())?)
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_says_what_and_how_many() {
        let text = expand("k_[A-Cx]{30}.[0-9]{2}", "a");
        let (letters, digits) = text
            .strip_prefix("k_")
            .and_then(|t| t.split_once('.'))
            .unwrap_or_default();
        assert!(
            letters.len() == 30 && letters.chars().all(|c| "ABCx".contains(c)),
            "{text}"
        );
        assert!(
            digits.len() == 2 && digits.chars().all(|c| c.is_ascii_digit()),
            "{text}"
        );
        assert_eq!(text, expand("k_[A-Cx]{30}.[0-9]{2}", "a"));
        assert_ne!(text, expand("k_[A-Cx]{30}.[0-9]{2}", "b"));
    }

    #[test]
    fn a_bracket_alone_is_a_bracket() {
        assert_eq!(expand("a[b]c", ""), "a[b]c");
    }
}
