//! What budgets have left, where people look.

use crate::stage::{NOON_US, Stage};
use crate::story::{Words, tell};

#[tokio::test]
async fn budgets_near_their_limit_are_on_the_first_page_and_all_of_them_on_spend() {
    use wayproof_ledger::{Hold, Holder};
    let stage = Stage::new().await;
    let books = stage.ledger.books();
    for (subject, limit) in [("everyone", 100), ("team:<b>core</b>", 10)] {
        let budget = wayproof_engine::Budget {
            subject: subject.parse().unwrap(),
            window: wayproof_engine::Window::Month,
            limit_nano_usd: limit * 1_000_000_000,
            soft_nano_usd: None,
        };
        books.put_budget(budget).await.unwrap();
    }
    tell(&stage.ledger, &Words::plain("job-1")).await;
    let before = stage.get("/").await;
    assert!(
        before.text.contains("Every budget has room"),
        "{}",
        before.text
    );
    let hold = Hold {
        exchange: "019a".to_owned(),
        holder: Holder {
            teams: vec!["<b>core</b>".to_owned()],
            ..Holder::default()
        },
        amount_nano_usd: 9_000_000_000,
        job_limit_nano_usd: None,
    };
    books.hold(hold).await.unwrap();
    stage.clock.set(NOON_US + 2_000_000);
    let now = stage.get("/jobs").await;
    assert_eq!(now.status, 200);
    let now = stage.get("/spend").await;
    assert!(
        now.text.contains("team:&lt;b&gt;core&lt;/b&gt;"),
        "{}",
        now.text
    );
    assert!(
        now.text.contains("near its limit") && now.text.contains("90 %"),
        "{}",
        now.text
    );
    assert!(
        now.text.contains("$91.00"),
        "what everyone has left: {}",
        now.text
    );
    assert!(now.text.contains("too few days"), "{}", now.text);
}
