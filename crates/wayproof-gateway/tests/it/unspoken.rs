//! Providers of which nobody said what they speak: what they have no address for is asked in another protocol.

use rstest::rstest;
use wayproof_ledger::ExchangeSettled;
use wayproof_testkit::{Captured, Provider as Scripted, Reply};
use wayproof_wire::{AnswerForm, Protocol};

use crate::client::{Seen, post};
use crate::dialect::{answer, path, request};
use crate::stage::{Setting, Stage};

/// A provider with one address, and with no model of the name `none`.
async fn speaking(protocol: Protocol) -> Scripted {
    let handler = move |captured: &Captured| {
        if captured.path != path(protocol, "m", AnswerForm::Whole) {
            return Reply::json(404, r#"{"detail":"Not Found"}"#);
        }
        answer(protocol, captured)
    };
    Scripted::start(handler).await.unwrap()
}

async fn ask(stage: &Stage, protocol: Protocol) -> (Seen, ExchangeSettled) {
    let path = path(protocol, "p/m", AnswerForm::Whole);
    let body = request(protocol, "p/m", AnswerForm::Whole, None);
    let seen = post(stage.address, &path, &[], body.as_bytes()).await;
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    (seen, settled)
}

fn tries(settled: &ExchangeSettled) -> Vec<(Option<u16>, Option<&str>)> {
    let tries = settled.attempts.iter();
    tries
        .map(|tried| (tried.status, tried.fault.as_deref()))
        .collect()
}

#[rstest]
#[case(Protocol::Responses)]
#[case(Protocol::Messages)]
#[tokio::test]
async fn what_has_no_address_is_asked_in_chat_from_then_on(#[case] client: Protocol) {
    let provider = speaking(Protocol::Chat).await;
    let stage = Setting::with(&provider).open().await;
    let (seen, settled) = ask(&stage, client).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(settled.asked_in, Some(Protocol::Chat));
    assert_eq!(
        tries(&settled),
        [(Some(404), Some("unspoken")), (Some(200), None)]
    );
    let (seen, settled) = ask(&stage, client).await;
    assert_eq!((seen.status, settled.asked_in), (200, Some(Protocol::Chat)));
    assert_eq!(tries(&settled), [(Some(200), None)]);
    stage.stop().await;
}

#[tokio::test]
async fn one_after_the_other_is_tried_and_the_last_word_is_the_providers() {
    let provider = speaking(Protocol::Gemini).await;
    let stage = Setting::with(&provider).open().await;
    let (seen, settled) = ask(&stage, Protocol::Responses).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(settled.asked_in, Some(Protocol::Gemini));
    let last = tries(&settled).pop();
    assert_eq!(last, Some((Some(200), None)));
    stage.stop().await;

    let nothing = Scripted::start(|_| Reply::json(404, r#"{"detail":"Not Found"}"#))
        .await
        .unwrap();
    let stage = Setting::with(&nothing).open().await;
    let (seen, _) = ask(&stage, Protocol::Messages).await;
    assert_eq!(seen.status, 404, "{}", seen.text());
    stage.stop().await;
}

#[tokio::test]
async fn a_model_that_is_missing_stays_missing() {
    const WORDS: &str = r#"{"error":{"message":"The model `m` does not exist"}}"#;
    let provider = Scripted::start(|_| Reply::json(404, WORDS)).await.unwrap();
    let stage = Setting::with(&provider).open().await;
    let (seen, settled) = ask(&stage, Protocol::Responses).await;
    assert_eq!((seen.status, seen.text().as_str()), (404, WORDS));
    assert_eq!(tries(&settled), [(Some(404), None)]);
    stage.stop().await;
}
