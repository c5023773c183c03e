//! Packages of a program that is built: for npm, for PyPI, and as an archive.
//!
//! What is published on npm and PyPI is called `mcp-guardrail-gateway`, since `mcp-gateway`
//! is another's there. On npm the program is in a package for each platform, which the main
//! one names as optional dependencies; on PyPI there is a wheel for each.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::Program;
use crate::{Outcome, build_release, root, target};

/// A platform that packages are made for, as each of them calls it.
struct Platform {
    triple: &'static str,
    /// For npm.
    os: &'static str,
    cpu: &'static str,
    /// For PyPI.
    wheel: &'static str,
}

const PLATFORMS: [Platform; 5] = [
    Platform {
        triple: "x86_64-unknown-linux-gnu",
        os: "linux",
        cpu: "x64",
        wheel: "linux_x86_64",
    },
    Platform {
        triple: "aarch64-unknown-linux-gnu",
        os: "linux",
        cpu: "arm64",
        wheel: "linux_aarch64",
    },
    Platform {
        triple: "x86_64-apple-darwin",
        os: "darwin",
        cpu: "x64",
        wheel: "macosx_11_0_x86_64",
    },
    Platform {
        triple: "aarch64-apple-darwin",
        os: "darwin",
        cpu: "arm64",
        wheel: "macosx_11_0_arm64",
    },
    Platform {
        triple: "x86_64-pc-windows-msvc",
        os: "win32",
        cpu: "x64",
        wheel: "win_amd64",
    },
];

const SHELLS: [(&str, &str); 3] = [
    ("bash", "bash-completion/completions/mcp-gateway"),
    ("zsh", "zsh/site-functions/_mcp-gateway"),
    ("fish", "fish/vendor_completions.d/mcp-gateway.fish"),
];

const NODE: &str = "it comes with Node.js, and packs what is for npm";
const PYTHON: &str = "it packs what is for PyPI; install Python 3.8 or newer";
const TAR: &str = "it packs archives";

/// Makes all packages of a program: of one that is built already if it is named, else of a
/// release build.
pub(crate) fn make(binary: Option<&str>, out: Option<&str>) -> Outcome {
    let binary = match binary {
        Some(binary) => root().join(binary),
        None => {
            build_release("mcp-gateway", "mcp-gateway")?;
            let file = format!("mcp-gateway{}", std::env::consts::EXE_SUFFIX);
            target().join("release").join(file)
        }
    };
    let out = out.map_or_else(|| target().join("packages"), |folder| root().join(folder));
    let stage = out.join("stage");
    if stage.exists() {
        fs::remove_dir_all(&stage).map_err(|error| failed(&stage, &error))?;
    }
    let package = Package {
        platform: Platform::here()?,
        version: version(&binary)?,
        binary,
        stage,
        out,
    };
    package.npm()?;
    package.wheel()?;
    package.archive()?;
    fs::remove_dir_all(&package.stage).map_err(|error| failed(&package.stage, &error))
}

impl Platform {
    /// The one that this runs on: a program tells its manual page itself.
    fn here() -> Result<&'static Self, String> {
        let here = Program::named("rustc", "it is part of Rust")
            .args(["--print", "host-tuple"])
            .output()?;
        let mut all = PLATFORMS.iter();
        all.find(|one| one.triple == here.trim())
            .ok_or_else(|| format!("no packages are made for {}", here.trim()))
    }

    fn exe(&self) -> &'static str {
        match self.os {
            "win32" => "mcp-gateway.exe",
            _ => "mcp-gateway",
        }
    }
}

/// What a program says that it is.
fn version(binary: &Path) -> Result<String, String> {
    let said = Program::at(binary).args(["--version"]).output()?;
    let version = said.trim().strip_prefix("mcp-gateway ");
    version
        .map(str::to_owned)
        .ok_or_else(|| format!("{} is no mcp-gateway", binary.display()))
}

struct Package {
    binary: PathBuf,
    platform: &'static Platform,
    version: String,
    /// Where packages are put together.
    stage: PathBuf,
    /// Where they end up.
    out: PathBuf,
}

