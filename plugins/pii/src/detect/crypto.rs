//! Addresses of Bitcoin: base58check, bech32 and bech32m; and of Ethereum, where it is spoken of.

use sha2::{Digest, Sha256};

use super::bounds::{before, byte};
use super::cue::Cues;
use super::{Hit, Token};
use crate::entity::Kind;

const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Words that speak of Ethereum, and of what people have there.
const ETHEREUM: &[&str] = &[
    "wallet", "eth", "ethereum", "ether", "metamask", "erc20", "usdt", "usdc", "payout",
];

pub(super) fn find(text: &str, cues: &Cues<'_>, token: &Token) -> Option<Hit> {
    let bytes = text.as_bytes();
    let beside = |byte: u8| byte == b'_' || byte >= 0x80;
    if beside(before(bytes, token.start)) || beside(byte(bytes, token.end)) {
        return None;
    }
    let value = text.get(token.start..token.end)?;
    let checked = match value.get(..3)? {
        "bc1" | "BC1" => bech32(&value.to_ascii_lowercase()),
        head if head.starts_with(['1', '3']) && value.len() <= 35 => base58(value),
        // Its check is in the case of its letters, which most who write it leave away.
        _ if is_hexadecimal(value) => cues.says(token.start, ETHEREUM),
        _ => false,
    };
    checked.then(|| Hit {
        entity: Kind::Crypto.entity(),
        range: token.start..token.end,
        score: 1.0,
        canonical: value.to_owned(),
    })
}

/// Whether it is a number of 20 bytes.
fn is_hexadecimal(value: &str) -> bool {
    let digits = value.strip_prefix("0x");
    digits.is_some_and(|it| it.len() == 40 && it.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn base58(value: &str) -> bool {
    let mut number = [0_u8; 25];
    for letter in value.bytes() {
        let Some(digit) = BASE58.iter().position(|known| *known == letter) else {
            return false;
        };
        let mut carry = digit;
        for byte in number.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = u8::try_from(carry & 0xff).unwrap_or_default();
            carry >>= 8;
        }
        if carry > 0 {
            return false;
        }
    }
    let (payload, check) = number.split_at(21);
    Sha256::digest(Sha256::digest(payload)).starts_with(check)
}

fn bech32(value: &str) -> bool {
    let Some(data) = value.get(3..) else {
        return false;
    };
    // The prefix "bc", spread out as the checksum wants it.
    let mut sum: u32 = [3, 3, 0, 2, 3].into_iter().fold(1, step);
    for letter in data.bytes() {
        let Some(digit) = BECH32.iter().position(|known| *known == letter) else {
            return false;
        };
        sum = step(sum, u32::try_from(digit).unwrap_or_default());
    }
    data.len() >= 11 && (sum == 1 || sum == 0x2bc8_30a3)
}

fn step(sum: u32, digit: u32) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let top = sum >> 25;
    let next = (sum & 0x01ff_ffff) << 5 ^ digit;
    let bits = GENERATOR.into_iter().enumerate();
    bits.filter(|(bit, _)| top >> bit & 1 == 1)
        .fold(next, |sum, (_, generator)| sum ^ generator)
}
