//! Pages of lists. A list of several servers is one list, so a client gets it
//! in few pages, and in more than one only where it would be too long for one
//! message. Where the next starts, the gateway's own cursor says: at which
//! server, and at which page of that server's.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What a page holds at most, unless a server's page is larger, which stays whole.
/// Some clients stop reading at a line of 10 MB, and nobody shows more
/// than a few thousand things.
pub const LONGEST_PAGE: Size = Size {
    bytes: 4 << 20,
    items: 5000,
};

/// How much there is of something in a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes of JSON.
    pub bytes: usize,
    /// Tools, prompts and the like.
    pub items: usize,
}

/// Where a page starts: a server, and its own cursor for what comes next, as
/// JSON text; without one, the server's first page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The server's name.
    pub server: Arc<str>,
    /// The cursor.
    pub cursor: Option<String>,
}

/// What one server has listed, from some position on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<P> {
    /// Its name.
    pub server: Arc<str>,
    /// Its pages, each with its own cursor.
    pub pages: Vec<(Option<String>, P)>,
    /// Its cursor for what comes after them.
    pub more: Option<String>,
}

/// The cursors of a session.
#[derive(Debug, Default)]
pub(super) struct Cursors(RandomState);

impl Size {
    /// This and that together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            items: self.items.saturating_add(other.items),
        }
    }

    /// Whether it is too much for a page.
    #[must_use]
    pub fn exceeds(self, page: Self) -> bool {
        self.bytes > page.bytes || self.items > page.items
    }
}

impl<P> Listing<P> {
    /// All that a server has listed.
    pub fn of_all(server: Arc<str>, pages: Vec<P>) -> Self {
        let cursors = std::iter::once(None).chain(std::iter::repeat_with(|| Some(String::new())));
        Self {
            server,
            pages: cursors.zip(pages).collect(),
            more: None,
        }
    }

    /// Whether it is all that the server has listed.
    pub fn is_whole(&self) -> bool {
        self.more.is_none() && self.pages.first().is_some_and(|(at, _)| at.is_none())
    }
}

/// Keeps what fits on a page, and says where the next one starts.
pub(super) fn cut<P>(
    listings: Vec<Listing<P>>,
    page: Size,
    size: impl Fn(&P) -> Size,
) -> (Vec<Listing<P>>, Option<Position>) {
    let mut kept = Vec::with_capacity(listings.len());
    let mut total: Option<Size> = None;
    for mut listing in listings {
        let mut fitting = 0;
        for (_, next) in &listing.pages {
            let with = total.unwrap_or_default().and(size(next));
            // Something must be on it, or the list would never end.
            if total.is_some() && with.exceeds(page) {
                break;
            }
            total = Some(with);
            fitting += 1;
        }
        let rest = listing.pages.split_off(fitting);
        let server = Arc::clone(&listing.server);
        let next = match rest.into_iter().next() {
            Some((cursor, _)) => Some(Position { server, cursor }),
            None => listing.more.take().map(|cursor| Position {
                server,
                cursor: Some(cursor),
            }),
        };
        if let Some(position) = next {
            listing.more.clone_from(&position.cursor);
            kept.push(listing);
            return (kept, Some(position));
        }
        kept.push(listing);
    }
    (kept, None)
}

