//! What a modern client does when a server misses headers that repeat a tool's
//! parameters: it looks at the list of tools once more.

use reqwest::header::HeaderMap;

use super::exchange::Exchange;
use super::sse::Events;
use super::{body, is_event_stream, modern};
use crate::message::{Kind, Message, PatchOp};
use crate::wire::Line;

/// Pages of the list that are read.
const PAGES: usize = 64;

/// The error of a server that has found other headers than it wants.
const HEADER_MISMATCH: &str = "-32020";

impl Exchange {
    /// The headers that the server wants instead, if it says that it wants others
    /// and its list of tools tells which.
    pub(super) async fn other_headers(&self, answer: &Message) -> Option<HeaderMap> {
        let misses = self.request.method() == Some("tools/call")
            && answer.kind() == Kind::Error
            && answer.value("/code") == Some(HEADER_MISMATCH);
        let before = self.modern.as_ref().filter(|_| misses)?;
        self.list_tools().await;
        modern::headers(&self.request, &self.peer.mirrored).filter(|now| now != before)
    }

    /// Learns from the list of tools. Nobody is shown it, so no guardrail is.
    async fn list_tools(&self) -> Option<()> {
        let meta = self.request.value("/_meta")?;
        let list = format!(r#"{{"_meta":{meta}}}"#);
        let mut list = Message::request("\"tools\"", "tools/list", Some(&list));
        if self.request.value("/_meta/progressToken").is_some() {
            let path = "/_meta/progressToken".into();
            list = list.patch(&[PatchOp::Remove { path }]).ok()?;
        }
        for _ in 0..PAGES {
            let page = self.page(&list).await?;
            let page = self.peer.mirrored.learn(&self.peer.server, page);
            let next = PatchOp::Add {
                path: "/cursor".into(),
                value: page.value("/nextCursor")?.to_owned(),
            };
            list = list.patch(&[next]).ok()?;
        }
        None
    }

    async fn page(&self, list: &Message) -> Option<Message> {
        let endpoint = &self.peer.endpoint;
        let headers = modern::headers(list, &self.peer.mirrored)?;
        let url = self.way.url(endpoint);
        let mut response = endpoint.post(url, list.raw(), headers).await.ok()?;
        if !response.status().is_success() {
            return None;
        }
        let longest = self.peer.longest;
        if !is_event_stream(&response) {
            return as_page(body::read(response, longest).await.ok()?);
        }
        let mut events = Events::new(longest);
        while let Ok(Some(chunk)) = response.chunk().await {
            let mut pages = events.push(&chunk).into_iter();
            if let Some(page) = pages.find_map(|event| as_page(event.data)) {
                return Some(page);
            }
        }
        None
    }
}

fn as_page(line: Line) -> Option<Message> {
    let Line::Whole(line) = line else {
        return None;
    };
    let message = Message::parse(body::one_line(line)).ok()?;
    (message.kind() == Kind::Response).then_some(message)
}
