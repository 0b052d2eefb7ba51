//! Responses over a WebSocket: turns that say only what is new, whoever answers.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use wayproof_testkit::{Captured, Frame, Provider as Scripted, Reply};
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{Protocol, Protocols};

use crate::client::get;
use crate::dialect::{DONE, RESULT, answer, got};
use crate::stage::{Setting, Stage};

type Socket = WebSocketStream<TcpStream>;

async fn speaking(
    protocol: Protocol,
    handler: impl Fn(&Captured) -> Reply + Send + Sync + 'static,
) -> (Stage, Scripted) {
    let scripted = Scripted::start(handler).await.unwrap();
    let url = scripted.url().parse().unwrap();
    let only = Protocols::of(&[protocol]);
    let provider = Provider::new("p", url, only, Credential::Nothing).unwrap();
    (Setting::at(vec![provider]).open().await, scripted)
}

/// Opens a socket as Codex does.
async fn connect(stage: &Stage, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
    let mut request = format!("ws://{}/v1/responses", stage.address).into_client_request()?;
    let fixed = [
        ("openai-beta", "responses_websockets=2026-02-06"),
        ("user-agent", "codex_exec/0.169.0"),
        ("session-id", "s-1"),
    ];
    for (name, value) in fixed.iter().chain(headers) {
        request
            .headers_mut()
            .insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let stream = TcpStream::connect(stage.address).await.unwrap();
    let (socket, response) = tokio_tungstenite::client_async(request, stream).await?;
    assert!(response.headers().contains_key("x-wayproof-socket"));
    Ok(socket)
}

async fn say(socket: &mut Socket, message: &Value) {
    let text = Message::text(message.to_string());
    socket.send(text).await.unwrap();
}

/// The events of one answer, up to the one that ends it.
async fn events(socket: &mut Socket) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let message = socket.next().await.expect("an end").unwrap();
        let Message::Text(text) = message else {
            continue;
        };
        let event: Value = serde_json::from_str(&text).unwrap();
        let kind = event["type"].as_str().unwrap().to_owned();
        events.push(event);
        let ends = [
            "response.completed",
            "response.failed",
            "response.incomplete",
            "error",
        ];
        if ends.contains(&kind.as_str()) {
            return events;
        }
    }
}

fn last(events: &[Value]) -> &Value {
    events.last().unwrap()
}

fn turn(input: &Value, previous: Option<&str>) -> Value {
    let mut turn = json!({
        "type": "response.create", "model": "p/m", "store": false, "instructions": "Be brief.", "input": input,
        "tools": [{"type": "function", "name": "read", "description": "Reads.", "strict": false,
                   "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}],
        "client_metadata": {"x-codex-turn-metadata": "{\"turn_id\":\"t-1\"}"},
    });
    if let Some(previous) = previous {
        turn["previous_response_id"] = json!(previous);
    }
    turn
}

fn ask() -> Value {
    json!([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "The login page crashes."}]}])
}

