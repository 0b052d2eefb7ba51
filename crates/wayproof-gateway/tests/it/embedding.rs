//! Vectors: passed through to a provider that has them, and in the ledger.

use rstest::rstest;
use wayproof_testkit::{Provider as Scripted, Reply};
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{Protocol, Protocols};

use crate::client::post;
use crate::stage::Setting;

const OPENAI: &str = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-2e-3]}],"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}"#;
const OLLAMA: &str = r#"{"model":"m","embeddings":[[0.1]],"prompt_eval_count":8}"#;

#[rstest]
#[case(
    "/v1/embeddings",
    r#"{"input":["a","b"],"model":"p/m","dimensions":2}"#,
    OPENAI,
    "/v1/embeddings",
    Some(8)
)]
#[case(
    "/api/embed",
    r#"{"model":"p/m","input":"a"}"#,
    OLLAMA,
    "/api/embed",
    Some(8)
)]
#[case(
    "/api/embeddings",
    r#"{"model":"p/m","prompt":"a"}"#,
    r#"{"embedding":[0.5]}"#,
    "/api/embeddings",
    None
)]
#[case(
    "/v1beta/models/p/m:embedContent",
    r#"{"content":{"parts":[{"text":"a"}]}}"#,
    r#"{"embedding":{"values":[0.5]}}"#,
    "/v1beta/models/m:embedContent",
    None
)]
#[case(
    "/v1beta/models/p/m:batchEmbedContents",
    r#"{"requests":[{"model":"models/p/m","content":{}},{"model":"models/p/m","content":{}}]}"#,
    r#"{"embeddings":[{"values":[0.5]}]}"#,
    "/v1beta/models/m:batchEmbedContents",
    None
)]
#[tokio::test]
async fn a_provider_that_has_them_gets_it_as_it_came(
    #[case] path: &str,
    #[case] sent: &str,
    #[case] answered: &'static str,
    #[case] asked: &str,
    #[case] tokens: Option<u64>,
) {
    let scripted = Scripted::start(move |_| Reply::json(200, answered))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let seen = post(stage.address, path, &[], sent.as_bytes()).await;
    assert_eq!(seen.text(), answered);
    let captured = scripted.captured().remove(0);
    assert_eq!(captured.path, asked);
    assert_eq!(captured.body, sent.replace("p/m", "m"));
    let detail = stage.settled(seen.exchange()).await;
    let opened = detail.opened.unwrap();
    assert_eq!(opened.housekeeping.as_deref(), Some("embedding"));
    assert_eq!(detail.exchange.job, None);
    let settled = detail.settled.unwrap();
    assert_eq!(settled.outcome.as_str(), "completed");
    let usage = settled.usage.map(|usage| (usage.input, usage.output));
    assert_eq!(usage, tokens.map(|tokens| (Some(tokens), Some(0))));
    stage.stop().await;
}

#[rstest]
#[case::routed("wayproof/auto", "is no model of embeddings")]
#[case::elsewhere("p/m", "speaks messages")]
#[case::nobody("text-embedding-3-small", "no provider at hand serves")]
#[tokio::test]
async fn vectors_are_never_routed_nor_translated(#[case] model: &str, #[case] words: &str) {
    let scripted = Scripted::start(|_| Reply::json(200, OPENAI)).await.unwrap();
    let url = scripted.url().parse().unwrap();
    let only = Protocols::of(&[Protocol::Messages]);
    let provider = Provider::new("p", url, only, Credential::Nothing).unwrap();
    let stage = Setting::at(vec![provider]).open().await;
    let sent = format!(r#"{{"model":"{model}","input":"a"}}"#);
    let seen = post(stage.address, "/v1/embeddings", &[], sent.as_bytes()).await;
    assert_eq!(seen.status, 400, "{}", seen.text());
    assert!(seen.text().contains(words), "{}", seen.text());
    let seen = post(stage.address, "/api/embed", &[], sent.as_bytes()).await;
    assert!(seen.text().starts_with(r#"{"error":"#), "{}", seen.text());
    assert!(scripted.captured().is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn a_model_of_no_name_goes_to_the_first_that_speaks_it() {
    let first = Scripted::start(|_| Reply::json(500, "{}")).await.unwrap();
    let second = Scripted::start(|_| Reply::json(200, OPENAI)).await.unwrap();
    let make = |name: &str, scripted: &Scripted, protocol| {
        let only = Protocols::of(&[protocol]);
        Provider::new(
            name,
            scripted.url().parse().unwrap(),
            only,
            Credential::Nothing,
        )
        .unwrap()
    };
    let providers = vec![
        make("a", &first, Protocol::Messages),
        make("b", &second, Protocol::Chat),
    ];
    let stage = Setting::at(providers).open().await;
    let sent = br#"{"model":"text-embedding-3-small","input":"a"}"#;
    let seen = post(stage.address, "/v1/embeddings", &[], sent).await;
    assert_eq!(
        seen.header("x-wayproof-target"),
        Some("b/text-embedding-3-small")
    );
    assert!(first.captured().is_empty());
    stage.stop().await;
}
