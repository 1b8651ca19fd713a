//! The rules that the judge knows.

use serde::{Deserialize, Serialize};

/// A rule that a message of the server broke, or that a missing message breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A response that no request asked for (RFC 3261 17.2).
    AnswerToNothing,
    /// A response whose From, Call-ID, CSeq or Via is not the request's (RFC 3261 8.2.6.2).
    NotEchoed,
    /// A response beyond 100 without a To tag (RFC 3261 8.2.6.2).
    NoTag,
    /// A To tag other than in the request, or than in an earlier response (RFC 3261 8.2.6.2, 12.1.1).
    TagChanged,
    /// Two different final answers to one request (RFC 3261 17.2.1, 17.2.2).
    SecondFinal,
    /// The same final answer again, but not the same bytes (RFC 3261 17.2.1, 17.2.2, 13.3.1.4). A challenge may have
    /// another nonce (26.3.2.4).
    FinalChanged,
    /// A provisional answer after the final one (RFC 3261 17.2.1).
    ProvisionalAfterFinal,
    /// A 2xx to an INVITE without Contact (RFC 3261 12.1.1).
    NoContact,
    /// 481 to a request inside a dialog that lives (RFC 3261 12.2.2).
    LiveDialogDenied,
    /// A request sent again with other bytes (RFC 3261 17.1.1.2, 17.1.2.2).
    RequestChanged,
    /// A new request of a dialog whose CSeq is not higher than the last (RFC 3261 12.2.1.1).
    CSeqNotRising,
    /// An INVITE while the server's last one in that dialog is open (RFC 3261 14.1).
    SecondInvite,
    /// A new request in a dialog that has been ended by BYE (RFC 3261 15.1).
    AfterBye,
    /// CANCEL before any provisional answer to its INVITE, or without INVITE (RFC 3261 9.1).
    CancelTooSoon,
    /// ACK without a final answer to acknowledge (RFC 3261 13.2.2.4, 17.1.1.3).
    AckOfNothing,
    /// A final answer to the server's INVITE that it never acknowledged (RFC 3261 13.2.2.4, 17.1.1.3).
    NeverAcknowledged,
    /// A call offered to somebody who takes one at a time and has one.
    TakenTwice,
    /// A request that never had a final answer (RFC 3261 17.2).
    NeverAnswered,
    /// A dialog that nobody ended.
    NeverEnded,
}
