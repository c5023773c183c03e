//! `plugin new`: the project of a guardrail, out of templates and SDKs that are files of
//! this repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use include_dir::{Dir, DirEntry, include_dir};

use super::say;
use crate::cli::{Language, NewArgs};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");
static WIT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../wit");
static RUST: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/src");
static JS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/js/src");
static JS_BUILD: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/js/build");
static PYTHON: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/python/mcp_gateway_sdk");
static GO: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sdk/go");

/// What a guardrail is called in the templates, as people and as programs write it.
const NAMES: [&str; 2] = ["my-guardrail", "my_guardrail"];

/// Where the contract goes in a project whose toolchain reads it.
const CONTRACT: &str = "wit/deps/mcp-gateway-guardrail";

/// Where that goes which requests over HTTP are sent by.
const REQUESTS: &str = "wit/deps/wasi-http";

/// A part of a project that is the same in each.
struct Part {
    /// Where it goes.
    place: &'static str,
    content: Content,
}

enum Content {
    Folder(&'static Dir<'static>),
    File(&'static str),
}

/// Makes a project, and says how to go on.
///
/// # Errors
/// When there is something in its place, or it cannot be written.
pub(super) fn new(args: &NewArgs) -> anyhow::Result<bool> {
    let folder = &args.folder;
    let name = folder.file_name().and_then(|name| name.to_str());
    let Some(name) = name.filter(|name| is_name(name)) else {
        bail!("a guardrail's name is small letters, digits and single hyphens, such as no-drops");
    };
    if folder.exists() {
        bail!("{} is there already", folder.display());
    }
    let names = [name.to_owned(), name.replace('-', "_")];
    let template = TEMPLATES.get_dir(template(args.lang));
    write(
        template.context("this build lacks the template")?,
        folder,
        &|text| {
            let [hyphens, underscores] = &names;
            text.replace(NAMES[0], hyphens)
                .replace(NAMES[1], underscores)
        },
    )?;
    for Part { place, content } in parts(args.lang)? {
        let place = folder.join(place);
        match content {
            Content::Folder(dir) => write(dir, &place, &str::to_owned)?,
            Content::File(text) => put(&place, text)?,
        }
    }
    let folder = folder.display();
    say(&format!(
        "{folder} is made. README.md says how to go on, and what has to be installed:\n\n  \
         cd {folder}\n  mcp-gateway plugin build\n"
    ))?;
    Ok(true)
}

/// What all the tools, of every language, take for a name.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.contains("--")
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn template(language: Language) -> &'static str {
    match language {
        Language::Rust => "rust",
        Language::Js => "js",
        Language::Ts => "ts",
        Language::Python => "python",
        Language::Go => "go",
        Language::C => "c",
    }
}

/// What a project gets besides its template: the contract, and the SDK of its language.
fn parts(language: Language) -> anyhow::Result<Vec<Part>> {
    let folder = |place, dir| Part {
        place,
        content: Content::Folder(dir),
    };
    let file = |place, text| Part {
        place,
        content: Content::File(text),
    };
    let contract = WIT
        .get_dir("0.1.0")
        .context("this build lacks the contract")?;
    let requests = WIT
        .get_dir("wasi-http")
        .context("this build lacks what requests are sent by")?;
    let licence = |place| file(place, include_str!("../../../LICENSE"));
    Ok(match language {
        Language::Rust => vec![
            licence("sdk/mcp-gateway-sdk/LICENSE"),
            folder("sdk/wit/0.1.0", contract),
            folder("sdk/mcp-gateway-sdk/src", &RUST),
            file(
                "sdk/mcp-gateway-sdk/Cargo.toml",
                include_str!("../../../sdk/Cargo.toml"),
            ),
            file(
                "sdk/mcp-gateway-sdk/README.md",
                include_str!("../../../sdk/README.md"),
            ),
        ],
        Language::Js | Language::Ts => vec![
            licence("sdk/LICENSE"),
            folder(CONTRACT, contract),
            folder(REQUESTS, requests),
            folder("sdk/src", &JS),
            folder("sdk/build", &JS_BUILD),
            file(
                "sdk/package.json",
                include_str!("../../../sdk/js/package.json"),
            ),
            file("sdk/README.md", include_str!("../../../sdk/js/README.md")),
        ],
        Language::Python => vec![
            licence("sdk/LICENSE"),
            folder(CONTRACT, contract),
            folder(REQUESTS, requests),
            folder("sdk/mcp_gateway_sdk", &PYTHON),
            file(
                "sdk/README.md",
                include_str!("../../../sdk/python/README.md"),
            ),
        ],
        Language::Go => vec![
            folder(CONTRACT, contract),
            folder(REQUESTS, requests),
            folder("sdk", &GO),
        ],
        Language::C => vec![
            licence("sdk/LICENSE"),
            folder(CONTRACT, contract),
            folder(REQUESTS, requests),
            file(
                "sdk/mcp_guardrail.h",
                include_str!("../../../sdk/c/mcp_guardrail.h"),
            ),
            file(
                "sdk/mcp_guardrail_http.h",
                include_str!("../../../sdk/c/mcp_guardrail_http.h"),
            ),
            file("sdk/README.md", include_str!("../../../sdk/c/README.md")),
        ],
    })
}

/// Writes a folder with all that is in it; its texts are changed.
fn write(dir: &Dir<'_>, to: &Path, change: &dyn Fn(&str) -> String) -> anyhow::Result<()> {
    for entry in dir.entries() {
        let name = entry.path().file_name().unwrap_or_default();
        // What Python leaves where its tests ran.
        if name == "__pycache__" {
            continue;
        }
        let place: PathBuf = to.join(name);
        match entry {
            DirEntry::Dir(inner) => write(inner, &place, change)?,
            DirEntry::File(file) => {
                let text = file.contents_utf8().context("this build has odd files")?;
                put(&place, &change(text))?;
            }
        }
    }
    Ok(())
}

fn put(place: &Path, text: &str) -> anyhow::Result<()> {
    let folder = place.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(place, text).with_context(|| format!("cannot write {}", place.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_every_language_can_call_something() {
        for name in ["a", "no-drops", "rule-2"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "A", "2a", "-a", "a-", "a--b", "a_b", "a b", "é", "."] {
            assert!(!is_name(name), "{name}");
        }
    }

    /// The SDK in a new project says what it depends on as it does here.
    #[test]
    fn a_new_project_in_rust_has_the_versions_of_this_one() {
        let read = |text: &str| text.parse::<toml::Table>().unwrap();
        let ours = read(include_str!("../../../Cargo.toml"));
        let theirs = read(include_str!("../../templates/rust/sdk/Cargo.toml"));
        let (ours, theirs) = (&ours["workspace"], &theirs["workspace"]);
        for (name, dependency) in theirs["dependencies"].as_table().unwrap() {
            assert_eq!(dependency, &ours["dependencies"][name], "{name}");
        }
        assert_eq!(theirs["package"], ours["package"]);
    }
}
