//! What the way in which a server is started says about it.

use super::finding::{
    CONTAINER, FETCHED, Finding, Level, PLAIN_HTTP, REPUTATION, RISKY, TEMPORARY, TYPOSQUAT,
    UNKNOWN, UNPINNED,
};
use super::found::Found;
use crate::config::{Program, Transport};
use crate::provenance::{Package, Provenance, Registry};
use crate::reputation::{Reputation, WARNING};

/// Packages for which others want to be taken. Scopes cannot be taken by others.
const WELL_KNOWN: &[(Registry, &str)] = &[
    (Registry::Npm, "mcp-remote"),
    (Registry::Npm, "@modelcontextprotocol/server-filesystem"),
    (Registry::Npm, "@modelcontextprotocol/server-github"),
    (Registry::Npm, "@modelcontextprotocol/server-memory"),
    (Registry::Npm, "@modelcontextprotocol/server-everything"),
    (
        Registry::Npm,
        "@modelcontextprotocol/server-sequential-thinking",
    ),
    (Registry::Npm, "@modelcontextprotocol/server-puppeteer"),
    (Registry::Npm, "@modelcontextprotocol/server-postgres"),
    (Registry::Npm, "@modelcontextprotocol/server-slack"),
    (Registry::Npm, "@playwright/mcp"),
    (Registry::Npm, "@upstash/context7-mcp"),
    (Registry::Npm, "firecrawl-mcp"),
    (Registry::Npm, "figma-developer-mcp"),
    (Registry::Npm, "chrome-devtools-mcp"),
    (Registry::Npm, "supergateway"),
    (Registry::PyPi, "mcp-server-fetch"),
    (Registry::PyPi, "mcp-server-git"),
    (Registry::PyPi, "mcp-server-time"),
    (Registry::PyPi, "mcp-server-sqlite"),
    (Registry::PyPi, "mcp-atlassian"),
    (Registry::PyPi, "mcp-proxy"),
    (Registry::PyPi, "blender-mcp"),
    (Registry::PyPi, "markitdown-mcp"),
    (Registry::PyPi, "excel-mcp-server"),
    (Registry::PyPi, "duckduckgo-mcp-server"),
];

/// What is wrong with the way in which a server is started or reached.
pub(super) fn look(found: &Found, provenance: &Provenance) -> Vec<Finding> {
    let mut findings = Vec::new();
    match provenance {
        Provenance::Package(package) => findings.extend(of_package(package)),
        Provenance::Fetched => findings.push(
            Finding::new(
                &FETCHED,
                Level::Error,
                "its command fetches a program from the network and runs it at each start; \
                 install it once, and start what you have installed"
                    .to_owned(),
            )
            .at("/args"),
        ),
        Provenance::Remote(_) | Provenance::Local => {}
    }
    match &found.server.transport {
        Transport::Http(remote) if remote.url.scheme() == "http" && !remote.is_local() => {
            findings.push(
                Finding::new(
                    &PLAIN_HTTP,
                    Level::Warning,
                    format!("{} is not encrypted; use https", remote.shown()),
                )
                .at("/url"),
            );
        }
        Transport::Http(_) => {}
        Transport::Stdio(program) => {
            findings.extend(temporary(program));
            if let Provenance::Package(Package {
                registry: Registry::Images,
                ..
            }) = provenance
            {
                findings.extend(container(program));
            }
        }
    }
    findings
}

fn of_package(package: &Package) -> Vec<Finding> {
    let mut findings = Vec::new();
    if package.version.is_none() {
        let how = match package.registry {
            Registry::Npm => format!("{}@VERSION", package.name),
            Registry::PyPi => format!("{}==VERSION", package.name),
            Registry::Images => format!("{}@sha256:…", package.name),
            Registry::Smithery => "a package of its own".to_owned(),
        };
        findings.push(
            Finding::new(
                &UNPINNED,
                Level::Warning,
                format!("its command runs whatever version of {package} is newest; write {how}"),
            )
            .at("/args"),
        );
    }
    let alike = WELL_KNOWN.iter().find(|(registry, name)| {
        *registry == package.registry && *name != package.name && is_lookalike(&package.name, name)
    });
    let is_itself = WELL_KNOWN.contains(&(package.registry, package.name.as_str()));
    if let Some((_, name)) = alike.filter(|_| !is_itself) {
        findings.push(
            Finding::new(
                &TYPOSQUAT,
                Level::Error,
                format!("the package {:?} is called almost like the well-known {name:?}; is that the one you mean?", package.name),
            )
            .at("/args"),
        );
    }
    findings
}

