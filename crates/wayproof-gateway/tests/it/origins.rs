//! Sealed reasoning is shown to the provider that sealed it and to nobody else.

use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use wayproof_ledger::ExchangeSettled;
use wayproof_testkit::{Captured, Provider as Scripted, Reply};
use wayproof_wire::{AnswerForm, LossKind, Protocol};

use crate::client::{Seen, post};
use crate::dialect::path;
use crate::stage::{Setting, Stage, keyed};

/// A provider's error about a seal, in its own words.
fn refusal(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Messages => {
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: Invalid `signature` in `thinking` block"}}"#
        }
        Protocol::Responses => {
            r#"{"error":{"message":"The encrypted content gAAA... could not be verified.","code":"invalid_encrypted_content"}}"#
        }
        _ => {
            r#"{"error":{"code":400,"message":"Thought signature is not valid.","status":"INVALID_ARGUMENT"}}"#
        }
    }
}

/// What the model said, as it stands in the next request; with the seal in it.
fn said(protocol: Protocol, seal: &str) -> String {
    match protocol {
        Protocol::Messages => format!(
            r#"{{"role":"assistant","content":[{}{{"type":"tool_use","id":"t","name":"f","input":{{}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t","content":"1.0"}}]}}"#,
            sealed(protocol, seal)
        ),
        Protocol::Responses => format!(
            r#"{}{{"type":"function_call","call_id":"t","name":"f","arguments":"{{}}"}},{{"type":"function_call_output","call_id":"t","output":"1.0"}}"#,
            sealed(protocol, seal)
        ),
        _ => format!(
            r#"{{"role":"model","parts":[{{"functionCall":{{"name":"f","args":{{}}}},"thoughtSignature":"{seal}"}}]}},{{"role":"user","parts":[{{"functionResponse":{{"name":"f","response":{{}}}}}}]}}"#
        ),
    }
}

