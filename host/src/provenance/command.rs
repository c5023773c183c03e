//! The commands that fetch what they run.

use super::{Package, Provenance, Registry};

/// Options of `npx` and its like that take a value.
const NPM_VALUES: &[&str] = &[
    "-p",
    "--package",
    "-c",
    "--call",
    "-w",
    "--workspace",
    "--registry",
];

/// Options of `uvx` and `uv tool run` that take a value.
const UV_VALUES: &[&str] = &[
    "--with",
    "-w",
    "--python",
    "-p",
    "--index",
    "--index-url",
    "-i",
    "--extra-index-url",
    "--default-index",
    "--directory",
    "--project",
    "--with-editable",
    "--with-requirements",
    "--refresh-package",
    "--constraints",
    "-c",
    "--config-file",
    "--cache-dir",
    "--link-mode",
    "--prerelease",
    "--resolution",
    "--exclude-newer",
    "--find-links",
    "-f",
    "--color",
];

/// Options of `docker run` that take a value, when that stands apart.
const DOCKER_VALUES: &[&str] = &[
    "-e",
    "--env",
    "-v",
    "--volume",
    "--mount",
    "--name",
    "-p",
    "--publish",
    "--network",
    "--net",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--env-file",
    "--entrypoint",
    "-m",
    "--memory",
    "--cpus",
    "--platform",
    "-l",
    "--label",
    "--add-host",
    "--device",
    "--gpus",
    "-h",
    "--hostname",
    "--dns",
    "--cap-add",
    "--cap-drop",
    "--security-opt",
    "--tmpfs",
    "--pull",
    "--restart",
    "--runtime",
    "--shm-size",
    "--ulimit",
    "--log-driver",
    "--log-opt",
    "--ip",
    "--link",
    "--ipc",
    "--pid",
];

/// Where the program of a command line comes from.
pub(super) fn provenance(command: &str, args: &[String]) -> Provenance {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let fetched = |package: Option<Package>| package.map_or(Provenance::Local, Provenance::Package);
    match (program(command).as_str(), words.as_slice()) {
        ("npx" | "bunx" | "pnpx", rest) => fetched(npm(rest)),
        ("npm" | "pnpm", ["exec" | "x" | "dlx", rest @ ..])
        | ("yarn", ["dlx", rest @ ..])
        | ("bun", ["x", rest @ ..]) => fetched(npm(rest)),
        ("deno", rest) => fetched(deno(rest)),
        ("uvx", rest) | ("uv", ["tool", "run", rest @ ..]) => fetched(uv(rest)),
        ("pipx", ["run", rest @ ..]) => fetched(pipx(rest)),
        ("docker" | "podman" | "nerdctl", ["run", rest @ ..]) => fetched(image(rest)),
        // The words after `/c` or `-c` are a command of their own.
        ("cmd", ["/c" | "/C", inner, rest @ ..]) => {
            let rest: Vec<String> = rest.iter().map(|&word| word.to_owned()).collect();
            provenance(inner, &rest)
        }
        ("env", rest) => {
            let mut rest = rest
                .iter()
                .skip_while(|word| word.contains('=') || word.starts_with('-'));
            match rest.next() {
                Some(inner) => {
                    let rest: Vec<String> = rest.map(|&word| word.to_owned()).collect();
                    provenance(inner, &rest)
                }
                None => Provenance::Local,
            }
        }
        ("sh" | "bash" | "zsh" | "dash" | "fish" | "ksh", rest) => shell(rest),
        _ => Provenance::Local,
    }
}

/// The name of a program, without its folder and its ending.
fn program(command: &str) -> String {
    let file = command.rsplit(['/', '\\']).next().unwrap_or(command);
    let file = file.to_ascii_lowercase();
    let ending = [".exe", ".cmd", ".bat", ".ps1"];
    let stem = ending.iter().find_map(|ending| file.strip_suffix(ending));
    stem.map_or(file.clone(), str::to_owned)
}

/// The first word that is no option, and what follows; options in `values` take the
/// next word with them.
fn first_word<'a>(words: &[&'a str], values: &[&str]) -> Option<(&'a str, Vec<&'a str>)> {
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        if word == "--" {
            let word = words.next()?;
            return Some((word, words.collect()));
        }
        if !word.starts_with('-') {
            return Some((word, words.collect()));
        }
        if values.contains(&word) {
            words.next();
        }
    }
    None
}

