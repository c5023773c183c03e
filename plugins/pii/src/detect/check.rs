//! Check digits, and numbers that were never given out.

/// Whether a value, in upper case and without separators, can be one.
pub(super) type Check = fn(&str) -> bool;

pub(super) fn check(name: &str) -> Option<Check> {
    let check: Check = match name {
        "luhn" => luhn,
        "ssn" => ssn,
        "itin" => itin,
        "dea" => dea,
        "npi" => |it| it.starts_with(['1', '2']) && luhn(&format!("80840{it}")),
        "aba" => |it| sum(it, &[3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 == 0 && !it.starts_with("00000"),
        "nhs" => |it| sum(it, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0 && !same(it),
        "nino" => nino,
        "pesel" => |it| sum(it, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 == 0 && !same(it),
        "nif" => |it| letter(it, "TRWAGMYFPDXBNJZSQVHLCKE", 23),
        "nie" => nie,
        "bsn" => {
            |it| (sum(it, &[9, 8, 7, 6, 5, 4, 3, 2]) + 10 * digit(it, 8)) % 11 == 0 && !same(it)
        }
        "cpf" => |it| {
            !same(it)
                && twice(
                    it,
                    &[10, 9, 8, 7, 6, 5, 4, 3, 2],
                    &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2],
                )
        },
        "cnpj" => |it| {
            !same(it)
                && twice(
                    it,
                    &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2],
                    &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2],
                )
        },
        "nir" => nir,
        "cn-resident" => cn_resident,
        "verhoeff" => |it| !it.starts_with(['0', '1']) && verhoeff(it),
        "tfn" => |it| sum(it, &[1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 == 0,
        "abn" => |it| {
            let all = sum(it, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
            all >= 10 && (all - 10) % 89 == 0
        },
        "acn" => |it| (10 - sum(it, &[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == digit(it, 8),
        "medicare" => |it| {
            it.starts_with(['2', '3', '4', '5', '6'])
                && sum(it, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == digit(it, 8)
        },
        "codice-fiscale" => codice_fiscale,
        "mod11-10" => mod11_10,
        "th" => |it| {
            !it.starts_with('0')
                && (11 - sum(it, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10
                    == digit(it, 12)
        },
        "tr" => tr,
        "rrn" => |it| month_day(it.get(2..6)) && matches!(digit(it, 6), 1..=8),
        "za" => |it| month_day(it.get(2..6)) && luhn(it),
        "hetu" => hetu,
        "personnummer" => |it| {
            it.get(it.len().saturating_sub(10)..)
                .is_some_and(|it| month_day(it.get(2..6)) && luhn(it))
        },
        "nric" => nric,
        "pt-nif" => |it| {
            let rest = sum(it, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
            digit(it, 8) == if rest < 2 { 0 } else { 11 - rest }
        },
        "pan" => |it| {
            it.as_bytes()
                .get(3)
                .is_some_and(|kind| b"PCHABGJLFT".contains(kind))
        },
        "mobile-cn" => |it| it.starts_with('1') && !matches!(digit(it, 1), 0..=2),
        "date" => date,
        _ => return None,
    };
    Some(check)
}

fn digit(text: &str, at: usize) -> i64 {
    let byte = text.as_bytes().get(at).copied().unwrap_or_default();
    i64::from(byte) - i64::from(b'0')
}

fn last(text: &str) -> Option<i64> {
    Some(digit(text, text.len().checked_sub(1)?))
}

/// The digits, each times its weight.
fn sum(text: &str, weights: &[i64]) -> i64 {
    let terms = weights.iter().enumerate();
    terms.map(|(at, weight)| weight * digit(text, at)).sum()
}

fn same(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next();
    bytes.all(|byte| Some(byte) == first)
}

pub(super) fn luhn(text: &str) -> bool {
    let doubled = |(at, byte): (usize, u8)| {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        match at % 2 {
            0 => digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        }
    };
    let all: u32 = text.bytes().rev().enumerate().map(doubled).sum();
    all.is_multiple_of(10) && !same(text)
}

fn ssn(text: &str) -> bool {
    let part = |range| text.get(range).unwrap_or_default();
    let never =
        ["078051120", "123456789", "219099999"].contains(&text) || text.starts_with("98765432");
    !(never
        || same(text)
        || ["000", "666"].contains(&part(0..3))
        || part(3..5) == "00"
        || part(5..9) == "0000")
}

fn itin(text: &str) -> bool {
    let group = text
        .get(3..5)
        .and_then(|it| it.parse::<u8>().ok())
        .unwrap_or_default();
    text.starts_with('9') && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

fn dea(text: &str) -> bool {
    let number = text.get(2..).unwrap_or_default();
    let kind = text.bytes().next().unwrap_or_default();
    b"ABCDEFGHJKLMPRSTUX".contains(&kind)
        && sum(number, &[1, 2, 1, 2, 1, 2]) % 10 == digit(number, 6)
}

fn nino(text: &str) -> bool {
    let head = text.get(..2).unwrap_or_default();
    let never = ["BG", "GB", "NK", "KN", "NT", "TN", "ZZ"].contains(&head);
    let letters = head.bytes().enumerate();
    let odd = |(at, byte): (usize, u8)| b"DFIQUV".contains(&byte) || at == 1 && byte == b'O';
    !never && !letters.into_iter().any(odd) && text.ends_with(['A', 'B', 'C', 'D'])
}

/// Whether the letter at the end is the one that the number before it asks for.
fn letter(text: &str, letters: &str, modulus: usize) -> bool {
    let Some((number, end)) = text
        .len()
        .checked_sub(1)
        .and_then(|at| text.split_at_checked(at))
    else {
        return false;
    };
    let number: Option<usize> = number.parse().ok();
    number.is_some_and(|number| {
        letters
            .get(number % modulus..)
            .is_some_and(|it| it.starts_with(end))
    })
}

fn nie(text: &str) -> bool {
    let first = match text.bytes().next() {
        Some(b'X') => '0',
        Some(b'Y') => '1',
        Some(b'Z') => '2',
        _ => return false,
    };
    let rest = text.get(1..).unwrap_or_default();
    letter(&format!("{first}{rest}"), "TRWAGMYFPDXBNJZSQVHLCKE", 23)
}

/// Two check digits, the second over the first.
fn twice(text: &str, first: &[i64], second: &[i64]) -> bool {
    let fits = |weights: &[i64]| {
        let rest = sum(text, weights) % 11;
        digit(text, weights.len()) == if rest < 2 { 0 } else { 11 - rest }
    };
    fits(first) && fits(second)
}

fn nir(text: &str) -> bool {
    let number = text
        .get(..13)
        .unwrap_or_default()
        .replace("2A", "19")
        .replace("2B", "18");
    let key = text.get(13..).and_then(|it| it.parse::<u64>().ok());
    let number = number.parse::<u64>().ok();
    let month = text
        .get(3..5)
        .and_then(|it| it.parse::<u8>().ok())
        .unwrap_or_default();
    text.starts_with(['1', '2'])
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
        && number
            .zip(key)
            .is_some_and(|(number, key)| 97 - number % 97 == key)
}

fn cn_resident(text: &str) -> bool {
    let all = sum(text, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11;
    let wanted = usize::try_from(all)
        .ok()
        .and_then(|at| b"10X98765432".get(at));
    text.as_bytes().get(17) == wanted && month_day(text.get(10..14))
}

fn verhoeff(text: &str) -> bool {
    const PERMUTED: [i64; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut check = 0;
    for (at, byte) in text.bytes().rev().enumerate() {
        let mut value = i64::from(byte.wrapping_sub(b'0'));
        for _ in 0..at % 8 {
            value = usize::try_from(value)
                .ok()
                .and_then(|at| PERMUTED.get(at))
                .copied()
                .unwrap_or_default();
        }
        check = dihedral(check, value);
    }
    check == 0 && !same(text)
}

/// The product of two moves of a pentagon.
fn dihedral(a: i64, b: i64) -> i64 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 - b).rem_euclid(5) + 5,
        (false, false) => (a - b).rem_euclid(5),
    }
}

fn codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let value = |(at, byte): (usize, u8)| {
        let place = if byte.is_ascii_digit() {
            byte - b'0'
        } else {
            byte.wrapping_sub(b'A')
        };
        match at % 2 {
            0 => ODD.get(usize::from(place)).copied().unwrap_or_default(),
            _ => u32::from(place),
        }
    };
    let all: u32 = text.bytes().take(15).enumerate().map(value).sum();
    text.bytes().last().map(u32::from) == Some(all % 26 + u32::from(b'A'))
}

/// ISO 7064, MOD 11,10.
fn mod11_10(text: &str) -> bool {
    let mut product = 10;
    for at in 0..text.len().saturating_sub(1) {
        let all = (digit(text, at) + product) % 10;
        product = if all == 0 { 10 } else { all } * 2 % 11;
    }
    !text.starts_with('0') && last(text) == Some((11 - product) % 10)
}

fn tr(text: &str) -> bool {
    let odd = sum(text, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = sum(text, &[0, 1, 0, 1, 0, 1, 0, 1]);
    let tenth = (odd * 7 - even).rem_euclid(10);
    !text.starts_with('0')
        && digit(text, 9) == tenth
        && digit(text, 10) == (odd + even + tenth) % 10
}

fn hetu(text: &str) -> bool {
    let end = text.len().saturating_sub(4);
    let number = format!(
        "{}{}",
        text.get(..6).unwrap_or_default(),
        text.get(end..end + 3).unwrap_or_default()
    );
    let wanted = number
        .parse::<usize>()
        .ok()
        .and_then(|it| b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(it % 31));
    wanted.is_some() && text.as_bytes().last() == wanted
}

fn nric(text: &str) -> bool {
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

fn month_day(text: Option<&str>) -> bool {
    let part = |range| {
        text.and_then(|it: &str| it.get(range))
            .and_then(|it: &str| it.parse::<u8>().ok())
    };
    part(0..2).is_some_and(|month| (1..=12).contains(&month))
        && part(2..4).is_some_and(|day| (1..=31).contains(&day))
}

/// Eight digits that are a day, the year first or last.
fn date(text: &str) -> bool {
    let year = |it: Option<&str>| it.is_some_and(|it| it.starts_with("19") || it.starts_with("20"));
    let turned = || {
        format!(
            "{}{}",
            text.get(2..4).unwrap_or_default(),
            text.get(..2).unwrap_or_default()
        )
    };
    year(text.get(..4)) && month_day(text.get(4..8))
        || year(text.get(4..8)) && (month_day(text.get(..4)) || month_day(Some(&turned())))
}
