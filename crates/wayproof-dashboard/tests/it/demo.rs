//! Demo data: only where it is asked for, only beside an empty ledger, and marked everywhere.

use axum::body::Body;

use crate::markup::is_tame;
use crate::stage::{Seen, Stage, form, request};
use crate::story::{Words, tell};

const MARK: &str = "Demo data.";

async fn with_demo(stage: &Stage, path: &str) -> Seen {
    let asked = request("GET", path).header("cookie", "wayproof_demo=on");
    stage.ask(asked.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn whoever_asks_sees_a_made_up_month_marked_everywhere() {
    let stage = Stage::new().await;
    let first = stage.get("/").await;
    assert!(
        first.text.contains("Show demo data") && !first.text.contains(MARK),
        "{}",
        first.text
    );
    let csrf = first.csrf();
    let asked = [("csrf", csrf.as_str()), ("demo", "on")];
    let on = stage.ask(form("/demo", "", &asked)).await;
    assert_eq!(on.status, 303, "{}", on.text);
    assert_eq!(on.cookie(), "wayproof_demo=on");
    for path in [
        "/",
        "/jobs",
        "/receipts",
        "/spend",
        "/policy",
        "/models",
        "/status",
        "/jobs/demo-03-0",
    ] {
        let seen = with_demo(&stage, path).await;
        assert_eq!(seen.status, 200, "{path}: {}", seen.text);
        assert!(
            seen.text.contains(MARK) && seen.text.contains("<title>Demo · "),
            "{path}"
        );
        is_tame(path, &seen.text);
        assert!(
            !stage.get(path).await.text.contains(MARK),
            "{path}: others see what is there"
        );
    }
    let jobs = with_demo(&stage, "/jobs").await;
    assert!(
        jobs.text.contains("PROVEN") && jobs.text.contains("demo/shop"),
        "{}",
        jobs.text
    );
    let spend = with_demo(&stage, "/spend").await;
    assert!(!spend.text.contains("too few days"), "{}", spend.text);
    assert_eq!(
        stage.ledger.size().await.unwrap(),
        0,
        "nothing of it is in the real ledger"
    );
    let off = [("csrf", csrf.as_str()), ("demo", "off")];
    let off = stage.ask(form("/demo", "wayproof_demo=on", &off)).await;
    assert!(off.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn with_the_first_real_event_it_is_gone() {
    let stage = Stage::new().await;
    assert!(with_demo(&stage, "/jobs").await.text.contains(MARK));
    tell(&stage.ledger, &Words::plain("job-real")).await;
    let jobs = with_demo(&stage, "/jobs").await;
    assert!(
        !jobs.text.contains(MARK) && jobs.text.contains("job-real"),
        "{}",
        jobs.text
    );
    assert!(!jobs.text.contains("demo/"), "{}", jobs.text);
    let csrf = stage.get("/jobs").await.csrf();
    let asked = [("csrf", csrf.as_str()), ("demo", "on")];
    let refused = stage.ask(form("/demo", "", &asked)).await;
    assert_eq!(refused.status, 409);
    let unsigned = stage.ask(form("/demo", "", &[("demo", "on")])).await;
    assert_eq!(unsigned.status, 403);
}

#[tokio::test]
async fn its_receipts_verify_whatever_they_say() {
    let stage = Stage::new().await;
    let list = with_demo(&stage, "/receipts").await.text;
    let mut verdicts = std::collections::BTreeSet::new();
    let mut seen = 0;
    for (at, _) in list.match_indices("href=\"/receipts/") {
        let path = list[at + 6..].split('"').next().unwrap();
        let page = with_demo(&stage, path).await;
        if page.status != 200 || !page.text.contains("Verified just now") {
            continue;
        }
        seen += 1;
        assert!(
            page.text.contains("section class=\"check proven\""),
            "{path}: {}",
            page.text
        );
        for verdict in [
            "PROVEN",
            "PROVEN WITH GAPS",
            "UNPROVEN",
            "REFUTED",
            "INVALID",
        ] {
            if page.text.contains(&format!("</span> {verdict}</span>")) {
                verdicts.insert(verdict);
            }
        }
    }
    assert!(seen > 20, "{seen} receipts");
    let all = ["PROVEN", "PROVEN WITH GAPS", "REFUTED", "UNPROVEN"];
    assert!(verdicts.iter().eq(all.iter()), "{verdicts:?}");
}
