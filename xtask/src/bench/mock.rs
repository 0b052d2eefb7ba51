//! The benchmark's provider: fixed answers as fast as one thread can write them.
//!
//! A streamed answer is one write an event, each stamped with the monotonic clock,
//! so that the load generator can tell how long a chunk was under way and whether chunks were joined.

use std::{convert::Infallible, net::SocketAddr, path::Path, pin::Pin, task, time::Duration};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Either, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustix::time::{ClockId, clock_gettime};
use tokio::{net::TcpListener, task::LocalSet, time::Sleep};

use super::bodies::Speech;

/// Text deltas in a streamed answer.
pub(crate) const CHUNKS: usize = 50;

/// Nanoseconds of the monotonic clock, which all processes of a machine share.
pub(crate) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or_default() * 1_000_000_000
        + u64::try_from(now.tv_nsec).unwrap_or_default()
}

/// Serves until it is killed.
pub(crate) fn serve(port_file: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let port = listener.local_addr()?.port();
        std::fs::write(port_file, port.to_string()).context("writing the port file")?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            tokio::task::spawn_local(async move {
                // A client that goes away ends its connection; there is nobody to tell.
                let _closed = http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), service_fn(answer))
                    .await;
            });
        }
    })
}

type Answer = Either<Full<Bytes>, Paced>;

async fn answer(request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
    let speech = match request.uri().path() {
        path if path.ends_with("/messages") => Speech::Messages,
        path if path.ends_with("/responses") => Speech::Responses,
        _ => Speech::Chat,
    };
    let is_paced = request.headers().contains_key("x-bench-paced");
    let mut body = request.into_body();
    let mut tail = Bytes::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            tail = data;
        }
    }
    // The builder of the bodies puts `stream` last.
    let is_stream = tail
        .windows(13)
        .rev()
        .take(64)
        .any(|window| window == b"\"stream\":true");
    let response = Response::builder();
    Ok(if is_stream {
        response
            .header("content-type", "text/event-stream")
            .body(Either::Right(Paced::new(speech, is_paced)))
    } else {
        response
            .header("content-type", "application/json")
            .body(Either::Left(Full::new(Bytes::from_static(
                whole(speech).as_bytes(),
            ))))
    }
    .unwrap_or_else(|_| Response::new(Either::Left(Full::default()))))
}

fn whole(speech: Speech) -> &'static str {
    match speech {
        Speech::Messages => {
            r#"{"id":"msg_bench","type":"message","role":"assistant","model":"mock-model","content":[{"type":"text","text":"The retry test waits for a clock that another test moves; it has a clock of its own now, and the suite passes."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":900,"cache_read_input_tokens":35000,"cache_creation_input_tokens":0,"output_tokens":40}}"#
        }
        Speech::Chat => {
            r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1,"model":"mock-model","choices":[{"index":0,"message":{"role":"assistant","content":"The retry test waits for a clock that another test moves; it has a clock of its own now, and the suite passes."},"finish_reason":"stop"}],"usage":{"prompt_tokens":35900,"completion_tokens":40,"total_tokens":35940,"prompt_tokens_details":{"cached_tokens":35000}}}"#
        }
        Speech::Responses => {
            r#"{"id":"resp_bench","object":"response","created_at":1,"status":"completed","model":"mock-model","output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"The retry test waits for a clock that another test moves; it has a clock of its own now.","annotations":[]}]}],"usage":{"input_tokens":35900,"input_tokens_details":{"cached_tokens":35000},"output_tokens":40,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":35940}}"#
        }
    }
}

/// A stream that goes pending between events, as a real one does.
struct Paced {
    speech: Speech,
    sent: usize,
    wait: Option<(Duration, Duration)>,
    sleep: Option<Pin<Box<Sleep>>>,
    has_yielded: bool,
}

impl Paced {
    fn new(speech: Speech, is_paced: bool) -> Self {
        let wait = is_paced.then_some((Duration::from_millis(20), Duration::from_millis(4)));
        Self {
            speech,
            sent: 0,
            wait,
            sleep: None,
            has_yielded: false,
        }
    }

    /// The next event, or nothing at the end.
    fn event(&self) -> Option<String> {
        let stamp = format!("@{}@ and so on", now_ns());
        let (first, last) = (self.sent == 0, self.sent == CHUNKS + 1);
        if self.sent > CHUNKS + 1 {
            return None;
        }
        Some(match self.speech {
            Speech::Messages if first => "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_bench\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"mock-model\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":900,\"cache_read_input_tokens\":35000,\"cache_creation_input_tokens\":0,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n".to_owned(),
            Speech::Messages if last => "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":50}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".to_owned(),
            Speech::Messages => format!("event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{stamp}\"}}}}\n\n"),
            Speech::Chat if last => "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"mock-model\",\"choices\":[],\"usage\":{\"prompt_tokens\":35900,\"completion_tokens\":50,\"total_tokens\":35950}}\n\ndata: [DONE]\n\n".to_owned(),
            Speech::Chat if first => "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"mock-model\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n".to_owned(),
            Speech::Chat => format!("data: {{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"mock-model\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{stamp}\"}},\"finish_reason\":null}}]}}\n\n"),
            Speech::Responses if first => "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_bench\",\"object\":\"response\",\"status\":\"in_progress\",\"model\":\"mock-model\",\"output\":[]}}\n\n".to_owned(),
            Speech::Responses if last => "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_bench\",\"object\":\"response\",\"status\":\"completed\",\"model\":\"mock-model\",\"output\":[],\"usage\":{\"input_tokens\":35900,\"input_tokens_details\":{\"cached_tokens\":35000},\"output_tokens\":50,\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":35950}}}\n\n".to_owned(),
            Speech::Responses => format!("event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\"{stamp}\"}}\n\n"),
        })
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some((before_first, between)) = self.wait {
            let wait = if self.sent == 1 {
                before_first
            } else {
                between
            };
            let sleep = self
                .sleep
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
            task::ready!(sleep.as_mut().poll(context));
            self.sleep = None;
        } else if !self.has_yielded {
            self.has_yielded = true;
            context.waker().wake_by_ref();
            return task::Poll::Pending;
        }
        self.has_yielded = false;
        let event = self.event();
        self.sent += 1;
        task::Poll::Ready(event.map(|event| Ok(Frame::data(Bytes::from(event)))))
    }
}
