//! Check digits, and numbers that were never given out.

mod asia;
mod europe;
mod overseas;

/// Whether a value, in upper case and without separators, can be one.
pub(super) type Check = fn(&str) -> bool;

pub(super) fn check(name: &str) -> Option<Check> {
    let check: Check = match name {
        "luhn" => luhn,
        "ssn" => overseas::ssn,
        "itin" => overseas::itin,
        "dea" => overseas::dea,
        "npi" => overseas::npi,
        "aba" => |it| sum(it, &[3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 == 0 && !it.starts_with("00000"),
        "nhs" => |it| sum(it, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0 && !same(it),
        "nino" => europe::nino,
        "pesel" => |it| sum(it, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 == 0 && !same(it),
        "nif" => |it| letter(it, "TRWAGMYFPDXBNJZSQVHLCKE", 23),
        "nie" => europe::nie,
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
        "nir" => europe::nir,
        "cn-resident" => asia::cn_resident,
        "verhoeff" => {
            |it| !it.starts_with(['0', '1']) && !it.bytes().eq(it.bytes().rev()) && verhoeff(it)
        }
        "verhoeff-11" => verhoeff,
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
        "codice-fiscale" => europe::codice_fiscale,
        "th" => |it| {
            !it.starts_with('0')
                && (11 - sum(it, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10
                    == digit(it, 12)
        },
        "tr" => europe::tr,
        "rrn" => asia::rrn,
        "za" => overseas::za,
        "hetu" => europe::hetu,
        "personnummer" => europe::personnummer,
        "nric" => asia::nric,
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
        "cif" => europe::cif,
        "orgnr" => europe::orgnr,
        "uk-licence" => europe::uk_licence,
        "uk-plate" => europe::uk_plate,
        "icao" => europe::icao,
        "de-id" => europe::de_id,
        "kvnr" => europe::kvnr,
        "rvnr" => europe::rvnr,
        "lanr" => europe::lanr,
        "de-tax" => europe::de_tax,
        "de-vat" => |it| it.get(2..).is_some_and(mod11_10),
        "tr-plate" => |it| matches!(sum(it, &[10, 1]), 1..=81),
        "age" => |it| {
            let number = it.bytes().take_while(u8::is_ascii_digit);
            (1..=120).contains(&number.fold(0, |all, byte| all * 10 + u32::from(byte - b'0')))
        },
        "plz" => |it| it != "01000" && it != "99999",
        "gstin" => asia::gstin,
        "brn" => asia::brn,
        "kr-licence" => asia::kr_licence,
        "ph-tin" => asia::ph_tin,
        "uen" => asia::uen,
        "in-vehicle" => asia::in_vehicle,
        "za-licence" => overseas::za_licence,
        "za-passport" => |it| it.starts_with(['A', 'D', 'M', 'T']),
        "not-za" => |it| !overseas::za(it),
        "not-zero" => |it| it.bytes().any(|byte| byte != b'0'),
        "letters-and-digits" => |it| {
            let has = |of: fn(&u8) -> bool| it.bytes().any(|byte| of(&byte));
            has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
        },
        "uuid" => |it| {
            let digit = |at| it.as_bytes().get(at).copied().unwrap_or_default();
            (b'1'..=b'8').contains(&digit(12)) && b"89AB".contains(&digit(16))
        },
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

/// Two check digits, the second over the first.
fn twice(text: &str, first: &[i64], second: &[i64]) -> bool {
    let fits = |weights: &[i64]| {
        let rest = sum(text, weights) % 11;
        digit(text, weights.len()) == if rest < 2 { 0 } else { 11 - rest }
    };
    fits(first) && fits(second)
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

/// ISO 7064, MOD 11,10, with the check digit at the end.
fn mod11_10(text: &str) -> bool {
    let mut product = 10;
    for at in 0..text.len().saturating_sub(1) {
        let all = (digit(text, at) + product) % 10;
        product = if all == 0 { 10 } else { all } * 2 % 11;
    }
    last(text) == Some((11 - product) % 10)
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

/// Whether eight digits, the year first, are a day that there was.
fn is_day(text: &str) -> bool {
    let part = |range| {
        text.get(range)
            .map_or(0, |it: &str| sum(it, &[1000, 100, 10, 1]))
    };
    let (year, month, day) = (
        part(0..4),
        sum(text.get(4..6).unwrap_or_default(), &[10, 1]),
        sum(text.get(6..8).unwrap_or_default(), &[10, 1]),
    );
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}
