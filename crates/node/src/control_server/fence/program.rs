//! The program that ends hosts.

use std::process::Command;
use std::time::Duration;

use model::{Incarnation, Span, Time};
use network::program;
use tokio::time::{Instant, interval};

use super::FenceSettings;
use crate::control_server::ControlSettings;
use crate::wire::Trouble;

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Runs it as `PROGRAM HOST`, with the environment of the control server and `EVERLINE_HOST`, `EVERLINE_ADDRESSES`, `EVERLINE_BY`,
/// `EVERLINE_SOLUTION`, `EVERLINE_IN_DOUBT` and `EVERLINE_TIMEOUT` (docs/configuration.md).
///
/// # Errors
/// If it could not be started, did not end in time, or did not exit with 0: then nothing is certain.
pub(super) async fn run(
    settings: &ControlSettings,
    fence: &FenceSettings,
    host: &str,
    doubted: &[Incarnation],
) -> Result<(), Trouble> {
    let list = |all: Vec<String>| all.join(" ");
    let other = settings.others.iter().find(|other| other.name == host);
    let addresses = other.map_or_else(Vec::new, |other| other.addresses.iter().map(ToString::to_string).collect());
    let mut command = Command::new(&fence.program);
    command
        .arg(host)
        .env("EVERLINE_HOST", host)
        .env("EVERLINE_ADDRESSES", list(addresses))
        .env("EVERLINE_BY", &settings.host)
        .env("EVERLINE_SOLUTION", &settings.solution)
        .env("EVERLINE_IN_DOUBT", list(doubted.iter().map(ToString::to_string).collect()))
        .env("EVERLINE_TIMEOUT", (fence.limit.as_millis() / 1_000).to_string());
    let begun = Instant::now();
    let now = || Time::ZERO + Span::from_micros(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
    let what = format!("the fence program `{} {host}`", fence.program.display());
    let mut run = program::start(&mut command, &what, now(), fence.limit)?;
    let mut pace = interval(LOOK);
    loop {
        pace.tick().await;
        if let Some(outcome) = run.poll(now()) {
            return outcome;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;
    use crate::control_server::{OtherHost, Pair};
    use crate::folder::Folder;

    fn settings() -> ControlSettings {
        let pair = |name: &str| Pair { name: name.into(), members: Vec::new() };
        let addresses = vec![[10, 77, 1, 1].into(), [10, 77, 2, 1].into()];
        ControlSettings {
            folder: Folder::new("/nowhere"),
            me: Incarnation::new("control", 1),
            solution: "ours".into(),
            host: "h2".into(),
            addresses: Vec::new(),
            others: vec![OtherHost { name: "h1".into(), agent: "h1.lca".into(), addresses }],
            sip: pair("sip"),
            routing: pair("routing"),
            probed: Vec::new(),
            probe_call: Duration::from_secs(1),
            secret: [0; 32],
            etcd: None,
            places: std::collections::BTreeMap::new(),
            moved: std::collections::BTreeMap::new(),
            fence: None,
            version: None,
        }
    }

    /// What comes of a program with that text.
    async fn outcome(text: Option<&str>, mode: u32, limit: Span) -> Result<(), Trouble> {
        let folder = tempfile::tempdir().unwrap();
        let program: PathBuf = folder.path().join("fence");
        if let Some(text) = text {
            fs::write(&program, text).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
        }
        let fence = FenceSettings { program, limit, after: Span::ZERO };
        run(&settings(), &fence, "h1", &[Incarnation::new("sip-a", 5), Incarnation::new("routing-a", 3)]).await
    }

    const LONG: Span = Span::from_secs(60);

    #[tokio::test]
    async fn it_is_told_who_is_to_end_and_only_its_zero_counts() {
        assert_eq!(outcome(Some("#!/bin/sh\nexit 0\n"), 0o755, LONG).await, Ok(()));
        let told = "#!/bin/sh\necho $# $1 $EVERLINE_HOST $EVERLINE_ADDRESSES $EVERLINE_BY $EVERLINE_SOLUTION \
                    $EVERLINE_IN_DOUBT $EVERLINE_TIMEOUT >&2\nexit 1\n";
        let trouble = outcome(Some(told), 0o755, LONG).await.unwrap_err();
        assert!(trouble.what.contains("fence h1` has failed: exit status: 1"), "{trouble}");
        let said = "it said: 1 h1 h1 10.77.1.1 10.77.2.1 h2 ours sip-a#5 routing-a#3 60";
        assert!(trouble.remedy.contains(said), "{trouble}");
    }

    #[tokio::test]
    async fn one_that_is_missing_may_not_be_run_or_hangs_makes_nothing_certain() {
        for (text, mode, limit, what, remedy) in [
            (None, 0, LONG, "cannot start the fence program", "create that program"),
            (Some("#!/bin/sh\nexit 0\n"), 0o644, LONG, "Permission denied", "chmod +x"),
            (
                Some("#!/bin/sh\necho asks the switch\nexec cat /dev/zero >/dev/null\n"),
                0o755,
                Span::from_millis(300),
                "took longer than",
                "run it by hand",
            ),
        ] {
            let trouble = outcome(text, mode, limit).await.unwrap_err();
            assert!(trouble.what.contains(what) && trouble.remedy.contains(remedy), "{trouble}");
        }
    }
}
