//! Whether what has the form of a secret is one.

use std::ops::Range;
use std::sync::LazyLock;

use mcp_gateway_scan::Words;
use mcp_gateway_scan::measure::{entropy, has_run, has_sequence, is_placeholder, kinds};

use crate::opaque::{is_identifier, is_lot, is_opaque};
use crate::table::Check;

/// Words that people write where a password belongs.
const TRIVIAL: [&str; 30] = [
    "password", "passwd", "pass", "secret", "test", "testing", "admin", "root", "user", "username",
    "guest", "postgres", "mysql", "changeit", "default", "none", "null", "true", "false", "string",
    "xxx", "yyy", "pwd", "token", "foo", "bar", "abc", "123456", "redis", "demo",
];

/// Words in a name that tell of its value: those that say that it is no secret, those that deny what the name would
/// say without them (`fake_token`, `nonMatchingToken`), and those that are believed.
const HARMLESS: [&str; 41] = [
    "page_token",
    "authenticity",
    "pagetoken",
    "page-token",
    "next_token",
    "nexttoken",
    "synctoken",
    "sync_token",
    "continuation",
    "cursor",
    "csrf",
    "xsrf",
    "etag",
    "integrity",
    "checksum",
    "digest",
    "sha1",
    "sha256",
    "sha512",
    "public",
    "publishable",
    "tokenizer",
    "token_type",
    "tokentype",
    "token_url",
    "token_uri",
    "tokenurl",
    "token_endpoint",
    "secret_name",
    "secretname",
    "secret-name",
    "secret_arn",
    "secretref",
    "secretkeyref",
    "secret_id",
    "secretid",
    "key_id",
    "keyid",
    "_path",
    "_file",
    "hint",
];
const DENIED: [&str; 12] = [
    "non", "not", "no", "fake", "dummy", "mock", "mocked", "sample", "example", "invalid", "wrong",
    "bad",
];
const BELIEVED: [&str; 14] = [
    "token", "key", "secret", "pass", "pwd", "auth", "cred", "client", "api", "access", "license",
    "sid", "webhook", "_com",
];

/// All of these, in this order.
static TELLING: LazyLock<Option<Words>> = LazyLock::new(|| {
    let words = HARMLESS.iter().chain(&DENIED).chain(&BELIEVED);
    Words::new(words).ok()
});

/// What has a word in it that says so is no password.
static SPOKEN: LazyLock<Option<Words>> =
    LazyLock::new(|| Words::new(["password", "passwd", "passphrase", "://"]).ok());

/// Words in the names of keys that find something or say whose it is, rather than open it.
static FINDERS: LazyLock<Option<Words>> = LazyLock::new(|| {
    let words = "primary foreign pubkey pub_key recv keyserver fingerprint cache sort partition idempot object row \
                 dedup routing site index host lookup group state query";
    Words::new(words.split_whitespace()).ok()
});

/// So many characters in the order of the alphabet are typed, not drawn by lot: a little less than all its letters.
const ALPHABET: usize = 20;

/// What a check says of a match, with the name that it is given to, if it is.
pub(crate) fn passes(check: Check, secret: &str, name: Option<&str>) -> bool {
    match check {
        Check::Crc32 | Check::Manifest => true,
        Check::Digit => secret.bytes().any(|byte| byte.is_ascii_digit()),
        Check::Mixed => mixed(secret),
        Check::Random => name.is_none_or(|name| random(secret, name)),
        Check::Password => password(secret),
        Check::Login => secret.split_once(':').is_some_and(|(user, pass)| {
            user != pass && !trivial(pass) && !is_placeholder(pass) && !has_run(pass, 3)
        }),
        Check::Token => token(secret) && name.is_none_or(|name| !harmless(name)),
        Check::Opaque => name.is_none_or(|name| check.takes(name)) && is_opaque(secret),
        Check::Prefixed => {
            let body = body(secret);
            let between = body.bytes().filter(|byte| b"_-".contains(byte)).count();
            let is_hex = body.bytes().filter(u8::is_ascii_hexdigit).count() + between == body.len();
            name.is_none_or(|name| check.takes(name))
                && body.len() >= 32
                && between * 16 <= body.len()
                && !is_hex
                && is_opaque(body)
        }
        Check::Drawn => drawn(secret),
        Check::Lot => is_lot(body(secret)),
        Check::Key => name.is_none_or(is_key) && is_lot(body(secret)),
    }
}

