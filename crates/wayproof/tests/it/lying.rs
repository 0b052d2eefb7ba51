//! Providers that never come to an end: memory stays bounded, the client is told, and the exchange is recorded.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use bytes::Bytes;
use wayproof_testkit::{Frame, Provider, Reply};

use crate::{environment::Environment, up::Up};

/// A gigabyte, in pieces of 64 KiB.
const PIECES: usize = 16 << 10;
const PIECE: usize = 64 << 10;

/// What the gateway may have had in memory at most, in KiB: some copies of the longest event that is read, no gigabyte.
const MOST_KIB: u64 = 220 << 10;

/// An answer that begins with this and then goes on with one letter for a gigabyte.
async fn endless(content_type: &'static str, start: &'static str) -> Provider {
    let piece = Bytes::from(vec![b'a'; PIECE]);
    Provider::start(move |_| {
        let mut reply = Reply::json(200, start);
        reply.headers = vec![("content-type".into(), content_type.into())];
        let more = std::iter::repeat_n(Frame::Data(piece.clone()), PIECES);
        reply.frames.extend(more);
        reply
    })
    .await
    .unwrap()
}

/// The first 4 KiB of an answer, the last, and how long it was.
fn ask(up: &Up, path: &str, body: &str) -> (String, String, usize) {
    let mut socket = TcpStream::connect(("127.0.0.1", up.port)).unwrap();
    write!(
        socket,
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let (mut start, mut end, mut length) = (Vec::new(), Vec::new(), 0);
    let mut buffer = vec![0; PIECE];
    loop {
        let read = match socket.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => &buffer[..read],
        };
        length += read.len();
        start.extend(read.iter().take(4096_usize.saturating_sub(start.len())));
        end.extend_from_slice(read);
        end.drain(..end.len().saturating_sub(4096));
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(start), text(end), length)
}

fn peak_kib(up: &Up) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", up.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let figure = line.unwrap().split_whitespace().nth(1);
    figure.unwrap().parse().unwrap()
}

const STREAM: &str = "data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"";
const JSON: &str = "{\"content\":[{\"type\":\"text\",\"text\":\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_in_one_event_goes_by_in_bounded_memory() {
    let environment = Environment::new();
    let provider = endless("text/event-stream", STREAM).await;
    let up = Up::start(&environment, &provider).await;
    let body = r#"{"model":"mock/m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}]}"#;
    let (start, _, length) = ask(&up, "/v1/messages", body);
    assert!(start.starts_with("HTTP/1.1 200"), "{start}");
    assert!(length > PIECES * PIECE, "{length}");
    assert!(peak_kib(&up) < MOST_KIB, "{} KiB", peak_kib(&up));
    assert_eq!(up.stop(), 0);
    let said = environment.run(&["ledger", "exchanges", "--json"]);
    let exchanges = said.json();
    let exchanges = exchanges.as_array().unwrap();
    assert_eq!(exchanges.len(), 1, "{said:?}");
    // Its end could not be read, so the connection's word counts.
    assert_eq!(exchanges[0]["outcome"], "completed", "{said:?}");
    provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_that_has_to_be_read_is_given_up_in_the_clients_words() {
    for (content_type, start_of, is_streaming) in [
        ("text/event-stream", STREAM, true),
        ("application/json", JSON, false),
    ] {
        let environment = Environment::new();
        let provider = endless(content_type, start_of).await;
        let spec = format!("there={},protocol=messages", provider.url());
        let up = Up::start_with("mock", &environment, &provider, &["--provider", &spec]).await;
        let body = format!(
            r#"{{"model":"there/m","stream":{is_streaming},"messages":[{{"role":"user","content":"x"}}]}}"#
        );
        let (start, end, length) = ask(&up, "/v1/chat/completions", &body);
        assert!(end.contains("\"error\""), "{start} … {end}");
        assert!(length < 1 << 20, "{length}");
        assert!(peak_kib(&up) < MOST_KIB, "{} KiB", peak_kib(&up));
        assert_eq!(up.stop(), 0);
        let said = environment.run(&["ledger", "exchanges", "--json"]);
        let exchanges = said.json();
        let exchanges = exchanges.as_array().unwrap();
        assert_eq!(exchanges.len(), 1, "{said:?}");
        let outcome = exchanges[0]["outcome"].as_str().unwrap();
        assert!(matches!(outcome, "cut" | "failed"), "{said:?}");
        provider.stop().await;
    }
}
