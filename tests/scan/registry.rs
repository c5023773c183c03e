//! Registries as npm, npm's downloads, PyPI, pypistats and GitHub answer: the same
//! paths and the same members, in one server.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// When something was published: long ago, or not earlier than these tests run.
pub(crate) const LONG_AGO: &str = "2024-11-20T10:00:00.000Z";
pub(crate) const TODAY: &str = "2099-01-01T00:00:00.000Z";

/// The variables that name those who are asked.
const VARIABLES: [&str; 6] = [
    "MCP_GATEWAY_NPM_URL",
    "MCP_GATEWAY_NPM_DOWNLOADS_URL",
    "MCP_GATEWAY_PYPI_URL",
    "MCP_GATEWAY_PYPI_DOWNLOADS_URL",
    "MCP_GATEWAY_GITHUB_URL",
    "MCP_GATEWAY_SMITHERY_URL",
];

/// All registries at one address.
pub(crate) struct Registry {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<HashMap<String, Value>>,
    asked: AtomicUsize,
    fails: AtomicBool,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let answering = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&answering);
                thread::spawn(move || answer(&stream, &shared));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let variables = VARIABLES.iter();
        variables
            .map(|name| (*name, self.address.clone()))
            .collect()
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// From now on it answers nobody.
    pub(crate) fn fail(&self) {
        self.shared.fails.store(true, Ordering::SeqCst);
    }

    /// A package of npm, with one version.
    pub(crate) fn npm(&self, name: &str, created: &str, downloads: u64, repository: Option<&str>) {
        let repository = repository
            .map(|it| json!({"type": "git", "url": format!("git+https://github.com/{it}.git")}));
        let version =
            json!({"name": name, "version": "1.0.0", "license": "MIT", "repository": repository});
        let versions: serde_json::Map<String, Value> = (0..20)
            .map(|minor| (format!("1.{minor}.0"), version.clone()))
            .collect();
        self.put(
            &format!("/{}", name.replace('/', "%2F")),
            json!({
                "_id": name, "name": name, "dist-tags": {"latest": "1.0.0"}, "versions": versions,
                "time": {"created": created, "modified": created, "1.0.0": created},
                "maintainers": [{"name": "ann", "email": "ann@example.com"}, {"name": "bob", "email": "bob@example.com"}],
                "license": "MIT", "repository": repository,
            }),
        );
        self.put(
            &format!("/downloads/point/last-month/{name}"),
            json!({"downloads": downloads, "start": "2026-10-27", "end": "2026-11-25", "package": name}),
        );
    }

    /// A project of PyPI, with one version.
    pub(crate) fn pypi(
        &self,
        name: &str,
        created: &str,
        downloads: u64,
        repository: Option<&str>,
        advisories: &[&str],
    ) {
        let url = repository.map(|it| format!("https://github.com/{it}"));
        let advisories = advisories
            .iter()
            .map(|id| json!({"id": id, "aliases": [], "withdrawn": null}));
        self.put(
            &format!("/pypi/{name}/json"),
            json!({
                "info": {"name": name, "version": "1.0.0", "license_expression": "MIT", "classifiers": [], "project_urls": {"Source": url}},
                "releases": {"1.0.0": [{"upload_time_iso_8601": created, "yanked": false}]},
                "ownership": {"organization": null, "roles": [{"role": "Owner", "user": "ann"}]},
                "vulnerabilities": advisories.collect::<Vec<_>>(),
            }),
        );
        self.put(
            &format!("/api/packages/{name}/recent"),
            json!({"data": {"last_day": 1, "last_month": downloads, "last_week": 1}, "package": name, "type": "recent_downloads"}),
        );
    }

    /// A repository of GitHub, of an organisation.
    pub(crate) fn repository(&self, name: &str, stars: u64) {
        let owner = name.split('/').next().unwrap();
        self.put(
            &format!("/repos/{name}"),
            json!({
                "full_name": name, "stargazers_count": stars, "forks_count": stars / 10, "archived": false,
                "created_at": LONG_AGO, "license": {"spdx_id": "MIT"}, "owner": {"login": owner, "type": "Organization"},
            }),
        );
        self.put(
            &format!("/users/{owner}"),
            json!({"login": owner, "type": "Organization", "followers": 900, "public_repos": 30, "created_at": "2015-01-01T00:00:00Z"}),
        );
        self.put(
            &format!("/orgs/{owner}"),
            json!({"login": owner, "is_verified": true}),
        );
    }

    fn put(&self, path: &str, answer: Value) {
        self.shared
            .answers
            .lock()
            .unwrap()
            .insert(path.to_owned(), answer);
    }
}

fn answer(stream: &TcpStream, shared: &Shared) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .for_each(drop);
    shared.asked.fetch_add(1, Ordering::SeqCst);
    let path = first.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let found = shared.answers.lock().unwrap().get(path).cloned();
    let (status, body) = match found {
        _ if shared.fails.load(Ordering::SeqCst) => ("503 Service Unavailable", json!({})),
        Some(found) => ("200 OK", found),
        None => ("404 Not Found", json!({"error": "not found"})),
    };
    let body = body.to_string();
    let mut stream = stream;
    // Whoever does not read any more has what it wanted.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}
