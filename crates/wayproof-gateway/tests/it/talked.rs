//! Jobs that conversations came to by themselves, proven and closed through the admin pages.

use serde_json::json;
use wayproof_ledger::{About, EventBody, JobOpened};
use wayproof_testkit::{Provider as Scripted, Reply};

use crate::admin::{read, tell};
use crate::client::{Seen, post};
use crate::stage::{MESSAGE, Setting, asking};

#[tokio::test]
async fn a_conversations_own_job_is_proven_and_closed() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let headers = [("x-session-id", "s1")];
    let talk = async |body: &str| {
        let seen = post(stage.address, "/v1/messages", &headers, body.as_bytes()).await;
        assert_eq!(seen.status, 200, "{}", seen.text());
        stage.settled(seen.exchange()).await;
        seen
    };
    let job_of = async |seen: &Seen| {
        let page = read(&stage, &format!("exchanges/{}", seen.exchange())).await;
        page["exchange"]["job"].as_str().unwrap().to_owned()
    };
    let first = talk(&asking("claude-opus-5-5", "the parser crashes")).await;
    assert_eq!(first.header("x-wayproof-class"), Some("strong"));
    let job = job_of(&first).await;

    let obligation = json!({
        "task": "bug-fix", "requirements": [["failing-test-becomes-green"]],
        "policy_digest": "00", "obligation_digest": "11",
    });
    let proof = |verdict: &str| json!({"verdict": verdict, "task": "bug-fix", "head_tree": "t1"});
    let closed = json!({"verdict": "PROVEN"});
    for (page, body) in [
        ("obligation", &obligation),
        ("proof/step", &json!({"step": "running 2 tests"})),
        ("proof", &proof("REFUTED")),
    ] {
        let seen = tell(&stage, &format!("jobs/{job}/{page}"), body).await;
        assert_eq!(seen.status, 204, "{page}: {}", seen.text());
    }
    let turn = r#"{"model":"claude-opus-5-5","max_tokens":9,"messages":[{"role":"user","content":"the parser crashes"},{"role":"assistant","content":"done"},{"role":"user","content":"Wayproof: test_empty still fails"}]}"#;
    let next = talk(turn).await;
    assert_eq!(next.header("x-wayproof-cause"), Some("proof-refuted"));
    assert_eq!(job_of(&next).await, job);

    for (page, body) in [("proof", &proof("PROVEN")), ("close", &closed)] {
        let seen = tell(&stage, &format!("jobs/{job}/{page}"), body).await;
        assert_eq!(seen.status, 204, "{page}: {}", seen.text());
    }
    let page = read(&stage, &format!("jobs/{job}")).await;
    assert_eq!(page["job"]["verdict"], "PROVEN");
    assert_eq!(page["job"]["proofs"], 2);
    assert!(page["job"]["closed_us"].is_i64(), "{page:#}");
    // What is asked for next is another job, and begins where its task begins.
    let last = talk(&asking("claude-opus-5-5", "the lexer crashes too")).await;
    assert_eq!(last.header("x-wayproof-class"), Some("strong"));
    assert_ne!(job_of(&last).await, job);
    let again = tell(&stage, &format!("jobs/{job}/close"), &closed).await;
    assert_eq!(again.status, 404, "{}", again.text());
    stage.stop().await;
}

#[tokio::test]
async fn a_job_that_another_gateway_has_in_hand_is_proven_in_the_ledger() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let about = About {
        job: Some("elsewhere".to_owned()),
        ..About::default()
    };
    let opened = EventBody::JobOpened(JobOpened {
        task: "bug-fix".to_owned(),
        ..JobOpened::default()
    });
    let event = stage.ledger.event(about, opened);
    stage.ledger.append(&event).await.unwrap();
    for (page, body) in [
        ("proof", json!({"verdict": "PROVEN", "task": "bug-fix"})),
        ("close", json!({"verdict": "PROVEN"})),
    ] {
        let seen = tell(&stage, &format!("jobs/elsewhere/{page}"), &body).await;
        assert_eq!(seen.status, 204, "{page}: {}", seen.text());
    }
    let page = read(&stage, "jobs/elsewhere").await;
    assert_eq!(page["job"]["verdict"], "PROVEN");
    assert!(page["job"]["closed_us"].is_i64(), "{page:#}");
    stage.stop().await;
}
