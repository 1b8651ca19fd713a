//! The certificate of the host that has the authority: it holds the key, so it issues its own, also when the one before has ended long ago
//! and no door would let it in.

use std::net::IpAddr;
use std::time::SystemTime;

use super::files;
use crate::folder::Folder;
use crate::identity::{Authority, HOST_LIFETIME, Identity, KeyRequest};
use crate::wire::Trouble;

/// Another certificate, for these `addresses`, in place of the one that this host has: its `own`.
///
/// # Errors
/// If the authority is not in this folder, is another one than that of its certificate, or issues none just now.
pub fn renew_own(folder: &Folder, own: &Identity, addresses: &[IpAddr]) -> Result<Identity, Trouble> {
    let authority = files::read(folder)?;
    let _issuing = files::issuing(folder)?;
    if authority.fingerprint()? != own.issued_by()? {
        let path = folder.authority();
        return Err(Trouble::new(
            format!("{} is not the authority that has issued the certificate of {}", path.display(), own.host),
            "put a copy of the authority of this solution in its place",
        ));
    }
    issue_own(folder, &authority, &own.host, addresses)
}

/// A certificate for the `host` that has the authority, noted as that of any other host.
///
/// # Errors
/// If the system makes no key, or it cannot be noted.
pub fn issue_own(
    folder: &Folder,
    authority: &Authority,
    host: &str,
    addresses: &[IpAddr],
) -> Result<Identity, Trouble> {
    let (request, now) = (KeyRequest::new()?, SystemTime::now());
    let issued = authority.sign(request.text(), host, addresses, now, HOST_LIFETIME)?;
    let since = files::joined(folder, host).map_or(now, |joined| joined.since);
    files::note(folder, host, addresses, &issued, since)?;
    Ok(request.answered(issued))
}
