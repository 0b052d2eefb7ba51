//! What a receiver reads of one piece of work.

#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "tests stop at the first surprise"
)]

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Metric, metric::Data, number_data_point},
    trace::v1::Span,
};
use prost::Message as _;
use uuid::Uuid;
use wayproof_engine::Cause;
use wayproof_ledger::{
    AttemptRecord, Cost, Escalated, Event, EventBody, ExchangeOpened, ExchangeOutcome,
    ExchangeSettled, JobClosed, JobOpened, MadeBy, ProofFinished, SessionStarted, StoredEvent,
};
use wayproof_otlp::{Batch, Encoder, Source};
use wayproof_receipt::Verdict;
use wayproof_wire::{Protocol, Usage};

const START_US: i64 = 1_764_000_000_000_000;

fn encoder() -> Encoder {
    Encoder::new(Source {
        version: "1.2.3".to_owned(),
        instance: "ledger".to_owned(),
        start_us: START_US,
    })
}

fn stored(seq: i64, exchange: Option<&str>, body: EventBody) -> StoredEvent {
    StoredEvent {
        seq,
        text: String::new(),
        event: Event {
            id: Uuid::from_u128(u128::try_from(seq).unwrap() + 1),
            at_us: START_US + seq * 1_000_000,
            session: Some("s".to_owned()),
            job: Some("j".to_owned()),
            exchange: exchange.map(str::to_owned),
            body,
        },
    }
}

fn opened() -> EventBody {
    EventBody::ExchangeOpened(Box::new(ExchangeOpened {
        protocol: Protocol::Messages,
        agent: "claude-code".to_owned(),
        requested_model: "claude-wayproof-auto".to_owned(),
        by: MadeBy::default(),
        task: "bug-fix".to_owned(),
        class: Some("fast".to_owned()),
        provider: "anthropic".to_owned(),
        model: "claude-haiku-4-5".to_owned(),
        routing: "routed".to_owned(),
        housekeeping: None,
        is_streaming: true,
        request_bytes: 10,
        decision: None,
    }))
}

fn settled(outcome: ExchangeOutcome, usage: Option<Usage>, cost: Cost) -> EventBody {
    EventBody::ExchangeSettled(Box::new(ExchangeSettled {
        outcome,
        status: Some(200),
        attempts: vec![AttemptRecord {
            provider: "anthropic".to_owned(),
            model: "claude-haiku-4-5".to_owned(),
            status: Some(529),
            started_us: START_US,
            ttfb_us: Some(5),
            fault: Some("overloaded".to_owned()),
        }],
        by: MadeBy::default(),
        task: "bug-fix".to_owned(),
        class: Some("fast".to_owned()),
        provider: Some("anthropic".to_owned()),
        model: Some("claude-haiku-4-5".to_owned()),
        asked_in: None,
        losses: Vec::new(),
        failure: None,
        kept: None,
        seals: Vec::new(),
        usage,
        cost,
        held_nano_usd: None,
        catalog_digest: None,
        ttfb_us: Some(250_000),
        total_us: 500_000,
        response_bytes: 1,
        stop: Some("end_turn".to_owned()),
        provider_request_id: Some("msg_1".to_owned()),
    }))
}

fn story() -> Vec<StoredEvent> {
    let usage = Usage {
        input: Some(100),
        cache_read: Some(20),
        cache_write_5m: Some(3),
        cache_write_1h: Some(4),
        output: Some(50),
        reasoning: Some(7),
    };
    let cost = Cost {
        listed_nano_usd: Some(1_500_000_000),
        billed_nano_usd: Some(1),
        subscription_nano_usd: None,
    };
    let proof = |verdict, fact: &str| {
        EventBody::ProofFinished(ProofFinished {
            verdict,
            task: "bug-fix".to_owned(),
            one_fact: Some(fact.to_owned()),
            wall_us: Some(200_000),
            ..ProofFinished::default_of(verdict)
        })
    };
    vec![
        stored(
            0,
            None,
            EventBody::SessionStarted(SessionStarted {
                agent: "claude-code".to_owned(),
                agent_version: Some("2.1".to_owned()),
                ..SessionStarted::default()
            }),
        ),
        stored(
            1,
            None,
            EventBody::JobOpened(JobOpened {
                task: "bug-fix".to_owned(),
                agent: Some("claude-code".to_owned()),
                ..JobOpened::default()
            }),
        ),
        stored(2, Some("x"), opened()),
        stored(
            3,
            Some("x"),
            settled(ExchangeOutcome::Completed, Some(usage), cost),
        ),
        stored(4, None, proof(Verdict::Refuted, "a test was edited")),
        stored(
            5,
            None,
            EventBody::Escalated(Escalated {
                cause: Cause::ProofRefuted,
                from: "fast".to_owned(),
                to: "strong".to_owned(),
                why: "a test was edited".to_owned(),
            }),
        ),
        stored(
            6,
            Some("y"),
            settled(ExchangeOutcome::Cut, None, Cost::default()),
        ),
        stored(7, None, proof(Verdict::Proven, "all hold")),
        stored(
            8,
            None,
            EventBody::JobClosed(JobClosed {
                verdict: Some(Verdict::Proven),
                why: None,
            }),
        ),
    ]
}

