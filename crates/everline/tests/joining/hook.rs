//! The address is moved by a program, as in a cloud that believes no announcements.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::Test;
use crate::net::{Net, bare};
use crate::stopped::{can_stop, stop};

pub(crate) const TESTS: &[Test] = &[("a hook moves the address in a cloud", moved)];

/// A cloud: the file `leads` says which host the address leads to. Each host calls it with the folder of its own.
const CLOUD: &str = "#!/bin/sh
cd \"$EVERLINE_DIR/..\" || exit 1
here=$(basename \"$EVERLINE_DIR\")
echo \"$here $*\" >> calls
if [ -e silent ]; then echo 'the cloud is silent'; exit 1; fi
case \"$1\" in
claim) echo \"$here\" > leads.new.$here && mv leads.new.$here leads ;;
release) [ \"$(cat leads 2>/dev/null)\" != \"$here\" ] || rm leads ;;
ask) [ \"$(cat leads 2>/dev/null)\" = \"$here\" ] ;;
esac
";

/// Two hosts and an address that the cloud moves.
fn configuration(cloud: &str) -> String {
    format!(
        "[sip]\ndomain = \"10.77.0.200\"\nlisten = [\"udp:10.77.0.200:5060\"]\n\n\
         [[network]]\nname = \"a\"\nprefix = \"10.77.1.0/24\"\n\n[[network]]\nname = \"b\"\nprefix = \"10.77.2.0/24\"\n\n\
         [[host]]\nname = \"h1\"\naddresses = [\"10.77.1.1\", \"10.77.2.1\"]\n\n\
         [[host]]\nname = \"h2\"\naddresses = [\"10.77.1.2\", \"10.77.2.2\"]\n\n\
         [[address]]\naddress = \"10.77.0.200/24@access\"\nhook = \"{cloud}\"\nhook-timeout = 5\n"
    )
}

/// The pair as a host sees it once it is level: the primary and its host.
fn level(net: &Net, host: u8) -> Value {
    net.ask(host, "everline status --json", |status| {
        let rows: Vec<&Value> = status["applications"].as_array()?.iter().filter(|row| row["pair"] == "sip").collect();
        let primary = rows.iter().find(|row| row["role"] == "primary" && row["level"] == true)?;
        Some((*primary).clone())
    })
}

/// Asks until the address leads to that host.
fn leads(net: &Net, host: &Value) {
    let path = net.folder(1).join("../leads");
    let wanted = format!("{}\n", host.as_str().expect("a host"));
    net.ask(1, "everline status --json", |_| (fs::read_to_string(&path).ok()? == wanted).then_some(()));
}

fn moved() {
    let net = Net::new("hook", 2);
    let common = net.folder(1).join("..").canonicalize().expect("a folder");
    let cloud = common.join("cloud");
    fs::write(&cloud, CLOUD).expect("written");
    fs::set_permissions(&cloud, fs::Permissions::from_mode(0o755)).expect("its mode");
    fs::write(net.folder(1).join("everline.toml"), configuration(&cloud.display().to_string())).expect("written");
    net.does(1, "everline host init");
    let mut first = net.start(1, "exec everline host run");
    net.until(1, "authority", |row| row["state"] == "started");
    let line = net.does(1, "everline host token h2");
    net.does(2, bare(&line));
    let mut second = net.start(2, "exec everline host run");
    first.is_ready();
    second.is_ready();

    let primary = level(&net, 1);
    leads(&net, &primary["host"]);
    // Its process ends without a word, if that can be because the thread stops that calls the hook: the address follows the calls.
    let number = if primary["host"] == "h1" { 1 } else { 2 };
    let can_stop = can_stop();
    if can_stop {
        stop(primary["pid"].as_i64().and_then(|pid| pid.try_into().ok()).expect("a process"), "hook");
    } else {
        eprintln!("not tested: the thread that calls the hook stops (needs the right to trace)");
        net.does(number, &format!("kill -9 {}", primary["pid"]));
    }
    let next = net.ask(1, "everline status --json", |status| {
        let rows = status["applications"].as_array()?;
        rows.iter()
            .find(|row| row["role"] == "primary" && row["pair"] == "sip" && row["host"] != primary["host"])
            .cloned()
    });
    leads(&net, &next["host"]);
    if can_stop {
        let about = format!("hook of {}", primary["name"].as_str().expect("a name"));
        net.noticed(number, "hang", 475.0, |one| one["about"] == *about && one["on"] == false);
    }
    // Somebody takes it in the cloud: it is asked for, and claimed again.
    fs::write(common.join("leads"), "somebody else\n").expect("written");
    leads(&net, &next["host"]);

    // A cloud that does not answer is an alarm, and the server serves all the same.
    level(&net, 1);
    fs::write(common.join("silent"), "").expect("written");
    net.does(1, "everline switchover sip");
    let alarmed = net.ask(1, "everline status --json", |status| {
        let rows = status["applications"].as_array()?;
        let primary = rows.iter().find(|row| row["role"] == "primary" && row["pair"] == "sip")?;
        primary["note"].as_str()?.contains("the cloud is silent").then(|| primary.clone())
    });
    assert!(alarmed["host"] == primary["host"] && alarmed["ready"] == true, "{alarmed}");
    fs::remove_file(common.join("silent")).expect("there");
    leads(&net, &alarmed["host"]);
    net.ask(1, "everline status --json", |status| {
        let rows = status["applications"].as_array()?;
        let primary = rows.iter().find(|row| row["role"] == "primary" && row["pair"] == "sip")?;
        (!primary["note"].to_string().contains("cloud")).then_some(())
    });

    // Who ends has it released, by the agent of the host.
    let other = if number == 1 { 2 } else { 1 };
    net.does(other, "everline stop");
    net.does(number, "everline stop");
    first.ends();
    second.ends();
    assert!(!common.join("leads").exists(), "it leads nowhere");
    let calls = fs::read_to_string(common.join("calls")).expect("there");
    assert!(calls.lines().all(|call| call.ends_with(" 10.77.0.200/24 access")), "{calls}");
}
