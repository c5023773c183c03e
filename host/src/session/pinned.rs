//! What servers show and nobody has approved of: noticed when they list it, before
//! guardrails and the client see it, and kept from the client if the configuration
//! says so.

mod page;
mod seen;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Session;
use super::failure::Failure;
use super::lists::list_request;
use crate::catalog::{LISTS, List};
use crate::config::{Pinning, Server};
use crate::message::{Kind, Message, PatchOp, string};
use crate::pinning::{Held, Offer, Page, Pins};
use crate::upstream::{Ready, Run, Unavailable, Upstream};
use page::{Shower, compare, cursor};
pub(super) use seen::Pinned;
use seen::Standing;

/// How often one looks whether a person has approved, while something waits.
const LOOK: Duration = Duration::from_millis(500);

impl Session {
    /// A server's answer, without what nobody has approved of if that is to be hidden.
    /// An answer that shows nothing of the kind stays as it is.
    pub(super) async fn compared(
        &self,
        run: &Arc<Run>,
        request: &Message,
        answer: Message,
    ) -> Result<Message, Failure> {
        if self.pinned.mode == Pinning::Off || answer.kind() != Kind::Response {
            return Ok(answer);
        }
        let shown = request.method().and_then(Offer::shown_by);
        let (Some(offer), Some(upstream)) = (shown, self.catalog.upstream(&run.server)) else {
            return Ok(answer);
        };
        let shower = self.shower(&upstream);
        let page = answer.clone();
        let compared = tokio::task::spawn_blocking(move || compare(shower, offer, &page));
        let hides = self.pinned.mode == Pinning::Hide;
        let page = match compared.await {
            Ok(Ok(page)) => page,
            failed => {
                let why = match failed {
                    Ok(Err(error)) => error.to_string(),
                    _ => "the gateway is ending".into(),
                };
                let what = offer.words();
                tracing::warn!(server = &*run.server, "{what} are not compared: {why}");
                return match (hides, offer) {
                    (false, _) => Ok(answer),
                    // It still works without.
                    (true, Offer::Instructions) => {
                        without_instructions(answer).ok_or(incomparable(&run.server, offer, &why))
                    }
                    (true, _) => Err(incomparable(&run.server, offer, &why)),
                };
            }
        };
        let rest = page.rest.clone();
        let at = cursor(request, "/cursor");
        for held in self.pinned.note(run, offer, page, at.as_deref()) {
            tell(&run.server, &held, hides);
            self.pinned.holds.send_modify(|holds| *holds += 1);
        }
        Ok(if hides { rest } else { answer })
    }

    /// A server that shows something, and what is beside it.
    fn shower(&self, upstream: &Upstream) -> Shower {
        let name = upstream.name();
        let others = self.catalog.upstreams();
        let others = others.iter().filter(|it| it.name() != name);
        let others: Vec<Server> = others.map(|it| it.server.clone()).collect();
        Shower {
            server: upstream.server.clone(),
            own: self.pinned.tools(name),
            neighbours: self.pinned.neighbours(name),
            others,
        }
    }

    /// What the client is told when the session opens. What a person approves of comes
    /// into the list at any time, whether its server ever says so or not.
    pub(super) fn promising(&self, welcome: String) -> String {
        if self.pinned.mode != Pinning::Hide {
            return welcome;
        }
        let Ok(mut value) = serde_json::from_str::<Value>(&welcome) else {
            return welcome;
        };
        let mut is_new = false;
        for list in Offer::ALL.into_iter().filter_map(list_of) {
            let offered = value.pointer_mut(&format!("/capabilities/{}", list.capability));
            if let Some(offered) = offered.and_then(Value::as_object_mut) {
                let before = offered.insert("listChanged".to_owned(), true.into());
                is_new |= before != Some(Value::Bool(true));
            }
        }
        match is_new {
            true => value.to_string(),
            false => welcome,
        }
    }

    /// Refuses to use what nobody has approved of, if that is hidden.
    pub(super) async fn approved(&self, ready: &Ready, request: &Message) -> Result<(), Failure> {
        if self.pinned.mode != Pinning::Hide {
            return Ok(());
        }
        let used = request.method().and_then(Offer::used_by);
        let (Some(offer), Some(name)) = (used, request.value("/name").and_then(string)) else {
            return Ok(());
        };
        let run = &ready.run;
        let mut standing = self.pinned.standing(run, offer, &name);
        if matches!(standing, Standing::Unknown) {
            // This process has not said what it has, or has said that it changed.
            self.list_all(ready, offer).await?;
            standing = self.pinned.standing(run, offer, &name);
        }
        let Standing::Held(held) = standing else {
            return Ok(());
        };
        if let Some(upstream) = self.catalog.upstream(&run.server) {
            self.release_approved(&upstream).await;
            if !matches!(self.pinned.standing(run, offer, &name), Standing::Held(_)) {
                return Ok(());
            }
        }
        Err(Failure::Unapproved {
            server: Arc::clone(&run.server),
            held: Box::new(held),
        })
    }

