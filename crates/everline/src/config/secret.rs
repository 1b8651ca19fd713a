//! Where a password comes from: the file itself, a file of its own, or the environment.

use std::fs;
use std::path::Path;

use super::problem::{Problem, Problems};
use super::section::{At, Section};
use crate::settings::Secret;

/// The longest password, in bytes.
const PASSWORD_MAX: usize = 128;

/// The longest file that can hold a password, in bytes.
const FILE_MAX: u64 = 4_096;

/// A password shorter than this many bytes is warned about.
const PASSWORD_SHORT: usize = 8;

/// What lies outside the configuration file and can hold secrets.
pub(super) struct Sources<'a> {
    /// The first line of a `password-file`, by its name in the text.
    pub(super) file: &'a dyn Fn(&str) -> Result<String, String>,
    /// Looks up a variable of the environment.
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
}

/// The password of an extension; `None` if there is none, or if it cannot be had (which is noted).
pub(super) fn password(section: &Section<'_>, sources: &Sources<'_>, problems: &mut Problems) -> Option<Secret> {
    let is_file = section.has("password-file");
    let key = if is_file { "password-file" } else { "password" };
    let written = section.text(key, problems)?;
    let value = if is_file { (sources.file)(written.value) } else { expand(written.value, sources.variable) };
    let is_inline = !is_file && value.as_deref() == Ok(written.value);
    let found = At { value, span: written.span };
    let problem = |message: String| section.error(key, found.span.clone(), message);
    let text = match found.value {
        Ok(text) => text,
        Err(message) => {
            problems.add(problem(message));
            return None;
        }
    };
    if text.is_empty() || text.len() > PASSWORD_MAX || text.chars().any(char::is_control) {
        let what = if text.is_empty() { "the password is empty" } else { "this cannot be a password" };
        problems.add(problem(what.into()).allowed(section.allowed("password")).secret());
        return None;
    }
    if text.len() < PASSWORD_SHORT {
        let warning = Problem::warning(found.span, section.key(key), "a short password is soon guessed");
        problems.add(warning.help(format!("take {PASSWORD_SHORT} characters or more")).secret());
    }
    Some(Secret::new(text, is_inline))
}

/// The first line of the file.
///
/// # Errors
/// If it cannot be read, or cannot be a password.
pub(super) fn from_file(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    if fs::metadata(path).map_err(unreadable)?.len() > FILE_MAX {
        return Err(format!("{} is larger than {FILE_MAX} bytes: it cannot be a password", path.display()));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    Ok(text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line)).to_owned())
}

/// The text with each `${NAME}` replaced by that variable of the environment.
fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else {
            return Err("\"${\" without \"}\"; a password that holds \"${\" goes into a password-file".into());
        };
        let Some(value) = variable(name) else {
            return Err(format!("the environment has no variable \"{name}\""));
        };
        expanded.push_str(before);
        expanded.push_str(&value);
        rest = behind;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        (name == "ANNA").then(|| "geheim".to_owned())
    }

    #[test]
    fn variables_are_replaced_once_and_wherever_they_stand() {
        assert_eq!(expand("plain", &environment), Ok("plain".into()));
        assert_eq!(expand("a-${ANNA}-${ANNA}$", &environment), Ok("a-geheim-geheim$".into()));
        assert_eq!(expand("${BEN}", &environment), Err("the environment has no variable \"BEN\"".into()));
        assert!(expand("${ANNA", &environment).is_err());
    }

    #[test]
    fn a_password_file_ends_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("anna");
        fs::write(&path, "geheim \r\n").expect("written");
        assert_eq!(from_file(&path), Ok("geheim ".into()));
        fs::write(&path, vec![b'x'; 5_000]).expect("written");
        assert!(from_file(&path).is_err_and(|error| error.contains("larger")));
        assert!(from_file(folder.path()).is_err());
    }
}