#[rstest]
#[tokio::test]
async fn an_agent_finishes_its_loop_saying_only_what_is_new(
    #[values(
        Protocol::Responses,
        Protocol::Messages,
        Protocol::Chat,
        Protocol::Gemini
    )]
    provider: Protocol,
) {
    let (stage, scripted) = speaking(provider, move |captured| answer(provider, captured)).await;
    let mut socket = connect(&stage, &[]).await.unwrap();
    say(&mut socket, &turn(&ask(), None)).await;
    let first = events(&mut socket).await;
    assert_eq!(first[0]["type"], "response.created");
    let call = first
        .iter()
        .find(|event| {
            event["type"] == "response.output_item.done" && event["item"]["type"] == "function_call"
        })
        .map(|event| event["item"]["call_id"].as_str().unwrap().to_owned())
        .unwrap();
    let response = last(&first)["response"]["id"].as_str().unwrap();

    let result = json!([{"type": "function_call_output", "call_id": call, "output": RESULT}]);
    say(&mut socket, &turn(&result, Some(response))).await;
    let second = events(&mut socket).await;
    let said: String = second
        .iter()
        .filter(|event| event["type"] == "response.output_text.delta")
        .map(|event| event["delta"].as_str().unwrap())
        .collect();
    assert_eq!(said, DONE);

    // The provider got the whole conversation, over HTTP, in its own protocol.
    let captured = scripted.captured();
    assert_eq!(captured.len(), 2);
    assert_eq!(captured[1].method, "POST");
    let whole = got(provider, &captured[1]);
    assert_eq!(
        (whole.model.as_str(), whole.system.as_str()),
        ("m", "Be brief.")
    );
    let ((asked, _), (answered, text)) = (whole.call.unwrap(), whole.result.unwrap());
    assert_eq!((asked, text.as_str()), (answered, RESULT));
    let sent = String::from_utf8(captured[1].body.to_vec()).unwrap();
    assert!(sent.contains("The login page crashes."), "{sent}");
    for name in ["previous_response_id", "response.create"] {
        assert!(!sent.contains(name), "{sent}");
    }
    assert_eq!(captured[1].header("sec-websocket-key"), None);
    assert_eq!(captured[1].header("openai-beta"), None);

    let page = wayproof_ledger::Page {
        limit: 5,
        before: None,
    };
    let exchanges = loop {
        stage.ledger.flush().await.unwrap();
        let found = stage
            .ledger
            .exchanges(&wayproof_ledger::ExchangeFilter::default(), page)
            .await
            .unwrap();
        if found.len() == 2 && found.iter().all(|row| row.outcome.is_some()) {
            break found;
        }
        tokio::task::yield_now().await;
    };
    for row in &exchanges {
        assert_eq!(row.outcome.as_deref(), Some("completed"));
        assert_eq!(row.session.as_deref(), Some("s-1"));
    }
    assert!(exchanges[0].job.is_some() && exchanges[0].job == exchanges[1].job);
    socket.close(None).await.unwrap();
    stage.stop().await;
}

#[tokio::test]
async fn a_warm_up_is_answered_here_and_gone_on_from() {
    let (stage, scripted) = speaking(Protocol::Responses, |captured| {
        answer(Protocol::Responses, captured)
    })
    .await;
    let mut socket = connect(&stage, &[]).await.unwrap();
    let mut warm_up = turn(&ask(), None);
    warm_up["generate"] = json!(false);
    say(&mut socket, &warm_up).await;
    let warmed = events(&mut socket).await;
    let kinds: Vec<&Value> = warmed.iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["response.created", "response.completed"]);
    let id = last(&warmed)["response"]["id"].as_str().unwrap();
    assert!(scripted.captured().is_empty());

    say(&mut socket, &turn(&json!([]), Some(id))).await;
    assert_eq!(
        last(&events(&mut socket).await)["type"],
        "response.completed"
    );
    let sent: Value = serde_json::from_slice(&scripted.captured()[0].body).unwrap();
    assert_eq!(sent["input"], ask());
    assert_eq!(
        (&sent["stream"], sent.get("generate")),
        (&json!(true), None)
    );
    stage.stop().await;
}

#[tokio::test]
async fn what_is_not_known_is_said_so_that_the_client_starts_over() {
    let (stage, scripted) = speaking(Protocol::Responses, |captured| {
        answer(Protocol::Responses, captured)
    })
    .await;
    let mut socket = connect(&stage, &[]).await.unwrap();
    say(&mut socket, &turn(&ask(), Some("resp_gone"))).await;
    let refused = events(&mut socket).await;
    let error = &last(&refused)["error"];
    assert_eq!(
        (&last(&refused)["status"], &error["code"]),
        (&json!(400), &json!("previous_response_not_found"))
    );
    say(&mut socket, &json!({"type": "response.cancel"})).await;
    let refused = events(&mut socket).await;
    assert!(
        last(&refused)["error"]["message"]
            .as_str()
            .unwrap()
            .contains("response.cancel")
    );
    assert!(scripted.captured().is_empty());

    // What a provider keeps is the provider's to know.
    let mut stored = turn(&ask(), Some("resp_kept"));
    stored["store"] = json!(true);
    say(&mut socket, &stored).await;
    assert_eq!(
        last(&events(&mut socket).await)["type"],
        "response.completed"
    );
    let sent: Value = serde_json::from_slice(&scripted.captured()[0].body).unwrap();
    assert_eq!(sent["previous_response_id"], "resp_kept");
    stage.stop().await;
}

