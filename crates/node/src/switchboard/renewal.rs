//! The certificate of this host, renewed before its end.
//!
//! A third of its life is left when that begins, so ten days of an authority that is away do no harm; what is wrong is said at
//! once, in the log and in the status. The host that has the authority issues its own, so a solution that was off for longer than a
//! certificate lives has one host whose certificate is good, by which the others join anew.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::notice::Notice;
use super::{Keys, SwitchboardSettings};
use crate::authority;
use crate::identity::{self, Identity};
use crate::wire::Trouble;

/// How often it is looked whether it is time.
const LOOK: Duration = Duration::from_secs(60);

/// Renews the certificate whenever it is time, for ever.
pub(super) async fn keep(settings: Arc<SwitchboardSettings>, keys: Keys, notice: Notice) {
    let mut said = None;
    loop {
        let failed = renew(&settings, &keys).await.err();
        let alarm = alarm(&keys.identity(), failed.as_ref(), SystemTime::now());
        if alarm.is_none() {
            notice.of_own(None);
        }
        if alarm != said {
            match &alarm {
                Some(what) => tracing::error!("{what}"),
                None => tracing::info!("the certificate of this host is good again"),
            }
            notice.of_own(alarm.clone());
            said = alarm;
        }
        sleep(LOOK).await;
    }
}

/// Renews it if it is time.
async fn renew(settings: &SwitchboardSettings, keys: &Keys) -> Result<(), Trouble> {
    // This one looks into the file, which somebody may have replaced.
    let config = keys.client();
    let identity = keys.identity();
    if SystemTime::now() < identity.renew_at {
        return Ok(());
    }
    let renewed = if has_authority(settings) {
        let addresses: Vec<IpAddr> = settings.listen.iter().map(SocketAddr::ip).collect();
        authority::renew_own(&settings.folder, &identity, &addresses)?
    } else {
        authority::renew(&settings.authority, &identity, config).await?
    };
    if renewed.host != identity.host {
        let what = format!("the authority has sent the certificate of {}", renewed.host);
        return Err(Trouble::new(what, "look whether two hosts have the same data folder"));
    }
    identity::install(&settings.folder, &renewed)?;
    tracing::info!("the certificate of this host is renewed, until {}", date(renewed.expires));
    Ok(())
}

/// Whether the authority is on this host: it is where this host is.
fn has_authority(settings: &SwitchboardSettings) -> bool {
    settings.authority.iter().any(|(from, to)| from.ip() == to.ip())
}

/// What is said of a certificate that could not be renewed so far. How the host gets another one, its authority says that refuses it; as
/// long as that cannot be asked, it has to be reached first.
fn alarm(identity: &Identity, failed: Option<&Trouble>, now: SystemTime) -> Option<String> {
    let failed = failed?;
    let left = identity.expires.duration_since(now).unwrap_or_default();
    let host = &identity.host;
    if left.is_zero() {
        return Some(format!("the certificate of {host} has expired and other hosts refuse it: {failed}"));
    }
    Some(format!("the certificate of {host} ends at {} and could not be renewed yet: {failed}", date(identity.expires)))
}

/// A date as people and programs write it (RFC 3339), to the second.
fn date(when: SystemTime) -> String {
    let seconds = when.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or_default()
        .to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use model::Incarnation;

    use super::*;
    use crate::folder::Folder;
    use crate::identity::{Authority, HOST_LIFETIME, Keyring};

    #[test]
    fn what_could_not_be_renewed_is_said_with_its_end() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_510_800);
        let authority = Authority::create("ours", now).unwrap();
        let identity = authority.issue("h2", &[], now, Duration::from_secs(3_600)).unwrap();
        assert_eq!(alarm(&identity, None, now), None);
        let failed = Trouble::new("nobody is there", "start it");
        let told = alarm(&identity, Some(&failed), now).unwrap();
        assert_eq!(
            told,
            "the certificate of h2 ends at 2026-11-24T10:00:00Z and could not be renewed yet: nobody is there (start it)"
        );
        let told = alarm(&identity, Some(&failed), now + Duration::from_secs(3_601)).unwrap();
        assert_eq!(told, "the certificate of h2 has expired and other hosts refuse it: nobody is there (start it)");
    }

    #[test]
    fn the_host_of_the_authority_gives_itself_another_one_however_long_ago_its_own_has_ended() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        folder.create().unwrap();
        let (now, here) = (SystemTime::now(), IpAddr::from([127, 0, 0, 1]));
        let ours = authority::make(&folder, "ours", now).unwrap();
        let old = ours.issue("h1", &[here], now - 2 * HOST_LIFETIME, HOST_LIFETIME).unwrap();
        identity::install(&folder, &old).unwrap();
        // Nobody listens there.
        let settings = SwitchboardSettings {
            folder: folder.clone(),
            me: Incarnation::new("switchboard", 1),
            identity: folder.identity(),
            listen: vec![SocketAddr::new(here, 7_700)],
            offers: Vec::new(),
            others: Vec::new(),
            authority: vec![(SocketAddr::new(here, 0), SocketAddr::new(here, authority::PORT))],
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let renewed = || {
            let keys = Keys(Arc::new(Mutex::new(Keyring::open(folder.identity()).unwrap())));
            runtime.block_on(renew(&settings, &keys)).unwrap();
            Keyring::open(folder.identity()).unwrap().identity().clone()
        };
        let new = renewed();
        assert!(new.host == "h1" && new.renew_at > now && new.pem().0 != old.pem().0, "{new:?}");
        assert!(authority::joined(&folder, "h1").is_some(), "its number is noted, as that of any other");
        assert_eq!(renewed(), new, "one that is good is left alone");
    }
}
