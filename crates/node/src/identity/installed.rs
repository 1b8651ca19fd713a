//! The identity of a host as the files that its processes read.

use super::Identity;
use crate::coordinator::member::TlsFiles;
use crate::files::replace;
use crate::folder::Folder;
use crate::wire::Trouble;

/// Gives this host its identity, or a renewed one: whoever opens a connection uses it from now on.
///
/// # Errors
/// If a file cannot be written.
pub fn install(folder: &Folder, identity: &Identity) -> Result<(), Trouble> {
    let (own, authority) = identity.pem();
    let text = serde_json::to_vec_pretty(identity).unwrap_or_default();
    let TlsFiles { authority: of_authority, certificate, .. } = tls_files(folder);
    // Last what says that there is one.
    let files = [(of_authority, authority.as_bytes()), (certificate, own.as_bytes()), (folder.identity(), &text)];
    for (path, bytes) in files {
        replace(&path, bytes).map_err(|error| Trouble::of_file("write", &path, &error))?;
    }
    Ok(())
}

/// The same identity for etcd, which reads it for each connection; certificate and key in one file, so that they fit each other
/// at any moment.
#[must_use]
pub fn tls_files(folder: &Folder) -> TlsFiles {
    let own = folder.path().join("data/identity.pem");
    TlsFiles { authority: folder.path().join("data/authority.pem"), certificate: own.clone(), key: own }
}