impl Check {
    /// Whether the value of this name may be a secret, whatever it looks like. What is known by more than its looks is one
    /// under any name.
    pub(crate) fn takes(self, name: &str) -> bool {
        !matches!(self, Self::Opaque | Self::Prefixed) || !harmless(name) && !is_identifier(name)
    }
}

/// Whether a long token has enough letters of each case. Of letters of both cases and digits drawn by lot, four in ten
/// are of either case; that of eighty less than one in eight are comes about once in a million times.
fn drawn(secret: &str) -> bool {
    let [lower, upper, ..] = kinds(secret);
    lower.min(upper) * 8 >= secret.len()
}

/// What follows the words that a token starts with: `live_`, `acme_sk_`, `ser.`.
fn body(secret: &str) -> &str {
    let is_word = |part: &str| {
        let digits = part.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        part.len() <= 12 && digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut body = secret;
    while let Some((word, rest)) = body.split_once(['_', '-', '.', ':'])
        && is_word(word)
    {
        body = rest;
    }
    body
}

/// Whether a name is that of a key, and of one that opens something.
fn is_key(name: &str) -> bool {
    let is_bare = name.eq_ignore_ascii_case("key") || name.eq_ignore_ascii_case("keys");
    !is_bare
        && !harmless(name)
        && !is_identifier(name)
        && !FINDERS.as_ref().is_some_and(|words| words.are_in(name))
}

/// Whether a value of the right form is what a name with a provider's name in it stands for.
///
/// A name that says `token` or `key` is believed. One that only says whose it is must have a value that looks random.
fn random(secret: &str, name: &str) -> bool {
    let [lower, upper, digits, _] = kinds(secret);
    if (lower + upper > 0 || digits == 0) && !(mixed(secret) && entropy(secret) >= 2.6) {
        return false;
    }
    let said = Name::of(name.strip_suffix("_id").unwrap_or(name));
    !said.is_harmless
        && (said.is_believed || digits > 0 && lower.max(upper) > 0 && entropy(secret) >= 3.5)
        && !is_placeholder(secret)
}

/// What a name says of its value.
struct Name {
    is_harmless: bool,
    is_believed: bool,
}

impl Name {
    fn of(name: &str) -> Self {
        let ends = ["_id", "_url", "_uri", "_name", "_type", "_count"];
        let mut said = Self {
            is_harmless: ends.iter().any(|end| ends_with(name, end)),
            is_believed: false,
        };
        for (number, word) in TELLING.iter().flat_map(|words| words.find(name)) {
            if number < HARMLESS.len() {
                said.is_harmless = true;
            } else if number < HARMLESS.len() + DENIED.len() {
                said.is_harmless |= says(name, word);
            } else {
                said.is_believed = true;
            }
        }
        said
    }
}

/// Whether a name ends so, in any case.
pub(crate) fn ends_with(name: &str, end: &str) -> bool {
    let tail = name.len().checked_sub(end.len());
    tail.and_then(|at| name.as_bytes().get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
}

/// Whether a name says of itself that its value is no secret.
fn harmless(name: &str) -> bool {
    Name::of(name).is_harmless
}

/// Whether a word within a name is one of its own.
fn says(name: &str, word: Range<usize>) -> bool {
    let byte = |at: Option<usize>| at.and_then(|at| name.as_bytes().get(at)).copied();
    let first = byte(Some(word.start)).is_some_and(|byte| byte.is_ascii_uppercase());
    let before = byte(word.start.checked_sub(1));
    let starts =
        before.is_none_or(|byte| !byte.is_ascii_alphabetic() || first && byte.is_ascii_lowercase());
    let last = byte(word.end.checked_sub(1));
    let ends = byte(Some(word.end)).is_none_or(|byte| {
        !byte.is_ascii_alphabetic()
            || byte.is_ascii_uppercase() && last.is_some_and(|byte| byte.is_ascii_lowercase())
    });
    starts && ends
}

fn trivial(value: &str) -> bool {
    TRIVIAL.iter().any(|word| word.eq_ignore_ascii_case(value))
}

fn mixed(secret: &str) -> bool {
    let [lower, upper, digits, _] = kinds(secret);
    let fifth = (lower + upper) / 5;
    digits * 8 >= lower + upper || digits > 0 && lower.min(upper) > 0 || lower.min(upper) > fifth
}

fn password(value: &str) -> bool {
    // What a program or a sentence goes on with.
    let value = value.trim_end_matches([')', ']', '}', ':', '.']);
    let [lower, upper, digits, others] = kinds(value);
    // A secret is no word, no name and no piece of a program. The cheap questions come first.
    let said = digits > 0 && lower + upper > 0 || digits >= 8 || others > 0 && !is_name(value);
    let strange = |byte: &u8| b"!#$%&*+?@^~;".contains(byte);
    let called = || {
        let is_piece =
            value.contains(['(', '[', '{']) || value.contains("::") || value.contains("->");
        is_piece && value.bytes().filter(strange).count() < 3
    };
    let constant = || lower == 0 && value.contains('_');
    let spoken = || SPOKEN.as_ref().is_some_and(|words| words.are_in(value));
    said && !value.starts_with(['/', '.', '~', '#', '@', ':', '?', '-'])
        && !has_run(value, 5)
        && !spoken()
        && !called()
        && !constant()
        && !trivial(value)
        && !number(value)
        && !member(value)
        && !argument(value)
        && !is_placeholder(value)
}

/// An argument that a program hands on by its name: `keystore=None`, `prompt=self.prompt`.
fn argument(value: &str) -> bool {
    let is_word = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|byte| byte.is_ascii_alphabetic() || b"_.".contains(&byte))
    };
    value
        .split_once('=')
        .is_some_and(|(name, value)| is_word(name) && is_word(value))
}

