//! Nothing is counted twice: not by a second run, not by a copied log, not beside the gateway's own record.

use wayproof_import::{Importer, Options, Source};
use wayproof_ledger::{
    About, Cost, Event, EventBody, ExchangeOpened, ExchangeOutcome, ExchangeSettled, LedgerError,
    MadeBy,
};
use wayproof_wire::{Protocol, Usage};

use crate::place::{NOW_US, Place};

const LOG: &str = ".claude/projects/-src/s1.jsonl";

/// A line of an answer, so many seconds before now.
fn answer(id: &str, ago: i64, output: u64, stop: &str) -> String {
    let at = NOW_US / 1_000_000 - ago;
    let time = jiff_free_time(at);
    format!(
        "{{\"type\":\"assistant\",\"sessionId\":\"s1\",\"requestId\":\"req_{id}\",\"timestamp\":\"{time}\",\"message\":{{\
         \"id\":\"msg_{id}\",\"model\":\"claude-opus-5-5\",\"content\":[{{\"type\":\"tool_use\"}}],\"stop_reason\":{stop},\
         \"usage\":{{\"input_tokens\":10,\"cache_read_input_tokens\":90,\"output_tokens\":{output}}}}}}}\n"
    )
}

/// Seconds of 2026-11-29 as a time of that day.
fn jiff_free_time(second: i64) -> String {
    let of_day = second.rem_euclid(86_400);
    assert_eq!(second.div_euclid(86_400), 20_786, "the same day");
    format!(
        "2026-11-29T{:02}:{:02}:{:02}.000Z",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

async fn output(place: &Place) -> (i64, Option<i64>, i64) {
    let rows = place.report(&[]).await;
    let tools = place
        .ledger
        .activity(wayproof_ledger::Days::default())
        .await
        .expect("read");
    let tools = tools.iter().map(|row| row.tool_calls).sum();
    rows.first().map_or((0, None, tools), |row| {
        (row.exchanges, row.tokens[3], tools)
    })
}

#[tokio::test]
async fn a_second_run_reads_only_what_is_new() {
    let place = Place::new().await;
    place.write(
        LOG,
        answer("a", 3000, 1, "\"end_turn\"") + &answer("b", 2000, 2, "\"end_turn\""),
    );
    let first = place.import(Source::ClaudeCode).await;
    assert_eq!((first.imported, first.known), (2, 0));
    let second = place.import(Source::ClaudeCode).await;
    assert_eq!(second.bytes, 0);
    let more = answer("c", 1000, 4, "\"end_turn\"");
    // A line that is not whole yet is left for the next time.
    place.append(LOG, &(more.clone() + "{\"type\":\"assistant\",\"ses"));
    let third = place.import(Source::ClaudeCode).await;
    assert_eq!(
        (third.imported, third.known, third.bytes),
        (1, 0, more.len() as u64)
    );
    assert_eq!(output(&place).await, (3, Some(7), 3));
    place.done().await;
}

#[tokio::test]
async fn a_copied_log_adds_nothing() {
    let place = Place::new().await;
    let log = answer("a", 3000, 1, "\"end_turn\"") + &answer("b", 2000, 2, "\"end_turn\"");
    place.write(LOG, &log);
    place.write(
        ".claude/projects/-src/s2.jsonl",
        log.clone() + &answer("c", 1000, 4, "\"end_turn\""),
    );
    let both = place.import(Source::ClaudeCode).await;
    assert_eq!((both.imported, both.known), (3, 2));
    place.write(".claude/projects/-src/s3.jsonl", log);
    let later = place.import(Source::ClaudeCode).await;
    assert_eq!((later.imported, later.known), (0, 2));
    assert_eq!(output(&place).await.1, Some(7));
    place.done().await;
}

#[tokio::test]
async fn what_is_still_being_written_is_left_for_later() {
    let place = Place::new().await;
    let done = answer("a", 3000, 1, "\"end_turn\"");
    // Without an end, and young enough to get one; what comes after it waits as well.
    let growing = answer("b", 60, 2, "null");
    let fresh = answer("c", 1, 4, "\"end_turn\"");
    place.write(LOG, [done, growing, fresh].concat());
    assert_eq!(place.import(Source::ClaudeCode).await.imported, 1);
    assert_eq!(output(&place).await, (1, Some(1), 1));
    place.append(LOG, &answer("b", 0, 8, "\"end_turn\""));
    place.clock.set(NOW_US + 10_000_000);
    assert_eq!(place.import(Source::ClaudeCode).await.imported, 2);
    assert_eq!(output(&place).await, (3, Some(13), 4));
    place.done().await;
}

#[tokio::test]
async fn a_file_that_was_replaced_is_read_anew() {
    let place = Place::new().await;
    place.write(
        LOG,
        answer("a", 3000, 1, "\"end_turn\"") + &answer("b", 2000, 2, "\"end_turn\""),
    );
    place.import(Source::ClaudeCode).await;
    place.write(LOG, answer("d", 1000, 16, "\"end_turn\""));
    let counts = place.import(Source::ClaudeCode).await;
    assert_eq!(
        (counts.imported, counts.gaps),
        (1, 1),
        "the gap says that it was replaced"
    );
    assert_eq!(output(&place).await.1, Some(19));
    place.done().await;
}

#[tokio::test]
async fn older_answers_stay_for_a_later_import() {
    let place = Place::new().await;
    place.write(
        LOG,
        answer("a", 3000, 1, "\"end_turn\"") + &answer("b", 2000, 2, "\"end_turn\""),
    );
    let since = Some(NOW_US - 2_500_000_000);
    let some = place.try_import(&[Source::ClaudeCode], since, false).await;
    assert_eq!(some.agents["claude-code"].imported, 1);
    let rest = place.import(Source::ClaudeCode).await;
    assert_eq!((rest.imported, rest.known), (1, 1));
    assert_eq!(output(&place).await, (2, Some(3), 2));
    place.done().await;
}

#[tokio::test]
async fn a_dry_run_records_nothing() {
    let place = Place::new().await;
    place.write(LOG, answer("a", 3000, 1, "\"end_turn\""));
    let told = place.try_import(&[Source::ClaudeCode], None, true).await;
    assert_eq!(told.agents["claude-code"].imported, 1);
    assert_eq!(place.ledger.events(0, 9).await.expect("read").len(), 0);
    assert_eq!(place.import(Source::ClaudeCode).await.imported, 1);
    place.done().await;
}

#[tokio::test]
async fn two_imports_take_turns() {
    let place = Place::new().await;
    let options = Options {
        home: place.home(),
        sources: vec![Source::Codex],
        since_us: None,
        is_dry: false,
    };
    let open = || {
        Importer::open(
            place.ledger.clone(),
            options.clone(),
            Box::new(|_, _, _, _| None),
        )
    };
    let first = open().await.expect("the turn");
    let second = open().await;
    assert!(
        matches!(
            &second,
            Err(wayproof_import::ImportError::Ledger(
                LedgerError::Locked { .. }
            ))
        ),
        "{second:?}"
    );
    drop(first);
    assert!(open().await.is_ok());
    place.done().await;
}

fn used(output: u64) -> Usage {
    Usage {
        input: Some(10),
        cache_read: Some(90),
        output: Some(output),
        ..Usage::default()
    }
}

async fn proxied(place: &Place, request_id: Option<&str>, session: &str, ago: i64, output: u64) {
    let exchange = place.ledger.ids().next().to_string();
    let about = || About {
        session: Some(session.to_owned()),
        job: None,
        exchange: Some(exchange.clone()),
    };
    let opened = ExchangeOpened {
        protocol: Protocol::Messages,
        agent: "claude-code".to_owned(),
        requested_model: "claude-opus-5-5".to_owned(),
        by: MadeBy::default(),
        task: "general".to_owned(),
        class: None,
        provider: "anthropic".to_owned(),
        model: "claude-opus-5-5".to_owned(),
        routing: "passed-through".to_owned(),
        housekeeping: None,
        is_streaming: true,
        request_bytes: 1,
        decision: None,
    };
    let settled = ExchangeSettled {
        outcome: ExchangeOutcome::Completed,
        status: Some(200),
        attempts: Vec::new(),
        by: MadeBy::default(),
        task: "general".to_owned(),
        class: None,
        provider: Some("anthropic".to_owned()),
        model: Some("claude-opus-5-5".to_owned()),
        asked_in: None,
        losses: Vec::new(),
        failure: None,
        kept: None,
        seals: Vec::new(),
        usage: Some(used(output)),
        cost: Cost::default(),
        held_nano_usd: None,
        catalog_digest: None,
        ttfb_us: None,
        total_us: 2_000_000,
        response_bytes: 1,
        stop: None,
        provider_request_id: request_id.map(str::to_owned),
    };
    for body in [
        EventBody::ExchangeOpened(Box::new(opened)),
        EventBody::ExchangeSettled(Box::new(settled)),
    ] {
        let event = place.ledger.event(about(), body);
        let at_us = NOW_US - ago * 1_000_000;
        let appended = place.ledger.append(&Event { at_us, ..event });
        appended.await.expect("recorded");
    }
}

#[tokio::test]
async fn what_the_gateway_saw_is_not_imported() {
    let place = Place::new().await;
    // By the provider's name; by tokens, session and time; and three that only look alike.
    proxied(&place, Some("req_a"), "s1", 3001, 1).await;
    proxied(&place, None, "s1", 2001, 2).await;
    proxied(&place, None, "another", 1001, 4).await;
    proxied(&place, None, "s1", 900, 8).await;
    proxied(&place, None, "s1", 501, 16).await;
    place.write(
        LOG,
        [
            answer("a", 3000, 1, "\"end_turn\""),
            answer("b", 2000, 2, "\"end_turn\""),
            answer("c", 1000, 4, "\"end_turn\""),
            answer("d", 700, 8, "\"end_turn\""),
            answer("e", 500, 16, "\"end_turn\""),
            answer("f", 499, 16, "\"end_turn\""),
        ]
        .concat(),
    );
    let counts = place.import(Source::ClaudeCode).await;
    assert_eq!((counts.proxied, counts.imported), (3, 3));
    // Two of three: another session's, one too late, and one of two alike.
    let rows = place.report(&[wayproof_ledger::Dimension::Source]).await;
    let imported = rows
        .iter()
        .find(|row| row.group == ["imported"])
        .expect("a row");
    assert_eq!(imported.tokens[3], Some(4 + 8 + 16));
    assert_eq!(place.import(Source::ClaudeCode).await.imported, 0);
    place.done().await;
}
