//! Processes by their number: whether they live, and signals for them.

use std::process::Command;

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

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
    let state = match std::fs::read_to_string(format!("/proc/{process}/stat")) {
        // The state follows the program's name, which may hold anything.
        Ok(stat) => stat
            .rsplit_once(") ")
            .map(|(_, rest)| rest.to_owned())
            .unwrap_or_default(),
        Err(_) => {
            let process = process.to_string();
            let output = Command::new("ps")
                .args(["-o", "stat=", "-p", &process])
                .output();
            String::from_utf8_lossy(&output.unwrap().stdout)
                .trim()
                .to_owned()
        }
    };
    !state.is_empty() && !state.starts_with('Z')
}

/// The bytes of memory that a process has at the moment.
pub fn resident(process: u32) -> u64 {
    let process = process.to_string();
    let output = Command::new("ps")
        .args(["-o", "rss=", "-p", &process])
        .output();
    let kibibytes = String::from_utf8_lossy(&output.unwrap().stdout)
        .trim()
        .parse::<u64>();
    kibibytes.unwrap() << 10
}

/// The time on the CPU that a process has used.
#[cfg(target_os = "linux")]
pub fn cpu_time(process: u32) -> std::time::Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    // In user and in kernel mode, in ticks of a hundredth of a second.
    let ticks = rest.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    std::time::Duration::from_millis(ticks * 10)
}

/// All processes that a process has started, and that those have.
pub fn descendants(process: u32) -> Vec<u32> {
    let output = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid="])
        .output()
        .unwrap();
    let table: Vec<(u32, u32)> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let (child, parent) = line.trim().split_once(char::is_whitespace)?;
            Some((child.parse().ok()?, parent.trim().parse().ok()?))
        })
        .collect();
    let mut family = vec![process];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(
            table
                .iter()
                .filter(|(_, p)| *p == parent)
                .map(|(child, _)| child),
        );
        next += 1;
    }
    family.split_off(1)
}