/// Whether it has only what names have.
fn is_name(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte))
}

/// A number of a program: `0x8031_006A`, `16384i32`, and identifiers written as one.
fn number(value: &str) -> bool {
    if let Some(digits) = value.strip_prefix("0x") {
        // What is longer without a separator may be a key.
        return digits.len() <= 16 || digits.contains('_');
    }
    let suffix = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    suffix.len() < value.len()
        && [
            "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "usize", "UL", "ULL",
        ]
        .contains(&suffix)
}

fn token(value: &str) -> bool {
    let [lower, upper, digits, _] = kinds(value);
    // Base64 has slashes, too, and what paths do not.
    let path = || {
        let is_base64 = value.contains('+') || value.ends_with('=');
        value.starts_with(['.', '~'])
            || value.starts_with('/') && !is_base64
            || value.bytes().filter(|byte| *byte == b'/').count() > 3 && !is_base64
            || value.contains("://")
    };
    let digest = || {
        ["sha256-", "sha384-", "sha512-", "sha256:"]
            .iter()
            .any(|start| value.starts_with(start))
    };
    let constant = lower == 0 && value.contains('_');
    digits > 0
        && lower + upper > 0
        && (value.is_ascii() || digits > 1 && lower.min(upper) > 1)
        && !constant
        && !words(value)
        && !has_run(value, 5)
        && !digest()
        && !path()
        && !number(value)
        && !has_sequence(value, ALPHABET)
        && !repeats(value)
        && !address(value)
        && !member(value)
        && !is_placeholder(value)
}

/// Words and numbers between separators: `my-service-token-2`, `Win32_Security`.
fn words(value: &str) -> bool {
    value.split(['-', '_', '.', '/']).all(|part| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = part.len() - word.len();
        (word.is_empty() || digits <= 2) && word.bytes().all(|byte| !byte.is_ascii_digit())
    })
}

/// Whether three parts between hyphens in a row are the same: `xoxp-1234-1234-1234-…`.
fn repeats(value: &str) -> bool {
    let mut parts = value.split('-');
    let (mut before, mut same) = (parts.next(), 1);
    for part in parts.map(Some) {
        same = if part == before && part != Some("") {
            same + 1
        } else {
            1
        };
        if same == 3 {
            return true;
        }
        before = part;
    }
    false
}

