//! Which clients there are, and where their files are on each system.

use std::path::PathBuf;

use super::{Shape, Syntax, Variables};

/// A client.
#[derive(Debug, PartialEq, Eq)]
pub struct Client {
    /// What it is called on a command line.
    pub name: &'static str,
    /// What it calls itself.
    pub title: &'static str,
    /// Its files, the usual one first.
    locations: &'static [Location],
    /// The syntax of these.
    pub syntax: Syntax,
    /// The keys that lead to the servers.
    pub place: &'static [&'static str],
    /// What an entry looks like.
    pub shape: Shape,
    /// How a variable is written in one.
    pub variables: Variables,
    /// What a person has to do until it has noticed.
    pub then: &'static str,
}

/// A kind of system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Os {
    /// Linux, and what is like it.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// A file: on which systems, and where.
#[derive(Debug, PartialEq, Eq)]
struct Location {
    on: &'static [Os],
    base: Base,
    path: &'static [&'static str],
}

/// A folder that a path starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// The person's own.
    Home,
    /// That for configuration on Linux.
    Xdg,
    /// That for configuration on Windows.
    AppData,
    /// Codex's own.
    Codex,
}

const ALL: &[Os] = &[Os::Linux, Os::MacOs, Os::Windows];
const UNIX: &[Os] = &[Os::Linux, Os::MacOs];
const LINUX: &[Os] = &[Os::Linux];
const MAC: &[Os] = &[Os::MacOs];
const WINDOWS: &[Os] = &[Os::Windows];

