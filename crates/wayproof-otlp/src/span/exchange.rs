//! One request of an agent and its answer.

use opentelemetry_proto::tonic::trace::v1::{Span, Status, span::SpanKind, status::StatusCode};
use wayproof_ledger::{
    AttemptRecord, Cost, Event, ExchangeImported, ExchangeOpened, ExchangeOutcome, ExchangeSettled,
};
use wayproof_wire::{Protocol, Usage};

use super::{Piece, happened, names_of, span};
use crate::{
    attributes::{Attributes, one_figure, seconds},
    encoder::Agent,
    ids::{self, Of},
    names,
};

/// A settled exchange. What its opening told is missing where the opening was not seen.
pub(crate) fn exchange(
    event: &Event,
    settled: &ExchangeSettled,
    opened: Option<&ExchangeOpened>,
    agent: Option<&Agent>,
) -> Span {
    let operation = operation(opened);
    let requested = opened.map(|opened| opened.requested_model.as_str());
    let model = settled.model.as_deref().or(requested);
    let mut attributes = facts(event, settled, opened)
        .text(names::OPERATION, operation)
        .maybe(names::REQUEST_MODEL, requested.or(model))
        .maybe(names::LLM_MODEL, model);
    let agent_name = agent.map(|agent| agent.name.as_str());
    let agent_name = agent_name.or_else(|| opened.map(|opened| opened.agent.as_str()));
    let agent_version = agent.and_then(|agent| agent.version.as_deref());
    attributes = attributes
        .maybe(names::AGENT, agent_name)
        .maybe(names::AGENT_VERSION, agent_version);
    let fault = settled
        .attempts
        .last()
        .and_then(|attempt| attempt.fault.clone());
    let is_error = matches!(
        settled.outcome,
        ExchangeOutcome::Failed | ExchangeOutcome::Cut | ExchangeOutcome::Refused
    );
    if is_error {
        attributes = attributes.text(names::ERROR, settled.outcome.as_str());
    }
    let piece = Piece {
        id: ids::span(Of::Exchange, &own_name(event)),
        name: named(operation, model),
        kind: SpanKind::Client,
        start_us: event.at_us - settled.total_us.max(0),
        attributes,
    };
    let mut made = span(event, piece);
    made.events = settled.attempts.iter().map(attempt).collect();
    if is_error {
        made.status = Some(Status {
            message: fault.unwrap_or_else(|| settled.outcome.as_str().to_owned()),
            code: StatusCode::Error.into(),
        });
    }
    made
}

/// What the opening and the end tell.
fn facts(event: &Event, settled: &ExchangeSettled, opened: Option<&ExchangeOpened>) -> Attributes {
    let mut attributes = names_of(event)
        .text(names::SPAN_KIND, "LLM")
        .maybe(names::PROVIDER, settled.provider.as_deref())
        .maybe(names::SYSTEM, settled.provider.as_deref())
        .maybe(names::LLM_PROVIDER, settled.provider.as_deref())
        .maybe(names::RESPONSE_MODEL, settled.model.as_deref())
        .maybe(names::RESPONSE_ID, settled.provider_request_id.as_deref())
        .text(names::TASK, &settled.task)
        .maybe(names::CLASS, settled.class.as_deref())
        .text(names::OUTCOME, settled.outcome.as_str())
        .int(names::STATUS, settled.status.map(i64::from))
        .float(names::TIME_TO_FIRST, settled.ttfb_us.map(seconds))
        .maybe(names::ASKED_IN, settled.asked_in.map(Protocol::name))
        .maybe(names::CATALOG, settled.catalog_digest.as_deref());
    if let Some(stop) = &settled.stop {
        attributes = attributes.texts(names::FINISH_REASONS, &[stop]);
    }
    if !settled.losses.is_empty() {
        let losses = u64::try_from(settled.losses.len()).ok();
        attributes = attributes.count(names::LOSSES, losses);
    }
    if let Some(opened) = opened {
        attributes = attributes
            .text(names::PROTOCOL, opened.protocol.name())
            .text(names::ROUTING, &opened.routing)
            .maybe(names::HOUSEKEEPING, opened.housekeeping.as_deref());
    }
    money(tokens(attributes, settled.usage.as_ref()), &settled.cost)
}

