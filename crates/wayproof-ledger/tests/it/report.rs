//! Reports by any dimension, what agents' logs add to them, and ledgers that are older than their tables.

use std::collections::BTreeMap;

use wayproof_engine::Cause;
use wayproof_ledger::{
    Activity, Cost, Days, Dimension, Escalated, Event, EventBody, ExchangeImported, JobClosed,
    Ledger, LogGap, LogRead, ProofFinished, SessionStarted, Sources,
};
use wayproof_receipt::Verdict;
use wayproof_wire::Usage;

use crate::engine::Place;
use crate::fixture::{NOON_US, about, job_opened, listed, opened, settled};
use crate::on_both;

on_both! {
    a_report_counts_jobs_once_and_money_where_it_was_spent
    days_bound_a_report
    an_older_ledger_gets_its_tables_from_the_events
}

const DAY_US: i64 = 86_400_000_000;

async fn put(ledger: &Ledger, session: &str, job: Option<&str>, body: EventBody, at_us: i64) {
    let exchange = ledger.ids().next().to_string();
    let event = Event {
        at_us,
        ..ledger.event(about(session, job, Some(&exchange)), body)
    };
    ledger.append(&event).await.expect("recorded");
}

fn proof(verdict: Verdict) -> EventBody {
    EventBody::ProofFinished(ProofFinished {
        verdict,
        task: "bug-fix".to_owned(),
        head_tree: None,
        receipt_digest: None,
        one_fact: None,
        wall_us: None,
    })
}

fn imported(model: &str, nano_usd: Option<i64>, usage: Option<Usage>) -> EventBody {
    EventBody::ExchangeImported(Box::new(ExchangeImported {
        agent: "codex".to_owned(),
        source_id: "resp_1".to_owned(),
        provider: Some("openai".to_owned()),
        model: Some(model.to_owned()),
        usage,
        cost: Cost {
            listed_nano_usd: nano_usd,
            ..Cost::default()
        },
        ..ExchangeImported::default()
    }))
}

/// Two jobs on one day: one PROVEN after an escalation, one REFUTED; housekeeping; and an import of the day before.
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
async fn fill(ledger: &Ledger) {
    let day = NOON_US;
    let started = SessionStarted {
        agent: "claude-code".to_owned(),
        cwd: Some("/src/shop".to_owned()),
        ..SessionStarted::default()
    };
    put(ledger, "s", None, EventBody::SessionStarted(started), day).await;
    for (job, verdict) in [("a", Verdict::Proven), ("b", Verdict::Refuted)] {
        put(ledger, "s", Some(job), job_opened("bug-fix"), day).await;
        for (class, model, cost) in [("fast", "haiku", 100), ("strong", "opus", 1_000)] {
            put(ledger, "s", Some(job), opened("bug-fix", class, model), day).await;
            put(
                ledger,
                "s",
                Some(job),
                settled("bug-fix", class, model, listed(cost)),
                day,
            )
            .await;
        }
        put(ledger, "s", Some(job), proof(Verdict::Refuted), day).await;
        if verdict == Verdict::Proven {
            let moved = Escalated {
                cause: Cause::ProofRefuted,
                from: "fast".to_owned(),
                to: "strong".to_owned(),
                why: "red".to_owned(),
            };
            put(ledger, "s", Some(job), EventBody::Escalated(moved), day).await;
            put(ledger, "s", Some(job), proof(verdict), day).await;
        }
        let closed = JobClosed {
            verdict: Some(verdict),
            why: None,
        };
        put(ledger, "s", Some(job), EventBody::JobClosed(closed), day).await;
    }
    put(ledger, "s", Some("c"), job_opened("migration"), day).await;
    put(
        ledger,
        "s",
        Some("c"),
        settled("migration", "fast", "haiku", Cost::default()),
        day,
    )
    .await;
    put(ledger, "s", Some("c"), proof(Verdict::Proven), day).await;
    put(
        ledger,
        "s",
        None,
        settled("housekeeping", "fast", "haiku", listed(5)),
        day,
    )
    .await;
    let usage = Usage {
        input: Some(10),
        cache_read: Some(20),
        output: Some(3),
        ..Usage::default()
    };
    put(
        ledger,
        "t",
        None,
        imported("gpt-5.5", Some(7), Some(usage)),
        day - DAY_US,
    )
    .await;
    put(
        ledger,
        "t",
        None,
        imported("gpt-5.5", None, None),
        day - DAY_US,
    )
    .await;
    let read = LogRead {
        agent: "codex".to_owned(),
        file: ".codex/sessions/x.jsonl".to_owned(),
        to: 900,
        imported: 2,
        activity: Activity {
            tool_calls: 4,
            tool_failures: 1,
            rejected: 1,
            ..Activity::default()
        },
        gaps: vec![LogGap {
            at: 7,
            why: "no JSON".to_owned(),
        }],
        gap_count: 1,
        ..LogRead::default()
    };
    put(
        ledger,
        "t",
        None,
        EventBody::LogRead(Box::new(read)),
        day - DAY_US,
    )
    .await;
    ledger.flush().await.expect("flushed");
}

