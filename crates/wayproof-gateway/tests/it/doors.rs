//! Who may come in, and the doors that are not exchanges.

use rstest::rstest;
use tokio::net::TcpListener;
use wayproof_gateway::{CallerKey, KeyDigest, ServeError};
use wayproof_testkit::{Provider as Scripted, Reply};

use crate::client::{Wire, get, post};
use crate::stage::{MESSAGE, Setting, Stage, asking};

const KEY: &str = "wp_team_secret";

async fn open_for(keys: &[&str]) -> (Stage, Scripted) {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let mut setting = Setting::with(&scripted);
    setting.settings.keys = keys
        .iter()
        .map(|key| CallerKey {
            name: "team".to_owned(),
            digest: KeyDigest::of(key.as_bytes()),
        })
        .collect();
    (setting.open().await, scripted)
}

#[rstest]
#[case::bearer(&[("authorization", "Bearer wp_team_secret")], 200)]
#[case::lower_case(&[("authorization", "bearer wp_team_secret")], 200)]
#[case::api_key(&[("x-api-key", "wp_team_secret")], 200)]
#[case::beside(&[("x-wayproof-key", "wp_team_secret"), ("authorization", "Bearer sk-own")], 200)]
#[case::wrong(&[("authorization", "Bearer wp_team_secreu")], 401)]
#[case::prefix(&[("authorization", "Bearer wp_team_secre")], 401)]
#[case::own_credential(&[("authorization", "Bearer sk-own")], 401)]
#[case::none(&[], 401)]
#[tokio::test]
async fn a_configured_key_is_needed(#[case] headers: &[(&str, &str)], #[case] status: u16) {
    let (stage, scripted) = open_for(&["wp_other", KEY]).await;
    let sent = asking("p/m", "hi");
    let seen = post(stage.address, "/v1/messages", headers, sent.as_bytes()).await;
    assert_eq!(seen.status, status, "{}", seen.text());
    assert_eq!(
        get(stage.address, "/v1/models", headers).await.status,
        status
    );
    assert_eq!(get(stage.address, "/metrics", headers).await.status, status);
    for captured in scripted.captured() {
        assert_eq!(captured.header("authorization"), Some("Bearer sk-gateway"));
        let text = format!("{captured:?}");
        assert!(
            !text.contains("wp_team") && !text.contains("sk-own"),
            "{text}"
        );
    }
    stage.stop().await;
}

#[tokio::test]
async fn without_configured_keys_this_machine_may_call_with_any_credential_but_a_false_key() {
    let (stage, _scripted) = open_for(&[]).await;
    let sent = asking("p/m", "hi");
    for (headers, status) in [
        (&[][..], 200),
        (&[("authorization", "Bearer sk-own")][..], 200),
        (&[("x-api-key", "dummy")][..], 200),
        (&[("authorization", "Bearer wp_team_secret")][..], 401),
        (&[("authorization", "Bearer wp_job_none_00")][..], 401),
        (&[("x-wayproof-key", "anything")][..], 401),
    ] {
        let seen = post(stage.address, "/v1/messages", headers, sent.as_bytes()).await;
        assert_eq!(seen.status, status, "{headers:?}: {}", seen.text());
    }
    stage.stop().await;
}

#[rstest]
#[case::page(&[("origin", "https://evil.example")], 403)]
#[case::local_page(&[("origin", "http://localhost:3000")], 200)]
#[case::editor(&[("origin", "vscode-webview://abc")], 200)]
#[tokio::test]
async fn web_pages_are_turned_away(#[case] headers: &[(&str, &str)], #[case] status: u16) {
    let (stage, _scripted) = open_for(&[]).await;
    let sent = asking("p/m", "hi");
    let seen = post(stage.address, "/v1/messages", headers, sent.as_bytes()).await;
    assert_eq!(seen.status, status);
    assert_eq!(
        get(stage.address, "/v1/models", headers).await.status,
        status
    );
    stage.stop().await;
}

#[rstest]
#[case::rebound("evil.example", 403)]
#[case::rebound_with_port("evil.example:80", 403)]
#[case::looks_local("localhost.evil.example", 403)]
#[case::name("LOCALHOST:4417", 200)]
#[case::address("127.0.0.1:4417", 200)]
#[case::six("[::1]:4417", 200)]
#[tokio::test]
async fn a_name_that_was_made_to_point_here_is_turned_away(
    #[case] host: &str,
    #[case] status: u16,
) {
    let (stage, _scripted) = open_for(&[]).await;
    let mut wire = Wire::open(stage.address).await;
    wire.write(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes())
        .await;
    assert_eq!(wire.answer().await.status, status);
    stage.stop().await;
}

