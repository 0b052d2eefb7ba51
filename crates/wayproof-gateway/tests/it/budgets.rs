//! Money is held before it is spent, and whoever has none left is told what to do.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wayproof_engine::{Budget, Policy, Window};
use wayproof_ledger::Balance;
use wayproof_testkit::{Provider as Scripted, Reply};

use crate::client::post;
use crate::stage::{MESSAGE, Setting, Stage, asking, keyed};

/// A dollar.
const USD: i64 = 1_000_000_000;

async fn stage(scripted: &Scripted, policy: &str) -> Stage {
    let mut setting = Setting::at(vec![keyed("anthropic", &scripted.url())]);
    setting.policy = Policy::parse(policy, "wayproof.toml").unwrap().policy;
    setting.open().await
}

async fn answering() -> Scripted {
    Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap()
}

async fn set(stage: &Stage, subject: &str, limit_nano_usd: i64, soft_nano_usd: Option<i64>) {
    let budget = Budget {
        subject: subject.parse().unwrap(),
        window: Window::Month,
        limit_nano_usd,
        soft_nano_usd,
    };
    stage.ledger.books().put_budget(budget).await.unwrap();
}

async fn balance(stage: &Stage, subject: &str) -> Balance {
    let subject = subject.parse().unwrap();
    let accounts = stage.ledger.books().accounts(&subject, 1).await.unwrap();
    accounts
        .first()
        .map(|account| account.balance)
        .unwrap_or_default()
}

#[tokio::test]
async fn a_job_stops_before_it_can_pass_its_limit() {
    let scripted = answering().await;
    let policy = "version = 1\n[task.bug-fix]\nbudget = { per_job = \"0.5 USD\" }\n";
    let stage = stage(&scripted, policy).await;
    let sent = asking("claude-opus-5-5", "the login page crashes");
    let headers = [("x-session-id", "s1")];
    let seen = post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    let (cost, held) = (
        settled.cost.listed_nano_usd.unwrap(),
        settled.held_nano_usd.unwrap(),
    );
    assert!(cost < held && held < 500_000_000, "{cost} {held}");
    // The most that this answer can cost is more than is left, so nobody is asked.
    let long = sent.replace("\"max_tokens\":64", "\"max_tokens\":32000");
    let seen = post(stage.address, "/v1/messages", &headers, long.as_bytes()).await;
    assert_eq!(seen.status, 402);
    assert!(seen.text().contains("billing_error"), "{}", seen.text());
    assert!(
        seen.text().contains("this job has spent $0.000"),
        "{}",
        seen.text()
    );
    assert!(
        seen.text()
            .contains("of the $0.50 that task `bug-fix` allows"),
        "{}",
        seen.text()
    );
    let detail = stage.settled(seen.exchange()).await;
    assert_eq!(detail.exchange.outcome.as_deref(), Some("refused"));
    assert_eq!(scripted.captured().len(), 1);
    stage.stop().await;
}

#[tokio::test]
async fn many_at_once_never_pass_a_budget_together() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE).after(Duration::from_millis(20)))
        .await
        .unwrap();
    let stage = stage(&scripted, "version = 1\n").await;
    let sent = asking("claude-opus-5-5", "the login page crashes");
    // Twice and a half of what one request may cost.
    let first = post(stage.address, "/v1/messages", &[], sent.as_bytes()).await;
    assert_eq!(first.status, 200);
    set(&stage, "everyone", USD, None).await;
    let seen = post(stage.address, "/v1/messages", &[], sent.as_bytes()).await;
    let held = stage
        .settled(seen.exchange())
        .await
        .settled
        .unwrap()
        .held_nano_usd
        .unwrap();
    let spent = balance(&stage, "everyone").await.spent_nano_usd;
    set(&stage, "everyone", spent + held * 5 / 2, None).await;
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..12 {
        let (address, sent) = (stage.address, sent.clone());
        asked.spawn(async move {
            let session = format!("s{number}");
            let headers = [("x-session-id", session.as_str())];
            post(address, "/v1/messages", &headers, sent.as_bytes())
                .await
                .status
        });
    }
    let statuses = asked.join_all().await;
    let answered = statuses.iter().filter(|status| **status == 200).count();
    // Nothing is spent yet, so whoever finds the rest held is told to come again.
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!(answered + refused, 12, "{statuses:?}");
    // At first two fit beside each other; as answers come in at a small part of what was held, further ones may.
    assert!(answered >= 2 && refused >= 1, "{statuses:?}");
    assert_eq!(scripted.captured().len(), answered + 2);
    stage.ledger.books().fresh(-1).await.unwrap();
    let stands = balance(&stage, "everyone").await;
    assert_eq!(stands.held_nano_usd, 0);
    assert!(stands.spent_nano_usd <= spent + held * 5 / 2, "{stands:?}");
    stage.stop().await;
}

