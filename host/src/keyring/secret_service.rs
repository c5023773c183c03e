//! The keyrings of Linux desktops, by the interface that they share: the Secret Service of
//! freedesktop.org, over D-Bus.
//!
//! A secret is an item with the attributes `service` and `username`, as `secret-tool` and
//! other programs write them, so that each finds what the other has kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use dbus::Path;
use dbus::arg::{AppendAll, PropMap, ReadAll, RefArg, Variant};
use dbus::blocking::Connection;
use dbus::message::MatchRule;
use zeroize::Zeroize;

use super::{Asking, Item, KeyringError, PATIENCE, Secret};

const SECRETS: &str = "org.freedesktop.secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";

/// A look-up asks nobody that was asked before.
pub(super) const LOOKS_QUIETLY: bool = true;

/// Where the service is, and what stands for no object.
const ROOT: &str = "/org/freedesktop/secrets";
const NONE: &str = "/";

/// How long the service may take where it asks nobody.
const ANSWER: Duration = Duration::from_secs(10);

/// A secret as it is on the bus: the session, what a cipher needs, the value, what it is.
type Wire = (Path<'static>, Vec<u8>, Vec<u8>, String);

pub(super) fn get(item: &Item, asking: Asking) -> Result<Secret, KeyringError> {
    let service = Service::open()?;
    let found = service.items(item, asking)?;
    let path = found
        .first()
        .ok_or_else(|| KeyringError::Unknown(item.clone()))?;
    let session = service.session()?;
    let ((_, _, value, _),): (Wire,) = service.call(path, ITEM, "GetSecret", (session,))?;
    String::from_utf8(value).map(Secret::new).map_err(|error| {
        error.into_bytes().zeroize();
        KeyringError::NoText(item.clone())
    })
}

pub(super) fn set(item: &Item, secret: &Secret) -> Result<(), KeyringError> {
    let service = Service::open()?;
    let found = service.items(item, Asking::Person)?;
    let wire = || {
        let value = secret.as_bytes().to_vec();
        let content = "text/plain; charset=utf8".to_owned();
        Ok((service.session()?, Vec::new(), value, content))
    };
    for path in &found {
        let secret: Wire = wire()?;
        let () = service.call(path, ITEM, "SetSecret", (secret,))?;
    }
    if !found.is_empty() {
        return Ok(());
    }
    let root = Path::from(ROOT);
    let (keyring,): (Path<'static>,) = service.call(&root, SERVICE, "ReadAlias", ("default",))?;
    if &*keyring == NONE {
        return Err(KeyringError::Failed(
            "there is no keyring by default; make one with your desktop's program for passwords"
                .to_owned(),
        ));
    }
    service.unlock(vec![keyring.clone()], Asking::Person)?;
    let label = format!("{item} (mcp-gateway)");
    let attributes: HashMap<String, String> = [
        ("service".to_owned(), item.service.clone()),
        ("username".to_owned(), item.name.clone()),
        (
            "xdg:schema".to_owned(),
            "org.freedesktop.Secret.Generic".to_owned(),
        ),
    ]
    .into();
    let mut properties = PropMap::new();
    let mut property = |name: &str, value: Box<dyn RefArg>| {
        properties.insert(format!("{ITEM}.{name}"), Variant(value));
    };
    property("Label", Box::new(label));
    property("Attributes", Box::new(attributes));
    let (_, prompt): (Path<'static>, Path<'static>) = service.call(
        &keyring,
        COLLECTION,
        "CreateItem",
        (properties, wire()?, true),
    )?;
    service.prompt(&prompt)
}

pub(super) fn delete(item: &Item) -> Result<(), KeyringError> {
    let service = Service::open()?;
    let found = service.items(item, Asking::Person)?;
    if found.is_empty() {
        return Err(KeyringError::Unknown(item.clone()));
    }
    for path in &found {
        let (prompt,): (Path<'static>,) = service.call(path, ITEM, "Delete", ())?;
        service.prompt(&prompt)?;
    }
    Ok(())
}

/// The service, as long as somebody is connected to it.
struct Service {
    bus: Connection,
}

impl Service {
    fn open() -> Result<Self, KeyringError> {
        let address = address();
        match Connection::new_address(&address) {
            Ok(bus) => Ok(Self { bus }),
            Err(error) => Err(KeyringError::NoSession {
                address,
                cause: error.message().unwrap_or("nobody answers").to_owned(),
            }),
        }
    }

    fn call<R: ReadAll, A: AppendAll>(
        &self,
        path: &Path<'static>,
        interface: &str,
        method: &str,
        arguments: A,
    ) -> Result<R, KeyringError> {
        let proxy = self.bus.with_proxy(SECRETS, path.clone(), ANSWER);
        proxy
            .method_call(interface, method, arguments)
            .map_err(|error| fault(&error))
    }

    /// What secrets travel in. Nobody but this user and the service hears what is said on
    /// the bus, and this user may ask the service as well.
    fn session(&self) -> Result<Path<'static>, KeyringError> {
        let nothing: Variant<Box<dyn RefArg>> = Variant(Box::new(String::new()));
        let (_, session): (Variant<Box<dyn RefArg>>, Path<'static>) = self.call(
            &Path::from(ROOT),
            SERVICE,
            "OpenSession",
            ("plain", nothing),
        )?;
        Ok(session)
    }

    /// What is kept under that name, unlocked.
    fn items(&self, item: &Item, asking: Asking) -> Result<Vec<Path<'static>>, KeyringError> {
        let attributes: HashMap<&str, &str> =
            [("service", &*item.service), ("username", &*item.name)].into();
        let (unlocked, locked): (Vec<Path<'static>>, Vec<Path<'static>>) =
            self.call(&Path::from(ROOT), SERVICE, "SearchItems", (attributes,))?;
        if !unlocked.is_empty() || locked.is_empty() {
            return Ok(unlocked);
        }
        self.unlock(locked.clone(), asking)?;
        Ok(locked)
    }

    fn unlock(&self, what: Vec<Path<'static>>, asking: Asking) -> Result<(), KeyringError> {
        let (_, prompt): (Vec<Path<'static>>, Path<'static>) =
            self.call(&Path::from(ROOT), SERVICE, "Unlock", (what,))?;
        match &*prompt == NONE || asking.now() {
            true => self.prompt(&prompt),
            false => Err(KeyringError::Locked),
        }
    }

    /// Has the service ask the person, if that is what it takes.
    fn prompt(&self, prompt: &Path<'static>) -> Result<(), KeyringError> {
        const ALLOWED: u8 = 1;
        const DISMISSED: u8 = 2;
        if &**prompt == NONE {
            return Ok(());
        }
        let answer = Arc::new(AtomicU8::new(0));
        let completed = MatchRule::new_signal(PROMPT, "Completed").with_path(prompt.clone());
        let listening = self.bus.add_match(completed, {
            let answer = Arc::clone(&answer);
            move |(dismissed, _): (bool, Variant<Box<dyn RefArg>>), _, _| {
                let word = if dismissed { DISMISSED } else { ALLOWED };
                answer.store(word, Ordering::Relaxed);
                true
            }
        });
        listening.map_err(|error| fault(&error))?;
        let () = self.call(prompt, PROMPT, "Prompt", ("",))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match answer.load(Ordering::Relaxed) {
                ALLOWED => return Ok(()),
                DISMISSED => return Err(KeyringError::Locked),
                _ => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let _: Result<(), _> = self.call(prompt, PROMPT, "Dismiss", ());
                return Err(KeyringError::TimedOut(PATIENCE));
            }
            self.bus.process(left).map_err(|error| fault(&error))?;
        }
    }
}

/// Where the session's bus is. Clients start programs with few variables, so it is looked
/// for where it usually is, as well.
fn address() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    variable("DBUS_SESSION_BUS_ADDRESS").unwrap_or_else(|| {
        let folder = variable("XDG_RUNTIME_DIR")
            .unwrap_or_else(|| format!("/run/user/{}", rustix::process::getuid().as_raw()));
        format!("unix:path={folder}/bus")
    })
}

fn fault(error: &dbus::Error) -> KeyringError {
    let message = error.message().unwrap_or_default();
    match error.name().unwrap_or_default() {
        "org.freedesktop.Secret.Error.IsLocked" => KeyringError::Locked,
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner" => KeyringError::NoKeyring,
        name if name.starts_with("org.freedesktop.DBus.Error.Spawn") => KeyringError::NoKeyring,
        "org.freedesktop.DBus.Error.NoReply" => KeyringError::TimedOut(ANSWER),
        name => KeyringError::Failed(format!("{message} ({name})")),
    }
}
