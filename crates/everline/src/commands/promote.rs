//! `everline promote`.

use serde_json::{Value, json};

use crate::control::Control;
use crate::failure::{Failure, Kind};
use crate::output;

/// Lets a member of `pair` serve although another one may, for all that is known; only if the loss is accepted.
///
/// # Errors
/// If the loss is not accepted, with what it would be; if nothing is in doubt, or the control server does not answer.
pub(crate) fn run(control: &Control<'_>, pair: &str, accept_loss: bool) -> Result<(), Failure> {
    if !crate::config::is_name(pair) {
        return Err(Failure::failed(format!("there is no pair \"{pair}\"")).help("`everline status` lists the pairs"));
    }
    let body = json!({ "accept_loss": accept_loss });
    let answer = control.post_named(&format!("/v1/pairs/{pair}/promote"), &body)?;
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let names = answer["in_doubt"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let in_doubt = names.collect::<Vec<_>>().join(", ");
    if accept_loss {
        let said = format!("{pair} begins without {in_doubt}; `everline status` says what was lost\n");
        return output::result(&said);
    }
    let what = format!(
        "nobody knows whether {in_doubt} has ended, which could still serve {pair}: every call that it holds is lost if \
         somebody else begins, and while it lives there are two primaries"
    );
    let help = format!("make sure that its host is off, then accept the loss: `everline promote {pair} --accept-loss`");
    Err(Failure::new(Kind::Failed, what).help(help))
}
