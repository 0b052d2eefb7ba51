//! What the engine makes of an ask and of a recorded job: hearing, judging, correcting, replaying, presets, causes.

use wayproof_engine::{
    Asked, Catalog, Cause, ClassName, Next, Noted, Observation, Outcome, Policy, RecordedExchange,
    RecordedJob, Replayed, SessionState, TaskName, classify, correct, decide, hear, judge, observe,
    replay,
};
use wayproof_wire::{Exit, Protocol, ToolKind, ToolOutcome};

use crate::setting::{facts, world};

fn asked(policy: &Policy, ask: &str) -> (SessionState, Vec<Noted>) {
    let mut state = SessionState::new("s");
    let observation = Observation {
        ask: Some(ask),
        ..Observation::default()
    };
    let noted = observe(policy, &mut state, &facts(), &observation);
    (state, noted)
}

fn outcome(id: &str, kind: ToolKind, text: &str, exit: Exit) -> ToolOutcome {
    ToolOutcome {
        call_id: id.to_owned(),
        tool: "tool".to_owned(),
        kind,
        command: Some("run the tests".to_owned()),
        paths: Vec::new(),
        exit,
        text: text.to_owned(),
    }
}

fn causes_of(ask: &str, outcomes: &[ToolOutcome]) -> Vec<Cause> {
    let policy = Policy::builtin();
    let (mut state, _) = asked(&policy, ask);
    let observation = Observation {
        outcomes,
        ..Observation::default()
    };
    observe(&policy, &mut state, &facts(), &observation);
    let job = state.job.unwrap();
    job.causes.iter().map(|noted| noted.cause).collect()
}

#[test]
fn what_was_heard_is_enough_to_judge_again() {
    let builtin = Policy::builtin();
    let with_rule = Policy::parse(
        "version = 1\n[task.migration]\nmatch = { paths = [\"db/**\"] }\n",
        "wayproof.toml",
    )
    .unwrap()
    .policy;
    let ask = "the report in db/reports.sql crashes when there are no rows";
    for policy in [&builtin, &with_rule] {
        let about = Asked::default();
        let text = serde_json::to_string(&hear(ask, &about)).unwrap();
        assert!(text.len() < 400, "{} bytes are kept for a job", text.len());
        let again = serde_json::from_str(&text).unwrap();
        assert_eq!(judge(policy, &again), classify(policy, ask, &about));
    }
    let heard = hear(ask, &Asked::default());
    assert_eq!(judge(&builtin, &heard).task.as_str(), "bug-fix");
    assert_eq!(judge(&with_rule, &heard).task.as_str(), "migration");
}

#[test]
fn the_users_word_wins_at_once() {
    let policy = Policy::builtin();
    let (mut state, _) = asked(&policy, "write unit tests for the date parser");
    assert_eq!(state.job.as_ref().unwrap().class.as_str(), "fast");
    let noted = correct(&policy, &mut state, &TaskName::new("bug-fix")).unwrap();
    assert!(matches!(noted, Noted::JobOpened { class, .. } if class.as_str() == "strong"));
    let job = state.job.as_ref().unwrap();
    assert_eq!((job.task.as_str(), job.confidence_pm), ("bug-fix", 1000));
    // A task that nobody knows changes nothing, and so does a session without a job.
    assert!(correct(&policy, &mut state, &TaskName::new("nonsense")).is_none());
    assert_eq!(state.job.as_ref().unwrap().task.as_str(), "bug-fix");
    let mut empty = SessionState::new("s");
    assert!(correct(&policy, &mut empty, &TaskName::new("bug-fix")).is_none());
}

#[test]
fn a_correction_does_not_undo_what_a_cause_has_moved() {
    let policy = Policy::builtin();
    let (mut state, _) = asked(&policy, "write unit tests for the date parser");
    let noted = wayproof_engine::report_cause(&policy, &mut state, Cause::FlakyTest, "it flickers");
    assert!(matches!(noted[..], [Noted::Escalated { .. }]));
    correct(&policy, &mut state, &TaskName::new("documentation")).unwrap();
    assert_eq!(state.job.unwrap().class.as_str(), "strong");
}

