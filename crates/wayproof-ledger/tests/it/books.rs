//! Budgets: nothing is ever held or spent beyond a limit, whoever dies, and every hold is settled exactly once.

use std::time::Duration;

use wayproof_engine::{Budget, Window};
use wayproof_ledger::{
    Balance, Cost, Hold, HoldError, Holder, Key, Ledger, Location, Overdrawn, Page, Person, Role,
};

use crate::engine::Place;
use crate::fixture::{NOON_US, about, listed, opened, settled};
use crate::on_both;

on_both! {
    a_limit_holds_to_the_nano_dollar
    many_gateways_never_pass_a_limit_together
    what_the_dead_held_is_charged
    what_operators_set_is_seen_by_all
    nobody_holds_for_one_who_went_away
    an_older_ledger_gets_its_books
}

fn budget(subject: &str, window: Window, limit_nano_usd: i64) -> Budget {
    Budget {
        subject: subject.parse().expect("a subject"),
        window,
        limit_nano_usd,
        soft_nano_usd: None,
    }
}

fn hold(exchange: &str, amount_nano_usd: i64) -> Hold {
    Hold {
        exchange: exchange.to_owned(),
        holder: Holder {
            person: Some("ana".to_owned()),
            teams: vec!["core".to_owned()],
            job: Some("j1".to_owned()),
            ..Holder::default()
        },
        job_limit_nano_usd: None,
        amount_nano_usd,
    }
}

async fn balance(ledger: &Ledger, subject: &str) -> Balance {
    let subject = subject.parse().expect("a subject");
    let accounts = ledger.books().accounts(&subject, 10).await.expect("read");
    accounts
        .first()
        .map(|account| account.balance)
        .unwrap_or_default()
}

fn overdrawn(held: Result<(), HoldError>) -> Overdrawn {
    match held {
        Err(HoldError::Overdrawn(overdrawn)) => *overdrawn,
        other => panic!("{other:?}"),
    }
}

/// What was settled is in the books before anything that is asked for later.
async fn settle(ledger: &Ledger, exchange: &str, cost: Option<i64>) {
    ledger.books().settle(exchange, cost);
    ledger.books().fresh(-1).await.expect("looked");
}

async fn a_limit_holds_to_the_nano_dollar(place: Place) {
    let ledger = place.open().await;
    let books = ledger.books();
    books
        .put_budget(budget("team:core", Window::Month, 100))
        .await
        .expect("set");
    books
        .put_budget(budget("person:*", Window::Total, 90))
        .await
        .expect("set");
    books.hold(hold("a", 60)).await.expect("held");
    let refused = overdrawn(books.hold(hold("b", 31)).await);
    assert_eq!(refused.budget.subject.to_string(), "person:ana");
    assert_eq!(refused.asked_nano_usd, 31);
    assert_eq!(refused.balance.held_nano_usd, 60);
    assert_eq!(refused.ends, None);
    books.hold(hold("c", 30)).await.expect("held");
    settle(&ledger, "a", Some(5)).await;
    settle(&ledger, "c", None).await;
    // Nothing was held for it, so nothing is given back; and nothing is settled twice.
    settle(&ledger, "b", Some(0)).await;
    settle(&ledger, "a", Some(0)).await;
    let stands = balance(&ledger, "team:core").await;
    assert_eq!((stands.held_nano_usd, stands.spent_nano_usd), (0, 35));
    let wider = budget("person:ana", Window::Total, 500);
    books.put_budget(wider).await.expect("set");
    let refused = overdrawn(books.hold(hold("d", 66)).await);
    assert_eq!(refused.budget.window, Window::Month);
    assert!(
        refused
            .ends
            .expect("a month ends")
            .ends_with("-01 00:00 UTC")
    );
    books.hold(hold("d", 55)).await.expect("held");
    // A job's own limit, as the policy has it, is an account like any other.
    let mut job = hold("e", 10);
    job.holder.person = None;
    job.holder.teams.clear();
    job.job_limit_nano_usd = Some(9);
    let refused = overdrawn(books.hold(job).await);
    assert!(refused.is_of_policy);
    assert_eq!(refused.budget.subject.to_string(), "job:j1");
    books
        .remove_budget(&"team:core".parse().expect("a subject"), Window::Month)
        .await
        .expect("lifted");
    assert_eq!(books.register().budgets.len(), 2);
    ledger.close().await.expect("closed");
}

