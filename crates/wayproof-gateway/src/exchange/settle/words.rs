//! What upstream says of an exchange, in the ledger's words.

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, request};
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

/// The gateway's address by the name under which it was asked; empty where none can be told.
pub(super) fn base(head: &request::Parts) -> String {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| head.uri.authority().map(Authority::as_str));
    let authority = host.and_then(|host| host.parse::<Authority>().ok());
    let Some(authority) = authority.filter(|authority| !authority.as_str().contains('@')) else {
        return String::new();
    };
    let is_encrypted = head
        .headers
        .get("x-forwarded-proto")
        .is_some_and(|protocol| protocol.as_bytes() == b"https");
    let scheme = if is_encrypted { "https" } else { "http" };
    format!("{scheme}://{authority}")
}

/// Where the dashboard, at the gateway's address, tells of the job, or else of the exchange.
pub(super) fn page(base: &str, job: Option<&str>, exchange: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match job.filter(|job| !job.is_empty() && job.bytes().all(is_plain)) {
        Some(job) => format!("{base}/jobs/{job}"),
        None => format!("{base}/exchanges/{exchange}"),
    }
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
        AttemptFault::Unspoken => "unspoken",
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

#[cfg(test)]
mod tests {
    use http::Request;

    use super::{base, page};

    fn of(headers: &[(&str, &str)]) -> String {
        let mut request = Request::builder().uri("/v1/messages");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        base(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_page_is_where_the_client_found_the_gateway() {
        assert_eq!(of(&[("host", "localhost:4417")]), "http://localhost:4417");
        let behind = [("host", "ai.example.org"), ("x-forwarded-proto", "https")];
        assert_eq!(of(&behind), "https://ai.example.org");
        for strange in ["", "a b", "u@evil.example", "x/y", "x\"y"] {
            assert_eq!(of(&[("host", strange)]), "", "{strange}");
        }
        assert_eq!(
            page("http://[::1]:1", Some("a-1"), "e"),
            "http://[::1]:1/jobs/a-1"
        );
        assert_eq!(page("", Some("a/../b"), "e"), "/exchanges/e");
    }
}
