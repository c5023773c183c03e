//! Registries: components as artifacts of the Open Container Initiative, laid out as the
//! CNCF's TAG Runtime has it for WebAssembly, so that other tools push and pull them, too.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use oci_client::client::{Client, ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::{OciDescriptor, OciImageManifest, WASM_LAYER_MEDIA_TYPE};
use oci_client::secrets::RegistryAuth;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::DistributionError;
use crate::config::Reference;

/// The layer that is a component.
const LAYER: &str = "application/wasm";

/// What describes it.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";

/// The annotation of a manifest that says who vouches for the component.
const SIGNATURE: &str = "dev.mcp-gateway.signature";

/// The largest component that is pulled, in bytes.
const LARGEST: usize = 64 << 20;

/// How long a registry may take for everything.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long it may take to say something.
const SILENCE: Duration = Duration::from_secs(20);

/// What was pulled.
pub(super) struct Pulled {
    pub(super) bytes: Vec<u8>,
    /// The digest of its manifest.
    pub(super) manifest: String,
    /// Who vouches for it.
    pub(super) signature: Option<String>,
}

/// Pulls what a reference stands for; with the digest of a manifest, what it stood for
/// then.
pub(super) async fn pull(
    reference: &Reference,
    manifest: Option<&str>,
) -> Result<Pulled, DistributionError> {
    let pulling = try_pull(reference, manifest);
    let pulled = timeout(PATIENCE, pulling).await;
    let pulled = pulled.unwrap_or_else(|_| Err("the registry took too long".to_owned()));
    pulled.map_err(|cause| DistributionError::Pull {
        reference: reference.to_string(),
        cause,
    })
}

async fn try_pull(reference: &Reference, manifest: Option<&str>) -> Result<Pulled, String> {
    let image = match manifest {
        Some(digest) => reference.image().clone_with_digest(digest.to_owned()),
        None => reference.image().clone(),
    };
    let (client, auth) = client(&image);
    let (described, digest) = client
        .pull_image_manifest(&image, &auth)
        .await
        .map_err(|error| error.to_string())?;
    let layer = component_of(&described)?;
    // It is compared with its digest at its end.
    let stream = client.pull_blob_stream(&image, layer).await;
    let mut stream = stream.map_err(|error| error.to_string())?.stream;
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await {
        bytes.extend_from_slice(&part.map_err(|error| error.to_string())?);
        if bytes.len() > LARGEST {
            return Err("it is longer than its manifest says".to_owned());
        }
    }
    let annotations = described.annotations.unwrap_or_default();
    Ok(Pulled {
        bytes,
        manifest: digest,
        signature: annotations.get(SIGNATURE).cloned(),
    })
}

/// The one layer that is a component.
fn component_of(manifest: &OciImageManifest) -> Result<&OciDescriptor, String> {
    let is_component =
        |layer: &&OciDescriptor| [LAYER, WASM_LAYER_MEDIA_TYPE].contains(&&*layer.media_type);
    let mut components = manifest.layers.iter().filter(is_component);
    let (Some(layer), None) = (components.next(), components.next()) else {
        return Err(format!(
            "it is no component: it has not one layer of {LAYER}"
        ));
    };
    match usize::try_from(layer.size) {
        Ok(size) if size <= LARGEST => Ok(layer),
        _ => Err(format!(
            "it is too large: a component has {} MiB at most",
            LARGEST >> 20
        )),
    }
}

/// Pushes a component, with its signature if it has one. Gives the digest of its
/// manifest.
///
/// # Errors
/// When the registry does not take it.
pub async fn push(
    reference: &Reference,
    bytes: Vec<u8>,
    signature: Option<String>,
) -> Result<String, DistributionError> {
    let failed = |cause: String| DistributionError::Push {
        reference: reference.to_string(),
        cause,
    };
    let image = reference.image();
    let (client, auth) = client(image);
    let layer = ImageLayer::new(bytes, LAYER.to_owned(), None);
    let config = json!({
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer.sha256_digest()],
    });
    let config = Config::new(config.to_string().into_bytes(), CONFIG.to_owned(), None);
    let annotations = signature.map(|it| BTreeMap::from([(SIGNATURE.to_owned(), it)]));
    let layers = [layer];
    let manifest = OciImageManifest::build(&layers, &config, annotations);
    let pushing = client.push(image, &layers, config, &auth, Some(manifest));
    let pushed = timeout(PATIENCE, pushing).await;
    let pushed = pushed.map_err(|_| failed("the registry took too long".to_owned()))?;
    pushed.map_err(|error| failed(error.to_string()))?;
    let digest = client.fetch_manifest_digest(image, &auth).await;
    digest.map_err(|error| failed(error.to_string()))
}

/// What speaks with the registry of an image, and as whom. A registry of this machine is
/// spoken with in the open, as others do.
fn client(image: &oci_client::Reference) -> (Client, RegistryAuth) {
    // An error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = image.resolve_registry();
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    let config = ClientConfig {
        protocol: match is_here {
            true => ClientProtocol::Http,
            false => ClientProtocol::Https,
        },
        read_timeout: Some(SILENCE),
        connect_timeout: Some(SILENCE),
        user_agent: concat!("mcp-gateway/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    };
    (Client::new(config), credentials(registry))
}

/// What `docker login` has written down for a registry.
fn credentials(registry: &str) -> RegistryAuth {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker"));
    let read = || {
        let text = std::fs::read(folder.or_else(home)?.join("config.json")).ok()?;
        let config: Value = serde_json::from_slice(&text).ok()?;
        let auth = config.get("auths")?.get(registry)?.get("auth")?.as_str()?;
        let auth = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
        let (user, password) = auth.split_once(':')?;
        Some(RegistryAuth::Basic(user.to_owned(), password.to_owned()))
    };
    read().unwrap_or(RegistryAuth::Anonymous)
}
