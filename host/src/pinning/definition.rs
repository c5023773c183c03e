//! What a server shows, each as it defines it, and the answer that it stands in.

use super::canonical::{canonical, digest};
use super::offer::Offer;
use crate::message::json::JsonError;
use crate::message::{Message, PatchError, PatchOp, PathError, elements, members, string};

/// A tool, or whatever else, as a server defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub offer: Offer,
    /// Its name; empty if it has none.
    pub name: String,
    /// The definition as canonical JSON.
    pub text: String,
    /// The digest of that.
    pub hash: String,
}

/// What an answer shows.
#[derive(Debug)]
pub struct Page<'a> {
    offer: Offer,
    answer: &'a Message,
    texts: Vec<&'a str>,
}

/// Why something cannot be taken out of an answer.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The list cannot be told from another one of that name.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A member cannot be told from another one of that name.
    #[error(transparent)]
    Patch(#[from] PatchError),
}

impl Definition {
    /// Reads a definition.
    pub fn new(offer: Offer, json: &str) -> Self {
        let text = canonical(json);
        Self {
            offer,
            name: offer
                .key()
                .and_then(|key| name(&text, key))
                .unwrap_or_default(),
            hash: digest(&text),
            text,
        }
    }
}

/// The name in a definition, if it is one that nobody can read in another way.
fn name(definition: &str, key: &str) -> Option<String> {
    let name = members(definition).ok()?.unique(key).ok()??;
    string(name).map(std::borrow::Cow::into_owned)
}

impl<'a> Page<'a> {
    /// What an answer shows of a kind; nothing if it has no such member.
    ///
    /// # Errors
    /// When that is not what everybody reads alike.
    pub fn of(offer: Offer, answer: &'a Message) -> Result<Self, JsonError> {
        let shown = answer
            .payload()
            .map(|it| members(it)?.unique(offer.member()));
        let texts = match shown.transpose()?.flatten() {
            // Nothing is said.
            Some("null" | "\"\"") if offer == Offer::Instructions => Vec::new(),
            Some(text) if offer == Offer::Instructions => vec![text],
            Some(list) => elements(list)?,
            None => Vec::new(),
        };
        Ok(Self {
            offer,
            answer,
            texts,
        })
    }

    /// The definitions, in order.
    pub fn definitions(&self) -> Vec<Definition> {
        let texts = self.texts.iter();
        texts.map(|it| Definition::new(self.offer, it)).collect()
    }

    /// The answer with that only for which this is true, by the order; the same bytes
    /// if that is all.
    ///
    /// # Errors
    /// When the member cannot be told from another one of that name.
    pub fn only(&self, stays: &[bool]) -> Result<Message, TakeError> {
        if stays.iter().all(|stays| *stays) && stays.len() == self.texts.len() {
            return Ok(self.answer.clone());
        }
        let member = self.offer.member();
        if self.offer == Offer::Instructions {
            let path = format!("/{member}");
            return Ok(self.answer.patch(&[PatchOp::Remove { path }])?);
        }
        let stays = stays.iter().chain(std::iter::repeat(&false));
        let kept = self.texts.iter().zip(stays).filter(|(_, stays)| **stays);
        let kept: Vec<&str> = kept.map(|(text, _)| *text).collect();
        let kept = format!("[{}]", kept.join(","));
        Ok(self.answer.with_payload_member(&[member], &kept)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn page(tools: &str) -> Message {
        Message::result("1", &format!(r#"{{"tools":{tools},"x":1}}"#))
    }

    #[test]
    fn a_page_from_which_nothing_is_taken_stays_the_bytes_that_it_is() {
        let page = page(r#"[ {"name":"a"} , {"name":"b"}]"#);
        let tools = Page::of(Offer::Tool, &page).unwrap();
        assert_eq!(tools.only(&[true, true]).unwrap().line(), page.line());
        let fewer = tools.only(&[false, true]).unwrap();
        assert_eq!(fewer.payload(), Some(r#"{"tools":[{"name":"b"}],"x":1}"#));
        assert_eq!(
            tools.only(&[]).unwrap().payload(),
            Some(r#"{"tools":[],"x":1}"#)
        );
    }

    #[test]
    fn instructions_are_one_definition_without_a_name_and_are_left_out_whole() {
        let opening = Message::result("1", r#"{"a": 1,"instructions": "b\u0063", "x":{}}"#);
        let page = Page::of(Offer::Instructions, &opening).unwrap();
        let [said] = page.definitions().try_into().unwrap();
        assert_eq!((&*said.name, &*said.text), ("", r#""bc""#));
        assert_eq!(page.only(&[true]).unwrap().line(), opening.line());
        assert_eq!(
            page.only(&[false]).unwrap().payload(),
            Some(r#"{"a": 1, "x":{}}"#)
        );
        for nothing in ["{}", r#"{"instructions":null}"#, r#"{"instructions":""}"#] {
            let opening = Message::result("1", nothing);
            let page = Page::of(Offer::Instructions, &opening).unwrap();
            assert_eq!(page.definitions(), [], "{nothing}");
        }
    }

    #[test]
    fn what_parsers_read_differently_is_not_read_at_all() {
        for page in [
            page(r#"[],"tools":[{"name":"a"}]"#),
            page(r#"[],"Tools":[]"#),
            page("{}"),
        ] {
            assert!(Page::of(Offer::Tool, &page).is_err(), "{}", page.line());
        }
        let twice = Message::result("1", r#"{"instructions":"a","instructions":"b"}"#);
        assert!(Page::of(Offer::Instructions, &twice).is_err());
        let none = Message::result("1", "{}");
        assert_eq!(Page::of(Offer::Tool, &none).unwrap().definitions(), []);
    }

    #[test]
    fn a_name_that_stands_twice_is_no_name() {
        let tool = |text| Definition::new(Offer::Tool, text).name;
        assert_eq!(tool(r#"{"name":"a"}"#), "a");
        assert_eq!(tool(r#"{"name":"a","name":"b"}"#), "");
        assert_eq!(tool("1"), "");
        let template = Definition::new(Offer::Template, r#"{"uriTemplate":"a:{b}","name":"c"}"#);
        assert_eq!(template.name, "a:{b}");
    }
}
