//! What upstream says of an exchange, in the ledger's words.

use http::HeaderMap;
use wayproof_ledger::AttemptRecord;
use wayproof_upstream::{AttemptFault, AttemptRecord as Tried};
use wayproof_wire::Stop;

use super::REQUEST_ID;

/// The provider's own name for the exchange, where it gives one.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = headers
        .get(REQUEST_ID)
        .or_else(|| headers.get("x-request-id"))?;
    value.to_str().ok().map(ToOwned::to_owned)
}

pub(super) fn tried_at(tried: Tried, began_us: i64) -> AttemptRecord {
    AttemptRecord {
        provider: tried.provider,
        model: tried.model,
        status: tried.status,
        started_us: began_us.saturating_add(tried.started_us),
        ttfb_us: tried.ttfb_us,
        fault: tried.fault.map(|fault| fault_name(fault).to_owned()),
    }
}

const fn fault_name(fault: AttemptFault) -> &'static str {
    match fault {
        AttemptFault::Connect => "connect",
        AttemptFault::Broken => "broken",
        AttemptFault::TimedOut => "timed-out",
        AttemptFault::Status => "status",
        AttemptFault::BreakerOpen => "breaker-open",
        AttemptFault::Abandoned => "abandoned",
        AttemptFault::Misdirected => "misdirected",
        AttemptFault::Unsayable => "unsayable",
        AttemptFault::Credential => "credential",
        AttemptFault::ForeignSeal => "foreign-seal",
    }
}

pub(super) fn stop_name(stop: Stop) -> String {
    match stop {
        Stop::End => "end",
        Stop::ToolUse => "tool-use",
        Stop::Length => "length",
        Stop::Refusal => "refusal",
        Stop::Other => "other",
    }
    .to_owned()
}
