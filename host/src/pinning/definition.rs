//! A tool as a server defines it, and the list that it stands in.

use super::canonical::{canonical, digest};
use crate::message::json::JsonError;
use crate::message::{Message, PathError, elements, members, string};

/// A tool as a server defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its name; empty if it has none.
    pub name: String,
    /// The definition as canonical JSON.
    pub text: String,
    /// The digest of that.
    pub hash: String,
}

/// The tools on a page of a list.
#[derive(Debug)]
pub struct Tools<'a> {
    page: &'a Message,
    texts: Vec<&'a str>,
}

impl Definition {
    /// Reads a definition.
    pub fn new(json: &str) -> Self {
        let text = canonical(json);
        Self {
            name: name(&text).unwrap_or_default(),
            hash: digest(&text),
            text,
        }
    }
}

/// The name in a definition, if it is one that nobody can read in another way.
fn name(definition: &str) -> Option<String> {
    let name = members(definition).ok()?.unique("name").ok()??;
    string(name).map(std::borrow::Cow::into_owned)
}

impl<'a> Tools<'a> {
    /// The tools on a page; none if it has no such member.
    ///
    /// # Errors
    /// When it is no list that everybody reads alike.
    pub fn on(page: &'a Message) -> Result<Self, JsonError> {
        let tools = page.payload().map(|it| members(it)?.unique("tools"));
        let texts = match tools.transpose()?.flatten() {
            Some(tools) => elements(tools)?,
            None => Vec::new(),
        };
        Ok(Self { page, texts })
    }

    /// Their definitions, in order.
    pub fn definitions(&self) -> Vec<Definition> {
        self.texts.iter().copied().map(Definition::new).collect()
    }

    /// The page with those tools only for which this is true, by their order; the
    /// same bytes if that are all.
    ///
    /// # Errors
    /// When the list cannot be told from another one of that name.
    pub fn only(&self, stays: &[bool]) -> Result<Message, PathError> {
        if stays.iter().all(|stays| *stays) && stays.len() == self.texts.len() {
            return Ok(self.page.clone());
        }
        let stays = stays.iter().chain(std::iter::repeat(&false));
        let kept = self.texts.iter().zip(stays).filter(|(_, stays)| **stays);
        let kept: Vec<&str> = kept.map(|(text, _)| *text).collect();
        self.page
            .with_payload_member(&["tools"], &format!("[{}]", kept.join(",")))
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
        let tools = Tools::on(&page).unwrap();
        assert_eq!(tools.only(&[true, true]).unwrap().line(), page.line());
        let fewer = tools.only(&[false, true]).unwrap();
        assert_eq!(fewer.payload(), Some(r#"{"tools":[{"name":"b"}],"x":1}"#));
        assert_eq!(
            tools.only(&[]).unwrap().payload(),
            Some(r#"{"tools":[],"x":1}"#)
        );
    }

    #[test]
    fn a_list_that_parsers_read_differently_is_none() {
        for page in [
            page(r#"[],"tools":[{"name":"a"}]"#),
            page(r#"[],"Tools":[]"#),
            page("{}"),
        ] {
            assert!(Tools::on(&page).is_err(), "{}", page.line());
        }
        let none = Message::result("1", "{}");
        assert_eq!(Tools::on(&none).unwrap().definitions(), []);
    }

    #[test]
    fn a_name_that_stands_twice_is_no_name() {
        assert_eq!(Definition::new(r#"{"name":"a"}"#).name, "a");
        assert_eq!(Definition::new(r#"{"name":"a","name":"b"}"#).name, "");
        assert_eq!(Definition::new("1").name, "");
    }
}