/// Holds and settles at random; what it spent, and how often it was refused.
async fn work(gateway: Ledger, mut seed: u64) -> (i64, i64) {
    let name = seed;
    let mut random = move |below: i64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::try_from(seed >> 40).expect("small") % below
    };
    let (mut spent, mut refused) = (0, 0);
    for turn in 0..40 {
        let exchange = format!("{name}-{turn}");
        let amount = 1 + random(400);
        match gateway.books().hold(hold(&exchange, amount)).await {
            Ok(()) => {
                let cost = random(amount + 1);
                gateway.books().settle(&exchange, Some(cost));
                spent += cost;
            }
            Err(HoldError::Overdrawn(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (spent, refused)
}

async fn many_gateways_never_pass_a_limit_together(place: Place) {
    const LIMIT: i64 = 10_000;
    let gateways = [place.open().await, place.open().await, place.open().await];
    let [first, ..] = &gateways;
    first
        .books()
        .put_budget(budget("team:core", Window::Total, LIMIT))
        .await
        .expect("set");
    let mut working = tokio::task::JoinSet::new();
    for (number, gateway) in gateways.iter().enumerate() {
        for worker in 0..4_u64 {
            let gateway = gateway.clone();
            working.spawn(work(gateway, (number as u64) * 977 + worker * 131 + 7));
        }
    }
    let watched = gateways[0].clone();
    let mut watch = tokio::task::JoinSet::new();
    watch.spawn(async move {
        let mut most = 0;
        for _ in 0..50 {
            most = most.max(balance(&watched, "team:core").await.used());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        most
    });
    let (mut spent, mut refused) = (0, 0);
    while let Some(done) = working.join_next().await {
        let (cost, times) = done.expect("no worker panics");
        spent += cost;
        refused += times;
    }
    for gateway in &gateways {
        gateway.books().fresh(-1).await.expect("looked");
    }
    let stands = balance(first, "team:core").await;
    assert_eq!((stands.held_nano_usd, stands.spent_nano_usd), (0, spent));
    assert!(spent <= LIMIT && refused > 0, "{spent} {refused}");
    let most = watch.join_next().await.expect("a watch").expect("watched");
    assert!(most <= LIMIT, "{most}");
    for gateway in gateways {
        gateway.close().await.expect("closed");
    }
}

async fn what_the_dead_held_is_charged(place: Place) {
    let dead = place.open().await;
    let set = dead
        .books()
        .put_budget(budget("team:core", Window::Total, 1_000));
    set.await.expect("set");
    for exchange in ["known", "unknown"] {
        let about = || about("s", Some("j1"), Some(exchange));
        dead.books().hold(hold(exchange, 100)).await.expect("held");
        dead.append(&dead.event(about(), opened("bug-fix", "fast", "m")))
            .await
            .expect("recorded");
    }
    let ended = dead.event(
        about("s", Some("j1"), Some("known")),
        settled("bug-fix", "fast", "m", listed(30)),
    );
    dead.append(&ended).await.expect("recorded");
    dead.flush().await.expect("flushed");
    // As if its process were killed: its holds stay, and nobody gives a sign of life for them.
    place.sql("UPDATE holds SET holder = 'killed'").await;
    let heir = place.open().await;
    heir.books().hold(hold("other", 1)).await.expect("held");
    // One search is not enough: the whole machine may have been asleep.
    let stands = balance(&heir, "team:core").await;
    assert_eq!((stands.held_nano_usd, stands.spent_nano_usd), (201, 0));
    heir.clock().set(NOON_US + 11_000_000);
    if let Location::Postgres(_) = place.location {
        tokio::time::sleep(Duration::from_secs(11)).await;
    }
    heir.books().hold(hold("more", 1)).await.expect("held");
    settle(&heir, "more", Some(0)).await;
    let stands = balance(&heir, "team:core").await;
    assert_eq!((stands.held_nano_usd, stands.spent_nano_usd), (1, 130));
    // It was not dead after all: what it settles now was settled for it.
    settle(&dead, "unknown", Some(7)).await;
    let stands = balance(&heir, "team:core").await;
    assert_eq!((stands.held_nano_usd, stands.spent_nano_usd), (1, 130));
    dead.close().await.expect("closed");
    heir.close().await.expect("closed");
}

async fn what_operators_set_is_seen_by_all(place: Place) {
    let (one, other) = (place.open().await, place.open().await);
    assert_eq!(other.books().fresh(0).await.expect("looked").version, 0);
    let key = Key {
        id: "a1".to_owned(),
        name: "ci".to_owned(),
        digest: "d".to_owned(),
        former: None,
        person: Some("ana".to_owned()),
        teams: ["web".to_owned()].into(),
        scope: wayproof_engine::Scope::default(),
        requests_per_minute: Some(10),
        tokens_per_minute: None,
        made_us: NOON_US,
        expires_us: None,
        revoked_us: None,
    };
    let person = Person {
        name: "ana".to_owned(),
        teams: ["core".to_owned()].into(),
        role: Role::Reviewer,
    };
    one.books().put_key(key.clone()).await.expect("made");
    one.books().put_person(person).await.expect("made");
    let seen = other.books().fresh(-1).await.expect("looked");
    assert!(seen.needs_key());
    assert_eq!(seen.key_named("ci"), Some(&key));
    assert_eq!(seen.teams_of(&key), ["core", "web"]);
    let revoked = Key {
        revoked_us: Some(NOON_US),
        ..key.clone()
    };
    one.books().put_key(revoked).await.expect("revoked");
    let seen = other.books().fresh(-1).await.expect("looked");
    assert!(seen.needs_key(), "a revoked key opens no door");
    // A name is one key's alone.
    let twin = Key {
        id: "b2".to_owned(),
        ..key
    };
    assert!(one.books().put_key(twin).await.is_err());
    one.books().remove_person("ana").await.expect("forgotten");
    assert!(one.books().register().people.is_empty());
    one.close().await.expect("closed");
    other.close().await.expect("closed");
}

async fn nobody_holds_for_one_who_went_away(place: Place) {
    let ledger = place.open().await;
    let books = ledger.books();
    books
        .put_budget(budget("team:core", Window::Total, 1_000))
        .await
        .expect("set");
    for turn in 0..50_u64 {
        let exchange = format!("e{turn}");
        let wait = Duration::from_micros(turn * 40);
        let held = tokio::time::timeout(wait, books.hold(hold(&exchange, 20))).await;
        drop(held);
        // However far it came, the exchange is settled when it is dropped.
        books.settle(&exchange, Some(0));
    }
    books.fresh(-1).await.expect("looked");
    books.fresh(-1).await.expect("looked");
    assert_eq!(balance(&ledger, "team:core").await, Balance::default());
    ledger.close().await.expect("closed");
}

async fn an_older_ledger_gets_its_books(place: Place) {
    let ledger = place.open().await;
    let event = ledger.event(about("s", None, Some("e")), opened("bug-fix", "fast", "m"));
    ledger.append(&event).await.expect("recorded");
    ledger.close().await.expect("closed");
    place
        .sql(
            "DROP TABLE books; DROP TABLE virtual_keys; DROP TABLE people; DROP TABLE budgets;
            DROP TABLE accounts; DROP TABLE holds; DROP TABLE holders;
            DROP TABLE pruned; DELETE FROM rebuilt WHERE name = 'seals-1';
            ALTER TABLE checkpoints DROP COLUMN seal; ALTER TABLE journals DROP COLUMN seal;
            ALTER TABLE rebuilt DROP COLUMN seal;
            DELETE FROM _sqlx_migrations WHERE version IN (2, 5, 6)",
        )
        .await;
    let ledger = place.open().await;
    let page = Page {
        limit: 5,
        before: None,
    };
    assert_eq!(ledger.sessions(page).await.expect("read").len(), 1);
    ledger
        .books()
        .put_budget(budget("everyone", Window::Day, 5))
        .await
        .expect("set");
    ledger.flush().await.expect("flushed");
    let report = ledger.verify().await.expect("read");
    assert!(report.is_whole(), "{report:?}");
    ledger.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_waits_for_a_server_that_is_away() {
    let place = Place::postgres();
    let ledger = place.open().await;
    let books = ledger.books();
    books
        .put_budget(budget("team:core", Window::Total, 1_000))
        .await
        .expect("set");
    books.hold(hold("a", 100)).await.expect("held");
    place.stop();
    books.settle("a", Some(40));
    match books.hold(hold("b", 1)).await {
        Err(HoldError::Ledger(_)) => {}
        other => panic!("{other:?}"),
    }
    place.start();
    let mut stands = Balance::default();
    for _ in 0..1_200 {
        if books.hold(hold("c", 1)).await.is_ok() {
            stands = balance(&ledger, "team:core").await;
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((stands.held_nano_usd, stands.spent_nano_usd), (1, 40));
    ledger.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_starts_anew_with_its_window() {
    let place = Place::sqlite();
    let ledger = place.open().await;
    let books = ledger.books();
    let soft = Budget {
        soft_nano_usd: Some(50),
        ..budget("everyone", Window::Day, 100)
    };
    books.put_budget(soft.clone()).await.expect("set");
    books.hold(hold("a", 100)).await.expect("held");
    assert_eq!(
        books
            .balance(&soft.subject, Window::Day, NOON_US)
            .held_nano_usd,
        100
    );
    overdrawn(books.hold(hold("b", 1)).await);
    ledger.clock().set(NOON_US + 86_400_000_000);
    books.hold(hold("b", 100)).await.expect("a new day");
    // What was held yesterday is settled on yesterday's account.
    settle(&ledger, "a", Some(80)).await;
    let accounts = books.accounts(&soft.subject, 10).await.expect("read");
    let told: Vec<_> = accounts
        .iter()
        .map(|account| {
            (
                account.balance.held_nano_usd,
                account.balance.spent_nano_usd,
            )
        })
        .collect();
    assert_eq!(told, [(100, 0), (0, 80)]);
    ledger.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_money_is_charged_in_full() {
    let place = Place::sqlite();
    let ledger = place.open().await;
    ledger
        .books()
        .put_budget(budget("everyone", Window::Total, 100))
        .await
        .expect("set");
    ledger.books().hold(hold("a", 60)).await.expect("held");
    let event = ledger.event(
        about("s", None, Some("a")),
        settled("bug-fix", "fast", "m", Cost::default()),
    );
    ledger.append(&event).await.expect("recorded");
    settle(&ledger, "a", None).await;
    assert_eq!(balance(&ledger, "everyone").await.spent_nano_usd, 60);
    ledger.close().await.expect("closed");
}