    /// Has a server list all that it has of a kind, so that it is compared.
    async fn list_all(&self, ready: &Ready, offer: Offer) -> Result<(), Failure> {
        let server = &ready.run.server;
        let (Some(list), Some(upstream)) = (list_of(offer), self.catalog.upstream(server)) else {
            return Ok(());
        };
        if !ready.offers(list.capability) {
            return Ok(());
        }
        let request = list_request(list, &ready.client);
        let listed = Box::pin(self.listing(list, &upstream, ready, request, None)).await;
        listed.map(drop).map_err(|failure| match failure {
            failure @ (Failure::Unavailable(_) | Failure::Undelivered(_)) => failure,
            failure => incomparable(server, offer, &failure.kind()),
        })
    }

    /// Shows the client what a person has approved of, as long as the server runs.
    pub(super) async fn watch_approvals(&self, upstream: &Arc<Upstream>) {
        if self.pinned.mode != Pinning::Hide {
            return std::future::pending().await;
        }
        let mut holds = self.pinned.holds.subscribe();
        let mut seen = written(upstream).await;
        loop {
            if !self.pinned.holds_of(upstream.name()) {
                // An error says that the session is gone, and this with it.
                let _ = holds.changed().await;
                continue;
            }
            tokio::time::sleep(LOOK).await;
            let now = written(upstream).await;
            if now != seen {
                seen = now;
                let released = self.release_approved(upstream).await;
                let is_released = |list: &List| {
                    Offer::shown_by(list.method).is_some_and(|it| released.contains(&it))
                };
                self.lists_changed(is_released).await;
            }
        }
    }

    /// Takes notice of what a person has approved of meanwhile. Of which kinds there
    /// is any.
    async fn release_approved(&self, upstream: &Arc<Upstream>) -> Vec<Offer> {
        let server = upstream.server.clone();
        let record = tokio::task::spawn_blocking(move || Pins::open()?.of(&server)).await;
        let Ok(Ok(Some(record))) = record else {
            return Vec::new();
        };
        let approves = |held: &Held| record.approves(held.offer, &held.name, &held.hash);
        self.pinned.release(upstream.name(), approves)
    }
}

/// The list in which things of a kind are; instructions are in none.
fn list_of(offer: Offer) -> Option<&'static List> {
    let mut lists = LISTS.into_iter();
    lists.find(|list| Offer::shown_by(list.method) == Some(offer))
}

/// What a server says of itself without what it tells the model, if that can be told
/// from everything else.
fn without_instructions(opening: Message) -> Option<Message> {
    let path = "/instructions".to_owned();
    match opening.value(&path) {
        Some(_) => opening.patch(&[PatchOp::Remove { path }]).ok(),
        // What is called nearly so is told by nobody.
        None => Page::of(Offer::Instructions, &opening)
            .is_ok()
            .then_some(opening),
    }
}

/// When the record of a server was written last.
async fn written(upstream: &Arc<Upstream>) -> Option<std::time::SystemTime> {
    let server = upstream.server.clone();
    let written = tokio::task::spawn_blocking(move || Pins::open().ok()?.written(&server)).await;
    written.ok().flatten()
}

fn incomparable(server: &Arc<str>, offer: Offer, why: &str) -> Failure {
    let what = offer.words();
    let reason = format!("its {what} can't be compared with those that were approved: {why}");
    Failure::Unavailable(Unavailable {
        server: Arc::clone(server),
        reason: reason.into(),
    })
}

fn tell(server: &str, held: &Held, hides: bool) {
    // A server chooses its names, and a log is shown on terminals.
    let (name, why) = (held.name.escape_debug().to_string(), held.why);
    let (kind, name) = (held.offer.word(), &*name);
    for remark in &held.remarks {
        let rule = &*remark.rule;
        tracing::warn!(server, kind, name, rule, "suspicious: {remark}");
    }
    match hides {
        true => tracing::warn!(
            server,
            kind,
            name,
            "hidden until a person approves with `mcp-gateway pin review`: {why}"
        ),
        false => tracing::warn!(
            server,
            kind,
            name,
            "{why}; `mcp-gateway pin review` shows it, and with pinning = \"hide\" it would be hidden"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_left_out_and_what_is_called_nearly_so_is_told_by_nobody() {
        let without = |result: &str| {
            let told = without_instructions(Message::result("1", result))?;
            told.payload().map(str::to_owned)
        };
        let told = without(r#"{"capabilities":{},"instructions":"Use x."}"#);
        assert_eq!(told.as_deref(), Some(r#"{"capabilities":{}}"#));
        let told = without(r#"{"capabilities":{}}"#);
        assert_eq!(told.as_deref(), Some(r#"{"capabilities":{}}"#));
        assert_eq!(
            without(r#"{"capabilities":{},"Instructions":"Use x."}"#),
            None
        );
    }
}