trait DefaultOf {
    fn default_of(verdict: Verdict) -> Self;
}

impl DefaultOf for ProofFinished {
    fn default_of(verdict: Verdict) -> Self {
        Self {
            verdict,
            task: String::new(),
            head_tree: None,
            receipt_digest: None,
            one_fact: None,
            wall_us: None,
        }
    }
}

fn spans(batch: &Batch) -> Vec<Span> {
    let message = batch.traces.as_deref().unwrap_or_default();
    let request = ExportTraceServiceRequest::decode(message).unwrap();
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn metrics(batch: &Batch) -> Vec<Metric> {
    let message = batch.metrics.as_deref().unwrap_or_default();
    let request = ExportMetricsServiceRequest::decode(message).unwrap();
    let scopes = request
        .resource_metrics
        .into_iter()
        .flat_map(|resource| resource.scope_metrics);
    scopes.flat_map(|scope| scope.metrics).collect()
}

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let found = attributes.iter().find(|pair| pair.key == key)?;
    found.value.as_ref()?.value.as_ref()
}

fn text(span: &Span, key: &str) -> String {
    match value(&span.attributes, key) {
        Some(Value::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn int(span: &Span, key: &str) -> Option<i64> {
    match value(&span.attributes, key)? {
        Value::IntValue(value) => Some(*value),
        _ => None,
    }
}

#[test]
fn a_job_is_one_trace_with_tokens_cost_and_verdicts() {
    let mut encoder = encoder();
    for stored in story() {
        encoder.observe(&stored);
    }
    let batch = encoder.take(START_US + 9_000_000);
    let spans = spans(&batch);
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "chat claude-haiku-4-5",
            "wayproof.proof bug-fix",
            "escalate fast → strong",
            "chat claude-haiku-4-5",
            "wayproof.proof bug-fix",
            "invoke_agent claude-code",
        ]
    );
    let job = spans.last().unwrap();
    assert!(job.parent_span_id.is_empty());
    for span in &spans {
        assert_eq!(span.trace_id, job.trace_id, "{}", span.name);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        if span.name != job.name {
            assert_eq!(span.parent_span_id, job.span_id, "{}", span.name);
        }
    }
    let told: Vec<&str> = job.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(
        told,
        [
            "gen_ai.evaluation.result",
            "wayproof.escalation",
            "gen_ai.evaluation.result"
        ]
    );

    let chat = &spans[0];
    assert_eq!(
        chat.end_time_unix_nano - chat.start_time_unix_nano,
        500_000_000
    );
    for (key, wanted) in [
        ("gen_ai.usage.input_tokens", 127),
        ("gen_ai.usage.output_tokens", 57),
        ("gen_ai.usage.cache_read.input_tokens", 20),
        ("gen_ai.usage.cache_write.input_tokens", 7),
        ("gen_ai.usage.cache_creation.input_tokens", 7),
        ("llm.token_count.total", 184),
        ("wayproof.cost.listed_nano_usd", 1_500_000_000),
        ("wayproof.cost.billed_nano_usd", 1),
    ] {
        assert_eq!(int(chat, key), Some(wanted), "{key}");
    }
    assert_eq!(int(chat, "wayproof.cost.subscription_nano_usd"), None);
    assert_eq!(
        value(&chat.attributes, "llm.cost.total"),
        Some(&Value::DoubleValue(1.5))
    );
    assert_eq!(text(chat, "gen_ai.request.model"), "claude-wayproof-auto");
    assert_eq!(text(chat, "gen_ai.agent.version"), "2.1");
    assert_eq!(chat.events[0].name, "wayproof.attempt");

    let refuted = &spans[1];
    assert_eq!(text(refuted, "wayproof.verdict"), "REFUTED");
    assert_eq!(
        value(&refuted.attributes, "gen_ai.evaluation.score.value"),
        Some(&Value::DoubleValue(0.0))
    );
}

#[test]
fn what_is_unknown_is_not_told() {
    let mut encoder = encoder();
    // Its opening was never seen, as after a restart without memory.
    encoder.observe(&stored(
        6,
        Some("y"),
        settled(ExchangeOutcome::Cut, None, Cost::default()),
    ));
    let spans = spans(&encoder.take(START_US));
    let cut = &spans[0];
    for key in [
        "gen_ai.usage.input_tokens",
        "llm.cost.total",
        "wayproof.cost.listed_nano_usd",
    ] {
        assert_eq!(value(&cut.attributes, key), None, "{key}");
    }
    assert_eq!(cut.status.as_ref().unwrap().message, "overloaded");
}

#[test]
fn remembering_what_was_told_gives_the_same_bytes() {
    let story = story();
    let mut whole = encoder();
    for stored in &story[..5] {
        whole.observe(stored);
    }
    whole.take(START_US);
    for stored in &story[5..] {
        whole.observe(stored);
    }
    let mut again = encoder();
    for stored in &story[..5] {
        again.recall(stored);
    }
    for stored in &story[5..] {
        again.observe(stored);
    }
    let (whole, again) = (whole.take(START_US), again.take(START_US));
    assert_eq!(whole.traces, again.traces);
    assert_eq!(whole.logs, again.logs);
}

#[test]
fn the_oldest_open_thing_is_known_until_it_ends() {
    let mut encoder = encoder();
    assert_eq!(encoder.oldest_open(), None);
    for stored in &story()[..8] {
        encoder.observe(stored);
    }
    assert_eq!(encoder.oldest_open(), Some(1));
    encoder.observe(&story()[8]);
    assert_eq!(encoder.oldest_open(), None);
}

#[test]
fn verdicts_are_log_records_of_their_span() {
    let mut encoder = encoder();
    for stored in story() {
        encoder.observe(&stored);
    }
    let batch = encoder.take(START_US);
    let spans = spans(&batch);
    let request = ExportLogsServiceRequest::decode(batch.logs.as_deref().unwrap()).unwrap();
    let records = &request.resource_logs[0].scope_logs[0].log_records;
    let names: Vec<&str> = records
        .iter()
        .map(|record| record.event_name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "gen_ai.evaluation.result",
            "wayproof.escalation",
            "gen_ai.evaluation.result"
        ]
    );
    assert_eq!(records[0].span_id, spans[1].span_id);
    assert_eq!(records[0].trace_id, spans[1].trace_id);
}

