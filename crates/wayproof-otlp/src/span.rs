//! Spans: one file a kind.

mod escalation;
mod exchange;
mod job;
mod proof;

use opentelemetry_proto::tonic::trace::v1::{
    Span,
    span::{Event as SpanEvent, SpanKind},
};
use wayproof_ledger::Event;

use crate::{
    attributes::{Attributes, nanos},
    ids, names,
};

pub(crate) use self::{
    escalation::{escalation, facts as escalation_facts},
    exchange::{all_output, exchange, imported, operation},
    job::{OpenJob, job, receipt as receipt_facts, review as review_facts},
    proof::{evaluation, proof},
};

/// Where a span belongs: the trace is the job's, else the session's, else its own.
pub(crate) fn trace_of(event: &Event) -> Vec<u8> {
    let name = event.job.as_ref().or(event.session.as_ref());
    let own = event.id.to_string();
    ids::trace(name.or(event.exchange.as_ref()).unwrap_or(&own))
}

/// The job's span, which the others hang on.
pub(crate) fn parent_of(event: &Event) -> Vec<u8> {
    event
        .job
        .as_deref()
        .map(|job| ids::span(ids::Of::Job, job))
        .unwrap_or_default()
}

/// The names that every span carries.
fn names_of(event: &Event) -> Attributes {
    Attributes::default()
        .maybe(names::CONVERSATION, event.session.as_deref())
        .maybe(names::SESSION, event.session.as_deref())
        .maybe(names::JOB, event.job.as_deref())
        .maybe(names::EXCHANGE, event.exchange.as_deref())
}

struct Piece {
    id: Vec<u8>,
    name: String,
    kind: SpanKind,
    start_us: i64,
    attributes: Attributes,
}

/// A span that ends with the event and hangs on its job.
fn span(event: &Event, piece: Piece) -> Span {
    Span {
        trace_id: trace_of(event),
        span_id: piece.id,
        parent_span_id: parent_of(event),
        name: piece.name,
        kind: piece.kind.into(),
        start_time_unix_nano: nanos(piece.start_us.min(event.at_us)),
        end_time_unix_nano: nanos(event.at_us),
        attributes: piece.attributes.into_vec(),
        ..Span::default()
    }
}

fn happened(at_us: i64, name: &str, attributes: Attributes) -> SpanEvent {
    SpanEvent {
        time_unix_nano: nanos(at_us),
        name: name.to_owned(),
        attributes: attributes.into_vec(),
        ..SpanEvent::default()
    }
}
