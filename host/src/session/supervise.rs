//! Looks after one server: starts it, opens its session, restarts it when it
//! ends, and ends it when it is not wanted any more.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Session;
use super::call::Call;
use super::exchanges::Side;
use super::failure::Failure;
use super::translation::Translation;
use crate::chain::Circumstances;
use crate::config::Protocol;
use crate::gate::{self, Admitted, Cleared};
use crate::guardrail::{Direction, Envelope};
use crate::keyring;
use crate::message::{Kind, Message};
use crate::protocol::{Bridge, Era, Hello};
use crate::upstream::{
    self, Connection, Ended, Incoming, LogIn, Next, Ready, Run, State, Unfilled, Upstream,
};
use crate::wire::{Line, Lines};

/// The first pause before a server is started again; it doubles up to the
/// longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A server that ran for so long is not in a crash loop.
const HEALTHY: Duration = Duration::from_secs(60);

/// How often a server is asked what it is: in one way, in the other, and once
/// more in the first, since a slow one may have heard that after all.
const ATTEMPTS: usize = 3;

/// How long a server may be silent when it is asked in a way that it may not
/// know: some say nothing to what they do not know.
const PROBE: Duration = Duration::from_secs(10);

const INITIALIZED: &str = "notifications/initialized";

/// How long the other sign of a server's end may take once there is one.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Runs a server until it is not wanted any more.
pub(super) async fn supervise(
    session: Arc<Session>,
    upstream: Arc<Upstream>,
    mut stopped: watch::Receiver<bool>,
) {
    let name = Arc::clone(upstream.name());
    if let Some(reason) = upstream.server.unresolved() {
        tracing::warn!(server = &*name, "server is down: {reason}");
        // Once the configuration can be filled in, that is another server.
        return is_stopped(&mut stopped).await;
    }
    let mut pause = FIRST_PAUSE;
    let mut hurried = false;
    while !*stopped.borrow() {
        let begun = Instant::now();
        let log_in = upstream.log_in();
        let end = session.run_server(&upstream, &mut stopped).await;
        if *stopped.borrow() {
            break;
        }
        let reason = match end {
            End::ForAnotherSession => continue,
            // One that has forgotten its session is well, unless it never keeps any.
            End::Forgotten(reason) if !hurried || begun.elapsed() >= FIRST_PAUSE => {
                hurried = true;
                tracing::info!(server = &*name, "connecting again: {reason}");
                continue;
            }
            End::Failed(reason) | End::Forgotten(reason) => reason,
            End::Lacking(reason) => {
                tracing::warn!(server = &*name, "server is down: {reason}");
                tokio::select! {
                    () = keyring::worth_a_look(&upstream.server.secrets) => continue,
                    () = is_stopped(&mut stopped) => break,
                }
            }
        };
        hurried = false;
        upstream.set_state(State::Down(Arc::clone(&reason)));
        if begun.elapsed() >= HEALTHY {
            pause = FIRST_PAUSE;
        }
        tracing::warn!(
            server = &*name,
            "server is down: {reason}; starting it again in {pause:?}"
        );
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = another(log_in) => {}
            () = wanted(&upstream) => {}
            () = is_stopped(&mut stopped) => break,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Waits until a person has logged in to a server, which may have been all that it
/// lacked; and for the first pause, since a log-in is renewed without a person, too.
async fn another(log_in: Option<LogIn>) {
    match log_in {
        Some(log_in) => {
            tokio::time::sleep(FIRST_PAUSE).await;
            log_in.changed().await;
        }
        None => std::future::pending().await,
    }
}

/// Waits until somebody wants to use a server, and for the first pause: many may want to,
/// one after the other.
async fn wanted(upstream: &Upstream) {
    tokio::time::sleep(FIRST_PAUSE).await;
    upstream.wanted().await;
}

/// Why a server's process, or the session with a remote one, is gone.
#[derive(Debug, Clone)]
enum End {
    /// It cannot go on, for a reason that can follow its name.
    Failed(Arc<str>),
    /// What it refers to in the keyring is not to be had, for a reason that can follow
    /// its name.
    Lacking(Arc<str>),
    /// It is well, but has forgotten the session, for a reason that can follow
    /// its name.
    Forgotten(Arc<str>),
    /// The client has opened another session, for which it is started anew.
    ForAnotherSession,
}

impl From<Ended> for End {
    fn from(ended: Ended) -> Self {
        match ended.next {
            Next::Pause => Self::Failed(ended.reason),
            Next::Reconnect => Self::Forgotten(ended.reason),
        }
    }
}

/// Waits until the server is not wanted any more.
async fn is_stopped(stopped: &mut watch::Receiver<bool>) {
    // An error says that the session is gone, and with it the wish.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

impl Session {
    /// Runs a server's process, or one session with a remote server, from its
    /// start to its end, and says why it ended.
    async fn run_server(
        self: &Arc<Self>,
        upstream: &Arc<Upstream>,
        stopped: &mut watch::Receiver<bool>,
    ) -> End {
        let name = upstream.name();
        if !self.may_start(upstream, stopped).await {
            return End::Failed("it was stopped".into());
        }
        let filled = tokio::select! {
            filled = upstream::filled(&upstream.server) => filled,
            () = is_stopped(stopped) => return End::Failed("it was stopped".into()),
        };
        let server = match filled {
            Ok(server) => server,
            Err(why) => {
                let reason: Arc<str> = why.to_string().into();
                upstream.set_state(State::Down(Arc::clone(&reason)));
                return match why {
                    Unfilled::Lacking(_) => End::Lacking(reason),
                    Unfilled::Unfit(_) => End::Failed(reason),
                };
            }
        };
        let connected = upstream::connect(&server, self.settings.max_message, self.reaper.as_ref());
        let Connection {
            outbox,
            messages,
            log,
            mut link,
        } = match connected {
            Ok(connection) => connection,
            Err(error) => {
                let reason: Arc<str> = error.to_string().into();
                upstream.set_state(State::Down(Arc::clone(&reason)));
                return End::Failed(reason);
            }
        };
        let run = Run::new(Arc::clone(name), outbox);
        let side = Side::Server(Arc::clone(&run));
        let log = log.map(|log| tokio::spawn(Arc::clone(self).read_log(Arc::clone(name), log)));
        let mut reader = tokio::spawn(Arc::clone(self).read_messages(side.clone(), messages));
        let end = {
            let serve = self.serve(upstream, &run);
            tokio::select! {
                end = serve => end,
                ended = link.ended() => {
                    // What it wrote before it ended still counts.
                    let _ = tokio::time::timeout(LAST_WORDS, &mut reader).await;
                    ended.into()
                }
                _ = &mut reader => {
                    let ended = tokio::time::timeout(LAST_WORDS, link.ended()).await;
                    let ended = ended.map(End::from);
                    ended.unwrap_or_else(|_| End::Failed("it closed its standard output".into()))
                }
                () = is_stopped(stopped) => End::Failed("it was stopped".into()),
            }
        };
        // Everything that waits for it learns so.
        match &end {
            End::Failed(reason) | End::Lacking(reason) => {
                upstream.set_state(State::Down(Arc::clone(reason)));
                run.end(Arc::clone(reason));
            }
            End::Forgotten(reason) => {
                upstream.set_state(State::Starting);
                run.end(Arc::clone(reason));
            }
            End::ForAnotherSession => {
                upstream.set_state(State::Starting);
                run.end("the client has opened another session".into());
            }
        }
        link.end().await;
        reader.abort();
        if let Some(mut log) = log {
            // What it said last may tell why.
            let _ = tokio::time::timeout(LAST_WORDS, &mut log).await;
            log.abort();
        }
        self.notes.close(&side);
        end
    }

    /// Opens the session with a server and keeps it open; returns why that is
    /// not possible.
    async fn serve(self: &Arc<Self>, upstream: &Arc<Upstream>, run: &Arc<Run>) -> End {
        upstream.set_state(State::Starting);
        let name = upstream.name();
        let mut handshake = self.handshake.subscribe();
        let client = match handshake.wait_for(|h| h.hello.is_some()).await {
            Ok(handshake) => handshake.hello.as_ref().map(|(it, _)| Arc::clone(it)),
            Err(_) => None,
        };
        let Some(client) = client else {
            return End::Failed("the gateway is ending".into());
        };
        let mut sessions = self.handshake.subscribe();
        let another = sessions.wait_for(|h| {
            let theirs = h.hello.as_ref().map(|(it, _)| it);
            !theirs.is_some_and(|it| Arc::ptr_eq(it, &client))
        });
        let mut another = pin!(another);
        let begun = Instant::now();
        let opened = tokio::select! {
            opened = self.open_server(upstream, run, &client) => opened,
            _ = &mut another => return End::ForAnotherSession,
        };
        let (introduction, era) = match opened {
            Ok(opened) => opened,
            Err(reason) => return End::Failed(reason),
        };
        run.set_era(era);
        tracing::info!(
            server = &**name,
            milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            ?era,
            "server is ready"
        );
        let late = handshake.borrow().welcomed || client.era == Era::Modern;
        let (announce, announced) = watch::channel(false);
        let ready = Arc::new(Ready {
            run: Arc::clone(run),
            introduction,
            bridge: Bridge::between(client.era, era),
            client: Arc::clone(&client),
            announced,
        });
        upstream.set_state(State::Ready(Arc::clone(&ready)));

        let initialized = async {
            let announcement = match (client.era, era) {
                (Era::Legacy, Era::Legacy) => {
                    let said = handshake.wait_for(|h| h.initialized.is_some()).await;
                    said.ok()
                        .and_then(|handshake| handshake.initialized.clone())
                }
                (Era::Modern, Era::Legacy) => Some(Message::notification(INITIALIZED, None)),
                (_, Era::Modern) => None,
            };
            if let Some(notification) = announcement {
                self.announce(run, notification).await;
            }
            announce.send_replace(true);
            let joined = async {
                if late {
                    // The client may have asked for lists before this server was there.
                    self.joined(upstream, &ready).await;
                }
                self.keep_opening(upstream, &ready);
            };
            tokio::join!(joined, self.replay(&ready));
            if ready.bridge == Bridge::ToModern {
                self.listen_for_legacy(&ready).await;
            }
            self.watch_approvals(upstream).await;
        };
        tokio::select! {
            () = initialized => {}
            _ = another => {}
        }
        End::ForAnotherSession
    }

    /// Has a server say what it is. Of which era it is shows in how it answers;
    /// where nobody says, it is first addressed in the client's own way, since
    /// servers of both eras stay with what they hear first.
    async fn open_server(
        &self,
        upstream: &Upstream,
        run: &Arc<Run>,
        client: &Hello,
    ) -> Result<(Cleared, Era), Arc<str>> {
        let (mut era, settled) = match upstream.server.protocol {
            Protocol::Auto => (client.era, false),
            Protocol::Legacy => (Era::Legacy, true),
            Protocol::Modern => (Era::Modern, true),
        };
        let patience = upstream.server.init_timeout;
        let attempts = if settled { 1 } else { ATTEMPTS };
        let mut refusal: Arc<str> = "it has not said what it is".into();
        for attempt in 1..=attempts {
            let probing = era == Era::Modern && attempt < attempts;
            let patience = if probing {
                patience.min(PROBE)
            } else {
                patience
            };
            let opened = self.introduce(upstream, run, client, era);
            match tokio::time::timeout(patience, opened).await {
                Ok(Ok(introduction)) => return Ok((introduction, era)),
                Ok(Err(Failure::Unavailable(it) | Failure::Undelivered(it))) => {
                    return Err(it.reason);
                }
                Ok(Err(Failure::Refused(refusal))) => return Err(refusal.cause().into()),
                Ok(Err(failure)) => {
                    refusal = failure.kind().into();
                    if era == Era::Modern && failure.offers_modern() {
                        continue;
                    }
                }
                Err(_) => {
                    let asked = match era {
                        Era::Legacy => "initialize",
                        Era::Modern => "server/discover",
                    };
                    refusal = format!("it did not answer {asked} within {patience:?}").into();
                    if !probing {
                        break;
                    }
                }
            }
            era = match era {
                Era::Legacy => Era::Modern,
                Era::Modern => Era::Legacy,
            };
        }
        Err(refusal)
    }

    /// Opens the session with a legacy server, or asks a modern one what it is.
    async fn introduce(
        &self,
        upstream: &Upstream,
        run: &Arc<Run>,
        client: &Hello,
        era: Era,
    ) -> Result<Cleared, Failure> {
        let call = Call {
            request: match era {
                Era::Legacy => client.initialize(),
                Era::Modern => client.discover(),
            },
            target: Side::Server(Arc::clone(run)),
            server: Arc::clone(upstream.name()),
            subject: None,
            translation: match Bridge::between(client.era, era) {
                Bridge::None => Translation::None,
                Bridge::ToModern => Translation::ForLegacy {
                    version: client.version().into(),
                },
                Bridge::ToLegacy => Translation::ForModern { server_info: None },
            },
            listener: None,
        };
        let answer = self.converse(call, None).await?;
        match answer.message().kind() {
            Kind::Response => Ok(answer),
            _ => Err(Failure::of_error(answer.message())),
        }
    }

    /// Passes on that the client is initialized.
    async fn announce(&self, run: &Run, notification: Message) {
        let envelope = Envelope {
            session: Arc::clone(&self.id),
            exchange: None,
            server: Arc::clone(&run.server),
            method: INITIALIZED.into(),
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
            Err(_) => Admitted::own(Message::notification(INITIALIZED, None)),
        };
        let _ = run.outbox.send(admitted).await;
    }

    async fn read_messages(self: Arc<Self>, side: Side, mut messages: Incoming) {
        loop {
            match messages.next().await {
                Ok(Some(received)) => self.receive(&side, received).await,
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
