//! Numbers of payment cards: a brand's first digits and length, and the check digit of Luhn.

use super::bounds::{byte, digits, is_over};
use super::check::luhn;
use super::cue::Cues;
use super::{Hit, Profile};
use crate::entity::Kind;

/// First digits from and to, and the lengths that such numbers have.
const BRANDS: &[(&str, &str, &[usize])] = &[
    ("4", "4", &[13, 16, 19]),
    ("51", "55", &[16]),
    ("2221", "2720", &[16]),
    ("34", "34", &[15]),
    ("37", "37", &[15]),
    ("300", "305", &[14]),
    ("3095", "3095", &[14]),
    ("36", "36", &[14, 16, 19]),
    ("38", "39", &[14, 16, 19]),
    ("6011", "6011", &[16, 17, 18, 19]),
    ("622126", "622925", &[16, 17, 18, 19]),
    ("644", "649", &[16, 17, 18, 19]),
    ("65", "65", &[16, 17, 18, 19]),
    ("3528", "3589", &[16, 17, 18, 19]),
    ("2131", "2131", &[15]),
    ("1800", "1800", &[15]),
    ("62", "62", &[16, 17, 18, 19]),
    ("50", "50", &[12, 13, 14, 15, 16, 17, 18, 19]),
    ("56", "58", &[12, 13, 14, 15, 16, 17, 18, 19]),
    ("63", "63", &[12, 13, 14, 15, 16, 17, 18, 19]),
    ("67", "67", &[12, 13, 14, 15, 16, 17, 18, 19]),
    ("2200", "2204", &[16, 17, 18, 19]),
    ("9792", "9792", &[16]),
    ("2205", "2205", &[16]),
    ("8600", "8600", &[16]),
    ("9704", "9704", &[16, 19]),
    ("9860", "9860", &[16]),
    ("60", "60", &[16]),
    ("81", "82", &[16]),
];

/// Words that speak of cards.
const WORDS: &[&str] = &[
    "card",
    "credit",
    "debit",
    "visa",
    "mastercard",
    "amex",
    "american express",
    "discover",
    "jcb",
    "diners",
    "maestro",
    "cc",
    "ccn",
    "pan",
    "payment",
    "kreditkarte",
    "carte",
    "tarjeta",
];

pub(super) fn find(text: &str, cues: &Cues<'_>, start: usize, profile: Profile) -> Option<Hit> {
    let bytes = text.as_bytes();
    let (mut end, mut count, mut separator) = (start, 0, None);
    loop {
        let here = byte(bytes, end);
        if here.is_ascii_digit() {
            count += 1;
            end += 1;
        } else if (here == b' ' || here == b'-')
            && byte(bytes, end + 1).is_ascii_digit()
            && separator.is_none_or(|known| known == here)
            && count >= 4
        {
            separator = Some(here);
            end += 1;
        } else {
            break;
        }
        if count > 19 {
            return None;
        }
    }
    if count < 12 || !is_over(bytes, end) {
        return None;
    }
    let number = digits(text.get(start..end)?);
    if !luhn(&number) {
        return None;
    }
    let cue = cues.says(start, WORDS);
    // Where a card is spoken of, it may be of a brand that is not in the list.
    let known = match profile {
        Profile::Gateway => has_brand(&number),
        // Thirteen digits that begin with a one are milliseconds.
        Profile::Presidio => {
            number.starts_with(['1', '3', '4', '5', '6'])
                && !(count == 13 && number.starts_with('1'))
        }
    };
    if !cue && !known {
        return None;
    }
    if !cue && profile == Profile::Gateway && cues.is_impersonal(start) {
        return None;
    }
    let sure = separator.is_some() || count >= 15;
    Some(Hit {
        entity: Kind::Card.entity(),
        range: start..end,
        score: profile.with_cue(if sure { 0.9 } else { 0.4 }, cue),
        canonical: number,
    })
}

fn has_brand(number: &str) -> bool {
    BRANDS.iter().any(|(from, to, lengths)| {
        let first = number.get(..from.len()).unwrap_or_default();
        (*from..=*to).contains(&first) && lengths.contains(&number.len())
    })
}
