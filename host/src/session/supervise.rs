//! Looks after one server: starts it, opens its session, restarts it when it
//! ends, and ends it when it is not wanted any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Session;
use super::converse::{Call, Failure};
use super::exchanges::Side;
use crate::chain::Circumstances;
use crate::gate::{self, Admitted, Cleared};
use crate::guardrail::{Direction, Envelope};
use crate::message::{Kind, Message};
use crate::upstream::{self, Connection, Ready, Run, State, Upstream};
use crate::wire::{Line, Lines};

/// The first pause before a server is started again; it doubles up to the
/// longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A server that ran for so long is not in a crash loop.
const HEALTHY: Duration = Duration::from_secs(60);

/// How long the other sign of a server's end may take once there is one.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Runs a server until it is not wanted any more.
pub(super) async fn supervise(
    session: Arc<Session>,
    upstream: Arc<Upstream>,
    mut stopped: watch::Receiver<bool>,
) {
    let name = Arc::clone(upstream.name());
    let mut pause = FIRST_PAUSE;
    while !*stopped.borrow() {
        let begun = Instant::now();
        let reason = session.run_server(&upstream, &mut stopped).await;
        upstream.set_state(State::Down(Arc::clone(&reason)));
        if *stopped.borrow() {
            break;
        }
        if begun.elapsed() >= HEALTHY {
            pause = FIRST_PAUSE;
        }
        tracing::warn!(
            server = &*name,
            "server is down: {reason}; starting it again in {pause:?}"
        );
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = is_stopped(&mut stopped) => break,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Waits until the server is not wanted any more.
async fn is_stopped(stopped: &mut watch::Receiver<bool>) {
    // An error says that the session is gone, and with it the wish.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

impl Session {
    /// Runs a server's process from its start to its end, and says why it
    /// ended.
    async fn run_server(
        self: &Arc<Self>,
        upstream: &Arc<Upstream>,
        stopped: &mut watch::Receiver<bool>,
    ) -> Arc<str> {
        let name = upstream.name();
        let started = upstream::start(
            &upstream.server,
            self.settings.max_message,
            self.reaper.as_ref(),
        );
        let Connection {
            outbox,
            messages,
            log,
            mut process,
        } = match started {
            Ok(connection) => connection,
            Err(error) => return error.to_string().into(),
        };
        let run = Run::new(Arc::clone(name), outbox);
        let side = Side::Server(Arc::clone(&run));
        let mut log = tokio::spawn(Arc::clone(self).read_log(Arc::clone(name), log));
        let mut reader = tokio::spawn(Arc::clone(self).read_messages(side.clone(), messages));
        let served: Arc<str> = {
            let serve = self.serve(upstream, &run);
            tokio::select! {
                reason = serve => reason,
                reason = process.ended() => {
                    // What it wrote before it ended still counts.
                    let _ = tokio::time::timeout(LAST_WORDS, &mut reader).await;
                    reason.into()
                }
                _ = &mut reader => {
                    let ended = tokio::time::timeout(LAST_WORDS, process.ended()).await;
                    ended.unwrap_or_else(|_| "it closed its standard output".into()).into()
                }
                () = is_stopped(stopped) => "it was stopped".into(),
            }
        };
        upstream.set_state(State::Down(Arc::clone(&served)));
        // Everything that waits for it learns so.
        run.end(Arc::clone(&served));
        process.end().await;
        reader.abort();
        // What it said last may tell why.
        let _ = tokio::time::timeout(LAST_WORDS, &mut log).await;
        log.abort();
        self.notes.close(&side);
        served
    }

    /// Opens the session with a server and keeps it open; returns why that is
    /// not possible.
    async fn serve(self: &Arc<Self>, upstream: &Arc<Upstream>, run: &Arc<Run>) -> Arc<str> {
        upstream.set_state(State::Starting);
        let name = upstream.name();
        let mut handshake = self.handshake.subscribe();
        let initialize = match handshake.wait_for(|h| h.initialize.is_some()).await {
            Ok(handshake) => handshake.initialize.clone(),
            Err(_) => None,
        };
        let Some((initialize, _)) = initialize else {
            return "the gateway is ending".into();
        };
        let begun = Instant::now();
        let answer = match self.open_server(upstream, run, initialize).await {
            Ok(answer) => answer,
            Err(reason) => return reason,
        };
        tracing::info!(
            server = &**name,
            milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "server is ready"
        );
        let late = handshake.borrow().welcomed;
        let (announce, announced) = watch::channel(false);
        let ready = Arc::new(Ready {
            run: Arc::clone(run),
            initialize: answer,
            announced,
        });
        upstream.set_state(State::Ready(Arc::clone(&ready)));

        let initialized = match handshake.wait_for(|h| h.initialized.is_some()).await {
            Ok(handshake) => handshake.initialized.clone(),
            Err(_) => None,
        };
        if let Some(notification) = initialized {
            self.announce(run, notification).await;
            announce.send_replace(true);
        }
        if late {
            // The client may have asked for lists before this server was there.
            self.lists_changed(|capability| ready.offers(capability))
                .await;
        }
        drop(ready);
        // `announce` lives as long as the server does.
        std::future::pending::<()>().await;
        drop(announce);
        "it was dropped".into()
    }

    async fn open_server(
        &self,
        upstream: &Upstream,
        run: &Arc<Run>,
        initialize: Message,
    ) -> Result<Cleared, Arc<str>> {
        let call = Call {
            request: initialize,
            target: Side::Server(Arc::clone(run)),
            server: Arc::clone(upstream.name()),
            subject: None,
        };
        let patience = upstream.server.init_timeout;
        match tokio::time::timeout(patience, self.converse(call, None)).await {
            Err(_) => Err(format!("it did not answer initialize within {patience:?}").into()),
            Ok(Ok(answer)) if answer.message().kind() == Kind::Response => Ok(answer),
            Ok(Ok(_)) => Err("it refused to initialize".into()),
            Ok(Err(Failure::Unavailable(unavailable))) => Err(unavailable.reason),
            Ok(Err(failure)) => Err(failure.kind().into()),
        }
    }

    /// Passes on that the client is initialized.
    async fn announce(&self, run: &Run, notification: Message) {
        let envelope = Envelope {
            session: Arc::clone(&self.id),
            exchange: None,
            server: Arc::clone(&run.server),
            method: "notifications/initialized".into(),
            kind: notification.kind().into(),
            direction: Direction::ToServer,
            subject: None,
        };
        let chain = self.chain.load_full();
        let admitted =
            gate::admit(&chain, &envelope, notification, &Circumstances::default()).await;
        let admitted = match admitted {
            Ok(cleared) => cleared.as_is(),
            // The handshake must go on; what was refused stays behind.
            Err(_) => Admitted::own(Message::notification("notifications/initialized", None)),
        };
        let _ = run.outbox.send(admitted).await;
    }

    async fn read_messages<R>(self: Arc<Self>, side: Side, mut lines: Lines<R>)
    where
        R: tokio::io::AsyncRead + Unpin,
    {
        loop {
            match lines.next().await {
                Ok(Some(line)) => self.relay(&side, line).await,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(server = %side, %error, "cannot read from the server");
                    break;
                }
            }
        }
    }

    /// What a server writes for a person passes the guardrails, too, before it
    /// is logged.
    async fn read_log<R>(self: Arc<Self>, name: Arc<str>, mut lines: Lines<R>)
    where
        R: tokio::io::AsyncRead + Unpin,
    {
        let envelope = gate::log_line_envelope(&self.id, &name);
        while let Ok(Some(line)) = lines.next().await {
            let (text, cut) = match line {
                Line::Whole(bytes) => (bytes, ""),
                Line::TooLong { head, .. } => (head, " …"),
            };
            let text = String::from_utf8_lossy(&text).into_owned();
            let chain = self.chain.load_full();
            match gate::admit_log_line(&chain, &envelope, text).await {
                Some(text) => tracing::info!(target: "server", server = &*name, "{text}{cut}"),
                None => tracing::info!(target: "server", server = &*name, "(a line was blocked)"),
            }
        }
    }
}
