//! Processes by their number: whether they live, and signals for them.

use rustix::process::{Pid, Signal, kill_process};

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

/// Sends a signal.
///
/// # Panics
/// When there is no such process.
pub fn signal(process: u32, signal: Signal) {
    kill_process(pid(process), signal).unwrap();
}

/// Whether a process is there and not merely waiting to be collected.
pub fn alive(process: u32) -> bool {
    if rustix::process::test_kill_process(pid(process)).is_err() {
        return false;
    }
    let state = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", &process.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}