/// An address of Ethereum, which code calls that of a token: forty hexadecimal digits in whose cases a checksum is
/// (EIP-55), or behind `0x` in any. No key is written in both cases.
fn address(value: &str) -> bool {
    let digits = value.strip_prefix("0x").unwrap_or(value);
    let [lower, upper, ..] = kinds(digits);
    digits.len() == 40
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && (digits.len() < value.len() || lower > 0 && upper > 0)
}

/// `user.name`, `config.db2.password`: names with full stops between them.
fn member(value: &str) -> bool {
    let mut parts = value.split('.');
    let short = |part: &str| {
        part.len() <= 24
            && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    value.contains('.') && parts.all(short) && value.matches('.').count() < 6
}

/// Whether the last six characters are the checksum of those before them (GitHub, npm).
pub(crate) fn checksum_holds(secret: &str) -> bool {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((_, token)) = secret.split_once('_') else {
        return false;
    };
    let Some((body, sum)) = token
        .len()
        .checked_sub(6)
        .and_then(|at| token.split_at_checked(at))
    else {
        return false;
    };
    let mut rest = crc32(body.as_bytes());
    sum.bytes().rev().all(|digit| {
        let expected = DIGITS.get((rest % 62) as usize);
        rest /= 62;
        expected == Some(&digit)
    })
}

fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_told_from_a_name_and_a_placeholder() {
        for value in [
            "hunter2x",
            "P@ssw0rd$1",
            "c6hy7KkmWB9qX6WUwG",
            "correct!horse",
            "33f!!lloppa",
            "q{r}8(t#v$w&x",
        ] {
            assert!(password(value), "{value}");
        }
        for value in [
            "changeme",
            "password1",
            "string",
            "user.password",
            "os.environ[",
            "get_password(",
            "None):",
            "0x803100AC",
            "1073741837i32",
            "DB_PASSWORD_2",
            "/run/secrets/db1",
            "${DB_PASS}",
            "<password>",
            "***********",
            "hash_of_it",
            "config.db2.pass",
            "keystore=None",
            "rounds=self._rounds",
        ] {
            assert!(!password(value), "{value}");
        }
    }

    #[test]
    fn a_token_is_told_from_a_name_and_a_path() {
        for value in [
            "8ae31cacf141669ddfb5da2a1b0c",
            "8ba1f109551bd432803012645ac136ddd64dba72",
            "aB3dE6gH9jK2mN5pQ8sT",
        ] {
            assert!(token(value), "{value}");
        }
        for value in [
            "my-service-token-2",
            "/etc/ssl/key1.pem",
            "sha256-AbC1deF2",
            "config.key1.value",
            "aLongIdentifier",
            "sk_abcdefghijklmnopqrstuvwxyz123",
            "Win32_Security_Credentials",
            "0xb8aab0cf_346f_49d8_9499_c8b03f161d51",
            "app-1234-1234-1234-4ddbc191d40ee098",
            "8ba1f109551bD432803012645Ac136ddd64DBA72",
            "0x8ba1f109551bd432803012645ac136ddd64dba72",
        ] {
            assert!(!token(value), "{value}");
        }
        assert!(
            harmless("next_page_token") && harmless("secretName") && !harmless("client_secret")
        );
        for name in [
            "nonMatchingToken",
            "FAKE_TOKEN",
            "token.invalid",
            "badToken",
        ] {
            assert!(harmless(name), "{name}");
        }
        for name in ["canonicalToken", "notary_token", "noteToken", "BADGE_TOKEN"] {
            assert!(!harmless(name), "{name}");
        }
    }

    #[test]
    fn the_checksum_of_a_token_is_known() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        // Made here: thirty letters and the checksum of them.
        let body = "a".repeat(30);
        let mut rest = crc32(body.as_bytes());
        let mut sum = String::new();
        for _ in 0..6 {
            let digit = (rest % 62) as u8;
            rest /= 62;
            let digit = match digit {
                0..=9 => b'0' + digit,
                10..=35 => b'A' + digit - 10,
                _ => b'a' + digit - 36,
            };
            sum.insert(0, char::from(digit));
        }
        assert!(checksum_holds(&format!("ghp_{body}{sum}")));
        assert!(!checksum_holds(&format!("ghp_{body}000000")));
    }
}
