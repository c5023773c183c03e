//! The packages for npm and PyPI, made of the program under test and installed from their
//! files where there is nothing else: no registry, no PATH but what they need themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

use mcp_gateway_tests::{
    Client, Gateway, Server, Setup, Signal, alive, eventually, gateway_binary, program_beside,
    repository, signal,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The packages, which are made once.
struct Packages {
    folder: TempDir,
}

static PACKAGES: LazyLock<Packages> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    // Without what a debugger wants, which nobody packs.
    let binary = folder.path().join("mcp-gateway");
    succeed(
        Command::new("strip")
            .arg("-o")
            .arg(&binary)
            .arg(gateway_binary()),
    );
    succeed(
        Command::new(program_beside("xtask"))
            .args(["package", "--binary"])
            .arg(&binary)
            .arg("--out")
            .arg(folder.path()),
    );
    fs::remove_file(binary).unwrap();
    Packages { folder }
});

impl Packages {
    /// The one whose file begins and ends so.
    fn one(&self, start: &str, end: &str) -> PathBuf {
        let files = fs::read_dir(self.folder.path()).unwrap();
        let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names: Vec<String> = names.collect();
        let mut fitting = names
            .iter()
            .filter(|name| name.starts_with(start) && name.ends_with(end));
        let one = fitting.next().unwrap_or_else(|| panic!("{names:?}"));
        assert_eq!(fitting.next(), None, "{names:?}");
        self.folder.path().join(one)
    }
}

fn succeed(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn said(command: &mut Command) -> String {
    String::from_utf8(succeed(command).stdout).unwrap()
}

/// The members of an object that holds texts only.
fn texts(object: &Value) -> impl Iterator<Item = (&String, &str)> {
    let members = object.as_object().unwrap().iter();
    members.map(|(name, value)| (name, value.as_str().unwrap()))
}

/// A package that is installed.
struct Installed {
    folder: TempDir,
    program: PathBuf,
    /// All that is on the PATH.
    path: PathBuf,
}

/// From the files of npm alone: the main package, and the one of this platform.
fn from_npm() -> Installed {
    let folder = tempfile::tempdir().unwrap();
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => panic!("there is no package for {other}"),
    };
    let platform = format!("mcp-guardrail-gateway-linux-{cpu}-");
    succeed(
        Command::new("npm")
            .args([
                "install",
                "--offline",
                "--no-audit",
                "--no-fund",
                "--prefix",
            ])
            .arg(folder.path())
            .arg(PACKAGES.one("mcp-guardrail-gateway-0", ".tgz"))
            .arg(PACKAGES.one(&platform, ".tgz"))
            .env("npm_config_cache", folder.path().join("cache")),
    );
    let node = said(Command::new("node").args(["-p", "process.execPath"]));
    Installed {
        program: folder.path().join("node_modules/.bin/mcp-gateway"),
        path: Path::new(node.trim()).parent().unwrap().to_owned(),
        folder,
    }
}

/// From the wheel alone.
fn from_pypi() -> Installed {
    let folder = tempfile::tempdir().unwrap();
    succeed(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(folder.path()),
    );
    succeed(
        Command::new(folder.path().join("bin/python"))
            .args(["-m", "pip", "install", "--no-index"])
            .arg("--disable-pip-version-check")
            .arg(PACKAGES.one("mcp_guardrail_gateway-", ".whl")),
    );
    Installed {
        program: folder.path().join("bin/mcp-gateway"),
        path: folder.path().join("nothing"),
        folder,
    }
}

