//! Addresses of the web, with a scheme or as a name of a host.

use super::bounds::{before, byte};
use super::{Hit, Profile, Token};
use crate::entity::Kind;

/// How much of an address is read.
const LONGEST: usize = 4096;

/// Ends of the names of hosts besides those of countries. An ending that files have counts only with a scheme.
const TOPS: &[&str] = &[
    "com",
    "org",
    "net",
    "edu",
    "gov",
    "mil",
    "int",
    "info",
    "biz",
    "name",
    "pro",
    "app",
    "dev",
    "cloud",
    "online",
    "site",
    "store",
    "shop",
    "tech",
    "blog",
    "xyz",
    "club",
    "live",
    "news",
    "agency",
    "digital",
    "email",
    "email",
    "global",
    "group",
    "health",
    "host",
    "life",
    "link",
    "media",
    "network",
    "page",
    "services",
    "social",
    "solutions",
    "space",
    "studio",
    "support",
    "systems",
    "team",
    "tools",
    "top",
    "website",
    "wiki",
    "work",
    "world",
    "zone",
    "asia",
    "jobs",
    "mobi",
    "museum",
    "travel",
    "tel",
    "cat",
    "academy",
    "bank",
    "berlin",
    "london",
    "paris",
];

/// Endings of files that are ends of the names of hosts, too.
const FILES: &[&str] = &[
    "py", "rs", "md", "sh", "pl", "cc", "ps", "ml", "so", "am", "in", "py", "vb", "mm", "st", "do",
    "as", "is", "it", "no", "to", "at", "be", "my", "me", "id",
];

pub(super) fn find(text: &str, token: &Token, profile: Profile) -> Option<Hit> {
    let bytes = text.as_bytes();
    let last = before(bytes, token.start);
    if last.is_ascii_alphanumeric() || b"@_-.".contains(&last) {
        return None;
    }
    let scheme = scheme(text, token);
    let host = scheme.unwrap_or(token.start);
    let end = host_end(bytes, host);
    let name = text.get(host..end)?;
    let known = match scheme {
        Some(_) => !name.is_empty(),
        None => is_host(name, profile) && !b"@(=".contains(&byte(bytes, end)),
    };
    if !known {
        return None;
    }
    let mut end = path_end(bytes, end);
    let mut start = token.start;
    let quote = before(bytes, start);
    if profile == Profile::Presidio && b"\"'".contains(&quote) && byte(bytes, end) == quote {
        start -= 1;
        end += 1;
    }
    Some(Hit {
        entity: Kind::Url.entity(),
        range: start..end,
        score: if scheme.is_some() { 0.6 } else { 0.5 },
        canonical: text.get(start..end)?.to_owned(),
    })
}

/// Where the host begins behind `https://`.
fn scheme(text: &str, token: &Token) -> Option<usize> {
    let name = text.get(token.start..token.end)?;
    let known = ["http", "https", "ftp", "ws", "wss"]
        .iter()
        .any(|it| name.eq_ignore_ascii_case(it));
    let behind = text.get(token.end..)?.starts_with("://");
    (known && behind).then_some(token.end + 3)
}

fn host_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let host = rest
        .iter()
        .take(253)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte));
    let mut end = start + host.count();
    while end > start && b".-".contains(&before(bytes, end)) {
        end -= 1;
    }
    end
}

/// Whether a name without a scheme is one of a host.
fn is_host(name: &str, profile: Profile) -> bool {
    let Some((rest, top)) = name.rsplit_once('.') else {
        return false;
    };
    let top = top.to_ascii_lowercase();
    let country = top.len() == 2
        && top.bytes().all(|byte| byte.is_ascii_lowercase())
        && (profile == Profile::Presidio || !FILES.contains(&top.as_str()));
    let named = rest.split('.').all(|part| !part.is_empty())
        && rest.bytes().any(|byte| byte.is_ascii_alphabetic());
    named && (country || TOPS.contains(&top.as_str()))
}

/// Where an address ends with its port, path, query and fragment.
fn path_end(bytes: &[u8], host: usize) -> usize {
    let rest = bytes.get(host..).unwrap_or_default();
    let mut end = host;
    if rest.first() == Some(&b':') {
        let port = rest
            .iter()
            .skip(1)
            .take(5)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        end += if port > 0 { port + 1 } else { 0 };
    }
    if !b"/?#".contains(&byte(bytes, end)) {
        return end;
    }
    let path = bytes.get(end..).unwrap_or_default().iter().take(LONGEST);
    end += path
        .take_while(|byte| byte.is_ascii_graphic() && !b"\"'<>`{}|\\^[]()".contains(byte))
        .count();
    while b".,;:!?".contains(&before(bytes, end)) {
        end -= 1;
    }
    end
}
