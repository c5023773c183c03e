//! Numbers of telephones: how they are written, and how long a country's are.

use super::bounds::{before, byte, digits, is_whole};
use super::cue::Cues;
use super::{Hit, Profile, Token};
use crate::entity::Kind;

/// Country codes, with the least and the most digits behind them.
const COUNTRIES: &[(&str, usize, usize)] = &[
    ("1", 10, 10),
    ("7", 10, 10),
    ("20", 8, 10),
    ("27", 9, 9),
    ("30", 10, 10),
    ("31", 9, 9),
    ("32", 8, 9),
    ("33", 9, 9),
    ("34", 9, 9),
    ("36", 8, 9),
    ("39", 6, 11),
    ("40", 9, 9),
    ("41", 9, 9),
    ("43", 6, 13),
    ("44", 9, 10),
    ("45", 8, 8),
    ("46", 7, 9),
    ("47", 8, 8),
    ("48", 9, 9),
    ("49", 6, 12),
    ("51", 8, 9),
    ("52", 10, 11),
    ("53", 6, 8),
    ("54", 10, 11),
    ("55", 10, 11),
    ("56", 9, 9),
    ("57", 8, 10),
    ("58", 10, 10),
    ("60", 8, 10),
    ("61", 9, 9),
    ("62", 8, 12),
    ("63", 8, 10),
    ("64", 8, 10),
    ("65", 8, 8),
    ("66", 8, 9),
    ("81", 9, 10),
    ("82", 8, 10),
    ("84", 9, 10),
    ("86", 10, 11),
    ("90", 10, 10),
    ("91", 10, 10),
    ("92", 9, 10),
    ("93", 9, 9),
    ("94", 9, 9),
    ("95", 8, 10),
    ("98", 10, 10),
];

/// Words that speak of telephones.
const WORDS: &[&str] = &[
    "phone",
    "tel",
    "telephone",
    "mobile",
    "cell",
    "call",
    "fax",
    "sms",
    "whatsapp",
    "telefon",
    "handy",
    "mobil",
    "contact",
    "dial",
    "text me",
    "reach",
    "hotline",
    "anruf",
    "rufen",
    "rappeler",
    "appeler",
    "llamar",
    "llame",
    "chiamar",
    "bellen",
    "ligar",
    "telefone",
    "celular",
    "soitta",
    "puhelin",
    "zavol",
    "suna la",
    "pod numer",
    "numeroon",
    "ringa mig",
    "ringe meg",
    "ringe til",
    "拨打",
    "致电",
    "联系",
    "お電話",
    "ring me",
    "电话",
    "電話",
    "手机",
    "手機",
    "座机",
    "传真",
    "携帯",
    "전화",
    "휴대폰",
];

/// How many groups of digits a number has at most.
const GROUPS: usize = 7;

/// A number as it is written.
struct Written {
    start: usize,
    end: usize,
    plus: bool,
    bracket: bool,
    /// How long each group is, and how many there are.
    groups: [usize; GROUPS],
    count: usize,
    /// What stands behind each group but the last.
    separators: [u8; GROUPS],
}

impl Written {
    fn groups(&self) -> &[usize] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    fn separators(&self) -> &[u8] {
        self.separators
            .get(..self.count.saturating_sub(1))
            .unwrap_or_default()
    }
}

pub(super) fn find(text: &str, cues: &Cues<'_>, token: &Token, profile: Profile) -> Option<Hit> {
    let bytes = text.as_bytes();
    // A digit, and another one by itself: a row of numbers.
    let digit = |at: usize| byte(bytes, at).is_ascii_digit();
    if token.end - token.start == 1 && digit(token.end + 1) && !digit(token.end + 2) {
        return None;
    }
    let written = read(bytes, token)?;
    let mut value = digits(text.get(written.start..written.end)?);
    let (score, country) = judge(&written, &value)?;
    let cue = score < 0.9 && cues.says(written.start, WORDS);
    let gateway = profile == Profile::Gateway;
    if gateway && is_decimal(&written, &value) {
        return None;
    }
    if gateway && !cue && written.count == 1 && cues.is_impersonal(written.start) {
        return None;
    }
    if gateway && score < 0.3 && !cue {
        return None;
    }
    let score = profile.with_cue(score, cue);
    let end = extension(text, written.end);
    if let Some(country) = country {
        value = match country {
            "" => format!("+{value}"),
            code => format!("+{code}{value}"),
        };
    }
    Some(Hit {
        entity: Kind::Phone.entity(),
        range: written.start..end,
        score,
        canonical: value,
    })
}

