//! Who made an exchange: in reports, exports, rows and events, also of ledgers that are older.

use serde_json::json;
use wayproof_ledger::{
    Days, Dimension, Event, EventBody, ExchangeFilter, ForgetSubject, Ledger, MadeBy, Page, Sources,
};

use crate::engine::Place;
use crate::fixture::{about, exchange, listed, opened, settled};
use crate::on_both;

on_both! {
    spend_is_told_by_person_team_and_key
    a_forgotten_person_has_no_spend_by_name
    an_older_ledger_knows_nobody
}

fn by(key: &str, person: Option<&str>, teams: &[&str]) -> MadeBy {
    MadeBy {
        key: Some(key.to_owned()),
        person: person.map(str::to_owned),
        teams: teams.iter().map(|team| (*team).to_owned()).collect(),
    }
}

/// Three exchanges in one conversation, of two keys and of nobody.
async fn filled(place: &Place) -> Ledger {
    let ledger = place.open().await;
    for (by, nano) in [
        (by("laptop", Some("ana"), &["core", "web"]), 5),
        (by("ci", None, &["core"]), 7),
        (MadeBy::default(), 11),
    ] {
        let id = ledger.ids().next().to_string();
        let about = || about("s", Some("j"), Some(&id));
        let mut first = opened("bug-fix", "fast", "m");
        let mut last = settled("bug-fix", "fast", "m", listed(nano));
        if let EventBody::ExchangeOpened(opened) = &mut first {
            opened.by = by.clone();
        }
        if let EventBody::ExchangeSettled(settled) = &mut last {
            settled.by = by;
        }
        for body in [first, last] {
            let event = ledger.event(about(), body);
            ledger.append(&event).await.expect("recorded");
        }
    }
    ledger.flush().await.expect("flushed");
    ledger
}

async fn spent(ledger: &Ledger, by: Dimension) -> Vec<(String, i64)> {
    let rows = ledger
        .report(&[by], Days::default(), Sources::All, 9)
        .await
        .expect("read");
    let told = |row: &wayproof_ledger::ReportRow| {
        let sum = row.money.listed_nano_usd.expect("priced");
        (row.group[0].clone(), sum)
    };
    rows.iter().map(told).collect()
}

fn told(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    let told = rows.iter().map(|(name, sum)| ((*name).to_owned(), *sum));
    told.collect()
}

async fn spend_is_told_by_person_team_and_key(place: Place) {
    let ledger = filled(&place).await;
    assert_eq!(
        spent(&ledger, Dimension::Person).await,
        told(&[("", 18), ("ana", 5)])
    );
    assert_eq!(
        spent(&ledger, Dimension::Team).await,
        told(&[("", 11), ("core", 7), ("core, web", 5)]),
        "money of who is in two teams is counted once"
    );
    assert_eq!(
        spent(&ledger, Dimension::Key).await,
        told(&[("", 11), ("ci", 7), ("laptop", 5)])
    );
    let rows = ledger
        .exchanges(&ExchangeFilter::default(), Page::default())
        .await
        .expect("read");
    let named = |row: &wayproof_ledger::ExchangeRow| {
        [&row.person, &row.team, &row.key_name].map(|name| name.clone().unwrap_or_default())
    };
    assert_eq!(
        rows.iter().map(named).collect::<Vec<_>>(),
        [
            ["", "", ""],
            ["", "core", "ci"],
            ["ana", "core, web", "laptop"]
        ]
    );
    let texts = ledger
        .exchange_texts(0, Days::default(), 9)
        .await
        .expect("read");
    let last = texts[0].1.iter().rev().take(3).cloned();
    assert_eq!(
        last.flatten().collect::<Vec<_>>(),
        ["laptop", "core, web", "ana"]
    );
    let report = ledger.verify().await.expect("read");
    assert!(report.is_whole(), "{report:?}");
    ledger.close().await.expect("closed");
}

async fn a_forgotten_person_has_no_spend_by_name(place: Place) {
    let ledger = filled(&place).await;
    let forgotten = ledger
        .forget(&ForgetSubject::Person("ana".to_owned()))
        .await
        .expect("forgotten");
    let report = forgotten.report.expect("verified");
    assert!(report.is_whole(), "{report:?}");
    let people = spent(&ledger, Dimension::Person).await;
    assert_eq!(
        people.iter().map(|(_, sum)| sum).collect::<Vec<_>>(),
        [&18, &5]
    );
    assert!(people[1].0.starts_with("forgotten-"), "{people:?}");
    ledger.close().await.expect("closed");
}

/// The tables as they were before anybody was known.
const BEFORE: &str = "DELETE FROM _sqlx_migrations WHERE version >= 10;
    DROP INDEX jobs_listed;
    DROP INDEX jobs_exchanges;
    DROP INDEX jobs_escalations;
    DROP INDEX exchanges_by_kept;
    ALTER TABLE exchanges DROP COLUMN kept;
    ALTER TABLE exchanges DROP COLUMN person;
    ALTER TABLE exchanges DROP COLUMN team;
    ALTER TABLE exchanges DROP COLUMN key_name;
    ALTER TABLE usage_days RENAME TO usage_days_now;
    CREATE TABLE usage_days AS SELECT day, session, job, task, class, provider, model, source, exchanges, with_usage,
        input, cache_read, cache_write, output, reasoning, listed_nano_usd, listed_unknown, billed_nano_usd,
        subscription_nano_usd FROM usage_days_now;
    DROP TABLE usage_days_now;";

async fn an_older_ledger_knows_nobody(place: Place) {
    let ledger = place.open().await;
    for nano in [5, 7] {
        exchange(&ledger, "s", Some("j"), listed(nano)).await;
    }
    ledger.flush().await.expect("flushed");
    ledger.prune(i64::MAX, None).await.expect("pruned");
    exchange(&ledger, "s", Some("j"), listed(1)).await;
    ledger.flush().await.expect("flushed");
    ledger.close().await.expect("closed");
    place.sql(BEFORE).await;
    let ledger = place.open().await;
    assert_eq!(spent(&ledger, Dimension::Person).await, told(&[("", 13)]));
    let report = ledger.verify().await.expect("read");
    assert!(report.is_whole(), "{report:?}");
    ledger.close().await.expect("closed");
}

#[test]
fn an_event_without_a_caller_reads_and_stays_as_it_was() {
    let text = json!({
        "v": 1,
        "id": "019ab1c2-0000-7000-8000-000000000000",
        "at_us": 1,
        "exchange": "e",
        "type": "exchange-opened",
        "data": {
            "protocol": "messages", "agent": "claude-code", "requested_model": "m", "task": "general",
            "provider": "anthropic", "model": "m", "routing": "pinned", "is_streaming": true, "request_bytes": 1,
        },
    });
    let event = Event::parse(&text.to_string()).expect("an event");
    let EventBody::ExchangeOpened(opened) = &event.body else {
        panic!("{event:?}");
    };
    assert!(opened.by.is_nobody());
    assert_eq!(serde_json::to_value(opened).expect("JSON"), text["data"]);
}
