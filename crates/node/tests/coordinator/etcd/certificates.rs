//! Certificates for one member of etcd and who calls it.
//!
//! They hold for a [gate](super::gate) before it as well.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use node::coordinator::member::TlsFiles;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// Makes an authority and one certificate of it, for this address and that of a gate.
pub(crate) fn make(folder: &Path, address: Ipv4Addr) -> TlsFiles {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = [address, Ipv4Addr::LOCALHOST].map(|address| address.to_string());
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    TlsFiles {
        authority: write("authority.pem", authority.pem()),
        certificate: write("certificate.pem", certificate.pem()),
        key: write("key.pem", key.serialize_pem()),
    }
}
