//! Numbers of Asia.

use super::{digit, month_day, sum};

pub(super) fn cn_resident(text: &str) -> bool {
    let all = sum(text, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11;
    let wanted = usize::try_from(all)
        .ok()
        .and_then(|at| b"10X98765432".get(at));
    text.as_bytes().get(17) == wanted && month_day(text.get(10..14))
}

pub(super) fn nric(text: &str) -> bool {
    let number = text.get(1..8).unwrap_or_default();
    let (offset, letters) = match text.bytes().next() {
        Some(b'S') => (0, "JZIHGFEDCBA"),
        Some(b'T') => (4, "JZIHGFEDCBA"),
        Some(b'F') => (0, "XWUTRQPNMLK"),
        Some(b'G') => (4, "XWUTRQPNMLK"),
        Some(b'M') => (3, "KLJNPQRTUWX"),
        _ => return false,
    };
    let rest = (sum(number, &[2, 7, 6, 5, 4, 3, 2]) + offset) % 11;
    let wanted = usize::try_from(rest)
        .ok()
        .and_then(|at| letters.as_bytes().get(at));
    text.as_bytes().get(8) == wanted
}

/// A state, the number of a taxpayer, a registration, `Z`.
pub(super) fn gstin(text: &str) -> bool {
    let part = |range| text.get(range).unwrap_or_default();
    let letters = part(2..7).bytes().filter(u8::is_ascii_alphabetic).count();
    matches!(sum(part(0..2), &[10, 1]), 1..=37)
        && letters >= 3
        && part(7..11).bytes().all(|byte| byte.is_ascii_digit())
        && part(11..12).bytes().all(|byte| byte.is_ascii_alphabetic())
        && part(13..14) == "Z"
        && text.len() == 15
}

pub(super) fn brn(text: &str) -> bool {
    let ninth = 5 * digit(text, 8);
    let all = sum(text, &[1, 3, 7, 1, 3, 7, 1, 3]) + ninth / 10 + ninth;
    text.len() == 10 && (10 - all % 10) % 10 == digit(text, 9)
}

/// The offices that give licences.
pub(super) fn kr_licence(text: &str) -> bool {
    matches!(sum(text, &[10, 1]), 11..=26 | 28)
}

pub(super) fn rrn(text: &str) -> bool {
    let all = sum(text, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    let place = sum(text.get(7..9).unwrap_or_default(), &[10, 1]);
    place <= 95 && (11 - all % 11) % 10 == digit(text, 12)
}

pub(super) fn ph_tin(text: &str) -> bool {
    sum(text, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == digit(text, 8)
}

/// A firm, a company or another entity: each has a check letter of its own.
pub(super) fn uen(text: &str) -> bool {
    const OTHERS: &str = "LP LL FC PF RF MQ MM NB CC CS MB FM GS DP CP NR CM CD MD HS VH CH MH CL XL CX HC RP TU TC FB FN PA PB SS MC SM GA GB";
    const VALUES: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
    let (all, letters) = match (text.len(), text.starts_with(|c: char| c.is_ascii_digit())) {
        (9, _) => (
            sum(text, &[10, 4, 9, 3, 8, 2, 7, 1]) % 11,
            &b"XMKECAWLJDB"[..],
        ),
        (10, true) => {
            let year = text.get(..4).unwrap_or_default();
            if !("1800"..="2099").contains(&year) {
                return false;
            }
            (
                sum(text, &[10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11,
                &b"ZKCMDNERGWH"[..],
            )
        }
        (10, false) => {
            if !text
                .get(3..5)
                .is_some_and(|kind| OTHERS.split(' ').any(|it| it == kind))
            {
                return false;
            }
            let value = |byte: u8| {
                VALUES
                    .iter()
                    .position(|known| *known == byte)
                    .unwrap_or_default()
            };
            let values = text
                .bytes()
                .map(|byte| i64::try_from(value(byte)).unwrap_or_default());
            let weighted = values.zip([4, 3, 5, 3, 10, 2, 2, 5, 7]);
            let all: i64 = weighted.map(|(value, weight)| value * weight).sum();
            ((all - 5).rem_euclid(11), VALUES)
        }
        _ => return false,
    };
    let wanted = usize::try_from(all).ok().and_then(|at| letters.get(at));
    text.as_bytes().last() == wanted
}

/// Districts of states that have few; nobody's number is only zeros.
pub(super) fn in_vehicle(text: &str) -> bool {
    const FEW: &[(&str, i64)] = &[
        ("AN", 1),
        ("AR", 22),
        ("AS", 34),
        ("BR", 56),
        ("CG", 30),
        ("CH", 4),
        ("DD", 3),
        ("DN", 9),
        ("DL", 13),
        ("GA", 12),
        ("GJ", 39),
        ("JH", 24),
        ("JK", 22),
        ("KA", 71),
        ("LA", 2),
        ("LD", 9),
        ("MH", 51),
        ("ML", 10),
        ("MN", 7),
        ("MP", 71),
        ("MZ", 8),
        ("NL", 10),
        ("OD", 35),
        ("OR", 31),
        ("PY", 5),
        ("RJ", 58),
        ("SK", 8),
        ("TR", 8),
        ("TS", 38),
        ("UK", 20),
        ("UP", 96),
        ("WB", 98),
    ];
    let state = text.get(..2).unwrap_or_default();
    let rest = text.get(2..).unwrap_or_default();
    let district = rest.bytes().take(2).take_while(u8::is_ascii_digit);
    let district = district.fold(0, |all, byte| all * 10 + i64::from(byte - b'0'));
    let lettered = state.bytes().all(|byte| byte.is_ascii_alphabetic());
    let known = FEW.iter().find(|(name, _)| *name == state);
    let long = text.len() >= 8;
    let beyond = known.is_some_and(|(_, most)| !(1..=*most).contains(&district));
    !(text.ends_with("0000") || lettered && long && beyond)
}