/// The value of an option, behind it or after its `=`.
fn option<'a>(words: &[&'a str], names: &[&str]) -> Option<&'a str> {
    words.iter().enumerate().find_map(|(index, word)| {
        if names.contains(word) {
            return words.get(index + 1).copied();
        }
        let (name, value) = word.split_once('=')?;
        names.contains(&name).then_some(value)
    })
}

fn npm(words: &[&str]) -> Option<Package> {
    // After the program's name, options are its own.
    let before = words.iter().position(|word| !word.starts_with('-'));
    let named = option(words.get(..before? + 1)?, &["-p", "--package"]);
    let (first, rest) = first_word(words, NPM_VALUES).unzip();
    let spec = named.or(first)?;
    let package = npm_package(spec)?;
    let smithery = rest.unwrap_or_default();
    let smithery = match (package.name.as_str(), smithery.as_slice()) {
        ("@smithery/cli", ["run", rest @ ..]) => {
            first_word(rest, &["--key", "--config", "--profile"])
        }
        _ => None,
    };
    Some(match smithery {
        Some((server, _)) => Package {
            registry: Registry::Smithery,
            name: server.to_owned(),
            version: None,
        },
        None => package,
    })
}

fn npm_package(spec: &str) -> Option<Package> {
    // Files, and places that are no registry.
    let elsewhere = [".", "/", "~", "file:", "git", "http:", "https:", "github:"];
    if spec.is_empty() || elsewhere.iter().any(|start| spec.starts_with(start)) {
        return None;
    }
    let (name, version) = match spec.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => (spec.get(..at)?, spec.get(at + 1..)),
        None => (spec, None),
    };
    Some(Package {
        registry: Registry::Npm,
        name: name.to_owned(),
        version: version.filter(|it| is_exact(it)).map(str::to_owned),
    })
}

fn deno(words: &[&str]) -> Option<Package> {
    let spec = words.iter().find_map(|word| word.strip_prefix("npm:"))?;
    npm_package(spec.strip_prefix('/').unwrap_or(spec))
}

fn uv(words: &[&str]) -> Option<Package> {
    let (first, _) = first_word(words, &[UV_VALUES, &["--from"]].concat())?;
    let before = words.iter().position(|word| *word == first)?;
    python_package(option(words.get(..before)?, &["--from"]).unwrap_or(first))
}

fn pipx(words: &[&str]) -> Option<Package> {
    let (first, _) = first_word(
        words,
        &["--spec", "--python", "--index-url", "-i", "--pip-args"],
    )?;
    python_package(option(words, &["--spec"]).unwrap_or(first))
}

fn python_package(spec: &str) -> Option<Package> {
    if spec.contains("://") || spec.starts_with(['.', '/', '~']) {
        return None;
    }
    let end = spec.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
    let (name, rest) = spec.split_at_checked(end.unwrap_or(spec.len()))?;
    // Extras stand between name and version.
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').map_or("", |it| it.1),
        None => rest,
    };
    let version = rest.strip_prefix("==").or_else(|| rest.strip_prefix('@'));
    let version = version.map(str::trim).filter(|it| is_exact(it));
    (!name.is_empty()).then(|| Package {
        registry: Registry::PyPi,
        // As the registry itself makes one name of the ways to write it.
        name: name.to_ascii_lowercase().replace(['_', '.'], "-"),
        version: version.map(str::to_owned),
    })
}

fn image(words: &[&str]) -> Option<Package> {
    let (reference, _) = first_word(words, DOCKER_VALUES)?;
    let (name, version) = match reference.split_once('@') {
        // What a digest names never changes.
        Some((name, digest)) => (name, Some(digest.to_owned())),
        None => (reference, None),
    };
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    Some(Package {
        registry: Registry::Images,
        name: name.to_owned(),
        version,
    })
}

