//! `everline host unit`: how systemd runs this host.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Kind};
use crate::files;
use crate::folder::Folder;
use crate::output::{self, remark};
use crate::processes;

/// The name of the unit.
const NAME: &str = "everline.service";
/// Where an administrator's units are (`systemd.unit(5)`).
const PLACE: &str = "/etc/systemd/system";

/// Prints the unit of this host, or writes it where systemd finds it.
///
/// # Errors
/// If a name cannot stand in it, or it cannot be written.
pub(crate) fn unit(folder: &Folder, user: Option<&str>, install: bool) -> Result<(), Failure> {
    let text = text(&processes::program(), folder.path(), user)?;
    if let Some(user) = user {
        let folder = folder.path().display();
        remark(&format!("{folder} must belong to {user}: `chown -R {user}: {folder}`"));
    }
    if !install {
        return output::result(&text);
    }
    let path = PathBuf::from(PLACE).join(NAME);
    files::replace(&path, text.as_bytes()).map_err(|error| super::cannot_write(&path, &error))?;
    output::result(&format!("{}\n", path.display()))?;
    let reloaded = Command::new("systemctl").arg("daemon-reload").status();
    if !reloaded.is_ok_and(|status| status.success()) {
        remark("systemd does not run here; where it does: `systemctl daemon-reload`");
    }
    remark(&format!(
        "`systemctl enable --now {NAME}` starts it, now and with the machine; `journalctl -u {NAME}` shows what it says"
    ));
    Ok(())
}

/// The unit.
///
/// If this process ends, whatever of, calls go on (`KillMode=process`) and the next one takes over the watch; so systemd may end one
/// that does not turn any more without ending a call.
fn text(program: &Path, folder: &Path, user: Option<&str>) -> Result<String, Failure> {
    let (program, folder) = (word(program)?, word(folder)?);
    let user = match user {
        Some(user) if crate::config::is_name(user) => format!("User={user}\n"),
        Some(user) => return Err(Failure::new(Kind::Wrong, format!("\"{user}\" cannot be a user"))),
        None => String::new(),
    };
    Ok(format!(
        "# Written by `everline host unit`.
[Unit]
Description=Everline, a SIP contact centre: this host's part of it
Documentation=man:everline(1)
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} --dir {folder} host run
ExecStop={program} --dir {folder} stop
{user}AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE CAP_SYS_NICE
# Calls go on while this process is started again.
KillMode=process
Restart=on-failure
RestartSec=100ms
# A wrong configuration is for a person to mend.
RestartPreventExitStatus=2
WatchdogSec=30
WatchdogSignal=SIGKILL
TimeoutStartSec=60
TimeoutStopSec=30
LimitNOFILE=1048576
LimitMEMLOCK=infinity
OOMScoreAdjust=-900
UMask=0077

[Install]
WantedBy=multi-user.target
"
    ))
}

/// A path as one word of a command in a unit (`systemd.service(5)`, `systemd.unit(5)`).
fn word(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().filter(|text| !text.chars().any(|letter| letter.is_control() || "\"'\\".contains(letter)));
    let text = text.ok_or_else(|| {
        Failure::new(Kind::Wrong, format!("the path {} cannot stand in a unit", path.display())).help("rename it")
    })?;
    let text = text.replace('%', "%%").replace('$', "$$");
    Ok(if text.contains(' ') { format!("\"{text}\"") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_each() {
        assert_eq!(word(Path::new("/srv/my centre")).ok().as_deref(), Some("\"/srv/my centre\""));
        assert_eq!(word(Path::new("/srv/100%")).ok().as_deref(), Some("/srv/100%%"));
        assert!(word(Path::new("/srv/\"")).is_err());
        let unit = text(Path::new("/usr/bin/everline"), Path::new("/srv/everline"), Some("everline")).expect("right");
        assert!(unit.contains("ExecStart=/usr/bin/everline --dir /srv/everline host run\n"), "{unit}");
        assert!(unit.contains("\nUser=everline\nAmbientCapabilities="), "{unit}");
        assert!(unit.contains("\nRestartPreventExitStatus=2\n"), "{unit}");
        assert!(text(Path::new("/x"), Path::new("/y"), Some("a b")).is_err());
    }
}
