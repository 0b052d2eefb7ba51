//! Puts a call on stage: providers at addresses, one request, and what came back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use secrecy::SecretString;
use tokio::time::Instant;
use wayproof_upstream::{
    AttemptRecord, Call, CallerCredential, Candidate, Content, Credential, Provider, RetryLimits,
    Settings, Upstream, Walked, walk,
};
use wayproof_wire::{Protocol, Protocols};

/// Settings whose waits are too short to notice.
pub(crate) fn quick() -> Settings {
    Settings {
        retry: RetryLimits {
            retries: 1,
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(50),
        },
        ..Settings::default()
    }
}

/// A provider that is shown the gateway's key.
pub(crate) fn keyed(name: &str, url: &str) -> Provider {
    let key = Credential::Key(SecretString::from("sk-gateway"));
    Provider::new(name, url.parse().unwrap(), Protocols::ALL, key).unwrap()
}

pub(crate) fn candidate(provider: &str, body: &'static str) -> Candidate {
    Candidate {
        provider: provider.to_owned(),
        model: "some-model".to_owned(),
        protocol: Protocol::Messages,
        path_and_query: "/v1/messages?beta=true".parse().unwrap(),
        headers: None,
        body: Content::Ready(vec![Bytes::from_static(body.as_bytes())]),
    }
}

pub(crate) async fn ask(
    upstream: &Upstream,
    headers: &HeaderMap,
    caller: CallerCredential,
    candidates: &[Candidate],
) -> (Walked, Vec<AttemptRecord>) {
    let mut records = Vec::new();
    let call = Call {
        method: &Method::POST,
        headers,
        caller,
        deadline: Instant::now() + Duration::from_secs(20),
    };
    let walked = walk(upstream, &call, candidates, &mut records).await;
    (walked, records)
}

/// Reads an answer to its end: which candidate, status and body.
pub(crate) async fn read(walked: Walked) -> (usize, u16, Bytes) {
    let Walked::Answered {
        response,
        candidate,
    } = walked
    else {
        panic!("nobody answered: {walked:?}");
    };
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (candidate, status, body)
}
