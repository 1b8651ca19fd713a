//! A link over several networks brings every message once and in order, and one whole network is enough for it.

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "link";

/// A message is delivered; `is_next`: it is the one that follows the last one.
///
/// # Errors
/// If it is not.
pub fn brings(is_next: bool) -> Verdict {
    if is_next { Ok(()) } else { Err("the link brings a message out of order, or once more".to_owned()) }
}

/// A link between two hosts is given up, for this reason. `is_troubled`: something other than one network is to blame.
///
/// # Errors
/// If nothing is.
pub fn is_given_up(why: &str, is_troubled: bool) -> Verdict {
    if is_troubled { Ok(()) } else { Err(format!("the link is given up although a network is whole: {why}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_notices_messages_out_of_order_and_links_that_end_for_nothing() {
        brings(true).unwrap();
        brings(false).unwrap_err();
        is_given_up("cut", true).unwrap();
        is_given_up("cut", false).unwrap_err();
    }
}
