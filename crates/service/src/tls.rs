//! Certificates: read from PEM files, replaced while the server runs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use crate::options::TlsFiles;

/// The certificates in force.
pub(crate) struct Certificates {
    config: ArcSwap<ServerConfig>,
}

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// Where one cannot be read, or they do not fit together.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { config: ArcSwap::from_pointee(read(files)?) })
    }

    /// What new connections shake hands with.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }

    /// Puts others in force, for connections to come.
    pub(crate) fn replace(&self, config: ServerConfig) {
        self.config.store(Arc::new(config));
    }
}

/// The configuration that these files make.
pub(crate) fn read(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|cause| TlsError::new(&files.key, format!("no private key: {cause}")))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|cause| TlsError::new(&files.certificate, cause.to_string()))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|cause| TlsError::new(path, cause.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|cause| TlsError::new(path, cause.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|cause| TlsError::new(&files.certificate, format!("does not fit its key: {cause}")))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let error = |cause: rustls::pki_types::pem::Error| TlsError::new(path, format!("no certificate: {cause}"));
    let chain: Vec<_> = CertificateDer::pem_file_iter(path).map_err(error)?.collect::<Result<_, _>>().map_err(error)?;
    if chain.is_empty() {
        return Err(TlsError::new(path, "holds no certificate".to_owned()));
    }
    Ok(chain)
}

/// The DNS names of a certificate, or its common name where it says no name of the kinds that replace it (DNS names,
/// URIs: RFC 6125, section 6.4.4), in lower case. Names that cannot be read are no reason to look at the common name.
pub(crate) fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let mut names = Vec::new();
    let mut replaces_common = false;
    for extension in parsed.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(alternative) => {
                for name in &alternative.general_names {
                    replaces_common |= !matches!(name, GeneralName::RFC822Name(_) | GeneralName::IPAddress(_));
                    if let GeneralName::DNSName(name) = name {
                        names.push(name.to_ascii_lowercase());
                    }
                }
            }
            _ => replaces_common |= extension.oid == OID_X509_EXT_SUBJECT_ALT_NAME,
        }
    }
    if !replaces_common {
        let common = parsed.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        names.extend(common.map(str::to_ascii_lowercase));
    }
    names
}

/// Why certificates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError {
    /// The file at fault.
    pub path: PathBuf,
    /// What is wrong with it.
    pub message: String,
}

impl TlsError {
    fn new(path: &Path, message: String) -> Self {
        Self { path: path.to_owned(), message }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.message)
    }
}

impl std::error::Error for TlsError {}
