//! `everline host token`: lets one more host join.

use node::authority::{self, Comes, Token};

use super::{document, member, no_such_host, replace};
use crate::control::Control;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::output::{self, remark};

/// Makes a token for `host`, and says what is to be typed there.
///
/// # Errors
/// If the authority is not here, or the configuration has no such host, or it has joined and that is not to be done `again`, or it is
/// not reached then, has a side of a pair, and that is not to be done by `force`.
pub(crate) fn token(
    folder: &Folder,
    control: &Control<'_>,
    host: &str,
    (again, force): (bool, bool),
    minutes: u32,
) -> Result<(), Failure> {
    let (here, shared) = member(folder)?;
    let authority = authority::read(folder)?;
    let settings = document::settings(&shared, &here)?;
    let Some(hosts) = &settings.hosts else { return Err(Failure::failed("the configuration names no hosts")) };
    let Some(other) = hosts.host(host) else { return Err(no_such_host(host, hosts)) };
    if host == here {
        let help =
            "name another host: this one, which has the authority, gives itself another certificate when it runs";
        return Err(Failure::failed(format!("this machine is {host}")).help(help));
    }
    if let Some(joined) = authority::joined(folder, host).filter(|_| !again) {
        let seconds = joined.since.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let when = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let when = when.map_or_else(String::new, |when| format!(" at {when}"));
        let what = format!("{host} has joined already{when}");
        let help = format!(
            "if that machine is gone or was installed anew: `everline host token {host} --again`; two machines with one name \
             would disturb each other"
        );
        return Err(Failure::failed(what).help(help));
    }
    let comes = if again { replace::replace(folder, control, host, force)? } else { Comes::First };
    let at = hosts.host(&here).and_then(|host| host.networks.first());
    let at = at.ok_or_else(|| Failure::failed("this host has no address"))?;
    let token = Token::make(folder, authority.fingerprint()?, host, other.networks.clone(), minutes, comes)?;
    remark(&format!("Good for {host}, once, for {minutes} minutes; give it there:"));
    output::result(&format!("everline host join {at} {token}{}\n", folder::option(folder)))
}
