//! Addresses of mail.

use memchr::memchr_iter;

use super::Hit;
use super::bounds::{before, byte};
use crate::entity::Kind;

/// Longest parts before and behind the `@`.
const LOCAL: usize = 64;
const DOMAIN: usize = 253;

/// Endings of files, which nobody's domain has: `icon@2x.png`.
const FILES: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "js", "ts", "tsx", "jsx", "css", "html",
    "json", "xml", "yml", "yaml", "toml", "txt", "rs", "py", "tgz", "gz", "zip", "service",
    "timer", "socket", "target",
];

pub(super) fn find(text: &str, hits: &mut Vec<Hit>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for at in memchr_iter(b'@', bytes) {
        let floor = at.saturating_sub(LOCAL).max(done);
        let mut start = at;
        while start > floor && is_local(bytes, start - 1) {
            start -= 1;
        }
        // What is longer than it may be is none, nor a part of it.
        if start == floor && start > done && is_local(bytes, start - 1) {
            continue;
        }
        while start < at && b".-'+/=&?!#$%*|".contains(&byte(bytes, start)) {
            start += 1;
        }
        while !text.is_char_boundary(start) {
            start += 1;
        }
        let local = text.get(start..at).unwrap_or_default();
        if local.is_empty() || local.ends_with('.') || local.contains("..") || is_login(text, start)
        {
            continue;
        }
        let Some(end) = domain(bytes, at + 1) else {
            continue;
        };
        if local == "git" && byte(bytes, end) == b':' && is_path(byte(bytes, end + 1)) {
            continue;
        }
        done = end;
        let canonical = text.get(start..end).unwrap_or_default().to_lowercase();
        hits.push(Hit {
            entity: Kind::Email.entity(),
            range: start..end,
            score: 1.0,
            canonical,
        });
    }
}

fn is_local(bytes: &[u8], at: usize) -> bool {
    let byte = byte(bytes, at);
    byte.is_ascii_alphanumeric() || b"._+-'%&*!#$".contains(&byte) || is_latin(bytes, at)
}

/// Whether a byte is of a Latin letter with an accent. What has no blanks between words is no part of an address.
fn is_latin(bytes: &[u8], at: usize) -> bool {
    let lead = |byte: u8| (0xc3..=0xc9).contains(&byte);
    let here = byte(bytes, at);
    lead(here) || (0x80..0xc0).contains(&here) && lead(before(bytes, at))
}

/// `https://git@…`: who logs in, not an address.
fn is_login(text: &str, start: usize) -> bool {
    text.get(..start)
        .is_some_and(|before| before.ends_with("://"))
}

/// Whether a path may begin so: `git@example.com:team/app.git`.
fn is_path(first: u8) -> bool {
    first.is_ascii_alphanumeric() || b"/~".contains(&first)
}

/// Where a domain ends that starts here.
fn domain(bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    while end - start < DOMAIN {
        let next = byte(bytes, end);
        let goes_on = next.is_ascii_alphanumeric() || next == b'-' || is_latin(bytes, end);
        if !(goes_on || next == b'.' && byte(bytes, end + 1).is_ascii_alphanumeric()) {
            break;
        }
        end += 1;
    }
    while end > start && (before(bytes, end) == b'-' || byte(bytes, end - 1) >= 0x80) {
        end -= 1;
    }
    let domain = std::str::from_utf8(bytes.get(start..end)?).ok()?;
    let (name, top) = domain.rsplit_once('.')?;
    let letters = top.bytes().all(|b| b.is_ascii_alphabetic()) || top.starts_with("xn--");
    if FILES.contains(&top.to_ascii_lowercase().as_str()) {
        return is_common(name).then_some(start + name.len());
    }
    let begins = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric() || b >= 0x80);
    (top.len() >= 2 && letters && begins).then_some(end)
}

/// Whether a domain is most likely one, so that what stands behind it is the ending of a file that is called by an
/// address: `jane@example.com.txt`, but not `jquery@3.7.min.js`.
fn is_common(domain: &str) -> bool {
    let mut labels = domain.rsplit('.');
    let top = labels.next().unwrap_or_default();
    let country = top.len() == 2 && top.bytes().all(|byte| byte.is_ascii_lowercase());
    let common = country || ["com", "org", "net", "edu", "gov", "info", "biz"].contains(&top);
    let named = |label: &str| label.starts_with(|c: char| c.is_alphabetic());
    common && !FILES.contains(&top) && labels.next().is_some_and(named)
}