#[tokio::test]
async fn what_fits_once_others_are_settled_comes_again() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE).after(Duration::from_secs(1)))
        .await
        .unwrap();
    let policy = "version = 1\n[task.bug-fix]\nbudget = { per_job = \"0.5 USD\" }\n";
    let stage = stage(&scripted, policy).await;
    set(&stage, "everyone", USD / 2, None).await;
    let sent = asking("claude-opus-5-5", "the login page crashes")
        .replace("\"max_tokens\":64", "\"max_tokens\":12000");
    // Each may cost more than half of what both limits allow: another conversation meets the budget, the same its job's.
    for (session, whose) in [("t", "the budget of everyone"), ("s", "this job")] {
        let ask = async |session: &str| {
            let headers = [("x-session-id", session)];
            post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await
        };
        let second = async {
            for _ in 0..6_000 {
                if balance(&stage, "everyone").await.held_nano_usd > 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            ask(session).await
        };
        let (first, second) = tokio::join!(ask("s"), second);
        assert_eq!(first.status, 200, "{}", first.text());
        assert_eq!(second.status, 429, "{}", second.text());
        assert_eq!(second.header("retry-after"), Some("2"));
        assert!(
            second.text().contains(whose)
                && second.text().contains("it fits once they are settled"),
            "{}",
            second.text()
        );
        stage.settled(first.exchange()).await;
        stage.ledger.books().fresh(-1).await.unwrap();
        assert_eq!(ask(session).await.status, 200);
    }
    stage.stop().await;
}

#[tokio::test]
async fn every_dialect_says_what_when_and_how_to_go_on() {
    let scripted = answering().await;
    let stage = stage(&scripted, "version = 1\n").await;
    set(&stage, "repo:demo", 1, None).await;
    let chat =
        r#"{"model":"gpt-6.1-sol","messages":[{"role":"user","content":"the page crashes"}]}"#;
    let responses = r#"{"model":"gpt-6.1-sol","input":"the page crashes"}"#;
    let gemini = r#"{"contents":[{"role":"user","parts":[{"text":"the page crashes"}]}]}"#;
    for (path, sent, word) in [
        (
            "/v1/messages",
            asking("claude-opus-5-5", "the page crashes"),
            "billing_error",
        ),
        (
            "/v1/chat/completions",
            chat.to_owned(),
            "insufficient_quota",
        ),
        ("/v1/responses", responses.to_owned(), "insufficient_quota"),
        (
            "/v1beta/models/claude-opus-5-5:generateContent",
            gemini.to_owned(),
            "FAILED_PRECONDITION",
        ),
    ] {
        let headers = [("x-wayproof-repo", "demo")];
        let seen = post(stage.address, path, &headers, sent.as_bytes()).await;
        assert_eq!(seen.status, 402, "{}", seen.text());
        let text = seen.text();
        for part in [
            word,
            "repo:demo",
            "(month)",
            "starts anew at 20",
            "wayproof budgets set repo:demo",
        ] {
            assert!(text.contains(part), "{path} {part}: {text}");
        }
    }
    assert_eq!(scripted.captured().len(), 0);
    let free = asking("claude-opus-5-5", "another page crashes");
    let seen = post(stage.address, "/v1/messages", &[], free.as_bytes()).await;
    assert_eq!(seen.status, 200, "another repository's work goes on");
    stage.stop().await;
}