fn sealed(protocol: Protocol, seal: &str) -> String {
    match (protocol, seal) {
        (_, "") => String::new(),
        (Protocol::Messages, seal) => {
            format!(r#"{{"type":"thinking","thinking":"Hm.","signature":"{seal}"}},"#)
        }
        (_, seal) => {
            format!(r#"{{"type":"reasoning","summary":[],"encrypted_content":"{seal}"}},"#)
        }
    }
}

/// A request after these answers; an empty seal is none.
fn request(protocol: Protocol, model: &str, seals: &[&str]) -> String {
    let said: Vec<String> = seals
        .iter()
        .map(|seal| format!(",{}", said(protocol, seal)))
        .collect();
    let said = said.concat();
    match protocol {
        Protocol::Messages => format!(
            r#"{{"model":"{model}","max_tokens":64,"messages":[{{"role":"user","content":"count"}}{said}],"x":1e2}}"#
        ),
        Protocol::Responses => format!(
            r#"{{"model":"{model}","store":false,"input":[{{"role":"user","content":"count"}}{said}],"x":1e2}}"#
        ),
        _ => format!(
            r#"{{"contents":[{{"role":"user","parts":[{{"text":"count"}}]}}{said}],"x":1e2}}"#
        ),
    }
}

fn answer(protocol: Protocol, seal: &str) -> String {
    match protocol {
        Protocol::Messages => format!(
            r#"{{"id":"msg","type":"message","role":"assistant","model":"m","content":[{{"type":"thinking","thinking":"Hm.","signature":"{seal}"}},{{"type":"tool_use","id":"t","name":"f","input":{{}}}}],"stop_reason":"tool_use","usage":{{"input_tokens":1,"output_tokens":1}}}}"#
        ),
        Protocol::Responses => format!(
            r#"{{"id":"resp","status":"completed","model":"m","output":[{{"type":"reasoning","summary":[],"encrypted_content":"{seal}"}},{{"type":"function_call","call_id":"t","name":"f","arguments":"{{}}"}}]}}"#
        ),
        _ => format!(
            r#"{{"candidates":[{{"content":{{"role":"model","parts":[{{"functionCall":{{"name":"f","args":{{}}}},"thoughtSignature":"{seal}"}}]}},"finishReason":"STOP"}}],"modelVersion":"m"}}"#
        ),
    }
}

/// A provider that refuses every seal but its own, and seals what it says.
async fn sealing(protocol: Protocol, name: &'static str) -> Scripted {
    let count = AtomicUsize::new(0);
    let handler = move |captured: &Captured| {
        let text = String::from_utf8_lossy(&captured.body);
        let mut seals = text.split("seal-of-").skip(1);
        if seals.any(|rest| !rest.starts_with(name)) {
            return Reply::json(400, refusal(protocol));
        }
        let number = count.fetch_add(1, Ordering::SeqCst);
        Reply::json(200, answer(protocol, &format!("seal-of-{name}-{number}")))
    };
    Scripted::start(handler).await.unwrap()
}

async fn ask(
    stage: &Stage,
    protocol: Protocol,
    model: &str,
    seals: &[&str],
) -> (Seen, ExchangeSettled) {
    let body = request(protocol, model, seals);
    let path = path(protocol, model, AnswerForm::Whole);
    let seen = post(
        stage.address,
        &path,
        &[("x-session-id", "s1")],
        body.as_bytes(),
    )
    .await;
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    (seen, settled)
}

fn lost(settled: &ExchangeSettled) -> Option<u32> {
    let mut losses = settled.losses.iter();
    losses
        .find(|loss| loss.kind == LossKind::Thinking)
        .map(|loss| loss.times)
}

fn last_body(scripted: &Scripted) -> String {
    let body = scripted.captured().pop().unwrap().body;
    String::from_utf8(body.to_vec()).unwrap()
}

/// What Gemini is shown in the place of another's signature.
fn gone(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Gemini => "skip_thought_signature_validator",
        _ => "",
    }
}

#[rstest]
#[case(Protocol::Messages)]
#[case(Protocol::Responses)]
#[case(Protocol::Gemini)]
#[tokio::test]
async fn each_provider_is_shown_its_own_seals_also_after_a_restart(#[case] protocol: Protocol) {
    let (p, q) = (sealing(protocol, "p").await, sealing(protocol, "q").await);
    let providers = || Setting::at(vec![keyed("p", &p.url()), keyed("q", &q.url())]);
    let stage = providers().open().await;
    let none = gone(protocol);
    let (_, settled) = ask(&stage, protocol, "p/m", &[]).await;
    assert_eq!((settled.seals.len(), lost(&settled)), (1, None));

    let (seen, settled) = ask(&stage, protocol, "q/m", &["seal-of-p-0"]).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!((settled.attempts.len(), lost(&settled)), (1, Some(1)));
    assert_eq!(last_body(&q), request(protocol, "m", &[none]));

    let both = ["seal-of-p-0", "seal-of-q-0"];
    let (_, settled) = ask(&stage, protocol, "p/m", &both).await;
    assert_eq!((settled.attempts.len(), lost(&settled)), (1, Some(1)));
    assert_eq!(
        last_body(&p),
        request(protocol, "m", &["seal-of-p-0", none])
    );

    let data = stage.stop().await;
    let stage = Stage::open(providers(), data).await;
    let all = ["seal-of-p-0", "seal-of-q-0", "seal-of-p-1"];
    let (seen, settled) = ask(&stage, protocol, "q/m", &all).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!((settled.attempts.len(), lost(&settled)), (1, Some(2)));
    assert_eq!(
        last_body(&q),
        request(protocol, "m", &[none, "seal-of-q-0", none])
    );
    stage.stop().await;
}

#[rstest]
#[case(Protocol::Messages)]
#[case(Protocol::Responses)]
#[case(Protocol::Gemini)]
#[tokio::test]
async fn a_seal_of_unknown_origin_that_is_refused_is_left_out_once_and_for_all(
    #[case] protocol: Protocol,
) {
    let p = sealing(protocol, "p").await;
    let stage = Setting::with(&p).open().await;
    let (_, first) = ask(&stage, protocol, "p/m", &["seal-of-x-7"]).await;
    let faults: Vec<_> = first
        .attempts
        .iter()
        .map(|tried| (tried.status, tried.fault.as_deref()))
        .collect();
    assert_eq!(
        faults,
        [(Some(400), Some("foreign-seal")), (Some(200), None)]
    );
    assert_eq!(lost(&first), Some(1));
    assert_eq!(last_body(&p), request(protocol, "m", &[gone(protocol)]));

    let (_, second) = ask(&stage, protocol, "p/m", &["seal-of-x-7", "seal-of-p-0"]).await;
    assert_eq!((second.attempts.len(), lost(&second)), (1, Some(1)));
    let kept = [gone(protocol), "seal-of-p-0"];
    assert_eq!(last_body(&p), request(protocol, "m", &kept));
    stage.stop().await;
}

#[tokio::test]
async fn what_is_refused_for_another_reason_stays_refused() {
    const WORDS: &str = r#"{"type":"error","error":{"message":"caf\u00e9: max_tokens"}}"#;
    let p = Scripted::start(|_| Reply::json(400, WORDS)).await.unwrap();
    let q = Scripted::start(|_| Reply::json(400, refusal(Protocol::Messages)))
        .await
        .unwrap();
    let stage = Setting::at(vec![keyed("p", &p.url()), keyed("q", &q.url())])
        .open()
        .await;
    let (seen, settled) = ask(&stage, Protocol::Messages, "p/m", &["seal-of-x-7"]).await;
    assert_eq!((seen.status, seen.text().as_str()), (400, WORDS));
    assert_eq!((settled.attempts.len(), lost(&settled)), (1, None));
    // Without a seal there is nothing to leave out, and a second refusal is the answer.
    for (seals, tries) in [(&[][..], 1), (&["seal-of-y-7"][..], 2)] {
        let (seen, settled) = ask(&stage, Protocol::Messages, "q/m", seals).await;
        let words = refusal(Protocol::Messages);
        assert_eq!((seen.status, seen.text().as_str()), (400, words));
        assert_eq!(settled.attempts.len(), tries);
        assert_eq!(settled.outcome.as_str(), "failed");
    }
    stage.stop().await;
}