/// A version, and not a range or the name of whatever is newest.
fn is_exact(version: &str) -> bool {
    let mut parts = version.trim_start_matches(['v', '=']).split('.');
    let number =
        |part: Option<&str>| part.is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()));
    let free = version.contains(['*', ' ', ',', '<', '>', '|', '~', '^']);
    let free = free
        || version
            .split('.')
            .any(|part| part.eq_ignore_ascii_case("x"));
    number(parts.next()) && number(parts.next()) && !free
}

fn shell(words: &[&str]) -> Provenance {
    let Some(script) = words
        .iter()
        .position(|word| word.starts_with('-') && word.contains('c'))
    else {
        return Provenance::Local;
    };
    let script = words.get(script + 1).copied().unwrap_or_default();
    let fetches = ["curl ", "wget ", "iwr ", "Invoke-WebRequest"];
    if fetches.iter().any(|fetch| script.contains(fetch)) {
        return Provenance::Fetched;
    }
    // A simple line is a command; anything else is a program of its own.
    let plain = !script.contains(['|', ';', '&', '$', '`', '\'', '"', '>', '<', '(']);
    let mut parts = script.split_whitespace().map(str::to_owned);
    match (plain, parts.next()) {
        (true, Some(first)) => {
            let first = match first.as_str() {
                "exec" => parts.next().unwrap_or_default(),
                _ => first,
            };
            provenance(&first, &parts.collect::<Vec<_>>())
        }
        _ => Provenance::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> String {
        let mut words = line.split(' ').map(str::to_owned);
        let command = words.next().unwrap_or_default();
        match provenance(&command, &words.collect::<Vec<_>>()) {
            Provenance::Package(package) => package.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_command_that_fetches_a_package_names_it() {
        for (line, package) in [
            ("npx -y @scope/server /home/ann", "npm:@scope/server"),
            ("npx @scope/server@1.2.3", "npm:@scope/server@1.2.3"),
            ("/usr/bin/npx -y server@latest", "npm:server"),
            ("npx --yes server@^1.2.0", "npm:server"),
            ("npx -y --package=a@2.0.1 b", "npm:a@2.0.1"),
            ("npx -y --package a@2.0.1 -- b", "npm:a@2.0.1"),
            ("npx.cmd server", "npm:server"),
            ("cmd /c npx -y server", "npm:server"),
            ("npm exec -- server@1.0.0", "npm:server@1.0.0"),
            ("pnpm dlx server", "npm:server"),
            ("bunx server", "npm:server"),
            (
                "npx -y @smithery/cli run @me/tool --key k",
                "smithery:@me/tool",
            ),
            ("npx ./server", "Local"),
            ("deno run -A npm:@a/b@1.0.0", "npm:@a/b@1.0.0"),
            ("uvx mcp-server-git --repository .", "pypi:mcp-server-git"),
            (
                "uvx Mcp_Server.git==2025.1.1",
                "pypi:mcp-server-git@2025.1.1",
            ),
            ("uvx mcp-server-git@latest", "pypi:mcp-server-git"),
            ("uvx --from server[cli]==1.2 run", "pypi:server@1.2"),
            ("uvx --with httpx --python 3.12 server", "pypi:server"),
            ("uv tool run server", "pypi:server"),
            ("pipx run --spec server==1.0 x", "pypi:server@1.0"),
            ("docker run -i --rm -e KEY mcp/fetch", "image:mcp/fetch"),
            ("docker run host:5000/a/b:1.0 x", "image:host:5000/a/b"),
            ("docker run a/b@sha256:00", "image:a/b@sha256:00"),
            ("env A=b npx server", "npm:server"),
            ("node server.js", "Local"),
            ("uv run server.py", "Local"),
        ] {
            assert_eq!(of(line), package, "{line}");
        }
    }

    #[test]
    fn a_shell_that_fetches_and_runs_is_told_from_one_that_only_runs() {
        let shell = |script: &str| provenance("sh", &["-c".to_owned(), script.to_owned()]);
        assert_eq!(
            shell("curl -s https://x.test/i.sh | sh"),
            Provenance::Fetched
        );
        assert_eq!(shell("exec /opt/server"), Provenance::Local);
        let package = shell("exec npx -y server");
        assert_eq!(
            package.package().map(ToString::to_string).as_deref(),
            Some("npm:server")
        );
    }
}
