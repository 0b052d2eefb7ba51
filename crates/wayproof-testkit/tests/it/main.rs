//! The scripted provider and its plays, through the public API.

#![expect(clippy::unwrap_used, reason = "a broken fixture should stop the test")]

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wayproof_testkit::{Captured, Fixture, Frame, Persona, Play, Provider, Reply, Step};

fn request(path: &str, body: &str) -> Captured {
    Captured {
        method: "POST".into(),
        path: path.into(),
        headers: Vec::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn text(reply: &Reply) -> String {
    let mut whole = Vec::new();
    for frame in &reply.frames {
        if let Frame::Data(data) = frame {
            whole.extend_from_slice(data);
        }
    }
    String::from_utf8(whole).unwrap()
}

fn play() -> Play {
    let steps = vec![
        Step::Shell("make test".into()),
        Step::Say("All done.".into()),
    ];
    Play::new(vec![Persona {
        model: "quick".into(),
        steps,
    }])
}

#[test]
fn a_play_goes_on_from_the_ids_in_the_transcript() {
    let tools =
        r#""tools":[{"name":"Bash","input_schema":{"properties":{"command":{"type":"string"}}}}]"#;
    let first =
        format!(r#"{{"model":"quick","messages":[{{"role":"user","content":"fix"}}],{tools}}}"#);
    let answer = text(&play().answer(&request("/v1/messages?beta=true", &first)));
    assert!(
        answer.contains(r#""id":"call_wp0_0""#) && answer.contains("make test"),
        "{answer}"
    );
    let second = format!(
        r#"{{"model":"quick","stream":true,"messages":[{{"role":"user","content":"fix"}},
        {{"role":"assistant","content":[{{"type":"tool_use","id":"call_wp0_0","name":"Bash","input":{{}}}}]}},
        {{"role":"user","content":[{{"type":"tool_result","tool_use_id":"call_wp0_0","content":"ok"}}]}}],{tools}}}"#
    );
    let answer = text(&play().answer(&request("/v1/messages", &second)));
    assert!(
        answer.contains("All done.") && answer.contains("message_stop"),
        "{answer}"
    );
}

#[test]
fn chat_and_responses_carry_the_same_call() {
    let chat = r#"{"model":"quick","messages":[],"tools":[{"type":"function","function":{"name":"bash",
        "parameters":{"properties":{"command":{"type":"string"}}}}}]}"#;
    let answer = text(&play().answer(&request("/v1/chat/completions", chat)));
    assert!(
        answer.contains("tool_calls") && answer.contains("make test"),
        "{answer}"
    );
    let responses = r#"{"model":"quick","stream":true,"input":[],"tools":[{"type":"function",
        "name":"exec_command","parameters":{"properties":{"cmd":{"type":"string"}}}}]}"#;
    let answer = text(&play().answer(&request("/v1/responses", responses)));
    assert!(
        answer.contains("response.completed") && answer.contains("make test"),
        "{answer}"
    );
}

#[test]
fn an_unknown_model_is_not_found() {
    let reply = play().answer(&request(
        "/v1/messages",
        r#"{"model":"other","messages":[]}"#,
    ));
    assert_eq!(reply.status, 404);
}

/// Asks a provider that says `one` and then ends like this; what it sent, with both ends of the connection.
async fn broken_off(end: Frame, request: &[u8]) -> (Provider, TcpStream, String) {
    let provider = Provider::start(move |_| Reply {
        frames: vec![Frame::Data("one".into()), end.clone()],
        ..Reply::events(["unused"])
    })
    .await
    .unwrap();
    let mut socket = TcpStream::connect(provider.address()).await.unwrap();
    socket.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    (provider, socket, String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn the_provider_keeps_requests_and_cuts_where_the_script_says() {
    let request = b"POST /x?y=1 HTTP/1.1\r\nhost: h\r\nX-Odd: 1\r\ncontent-length: 2\r\n\r\nhi";
    let (provider, _socket, answer) = broken_off(Frame::Cut, request).await;
    assert!(
        answer.contains("3\r\none\r\n") && !answer.ends_with("0\r\n\r\n"),
        "{answer}"
    );
    let captured = provider.captured();
    assert_eq!(
        (captured[0].path.as_str(), captured[0].header("x-odd")),
        ("/x?y=1", Some("1"))
    );
    provider.stop().await;
}

#[tokio::test]
async fn half_of_a_connection_closes_where_the_script_says() {
    let request = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";
    let (provider, mut socket, answer) = broken_off(Frame::HalfClose, request).await;
    assert!(answer.ends_with("3\r\none\r\n"), "{answer}");
    // A connection that is closed as a whole would answer this with a reset.
    for _ in 0..3 {
        socket.write_all(b"still there?").await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    drop(socket);
    provider.stop().await;
}

#[test]
fn fixture_commits_have_stable_ids() {
    let ids: Vec<String> = (0..2)
        .map(|_| {
            let dir = tempfile::tempdir().unwrap();
            let mut fixture = Fixture::init(dir.path()).unwrap();
            fixture.write("a/b.txt", "hello\n").unwrap();
            fixture.commit("first").unwrap()
        })
        .collect();
    assert_eq!(ids[0], ids[1]);
}
