//! Compressed bodies: read on the way by, never changed.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use rstest::rstest;
use wayproof_testkit::{Frame, Provider as Scripted, Reply};
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{Protocol, Protocols};

use crate::client::post;
use crate::stage::{MESSAGE, Setting, asking};

const EVENTS: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"usage\":{\"input_tokens\":7}}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":3}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

/// [`EVENTS`] as brotli writes it: one stored metablock after the other would do, but this is a
/// stream of uncompressed metablocks made by hand, since there is no brotli writer here.
fn brotli(text: &[u8]) -> Vec<u8> {
    // WBITS = 16 (one zero bit), then a metablock: not last, four nibbles of length - 1, stored.
    let mut bits: u64 = 0;
    let mut count = 0;
    let mut put = |value: u64, width: u32| {
        bits |= value << count;
        count += width;
    };
    put(0, 1);
    put(0, 1);
    put(0, 2);
    put(text.len() as u64 - 1, 16);
    put(1, 1);
    let mut packed = bits.to_le_bytes()[..3].to_vec();
    packed.extend_from_slice(text);
    // The last, empty metablock.
    packed.push(0b11);
    packed
}

fn pack(encoding: &str, text: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "br" => brotli(text),
        "zstd" => zstd::encode_all(text, 1).unwrap(),
        other => panic!("{other}"),
    }
}

#[rstest]
#[tokio::test]
async fn usage_is_read_from_a_packed_answer_that_stays_as_it_is(
    #[values("gzip", "deflate", "br", "zstd")] encoding: &'static str,
) {
    let packed = pack(encoding, EVENTS.as_bytes());
    let sent = packed.clone();
    let scripted = Scripted::start(move |_| {
        let mut reply = Reply::events(sent.chunks(9).map(<[u8]>::to_vec));
        reply
            .headers
            .push(("content-encoding".to_owned(), encoding.to_owned()));
        reply
            .frames
            .insert(1, Frame::Pause(std::time::Duration::from_millis(5)));
        reply
    })
    .await
    .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let seen = post(
        stage.address,
        "/v1/messages",
        &[],
        asking("p/m", "hi").as_bytes(),
    )
    .await;
    assert_eq!(seen.body(), packed);
    assert_eq!(seen.header("content-encoding"), Some(encoding));
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    let usage = settled.usage.unwrap();
    assert_eq!((usage.input, usage.output), (Some(7), Some(3)));
    assert_eq!(settled.outcome.as_str(), "completed");
    stage.stop().await;
}

#[tokio::test]
async fn an_answer_packed_in_an_unknown_way_is_relayed_and_its_usage_unknown() {
    let scripted =
        Scripted::start(|_| Reply::json(200, MESSAGE).with_header("content-encoding", "x-private"))
            .await
            .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let seen = post(
        stage.address,
        "/v1/messages",
        &[],
        asking("p/m", "hi").as_bytes(),
    )
    .await;
    assert_eq!(seen.text(), MESSAGE);
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!((settled.usage, settled.cost.listed_nano_usd), (None, None));
    stage.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_packed_request_is_read_and_goes_out_as_it_came_when_nothing_changes(
    #[values("gzip", "deflate", "br", "zstd")] encoding: &'static str,
    #[values("p/m", "m")] model: &'static str,
) {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let mut setting = Setting::with(&scripted);
    setting.policy = wayproof_engine::Policy::parse("version = 1\nroute_unknown = false\n", "x")
        .unwrap()
        .policy;
    let stage = setting.open().await;
    let packed = pack(encoding, asking(model, "hi").as_bytes());
    let headers = [("content-encoding", encoding), ("x-a", "1")];
    let seen = post(stage.address, "/v1/messages", &headers, &packed).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let captured = scripted.captured().remove(0);
    if model == "m" {
        assert_eq!(captured.body, packed);
        assert_eq!(captured.header("content-encoding"), Some(encoding));
    } else {
        assert_eq!(captured.body, asking("m", "hi"));
        assert_eq!(captured.header("content-encoding"), None);
    }
    assert_eq!(captured.header("x-a"), Some("1"));
    stage.stop().await;
}

#[rstest]
#[case::bomb("gzip", None, 413)]
#[case::broken("gzip", Some(&b"\x1f\x8b\x08\x00nonsense"[..]), 400)]
#[case::unfinished("zstd", Some(&b"\x28\xb5\x2f\xfd"[..]), 400)]
#[case::unknown("compress", Some(&b"x"[..]), 415)]
#[case::several("gzip, zstd", Some(&b"x"[..]), 415)]
#[tokio::test]
async fn a_packed_request_that_cannot_be_read_is_refused(
    #[case] encoding: &str,
    #[case] sent: Option<&[u8]>,
    #[case] status: u16,
) {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let mut setting = Setting::with(&scripted);
    setting.settings.max_body_bytes = 1 << 20;
    let stage = setting.open().await;
    let bomb = pack("gzip", asking("p/m", &" ".repeat(2 << 20)).as_bytes());
    let sent = sent.unwrap_or(&bomb);
    assert!(sent.len() < 1 << 20);
    let headers = [("content-encoding", encoding)];
    let seen = post(stage.address, "/v1/messages", &headers, sent).await;
    assert_eq!(seen.status, status, "{}", seen.text());
    let offered = seen.header("accept-encoding").is_some();
    assert_eq!(offered, status == 415);
    assert!(scripted.captured().is_empty());
    stage.stop().await;
}

#[rstest]
#[case(Protocol::Messages, r#""type":"invalid_request_error""#)]
#[case(Protocol::Chat, r#""code":"unsupported_encoding""#)]
#[case(Protocol::Responses, r#""code":"unsupported_encoding""#)]
#[case(Protocol::Gemini, r#""code":415"#)]
#[case(Protocol::Ollama, r#"{"error":"the body's content-encoding"#)]
#[tokio::test]
async fn an_unknown_packing_is_refused_in_the_clients_words(
    #[case] client: Protocol,
    #[case] words: &str,
) {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let path = client.path("p/m", false);
    let twice = [("content-encoding", "gzip"), ("content-encoding", "gzip")];
    let seen = post(stage.address, &path, &twice, b"x").await;
    assert_eq!(seen.status, 415, "{}", seen.text());
    assert!(seen.text().contains(words), "{}", seen.text());
    stage.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_packed_request_is_translated(
    #[values("gzip", "deflate", "br", "zstd")] encoding: &'static str,
) {
    let answered = r#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
    let scripted = Scripted::start(move |_| Reply::json(200, answered))
        .await
        .unwrap();
    let url = scripted.url().parse().unwrap();
    let chat = Protocols::of(&[Protocol::Chat]);
    let provider = Provider::new("p", url, chat, Credential::Nothing).unwrap();
    let stage = Setting::at(vec![provider]).open().await;
    let packed = pack(encoding, asking("p/m", "hi").as_bytes());
    let headers = [("content-encoding", encoding)];
    let seen = post(stage.address, "/v1/messages", &headers, &packed).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let captured = scripted.captured().remove(0);
    assert_eq!(captured.header("content-encoding"), None);
    let sent: serde_json::Value = serde_json::from_slice(&captured.body).unwrap();
    assert_eq!(sent["messages"][0]["content"], "hi");
    stage.stop().await;
}
