//! The configuration that all hosts share: made of `everline.toml` by one of them, understood by each.

use std::collections::BTreeMap;
use std::time::SystemTime;

use node::configuration::Document;

use crate::config::{self, Source};
use crate::failure::{Failure, Kind};
use crate::settings::Settings;

/// The most errors that are shown of a configuration that came from another host.
const ERRORS: usize = 5;

/// The next version of the configuration, given on the host `by`.
pub(crate) fn version(version: u64, by: &str, source: Source) -> Document {
    let Source { text, files, variables } = source;
    let (at, revoked, moved) = (SystemTime::now(), None, BTreeMap::new());
    Document { version, by: by.to_owned(), at, text, files, variables, revoked, moved }
}

/// What the host `here` is told by it.
///
/// # Errors
/// If this version of the program finds errors in it, or there is no such host in it.
pub(crate) fn settings(document: &Document, here: &str) -> Result<Settings, Failure> {
    let outcome = config::shared(document);
    let Some(mut settings) = outcome.settings else {
        let found = outcome.report.render(false, ERRORS);
        let what = format!("this everline finds errors in version {} of the configuration:\n{found}", document.version);
        return Err(Failure::new(Kind::Wrong, what).help("update this host to the version of the others"));
    };
    match &mut settings.hosts {
        Some(hosts) if hosts.host(here).is_some() => {
            hosts.here = here.to_owned();
            hosts.version = Some(document.version);
            hosts.moved.clone_from(&document.moved);
        }
        _ => {
            let what = format!("version {} of the configuration has no host {here}", document.version);
            let help =
                format!("write a [[host]] for it on another host and give `everline config apply`, or end {here}");
            return Err(Failure::new(Kind::Wrong, what).help(help));
        }
    }
    Ok(settings)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) const TWO: &str = concat!(
        "[[network]]\nname = \"a\"\nprefix = \"10.77.1.0/24\"\n",
        "[[host]]\nname = \"h1\"\naddresses = [\"10.77.1.1\"]\n",
        "[[host]]\nname = \"h2\"\naddresses = [\"10.77.1.2\"]\n",
    );

    fn of(text: &str) -> Document {
        version(7, "h1", Source { text: text.into(), ..Source::default() })
    }

    #[test]
    fn every_host_makes_the_same_of_it_but_for_its_own_name() {
        let [one, other] = ["h1", "h2"].map(|here| settings(&of(TWO), here).expect("right"));
        assert_eq!(one.hosts.as_ref().map(|hosts| hosts.here.as_str()), Some("h1"));
        let as_one = |mut settings: Settings| {
            if let Some(hosts) = &mut settings.hosts {
                hosts.here = String::new();
            }
            settings
        };
        assert_eq!(as_one(one), as_one(other));
    }

    #[test]
    fn secrets_come_with_it() {
        let text = format!("{TWO}[[extension]]\nnumber = \"1001\"\npassword = \"${{ANNA}}\"\n");
        let mut document = of(&text);
        assert!(settings(&document, "h1").is_err_and(|failure| failure.what().contains("no variable \"ANNA\"")));
        document.variables.insert("ANNA".into(), "long enough".into());
        settings(&document, "h1").expect("right");
        document.text = text.replace("password = \"${ANNA}\"", "password-file = \"anna\"");
        assert!(settings(&document, "h1").is_err_and(|failure| failure.what().contains("came without anna")));
        document.files.insert("anna".into(), "long enough".into());
        settings(&document, "h1").expect("right");
    }

    #[test]
    fn a_host_that_is_not_in_it_is_told_so() {
        let failure = settings(&of(TWO), "h3").expect_err("there is none");
        assert_eq!(failure.what(), "version 7 of the configuration has no host h3");
        assert!(settings(&of(""), "h1").is_err());
    }
}