#[tokio::test]
async fn an_error_leaves_the_conversation_as_it_was() {
    let (stage, scripted) = speaking(Protocol::Responses, |captured| {
        if captured.body.windows(6).any(|word| word == b"please") {
            Reply::json(429, r#"{"error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"slow"}}"#)
                .with_header("retry-after", "7")
        } else {
            answer(Protocol::Responses, captured)
        }
    })
    .await;
    let mut socket = connect(&stage, &[]).await.unwrap();
    say(&mut socket, &turn(&ask(), None)).await;
    let first = events(&mut socket).await;
    let response = last(&first)["response"]["id"].as_str().unwrap();
    say(&mut socket, &turn(&json!("please"), Some(response))).await;
    let failed = events(&mut socket).await;
    assert_eq!(
        last(&failed),
        &json!({"type": "error", "status": 429, "headers": {"retry-after": "7"},
                "error": {"type": "rate_limit_error", "code": "rate_limit_exceeded", "message": "slow"}})
    );
    say(&mut socket, &turn(&json!("go on"), Some(response))).await;
    assert_eq!(
        last(&events(&mut socket).await)["type"],
        "response.completed"
    );
    let sent: Value = serde_json::from_slice(&scripted.captured().pop().unwrap().body).unwrap();
    let input = sent["input"].as_array().unwrap();
    assert_eq!(input[0], ask()[0]);
    assert_eq!(
        input.last().unwrap(),
        &json!({"type": "message", "role": "user", "content": "go on"})
    );
    assert!(input.len() > 2, "{input:?}");
    stage.stop().await;
}

#[rstest]
#[case::error(
    "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"it broke\"}\n\n"
)]
#[case::nothing("")]
#[tokio::test]
async fn an_answer_without_an_end_closes_the_socket_instead_of_being_waited_for(
    #[case] rest: &'static str,
) {
    let (stage, _scripted) = speaking(Protocol::Responses, move |_| {
        Reply::events([
            "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n",
            rest,
        ])
    })
    .await;
    let mut socket = connect(&stage, &[]).await.unwrap();
    say(&mut socket, &turn(&ask(), None)).await;
    let mut told = Vec::new();
    let closed = loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Close(frame) => break frame.unwrap(),
            message => told.push(message.to_text().unwrap().to_owned()),
        }
    };
    assert_eq!(u16::from(closed.code), 1011);
    assert_eq!(told.len(), 1 + usize::from(!rest.is_empty()), "{told:?}");
    stage.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_away_hangs_up_on_the_provider() {
    let (stage, scripted) = speaking(Protocol::Responses, |_| {
        let mut reply = Reply::events([
            "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n",
        ]);
        reply.frames.push(Frame::Pause(Duration::from_mins(5)));
        reply
    })
    .await;
    let mut socket = connect(&stage, &[]).await.unwrap();
    say(&mut socket, &turn(&ask(), None)).await;
    let created = socket.next().await.unwrap().unwrap();
    assert!(created.to_text().unwrap().contains("response.created"));
    drop(socket);
    while scripted.unfinished() == 0 {
        tokio::task::yield_now().await;
    }
    stage.stop().await;
}

#[tokio::test]
async fn a_gateway_that_stops_lets_idle_sockets_go() {
    let (stage, _scripted) = speaking(Protocol::Responses, |captured| {
        answer(Protocol::Responses, captured)
    })
    .await;
    let mut socket = connect(&stage, &[]).await.unwrap();
    say(&mut socket, &turn(&ask(), None)).await;
    assert_eq!(
        last(&events(&mut socket).await)["type"],
        "response.completed"
    );
    stage.stop().await;
    let closed = socket.next().await.unwrap().unwrap();
    let Message::Close(Some(frame)) = closed else {
        panic!("{closed:?}")
    };
    assert_eq!(u16::from(frame.code), 1001);
}

#[tokio::test]
async fn a_socket_that_cannot_be_had_is_a_426() {
    let scripted = Scripted::start(|_| Reply::json(200, "{}")).await.unwrap();
    let mut setting = Setting::with(&scripted);
    setting.settings.max_sockets = 1;
    let stage = setting.open().await;
    let first = connect(&stage, &[]).await.unwrap();
    let refused = connect(&stage, &[]).await.unwrap_err();
    let Error::Http(response) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(response.status(), 426);
    drop(first);
    // Its place is free once the gateway has seen that it went away.
    while connect(&stage, &[]).await.is_err() {
        tokio::task::yield_now().await;
    }
    let old = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "8"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let seen = get(stage.address, "/v1/responses", &old).await;
    assert_eq!(seen.status, 426);
    let page = [("origin", "https://evil.example")];
    let refused = connect(&stage, &page).await.unwrap_err();
    assert!(matches!(refused, Error::Http(response) if response.status() == 403));
    stage.stop().await;
}
