//! Requests that continue from what a provider keeps go to that provider.

use rstest::rstest;
use wayproof_ledger::ExchangeDetail;
use wayproof_testkit::{Captured, Provider as Scripted, Reply};

use crate::client::post;
use crate::stage::{Setting, Stage, keyed};

/// A provider that keeps answers under its own name, and knows no other.
async fn keeping(name: &'static str) -> Scripted {
    let handler = move |captured: &Captured| {
        let text = String::from_utf8_lossy(&captured.body);
        let names = [format!("\"resp_{name}\""), format!("\"conv_{name}\"")];
        let is_foreign = text.contains("_id\":\"") || text.contains("conversation\":\"");
        if is_foreign && !names.iter().any(|known| text.contains(known)) {
            let unknown =
                r#"{"error":{"code":"previous_response_not_found","message":"not found"}}"#;
            return Reply::json(400, unknown);
        }
        let answer = format!(
            r#"{{"id":"resp_{name}","object":"response","status":"completed","model":"m","output":[]}}"#
        );
        Reply::json(200, answer).with_header("x-request-id", "req_1")
    };
    Scripted::start(handler).await.unwrap()
}

async fn ask(stage: &Stage, model: &str, more: &str) -> (u16, ExchangeDetail) {
    let body = format!(
        r#"{{"model":"{model}","input":"fix the bug {model}{}"{more}}}"#,
        more.len()
    );
    let seen = post(stage.address, "/v1/responses", &[], body.as_bytes()).await;
    let detail = stage.settled(seen.exchange()).await;
    (seen.status, detail)
}

fn answerer(detail: &ExchangeDetail) -> String {
    let settled = detail.settled.as_ref().unwrap();
    let name = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{}/{}", name(&settled.provider), name(&settled.model))
}

#[rstest]
#[case::answer("", r#","previous_response_id":"resp_q""#, "resp_q")]
#[case::conversation(
    r#","conversation":"conv_q","store":false"#,
    r#","conversation":{"id":"conv_q"}"#,
    "conv_q"
)]
#[tokio::test]
async fn they_go_where_it_is_kept_also_after_a_restart(
    #[case] first: &str,
    #[case] then: &str,
    #[case] id: &str,
) {
    let (p, q) = (keeping("p").await, keeping("q").await);
    let providers = || Setting::at(vec![keyed("p", &p.url()), keyed("q", &q.url())]);
    let stage = providers().open().await;
    let (status, begun) = ask(&stage, "q/m", first).await;
    assert_eq!((status, answerer(&begun)), (200, "q/m".to_owned()));
    assert_eq!(begun.settled.as_ref().unwrap().kept.as_deref(), Some(id));

    // Without anything to continue from, the first target answers.
    let (status, other) = ask(&stage, "wayproof/class:fast", "").await;
    assert_eq!((status, answerer(&other)), (200, "p/fast-1".to_owned()));

    let (status, gone_on) = ask(&stage, "wayproof/class:fast", then).await;
    assert_eq!((status, answerer(&gone_on)), (200, "q/fast-1".to_owned()));
    assert_eq!(gone_on.exchange.session, begun.exchange.session);

    let stage = Stage::open(providers(), stage.stop().await).await;
    let (status, later) = ask(&stage, "wayproof/class:fast", then).await;
    assert_eq!((status, answerer(&later)), (200, "q/fast-1".to_owned()));
    assert_eq!(later.exchange.session, begun.exchange.session);
    stage.stop().await;
}

#[tokio::test]
async fn what_nobody_keeps_is_not_remembered() {
    let p = keeping("p").await;
    let stage = Setting::with(&p).open().await;
    let (_, detail) = ask(&stage, "p/m", r#","store":false"#).await;
    assert_eq!(detail.settled.unwrap().kept, None);
    // The provider's own word on an id that is not known here.
    let (status, _) = ask(&stage, "some-model", r#","previous_response_id":"resp_z""#).await;
    assert_eq!(status, 400);
    stage.stop().await;
}
