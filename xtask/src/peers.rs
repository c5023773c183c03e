//! Real MCP servers and clients, which the tests run against: installed below
//! `target/peers`, in the versions that `tests/peers` names.

use std::fs;
use std::path::PathBuf;

use crate::program::Program;
use crate::{Outcome, root, target};

const NODE: &str = "the tests and the demo run real MCP servers on Node.js 20 or newer; install it from your system's packages or its makers";
const PYTHON: &str = "the tests run the official Python client and servers; install Python 3.10 or newer with its venv module";

const APT: &str = "the tests run Docker's registry and GNOME's keyring, as Debian and Ubuntu package them; run them on one of these, after `apt-get update`";

const FILESYSTEM: &str = "@modelcontextprotocol/server-filesystem";

/// Installs all npm packages.
pub(crate) fn npm() -> Outcome {
    let list = list("package.json")?;
    let stamp = Stamp::new("npm", &list);
    if stamp.fits() {
        return Ok(());
    }
    require_node()?;
    let folder = folder()?;
    fs::write(folder.join("package.json"), &list).map_err(|error| error.to_string())?;
    npm_install(&[])?;
    stamp.set()
}

/// Installs no more than the demo needs; returns where.
pub(crate) fn filesystem_server() -> Result<PathBuf, String> {
    let list = list("package.json")?;
    let folder = folder()?;
    let version = list.lines().find_map(|line| {
        let rest = line.trim().strip_prefix(&format!("\"{FILESYSTEM}\": \""))?;
        rest.split('"').next()
    });
    let version = version.ok_or("tests/peers/package.json lacks the filesystem server")?;
    let stamp = Stamp::new("filesystem-server", version);
    if !Stamp::new("npm", &list).fits() && !stamp.fits() {
        require_node()?;
        npm_install(&[&format!("{FILESYSTEM}@{version}")])?;
        stamp.set()?;
    }
    Ok(folder)
}

/// Installs all Python packages, in environments of their own: servers that were
/// written for another version of the official SDK cannot live beside the others. The
/// last is of what guardrails in other languages than Rust are built with.
pub(crate) fn python() -> Outcome {
    environment("requirements.txt", "python", "venv")?;
    environment("requirements-1.txt", "python-1", "venv-1")?;
    environment(
        "requirements-authoring.txt",
        "python-authoring",
        "venv-authoring",
    )
}

fn environment(file: &str, what: &str, folder_name: &str) -> Outcome {
    let list = list(file)?;
    let stamp = Stamp::new(what, &list);
    if stamp.fits() {
        return Ok(());
    }
    let venv = folder()?.join(folder_name);
    Program::named("python3", PYTHON)
        .args(["-m", "venv", "--clear"])
        .args([&venv])
        .run()?;
    Program::at(&venv.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ])
        .args([root().join("tests/peers").join(file)])
        .run()?;
    stamp.set()
}

/// Docker's registry.
pub(crate) fn registry() -> Outcome {
    unpack("registry", &["docker-registry"])
}

/// GNOME's keyring and a bus for it, with what a machine without a desktop lacks of their
/// libraries.
pub(crate) fn keyring() -> Outcome {
    let packages = [
        "dbus-daemon",
        "gnome-keyring",
        "libdbus-1-3",
        "libgck-1-0",
        "libgcr-base-3-1",
    ];
    unpack("keyring", &packages)
}

/// What Debian packages: unpacked, not installed.
fn unpack(what: &str, packages: &[&str]) -> Outcome {
    let stamp = Stamp::new(what, &packages.join(" "));
    if !cfg!(target_os = "linux") || stamp.fits() {
        return Ok(());
    }
    let folder = folder()?.join(what);
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let download = || {
        let download = Program::named("apt-get", APT).inside(&folder);
        let download = download.args(["download", "--quiet"]);
        download.args(packages).run()
    };
    // A machine that never installed anything has no lists of packages yet.
    download().or_else(|_| {
        let update = Program::named("apt-get", APT).args(["update", "--quiet"]);
        update.run()?;
        download()
    })?;
    let archive = fs::read_dir(&folder).map_err(|error| error.to_string())?;
    let files = archive.filter_map(|entry| Some(entry.ok()?.path()));
    let archives = files.filter(|path| path.extension().is_some_and(|it| it == "deb"));
    for archive in archives {
        Program::named("dpkg-deb", APT)
            .args(["--extract"])
            .args([&archive, &folder])
            .run()?;
    }
    stamp.set()
}

fn require_node() -> Outcome {
    Program::named("node", NODE)
        .args(["--version"])
        .output()
        .map(drop)
}

/// Without a lock file: it would hold the addresses of one person's registry.
fn npm_install(packages: &[&str]) -> Outcome {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut npm = Program::named(npm, NODE).inside(&folder()?).args([
        "install",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
    ]);
    if !packages.is_empty() {
        npm = npm.args(["--no-save"]).args(packages);
    }
    npm.run()
}

fn list(name: &str) -> Result<String, String> {
    let path = root().join("tests/peers").join(name);
    fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn folder() -> Result<PathBuf, String> {
    let folder = target().join("peers");
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    Ok(folder)
}

/// Remembers which list was installed.
struct Stamp {
    path: PathBuf,
    list: String,
}

impl Stamp {
    fn new(what: &str, list: &str) -> Self {
        Self {
            path: target().join("peers").join(format!(".installed-{what}")),
            list: list.to_owned(),
        }
    }

    fn fits(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|installed| installed == self.list)
    }

    fn set(&self) -> Outcome {
        fs::write(&self.path, &self.list).map_err(|error| error.to_string())
    }
}