fn recorded(policy: &Policy, ask: &str) -> RecordedJob {
    let (state, noted) = asked(policy, ask);
    let heard = noted.into_iter().find_map(|noted| match noted {
        Noted::JobOpened { heard, .. } => heard,
        _ => None,
    });
    let Next::Decided(decision) = decide(policy, &state, &facts(), &world(), Catalog::embedded())
    else {
        panic!("refused");
    };
    let exchange = RecordedExchange {
        protocol: Protocol::Messages,
        requested_model: "wayproof/auto".to_owned(),
        request_bytes: 4_000,
        at_us: facts().at_us,
        decision,
        cost_nano_usd: Some(70),
    };
    RecordedJob {
        id: "job-1".to_owned(),
        task: state.job.unwrap().task,
        heard: heard.map(|heard| *heard),
        exchanges: vec![exchange.clone(), exchange],
        outcome: Outcome::Passed,
        is_contradicted: false,
    }
}

#[test]
fn replay_tells_the_first_difference_and_nothing_beyond() {
    let builtin = Policy::builtin();
    let job = recorded(&builtin, "the parser crashes on an empty file");
    let tried = |text: &str| {
        let policy = Policy::parse(text, "wayproof.toml").unwrap().policy;
        replay(&policy, &job, &world(), Catalog::embedded())
    };
    assert_eq!(tried("version = 1\n"), Replayed::Same);
    let Replayed::Changed(changed) = tried("version = 1\n[task.bug-fix]\nroute = \"fast\"\n")
    else {
        panic!("the class is another one");
    };
    assert_eq!((changed.at, changed.certain_nano_usd), (0, Some(0)));
    assert_eq!(changed.class, Some(ClassName::new("fast")));
    assert_eq!(changed.at_most_nano_usd, Some(20_000_000_000));
    assert_ne!(changed.from, changed.to);
    // A budget that is smaller than what was spent refuses the second request.
    let Replayed::Changed(changed) =
        tried("version = 1\n[task.bug-fix]\nbudget = { per_job = \"0.00000005 USD\" }\n")
    else {
        panic!("the budget is used up");
    };
    assert_eq!(
        (changed.at, changed.to, changed.certain_nano_usd),
        (1, None, Some(70))
    );
    let unheard = RecordedJob {
        heard: None,
        ..job.clone()
    };
    let found = replay(&builtin, &unheard, &world(), Catalog::embedded());
    assert!(matches!(found, Replayed::Unknown { .. }));
}

#[test]
fn an_unknown_cost_stays_unknown_in_a_replay() {
    let mut job = recorded(&Policy::builtin(), "the parser crashes on an empty file");
    job.exchanges[0].cost_nano_usd = None;
    let text = "version = 1\nmin_confidence = 1000\n[task.general]\nroute = \"strong\"\n";
    let policy = Policy::parse(text, "wayproof.toml").unwrap().policy;
    let Replayed::Changed(changed) = replay(&policy, &job, &world(), Catalog::embedded()) else {
        panic!("it is another task");
    };
    assert_eq!(changed.task.as_str(), "general");
    assert_eq!((changed.at, changed.certain_nano_usd), (2, None));
}

#[test]
fn the_cascade_starts_cheap_where_the_proof_is_strong() {
    let parsed = Policy::parse("version = 1\npreset = \"cascade\"\n", "wayproof.toml").unwrap();
    assert_eq!(parsed.warnings, []);
    let policy = parsed.policy;
    let first = |task: &str| policy.task(&TaskName::new(task)).unwrap().route[0].clone();
    assert_eq!(first("bug-fix").as_str(), "fast");
    assert_eq!(first("general").as_str(), "strong");
    assert_eq!(first("migration").as_str(), "strong");
    let route: Vec<_> = policy
        .task(&TaskName::new("security-review"))
        .unwrap()
        .route
        .clone();
    assert_eq!(route.len(), 2);
    let (mut state, _) = asked(&policy, "the parser crashes on an empty file");
    let mut classes = vec![state.job.as_ref().unwrap().class.to_string()];
    for _ in 0..2 {
        wayproof_engine::report_cause(&policy, &mut state, Cause::ProofRefuted, "it fails");
        classes.push(state.job.as_ref().unwrap().class.to_string());
    }
    assert_eq!(classes, ["fast", "strong", "max"]);
    // The file's own rows win, and what is printed is the same policy.
    let text = "version = 1\npreset = \"cascade\"\n[task.bug-fix]\nroute = \"max\"\n";
    let own = Policy::parse(text, "wayproof.toml").unwrap().policy;
    assert_eq!(
        own.task(&TaskName::new("bug-fix")).unwrap().route[0].as_str(),
        "max"
    );
    let again = Policy::parse(policy.resolved(), "resolved.toml")
        .unwrap()
        .policy;
    assert_eq!(again.resolved(), policy.resolved());
    assert!(Policy::parse("version = 1\npreset = \"cascad\"\n", "wayproof.toml").is_err());
}