async fn by(
    ledger: &Ledger,
    dimensions: &[Dimension],
) -> BTreeMap<String, wayproof_ledger::ReportRow> {
    let rows = ledger
        .report(dimensions, Days::default(), Sources::All, 100)
        .await
        .expect("read");
    let groups = ledger
        .report_groups(dimensions, Days::default(), Sources::All)
        .await
        .expect("read");
    assert_eq!(usize::try_from(groups), Ok(rows.len()));
    rows.into_iter()
        .map(|row| (row.group.join("+"), row))
        .collect()
}

#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
async fn a_report_counts_jobs_once_and_money_where_it_was_spent(place: Place) {
    let ledger = place.open().await;
    assert_eq!(
        ledger
            .report(&[], Days::default(), Sources::All, 1)
            .await
            .expect("read"),
        []
    );
    fill(&ledger).await;
    let rows = ledger
        .report(&[], Days::default(), Sources::All, 1)
        .await
        .expect("read");
    let all = &rows[0];
    assert_eq!((all.exchanges, all.with_usage, all.imported), (8, 7, 2));
    assert_eq!(all.money.listed_nano_usd, Some(2_212));
    assert_eq!(all.money.listed_unknown, 2, "unknown is counted, not zero");
    assert_eq!(all.money.billed_nano_usd, None);
    assert_eq!(all.gateway.listed_nano_usd, Some(2_205));
    assert_eq!(
        all.jobless.listed_nano_usd,
        Some(5),
        "housekeeping, not the import"
    );
    assert_eq!(all.unproven.listed_nano_usd, Some(1_100), "the refuted job");
    assert_eq!(
        all.escalated.listed_nano_usd,
        Some(1_100),
        "failed attempts of the job are in it"
    );
    assert_eq!(
        (all.jobs, all.judged, all.proven, all.proven_at_first),
        (3, 3, 2, 1)
    );
    assert_eq!(
        (all.refuted, all.escalated_jobs, all.escalated_proven),
        (1, 1, 1)
    );
    assert_eq!(all.listed_per_proven_nano_usd(), Some(1_102));

    let models = by(&ledger, &[Dimension::Model]).await;
    assert_eq!(models["opus"].money.listed_nano_usd, Some(2_000));
    assert_eq!((models["haiku"].jobs, models["haiku"].proven), (3, 2));
    assert_eq!(
        models["gpt-5.5"].tokens,
        [Some(10), Some(20), None, Some(3), None]
    );
    assert_eq!(models["gpt-5.5"].listed_per_proven_nano_usd(), None);

    let agents = by(&ledger, &[Dimension::Agent, Dimension::Provider]).await;
    assert_eq!(agents["codex+openai"].imported, 2);
    assert_eq!(agents["claude-code+anthropic"].jobs, 3);
    let repos = by(&ledger, &[Dimension::Repo]).await;
    assert_eq!(repos["https://example.org/shop.git"].jobs, 3);
    assert_eq!(repos["/src/shop"].money.listed_nano_usd, Some(5));
    let sources = by(&ledger, &[Dimension::Source, Dimension::Task]).await;
    assert_eq!(sources["imported+"].exchanges, 2);
    assert_eq!(sources["gateway+migration"].money.listed_nano_usd, None);
    let jobs = by(&ledger, &[Dimension::Job]).await;
    assert_eq!(jobs["a"].money.listed_nano_usd, Some(1_100));

    let activity = ledger.activity(Days::default()).await.expect("read");
    assert_eq!(activity.len(), 1);
    assert_eq!((activity[0].tool_calls, activity[0].tool_failures), (4, 1));
    assert_eq!((activity[0].rejected, activity[0].gaps), (1, 1));
    assert!(ledger.verify().await.expect("read").is_whole());
    ledger.close().await.expect("closed");
}

async fn days_bound_a_report(place: Place) {
    let ledger = place.open().await;
    fill(&ledger).await;
    let today = NOON_US.div_euclid(DAY_US);
    let yesterday = Days {
        from: None,
        until: Some(today),
    };
    let rows = ledger
        .report(&[Dimension::Day], yesterday, Sources::All, 9)
        .await
        .expect("read");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].group, [(today - 1).to_string()]);
    let since = Days {
        from: Some(today),
        until: None,
    };
    let days = ledger
        .report_days(&[Dimension::Agent], since, Sources::Gateway)
        .await
        .expect("read");
    assert_eq!(days.len(), 1);
    assert_eq!((days[0].day, days[0].listed_nano_usd), (today, Some(2_205)));
    let none = ledger
        .report(&[], since, Sources::Imported, 9)
        .await
        .expect("read");
    assert_eq!(none, []);
    ledger.close().await.expect("closed");
}

async fn an_older_ledger_gets_its_tables_from_the_events(place: Place) {
    let ledger = place.open().await;
    fill(&ledger).await;
    let before = by(&ledger, &[Dimension::Model, Dimension::Agent]).await;
    ledger.close().await.expect("closed");
    place
        .sql(
            "DELETE FROM rebuilt; DELETE FROM usage_days; DELETE FROM activity; DELETE FROM import_files;
            UPDATE exchanges SET imported = NULL, provider_request_id = NULL;",
        )
        .await;
    let ledger = place.open().await;
    assert_eq!(
        by(&ledger, &[Dimension::Model, Dimension::Agent]).await,
        before
    );
    let report = ledger.verify().await.expect("read");
    assert!(report.is_whole(), "{report:?}");
    ledger.close().await.expect("closed");
}
