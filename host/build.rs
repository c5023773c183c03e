//! Builds the bundled guardrails for `wasm32-wasip2`, so that building the
//! binary alone gives the complete program. Where that target is not to be had, or one
//! build of the guardrails is to be in the programs for several systems,
//! `MCP_GATEWAY_COMPONENTS` names a folder where they are.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages to build, and the name of the file that each becomes.
const COMPONENTS: &[(&str, &str)] = &[
    ("mcp-gateway-audit", "audit.wasm"),
    ("mcp-gateway-basic", "basic.wasm"),
    ("mcp-gateway-lasso", "lasso.wasm"),
    ("mcp-gateway-pii", "pii.wasm"),
    ("mcp-gateway-injection", "injection.wasm"),
    ("mcp-gateway-trifecta", "trifecta.wasm"),
    ("guardrail-codename", "codename.wasm"),
    ("guardrail-email", "email.wasm"),
];

const TARGET: &str = "wasm32-wasip2";

/// The variable that names a folder with components that are built already.
const BUILT: &str = "MCP_GATEWAY_COMPONENTS";

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("the host crate lies in a workspace")?;
    for input in [
        "wit",
        "sdk",
        "plugins",
        "examples",
        "Cargo.toml",
        "Cargo.lock",
    ] {
        println!(
            "cargo::rerun-if-changed={}",
            workspace.join(input).display()
        );
    }

    println!("cargo::rerun-if-env-changed={BUILT}");

    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    if let Some(folder) = env::var_os(BUILT) {
        // Relative to the folder of the workspace, like the paths of cargo's own variables.
        let folder = workspace.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        for (_, file) in COMPONENTS {
            copy(&folder.join(file), &out.join(file))?;
        }
        return Ok(());
    }
    require_target()?;
    // `target/<profile>/build/<package>/out`: next to the profiles, so that all
    // of them share what is built here. Cargo locks the folder that it builds
    // in, so it cannot be the one that this build runs in.
    let target = out
        .ancestors()
        .nth(4)
        .ok_or("OUT_DIR lies in a target folder")?
        .join("guests");

    let mut cargo = Command::new(env::var_os("CARGO").ok_or("cargo sets CARGO")?);
    cargo
        .current_dir(workspace)
        .args(["build", "--profile", "guest", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target);
    for (package, _) in COMPONENTS {
        cargo.args(["--package", package]);
    }
    // What is set for the build of the host does not fit the guests.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let foreign = name.starts_with("CARGO_FEATURE_")
            || name.starts_with("CARGO_CFG_")
            || name.starts_with("CARGO_PROFILE_")
            || matches!(
                &*name,
                "CARGO_ENCODED_RUSTFLAGS"
                    | "RUSTFLAGS"
                    | "RUSTC_WORKSPACE_WRAPPER"
                    | "CLIPPY_ARGS"
                    | "CARGO_TARGET_DIR"
                    | "TARGET"
            );
        if foreign {
            cargo.env_remove(&*name);
        }
    }
    if !cargo.status()?.success() {
        return Err("the bundled guardrails cannot be built; cargo says above why".into());
    }
    for (package, file) in COMPONENTS {
        let built = target
            .join(TARGET)
            .join("guest")
            .join(format!("{}.wasm", package.replace('-', "_")));
        copy(&built, &out.join(file))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    std::fs::copy(from, to)
        .map(drop)
        .map_err(|error| format!("{}: {error}", from.display()))
}

/// Says what to do where the target is missing, before cargo says the same of every crate.
/// Asks rustc itself, since Rust may not come from rustup.
fn require_target() -> Result<(), Box<dyn Error>> {
    let libraries = Command::new(env::var_os("RUSTC").ok_or("cargo sets RUSTC")?)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()?;
    if PathBuf::from(String::from_utf8_lossy(&libraries.stdout).trim()).is_dir() {
        return Ok(());
    }
    let toolchain = env::var("RUSTUP_TOOLCHAIN");
    let remedy = match &toolchain {
        Ok(toolchain) => format!("run `rustup target add --toolchain {toolchain} {TARGET}`"),
        Err(_) => "install that target the way that you installed Rust".to_owned(),
    };
    Err(format!(
        "the bundled guardrails are compiled for {TARGET}, for which this Rust has no standard \
         library; {remedy}, or name in {BUILT} a folder with guardrails that are built already"
    )
    .into())
}
