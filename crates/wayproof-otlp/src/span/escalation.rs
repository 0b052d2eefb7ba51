//! A job moved to another class: a decision of no length.

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use wayproof_ledger::{Escalated, Event};

use super::{Piece, names_of, span};
use crate::{
    attributes::Attributes,
    ids::{self, Of},
    names,
};

pub(crate) fn escalation(event: &Event, escalated: &Escalated) -> Span {
    let piece = Piece {
        id: ids::span(Of::Escalation, &event.id.to_string()),
        name: format!("escalate {} → {}", escalated.from, escalated.to),
        kind: SpanKind::Internal,
        start_us: event.at_us,
        attributes: facts(names_of(event), escalated).text(names::SPAN_KIND, "DECISION"),
    };
    span(event, piece)
}

pub(crate) fn facts(attributes: Attributes, escalated: &Escalated) -> Attributes {
    attributes
        .text(names::CAUSE, escalated.cause.as_str())
        .text(names::FROM, &escalated.from)
        .text(names::TO, &escalated.to)
        .text(names::WHY, &escalated.why)
}