/// An answer that only an agent's own log tells of; how long it took is not known.
pub(crate) fn imported(event: &Event, imported: &ExchangeImported) -> Span {
    let model = imported.model.as_deref();
    let attributes = names_of(event)
        .text(names::OPERATION, "chat")
        .text(names::SPAN_KIND, "LLM")
        .flag(names::IMPORTED, true)
        .text(names::AGENT, &imported.agent)
        .maybe(names::PROVIDER, imported.provider.as_deref())
        .maybe(names::SYSTEM, imported.provider.as_deref())
        .maybe(names::LLM_PROVIDER, imported.provider.as_deref())
        .maybe(
            names::REQUEST_MODEL,
            imported.requested_model.as_deref().or(model),
        )
        .maybe(names::RESPONSE_MODEL, model)
        .maybe(names::LLM_MODEL, model)
        .maybe(names::RESPONSE_ID, imported.provider_request_id.as_deref())
        .maybe(names::CATALOG, imported.catalog_digest.as_deref());
    let attributes = money(tokens(attributes, imported.usage.as_ref()), &imported.cost);
    let piece = Piece {
        id: ids::span(Of::Exchange, &own_name(event)),
        name: named("chat", model),
        kind: SpanKind::Client,
        start_us: event.at_us,
        attributes,
    };
    span(event, piece)
}

/// The conventions' word for what was asked.
pub(crate) fn operation(opened: Option<&ExchangeOpened>) -> &'static str {
    match opened.map(|opened| opened.protocol) {
        Some(Protocol::Completions | Protocol::Fim) => "text_completion",
        Some(Protocol::Gemini) => "generate_content",
        _ => "chat",
    }
}

fn own_name(event: &Event) -> String {
    let own = || event.id.to_string();
    event.exchange.clone().unwrap_or_else(own)
}

fn named(operation: &str, model: Option<&str>) -> String {
    match model {
        Some(model) => format!("{operation} {model}"),
        None => operation.to_owned(),
    }
}

/// Tokens that were reported; the conventions count cached ones into the input and reasoning into the output.
fn tokens(attributes: Attributes, usage: Option<&Usage>) -> Attributes {
    let Some(usage) = usage else {
        return attributes;
    };
    let written = sum(usage.cache_write_5m, usage.cache_write_1h);
    let (input, output) = (usage.total_input(), all_output(usage));
    attributes
        .count(names::INPUT_TOKENS, input)
        .count(names::OUTPUT_TOKENS, output)
        .count(names::CACHE_READ, usage.cache_read)
        .count(names::CACHE_WRITE, written)
        .count(names::CACHE_CREATION, written)
        .count(names::REASONING, usage.reasoning)
        .count(names::LLM_PROMPT, input)
        .count(names::LLM_COMPLETION, output)
        .count(
            names::LLM_TOTAL,
            input
                .zip(output)
                .map(|(input, output)| input.saturating_add(output)),
        )
        .count(names::LLM_CACHE_READ, usage.cache_read)
        .count(names::LLM_CACHE_WRITE, written)
        .count(names::LLM_REASONING, usage.reasoning)
}

/// Output with reasoning; unknown when no output was reported.
pub(crate) fn all_output(usage: &Usage) -> Option<u64> {
    let reasoning = usage.reasoning.unwrap_or(0);
    usage.output.map(|output| output.saturating_add(reasoning))
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    }
}

fn money(attributes: Attributes, cost: &Cost) -> Attributes {
    let attributes = attributes.cost(cost);
    match one_figure(cost) {
        Some((dollars, basis)) => attributes
            .float(names::LLM_COST, Some(dollars))
            .text(names::BASIS, basis),
        None => attributes,
    }
}

fn attempt(attempt: &AttemptRecord) -> opentelemetry_proto::tonic::trace::v1::span::Event {
    let attributes = Attributes::default()
        .text(names::PROVIDER, &attempt.provider)
        .text(names::REQUEST_MODEL, &attempt.model)
        .int(names::STATUS, attempt.status.map(i64::from))
        .float(names::TIME_TO_FIRST, attempt.ttfb_us.map(seconds))
        .maybe(names::FAULT, attempt.fault.as_deref());
    happened(attempt.started_us, "wayproof.attempt", attributes)
}
