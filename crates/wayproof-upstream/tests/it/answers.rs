//! Answers on their way back: frames, trailers, cuts, silence, and the connection under them.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wayproof_testkit::{Frame, Provider as Scripted, Reply};
use wayproof_upstream::{
    AnswerBody, BodyError, CallerCredential, Content, Settings, Upstream, Walked,
};

use crate::stage::{self, candidate, keyed, quick};

const OWN: CallerCredential = CallerCredential::Own;

async fn open(upstream: &Upstream) -> http::Response<AnswerBody> {
    let mut headers = HeaderMap::new();
    headers.insert("te", HeaderValue::from_static("trailers"));
    let (walked, _) = stage::ask(upstream, &headers, OWN, &[candidate("p", "{}")]).await;
    let Walked::Answered { response, .. } = walked else {
        panic!("{walked:?}");
    };
    response
}

fn upstream_of(scripted: &Scripted) -> Upstream {
    Upstream::new(vec![keyed("p", &scripted.url())], quick()).unwrap()
}

#[tokio::test]
async fn frames_and_trailers_come_as_they_were_sent() {
    let scripted = Scripted::start(|_| {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-digest", HeaderValue::from_static("abc"));
        let mut reply = Reply::events(["one", "two", "three"]).with_header("trailer", "x-digest");
        reply
            .frames
            .insert(1, Frame::Pause(Duration::from_millis(5)));
        reply
            .frames
            .insert(3, Frame::Pause(Duration::from_millis(5)));
        reply.frames.push(Frame::Trailers(trailers));
        reply
    })
    .await
    .unwrap();
    let upstream = upstream_of(&scripted);
    let response = open(&upstream).await;
    assert_eq!(response.headers()["trailer"], "x-digest");
    assert!(!response.headers().contains_key("transfer-encoding"));
    let mut body = response.into_body();
    let mut data = Vec::new();
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        match frame.unwrap().into_data() {
            Ok(bytes) => data.push(bytes),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    assert_eq!(data, ["one", "two", "three"].map(Bytes::from));
    assert_eq!(trailers.unwrap()["x-digest"], "abc");
}

#[tokio::test]
async fn a_cut_is_an_error_and_never_a_quiet_end() {
    let scripted = Scripted::start(|_| {
        let mut reply = Reply::events(["one"]);
        reply.frames.push(Frame::Cut);
        reply
    })
    .await
    .unwrap();
    let upstream = upstream_of(&scripted);
    let error = open(&upstream)
        .await
        .into_body()
        .collect()
        .await
        .unwrap_err();
    assert!(matches!(error, BodyError::Broken(_)), "{error}");
}

#[tokio::test]
async fn silence_after_the_first_byte_ends_in_an_error() {
    let scripted = Scripted::start(|_| {
        let mut reply = Reply::events(["one", "two"]);
        reply
            .frames
            .insert(1, Frame::Pause(Duration::from_millis(20)));
        reply.frames.push(Frame::Pause(Duration::from_mins(1)));
        reply
    })
    .await
    .unwrap();
    let settings = Settings {
        longest_silence: Duration::from_millis(200),
        ..quick()
    };
    let upstream = Upstream::new(vec![keyed("p", &scripted.url())], settings).unwrap();
    let mut body = open(&upstream).await.into_body();
    for expected in ["one", "two"] {
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), expected);
    }
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(matches!(error, BodyError::Stalled(_)), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_dropped_hangs_up_on_the_provider() {
    let scripted = Scripted::start(|_| {
        let mut reply = Reply::events(["one"]);
        reply.frames.push(Frame::Pause(Duration::from_mins(1)));
        reply.frames.push(Frame::Data(Bytes::from_static(b"two")));
        reply
    })
    .await
    .unwrap();
    let upstream = upstream_of(&scripted);
    let mut body = open(&upstream).await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    while scripted.unfinished() == 0 {
        tokio::task::yield_now().await;
    }
}

/// Answers every request on a connection with `answer` and reports each accepted connection's
/// number of requests; closes a connection after `most` requests.
async fn counting(
    answer: &'static [u8],
    most: usize,
) -> (String, tokio::sync::mpsc::UnboundedReceiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (report, reports) = tokio::sync::mpsc::unbounded_channel();
    let tasks = tokio_util::task::TaskTracker::new();
    tasks.clone().spawn(async move {
        let mut connection = 0;
        while let Ok((mut socket, _)) = listener.accept().await {
            connection += 1;
            let report = report.clone();
            tasks.spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..most {
                    while !seen.windows(6).any(|window| window == b"\r\n\r\n{}") {
                        let mut buffer = [0; 1024];
                        match socket.read(&mut buffer).await {
                            Ok(0) | Err(_) => return,
                            Ok(read) => seen.extend_from_slice(&buffer[..read]),
                        }
                    }
                    seen.clear();
                    if report.send(connection).is_err() || socket.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, reports)
}

#[tokio::test]
async fn connections_are_reused_when_an_answer_was_read_to_its_end() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ] {
        let (url, mut reports) = counting(answer, usize::MAX).await;
        let upstream = Upstream::new(vec![keyed("p", &url)], quick()).unwrap();
        for _ in 0..3 {
            let body = open(&upstream).await.into_body();
            assert_eq!(body.collect().await.unwrap().to_bytes(), "{}");
            assert_eq!(reports.recv().await, Some(1));
        }
        upstream.close();
    }
}

#[tokio::test]
async fn a_connection_that_the_provider_closed_is_replaced_unnoticed() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let (url, mut reports) = counting(answer, 1).await;
    let upstream = Upstream::new(vec![keyed("p", &url)], quick()).unwrap();
    for connection in 1..=3 {
        let body = open(&upstream).await.into_body();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "{}");
        assert_eq!(reports.recv().await, Some(connection));
    }
}

#[tokio::test]
async fn bodies_go_out_in_pieces_with_their_length() {
    let scripted = Scripted::start(|request| Reply::json(200, request.body.clone()))
        .await
        .unwrap();
    let upstream = upstream_of(&scripted);
    let mut candidate = candidate("p", "");
    let pieces = vec![
        Bytes::from_static(b"{\"model\":"),
        Bytes::new(),
        Bytes::from_static(b"\"m\""),
        Bytes::from(vec![b' '; 5 << 20]),
        Bytes::from_static(b"}"),
    ];
    let whole = pieces.concat();
    candidate.body = Content::Ready(pieces);
    let (walked, _) = stage::ask(&upstream, &HeaderMap::new(), OWN, &[candidate]).await;
    let (_, _, body) = stage::read(walked).await;
    assert!(body == whole, "the body changed on its way");
    let length = whole.len().to_string();
    assert_eq!(
        scripted.captured()[0].header("content-length"),
        Some(length.as_str())
    );
}