/// Whether a name is another with a slip of the finger, or without its scope.
fn is_lookalike(name: &str, known: &str) -> bool {
    let bare = known.strip_prefix('@').map(|known| known.replace('/', "-"));
    strsim::osa_distance(name, known) == 1
        || bare.is_some_and(|bare| name == bare)
        || (name != known && plain(name) == plain(known))
}

/// A name without what the eye passes over.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !"-_.".contains(*c)).collect()
}

fn temporary(program: &Program) -> Option<Finding> {
    let places = [
        "/tmp/",
        "/var/tmp/",
        "/dev/shm/",
        "\\Temp\\",
        "/private/tmp/",
    ];
    let mut words = std::iter::once(&program.command).chain(program.args.first());
    let word = words.find(|word| places.iter().any(|place| word.contains(place)))?;
    let is_program = word == &program.command
        || word.ends_with(".js")
        || word.ends_with(".py")
        || word.ends_with(".sh");
    is_program.then(|| {
        Finding::new(
            &TEMPORARY,
            Level::Warning,
            format!("{word:?} lies where any program of this machine may write; keep it elsewhere"),
        )
        .at("/command")
    })
}

fn container(program: &Program) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |what: &str| {
        let text =
            format!("the container is started with {what}, so what runs in it has this machine");
        findings.push(Finding::new(&CONTAINER, Level::Warning, text).at("/args"));
    };
    for (index, word) in program.args.iter().enumerate() {
        let value = program
            .args
            .get(index + 1)
            .map(String::as_str)
            .unwrap_or_default();
        let (name, value) = word.split_once('=').unwrap_or((word, value));
        match name {
            "--privileged" => add("--privileged"),
            "--cap-add" if value.contains("ADMIN") || value == "ALL" => add("--cap-add"),
            "--network" | "--net" | "--pid" | "--ipc" if value == "host" => {
                add(&format!("{name} host"))
            }
            "-v" | "--volume" | "--mount" => {
                let root = value.starts_with("/:")
                    || value.contains("source=/,")
                    || value.contains("src=/,");
                if root {
                    add("all files mounted");
                } else if value.contains("docker.sock") {
                    add("the socket of Docker mounted");
                }
            }
            _ => {}
        }
    }
    findings
}

/// What the reputation of a package means.
pub(super) fn of_reputation(package: &Package, reputation: &Reputation) -> Option<Finding> {
    let (rule, level, text) = match reputation {
        Reputation::Unknown(why) => (
            &UNKNOWN,
            Level::Note,
            format!("nothing is known of {package}: {why}"),
        ),
        Reputation::Scored { score, because } if reputation.is_risky() => (
            &RISKY,
            Level::Error,
            format!(
                "{package} has a reputation of {score} of 100: {}",
                because.join(", ")
            ),
        ),
        Reputation::Scored { score, because } if *score <= WARNING => (
            &REPUTATION,
            Level::Warning,
            format!(
                "{package} has a reputation of {score} of 100: {}",
                because.join(", ")
            ),
        ),
        Reputation::Scored { .. } => return None,
    };
    Some(Finding::new(rule, level, text).at("/args"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_a_lookalike_and_a_name_of_its_own_is_not() {
        for (name, known, expected) in [
            ("mcp-remot", "mcp-remote", true),
            ("mcp-reomte", "mcp-remote", true),
            ("mcpremote", "mcp-remote", true),
            (
                "modelcontextprotocol-server-github",
                "@modelcontextprotocol/server-github",
                true,
            ),
            (
                "mcp-server-github",
                "@modelcontextprotocol/server-github",
                false,
            ),
            ("mcp-server-tide", "mcp-server-time", true),
            ("mcp-server-jira", "mcp-server-time", false),
        ] {
            assert_eq!(is_lookalike(name, known), expected, "{name}");
        }
    }
}