impl Cursors {
    /// The cursor for a position in a list, as the client gets it.
    pub(super) fn write(&self, method: &str, position: &Position) -> String {
        let mut text = position.server.to_string();
        if let Some(cursor) = &position.cursor {
            // No server's name has it in it.
            text.push('\0');
            text.push_str(cursor);
        }
        let mut bytes = self.seal(method, &text).to_vec();
        bytes.extend_from_slice(text.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position that a cursor means; absent for one that is not from here.
    pub(super) fn read(&self, method: &str, cursor: &str) -> Option<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (seal, text) = bytes.split_first_chunk::<8>()?;
        let text = std::str::from_utf8(text).ok()?;
        if self.seal(method, text) != *seal {
            return None;
        }
        let (server, cursor) = match text.split_once('\0') {
            Some((server, cursor)) => (server, Some(cursor.to_owned())),
            None => (text, None),
        };
        Some(Position {
            server: server.into(),
            cursor,
        })
    }

    /// What only this session can make: its keys are random.
    fn seal(&self, method: &str, text: &str) -> [u8; 8] {
        self.0.hash_one((method, text)).to_be_bytes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Servers as they are in these tests: each a list of pages of items.
    type Servers = Vec<Vec<Vec<u32>>>;

    /// What a gateway gets from the servers from a position on.
    fn ask(servers: &Servers, position: Option<&Position>) -> Vec<Listing<Vec<u32>>> {
        let start = position.map_or(0, |position| position.server.parse().unwrap());
        let mut listings = Vec::new();
        for (index, pages) in servers.iter().enumerate().skip(start) {
            let own = position.filter(|_| index == start);
            let first = own.and_then(|own| own.cursor.as_deref());
            let first: usize = first.map_or(0, |cursor| cursor.parse().unwrap());
            let number = |page: usize| (page > 0).then(|| page.to_string());
            // A server stops when it has listed three pages.
            let until = pages.len().min(first + 3);
            listings.push(Listing {
                server: index.to_string().into(),
                pages: (first..until)
                    .map(|page| (number(page), pages.get(page).unwrap().clone()))
                    .collect(),
                more: (until < pages.len()).then(|| until.to_string()),
            });
        }
        listings
    }

    fn servers() -> impl Strategy<Value = Servers> {
        let pages = prop::collection::vec(prop::collection::vec(any::<u32>(), 0..6), 1..8);
        prop::collection::vec(pages, 0..5)
    }

    proptest! {
        #[test]
        fn a_walk_comes_by_everything_once_and_in_order(servers in servers(), items in 1..12usize) {
            let cursors = Cursors::default();
            let page = Size { bytes: usize::MAX, items };
            let mut walked = Vec::new();
            let mut at = None;
            loop {
                let listings = ask(&servers, at.as_ref());
                let size = |page: &Vec<u32>| Size { bytes: 1, items: page.len() };
                let (kept, next) = cut(listings, page, size);
                let got = kept.into_iter().flat_map(|it| it.pages);
                let got: Vec<u32> = got.flat_map(|(_, page)| page).collect();
                prop_assert!(got.len() <= items.max(5));
                walked.extend(got);
                let Some(next) = next else { break };
                let cursor = cursors.write("tools/list", &next);
                let read = cursors.read("tools/list", &cursor);
                prop_assert_eq!(read.as_ref(), Some(&next));
                prop_assert_ne!(read.as_ref(), at.as_ref());
                at = read;
            }
            let all: Vec<u32> = servers.into_iter().flatten().flatten().collect();
            prop_assert_eq!(walked, all);
        }

        #[test]
        fn a_cursor_comes_back_and_no_other_is_taken(
            server in "[^\0]{0,8}", cursor in prop::option::of(".{0,20}"),
            at in any::<prop::sample::Index>(), forged in ".{0,40}",
        ) {
            let cursors = Cursors::default();
            let position = Position { server: server.into(), cursor };
            let text = cursors.write("tools/list", &position);
            let read = |text: &str| cursors.read("tools/list", text);
            prop_assert_eq!(read(&text), Some(position));
            prop_assert_eq!(cursors.read("prompts/list", &text), None);
            prop_assert_eq!(Cursors::default().read("tools/list", &text), None);
            prop_assert_eq!(read(&forged), None);
            let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
            let at = at.index(bytes.len());
            *bytes.get_mut(at).unwrap() ^= 1;
            prop_assert_eq!(read(&URL_SAFE_NO_PAD.encode(bytes)), None);
        }
    }
}