#[tokio::test]
async fn what_breaks_off_is_charged_with_all_it_may_have_cost() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE).after(Duration::from_secs(30)))
        .await
        .unwrap();
    let stage = stage(&scripted, "version = 1\n").await;
    set(&stage, "everyone", USD, None).await;
    let sent = asking("claude-opus-5-5", "the page crashes");
    let mut stream = tokio::net::TcpStream::connect(stage.address).await.unwrap();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx-session-id: s\r\ncontent-length: {}\r\n\r\n{sent}",
        sent.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut held = Balance::default();
    for _ in 0..6_000 {
        held = balance(&stage, "everyone").await;
        if held.held_nano_usd > 0 && !scripted.captured().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(held.held_nano_usd > 0);
    stream.shutdown().await.unwrap();
    let mut nothing = Vec::new();
    drop(stream.read_to_end(&mut nothing).await);
    drop(stream);
    let mut stands = held;
    for _ in 0..6_000 {
        stands = balance(&stage, "everyone").await;
        if stands.held_nano_usd == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(
        (stands.held_nano_usd, stands.spent_nano_usd),
        (0, held.held_nano_usd)
    );
    stage.stop().await;
}

#[tokio::test]
async fn a_provider_that_refuses_costs_nothing_and_a_local_model_is_free() {
    let scripted = Scripted::start(|request| {
        let is_local = String::from_utf8_lossy(&request.body).contains("qwen");
        if is_local {
            Reply::json(200, MESSAGE)
        } else {
            Reply::json(
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#,
            )
        }
    })
    .await
    .unwrap();
    let stage = stage(&scripted, "version = 1\n").await;
    set(&stage, "everyone", USD, None).await;
    let sent = asking("claude-opus-5-5", "the page crashes");
    let seen = post(stage.address, "/v1/messages", &[], sent.as_bytes()).await;
    assert_eq!(seen.status, 400);
    stage.settled(seen.exchange()).await;
    let local = asking("anthropic/qwen3-coder", "the page crashes");
    let seen = post(stage.address, "/v1/messages", &[], local.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.held_nano_usd, None);
    stage.ledger.books().fresh(-1).await.unwrap();
    assert_eq!(balance(&stage, "everyone").await, Balance::default());
    stage.stop().await;
}

#[tokio::test]
async fn past_a_soft_limit_new_work_starts_a_class_lower() {
    let scripted = answering().await;
    let stage = stage(&scripted, "version = 1\n").await;
    set(&stage, "everyone", USD, Some(1)).await;
    let sent = asking("claude-opus-5-5", "the login page crashes");
    let ask = async |session: &str| {
        let headers = [("x-session-id", session)];
        let seen = post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await;
        let class = seen.header("x-wayproof-class").map(str::to_owned);
        let detail = stage.settled(seen.exchange()).await;
        (class.unwrap(), detail.decision().unwrap().to_owned())
    };
    assert_eq!(ask("s1").await.0, "strong");
    stage.ledger.books().fresh(-1).await.unwrap();
    let (class, decision) = ask("s2").await;
    assert_eq!(class, "fast");
    assert!(
        decision.contains("everyone is past its soft limit of $0.000000001 (month)"),
        "{decision}"
    );
    // Work that was begun goes on where it is.
    assert_eq!(ask("s1").await.0, "strong");
    stage.stop().await;
}

#[tokio::test]
async fn past_its_cap_a_session_stays_where_it_is_warm() {
    let scripted = answering().await;
    for (cap, class) in [
        ("", "fast"),
        ("[switching]\nper_session = \"0 USD\"\n", "strong"),
    ] {
        let policy = format!(
            "version = 1\n{cap}[class.fast]\ntargets = [\"anthropic/claude-sonnet-5-5\"]\n"
        );
        let stage = stage(&scripted, &policy).await;
        let headers = [("x-session-id", "s1")];
        let first = asking("claude-opus-5-5", "the login page crashes");
        let seen = post(stage.address, "/v1/messages", &headers, first.as_bytes()).await;
        assert_eq!(seen.header("x-wayproof-class"), Some("strong"));
        stage.settled(seen.exchange()).await;
        let next = asking("claude-opus-5-5", "rename the variable count to total");
        let seen = post(stage.address, "/v1/messages", &headers, next.as_bytes()).await;
        assert_eq!(seen.header("x-wayproof-task"), Some("small-edit"));
        assert_eq!(seen.header("x-wayproof-class"), Some(class), "{policy}");
        let detail = stage.settled(seen.exchange()).await;
        let decision: serde_json::Value = serde_json::from_str(detail.decision().unwrap()).unwrap();
        assert_eq!(decision["warm"]["target"]["model"], "claude-opus-5-5");
        let is_priced = decision["attempts"][0]["switch_nano_usd"].as_i64() > Some(0);
        assert_eq!(is_priced, class == "fast", "{decision}");
        stage.stop().await;
    }
}
