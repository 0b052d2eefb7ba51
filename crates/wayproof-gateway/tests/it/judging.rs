//! A model that is asked what an ask is: what it is sent, what its word does, what it costs, and that nobody waits for
//! it for long.

use std::time::Duration;

use serde_json::Value;
use wayproof_engine::Policy;
use wayproof_ledger::{ExchangeFilter, JobFilter, Page};
use wayproof_testkit::{Captured, Provider as Scripted, Reply};

use crate::client::post;
use crate::stage::{MESSAGE, POLICY, Setting, Stage, asking, keyed};

const VAGUE: &str = "please do the thing we talked about yesterday";

fn saying(text: &str) -> Reply {
    let answer = MESSAGE.replace("\"ok\"", &serde_json::to_string(text).unwrap());
    Reply::json(200, answer)
}

fn is_question(request: &Captured) -> bool {
    String::from_utf8_lossy(&request.body).contains("You sort requests")
}

async fn scripted(judged: impl Fn() -> Reply + Send + Sync + 'static) -> Scripted {
    let answer = move |request: &Captured| {
        if is_question(request) {
            judged()
        } else {
            Reply::json(200, MESSAGE)
        }
    };
    Scripted::start(answer).await.unwrap()
}

fn setting(scripted: &Scripted) -> Setting {
    // Real names, so that there are prices.
    let policy = POLICY
        .replace("version = 1", "version = 1\njudge = \"fast\"")
        .replace("p/fast-1\", \"q/fast-1", "anthropic/claude-haiku-4-5")
        .replace("p/strong-1", "anthropic/claude-opus-4-8");
    Setting {
        policy: Policy::parse(&policy, "wayproof.toml").unwrap().policy,
        ..Setting::at(vec![keyed("anthropic", &scripted.url())])
    }
}

async fn ask(stage: &Stage, text: &str) -> crate::client::Seen {
    let headers = [("x-session-id", "s1"), ("x-api-key", "sk-of-the-client")];
    let sent = asking("claude-opus-5-5", text);
    post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await
}

#[tokio::test]
async fn a_models_word_routes_the_ask_and_its_cost_is_the_jobs() {
    let scripted = scripted(|| saying("bug-fix")).await;
    let stage = setting(&scripted).open().await;
    let seen = ask(&stage, VAGUE).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(seen.header("x-wayproof-task"), Some("bug-fix"));
    assert_eq!(
        seen.header("x-wayproof-target"),
        Some("anthropic/claude-opus-4-8")
    );
    let detail = stage.settled(seen.exchange()).await;
    let decision: Value = serde_json::from_str(detail.decision().unwrap()).unwrap();
    let rule = decision["rule"].as_str().unwrap();
    assert!(rule.contains("a model took it for `bug-fix`"), "{rule}");

    let captured = scripted.captured();
    let [question, work] = captured.as_slice() else {
        panic!("{} requests", captured.len());
    };
    let body: Value = serde_json::from_slice(&question.body).unwrap();
    assert_eq!(body["model"], "claude-haiku-4-5");
    let text = body["messages"][0]["content"].as_str().unwrap();
    assert!(
        text.ends_with(VAGUE) && text.contains("- small-edit: "),
        "{text}"
    );
    // The gateway asks with its own key, not with the client's.
    let shown = |key: &str| {
        let mut values = question.headers.iter().map(|(_, value)| value);
        values.any(|value| String::from_utf8_lossy(value).contains(key))
    };
    assert!(shown("sk-gateway") && !shown("sk-of-the-client"));
    assert!(String::from_utf8_lossy(&work.body).contains("claude-opus-4-8"));

    costs_are_the_jobs(&stage).await;

    // The job goes on without being asked about again.
    let again = ask(&stage, VAGUE).await;
    assert_eq!(again.header("x-wayproof-task"), Some("bug-fix"));
    let questions = scripted.captured();
    let questions = questions.iter().filter(|one| is_question(one));
    assert_eq!(questions.count(), 1);
    stage.stop().await;
}

async fn costs_are_the_jobs(stage: &Stage) {
    let page = Page {
        limit: 10,
        before: None,
    };
    let jobs = stage
        .ledger
        .jobs(&JobFilter::default(), page)
        .await
        .unwrap();
    let [job] = jobs.as_slice() else {
        panic!("{jobs:?}");
    };
    assert_eq!((job.task.as_deref(), job.exchanges), (Some("bug-fix"), 2));
    let exchanges = stage
        .ledger
        .exchanges(&ExchangeFilter::default(), page)
        .await
        .unwrap();
    let costs: Vec<i64> = exchanges
        .iter()
        .map(|one| one.listed_nano_usd.unwrap())
        .collect();
    assert_eq!(costs.len(), 2);
    assert_eq!(job.money.listed_nano_usd, Some(costs.iter().sum()));
}

#[tokio::test]
async fn whatever_goes_wrong_with_a_question_the_work_goes_on() {
    for judged in [
        || saying("I cannot help with that."),
        || saying("bug-fix, or maybe documentation"),
        || Reply::json(500, "{}"),
        || Reply::json(200, "not json"),
        || Reply::json(401, r#"{"error":{"message":"no"}}"#),
    ] {
        let scripted = scripted(judged).await;
        let stage = setting(&scripted).open().await;
        let seen = ask(&stage, VAGUE).await;
        assert_eq!(seen.status, 200, "{}", seen.text());
        assert_eq!(seen.header("x-wayproof-task"), Some("general"));
        let detail = stage.settled(seen.exchange()).await;
        let decision = detail.decision().unwrap();
        assert!(decision.contains("does not say"), "{decision}");
        stage.stop().await;
    }
}

#[tokio::test]
async fn a_slow_model_is_not_waited_for() {
    let scripted = scripted(|| saying("bug-fix").after(Duration::from_mins(1))).await;
    let stage = setting(&scripted).open().await;
    let seen = tokio::time::timeout(Duration::from_secs(30), ask(&stage, VAGUE)).await;
    assert_eq!(seen.unwrap().header("x-wayproof-task"), Some("general"));
    stage.stop().await;
}

#[tokio::test]
async fn a_sure_ask_is_nobody_elses_business() {
    let scripted = scripted(|| saying("documentation")).await;
    let stage = setting(&scripted).open().await;
    let seen = ask(&stage, "the login page crashes when the token expired").await;
    assert_eq!(seen.header("x-wayproof-task"), Some("bug-fix"));
    assert_eq!(scripted.captured().len(), 1);
    stage.stop().await;
}
