//! Builds the bundled guardrails for `wasm32-wasip2`, so that building the
//! binary alone gives the complete program.

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

    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
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
        return Err(format!(
            "the bundled guardrails cannot be built; if the target is missing, run `rustup target add {TARGET}`"
        )
        .into());
    }
    for (package, file) in COMPONENTS {
        let built = target
            .join(TARGET)
            .join("guest")
            .join(format!("{}.wasm", package.replace('-', "_")));
        std::fs::copy(&built, out.join(file))
            .map_err(|error| format!("{}: {error}", built.display()))?;
    }
    Ok(())
}
