//! What a server shows, as it lists it itself: a gateway without guardrails starts it,
//! with a time for everything.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tempfile::TempPath;
use tokio::time::{Instant, timeout_at};

use super::found::Found;
use crate::catalog::SERVER_INFO_NAME;
use crate::client::Client;
use crate::message::{Message, string};
use crate::pinning::{Definition, Offer, Page};

/// How long a server may take, from its start to its last list. `npx` and `uvx` fetch a
/// package first.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it may take for each list but that of its tools.
const PATIENCE_FOR_MORE: Duration = Duration::from_secs(15);

/// What a server shows.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) definitions: Vec<Definition>,
    /// What of it, besides the tools, could not be seen, and why.
    pub(super) unseen: Vec<(Offer, String)>,
}

impl Listed {
    /// All of a kind.
    pub(super) fn all(&self, offer: Offer) -> impl Iterator<Item = &Definition> {
        self.definitions.iter().filter(move |it| it.offer == offer)
    }
}

/// Starts a server and has it list what it has.
pub(super) async fn of(found: &Found) -> Result<Listed, String> {
    let deadline = Instant::now() + PATIENCE;
    let started = timeout_at(deadline, start(found)).await;
    let (mut client, tools, _config) = match started {
        Ok(Ok(started)) => started,
        Ok(Err(error)) => return Err(format!("{error:#}")),
        Err(_) => return Err(format!("it did not list them within {PATIENCE:?}")),
    };
    let mut listed = Listed {
        definitions: tools,
        unseen: Vec::new(),
    };
    for offer in [Offer::Prompt, Offer::Template, Offer::Instructions] {
        let deadline = deadline.min(Instant::now() + PATIENCE_FOR_MORE);
        let shown = timeout_at(deadline, shown(&mut client, offer)).await;
        match shown {
            Ok(Ok(shown)) => listed.definitions.extend(shown),
            Ok(Err(error)) => listed.unseen.push((offer, format!("{error:#}"))),
            Err(_) => {
                let why = "it took too long to tell".to_owned();
                listed.unseen.push((offer, why));
            }
        }
    }
    // It has told all that it can tell.
    let _ = client.end().await;
    Ok(listed)
}

/// Starts a server, and has it list its tools. The gateway has its configuration as long
/// as the file is kept.
async fn start(found: &Found) -> anyhow::Result<(Client, Vec<Definition>, TempPath)> {
    let config = format!(
        "[gateway]\nnaming = \"bare\"\npinning = \"off\"\ncatalog_cache = false\n\
         ready_timeout = \"{}s\"\n{}",
        PATIENCE.as_secs(),
        found.text
    );
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile()?;
    // It may hold secrets; such files are made with mode 0600.
    file.write_all(config.as_bytes())?;
    let file = file.into_temp_path();
    let argument = format!("--config={}", file.display());
    let mut client = Client::start([argument]).await?;
    let tools = match ready(&mut client).await {
        Ok(()) => shown(&mut client, Offer::Tool).await,
        Err(error) => Err(error),
    };
    match tools {
        Ok(tools) => Ok((client, tools, file)),
        Err(error) => {
            let _ = client.end().await;
            Err(error)
        }
    }
}

/// All that a server shows of a kind.
async fn shown(client: &mut Client, offer: Offer) -> anyhow::Result<Vec<Definition>> {
    let pages = match offer {
        Offer::Instructions => vec![opening(client).await?],
        _ => client.pages(offer.method()).await?,
    };
    let mut shown = Vec::new();
    for page in &pages {
        let page = Page::of(offer, page).context("they can be read in two ways")?;
        shown.extend(page.definitions());
    }
    Ok(shown)
}

/// What the server said when it was opened.
async fn opening(client: &mut Client) -> anyhow::Result<Message> {
    let is_gateways_own = |opening: &Message| {
        let name = opening.value("/serverInfo/name").and_then(string);
        name.as_deref() == Some(SERVER_INFO_NAME) && opening.value("/instructions").is_none()
    };
    // A client is not left waiting for a server that starts slowly: it is told what the
    // gateway can say without.
    if is_gateways_own(client.opening()) {
        client.open().await?;
    }
    match is_gateways_own(client.opening()) {
        true => bail!("it takes too long to start"),
        false => Ok(client.opening().clone()),
    }
}

/// Waits until the gateway says that the server is there, or is not.
async fn ready(client: &mut Client) -> anyhow::Result<()> {
    while let Some(event) = client.event().await {
        let message = event.get("message").and_then(Value::as_str);
        let message = message.unwrap_or_default();
        if message == "server is ready" {
            return Ok(());
        }
        if let Some(reason) = message.strip_prefix("server is down: ") {
            let (reason, _) = reason
                .rsplit_once("; starting it again in ")
                .unwrap_or((reason, ""));
            bail!("{reason}");
        }
    }
    bail!("the gateway ended")
}
