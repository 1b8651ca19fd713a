//! The configuration that `up` writes if there is none: small enough to be read, large enough to place a first call.

use std::path::Path;

use crate::files;

/// Letters of a password: those that nobody mistakes for another one. Their count divides 256, so that each is
/// drawn equally often.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Letters in a password: 5 bits each, 80 bits in all.
const PASSWORD_LEN: usize = 16;

/// Writes the example to `path`, readable by its owner only.
///
/// # Errors
/// If the file exists already (it is never overwritten) or cannot be written.
pub(crate) fn write(path: &Path) -> Result<(), String> {
    write_with(path, HEAD, ALONE)
}

/// The same for several hosts, with the sections about them in the place of `[sip]` on loopback.
///
/// # Errors
/// As [`write()`].
pub(crate) fn write_for_hosts(path: &Path, hosts: &str) -> Result<(), String> {
    write_with(path, HEAD_OF_HOSTS, hosts)
}

fn write_with(path: &Path, head: &str, place: &str) -> Result<(), String> {
    let text =
        text(head, place, &mut password).map_err(|error| format!("the system has no random numbers: {error}"))?;
    files::create(path, text.as_bytes()).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// A password that nobody guesses.
fn password() -> Result<String, getrandom::Error> {
    let mut bytes = [0; PASSWORD_LEN];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect())
}

/// The example, each password drawn by `password`.
fn text<E>(head: &str, place: &str, password: &mut impl FnMut() -> Result<String, E>) -> Result<String, E> {
    let mut text = [head, place, SIP].concat();
    for (number, who) in [("1001", "anna's phone"), ("1002", "ben's phone"), ("1010", "the front desk")] {
        let password = password()?;
        text.push_str(&format!(
            "[[extension]]               # {who}\nnumber = \"{number}\"\npassword = \"{password}\"\n\n"
        ));
    }
    text.push_str(TAIL);
    Ok(text)
}

const HEAD: &str = r#"# A contact centre: two agents, a front desk, and a queue. Everline wrote this file once and will never change it.
# `everline config check` says all that is wrong with it; a change counts from the next `everline up`.

"#;

const HEAD_OF_HOSTS: &str = r#"# A contact centre on several hosts: two agents, a front desk, and a queue. `everline host init` wrote this file, and
# only `everline host remove` changes it. `everline config check` says all that is wrong with it. A change counts once
# `everline config apply` has made it the configuration of all hosts, on each host from its next `everline host run`.

"#;

/// `[sip]` where there is one host.
const ALONE: &str = r#"[sip]
domain = "127.0.0.1"
# Only programs on this machine reach these addresses. For other phones, add the address of a network card:
# listen = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060", "udp:192.0.2.10:5060", "tcp:192.0.2.10:5060"]
listen = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]
"#;

const SIP: &str = r#"# standby = true            # false: no backup processes; a server that dies takes its calls along
# sha-256 = false           # true: ask for SHA-256 before MD5 (RFC 8760); older phones cannot register then
# min-expires = 60          # seconds; a shorter registration is answered 423
# max-expires = 3600        # seconds; a longer registration is cut to this
# probe-call = 1            # seconds; with an [[address]] each host makes a call there so often, to see whether calls are taken

# Phones that register, each with its own password. Instead of a password there may be
#   password-file = "anna.secret"      a file whose only line is the password
#   password = "${ANNA_PASSWORD}"      a variable of the environment

"#;

const TAIL: &str = r#"# A device with a fixed address never registers:
# [[extension]]
# number = "1050"
# contact = "sip:1050@127.0.0.1:5090"

[[agent]]                   # who takes calls, and where
id = "anna"
extension = "1001"
auto-ready = true           # ready as soon as the phone can be reached; without it: `everline agent anna ready`

[[agent]]
id = "ben"
extension = "1002"
auto-ready = true

[[queue]]                   # callers dial it and wait for the agent who has been idle longest
number = "9000"
agents = ["anna", "ben"]
capacity = 500              # callers waiting; the next one is answered 486
no-answer = 15              # seconds of ringing, then the agent is not ready and the caller is first again
default = "1010"            # where calls go while no Routing Server answers

# A carrier or another exchange, known by its address; it may call every number here:
# [[trunk]]
# name = "carrier"
# address = "127.0.0.1:5080"  # without a port: whatever port it sends from
"#;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_example_is_complete_and_right() {
        let mut count = 0;
        let text = text(HEAD, ALONE, &mut || {
            count += 1;
            Ok::<_, ()>(format!("password-{count}"))
        });
        insta::assert_snapshot!(text.expect("no random numbers were needed"));
    }

    #[test]
    fn it_is_written_once_for_its_owner_and_read_without_a_remark() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("everline.toml");
        write(&path).expect("written");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        let outcome = crate::config::read(&path).expect("readable");
        assert_eq!(outcome.report.render(false, 20), "");
        let settings = outcome.settings.expect("no errors");
        assert_eq!((settings.extensions.len(), settings.agents.len(), settings.queues.len()), (3, 2, 1));

        let before = fs::read(&path).expect("readable");
        write(&path).expect_err("it exists");
        assert_eq!(fs::read(&path).expect("readable"), before);
    }

    #[test]
    fn that_of_several_hosts_says_when_a_change_counts_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("everline.toml");
        let hosts = "[[network]]\nname = \"a\"\nprefix = \"10.77.1.0/24\"\n[[host]]\nname = \"h1\"\naddresses = [\"10.77.1.1\"]\n\
                     [[host]]\nname = \"h2\"\naddresses = [\"10.77.1.2\"]\n[sip]\n";
        write_for_hosts(&path, hosts).expect("written");
        let outcome = crate::config::read(&path).expect("readable");
        assert!(outcome.settings.is_some_and(|settings| settings.hosts.is_some()), "{:?}", outcome.report);
        let text = outcome.source.text;
        assert!(text.contains("`everline config apply`") && text.contains("`everline host remove`"), "{text}");
        assert!(!text.contains("never change") && !text.contains("everline up"), "{text}");
    }

    #[test]
    fn no_two_passwords_are_equal() {
        let drawn: std::collections::BTreeSet<_> = (0..100).map(|_| password().expect("random")).collect();
        assert_eq!(drawn.len(), 100);
        assert!(drawn.iter().all(|password| password.len() == PASSWORD_LEN));
    }
}
