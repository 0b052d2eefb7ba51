//! What crosses to a provider and what does not.

use http::{HeaderMap, HeaderName, HeaderValue};
use rstest::rstest;
use secrecy::SecretString;
use wayproof_testkit::{Captured, Provider as Scripted, Reply};
use wayproof_upstream::{CallerCredential, Credential, Provider, ProviderError, Upstream};
use wayproof_wire::Protocols;

use crate::stage;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    map
}

async fn received(
    credential: Credential,
    caller: CallerCredential,
    sent: &[(&str, &str)],
) -> Captured {
    let scripted = Scripted::start(|_| Reply::json(200, "{}")).await.unwrap();
    let provider = Provider::new(
        "p",
        scripted.url().parse().unwrap(),
        Protocols::ALL,
        credential,
    )
    .unwrap();
    let upstream = Upstream::new(vec![provider], stage::quick()).unwrap();
    let (walked, _) = stage::ask(
        &upstream,
        &headers(sent),
        caller,
        &[stage::candidate("p", "{}")],
    )
    .await;
    stage::read(walked).await;
    scripted.captured().remove(0)
}

fn names(captured: &Captured) -> Vec<&str> {
    captured
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect()
}

#[tokio::test]
async fn headers_cross_in_order_but_for_the_hop_and_the_credentials() {
    let captured = received(
        Credential::Key(SecretString::from("sk-gateway")),
        CallerCredential::Own,
        &[
            ("host", "gateway.example"),
            ("x-first", "1"),
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "gone"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("te", "gzip, trailers"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic eA=="),
            ("expect", "100-continue"),
            ("content-length", "999"),
            ("anthropic-beta", "a,b"),
            ("user-agent", "claude-cli/2.1.330 (external, cli)"),
            ("accept-encoding", "gzip, br"),
            ("authorization", "Bearer sk-client"),
            ("x-api-key", "sk-client"),
            ("x-goog-api-key", "sk-client"),
            ("anthropic-beta", "c"),
            ("x-wayproof-key", "wp_job_1"),
            ("x-last", "caf\u{e9}"),
        ],
    )
    .await;
    assert_eq!(
        names(&captured),
        [
            "host",
            "x-first",
            "anthropic-beta",
            "anthropic-beta",
            "user-agent",
            "accept-encoding",
            "x-last",
            "te",
            "authorization",
            "content-length",
        ]
    );
    assert_eq!(captured.header("authorization"), Some("Bearer sk-gateway"));
    assert_eq!(captured.header("te"), Some("trailers"));
    assert_eq!(captured.header("content-length"), Some("2"));
    assert_ne!(captured.header("host"), Some("gateway.example"));
    assert_eq!(captured.path, "/v1/messages?beta=true");
}

#[tokio::test]
async fn a_clients_own_credential_passes_through_where_it_may() {
    let captured = received(
        Credential::PassThrough,
        CallerCredential::Own,
        &[
            ("authorization", "Bearer sk-ant-oat-client"),
            ("x-api-key", "wp_job_secret"),
            ("x-wayproof-key", "wp_job_secret"),
        ],
    )
    .await;
    assert_eq!(
        names(&captured),
        ["host", "authorization", "content-length"]
    );
    assert_eq!(
        captured.header("authorization"),
        Some("Bearer sk-ant-oat-client")
    );
}

#[rstest]
#[case::nothing(Credential::Nothing, CallerCredential::Own, "Bearer sk-client")]
#[case::gateway_key(Credential::PassThrough, CallerCredential::Gateway, "Bearer secret")]
#[case::virtual_key(Credential::PassThrough, CallerCredential::Own, "bearer  wp_job_x")]
#[tokio::test]
async fn no_credential_crosses_otherwise(
    #[case] credential: Credential,
    #[case] caller: CallerCredential,
    #[case] sent: &str,
) {
    let captured = received(credential, caller, &[("authorization", sent)]).await;
    assert_eq!(names(&captured), ["host", "content-length"]);
}

#[rstest]
#[case("", "/v1/messages?beta=true")]
#[case("/", "/v1/messages?beta=true")]
#[case("/v1", "/v1/messages?beta=true")]
#[case("/v1/", "/v1/messages?beta=true")]
#[case("/api", "/api/v1/messages?beta=true")]
#[case("/api/v1", "/api/v1/messages?beta=true")]
#[case("/v1beta", "/v1beta/v1/messages?beta=true")]
#[tokio::test]
async fn a_base_path_goes_before_and_a_version_is_not_said_twice(
    #[case] base: &str,
    #[case] expected: &str,
) {
    let scripted = Scripted::start(|_| Reply::json(200, "{}")).await.unwrap();
    let url = format!("{}{base}", scripted.url());
    let upstream = Upstream::new(vec![stage::keyed("p", &url)], stage::quick()).unwrap();
    let (walked, _) = stage::ask(
        &upstream,
        &HeaderMap::new(),
        CallerCredential::Own,
        &[stage::candidate("p", "{}")],
    )
    .await;
    stage::read(walked).await;
    assert_eq!(scripted.captured().remove(0).path, expected);
}

#[test]
fn a_provider_that_cannot_work_is_refused_at_once() {
    let make = |base: &'static str, key: &str| {
        let key = Credential::Key(SecretString::from(key.to_owned()));
        Provider::new("p", base.parse().unwrap(), Protocols::ALL, key).map(|_| ())
    };
    assert_eq!(
        make("ftp://example.com", "k").unwrap_err().to_string(),
        "provider p: ftp://example.com/ is not an http or https address with a host"
    );
    assert_eq!(
        make("https://example.com", "two\nlines"),
        Err(ProviderError::Key {
            name: "p".to_owned()
        })
    );
    let twice = vec![
        stage::keyed("p", "http://a.example"),
        stage::keyed("p", "http://b.example"),
    ];
    assert!(matches!(
        Upstream::new(twice, stage::quick()),
        Err(ProviderError::Twice { .. })
    ));
}

#[test]
fn a_key_is_not_shown_by_debug() {
    let shown = format!("{:?}", stage::keyed("p", "http://a.example"));
    assert!(!shown.contains("sk-gateway"), "{shown}");
}
