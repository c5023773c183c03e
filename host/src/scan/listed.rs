//! A server's tools, as it lists them itself: a gateway without guardrails starts it,
//! with a time for everything.

use std::io::Write as _;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;
use tokio::time::timeout;

use super::found::Found;
use crate::client::Client;
use crate::pinning::{Definition, Offer};

/// How long a server may take, from its start to its list. `npx` and `uvx` fetch a
/// package first.
const PATIENCE: Duration = Duration::from_secs(60);

/// The tools of a server.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) definitions: Vec<Definition>,
}

/// Starts a server and has it list its tools.
pub(super) async fn of(found: &Found) -> Result<Listed, String> {
    let listing = async {
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
            Ok(()) => client.definitions().await,
            Err(error) => Err(error),
        };
        // It has told all that it can tell.
        let _ = client.end().await;
        tools
    };
    match timeout(PATIENCE, listing).await {
        Ok(Ok(tools)) => Ok(Listed {
            definitions: tools
                .iter()
                .map(|it| Definition::new(Offer::Tool, &it.to_string()))
                .collect(),
        }),
        Ok(Err(error)) => Err(format!("{error:#}")),
        Err(_) => Err(format!("it did not list them within {PATIENCE:?}")),
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
