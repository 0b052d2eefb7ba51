//! What becomes of an ask whose words are not sure, where the policy has a model asked about it.

use proptest::prelude::*;
use wayproof_engine::{
    Catalog, ClassName, Facts, Heard, Next, Noted, Observation, Policy, Question, SessionState,
    TaskName, answer_question, correct, decide, judge, observe, put_question,
};
use wayproof_wire::Housekeeping;

use crate::setting::{self, world};

/// Words that speak for nothing.
const VAGUE: &str = "please do the thing we talked about yesterday";

fn policy(text: &str) -> Policy {
    let text = format!("version = 1\n{text}");
    Policy::parse(&text, "wayproof.toml").unwrap().policy
}

fn facts(model: &'static str) -> Facts<'static> {
    Facts {
        requested_model: model,
        ..setting::facts()
    }
}

fn asked(policy: &Policy, ask: &str, thrift: Option<&str>) -> SessionState {
    let mut state = SessionState::new("s");
    let observation = Observation {
        ask: Some(ask),
        thrift,
        ..Observation::default()
    };
    observe(policy, &mut state, &facts("wayproof/auto"), &observation);
    state
}

fn next(policy: &Policy, state: &SessionState, facts: &Facts<'_>) -> Next {
    decide(policy, state, facts, &world(), Catalog::embedded())
}

fn question(policy: &Policy, state: &SessionState) -> Option<Question> {
    match next(policy, state, &facts("wayproof/auto")) {
        Next::Ask(question) => Some(*question),
        Next::Decided(_) | Next::Refused(_) => None,
    }
}

fn answered(policy: &Policy, ask: &str, task: &str) -> (SessionState, Box<Heard>) {
    let mut state = asked(policy, ask, None);
    put_question(&mut state);
    let task = TaskName::new(task);
    let noted = answer_question(policy, &mut state, "job-1", Some(&task)).unwrap();
    let Noted::JobOpened { heard, .. } = noted else {
        panic!("{noted:?}");
    };
    (state, heard.unwrap())
}

#[test]
fn an_unsure_ask_is_asked_about_once() {
    let policy = policy("judge = \"fast\"\n");
    let mut state = asked(&policy, VAGUE, None);
    let question = question(&policy, &state).unwrap();
    assert_eq!(question.class, ClassName::new("fast"));
    assert_eq!(
        (question.job.as_str(), question.ask.as_str()),
        ("job-1", VAGUE)
    );
    let names: Vec<&str> = question.tasks.iter().map(TaskName::as_str).collect();
    assert!(
        names.contains(&"bug-fix") && names.contains(&"general"),
        "{names:?}"
    );
    assert!(!names.contains(&"housekeeping"), "{names:?}");
    put_question(&mut state);
    let meanwhile = next(&policy, &state, &facts("wayproof/auto"));
    let Next::Decided(decision) = meanwhile else {
        panic!("{meanwhile:?}");
    };
    assert_eq!(decision.task.as_str(), "general");
}

#[test]
fn nobody_is_asked_where_nothing_depends_on_it() {
    let with = policy("judge = \"fast\"\n");
    let without = policy("");
    let sure = "the login page crashes when the token expired";
    assert!(question(&without, &asked(&without, VAGUE, None)).is_none());
    assert!(question(&with, &asked(&with, sure, None)).is_none());
    let short = asked(&with, VAGUE, Some("the team is past its soft limit"));
    assert!(question(&with, &short).is_none());
    let state = asked(&with, VAGUE, None);
    for model in ["anthropic/claude-haiku-4-5", "wayproof/class:strong"] {
        let next = next(&with, &state, &facts(model));
        assert!(matches!(next, Next::Decided(_)), "{model}: {next:?}");
    }
    let title = Facts {
        housekeeping: Some(Housekeeping::Title),
        ..facts("wayproof/auto")
    };
    assert!(matches!(next(&with, &state, &title), Next::Decided(_)));
}

#[test]
fn the_answer_makes_the_task_and_is_kept_for_replays() {
    let policy = policy("judge = \"fast\"\n");
    let (state, heard) = answered(&policy, VAGUE, "bug-fix");
    let job = state.job.as_ref().unwrap();
    assert_eq!(
        (job.task.as_str(), job.class.as_str()),
        ("bug-fix", "strong")
    );
    assert!(
        job.rule.contains("a model took it for `bug-fix`"),
        "{}",
        job.rule
    );
    let text = serde_json::to_string(&heard).unwrap();
    let again: Heard = serde_json::from_str(&text).unwrap();
    assert_eq!(judge(&policy, &again).task.as_str(), "bug-fix");
    assert!(question(&policy, &state).is_none());
    // Another policy may be sure without a model.
    let sure = Policy::parse("version = 1\nmin_confidence = 0\n", "wayproof.toml").unwrap();
    let by_words = judge(&sure.policy, &again);
    assert!(!by_words.rule.contains("a model"), "{}", by_words.rule);
}

/// Text in an ask can talk a model into a cheap task, but not into a cheap class.
#[test]
fn a_word_that_no_word_of_the_ask_supports_lowers_no_class() {
    let policy = policy("judge = \"fast\"\n");
    let (state, heard) = answered(&policy, VAGUE, "small-edit");
    assert!(
        heard
            .shares
            .iter()
            .take(2)
            .all(|(task, _)| task.as_str() != "small-edit")
    );
    let job = state.job.unwrap();
    assert_eq!(
        (job.task.as_str(), job.class.as_str()),
        ("small-edit", "strong")
    );
    let supported = heard.shares.iter().take(2).map(|(task, _)| task.clone());
    for task in supported.filter(|task| policy.task(task).is_some()) {
        let (state, _) = answered(&policy, VAGUE, task.as_str());
        let first = &policy.task(&task).unwrap().route[0];
        assert_eq!(state.job.unwrap().class, *first, "{task}");
    }
}

#[test]
fn no_answer_leaves_the_job_as_it_was() {
    let policy = policy("judge = \"fast\"\n");
    let mut state = asked(&policy, VAGUE, None);
    put_question(&mut state);
    assert!(answer_question(&policy, &mut state, "job-1", None).is_none());
    let job = state.job.as_ref().unwrap();
    assert_eq!(job.task.as_str(), "general");
    assert!(
        job.rule.ends_with("the model that was asked does not say"),
        "{}",
        job.rule
    );
    assert!(question(&policy, &state).is_none());
}

#[test]
fn the_users_word_and_a_new_job_come_before_a_late_answer() {
    let policy = policy("judge = \"fast\"\n");
    let late = TaskName::new("documentation");
    let mut state = asked(&policy, VAGUE, None);
    put_question(&mut state);
    correct(&policy, &mut state, &TaskName::new("bug-fix")).unwrap();
    assert!(answer_question(&policy, &mut state, "job-1", Some(&late)).is_none());
    assert_eq!(state.job.as_ref().unwrap().task.as_str(), "bug-fix");
    let mut state = asked(&policy, VAGUE, None);
    put_question(&mut state);
    assert!(answer_question(&policy, &mut state, "job-0", Some(&late)).is_none());
    assert!(answer_question(&policy, &mut SessionState::new("s"), "job-1", Some(&late)).is_none());
}

#[test]
fn an_unknown_class_is_told_where_it_is() {
    let error = Policy::parse("version = 1\njudge = \"fats\"\n", "wayproof.toml").unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("there is no class `fats`") && told.contains("fast"),
        "{told}"
    );
}

fn of(tasks: &[&str]) -> Question {
    Question {
        class: ClassName::new("fast"),
        job: "job-1".to_owned(),
        tasks: tasks.iter().map(|task| TaskName::new(*task)).collect(),
        ask: VAGUE.to_owned(),
    }
}

#[test]
fn an_answer_names_one_task_or_none() {
    let question = of(&["bug-fix", "small-edit", "general"]);
    for (answer, task) in [
        ("bug-fix", Some("bug-fix")),
        (" `Bug-Fix`.\n", Some("bug-fix")),
        ("Task: **small-edit**, small-edit", Some("small-edit")),
        ("{\"task\": \"general\"}", Some("general")),
        ("bug-fix or small-edit", None),
        ("bug-fixes", None),
        ("a bug", None),
        ("", None),
    ] {
        let read = question.read(answer).map(TaskName::as_str);
        assert_eq!(read, task, "{answer}");
    }
    assert!(question.text().ends_with(VAGUE));
}

proptest! {
    #[test]
    fn any_answer_is_read(answer in ".{0,200}") {
        let question = of(&["bug-fix", "small-edit"]);
        if let Some(task) = question.read(&answer) {
            prop_assert!(answer.to_ascii_lowercase().contains(task.as_str()));
        }
    }
}