impl Installed {
    fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).env_clear().env("PATH", &self.path);
        command
    }

    /// Says its version, ends as the program does, and brings a real call to a server.
    fn works(&self) {
        let version = said(self.command(["--version"]).current_dir(self.folder.path()));
        let expected = said(Gateway::command().arg("--version"));
        assert_eq!(version, expected);

        let refused = self.command(["--no-such-argument"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");

        let setup = Gateway::with()
            .server(Server::mirror("m"))
            .guardrail("basic", "");
        self.compile("basic", &setup);
        let mut gateway = self.start(&setup);
        let client = Client::on(
            gateway.stdin.take().unwrap(),
            gateway.stdout.take().unwrap(),
        );
        client.initialize();
        let token = format!("hf_{}", "okpaLGklBeJFhdqdOvkrXljOCTwhADRrXo");
        let answer = client
            .call("m_echo", json!({"text": format!("here: {token}")}))
            .text();
        assert!(
            answer.starts_with("here: ") && !answer.contains(&token),
            "{answer}"
        );
        client.leave();
        assert!(gateway.wait().unwrap().success());
    }

    fn start(&self, setup: &Setup) -> Child {
        let (_, args, variables) = setup.command_line();
        self.command(args)
            .envs(texts(&variables))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Has a guardrail compiled and kept, however long a busy machine takes for that.
    fn compile(&self, guardrail: &str, setup: &Setup) {
        let (_, _, variables) = setup.command_line();
        succeed(
            self.command(["plugin", "inspect", guardrail])
                .envs(texts(&variables)),
        );
    }
}

#[test]
fn what_npm_installs_is_the_whole_program() {
    let installed = from_npm();
    installed.works();
    let package = installed
        .folder
        .path()
        .join("node_modules/mcp-guardrail-gateway");
    for file in [
        "man/mcp-gateway.1",
        "completions/mcp-gateway.zsh",
        "LICENSE",
    ] {
        assert!(
            fs::metadata(package.join(file)).unwrap().len() > 0,
            "{file}"
        );
    }
}

#[test]
fn whoever_ends_the_launcher_of_npm_ends_the_gateway() {
    let installed = from_npm();
    let setup = Gateway::with().server(Server::mirror("m"));
    let mut launcher = installed.start(&setup);
    let client = Client::on(
        launcher.stdin.take().unwrap(),
        launcher.stdout.take().unwrap(),
    );
    client.initialize();
    let gateways = || mcp_gateway_tests::descendants(launcher.id());
    eventually("the gateway and its server", || gateways().len() >= 2);
    let started = gateways();
    signal(launcher.id(), Signal::TERM);
    eventually("the end of all", || {
        !started.iter().any(|&process| alive(process))
    });
    launcher.wait().unwrap();
}

#[test]
fn without_the_package_of_the_platform_npm_says_what_is_missing() {
    let installed = from_npm();
    let modules = installed.folder.path().join("node_modules");
    for entry in fs::read_dir(&modules).unwrap() {
        let entry = entry.unwrap();
        if entry
            .file_name()
            .to_str()
            .unwrap()
            .starts_with("mcp-guardrail-gateway-")
        {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    let output = installed.command(["--version"]).output().unwrap();
    let why = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        why.contains("the package mcp-guardrail-gateway-linux-"),
        "{why}"
    );
}

#[test]
fn what_pip_installs_is_the_whole_program() {
    let installed = from_pypi();
    installed.works();
    let share = installed.folder.path().join("share");
    for file in [
        "man/man1/mcp-gateway.1",
        "bash-completion/completions/mcp-gateway",
        "zsh/site-functions/_mcp-gateway",
        "fish/vendor_completions.d/mcp-gateway.fish",
    ] {
        assert!(fs::metadata(share.join(file)).unwrap().len() > 0, "{file}");
    }
}

#[test]
fn the_archive_has_the_program_its_licence_and_its_manual() {
    let folder = tempfile::tempdir().unwrap();
    succeed(
        Command::new("tar")
            .arg("-xzf")
            .arg(PACKAGES.one("mcp-gateway-", ".tar.gz"))
            .args(["--strip-components", "1"])
            .current_dir(folder.path()),
    );
    let version = said(Command::new(folder.path().join("mcp-gateway")).arg("--version"));
    assert!(version.starts_with("mcp-gateway "), "{version}");
    for file in ["LICENSE", "README.md", "share/man/man1/mcp-gateway.1"] {
        assert!(folder.path().join(file).exists(), "{file}");
    }
}

/// Runs the build script of the gateway as cargo does; returns whether it succeeded, what it
/// said, and where it put what it made.
fn build_script(env: &[(&str, &OsStr)]) -> (bool, String, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("build-script");
    succeed(
        Command::new("rustc")
            .args(["--edition", "2024", "-o"])
            .arg(&script)
            .arg(repository().join("host/build.rs"))
            .env("CARGO_MANIFEST_DIR", repository().join("host")),
    );
    let out = folder.path().join("target/debug/build/it/out");
    fs::create_dir_all(&out).unwrap();
    let output = Command::new(&script)
        .env("OUT_DIR", &out)
        .env("CARGO", "/nonexistent/cargo")
        .envs(env.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.success(), said, folder)
}

#[test]
fn a_toolchain_without_the_target_of_guardrails_is_told_the_command_that_adds_it() {
    let folder = tempfile::tempdir().unwrap();
    // A rustc that has no standard library for any other target.
    let rustc = folder.path().join("rustc");
    fs::write(&rustc, "#!/bin/sh\necho /nonexistent/lib\n").unwrap();
    succeed(Command::new("chmod").arg("+x").arg(&rustc));
    let (success, said, _made) = build_script(&[
        ("RUSTC", rustc.as_os_str()),
        ("RUSTUP_TOOLCHAIN", OsStr::new("1.95.0")),
    ]);
    assert!(!success);
    let command = "rustup target add --toolchain 1.95.0 wasm32-wasip2";
    assert!(said.contains(command), "{said}");
}

#[test]
fn guardrails_that_are_built_already_need_no_target() {
    let components = tempfile::tempdir().unwrap();
    // Those that the script itself lists.
    let script = fs::read_to_string(repository().join("host/build.rs")).unwrap();
    let names = script.split('"').filter(|word| word.ends_with(".wasm"));
    for name in names {
        fs::write(components.path().join(name), name).unwrap();
    }
    let built = ("MCP_GATEWAY_COMPONENTS", components.path().as_os_str());
    let (success, said, made) = build_script(&[built]);
    assert!(success, "{said}");
    let out = made.path().join("target/debug/build/it/out");
    assert_eq!(fs::read(out.join("pii.wasm")).unwrap(), b"pii.wasm");

    fs::remove_file(components.path().join("pii.wasm")).unwrap();
    let (success, said, _made) = build_script(&[built]);
    assert!(!success && said.contains("pii.wasm"), "{said}");
}