#[tokio::test]
async fn an_address_for_other_machines_needs_a_key() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let setting = Setting::with(&scripted);
    let data = tempfile::TempDir::new().unwrap();
    let gateway = crate::stage::gateway(setting, &data).await;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let error = gateway
        .serve(listener, std::future::ready(()))
        .await
        .unwrap_err();
    assert!(matches!(error, ServeError::NeedsKey(_)));
    assert!(
        error.to_string().contains("a key for callers is needed"),
        "{error}"
    );
}

#[tokio::test]
async fn models_are_listed_in_the_askers_dialect() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let mut setting = Setting::with(&scripted);
    setting
        .providers
        .push(crate::stage::keyed("ollama", &scripted.url()));
    setting.served = vec![("ollama", "qwen3-coder")];
    let stage = setting.open().await;
    let ids = |text: &str| -> Vec<String> {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let data = value["data"].as_array().unwrap();
        data.iter()
            .map(|entry| entry["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let version = [("anthropic-version", "2023-06-01")];
    let anthropic = get(stage.address, "/v1/models?limit=1000", &version)
        .await
        .text();
    let openai = get(stage.address, "/v1/models", &[]).await.text();
    assert!(anthropic.contains("has_more") && openai.contains("\"object\":\"list\""));
    assert_eq!(ids(&anthropic), ids(&openai));
    for wanted in [
        "claude-wayproof-auto",
        "wayproof/auto",
        "wayproof/bug-fix",
        "ollama/qwen3-coder",
    ] {
        assert!(
            ids(&openai).contains(&wanted.to_owned()),
            "{wanted}: {openai}"
        );
    }
    stage.stop().await;
}

/// What a list or one of its entries says of a model's window.
fn window(entry: &serde_json::Value) -> Option<u64> {
    let names = ["max_input_tokens", "context_length", "inputTokenLimit"];
    names.iter().find_map(|name| entry[name].as_u64())
}

const WINDOWS: &str = r#"
version = 1
[class.fast]
targets = ["anthropic/claude-haiku-4-5"]
[class.strong]
targets = ["anthropic/claude-opus-5-5", "nobody/tiny"]
[class.max]
targets = ["anthropic/claude-opus-5-5"]
[task.migration]
route = "strong"
escalate = [{ on = "repeated-failure", to = "max" }]
"#;

#[rstest]
#[case::anthropic("/v1/models", Some(("anthropic-version", "2023-06-01")), "id", r#""type":"not_found_error""#)]
#[case::openai("/v1/models", None, "id", r#""code":"not_found""#)]
#[case::gemini("/v1beta/models", None, "name", r#""status":"NOT_FOUND""#)]
#[case::gemini_elsewhere("/v1/models", Some(("x-goog-api-key", "any")), "name", r#""status":"NOT_FOUND""#)]
#[tokio::test]
async fn a_model_is_shown_with_the_smallest_window_that_it_may_meet(
    #[case] path: &str,
    #[case] header: Option<(&str, &str)>,
    #[case] field: &str,
    #[case] missing: &str,
) {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let mut setting = Setting::at(vec![crate::stage::keyed("anthropic", &scripted.url())]);
    setting.policy = wayproof_engine::Policy::parse(WINDOWS, "wayproof.toml")
        .unwrap()
        .policy;
    let stage = setting.open().await;
    let headers: Vec<(&str, &str)> = header.into_iter().collect();
    let list = get(stage.address, path, &headers).await.text();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let listed = list["data"]
        .as_array()
        .or_else(|| list["models"].as_array());
    let listed = listed.unwrap();
    for (id, tokens) in [
        ("wayproof/auto", 200_000),
        ("wayproof/migration", 1_000_000),
        ("anthropic/claude-haiku-4-5", 200_000),
        ("anthropic/claude-opus-5-5", 1_000_000),
    ] {
        let prefix = if field == "name" { "models/" } else { "" };
        let name = format!("{prefix}{id}");
        let entry = listed.iter().find(|entry| entry[field] == name.as_str());
        let entry = entry.unwrap_or_else(|| panic!("{id} is not in {list}"));
        assert_eq!(window(entry), Some(tokens), "{entry}");
        let escaped = id.replace('/', "%2F");
        for id in [id, &escaped] {
            let one = get(stage.address, &format!("{path}/{id}"), &headers).await;
            let one: serde_json::Value = serde_json::from_str(&one.text()).unwrap();
            assert_eq!(&one, entry);
        }
    }
    let unlisted = format!("{path}/anthropic/new:1b");
    let unlisted = get(stage.address, &unlisted, &headers).await;
    assert_eq!(unlisted.status, 200, "{}", unlisted.text());
    let unlisted = serde_json::from_str(&unlisted.text()).unwrap();
    assert_eq!(window(&unlisted), None);
    let nothing = get(stage.address, &format!("{path}/nothing"), &headers).await;
    assert_eq!(nothing.status, 404);
    assert!(nothing.text().contains(missing), "{}", nothing.text());
    stage.stop().await;
}

#[tokio::test]
async fn the_doors_that_are_not_exchanges() {
    let (stage, scripted) = open_for(&[]).await;
    let address = stage.address;
    assert_eq!(get(address, "/", &[]).await.text(), r#"{"status":"ok"}"#);
    assert_eq!(
        get(address, "/health", &[]).await.text(),
        r#"{"status":"ok"}"#
    );

    let mut wire = Wire::open(address).await;
    wire.send("HEAD /", &[], b"").await;
    assert_eq!(wire.head().await.status, 200);

    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
    ];
    let seen = get(address, "/v1/responses", &upgrade).await;
    assert_eq!(seen.status, 426);
    assert!(
        seen.text().contains("POST /v1/responses"),
        "{}",
        seen.text()
    );

    let seen = get(address, "/v1/messages", &[]).await;
    assert_eq!((seen.status, seen.header("allow")), (405, Some("POST")));
    let seen = get(
        address,
        "/v1/nonsense",
        &[("anthropic-version", "2023-06-01")],
    )
    .await;
    assert_eq!(seen.status, 404);
    assert!(seen.text().contains("not_found_error"), "{}", seen.text());
    assert!(scripted.captured().is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn tokens_are_counted_by_the_provider_and_cost_nothing() {
    let scripted = Scripted::start(|_| Reply::json(200, r#"{"input_tokens":42}"#))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = asking("claude-opus-5-5", "why does it crash?");
    let path = "/v1/messages/count_tokens?beta=true";
    let seen = post(stage.address, path, &[], sent.as_bytes()).await;
    assert_eq!(seen.text(), r#"{"input_tokens":42}"#);
    assert_eq!(scripted.captured()[0].path, path);
    let detail = stage.settled(seen.exchange()).await;
    assert_eq!(
        detail.opened.unwrap().housekeeping.as_deref(),
        Some("count-tokens")
    );
    assert_eq!(detail.settled.unwrap().usage, None);
    assert_eq!(detail.exchange.job, None);
    stage.stop().await;
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let (stage, _scripted) = open_for(&[]).await;
    let sent = asking("p/m", "hi");
    for _ in 0..3 {
        let seen = post(stage.address, "/v1/messages", &[], sent.as_bytes()).await;
        stage.settled(seen.exchange()).await;
    }
    post(stage.address, "/v1/chat/completions", &[], b"{").await;
    let text = get(stage.address, "/metrics", &[]).await.text();
    for line in [
        r#"wayproof_exchanges_total{protocol="messages",outcome="completed"} 3"#,
        r#"wayproof_exchanges_total{protocol="messages",outcome="cut"} 0"#,
        r#"wayproof_faults_total{protocol="chat",kind="bad-request"} 1"#,
        r#"wayproof_tokens_total{bucket="input"} 30"#,
        r#"wayproof_tokens_total{bucket="output"} 15"#,
        "wayproof_open_exchanges 0",
        "wayproof_unpriced_answers_total 3",
        "wayproof_exchange_seconds_count 3",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn pages_beside_the_gateways_own_get_what_is_no_exchange() {
    use axum::extract::ConnectInfo;
    use axum::{Router, http::StatusCode, response::Html, routing::get as page};
    use std::net::SocketAddr;

    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let setting = Setting::with(&scripted);
    let stage = setting
        .open_with_pages(|glance| {
            assert!(
                glance.policy().is_none(),
                "nothing is there before the gateway is"
            );
            Router::new()
                .route(
                    "/",
                    page(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| {
                        Html(peer.ip().to_string())
                    }),
                )
                .route("/health", page(async || Html("a page")))
                .route(
                    "/lost",
                    page(async || (StatusCode::NOT_FOUND, Html("no such thing"))),
                )
        })
        .await;
    let browser = [("accept", "text/html,*/*")];
    assert_eq!(get(stage.address, "/", &browser).await.text(), "127.0.0.1");
    assert_eq!(
        get(stage.address, "/", &[]).await.text(),
        r#"{"status":"ok"}"#
    );
    assert_eq!(
        get(stage.address, "/health", &browser).await.text(),
        "a page"
    );
    assert_eq!(
        get(stage.address, "/health", &[]).await.text(),
        r#"{"status":"ok"}"#
    );
    assert_eq!(
        get(stage.address, "/lost", &browser).await.text(),
        "no such thing"
    );
    let lost = get(stage.address, "/v1/nothing", &[]).await;
    assert!(
        lost.status == 404 && lost.text().contains("there is nothing at /v1/nothing"),
        "{}",
        lost.text()
    );
    let admin = get(stage.address, "/wayproof/v1/health", &browser).await;
    assert_eq!(admin.status, 401, "the admin pages stay closed");
    stage.stop().await;
}
