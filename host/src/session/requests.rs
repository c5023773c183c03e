//! Who answers a request, and what goes back to whoever asked.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use super::asked::Asking;
use super::call::{Asker, Call};
use super::exchanges::Side;
use super::failure::Failure;
use super::translation::Translation;
use crate::catalog::{self, Route, Unroutable};
use crate::gate::{Admitted, Cleared};
use crate::message::{Message, PatchError};
use crate::protocol::{self, Bridge, Era};
use crate::upstream::{Ready, Run, State, Upstream};

/// How long `initialize` waits for servers: well below what the most impatient
/// client gives a server to start.
const WELCOME: Duration = Duration::from_secs(4);

/// The same for a single server, whose own answer is worth more than what can be
/// said without it.
const WELCOME_OF_ONE: Duration = Duration::from_secs(8);

/// An answer to be passed on.
pub(super) enum Reply {
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
        let (reply, era) = match from {
            Side::Client => {
                let era = self.client_era();
                let reply = match era {
                    Era::Legacy => self.client_request(&request, &mut asking).await,
                    Era::Modern => self.modern_request(&request, &mut asking).await,
                };
                (reply, era)
            }
            Side::Server(run) => {
                let reply = self.server_request(run, &request, &mut asking).await;
                (reply, run.era())
            }
        };
        if let Err(failure) = &reply {
            self.record_unasked(&request, &asking, failure).await;
        }
        let admitted = reply.and_then(|reply| {
            let admitted = match reply {
                Reply::Cleared(cleared) => cleared.with_id(id),
                Reply::Own(result) => Admitted::own(Message::result(id, &result)),
            };
            self.check_length(admitted.len())?;
            Ok(admitted)
        });
        let admitted = match admitted {
            Ok(admitted) => Some(admitted),
            Err(failure) => failure
                .answer(id, request.method().unwrap_or_default(), era)
                .map(Admitted::own),
        };
        if let Some(admitted) = admitted {
            asking.answer(self.outbox(from), admitted).await;
        }
    }

    /// Answers a request of the client's, or has it answered.
    pub(super) async fn client_request(
        self: &Arc<Self>,
        request: &Message,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        if self.calls_own_tool(request) {
            return tokio::select! {
                metadata = self.metadata() => Ok(Reply::Own(metadata)),
                _ = asking.cancelled() => Err(Failure::Cancelled),
            };
        }
        let route = match self.catalog.route(request) {
            Err(Unroutable {
                list: Some(list), ..
            }) => self.look_up(list, request, asking).await?,
            route => route?,
        };
        match route {
            Route::Initialize => Ok(Reply::Own(self.initialize(request).await)),
            Route::Ping => Ok(Reply::Own("{}".into())),
            Route::Gather(list) => self.gather(list, request, asking).await,
            Route::Everyone { capability } => {
                if let Some(level) = request.value("/level") {
                    self.set_log_level(level);
                }
                tokio::select! {
                    reply = self.tell_everyone(capability, request) => reply,
                    _ = asking.cancelled() => Err(Failure::Cancelled),
                }
            }
            Route::One {
                upstream,
                request: routed,
                subject,
                sequel,
            } => {
                let reply = self.ask(&upstream, &routed, subject, asking).await?;
                Ok(self.conclude(&upstream, &sequel, &routed, reply))
            }
            Route::Search {
                upstreams,
                request: routed,
                subject,
                sequel,
            } => {
                let (upstream, reply) = self.search(upstreams, &routed, subject, asking).await?;
                Ok(self.conclude(&upstream, &sequel, &routed, reply))
            }
        }
    }

    /// Has a server answer once it is ready.
    pub(super) async fn ask(
        self: &Arc<Self>,
        upstream: &Upstream,
        request: &Message,
        subject: Option<Arc<str>>,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        let usable = async {
            let ready = upstream.on_demand(upstream.server.init_timeout).await?;
            self.after_announcement(&ready).await;
            Ok::<_, Failure>(ready)
        };
        let ready = tokio::select! {
            ready = usable => ready?,
            _ = asking.cancelled() => return Err(Failure::Cancelled),
        };
        self.ask_server(&ready, request.clone(), subject, asking)
            .await
    }

    /// Has a server answer, in as many rounds as that takes where the client is
    /// of another era.
    pub(super) async fn ask_unless_stopped(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        request: Message,
        subject: Option<Arc<str>>,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        self.approved(ready, &request).await?;
        match ready.bridge {
            Bridge::None => {}
            Bridge::ToModern => return self.ask_modern(ready, request, subject, asking).await,
            Bridge::ToLegacy => return self.ask_legacy(ready, request, subject, asking).await,
        }
        let call = self.to_server(ready, request, subject)?;
        let asker = Asker {
            asking,
            outbox: &self.client,
        };
        let cleared = self.converse(call, Some(asker)).await?;
        Ok(Reply::Cleared(cleared))
    }

    async fn server_request(
        &self,
        run: &Arc<Run>,
        request: &Message,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        if self.client_era() == Era::Modern {
            return self.ask_in_a_round(run, request, asking).await;
        }
        let call = Call::to_client(&run.server, request.clone());
        let asker = Asker {
            asking,
            outbox: &run.outbox,
        };
        let cleared = self.converse(call, Some(asker)).await?;
        self.catalog
            .learn_client_task(&run.server, cleared.message());
        Ok(Reply::Cleared(cleared))
    }

    /// Opens the session: the servers get the client's own request, and what
    /// they answer in time becomes the gateway's answer.
    async fn initialize(&self, request: &Message) -> String {
        let upstreams = self.catalog.upstreams();
        let openings = self.openings(&upstreams, self.welcome_patience()).await;
        self.handshake
            .send_modify(|handshake| handshake.welcomed = true);
        let welcome = self.promising(catalog::welcome(request, &openings, upstreams.len()));
        self.changes.told(&welcome);
        welcome
    }

    /// How long the client waits to be told what the servers are able to do. A
    /// server that is alone it would wait for without the gateway, too.
    pub(super) fn welcome_patience(&self) -> Duration {
        let patience = match self.catalog.upstreams().len() {
            1 => WELCOME_OF_ONE,
            _ => WELCOME,
        };
        patience.min(self.settings.ready_timeout)
    }

    /// Waits until all of these servers can be used, or are known not to be, or
    /// patience ends.
    pub(super) async fn settled(&self, upstreams: &[Arc<Upstream>], patience: Duration) {
        let deadline = Instant::now() + patience;
        for upstream in upstreams {
            let left = deadline.saturating_duration_since(Instant::now());
            if upstream.settled(left).await.is_err() && matches!(upstream.state(), State::Starting)
            {
                break;
            }
        }
    }

    /// A request on its way to a server, in the words of that server's era.
    pub(super) fn to_server(
        &self,
        ready: &Ready,
        request: Message,
        subject: Option<Arc<str>>,
    ) -> Result<Call, Failure> {
        let request = match ready.bridge {
            Bridge::None => request,
            Bridge::ToModern => {
                protocol::for_modern(&request, &ready.client, self.log_level().as_deref())?
            }
            Bridge::ToLegacy => protocol::for_legacy(&request)?,
        };
        Ok(Call {
            request,
            target: Side::Server(Arc::clone(&ready.run)),
            server: Arc::clone(&ready.run.server),
            subject,
            translation: Translation::of(ready),
            listener: None,
        })
    }

    /// Waits until a server has been told that the client is initialized, if
    /// the client is: no request may overtake that.
    pub(super) async fn after_announcement(&self, ready: &Ready) {
        if self.handshake.borrow().initialized.is_some() {
            let mut announced = ready.announced.clone();
            // An error says that the server is gone, which the exchange notices.
            let _ = announced.wait_for(|announced| *announced).await;
        }
    }
}

impl From<PatchError> for Failure {
    fn from(error: PatchError) -> Self {
        Self::Protocol {
            code: rmcp::model::ErrorCode::INVALID_PARAMS.0.into(),
            message: format!("Invalid params: {}", error.error),
            data: None,
        }
    }
}

impl From<Unroutable> for Failure {
    fn from(unroutable: Unroutable) -> Self {
        Self::Protocol {
            code: unroutable.code.0.into(),
            message: unroutable.message,
            data: unroutable.data,
        }
    }
}
