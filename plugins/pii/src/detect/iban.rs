//! Numbers of bank accounts: the length that a country gives them, and the check digits.

use super::Hit;
use super::bounds::{before, byte};
use crate::entity::Kind;

/// Countries, in order, and how long their numbers are; each takes five bytes.
const LENGTHS: &[u8] = b"AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 ";

pub(super) fn find(text: &str, start: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let head = text.get(start..start + 4)?.to_ascii_uppercase();
    if !head.bytes().skip(2).all(|b| b.is_ascii_digit())
        || !head.bytes().take(2).all(|b| b.is_ascii_uppercase())
    {
        return None;
    }
    let last = before(bytes, start);
    if last == b'_' || last >= 0x80 {
        return None;
    }
    let (entries, _) = LENGTHS.as_chunks::<5>();
    let country = head.get(..2)?.as_bytes();
    let at = entries.binary_search_by(|entry| entry.get(..2).cmp(&Some(country)));
    let entry = entries.get(at.ok()?)?;
    let wanted: usize = std::str::from_utf8(entry.get(2..4)?).ok()?.parse().ok()?;
    let mut canonical = String::with_capacity(wanted);
    let mut end = start;
    while canonical.len() < wanted {
        let here = byte(bytes, end);
        if here.is_ascii_alphanumeric() {
            canonical.push(char::from(here.to_ascii_uppercase()));
        } else {
            // Blanks are set as people like, and the check digits are no accident.
            let next = usize::from(here == b' ' && byte(bytes, end + 1) == b' ') + end + 1;
            if !b" -.".contains(&here) || !byte(bytes, next).is_ascii_alphanumeric() {
                return None;
            }
        }
        end += 1;
    }
    let next = byte(bytes, end);
    if next.is_ascii_alphanumeric() || next == b'_' || !is_checked(&canonical) {
        return None;
    }
    Some(Hit {
        entity: Kind::Iban.entity(),
        range: start..end,
        score: 1.0,
        canonical,
    })
}

fn is_checked(number: &str) -> bool {
    let (head, rest) = number.split_at(4);
    let sum = rest.chars().chain(head.chars()).fold(0, |sum, c| {
        let value = c.to_digit(36).unwrap_or_default();
        (if value < 10 {
            sum * 10 + value
        } else {
            sum * 100 + value
        }) % 97
    });
    sum == 1
}
