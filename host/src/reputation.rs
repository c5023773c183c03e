//! How much is known of a package before it is started: its age, who uses it, who
//! maintains it, and what the registry itself says against it. docs/scan.md tells how
//! that becomes a number.
//!
//! What cannot be found out is unknown, and never counts against a package.

mod cache;
mod date;
mod facts;
mod github;
mod npm;
mod pypi;
mod score;
mod smithery;
mod sources;
mod standing;

pub use facts::{Facts, Owner, Repository};
pub use score::{Reputation, THRESHOLD, WARNING};
pub use sources::{Network, Sources};
pub use standing::{Standing, StandingError, Standings};

use crate::provenance::{Package, Registry};
use cache::Cache;

/// The reputation of a package.
pub async fn of(package: &Package, sources: &Sources) -> Reputation {
    if package.registry == Registry::Images {
        return Reputation::Unknown("images have no registry that tells of them".to_owned());
    }
    let cache = Cache::open();
    let key = package.to_string();
    if let Some(facts) = cache.fresh(&key) {
        return score::reputation(&facts);
    }
    let found = match sources.network() {
        Network::Off => Err("nothing is asked of the network".to_owned()),
        Network::On => match package.registry {
            Registry::Npm => npm::facts(package, sources).await,
            Registry::PyPi => pypi::facts(package, sources).await,
            Registry::Smithery => smithery::facts(package, sources).await,
            Registry::Images => Err("images have no registry that tells of them".to_owned()),
        },
    };
    match found {
        Ok(facts) => {
            if facts.is_complete {
                cache.keep(&key, &facts);
            }
            score::reputation(&facts)
        }
        // Better old than nothing: what was risky does not become well known because
        // the network is away.
        Err(why) => match cache.any(&key) {
            Some(facts) => score::reputation(&facts),
            None => Reputation::Unknown(why),
        },
    }
}
