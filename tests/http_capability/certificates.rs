//! Certificates for a server on this machine, from an authority that only this test knows.

use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use mcp_gateway_tests::repository;
use mcp_gateway_tests::web::{Connection, Peer, Reply, Seen};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server's certificate, and who vouches for it.
pub(crate) struct Certificates {
    /// The file that a program which trusts the authority is given.
    pub(crate) authority: PathBuf,
    pub(crate) config: Arc<ServerConfig>,
}

/// A certificate for the name `localhost`, and for no address.
pub(crate) fn localhost() -> Certificates {
    let folder = repository().join("tests/http_capability");
    let certificate = CertificateDer::from_pem_file(folder.join("localhost.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("localhost.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Certificates {
        authority: folder.join("authority.crt"),
        config: Arc::new(config),
    }
}

impl Certificates {
    /// Starts a server that speaks TLS.
    pub(crate) fn serve(
        &self,
        answer: impl Fn(&Seen, &mut Reply<'_>) + Send + Sync + 'static,
    ) -> Peer {
        let config = Arc::clone(&self.config);
        let accept = move |stream: TcpStream| -> Box<dyn Connection> {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            Box::new(StreamOwned::new(connection, stream))
        };
        Peer::with("https", Arc::new(accept), Arc::new(answer))
    }
}
