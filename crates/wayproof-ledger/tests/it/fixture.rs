//! Events as a gateway would record them.

use serde_json::value::RawValue;
use wayproof_ledger::{
    About, AttemptRecord, Cost, Event, EventBody, ExchangeOpened, ExchangeOutcome, ExchangeSettled,
    JobOpened, Ledger, MadeBy,
};
use wayproof_receipt::SigningKey;
use wayproof_wire::{Protocol, Usage};

/// 2026-11-22 12:00 UTC.
pub(crate) const NOON_US: i64 = 1_795_348_800_000_000;

pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

pub(crate) fn about(session: &str, job: Option<&str>, exchange: Option<&str>) -> About {
    About {
        session: Some(session.to_owned()),
        job: job.map(str::to_owned),
        exchange: exchange.map(str::to_owned),
    }
}

pub(crate) fn job_opened(task: &str) -> EventBody {
    EventBody::JobOpened(JobOpened {
        task: task.to_owned(),
        class: Some("fast".to_owned()),
        repo: Some("https://example.org/shop.git".to_owned()),
        ..JobOpened::default()
    })
}

/// A decision of about the size the engine makes.
const DECISION: &str = r#"{"task":"bug-fix","class":"fast","routing":"routed","attempts":[{"target":{"provider":"anthropic","model":"claude-haiku-5-5"}},{"target":{"provider":"openai","model":"gpt-6.1-mini"}}],"rule":"the ask names a failing test","confidence_pm":871,"causes":[],"rejected":[{"target":"azure/mai-code-1.1-flash","why":"no such provider at hand"}],"proof":[["failing-test-becomes-green"]],"policy_digest":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}"#;

pub(crate) fn opened(task: &str, class: &str, model: &str) -> EventBody {
    EventBody::ExchangeOpened(Box::new(ExchangeOpened {
        protocol: Protocol::Messages,
        agent: "claude-code".to_owned(),
        requested_model: "claude-wayproof-auto".to_owned(),
        by: MadeBy::default(),
        task: task.to_owned(),
        class: Some(class.to_owned()),
        provider: "anthropic".to_owned(),
        model: model.to_owned(),
        routing: "routed".to_owned(),
        housekeeping: None,
        is_streaming: true,
        request_bytes: 143_000,
        decision: RawValue::from_string(DECISION.to_owned()).ok(),
    }))
}

pub(crate) fn settled(task: &str, class: &str, model: &str, cost: Cost) -> EventBody {
    EventBody::ExchangeSettled(Box::new(ExchangeSettled {
        outcome: ExchangeOutcome::Completed,
        status: Some(200),
        attempts: vec![AttemptRecord {
            provider: "anthropic".to_owned(),
            model: model.to_owned(),
            status: Some(200),
            started_us: NOON_US,
            ttfb_us: Some(420_000),
            fault: None,
        }],
        by: MadeBy::default(),
        task: task.to_owned(),
        class: Some(class.to_owned()),
        provider: Some("anthropic".to_owned()),
        model: Some(model.to_owned()),
        asked_in: None,
        losses: Vec::new(),
        failure: None,
        kept: None,
        seals: Vec::new(),
        usage: Some(Usage {
            input: Some(1_200),
            cache_read: Some(40_000),
            cache_write_5m: Some(900),
            cache_write_1h: None,
            output: Some(310),
            reasoning: None,
        }),
        cost,
        held_nano_usd: None,
        catalog_digest: None,
        ttfb_us: Some(421_000),
        total_us: 2_100_000,
        response_bytes: 9_000,
        stop: Some("end".to_owned()),
        provider_request_id: None,
    }))
}

pub(crate) fn listed(nano_usd: i64) -> Cost {
    Cost {
        listed_nano_usd: Some(nano_usd),
        ..Cost::default()
    }
}

/// Opens and settles one exchange; the opening is written and the settling a note, as in the gateway.
pub(crate) async fn exchange(
    ledger: &Ledger,
    session: &str,
    job: Option<&str>,
    cost: Cost,
) -> String {
    let id = ledger.ids().next().to_string();
    let open = event(
        ledger,
        session,
        job,
        &id,
        opened("bug-fix", "fast", "claude-haiku-5-5"),
    );
    ledger
        .append_written(&open)
        .await
        .expect("the ledger records");
    let settle = event(
        ledger,
        session,
        job,
        &id,
        settled("bug-fix", "fast", "claude-haiku-5-5", cost),
    );
    ledger.note(&settle).expect("the ledger records");
    id
}

fn event(
    ledger: &Ledger,
    session: &str,
    job: Option<&str>,
    exchange: &str,
    body: EventBody,
) -> Event {
    ledger.event(about(session, job, Some(exchange)), body)
}
