//! Policy commands: the matrix explained, errors where they are.

use std::fs;

use crate::environment::Environment;

#[test]
fn an_ask_is_explained_in_a_few_lines() {
    let environment = Environment::new();
    environment.fixture();
    let said = environment.run(&[
        "policy",
        "explain",
        "the login page returns 500 when the token expired",
    ]);
    assert_eq!(said.status, 0, "{said:?}");
    for word in [
        "task",
        "class",
        "target",
        "why",
        "proof",
        "bug-fix",
        "failing-test-becomes-green",
    ] {
        assert!(said.out.contains(word), "lacks {word}: {}", said.out);
    }
    assert!(said.out.lines().count() <= 10, "{}", said.out);
}

#[test]
fn an_unsure_ask_says_who_would_be_asked() {
    let environment = Environment::new();
    environment.fixture();
    let policy = environment.repo().join("wayproof.toml");
    fs::write(policy, "version = 1\njudge = \"fast\"\n").unwrap();
    let explain = |ask: &str| environment.run(&["policy", "explain", ask]);
    let vague = explain("please do the thing we talked about yesterday");
    assert_eq!(vague.status, 0, "{vague:?}");
    assert!(vague.out.contains("task    general"), "{vague:?}");
    assert!(
        vague
            .out
            .contains("judge   a model of `fast` is asked first"),
        "{vague:?}"
    );
    let sure = explain("the login page crashes when the token expired");
    assert!(!sure.out.contains("judge"), "{sure:?}");
}

#[test]
fn a_slip_gets_a_caret_and_a_suggestion() {
    let environment = Environment::new();
    environment.fixture();
    fs::write(
        environment.repo().join("wayproof.toml"),
        "version = 1\n\n[task.bug-fix]\nrout = \"strong\"\n",
    )
    .unwrap();
    let said = environment.run(&["policy", "check"]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(
        said.err.contains("rout") && said.err.contains("did you mean `route`?"),
        "{}",
        said.err
    );
    assert!(said.err.contains("^^^^"), "{}", said.err);
}

#[test]
fn a_policy_carries_its_own_tests() {
    let environment = Environment::new();
    environment.fixture();
    let file = environment.repo().join("wayproof.toml");
    let row = |task: &str| {
        format!(
            "version = 1\n\n[[test]]\nask = \"the login page returns 500 when the token expired\"\nexpect = {{ task = \"{task}\" }}\n"
        )
    };
    fs::write(&file, row("bug-fix")).unwrap();
    assert_eq!(environment.run(&["policy", "test"]).status, 0);
    fs::write(&file, row("documentation")).unwrap();
    let said = environment.run(&["policy", "test"]);
    assert_eq!(
        (said.status, said.out.trim()),
        (1, "0 passed, 1 failed"),
        "{said:?}"
    );
}

#[test]
fn init_never_overwrites() {
    let environment = Environment::new();
    environment.fixture();
    assert_eq!(environment.run(&["policy", "init"]).status, 0);
    let said = environment.run(&["policy", "init"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("is there already"), "{}", said.err);
}
