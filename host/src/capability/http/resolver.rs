//! From a granted name to addresses that it may stand for.
//!
//! The client connects to what comes from here and asks nobody else, so there is no
//! moment between the check and the connection in which a name could change its mind.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// The addresses of a name, from whoever knows.
type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks a name up, and passes for one of them public addresses only.
pub(super) struct PublicOnly {
    /// The name that must be public. Any other is a proxy's, which is the choice of
    /// the person whose environment names it.
    host: String,
    lookup: Arc<dyn Fn(String) -> Addresses + Send + Sync>,
}

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unresolved {
    /// There is no such name, or nobody who knows.
    #[error("its name cannot be resolved: {0}")]
    Unknown(#[from] io::Error),
    /// It is somebody's own.
    #[error("its name stands for {0}, which is no public address")]
    NotPublic(IpAddr),
    /// It stands for nothing.
    #[error("its name stands for no address")]
    Nothing,
}

impl PublicOnly {
    pub(super) fn new(host: &str) -> Self {
        Self::with(host, |name| {
            Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
        })
    }

    fn with(host: &str, lookup: impl Fn(String) -> Addresses + Send + Sync + 'static) -> Self {
        Self {
            host: host.to_owned(),
            lookup: Arc::new(lookup),
        }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let checked = name.as_str().eq_ignore_ascii_case(&self.host);
        let found = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await.map_err(Unresolved::from)?;
            let passed = match checked {
                true => public(found)?,
                false => found,
            };
            Ok(Box::new(passed.into_iter()) as Addrs)
        })
    }
}

/// The public ones among some addresses.
fn public(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Unresolved> {
    let (public, own): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|address| is_public(address.ip()));
    match (public.is_empty(), own.first()) {
        (false, _) => Ok(public),
        (true, Some(own)) => Err(Unresolved::NotPublic(own.ip())),
        (true, None) => Err(Unresolved::Nothing),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A name that stands for something else each time that it is asked for.
    fn fickle(answers: &'static [&'static [&'static str]]) -> PublicOnly {
        let asked = AtomicUsize::new(0);
        PublicOnly::with("fickle.example", move |_| {
            let answer = answers.get(asked.fetch_add(1, Ordering::Relaxed));
            let answer = answer.copied().unwrap_or_default().iter();
            let found = answer.map(|address| SocketAddr::new(address.parse().unwrap(), 0));
            let found = found.collect();
            Box::pin(async move { Ok(found) })
        })
    }

    async fn resolve(resolver: &PublicOnly, name: &str) -> Result<Vec<String>, String> {
        let found = resolver.resolve(name.parse().unwrap()).await;
        found
            .map(|found| found.map(|address| address.ip().to_string()).collect())
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_name_that_changes_to_an_address_of_ones_own_leads_nowhere() {
        let resolver = fickle(&[&["8.8.8.8"], &["127.0.0.1"], &["169.254.169.254"]]);
        let name = "fickle.example";
        assert_eq!(resolve(&resolver, name).await, Ok(vec!["8.8.8.8".into()]));
        for own in ["127.0.0.1", "169.254.169.254"] {
            let refusal = resolve(&resolver, name).await.unwrap_err();
            let words = format!("its name stands for {own}, which is no public address");
            assert_eq!(refusal, words);
        }
        let refusal = resolve(&resolver, name).await.unwrap_err();
        assert_eq!(refusal, "its name stands for no address");
    }

    #[tokio::test]
    async fn of_several_addresses_only_the_public_ones_are_connected_to() {
        let resolver = fickle(&[&["10.0.0.1", "8.8.8.8", "::1"]]);
        let found = resolve(&resolver, "Fickle.Example").await;
        assert_eq!(found, Ok(vec!["8.8.8.8".into()]));
    }

    #[tokio::test]
    async fn the_name_of_a_proxy_may_stand_for_anything() {
        let resolver = fickle(&[&["10.0.0.1"]]);
        let found = resolve(&resolver, "proxy.example").await;
        assert_eq!(found, Ok(vec!["10.0.0.1".into()]));
    }
}
