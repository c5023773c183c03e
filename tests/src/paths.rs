//! Where the things are that the tests start.

use std::path::{Path, PathBuf};

/// The repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Where everything that can be made again is kept.
pub(crate) fn target() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    repository().join(folder)
}

/// Where something is kept that a test builds, so that the next run finds it.
pub fn built(what: &str) -> PathBuf {
    target().join(what)
}

/// A binary of the build that this test is part of.
pub fn program_beside(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // …/debug/deps/this-test
    let folder = test.ancestors().nth(2).unwrap();
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The gateway.
///
/// # Panics
/// When it has not been built.
pub fn gateway_binary() -> PathBuf {
    let named = std::env::var_os("MCP_GATEWAY_BIN").map(PathBuf::from);
    existing(named.unwrap_or_else(|| program_beside("mcp-gateway")))
}

/// A guardrail component by its file's name.
///
/// # Panics
/// When it has not been built.
pub fn guest(name: &str) -> PathBuf {
    existing(
        target()
            .join("guests/wasm32-wasip2/guest")
            .join(format!("{name}.wasm")),
    )
}

/// Where real servers and clients are installed.
pub fn peers() -> PathBuf {
    existing(target().join("peers"))
}

/// A file of a real server or client.
///
/// # Panics
/// When it is not installed.
pub fn peer(file: &str) -> PathBuf {
    existing(peers().join(file))
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(
        path.exists(),
        "{} does not exist; run `cargo xtask test`, which builds and installs what the tests need",
        path.display()
    );
    path
}
