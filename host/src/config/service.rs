//! What a bundled guardrail needs that asks a service elsewhere: where that is, the key to it,
//! and who is asking. The environment says so, as it did to the Python gateway.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::error::Problem;
use super::expand::Env;
use super::{Destination, Destinations, Guardrail, GuardrailName, Mode, Source};

/// A service, in the words of its guardrail's configuration and of the environment.
struct Service {
    guardrail: &'static str,
    /// The member that says where it is, and where that is unless somebody says so.
    address: &'static str,
    by_default: &'static str,
    /// The header that the key is sent in, and the variable that holds it.
    header: HeaderName,
    key: &'static str,
    /// Members that variables stand in for.
    members: &'static [(&'static str, &'static str)],
}

static SERVICES: [Service; 1] = [Service {
    guardrail: "lasso",
    address: "api_base",
    by_default: "https://server.lasso.security",
    header: HeaderName::from_static("lasso-api-key"),
    key: "LASSO_API_KEY",
    members: &[
        ("api_base", "LASSO_API_BASE"),
        ("user_id", "LASSO_USER_ID"),
        ("conversation_id", "LASSO_CONVERSATION_ID"),
    ],
}];

/// The guardrails that mask, so that one which sends messages elsewhere belongs behind them.
const MASKING: [&str; 2] = ["basic", RESTORING];

/// The one behind which values are back that something stood in for, on their way to a server.
const RESTORING: &str = "pii";

/// The one that counts what others find, and so belongs behind them.
const COUNTING: &str = "trifecta";

/// Those whose findings it counts.
const COUNTED: [&str; 3] = ["basic", "pii", "injection"];

/// Completes a guardrail that asks a service: what its configuration leaves to the environment,
/// the grant for the service's origin unless something else is granted, and the key, which is
/// never in the guardrail.
///
/// What a person should know comes back.
pub(super) fn complete(
    guardrail: &mut Guardrail,
    is_granted: bool,
    env: Env<'_>,
) -> Result<Option<String>, Problem> {
    let Some(service) = of(guardrail) else {
        return Ok(None);
    };
    let Ok(mut config) = serde_json::from_str::<Map<String, Value>>(&guardrail.config) else {
        // It is made of a table, and so is one.
        return Ok(None);
    };
    let variable = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    for (member, name) in service.members {
        if !config.contains_key(*member)
            && let Some(value) = variable(name)
        {
            config.insert((*member).to_owned(), value.into());
        }
    }
    let what = |member: &str| format!("\"{member}\" in guardrail \"{}\"", guardrail.name);
    let address = match config.get(service.address) {
        Some(address) => address.as_str().unwrap_or_default(),
        None => service.by_default,
    };
    let url = Url::parse(address.trim()).map_err(|cause| Problem::Url {
        what: what(service.address),
        cause: cause.to_string(),
    })?;
    guardrail.config = Value::Object(config).to_string();
    if guardrail.mode == Mode::Off {
        return Ok(None);
    }
    let origin = url.origin().ascii_serialization();
    let mut destinations = guardrail.destinations.0.to_vec();
    if !is_granted && let Ok(url) = Url::parse(&origin) {
        destinations = vec![Destination {
            url,
            headers: HeaderMap::new(),
            private: false,
        }];
    }
    let mut granted = destinations.iter_mut();
    let destination = granted
        .find(|granted| granted.url.origin() == url.origin())
        .ok_or_else(|| Problem::ServiceNotGranted {
            name: guardrail.name.to_string(),
            origin: origin.clone(),
        })?;
    if !destination.headers.contains_key(&service.header) {
        let key = variable(service.key).ok_or_else(|| Problem::NoKey {
            name: guardrail.name.to_string(),
            variable: service.key,
            header: service.header.to_string(),
            origin: origin.clone(),
        })?;
        let mut value = HeaderValue::from_str(key.trim()).map_err(|_| Problem::HeaderValue {
            what: format!("the variable {}", service.key),
        })?;
        value.set_sensitive(true);
        destination.headers.insert(service.header.clone(), value);
    }
    let warning = destination.is_overheard().then(|| {
        format!(
            "guardrail \"{}\" sends its key over http:// to {origin}, where everybody on the way \
             can read it; use https://",
            guardrail.name
        )
    });
    guardrail.destinations = Destinations(destinations.into());
    Ok(warning)
}

/// Guardrails of which nobody but the gateway has said the order. What counts what others
/// find comes behind them. What sends messages to a service comes last, so that it sends
/// what the others have left. On the way to a server that is too late where values come
/// back that something stood in for: there it is asked about calls before.
pub(super) fn placed(mut guardrails: Vec<Guardrail>) -> Vec<Guardrail> {
    guardrails.sort_by_key(|one| (asks(one), is_bundled(one, COUNTING)));
    let mut restoring = guardrails.iter();
    let Some(place) = restoring.position(|one| is_bundled(one, RESTORING)) else {
        return guardrails;
    };
    let mut before = Vec::new();
    for asking in guardrails.iter_mut().filter(|one| asks(one)) {
        let Ok(name) = format!("{}-calls", asking.name).parse() else {
            continue;
        };
        before.push(Guardrail {
            name,
            config: with(&asking.config, "check", "to-server"),
            ..asking.clone()
        });
        asking.config = with(&asking.config, "check", "to-client");
    }
    guardrails.splice(place..place, before);
    guardrails
}

/// A configuration with one more member.
fn with(config: &str, member: &str, value: &str) -> String {
    let mut config: Map<String, Value> = serde_json::from_str(config).unwrap_or_default();
    config.insert(member.to_owned(), value.into());
    Value::Object(config).to_string()
}

fn asks(guardrail: &Guardrail) -> bool {
    of(guardrail).is_some()
}

fn is_bundled(guardrail: &Guardrail, wanted: &str) -> bool {
    matches!(&guardrail.component, Source::Bundled(name) if &**name == wanted)
}

/// What a person should know about the order of guardrails: what is sent elsewhere is what those
/// before have left, and what is counted is what those before have found.
pub(super) fn order(guardrails: &[Guardrail]) -> impl Iterator<Item = String> {
    // One that looks at calls only may well stand before what lets values come back.
    let results = |one: &Guardrail| asks(one) && !one.config.contains(r#""check":"to-server""#);
    let unmasked = before(guardrails, results, &MASKING);
    let unmasked = unmasked.map(|(asking, masking)| {
        format!(
            "guardrail \"{asking}\" stands before \"{masking}\", so what it sends to its service is not masked yet"
        )
    });
    let uncounted = before(guardrails, |one| is_bundled(one, COUNTING), &COUNTED);
    let uncounted = uncounted.map(|(counting, finding)| {
        format!("guardrail \"{counting}\" stands before \"{finding}\", so it does not count what that finds")
    });
    unmasked.into_iter().chain(uncounted)
}

/// The first guardrail of a kind, and the first behind it that has one of these names, if there are both.
fn before<'a>(
    guardrails: &'a [Guardrail],
    is_first: impl Fn(&Guardrail) -> bool,
    behind: &[&str],
) -> Option<(&'a GuardrailName, &'a GuardrailName)> {
    let mut following = guardrails.iter().filter(|one| one.mode != Mode::Off);
    let first = following.find(|one| is_first(one))?;
    let second = following.find(|one| behind.iter().any(|name| is_bundled(one, name)))?;
    Some((&first.name, &second.name))
}

fn of(guardrail: &Guardrail) -> Option<&'static Service> {
    let Source::Bundled(name) = &guardrail.component else {
        return None;
    };
    SERVICES.iter().find(|service| service.guardrail == &**name)
}
