//! People who are named in one text of a message, in others that are nothing but their name. What a tool answers as a text
//! it often answers once more as structured content, value by value, where nothing beside a name tells whose it is.

use std::collections::BTreeMap;

use mcp_gateway_scan::encoded::Encoded;
use mcp_gateway_sdk::{Message, Places, Role, Text};

use crate::detect::Found;
use crate::entity::Kind;

/// What is encoded: what it says, and what is personal in that.
pub(crate) type Hidden = (Encoded, String, Vec<Found>);

/// A text in which something is personal.
pub(crate) struct Personal<'m> {
    pub(crate) text: Text<'m>,
    pub(crate) found: Vec<Found>,
    pub(crate) hidden: Vec<Hidden>,
}

/// The texts that are nothing but the name of somebody who is named in another one.
pub(crate) fn named_again<'m>(
    message: &Message<'m>,
    personal: &[Personal<'m>],
    places: &Places<'_>,
) -> Vec<Personal<'m>> {
    let mut people: BTreeMap<&str, &Found> = BTreeMap::new();
    for Personal { text, found, .. } in personal {
        let named = found
            .iter()
            .filter(|found| found.entity.kind == Kind::Person && found.range.len() < text.len());
        people.extend(named.filter_map(|found| Some((text.get(found.range.clone())?, found))));
    }
    if people.is_empty() {
        return Vec::new();
    }
    let is_known = |text: &Text<'_>| {
        let found = personal.binary_search_by_key(&text.index(), |it| it.text.index());
        found.is_ok()
    };
    let is_key = |text: &Text<'_>| places.of_text(text).is_some_and(|it| it.role == Role::Key);
    let again = message.texts().filter_map(|text| {
        let person = people.get(&*text)?;
        let person = Found {
            range: 0..text.len(),
            ..(*person).clone()
        };
        (!is_known(&text) && !is_key(&text)).then_some(Personal {
            text,
            found: vec![person],
            hidden: Vec::new(),
        })
    });
    again.collect()
}
