//! Files, folders, the clock, and gateways that were left behind.

use std::path::Path;
use std::time::SystemTime;

use super::finding;
use super::report::Report;
use crate::config::Config;
use crate::sandbox::{CacheDir, look_at_shared, state_folder};

pub(super) fn look(config: &Config, report: &mut Report) {
    if let Some(file) = &config.source {
        permissions(file, report);
    }
    let state = state_folder().filter(|folder| folder.exists());
    let folders = [
        CacheDir::open().err(),
        state.and_then(|folder| CacheDir::at(folder).err()),
    ];
    for error in folders.into_iter().flatten() {
        report.findings.push(finding::folder(error.to_string()));
    }
    if let Err(error) = look_at_shared() {
        report.findings.push(finding::state(error.to_string()));
    }
    clock(report);
    #[cfg(target_os = "linux")]
    report
        .findings
        .extend(orphans().into_iter().map(finding::orphan));
}

#[cfg(unix)]
fn permissions(file: &Path, report: &mut Report) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(known) = file.metadata() else {
        return;
    };
    let mode = known.permissions().mode() & 0o777;
    let name = file.display().to_string();
    let what = format!("{name} has the permissions {mode:03o}");
    if mode & 0o022 != 0 {
        report.findings.push(finding::writable(&name, what));
    } else if mode & 0o044 != 0 {
        report.findings.push(finding::readable(&name, what));
    }
}

#[cfg(not(unix))]
fn permissions(_: &Path, _: &mut Report) {}

/// A program cannot be younger than the present.
fn clock(report: &mut Report) {
    let built = std::env::current_exe().and_then(|program| program.metadata()?.modified());
    if built.is_ok_and(|built| built > SystemTime::now() + std::time::Duration::from_secs(86_400)) {
        let what = "the clock is before the day on which this program was written".to_owned();
        report.findings.push(finding::clock(what));
    }
}

/// Gateways of this program whose client is gone: what is left of such falls to the
/// first process.
#[cfg(target_os = "linux")]
fn orphans() -> Vec<u32> {
    let Ok(program) = std::env::current_exe() else {
        return Vec::new();
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter(|pid| {
            let folder = Path::new("/proc").join(pid.to_string());
            let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
            let ours = std::fs::read_link(folder.join("exe")).is_ok_and(|exe| exe == program);
            // These are meant to be on their own.
            let command = read("cmdline");
            let alone = command
                .split('\0')
                .any(|word| word == "serve" || word == "reap");
            let orphan = read("status").lines().any(|line| line == "PPid:\t1");
            ours && orphan && !alone
        })
        .collect()
}
