//! What the interface says when it cannot do as it was asked.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::wire::Trouble;

/// A status and an error for people: `{"error": {"what": "...", "do": "..."}}`.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    trouble: Trouble,
}

impl Refusal {
    /// The request itself is wrong.
    pub(super) fn wrong(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, trouble: Trouble::new(what, remedy) }
    }

    /// There is nothing of that name.
    pub(super) fn unknown(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, trouble: Trouble::new(what, remedy) }
    }

    /// A server has refused.
    pub(super) fn refused(trouble: Trouble) -> Self {
        Self { status: StatusCode::CONFLICT, trouble }
    }

    /// Nobody is there to do it now.
    pub(super) fn unavailable(trouble: Trouble) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, trouble }
    }

    /// The same under another status.
    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.trouble }))).into_response()
    }
}