const fn at(on: &'static [Os], base: Base, path: &'static [&'static str]) -> Location {
    Location { on, base, path }
}

/// The clients, in the order in which they are listed.
pub const CLIENTS: &[Client] = &[
    Client {
        name: "claude-desktop",
        title: "Claude Desktop",
        locations: &[
            at(LINUX, Base::Xdg, &["Claude", "claude_desktop_config.json"]),
            at(
                MAC,
                Base::Home,
                &[
                    "Library",
                    "Application Support",
                    "Claude",
                    "claude_desktop_config.json",
                ],
            ),
            at(
                WINDOWS,
                Base::AppData,
                &["Claude", "claude_desktop_config.json"],
            ),
        ],
        syntax: Syntax::Json,
        place: &["mcpServers"],
        shape: Shape::Plain,
        variables: Variables::None,
        then: "quit and start Claude Desktop",
    },
    Client {
        name: "claude-code",
        title: "Claude Code",
        locations: &[at(ALL, Base::Home, &[".claude.json"])],
        syntax: Syntax::Json,
        place: &["mcpServers"],
        shape: Shape::Typed,
        variables: Variables::Shell,
        then: "start a new session of Claude Code",
    },
    Client {
        name: "cursor",
        title: "Cursor",
        locations: &[at(ALL, Base::Home, &[".cursor", "mcp.json"])],
        syntax: Syntax::Json,
        place: &["mcpServers"],
        shape: Shape::Plain,
        variables: Variables::Env,
        then: "reload the servers in Cursor's settings, or start it again",
    },
    Client {
        name: "vscode",
        title: "VS Code",
        locations: &[
            at(LINUX, Base::Xdg, &["Code", "User", "mcp.json"]),
            at(
                MAC,
                Base::Home,
                &["Library", "Application Support", "Code", "User", "mcp.json"],
            ),
            at(WINDOWS, Base::AppData, &["Code", "User", "mcp.json"]),
        ],
        syntax: Syntax::Json,
        place: &["servers"],
        shape: Shape::Typed,
        variables: Variables::Env,
        then: "run \"MCP: List Servers\" in VS Code, and start the gateway there",
    },
    Client {
        name: "cline",
        title: "Cline",
        locations: &[
            at(
                LINUX,
                Base::Xdg,
                &[
                    "Code",
                    "User",
                    "globalStorage",
                    "saoudrizwan.claude-dev",
                    "settings",
                    "cline_mcp_settings.json",
                ],
            ),
            at(
                MAC,
                Base::Home,
                &[
                    "Library",
                    "Application Support",
                    "Code",
                    "User",
                    "globalStorage",
                    "saoudrizwan.claude-dev",
                    "settings",
                    "cline_mcp_settings.json",
                ],
            ),
            at(
                WINDOWS,
                Base::AppData,
                &[
                    "Code",
                    "User",
                    "globalStorage",
                    "saoudrizwan.claude-dev",
                    "settings",
                    "cline_mcp_settings.json",
                ],
            ),
        ],
        syntax: Syntax::Json,
        place: &["mcpServers"],
        shape: Shape::Plain,
        variables: Variables::Env,
        then: "Cline notices by itself",
    },
    Client {
        name: "windsurf",
        title: "Windsurf",
        locations: &[
            at(
                ALL,
                Base::Home,
                &[".codeium", "windsurf", "mcp_config.json"],
            ),
            at(ALL, Base::Home, &[".codeium", "mcp_config.json"]),
        ],
        syntax: Syntax::Json,
        place: &["mcpServers"],
        shape: Shape::Plain,
        variables: Variables::Env,
        then: "refresh the servers in Windsurf's settings",
    },
    Client {
        name: "continue",
        title: "Continue",
        locations: &[at(ALL, Base::Home, &[".continue", "config.yaml"])],
        syntax: Syntax::Yaml,
        place: &["mcpServers"],
        shape: Shape::Listed,
        variables: Variables::Template,
        then: "Continue notices by itself",
    },
    Client {
        name: "zed",
        title: "Zed",
        locations: &[
            at(LINUX, Base::Xdg, &["zed", "settings.json"]),
            at(MAC, Base::Home, &[".config", "zed", "settings.json"]),
            at(WINDOWS, Base::AppData, &["Zed", "settings.json"]),
        ],
        syntax: Syntax::Json,
        place: &["context_servers"],
        shape: Shape::Plain,
        variables: Variables::None,
        then: "Zed notices by itself",
    },
    Client {
        name: "gemini-cli",
        title: "Gemini CLI",
        locations: &[at(ALL, Base::Home, &[".gemini", "settings.json"])],
        syntax: Syntax::Json,
        place: &["mcpServers"],
        shape: Shape::Plain,
        variables: Variables::Dollar,
        then: "start Gemini CLI again",
    },
    Client {
        name: "codex",
        title: "Codex CLI",
        locations: &[at(ALL, Base::Codex, &["config.toml"])],
        syntax: Syntax::Toml,
        place: &["mcp_servers"],
        shape: Shape::Codex,
        variables: Variables::None,
        then: "start Codex again",
    },
    Client {
        name: "goose",
        title: "Goose",
        locations: &[
            at(UNIX, Base::Xdg, &["goose", "config.yaml"]),
            at(
                WINDOWS,
                Base::AppData,
                &["Block", "goose", "config", "config.yaml"],
            ),
        ],
        syntax: Syntax::Yaml,
        place: &["extensions"],
        shape: Shape::Goose,
        variables: Variables::None,
        then: "start a new session of Goose",
    },
    Client {
        name: "opencode",
        title: "OpenCode",
        locations: &[
            at(UNIX, Base::Xdg, &["opencode", "opencode.json"]),
            at(UNIX, Base::Xdg, &["opencode", "opencode.jsonc"]),
            at(
                WINDOWS,
                Base::Home,
                &[".config", "opencode", "opencode.json"],
            ),
            at(
                WINDOWS,
                Base::Home,
                &[".config", "opencode", "opencode.jsonc"],
            ),
        ],
        syntax: Syntax::Json,
        place: &["mcp"],
        shape: Shape::OpenCode,
        variables: Variables::Braces,
        then: "start OpenCode again",
    },
];

impl Client {
    /// The files that it may have, the usual one first. None if nobody knows where
    /// home is.
    pub fn files(&self, os: Os, env: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
        let here = self.locations.iter().filter(|at| at.on.contains(&os));
        here.filter_map(|at| {
            let mut path = at.base.folder(os, env)?;
            for part in at.path {
                os.push(&mut path, part);
            }
            Some(path.into())
        })
        .collect()
    }
}

impl Os {
    /// That of this machine.
    pub const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Linux
    };

    /// Where the gateway keeps configurations that it writes itself.
    pub fn config_folder(self, env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
        let (base, path): (_, &[&str]) = match self {
            Self::Linux => (Base::Xdg, &[]),
            Self::MacOs => (Base::Home, &["Library", "Application Support"]),
            Self::Windows => (Base::AppData, &[]),
        };
        let mut folder = base.folder(self, env)?;
        for part in path.iter().chain(&["mcp-gateway"]) {
            self.push(&mut folder, part);
        }
        Some(folder.into())
    }

    fn push(self, path: &mut String, part: &str) {
        let separator = match self {
            Self::Windows => '\\',
            Self::Linux | Self::MacOs => '/',
        };
        if !path.ends_with(separator) {
            path.push(separator);
        }
        path.push_str(part);
    }
}

impl Base {
    fn folder(self, os: Os, env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let home = || match os {
            Os::Windows => set("USERPROFILE"),
            Os::Linux | Os::MacOs => set("HOME"),
        };
        let below_home = |parts: &[&str]| {
            let mut path = home()?;
            parts.iter().for_each(|part| os.push(&mut path, part));
            Some(path)
        };
        match self {
            Self::Home => home(),
            // As the XDG rules have it, what is relative does not count.
            Self::Xdg => set("XDG_CONFIG_HOME")
                .filter(|path| path.starts_with('/'))
                .or_else(|| below_home(&[".config"])),
            Self::AppData => set("APPDATA").or_else(|| below_home(&["AppData", "Roaming"])),
            Self::Codex => set("CODEX_HOME").or_else(|| below_home(&[".codex"])),
        }
    }
}

#[cfg(test)]
mod tests;
