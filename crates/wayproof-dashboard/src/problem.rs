//! What a page says when it cannot be shown: a title, one clear sentence, and a way on.
//!
//! The error travels in the response and is dressed as a page on its way out.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use wayproof_ledger::LedgerError;

/// Why there is no page.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) sentence: String,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        title: &'static str,
        sentence: impl Into<String>,
    ) -> Self {
        Self {
            status,
            title,
            sentence: sentence.into(),
        }
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        let id = crate::show::text::short(id);
        Self::new(
            StatusCode::NOT_FOUND,
            "Not found",
            format!("The ledger has no {what} “{id}”."),
        )
    }

    /// Whether it says that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    pub(crate) fn refused(sentence: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Refused", sentence)
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        // The reader gets a sentence; the log gets the chain, which may name places of the machine.
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a page could not be read"
        );
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The ledger cannot be read",
            "The ledger does not answer. The gateway's log says why.",
        )
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "a page could not be written");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The page cannot be shown",
            "The page could not be written. The gateway's log says why.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
