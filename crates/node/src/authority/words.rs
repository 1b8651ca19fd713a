//! What is said at the authority's door: a question and an answer, each a length (32 bits, big-endian) and JSON.

use std::io;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::visit::Welcome;
use crate::identity::Issued;
use crate::wire::Trouble;

/// The longest question, in bytes: it holds one request for a certificate, and anybody may ask.
pub(super) const LONGEST_QUESTION: u32 = 64 << 10;
/// The longest answer, in bytes: a welcome holds the configuration.
pub(super) const LONGEST_ANSWER: u32 = 4 << 20;

/// What a host wants.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Question {
    /// To join. Said only to an authority that has proved to be the one of the token.
    Join {
        /// The secret of the token.
        secret: String,
        /// The certificate signing request, as PEM.
        request: String,
        /// The host that this machine is already, in the same solution: it stays that one.
        #[serde(default)]
        was: Option<String>,
    },
    /// A new certificate, in place of the one that it has shown.
    Renew {
        /// The certificate signing request, as PEM.
        request: String,
    },
}

/// What the authority says to that.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// It is in.
    Joined(Box<Welcome>),
    /// The new certificate.
    Renewed(Box<Issued>),
    /// No, and why.
    Refused(Trouble),
}

/// Says it.
pub(super) async fn say(to: &mut (impl AsyncWrite + Unpin), what: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(what)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    to.write_u32(length).await?;
    to.write_all(&text).await?;
    to.flush().await
}

/// Hears it, as far as it comes, if it has no more than `longest` bytes.
pub(super) async fn hear<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin), longest: u32) -> io::Result<T> {
    let length = from.read_u32().await?;
    if length > longest {
        return Err(io::Error::other(format!("a message of {length} bytes is too long")));
    }
    let mut text = Vec::new();
    from.take(length.into()).read_to_end(&mut text).await?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::KeyRequest;

    #[test]
    fn a_question_is_heard_up_to_its_bound() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ask = |request: String| {
            runtime.block_on(async {
                let mut wire = Vec::new();
                say(&mut wire, &Question::Renew { request }).await.unwrap();
                hear::<Question>(&mut wire.as_slice(), LONGEST_QUESTION).await
            })
        };
        let usual = KeyRequest::new().unwrap().text().to_owned();
        assert!(usual.len() < 4_096, "{}", usual.len());
        ask(usual).unwrap();
        let long = ask("x".repeat(64 << 10)).unwrap_err();
        assert!(long.to_string().contains("is too long"), "{long}");
    }
}
