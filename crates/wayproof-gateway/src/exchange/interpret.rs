//! Ninth stage where protocols differ: the answer goes to the client in its own words.
//!
//! A stream is said frame by frame as it comes: what arrives together leaves together, and nothing is held back but
//! what the client's protocol cannot say in halves. What the client wants in one piece, and errors, are read to
//! their end first, so that the status is right. A cut stays a cut.

mod stream;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode, response};
use http_body_util::BodyExt as _;
use wayproof_upstream::{AnswerBody, retry_after};
use wayproof_wire::{
    AnswerForm, AnswerTranslator, Exchange, Fault, FaultKind, Protocol, RenderedFault, render,
    translate_error,
};

pub(crate) use stream::Interpreted;

use crate::body::Outgoing;
use crate::exchange::attempt::Attempted;
use crate::exchange::copy::{Kept, MAX_ERROR, MAX_UNPACKED, form, packing};
use crate::exchange::settle::{End, Settlement};
use crate::exchange::translate::Translation;
use crate::exchange::unpack::{Sink, Unpacker};

/// Hands what comes out of a packing to the translator.
pub(crate) struct Interpreter {
    translator: Option<AnswerTranslator>,
    said: Vec<u8>,
}

impl Sink for Interpreter {
    fn take(&mut self, bytes: &[u8]) {
        let Some(translator) = &mut self.translator else {
            return;
        };
        let said = translator.push(bytes);
        if self.said.is_empty() {
            self.said = said;
        } else {
            self.said.extend_from_slice(&said);
        }
    }
}

impl Interpreter {
    fn is_over(&self) -> bool {
        self.translator
            .as_ref()
            .is_none_or(AnswerTranslator::is_over)
    }

    /// Ends the answer and tells the exchange what was left behind. What is left to say is in `said`.
    fn finish(&mut self, settlement: &mut Settlement) -> Option<Fault> {
        let ended = self.translator.take()?.finish();
        self.said.extend_from_slice(&ended.bytes);
        settlement.lost(ended.losses);
        ended.fault
    }
}

/// Turns a provider's answer into the client's.
pub(crate) async fn interpret(
    attempted: Attempted,
    translation: &Translation,
) -> Response<Outgoing> {
    let Attempted {
        response,
        mut settlement,
        ..
    } = attempted;
    let (losses, memo) = translation.result();
    settlement.translated(translation.asked_in, losses);
    let (mut parts, answer) = response.into_parts();
    let form = form(&parts.headers);
    let packing = packing(&parts.headers);
    parts.headers = kept_headers(&parts.headers);
    let Some(packing) = packing else {
        return unreadable(parts, settlement);
    };
    if !parts.status.is_success() {
        let unpacker = Unpacker::new(packing, Kept::default(), MAX_UNPACKED);
        return failed(parts, answer, settlement, unpacker.ok()).await;
    }
    let wanted = if translation.is_streaming() {
        AnswerForm::Stream
    } else {
        AnswerForm::Whole
    };
    let exchange = Exchange {
        client: settlement.client(),
        provider: translation.asked_in,
        wanted,
        form,
        id: settlement.exchange(),
        model: translation.model(),
        origin: &translation.origin,
        created_s: u64::try_from(settlement.opened_us() / 1_000_000).unwrap_or_default(),
    };
    let interpreter = Interpreter {
        translator: Some(AnswerTranslator::new(&exchange, memo)),
        said: Vec::new(),
    };
    let Ok(unpacker) = Unpacker::new(packing, interpreter, MAX_UNPACKED) else {
        return unreadable(parts, settlement);
    };
    match wanted {
        AnswerForm::Whole => whole(parts, answer, settlement, unpacker).await,
        AnswerForm::Stream => {
            let content = if settlement.client() == Protocol::Ollama {
                "application/x-ndjson"
            } else {
                "text/event-stream"
            };
            let content = HeaderValue::from_static(content);
            parts.headers.insert(CONTENT_TYPE, content);
            settlement.add_headers(&mut parts);
            let body = Interpreted::new(answer, settlement, unpacker);
            Response::from_parts(parts, Outgoing::Interpreted(Box::new(body)))
        }
    }
}

/// Reads an answer to its end and says it in one piece.
async fn whole(
    mut parts: response::Parts,
    mut answer: AnswerBody,
    mut settlement: Box<Settlement>,
    mut unpacker: Unpacker<Interpreter>,
) -> Response<Outgoing> {
    while let Some(Ok(frame)) = answer.frame().await {
        let Some(data) = frame.data_ref() else {
            continue;
        };
        settlement.saw(data);
        if unpacker.push(data).is_err() || unpacker.sink().is_over() {
            break;
        }
    }
    let interpreter = unpacker.sink();
    let fault = interpreter.finish(&mut settlement);
    let said = std::mem::take(&mut interpreter.said);
    let Some(fault) = fault else {
        settlement.end(End::Whole);
        parts.headers.insert(CONTENT_TYPE, JSON);
        settlement.add_headers(&mut parts);
        return Response::from_parts(parts, Outgoing::whole(said));
    };
    settlement.end(End::Failed);
    let rendered = render(settlement.client(), &fault, settlement.exchange());
    tell(parts, settlement, rendered)
}

/// Says a provider's error in the client's words.
async fn failed(
    parts: response::Parts,
    mut answer: AnswerBody,
    mut settlement: Box<Settlement>,
    unpacker: Option<Unpacker<Kept>>,
) -> Response<Outgoing> {
    let Some(mut unpacker) = unpacker else {
        return unreadable(parts, settlement);
    };
    // An error that breaks off says what it said.
    while let Some(Ok(frame)) = answer.frame().await {
        let Some(data) = frame.data_ref() else {
            continue;
        };
        settlement.saw(data);
        if unpacker.push(data).is_err() || unpacker.sink().0.len() >= MAX_ERROR {
            break;
        }
    }
    settlement.end(End::Whole);
    let rendered = translate_error(
        settlement.client(),
        parts.status.as_u16(),
        &unpacker.sink().0,
        retry_after(&parts.headers).map(|wait| wait.as_secs().max(1)),
        settlement.exchange(),
    );
    tell(parts, settlement, rendered)
}

/// Says that the provider's answer cannot be unpacked.
fn unreadable(parts: response::Parts, mut settlement: Box<Settlement>) -> Response<Outgoing> {
    let fault = Fault::new(
        FaultKind::UpstreamUnreachable,
        "the provider packed its answer in a way that is not known here",
    );
    settlement.end(End::Failed);
    let rendered = render(settlement.client(), &fault, settlement.exchange());
    tell(parts, settlement, rendered)
}

/// Answers with an error.
fn tell(
    mut parts: response::Parts,
    mut settlement: Box<Settlement>,
    rendered: RenderedFault,
) -> Response<Outgoing> {
    parts.status = StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::BAD_GATEWAY);
    settlement.told(parts.status);
    let headers = &mut parts.headers;
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(seconds) = rendered.retry_after_s
        && !headers.contains_key(RETRY_AFTER)
    {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    settlement.add_headers(&mut parts);
    Response::from_parts(parts, Outgoing::whole(rendered.body))
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a provider says beside its answer crosses; what it says about the bytes of it does not.
fn kept_headers(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len() + 8);
    for (name, value) in headers {
        if name != CONTENT_LENGTH && name != CONTENT_TYPE && name != CONTENT_ENCODING {
            kept.append(name, value.clone());
        }
    }
    kept
}
