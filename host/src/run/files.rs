//! How many files the gateway may have open: a few for each server and each client.

/// Enough for hundreds of servers. It is not all that the system would grant, since servers
/// inherit it, and some programs close every file that they could have open.
#[cfg(unix)]
const ENOUGH: u64 = 10_240;

/// Asks the system for enough: many begin with 256 or 1024, to be raised by whoever needs
/// more.
#[cfg(unix)]
pub(super) fn make_room() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(ENOUGH, |most| most.min(ENOUGH));
    if limit.current.is_none_or(|now| now >= most) {
        return;
    }
    let raised = Rlimit {
        current: Some(most),
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of open files stays");
    }
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub(super) fn make_room() {}
