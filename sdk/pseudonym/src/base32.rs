//! Crockford's base32: digits and letters that survive being read aloud, typed, and
//! written in another case.

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The bytes as digits, five bits each; what is missing at the end counts as zeros.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u16, 0);
    let mut push = |value: u16| {
        let digit = DIGITS.get(usize::from(value & 31)).copied();
        text.extend(digit.map(char::from));
    };
    for byte in bytes {
        held = (held << 8) | u16::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push(held << (5 - bits));
    }
    text
}

/// The bytes that digits stand for, in upper or lower case. `None` for what
/// [`encode`] would not have written.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u16, 0);
    for digit in text.bytes() {
        let digit = digit.to_ascii_uppercase();
        let value = DIGITS.iter().position(|known| *known == digit)?;
        held = (held << 5) | u16::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.extend(u8::try_from(held >> bits));
            held &= (1 << bits) - 1;
        }
    }
    (bits < 5 && held == 0).then_some(bytes)
}

/// Whether all of a text are such digits, in upper or lower case.
pub(crate) fn is_one(text: &str) -> bool {
    let known = |digit: u8| DIGITS.contains(&digit.to_ascii_uppercase());
    !text.is_empty() && text.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_digits_of_either_case() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(83) ^ 0xa5).collect();
            let text = encode(&bytes);
            assert_eq!(decode(&text).as_deref(), Some(&bytes[..]), "{text}");
            assert_eq!(decode(&text.to_lowercase()), Some(bytes));
        }
    }

    #[test]
    fn what_was_not_encoded_is_not_decoded() {
        for wrong in ["U", "0U", "01", "-", "0", "000", "é"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        assert_eq!(decode("00"), Some(vec![0]));
    }
}
