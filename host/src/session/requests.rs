//! Who answers a request, and what goes back to whoever asked.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ErrorCode;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Session;
use super::asked::Asking;
use super::converse::{Asker, Call, Failure};
use super::exchanges::Side;
use crate::catalog::{self, LISTS, List, Page, Route, Unroutable};
use crate::gate::{Admitted, Cleared};
use crate::message::Message;
use crate::upstream::{Ready, Run, State, Unavailable, Upstream};

/// How long `initialize` waits for servers: well below what the most impatient
/// client gives a server to start.
const WELCOME: Duration = Duration::from_secs(4);

/// Pages that a list may have: a server that never stops must not keep the
/// gateway busy for ever.
const PAGES: usize = 1000;

/// An answer to be passed on.
enum Reply {
    /// Somebody else's.
    Cleared(Cleared),
    /// The gateway's: the JSON text of a result, made of its own words and of
    /// what was cleared.
    Own(String),
}

impl Session {
    /// Answers a request of either side.
    pub(super) async fn answer(
        self: &Arc<Self>,
        from: &Side,
        request: Message,
        mut asking: Asking,
    ) {
        let id = request.id().unwrap_or_default();
        let reply = match from {
            Side::Client => self.client_request(&request, &mut asking).await,
            Side::Server(run) => self.server_request(run, &request, &mut asking).await,
        };
        let admitted = match reply {
            Ok(Reply::Cleared(cleared)) => Some(cleared.with_id(id)),
            Ok(Reply::Own(result)) => Some(Admitted::own(Message::result(id, &result))),
            Err(failure) => failure
                .answer(id, request.method().unwrap_or_default())
                .map(Admitted::own),
        };
        if let Some(admitted) = admitted {
            // Whoever asked may be gone by now.
            let _ = self.outbox(from).send(admitted).await;
        }
    }

    async fn client_request(
        self: &Arc<Self>,
        request: &Message,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        match self.catalog.route(request)? {
            Route::Initialize => Ok(Reply::Own(self.initialize(request).await)),
            Route::Ping => Ok(Reply::Own("{}".into())),
            Route::Gather(list) => tokio::select! {
                reply = self.gather(list, request) => reply,
                _ = asking.cancelled() => Err(Failure::Cancelled),
            },
            Route::Everyone { capability } => tokio::select! {
                reply = self.tell_everyone(capability, request) => reply,
                _ = asking.cancelled() => Err(Failure::Cancelled),
            },
            Route::One {
                upstream,
                request: routed,
                subject,
            } => {
                let usable = async {
                    let ready = upstream.settled(upstream.server.init_timeout).await?;
                    self.after_announcement(&ready).await;
                    Ok::<_, Failure>(ready)
                };
                let ready = tokio::select! {
                    ready = usable => ready?,
                    _ = asking.cancelled() => return Err(Failure::Cancelled),
                };
                let call = to_server(&ready, routed, subject);
                let asker = Asker {
                    asking,
                    outbox: &self.client,
                };
                let cleared = self.converse(call, Some(asker)).await?;
                Ok(Reply::Cleared(cleared))
            }
        }
    }

    async fn server_request(
        &self,
        run: &Arc<Run>,
        request: &Message,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        let call = Call {
            request: request.clone(),
            target: Side::Client,
            server: Arc::clone(&run.server),
            subject: None,
        };
        let asker = Asker {
            asking,
            outbox: &run.outbox,
        };
        let cleared = self.converse(call, Some(asker)).await?;
        Ok(Reply::Cleared(cleared))
    }

    /// Opens the session: the servers get the client's own request, and what
    /// they answer in time becomes the gateway's answer.
    async fn initialize(&self, request: &Message) -> String {
        self.handshake.send_modify(|handshake| {
            handshake.initialize = Some((request.clone(), Instant::now()));
        });
        let upstreams = self.catalog.upstreams();
        let patience = WELCOME.min(self.settings.ready_timeout);
        let ready = self.settled(&upstreams, patience).await;
        self.handshake
            .send_modify(|handshake| handshake.welcomed = true);
        catalog::welcome(request, &ready, upstreams.len())
    }

    /// One list of every server's.
    async fn gather(
        self: &Arc<Self>,
        list: &'static List,
        request: &Message,
    ) -> Result<Reply, Failure> {
        let upstreams = self.catalog.upstreams();
        let since = self.handshake.borrow().initialize.as_ref().map(|it| it.1);
        let waited = since.map_or(Duration::ZERO, |since| since.elapsed());
        let patience = self.settings.ready_timeout.saturating_sub(waited);
        let able = self.settled(&upstreams, patience).await;
        // One that never answers must not keep the others' from the client.
        let limit = self.settings.ready_timeout;
        let mut tasks = JoinSet::new();
        for (index, (server, ready)) in able.into_iter().enumerate() {
            if !ready.offers(list.capability) {
                continue;
            }
            let (session, request) = (Arc::clone(self), request.clone());
            tasks.spawn(async move {
                let pages = session.pages(&server, &ready, request);
                let pages = tokio::time::timeout(limit, pages).await;
                let late = || unavailable(&server, "it did not list in time");
                (
                    index,
                    Arc::clone(&server),
                    pages.unwrap_or_else(|_| Err(late())),
                )
            });
        }
        let mut answers = Vec::new();
        while let Some(answer) = tasks.join_next().await {
            answers.extend(answer.ok());
        }
        // In the order of the configuration, whoever was first to answer.
        answers.sort_by_key(|(index, ..)| *index);

        let asked = answers.len();
        let mut pages = Vec::new();
        let mut failures = Vec::new();
        for (_, server, answer) in answers {
            match answer {
                Ok(answer) => pages.extend(answer),
                Err(failure) => {
                    let why = failure.answer("0", list.method);
                    tracing::warn!(
                        server = &*server,
                        method = list.method,
                        "left out of the list: {}",
                        why.as_ref()
                            .and_then(|e| e.value("/message"))
                            .unwrap_or("cancelled"),
                    );
                    failures.push(failure);
                }
            }
        }
        // If nobody could answer, the client learns why.
        match failures.pop() {
            Some(failure) if failures.len() + 1 == asked => Err(failure),
            _ => Ok(Reply::Own(self.catalog.merge(list, &pages))),
        }
    }