#[test]
fn metrics_grow_and_money_columns_stay_apart() {
    let mut encoder = encoder();
    for stored in story() {
        encoder.observe(&stored);
    }
    let first = metrics(&encoder.take(START_US + 1));
    let names: Vec<&str> = first.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "gen_ai.client.token.usage",
            "gen_ai.client.operation.duration",
            "wayproof.cost.usd",
            "wayproof.exchanges",
            "wayproof.escalations",
            "wayproof.proofs"
        ]
    );
    let sums = |metrics: &[Metric], name: &str| -> Vec<f64> {
        let metric = metrics.iter().find(|metric| metric.name == name).unwrap();
        let Some(Data::Sum(sum)) = &metric.data else {
            panic!("{name} is no sum")
        };
        assert!(sum.is_monotonic);
        let values = sum
            .data_points
            .iter()
            .map(|point| match point.value.as_ref().unwrap() {
                number_data_point::Value::AsDouble(value) => *value,
                number_data_point::Value::AsInt(value) => f64::from(i32::try_from(*value).unwrap()),
            });
        values.collect()
    };
    assert_eq!(sums(&first, "wayproof.cost.usd"), [1e-9, 1.5]);
    assert_eq!(sums(&first, "wayproof.proofs"), [1.0, 1.0]);
    assert_eq!(encoder.take(START_US + 2), Batch::default());
    encoder.observe(&story()[4]);
    let second = metrics(&encoder.take(START_US + 3));
    assert_eq!(sums(&second, "wayproof.proofs"), [1.0, 2.0]);
}
