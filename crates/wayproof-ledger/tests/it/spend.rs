//! Where the money went: nothing unknown counted as zero, nothing counted twice, failures included.

use wayproof_engine::Cause;
use wayproof_ledger::{Cost, Escalated, EventBody, JobClosed, Ledger, SpendBy};
use wayproof_receipt::Verdict;

use crate::engine::Place;
use crate::fixture::{about, job_opened, listed, opened, settled};
use crate::on_both;

on_both! { a_proven_change_costs_all_that_was_spent_on_its_kind }

struct Spent(&'static str, &'static str, Cost);

async fn job(ledger: &Ledger, id: &str, spent: &[Spent], verdict: Verdict) {
    let mut events = vec![ledger.event(about("s", Some(id), None), job_opened("bug-fix"))];
    for Spent(class, model, cost) in spent {
        let exchange = ledger.ids().next().to_string();
        let about = || about("s", Some(id), Some(&exchange));
        events.push(ledger.event(about(), opened("bug-fix", class, model)));
        events.push(ledger.event(about(), settled("bug-fix", class, model, *cost)));
    }
    let closed = JobClosed {
        verdict: Some(verdict),
        why: None,
    };
    events.push(ledger.event(about("s", Some(id), None), EventBody::JobClosed(closed)));
    for event in &events {
        ledger.append(event).await.expect("recorded");
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
async fn a_proven_change_costs_all_that_was_spent_on_its_kind(place: Place) {
    let ledger = place.open().await;
    let billed = Cost {
        billed_nano_usd: Some(7),
        subscription_nano_usd: Some(3),
        ..Cost::default()
    };
    job(
        &ledger,
        "a",
        &[
            Spent("fast", "haiku", listed(100)),
            Spent("strong", "opus", listed(1_000)),
        ],
        Verdict::Proven,
    )
    .await;
    job(
        &ledger,
        "b",
        &[
            Spent("fast", "haiku", listed(50)),
            Spent("fast", "haiku", billed),
        ],
        Verdict::Refuted,
    )
    .await;
    job(
        &ledger,
        "c",
        &[Spent("fast", "haiku", listed(30))],
        Verdict::ProvenWithGaps,
    )
    .await;
    let escalated = Escalated {
        cause: Cause::TestFailure,
        from: "fast".to_owned(),
        to: "strong".to_owned(),
        why: "red".to_owned(),
    };
    ledger
        .note(&ledger.event(about("s", Some("a"), None), EventBody::Escalated(escalated)))
        .expect("recorded");
    let housekeeping = about("s", None, Some("title"));
    ledger
        .note(&ledger.event(
            housekeeping,
            settled("housekeeping", "fast", "haiku", listed(5)),
        ))
        .expect("recorded");
    ledger.flush().await.expect("flushed");

    let rows = ledger.spend(SpendBy::Model, 0).await.expect("read");
    let by_model: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.name.as_str(),
                row.money.listed_nano_usd,
                row.jobs,
                row.proven,
            )
        })
        .collect();
    assert_eq!(
        by_model,
        [
            ("anthropic/opus", Some(1_000), 1, 1),
            ("anthropic/haiku", Some(185), 3, 1)
        ]
    );
    let haiku = &rows[1];
    assert_eq!((haiku.money.listed_unknown, haiku.proven_with_gaps), (1, 1));
    assert_eq!(
        (
            haiku.money.billed_nano_usd,
            haiku.money.subscription_nano_usd
        ),
        (Some(7), Some(3))
    );
    assert_eq!(rows[0].money.billed_nano_usd, None, "unknown is not zero");

    let tasks = ledger.spend(SpendBy::Task, 0).await.expect("read");
    let by_task: Vec<_> = tasks
        .iter()
        .map(|row| (row.name.as_str(), row.listed_per_proven_nano_usd()))
        .collect();
    assert_eq!(by_task, [("bug-fix", Some(1_180)), ("housekeeping", None)]);
    assert_eq!(
        ledger.cost_per_proven_change(0).await.expect("read"),
        Some(1_185)
    );
    assert_eq!(
        ledger.cost_per_proven_change(i64::MAX).await.expect("read"),
        None
    );
    let repos = ledger.spend(SpendBy::Repo, 0).await.expect("read");
    assert_eq!(
        repos
            .iter()
            .map(|row| row.name.as_str())
            .collect::<Vec<_>>(),
        ["https://example.org/shop.git", ""]
    );
    let story = ledger.job("a").await.expect("read").expect("known");
    assert_eq!(
        (story.job.escalations, story.job.class.as_deref()),
        (1, Some("strong"))
    );
    assert_eq!(story.job.verdict.as_deref(), Some("PROVEN"));
    ledger.close().await.expect("closed");
}
