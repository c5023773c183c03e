//! What stands in a server's entry for a secret of the keyring, until the server is started.
//!
//! So nobody waits for a keyring that asks a person, but the server that needs it; what is
//! kept about a server does not depend on the value; and a server that is started again gets
//! what is in the keyring by then.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

use super::{OAuth, Program, Remote, Server, Transport};
use crate::keyring::{Item, Secret};

/// A secret that cannot stand where it is referred to. Nothing of it is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what it refers to in the keyring makes {0}")]
pub struct Unfit(&'static str);

/// What stands in for a secret: an address, since it may have to be one.
pub(super) fn of(item: &Item) -> String {
    let digest = Sha256::digest(format!("keyring {item}"));
    let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("https://{}.invalid", digits.collect::<String>())
}

/// Puts secrets into texts.
struct Filling<'a>(Vec<(String, &'a str)>);

impl Server {
    /// The server with what its entry refers to in the keyring.
    ///
    /// # Errors
    /// When that cannot stand there.
    pub fn filled(&self, found: &[(Item, Secret)]) -> Result<Self, Unfit> {
        let found = found.iter();
        let filling = Filling(found.map(|(item, it)| (of(item), it.as_str())).collect());
        Ok(Self {
            transport: match &self.transport {
                Transport::Stdio(program) => Transport::Stdio(filling.program(program)?),
                Transport::Http(remote) => Transport::Http(Box::new(filling.remote(remote)?)),
            },
            secrets: Vec::new(),
            ..self.clone()
        })
    }
}

impl Filling<'_> {
    fn text(&self, text: &str) -> String {
        let filled = self.0.iter();
        filled.fold(text.to_owned(), |text, (stand_in, secret)| {
            text.replace(stand_in, secret)
        })
    }

    fn program(&self, program: &Program) -> Result<Program, Unfit> {
        if self.0.iter().any(|(_, secret)| secret.contains('\0')) {
            return Err(Unfit("a variable or an argument that the system refuses"));
        }
        let env = program.env.iter();
        let cwd = program.cwd.as_ref();
        Ok(Program {
            command: self.text(&program.command),
            args: program.args.iter().map(|arg| self.text(arg)).collect(),
            env: env
                .map(|(name, value)| (name.clone(), self.text(value)))
                .collect(),
            cwd: cwd.map(|cwd| self.text(&cwd.to_string_lossy()).into()),
        })
    }

    fn remote(&self, remote: &Remote) -> Result<Remote, Unfit> {
        let oauth = &remote.oauth;
        let text = |text: &Option<String>| text.as_ref().map(|text| self.text(text));
        let url = self.url(&remote.url)?;
        Ok(Remote {
            is_secret: remote.is_secret || url != remote.url,
            url,
            headers: self.headers(&remote.headers)?,
            oauth: OAuth {
                client_id: text(&oauth.client_id),
                client_secret: text(&oauth.client_secret),
                scopes: oauth.scopes.clone(),
            },
            ..remote.clone()
        })
    }

    /// An address, which may be a secret as a whole. What has been made of its beginning by
    /// then is no address to go to.
    fn url(&self, url: &Url) -> Result<Url, Unfit> {
        const NO_ADDRESS: Unfit = Unfit("no address that a server can be reached at");
        let whole = self
            .0
            .iter()
            .find(|(stand_in, _)| url.as_str().strip_suffix('/') == Some(stand_in));
        let filled = match whole {
            Some((_, secret)) => (*secret).to_owned(),
            None => self.text(url.as_str()),
        };
        let filled = Url::parse(filled.trim()).map_err(|_| NO_ADDRESS)?;
        let is_good = matches!(filled.scheme(), "http" | "https")
            && filled.username().is_empty()
            && filled.password().is_none()
            && !self.0.iter().any(|(stand_in, _)| {
                let digits = stand_in.trim_start_matches("https://");
                filled.as_str().contains(digits)
            });
        is_good.then_some(filled).ok_or(NO_ADDRESS)
    }

    fn headers(&self, headers: &HeaderMap) -> Result<HeaderMap, Unfit> {
        let mut filled = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            let Ok(text) = value.to_str() else {
                filled.append(name, value.clone());
                continue;
            };
            let mut value = HeaderValue::from_str(&self.text(text))
                .map_err(|_| Unfit("a header with a line break or another control character"))?;
            value.set_sensitive(true);
            filled.append(name, value);
        }
        Ok(filled)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn item() -> Item {
        "web/key".parse().unwrap()
    }

    fn remote(url: &str, header: &str) -> Server {
        let secret = of(&item());
        let put = |text: &str| text.replace("KEY", &secret);
        let mut headers = HeaderMap::new();
        headers.insert("x-key", put(header).parse().unwrap());
        let remote = Remote {
            url: put(url).parse().unwrap(),
            is_secret: false,
            headers,
            flavor: super::super::Flavor::Auto,
            oauth: OAuth::default(),
            found_by: String::new(),
        };
        Server::new("web".parse().unwrap(), Transport::Http(remote.into()))
    }

    fn filled(server: &Server, secret: &str) -> Result<(String, String), Unfit> {
        let found = [(item(), Secret::new(secret.to_owned()))];
        let Transport::Http(remote) = server.filled(&found)?.transport else {
            panic!("it is remote")
        };
        let header = remote.headers["x-key"].to_str().unwrap().to_owned();
        Ok((remote.url.to_string(), header))
    }

    #[test]
    fn of_an_address_with_a_secret_only_the_host_is_shown() {
        let found = [(item(), Secret::new("hunter2".to_owned()))];
        let shown = |url: &str| {
            let Transport::Http(remote) = remote(url, "v").filled(&found).unwrap().transport else {
                panic!("it is remote")
            };
            remote.shown()
        };
        assert_eq!(shown("https://x.example/KEY/mcp"), "https://x.example/…");
        assert_eq!(shown("https://x.example/mcp"), "https://x.example/mcp");
    }

    #[test]
    fn a_secret_stands_in_an_address_and_in_a_header() {
        let server = remote("https://x.example/KEY/mcp?k=KEY", "Bearer KEY");
        assert_eq!(
            filled(&server, "hunter2"),
            Ok((
                "https://x.example/hunter2/mcp?k=hunter2".to_owned(),
                "Bearer hunter2".to_owned()
            ))
        );
    }

    #[test]
    fn an_address_can_be_a_secret_as_a_whole_or_begin_with_one() {
        for (url, secret, expected) in [
            (
                "KEY",
                "https://x.example/mcp?k=1",
                "https://x.example/mcp?k=1",
            ),
            ("KEY/mcp", "https://x.example", "https://x.example/mcp"),
        ] {
            let (url, _) = filled(&remote(url, "-"), secret).unwrap();
            assert_eq!(url, expected);
        }
    }

    #[test]
    fn what_cannot_stand_there_is_told_without_a_word_of_it() {
        for (url, header, secret) in [
            ("https://x.example", "KEY", "hunter2\n"),
            ("KEY", "-", "hunter2"),
            ("KEY", "-", "ftp://hunter2"),
            ("KEY", "-", "https://me:hunter2@x.example"),
            ("https://KEY/", "-", "hunter2.example"),
        ] {
            let error = filled(&remote(url, header), secret)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("what it refers to"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
