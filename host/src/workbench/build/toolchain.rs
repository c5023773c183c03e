//! What builds guardrails: a row of data for each ecosystem.

use std::path::Path;

/// How guardrails of an ecosystem are built.
pub(super) struct Toolchain {
    /// The file in its folder that a project is known by.
    sign: &'static str,
    pub(super) needs: &'static [Need],
    /// Folders of the project with programs that go before those of the machine.
    pub(super) programs: &'static [&'static str],
    /// The command, in the project's folder.
    pub(super) build: &'static [&'static str],
    pub(super) makes: Makes,
}

/// Something that has to be installed.
pub(super) struct Need {
    pub(super) name: &'static str,
    pub(super) sign: Sign,
    /// The command that installs it.
    pub(super) remedy: &'static str,
}

/// What shows that something is installed.
pub(super) enum Sign {
    Program(&'static str),
    /// A folder in the project.
    Folder(&'static str),
    /// The folder that a command prints.
    FolderNamedBy(&'static [&'static str]),
}

/// Where the component is afterwards.
pub(super) enum Makes {
    /// The only one in a folder of the project.
    FolderOf(&'static str),
    /// Where the build says, in cargo's messages.
    Messages,
}

const TARGET: &str = "wasm32-wasip2";

/// Python packages bring the tools of other languages, too.
const PACKAGES: &str =
    "python3 -m venv .venv && .venv/bin/pip install --requirement requirements.txt";

const MAKE: Need = Need {
    name: "make",
    sign: Sign::Program("make"),
    remedy: "apt-get install make, xcode-select --install, or what your system has",
};

const fn packaged(name: &'static str) -> Need {
    Need {
        name,
        sign: Sign::Program(name),
        remedy: PACKAGES,
    }
}

/// The first whose sign is there.
static ALL: [Toolchain; 5] = [
    Toolchain {
        sign: "Cargo.toml",
        needs: &[
            Need {
                name: "cargo",
                sign: Sign::Program("cargo"),
                remedy: "see https://rustup.rs",
            },
            Need {
                name: "Rust's standard library for wasm32-wasip2",
                sign: Sign::FolderNamedBy(&[
                    "rustc",
                    "--print",
                    "target-libdir",
                    "--target",
                    TARGET,
                ]),
                remedy: "rustup target add wasm32-wasip2",
            },
        ],
        programs: &[],
        build: &[
            "cargo",
            "build",
            "--release",
            "--target",
            TARGET,
            "--message-format=json-render-diagnostics",
        ],
        makes: Makes::Messages,
    },
    Toolchain {
        sign: "package.json",
        needs: &[
            Need {
                name: "npm, and Node.js 20 or newer",
                sign: Sign::Program("npm"),
                remedy: "see https://nodejs.org",
            },
            Need {
                name: "what package.json depends on",
                sign: Sign::Folder("node_modules"),
                remedy: "npm install",
            },
        ],
        programs: &[],
        build: &["npm", "run", "build"],
        makes: Makes::FolderOf("dist"),
    },
    Toolchain {
        sign: "pyproject.toml",
        needs: &[MAKE, packaged("componentize-py")],
        programs: &[".venv/bin"],
        build: &["make"],
        makes: Makes::FolderOf("dist"),
    },
    Toolchain {
        sign: "go.mod",
        needs: &[MAKE, packaged("go"), packaged("wasm-tools")],
        programs: &[".venv/bin"],
        build: &["make"],
        makes: Makes::FolderOf("dist"),
    },
    Toolchain {
        sign: "Makefile",
        needs: &[MAKE, packaged("python-zig"), packaged("wasm-tools")],
        programs: &[".venv/bin"],
        build: &["make"],
        makes: Makes::FolderOf("dist"),
    },
];

impl Toolchain {
    /// The toolchain of the project in a folder.
    pub(super) fn of(folder: &Path) -> Option<&'static Self> {
        ALL.iter().find(|it| folder.join(it.sign).is_file())
    }

    /// What projects are known by.
    pub(super) fn signs() -> Vec<&'static str> {
        ALL.iter().map(|toolchain| toolchain.sign).collect()
    }
}
