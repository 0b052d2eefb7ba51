//! Providers that refuse what nearly every agent sends.

use serde_json::Value;
use wayproof_testkit::{Captured, Provider as Scripted, Reply};
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{AnswerForm, ChatHabits, Protocol, Protocols};

use crate::client::post;
use crate::dialect::{answer, request};
use crate::stage::{Setting, Stage};

const HABITS: ChatHabits = ChatHabits {
    refused: &["stream_options", "seed"],
    has_short_ids: true,
    is_told_by_system: true,
    has_old_limit: true,
};

/// A provider that refuses as Mistral does, and one that takes everything.
async fn strict() -> (Stage, Scripted) {
    let scripted = Scripted::start(|captured: &Captured| {
        let body: Value = serde_json::from_slice(&captured.body).unwrap();
        let is_strict = body["model"] == "strict";
        let ids = body["messages"].as_array().unwrap().iter();
        let mut ids = ids.filter_map(|message| message["tool_call_id"].as_str());
        let is_refused = body.get("stream_options").is_some()
            || body.get("seed").is_some()
            || body.get("max_completion_tokens").is_some()
            || body["messages"][0]["role"] == "developer"
            || ids.any(|id| id.len() != 9);
        if is_strict && is_refused {
            return Reply::json(422, r#"{"message":"Extra inputs are not permitted"}"#);
        }
        answer(Protocol::Chat, captured)
    })
    .await
    .unwrap();
    let provider = |name: &str| {
        let url = scripted.url().parse().unwrap();
        let chat = Protocols::of(&[Protocol::Chat]);
        Provider::new(name, url, chat, Credential::Nothing).unwrap()
    };
    let providers = vec![provider("s").with_habits(HABITS), provider("p")];
    (Setting::at(providers).open().await, scripted)
}

#[tokio::test]
async fn a_field_that_is_refused_is_left_out_and_the_rest_stays_as_it_came() {
    let (stage, scripted) = strict().await;
    let sent = r#"{ "stream_options" : {"include_usage": true},"model":"s/strict", "x" : 1.0,"seed":7 ,"messages":[{"role":"user","content":"hi"}], "stream":true, "seed":8}"#;
    let path = "/v1/chat/completions";
    let packed = zstd::encode_all(sent.as_bytes(), 1).unwrap();
    let encoding = [("content-encoding", "zstd")];
    for (headers, body) in [(&[][..], sent.as_bytes()), (&encoding[..], &packed)] {
        let seen = post(stage.address, path, headers, body).await;
        assert_eq!(seen.status, 200, "{}", seen.text());
        let captured = scripted.captured().pop().unwrap();
        assert_eq!(
            captured.body,
            r#"{ "model":"strict", "x" : 1.0 ,"messages":[{"role":"user","content":"hi"}], "stream":true}"#
        );
        assert_eq!(captured.header("content-encoding"), None);
        let settled = stage.settled(seen.exchange()).await.settled.unwrap();
        let lost: Vec<(&str, u32)> = settled
            .losses
            .iter()
            .map(|loss| (loss.name.as_str(), loss.times))
            .collect();
        assert_eq!(lost, [("stream_options", 1), ("seed", 2)]);
        assert_eq!(settled.asked_in, None);
    }
    let other = sent.replace("s/strict", "p/m");
    let seen = post(stage.address, path, &[], other.as_bytes()).await;
    let captured = scripted.captured().pop().unwrap();
    assert_eq!(captured.body, sent.replace("s/strict", "m"));
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.losses, []);
    stage.stop().await;
}

#[tokio::test]
async fn newer_words_are_said_in_the_older_ones() {
    let (stage, scripted) = strict().await;
    let sent = r#"{"model":"s/strict", "max_completion_tokens" : 9,"messages":[ {"role" : "developer","content":"say \"developer\""},{"content":"hi","role":"user"},{"role":"developer","content":"x"}]}"#;
    let path = "/v1/chat/completions";
    let seen = post(stage.address, path, &[], sent.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(
        scripted.captured().pop().unwrap().body,
        r#"{"model":"strict", "max_tokens" : 9,"messages":[ {"role" : "system","content":"say \"developer\""},{"content":"hi","role":"user"},{"role":"system","content":"x"}]}"#
    );
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.losses, []);
    // Of two limits the old one is known there.
    let both = sent.replace(r#""messages""#, r#""max_tokens":7,"messages""#);
    let seen = post(stage.address, path, &[], both.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let body: Value = serde_json::from_slice(&scripted.captured().pop().unwrap().body).unwrap();
    assert_eq!(body["max_tokens"], 7);
    stage.stop().await;
}

#[tokio::test]
async fn an_agent_of_another_protocol_finishes_its_loop_there() {
    let (stage, _scripted) = strict().await;
    for called in [None, Some("toolu_01ABC")] {
        let body = request(Protocol::Messages, "s/strict", AnswerForm::Stream, called);
        let seen = post(stage.address, "/v1/messages", &[], body.as_bytes()).await;
        assert_eq!(seen.status, 200, "{}", seen.text());
    }
    stage.stop().await;
}