#[test]
fn coverage_that_a_tool_calls_too_low_is_a_cause() {
    let low = "FAIL Required test coverage of 80% not reached. Total coverage: 71.20%\n";
    let found = causes_of(
        "write unit tests for the date parser",
        &[outcome("a", ToolKind::Shell, low, Exit::Code(1))],
    );
    assert!(found.contains(&Cause::LowCoverage), "{found:?}");
    // A file that says so is no tool that does.
    let read = outcome("a", ToolKind::Read, low, Exit::Succeeded);
    assert!(
        !causes_of("write unit tests for the date parser", &[read]).contains(&Cause::LowCoverage)
    );
}

#[test]
fn tests_that_change_their_mind_without_an_edit_are_flaky() {
    let failed = "=== FAILURES ===\nFAILED tests/test_a.py::test_b - assert 1 == 2\n=== 1 failed, 2 passed in 0.1s ===\n";
    let passed = "=== 3 passed in 0.1s ===\n";
    let fewer = "=== 2 passed in 0.1s ===\n";
    let run = |id: &str, text: &str, code| outcome(id, ToolKind::Shell, text, Exit::Code(code));
    let ask = "write unit tests for the date parser";
    let flaky = |outcomes: &[ToolOutcome]| causes_of(ask, outcomes).contains(&Cause::FlakyTest);
    assert!(flaky(&[run("a", failed, 1), run("b", passed, 0)]));
    assert!(flaky(&[run("a", passed, 0), run("b", failed, 1)]));
    assert!(!flaky(&[run("a", failed, 1), run("b", fewer, 0)]));
    let edit = outcome("e", ToolKind::Edit, "done", Exit::Succeeded);
    assert!(!flaky(&[run("a", failed, 1), edit, run("b", passed, 0)]));
}

#[test]
fn an_error_with_two_readings_is_an_ambiguity_after_an_edit() {
    let text = "error[E0034]: multiple applicable items in scope\n --> src/main.rs:9:5\n  |\n9 |     a.to_sql();\n  |       ^^^^^^ multiple `to_sql` found\n\nerror: could not compile `app` (bin \"app\") due to 1 previous error\n";
    let run = |id: &str| outcome(id, ToolKind::Shell, text, Exit::Code(101));
    let edit = outcome("e", ToolKind::Edit, "done", Exit::Succeeded);
    let ask = "migrate the HTTP client from requests to httpx";
    assert!(!causes_of(ask, &[run("a")]).contains(&Cause::SchemaOrApiAmbiguity));
    assert!(causes_of(ask, &[edit.clone(), run("a")]).contains(&Cause::SchemaOrApiAmbiguity));
    let django = "CommandError: Conflicting migrations detected; multiple leaf nodes in the migration graph: (0002_a, 0002_b in app).\n";
    let django = outcome("d", ToolKind::Shell, django, Exit::Code(1));
    assert!(causes_of(ask, &[edit, django]).contains(&Cause::SchemaOrApiAmbiguity));
}

#[test]
fn a_document_that_speaks_of_a_version_makes_a_claim_once() {
    let edit = |id: &str| ToolOutcome {
        paths: vec!["docs/guide.md".to_owned()],
        ..outcome(
            id,
            ToolKind::Edit,
            "12: Since v2.1 the client retries.",
            Exit::Succeeded,
        )
    };
    let found = causes_of(
        "update the README with the new install steps",
        &[edit("a"), edit("b")],
    );
    let claims = found
        .iter()
        .filter(|cause| **cause == Cause::ApiOrVersionClaim);
    assert_eq!(claims.count(), 1);
}