/// Reads the groups of digits that begin with a token.
fn read(bytes: &[u8], token: &Token) -> Option<Written> {
    let mut start = token.start;
    let mut bracket = before(bytes, start) == b'(';
    if bracket {
        start -= 1;
    }
    let plus = before(bytes, start) == b'+';
    if plus {
        start -= 1;
    }
    let last = before(bytes, start);
    let earlier = start.checked_sub(1).map_or(0, |at| before(bytes, at));
    let joined = b"-./:".contains(&last) && earlier.is_ascii_digit()
        || b"-/#".contains(&last) && earlier.is_ascii_alphanumeric();
    if last.is_ascii_alphanumeric() || b"_$#+%&".contains(&last) || joined {
        return None;
    }
    let (mut groups, mut separators) = ([0; GROUPS], [0; GROUPS]);
    let mut places = groups.iter_mut().zip(&mut separators);
    let mut count = 0;
    let mut end = token.start;
    let (mut total, mut singles) = (0, 0);
    loop {
        let length = bytes
            .iter()
            .skip(end)
            .take(16)
            .take_while(|b| b.is_ascii_digit())
            .count();
        // One that has more groups than any number is none.
        let (group, separator) = places.next()?;
        *group = length;
        count += 1;
        end += length;
        total += length;
        singles += usize::from(length == 1);
        // Nobody writes more than a few digits by themselves.
        if total > 15 || length > 15 || singles > 3 {
            return None;
        }
        let mut next = end;
        // What stands further apart are columns.
        let columns = |next: usize| byte(bytes, next) == b' ' && byte(bytes, next - 1) == b' ';
        while next < end + 3 && b" -./()".contains(&byte(bytes, next)) && !columns(next) {
            bracket |= b"()".contains(&byte(bytes, next));
            next += 1;
        }
        let is_over = next == end || is_whole(bytes, end);
        if is_over || !byte(bytes, next).is_ascii_digit() || total >= 15 {
            break;
        }
        *separator = byte(bytes, next - 1);
        end = next;
    }
    let next = byte(bytes, end);
    let later = byte(bytes, end + 1);
    let goes_on = next == b'_'
        || next.is_ascii_alphabetic() && next != b'x'
        || b"-/:".contains(&next) && later.is_ascii_digit()
        || next == b'.' && later.is_ascii_alphanumeric() && !is_whole(bytes, end)
        || next == b'%';
    (!goes_on && total >= 7).then_some(Written {
        start,
        end,
        plus,
        bracket,
        groups,
        count,
        separators,
    })
}

/// Whether it may be a number with a point, such as a latitude, of which nobody's telephone is written.
fn is_decimal(written: &Written, value: &str) -> bool {
    let plain = !written.plus && !written.bracket && written.separators() == b".";
    plain && (written.groups().first() == Some(&1) || !value.starts_with('0'))
}

/// How sure a number is, and the country code that its digits lack, if they are known to lack only that.
fn judge(written: &Written, value: &str) -> Option<(f32, Option<&'static str>)> {
    let groups = written.groups();
    let separated = groups.len() > 1;
    let abroad = written.plus || value.starts_with("00") && separated;
    if abroad {
        let number = if written.plus { value } else { value.get(2..)? };
        let known = COUNTRIES.iter().any(|(code, least, most)| {
            number
                .strip_prefix(code)
                .is_some_and(|rest| (*least..=*most + 1).contains(&rest.len()))
        });
        let other = [
            "21", "22", "23", "24", "25", "26", "29", "35", "37", "38", "42", "50", "59", "67",
            "68", "69", "80", "85", "87", "88", "96", "97", "99",
        ];
        let other =
            other.iter().any(|code| number.starts_with(code)) && (8..=15).contains(&number.len());
        return (known || other).then_some((if written.plus { 0.9 } else { 0.6 }, Some("")));
    }
    let only = |wanted: &[u8]| written.separators().iter().all(|it| wanted.contains(it));
    if is_date(written, value) {
        return None;
    }
    let area = |at: usize| {
        value
            .as_bytes()
            .get(at)
            .is_some_and(|byte| (b'2'..=b'9').contains(byte))
    };
    match groups {
        [3, 2, 4] => None,
        [1, 3, 3, 4] if value.starts_with('1') && area(1) => Some((0.8, Some(""))),
        [3, 3, 4] if area(0) && (written.bracket || only(b"-. ")) => {
            let alike = written.bracket || only(b"-") || only(b".");
            Some((if alike { 0.7 } else { 0.55 }, Some("1")))
        }
        // A mobile of China.
        [11] if value.starts_with('1') && area(1) && !value.starts_with("12") => {
            Some((0.2, Some("86")))
        }
        [10] if area(0) => Some((0.2, Some("1"))),
        [3, 4] if only(b"-") && area(0) => Some((0.3, None)),
        [3, 7] if written.bracket || only(b"-") => Some((0.4, None)),
        _ if value.starts_with('0')
            && !value.starts_with("00")
            && (9..=11).contains(&value.len()) =>
        {
            let score = match groups.len() {
                1 => 0.2,
                2 => 0.4,
                _ => 0.5,
            };
            Some((if written.bracket { 0.6 } else { score }, None))
        }
        _ if separated && written.bracket => Some((0.4, None)),
        _ if groups.iter().filter(|length| **length == 1).count() > 2 => None,
        _ if (7..=13).contains(&value.len()) && (separated || value.len() >= 9) => {
            Some((0.15, None))
        }
        _ => None,
    }
}

/// Whether it is a day, or begins with one.
fn is_date(written: &Written, value: &str) -> bool {
    let year = |at: usize| {
        value
            .get(at..at + 2)
            .is_some_and(|it| it == "19" || it == "20")
    };
    let mut at = 0;
    let day = written.groups().windows(3).any(|groups| {
        let (month, day) = (at + 4, at + 6);
        let begins = groups == [4, 2, 2] && year(at);
        at += groups.first().copied().unwrap_or_default();
        let part = |at: usize| value.get(at..at + 2).unwrap_or_default();
        begins && part(month) <= "12" && part(day) <= "31"
    });
    day || matches!(written.groups(), [2, 2, 4] if year(4))
        || matches!(written.groups(), [4, 4] if year(0) || year(4))
        || matches!(written.groups(), [8, 6])
}

/// Where a number ends with its extension: `x123`, `ext. 12`.
fn extension(text: &str, end: usize) -> usize {
    let rest = text.get(end..).unwrap_or_default();
    let trimmed = rest.trim_start_matches(' ');
    for sign in ["extension ", "ext. ", "ext.", "ext ", "ext", "x"] {
        if let Some(number) = trimmed.strip_prefix(sign) {
            let length = number
                .bytes()
                .take(6)
                .take_while(u8::is_ascii_digit)
                .count();
            if length > 0 {
                return end + (rest.len() - trimmed.len()) + sign.len() + length;
            }
        }
    }
    end
}