    /// All pages of one server's list. What the client asked for goes to the
    /// server, but for the cursor.
    async fn pages(
        &self,
        server: &Arc<str>,
        ready: &Ready,
        request: Message,
    ) -> Result<Vec<Page>, Failure> {
        self.after_announcement(ready).await;
        let mut seen = HashSet::new();
        let mut pages: Vec<Page> = Vec::new();
        let mut next = catalog::without_cursor(&request);
        while pages.len() < PAGES {
            let call = to_server(ready, next, None);
            let result = self.converse(call, None).await?;
            if result.message().kind() == crate::message::Kind::Error {
                return Err(protocol_error(&result));
            }
            let page = Page {
                server: Arc::clone(server),
                result,
            };
            let cursor = page.next_cursor().map(str::to_owned);
            pages.push(page);
            match cursor {
                // A cursor that comes again would go round for ever.
                Some(cursor) if seen.insert(cursor.clone()) => {
                    next = catalog::with_cursor(&request, &cursor);
                }
                _ => break,
            }
        }
        Ok(pages)
    }

    /// Tells every server that has a capability; the first answer counts.
    async fn tell_everyone(
        self: &Arc<Self>,
        capability: &str,
        request: &Message,
    ) -> Result<Reply, Failure> {
        // One that never answers must not keep the others' from the client.
        let limit = self.settings.ready_timeout;
        let mut tasks = JoinSet::new();
        for upstream in self.catalog.upstreams().iter() {
            let Some(ready) = upstream.ready().filter(|ready| ready.offers(capability)) else {
                continue;
            };
            let (session, request) = (Arc::clone(self), request.clone());
            tasks.spawn(async move {
                session.after_announcement(&ready).await;
                let call = to_server(&ready, request, None);
                let answer = tokio::time::timeout(limit, session.converse(call, None)).await;
                let late = || unavailable(&ready.run.server, "it did not answer in time");
                answer.unwrap_or_else(|_| Err(late()))
            });
        }
        let mut answers = Vec::new();
        while let Some(answer) = tasks.join_next().await {
            answers.extend(answer.ok());
        }
        let count = answers.len();
        let mut failed = None;
        for answer in answers {
            match answer {
                Ok(cleared) => return Ok(Reply::Cleared(cleared)),
                Err(failure) => failed = Some(failure),
            }
        }
        match failed {
            Some(failure) => Err(failure),
            None if count == 0 => Err(Failure::Protocol {
                code: ErrorCode::METHOD_NOT_FOUND.0.into(),
                message: format!("no server offers {capability}"),
            }),
            None => Ok(Reply::Own("{}".into())),
        }
    }

    /// Tells the client that lists have changed: those that `offered` says yes
    /// to.
    pub(super) async fn lists_changed(&self, offered: impl Fn(&str) -> bool) {
        if self.handshake.borrow().initialized.is_none() {
            return;
        }
        for list in LISTS {
            if offered(list.capability) {
                let notification = Message::notification(list.changed, None);
                let _ = self.client.send(Admitted::own(notification)).await;
            }
        }
    }

    /// The servers that can be used once all are settled or patience ends, in
    /// the order of the configuration.
    async fn settled(
        &self,
        upstreams: &[Arc<Upstream>],
        patience: Duration,
    ) -> Vec<(Arc<str>, Arc<Ready>)> {
        let deadline = Instant::now() + patience;
        for upstream in upstreams {
            let left = deadline.saturating_duration_since(Instant::now());
            if upstream.settled(left).await.is_err() && matches!(upstream.state(), State::Starting)
            {
                break;
            }
        }
        upstreams
            .iter()
            .filter_map(|upstream| Some((Arc::clone(upstream.name()), upstream.ready()?)))
            .collect()
    }

    /// Waits until a server has been told that the client is initialized, if
    /// the client is: no request may overtake that.
    async fn after_announcement(&self, ready: &Ready) {
        if self.handshake.borrow().initialized.is_some() {
            let mut announced = ready.announced.clone();
            // An error says that the server is gone, which the exchange notices.
            let _ = announced.wait_for(|announced| *announced).await;
        }
    }
}

fn to_server(ready: &Ready, request: Message, subject: Option<Arc<str>>) -> Call {
    Call {
        request,
        target: Side::Server(Arc::clone(&ready.run)),
        server: Arc::clone(&ready.run.server),
        subject,
    }
}

fn unavailable(server: &Arc<str>, reason: &str) -> Failure {
    Failure::Unavailable(Unavailable {
        server: Arc::clone(server),
        reason: reason.into(),
    })
}

/// A server's own error, to be passed on in place of a list.
fn protocol_error(error: &Cleared) -> Failure {
    let error = error.message();
    let text = error.value("/message").and_then(crate::message::string);
    Failure::Protocol {
        code: error
            .value("/code")
            .and_then(|code| code.parse().ok())
            .unwrap_or(ErrorCode::INTERNAL_ERROR.0.into()),
        message: text.unwrap_or_default().into_owned(),
    }
}

impl From<Unroutable> for Failure {
    fn from(unroutable: Unroutable) -> Self {
        Self::Protocol {
            code: unroutable.code.0.into(),
            message: unroutable.message,
        }
    }
}
