//! What ends a gateway from outside.

/// Waits for a signal, and names it.
#[cfg(unix)]
pub(super) async fn signalled() -> &'static str {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    async fn hung_up(signal: Option<Signal>) {
        match signal {
            Some(mut signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }

    let hangup = match outlives_its_terminal() {
        true => Ok(None),
        false => signal(SignalKind::hangup()).map(Some),
    };
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
        hangup,
    );
    match signals {
        (Ok(mut terminate), Ok(mut interrupt), Ok(hangup)) => tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            () = hung_up(hangup) => "SIGHUP",
        },
        _ => std::future::pending().await,
    }
}

/// Whether it was started so that it ignores the end of its terminal, as by `nohup`.
/// Asking for the signal would end that.
#[cfg(target_os = "linux")]
fn outlives_its_terminal() -> bool {
    const HANGUP: u64 = 1;

    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|it| it.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & HANGUP != 0)
}

/// Other systems do not say.
#[cfg(all(unix, not(target_os = "linux")))]
fn outlives_its_terminal() -> bool {
    false
}

/// Waits for a signal, and names it.
#[cfg(not(unix))]
pub(super) async fn signalled() -> &'static str {
    match tokio::signal::ctrl_c().await {
        Ok(()) => "Ctrl-C",
        Err(_) => std::future::pending().await,
    }
}
