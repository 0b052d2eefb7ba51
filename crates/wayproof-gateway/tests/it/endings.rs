//! Every way an exchange can end, and that the ledger knows of each.

use std::time::Duration;

use bytes::Bytes;
use rstest::rstest;
use wayproof_ledger::ExchangeOutcome;
use wayproof_testkit::{Frame, Provider as Scripted, Reply};

use crate::client::{Wire, post};
use crate::stage::{MESSAGE, Setting, asking};

const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"usage\":{\"input_tokens\":7}}}\n\n";
const STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

fn never_ending() -> Reply {
    let mut reply = Reply::events([START]);
    reply.frames.push(Frame::Pause(Duration::from_mins(5)));
    reply
        .frames
        .push(Frame::Data(Bytes::from_static(STOP.as_bytes())));
    reply
}

/// Looks for the exchange in the files themselves, as somebody would after a crash.
fn is_on_disk(data: &std::path::Path, exchange: &str) -> bool {
    let mut places = vec![data.to_owned()];
    while let Some(place) = places.pop() {
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                places.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                let id = exchange.as_bytes();
                if bytes.windows(id.len()).any(|window| window == id) {
                    return true;
                }
            }
        }
    }
    false
}

#[tokio::test]
async fn the_opening_event_is_durable_before_the_first_byte() {
    let scripted = Scripted::start(|_| never_ending()).await.unwrap();
    let stage = Setting::with(&scripted).open().await;
    for _ in 0..10 {
        let mut wire = Wire::open(stage.address).await;
        wire.send("POST /v1/messages", &[], asking("p/m", "hi").as_bytes())
            .await;
        let head = wire.head().await;
        assert!(is_on_disk(stage.data.path(), head.exchange()));
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_in_a_stream_hangs_up_on_the_provider() {
    let scripted = Scripted::start(|_| never_ending()).await.unwrap();
    let stage = Setting::with(&scripted).open().await;
    let mut wire = Wire::open(stage.address).await;
    wire.send("POST /v1/messages", &[], asking("p/m", "hi").as_bytes())
        .await;
    let head = wire.head().await;
    drop(wire);
    while scripted.unfinished() == 0 {
        tokio::task::yield_now().await;
    }
    let detail = stage.settled(head.exchange()).await;
    let settled = detail.settled.unwrap();
    assert_eq!(settled.outcome, ExchangeOutcome::Cancelled);
    assert_eq!(settled.usage.unwrap().input, Some(7));
    assert_eq!(settled.attempts[0].status, Some(200));
    stage.stop().await;
}

#[rstest]
#[case::whole(false)]
#[case::stream(true)]
#[tokio::test]
async fn what_a_provider_says_it_charged_is_billed(#[case] is_streaming: bool) {
    let usage = r#"{"prompt_tokens":194,"completion_tokens":2,"total_tokens":196,"cost":0.00095}"#;
    let scripted = Scripted::start(move |_| {
        if is_streaming {
            Reply::events([
                "data: {\"id\":\"g\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\n\n".to_owned(),
                format!("data: {{\"id\":\"g\",\"choices\":[],\"usage\":{usage}}}\n\n"),
                "data: [DONE]\n\n".to_owned(),
            ])
        } else {
            Reply::json(200, format!(r#"{{"id":"g","choices":[{{"index":0,"message":{{"role":"assistant","content":"ok"}},"finish_reason":"stop"}}],"usage":{usage}}}"#))
        }
    })
    .await
    .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let body = format!(
        r#"{{"model":"p/m","stream":{is_streaming},"messages":[{{"role":"user","content":"hi"}}]}}"#
    );
    let seen = post(stage.address, "/v1/chat/completions", &[], body.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.outcome, ExchangeOutcome::Completed);
    assert_eq!(settled.cost.billed_nano_usd, Some(950_000));
    assert_eq!(settled.cost.listed_nano_usd, None);
    stage.stop().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_while_waiting_is_settled_too() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE).after(Duration::from_mins(5)))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let mut wire = Wire::open(stage.address).await;
    wire.send("POST /v1/messages", &[], asking("p/m", "hi").as_bytes())
        .await;
    while scripted.captured().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(wire);
    let row = loop {
        stage.ledger.flush().await.unwrap();
        let filter = wayproof_ledger::ExchangeFilter::default();
        let page = wayproof_ledger::Page {
            limit: 1,
            before: None,
        };
        let row = stage.ledger.exchanges(&filter, page).await.unwrap().pop();
        if let Some(row) = row.filter(|row| row.outcome.is_some()) {
            break row;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(row.outcome.as_deref(), Some("cancelled"));
    let settled = stage.settled(&row.id).await.settled.unwrap();
    assert_eq!(settled.attempts[0].fault.as_deref(), Some("abandoned"));
    stage.stop().await;
}

#[tokio::test]
async fn an_agent_that_hangs_up_after_the_last_event_has_its_answer() {
    let scripted = Scripted::start(|_| {
        let mut reply = Reply::events([START, STOP]);
        reply.frames.push(Frame::Pause(Duration::from_mins(5)));
        reply
            .frames
            .push(Frame::Data(Bytes::from_static(b": late\n\n")));
        reply
    })
    .await
    .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let mut wire = Wire::open(stage.address).await;
    wire.send("POST /v1/messages", &[], asking("p/m", "hi").as_bytes())
        .await;
    let seen = wire.head().await;
    wire.until(STOP.as_bytes()).await;
    drop(wire);
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.outcome, ExchangeOutcome::Completed);
    stage.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_cut_stream_is_cut_for_the_client_and_for_the_ledger(
    #[values(Frame::Cut, Frame::HalfClose)] end: Frame,
) {
    let scripted = Scripted::start(move |_| {
        let mut reply = Reply::events([START]);
        reply.frames.push(end.clone());
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
    assert_eq!((seen.status, seen.text().as_str()), (200, START));
    assert!(!seen.is_whole, "a cut stream looked complete");
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.outcome, ExchangeOutcome::Cut);
    stage.stop().await;
}

#[tokio::test]
async fn a_stream_without_its_last_event_is_not_called_complete() {
    let scripted = Scripted::start(|_| Reply::events([START, START]))
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
    assert!(seen.is_whole);
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.outcome, ExchangeOutcome::Cut);
    stage.stop().await;
}

#[tokio::test]
async fn draining_finishes_what_is_under_way() {
    let scripted = Scripted::start(|_| {
        let mut reply = Reply::events([START, STOP]);
        reply
            .frames
            .insert(1, Frame::Pause(Duration::from_millis(200)));
        reply
    })
    .await
    .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let address = stage.address;
    let mut wire = Wire::open(address).await;
    wire.send("POST /v1/messages", &[], asking("p/m", "hi").as_bytes())
        .await;
    while scripted.captured().is_empty() {
        tokio::task::yield_now().await;
    }
    let (seen, data) = tokio::join!(wire.answer(), stage.stop());
    assert!(seen.is_whole);
    assert!(is_on_disk(data.path(), seen.exchange()));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