impl Package {
    fn npm(&self) -> Outcome {
        let sources = root().join("xtask/packages/npm");
        let main = self.stage.join("npm");
        self.fill(&sources.join("package.json"), &main.join("package.json"))?;
        self.fill(&sources.join("README.md"), &main.join("README.md"))?;
        let launcher = Path::new("bin/mcp-gateway.js");
        copy(&sources.join(launcher), &main.join(launcher))?;
        copy(&root().join("LICENSE"), &main.join("LICENSE"))?;
        self.page(&main.join("man/mcp-gateway.1"))?;
        for (shell, _) in SHELLS {
            let file = main
                .join("completions")
                .join(format!("mcp-gateway.{shell}"));
            self.completions(shell, &file)?;
        }
        self.npm_pack(&main)?;

        let one = self.stage.join("npm-platform");
        self.fill(&sources.join("platform.json"), &one.join("package.json"))?;
        copy(&self.binary, &one.join("bin").join(self.platform.exe()))?;
        copy(&root().join("LICENSE"), &one.join("LICENSE"))?;
        self.npm_pack(&one)
    }

    fn npm_pack(&self, folder: &Path) -> Outcome {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        Program::named(npm, NODE)
            .args(["pack", "--silent", "--pack-destination"])
            .args([&self.out])
            .inside(folder)
            .run()
    }

    fn wheel(&self) -> Outcome {
        let sources = root().join("xtask/packages/pypi");
        let metadata = self.stage.join("METADATA");
        self.fill(&sources.join("METADATA"), &metadata)?;
        let folder = self.stage.join("wheel");
        copy(
            &self.binary,
            &folder.join("scripts").join(self.platform.exe()),
        )?;
        self.share(&folder.join("data/share"))?;
        let python = if cfg!(windows) { "python" } else { "python3" };
        Program::named(python, PYTHON)
            .args([sources.join("wheel.py"), folder, metadata])
            .args([root().join("LICENSE")])
            .args([self.platform.wheel])
            .args([&self.out])
            .run()
    }

    /// What whoever has neither npm nor Python unpacks.
    fn archive(&self) -> Outcome {
        let name = format!("mcp-gateway-{}-{}", self.version, self.platform.triple);
        let folder = self.stage.join(&name);
        copy(&self.binary, &folder.join(self.platform.exe()))?;
        for file in ["LICENSE", "README.md", "CHANGELOG.md"] {
            copy(&root().join(file), &folder.join(file))?;
        }
        self.share(&folder.join("share"))?;
        // The tar of Windows makes a zip of what is called so.
        let (how, file) = match self.platform.os {
            "win32" => ("-acf", format!("{name}.zip")),
            _ => ("-czf", format!("{name}.tar.gz")),
        };
        Program::named("tar", TAR)
            .args([how])
            .args([self.out.join(file)])
            .args([&name])
            .inside(&self.stage)
            .run()
    }

    /// The manual page and the completions, where systems look for them.
    fn share(&self, folder: &Path) -> Outcome {
        self.page(&folder.join("man/man1/mcp-gateway.1"))?;
        for (shell, file) in SHELLS {
            self.completions(shell, &folder.join(file))?;
        }
        Ok(())
    }

    fn page(&self, file: &Path) -> Outcome {
        write(file, &Program::at(&self.binary).args(["man"]).output()?)
    }

    fn completions(&self, shell: &str, file: &Path) -> Outcome {
        let completions = Program::at(&self.binary).args(["completions", shell]);
        write(file, &completions.output()?)
    }

    /// Copies a text with what it leaves open filled in.
    fn fill(&self, from: &Path, to: &Path) -> Outcome {
        let text = fs::read_to_string(from).map_err(|error| failed(from, &error))?;
        let dependency = |one: &Platform| {
            format!(
                "\"mcp-guardrail-gateway-{}-{}\": \"{}\"",
                one.os, one.cpu, self.version
            )
        };
        let platforms: Vec<String> = PLATFORMS.iter().map(dependency).collect();
        let libc = match self.platform.os {
            "linux" => "\"libc\": [\"glibc\"],",
            _ => "",
        };
        let text = text
            .replace("@VERSION@", &self.version)
            .replace("@REPOSITORY@", env!("CARGO_PKG_REPOSITORY"))
            .replace("@PLATFORMS@", &platforms.join(",\n    "))
            .replace("@LIBC@", libc)
            .replace("@OS@", self.platform.os)
            .replace("@CPU@", self.platform.cpu);
        write(to, &text)
    }
}

fn copy(from: &Path, to: &Path) -> Outcome {
    make_folder_of(to)?;
    fs::copy(from, to)
        .map(drop)
        .map_err(|error| failed(from, &error))
}

fn write(file: &Path, text: &str) -> Outcome {
    make_folder_of(file)?;
    fs::write(file, text).map_err(|error| failed(file, &error))
}

fn make_folder_of(file: &Path) -> Outcome {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
