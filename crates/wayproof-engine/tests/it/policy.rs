//! Policy files: what is accepted, what is refused and how that reads.

use std::fmt::Write;

use serde_json::{Value, json};
use wayproof_engine::{ClassName, Policy, TaskName, schema};

fn refused(text: &str) -> String {
    let error = Policy::parse(text, "wayproof.toml").expect_err("this policy is wrong");
    error.to_string()
}

fn warned(text: &str) -> String {
    let parsed = Policy::parse(text, "wayproof.toml").unwrap_or_else(|error| panic!("{error}"));
    let mut out = String::new();
    for warning in parsed.warnings {
        writeln!(out, "{}\n", warning.rendered).unwrap();
    }
    out
}

#[test]
fn the_built_in_matrix_is_sound() {
    let parsed = Policy::parse(Policy::builtin_text(), "builtin.toml").unwrap();
    assert_eq!(parsed.warnings, []);
    assert_eq!(parsed.policy.run_tests(), []);
    assert!(!parsed.policy.tests.is_empty());
    assert_eq!(parsed.policy.digest(), Policy::builtin().digest());
    let names: Vec<&str> = parsed
        .policy
        .tasks()
        .iter()
        .map(|task| task.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "small-edit",
            "test-generation",
            "bug-fix",
            "migration",
            "security-review",
            "documentation",
            "general",
            "housekeeping"
        ]
    );
}

#[test]
fn an_empty_file_is_the_built_in_matrix() {
    let parsed = Policy::parse("version = 1\n", "wayproof.toml").unwrap();
    let builtin = Policy::builtin();
    assert_eq!(parsed.policy.classes(), builtin.classes());
    assert_eq!(parsed.policy.tasks().len(), builtin.tasks().len());
    assert!(parsed.policy.route_unknown);
    assert_ne!(parsed.policy.digest(), builtin.digest());
}

#[test]
fn a_table_changes_its_row_key_by_key() {
    let text = r#"
        version = 1
        [class.mini]
        targets = ["ollama/qwen3-coder"]
        [class.strong]
        targets = ["openai/gpt-6.1-sol"]
        [checks]
        test = ["make", "test"]
        [task.bug-fix]
        budget = { per_job = "0.25 USD" }
        [task.bug-fix.checks]
        typecheck = ["make", "types"]
    "#;
    let policy = Policy::parse(text, "wayproof.toml").unwrap().policy;
    let task = policy.task(&TaskName::new("bug-fix")).unwrap();
    assert_eq!(task.budget_per_job_nano_usd, Some(250_000_000));
    assert_eq!(task.route, [ClassName::new("strong")]);
    assert!(!task.escalate.is_empty() && !task.proof.is_empty());
    assert_eq!(task.checks.len(), 2);
    let strong = policy.class(&ClassName::new("strong")).unwrap();
    assert_eq!(strong.targets.len(), 1);
    assert_eq!(strong.targets[0].effort.as_deref(), Some("high"));
    let ladder: Vec<&str> = policy
        .classes()
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    assert_eq!(ladder, ["fast", "mini", "strong", "reviewer", "max"]);
    assert_eq!(policy.tasks()[0].name.as_str(), "bug-fix");
    // What is printed as the whole policy is a policy, and the same one.
    let again = Policy::parse(policy.resolved(), "resolved.toml")
        .unwrap()
        .policy;
    assert_eq!(again.resolved(), policy.resolved());
}

#[test]
fn every_problem_is_shown_where_it_is() {
    insta::assert_snapshot!(
        "shape",
        refused(concat!(
            "version = 2\n",
            "rout_unknown = true\n",
            "[class.fast]\n",
            "targets = \"anthropic/claude\"\n",
            "efort = \"high\"\n",
            "[class.strong]\n",
            "effort = \"hihg\"\n",
            "[task.bug-fix]\n",
            "escalate = [{ on = \"compile-eror\", to = \"max\" }, { to = \"max\" }]\n",
            "proof = [\"typechek\", [\"build\", 3]]\n",
            "tries = 0\n",
            "match = { surfaces = [\"authn\"] }\n",
            "[task.x]\n",
            "route = 5\n",
        ))
    );
    insta::assert_snapshot!(
        "meaning",
        refused(concat!(
            "version = 1\n",
            "[class.fast]\n",
            "targets = [\"claude\", \"a/b\", \"a/b\"]\n",
            "[task.bug-fix]\n",
            "route = \"stong\"\n",
            "escalate = [{ on = \"compile-error\", to = \"maxx\" }]\n",
            "match = { paths = [\"src/[\"] }\n",
            "budget = { per_job = \"4 EUR\" }\n",
            "review = { by = \"anyone\" }\n",
            "checks = { test = [] }\n",
            "[task.mine]\n",
            "proof = [[]]\n",
            "[[test]]\n",
            "ask = \"x\"\n",
            "expect = { task = \"bugfix\", class = \"slow\" }\n",
            "[[test]]\n",
            "ask = \"y\"\n",
            "expect = {}\n",
        ))
    );
    insta::assert_snapshot!(
        "syntax",
        refused("version = 1\n[task.bug-fix\nroute = \"fast\"\n")
    );
    insta::assert_snapshot!("nothing", refused(""));
}

#[test]
fn rules_that_can_do_nothing_are_reported() {
    insta::assert_snapshot!(
        "warnings",
        warned(concat!(
            "version = 1\n",
            "[class.fast]\n",
            "targets = []\n",
            "[task.wide]\n",
            "route = \"fast\"\n",
            "match = { paths = [\"db/**\"], surfaces = [\"auth\"] }\n",
            "[task.narrow]\n",
            "route = \"strong\"\n",
            "match = { paths = [\"db/migrations/**\"] }\n",
            "escalate = [{ on = \"test-failure\", to = \"fast\" }, { on = \"test-failure\", to = \"strong\" }]\n",
            "[task.orphan]\n",
            "route = \"fast\"\n",
            "[task.vague]\n",
            "route = \"fast\"\n",
            "match = {}\n",
            "escalate = [{ on = \"test-failure\", to = \"max\" }, { on = \"test-failure\", to = \"max\", after = 2 }]\n",
        ))
    );
}

#[test]
fn failing_policy_tests_say_what_came_out() {
    let text = concat!(
        "version = 1\n",
        "[[test]]\nask = \"fix the crash in the parser\"\nexpect = { task = \"documentation\" }\n",
        "[[test]]\nask = \"fix the crash in the parser\"\nexpect = { task = \"bug-fix\" }\n",
    );
    let failed = Policy::parse(text, "wayproof.toml")
        .unwrap()
        .policy
        .run_tests();
    let lines: Vec<String> = failed.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "\"fix the crash in the parser\": expected documentation in any class, got bug-fix in strong \
          (the words of the ask fit `bug-fix` (87 %))"
        ]
    );
}

/// The schema and the parser agree, since they come from the same types; this keeps it so.
#[test]
fn the_schema_accepts_what_the_parser_accepts() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let builtin: toml::Table = toml::from_str(Policy::builtin_text()).unwrap();
    assert!(validator.is_valid(&serde_json::to_value(builtin).unwrap()));
    assert!(validator.is_valid(&json!({ "version": 1 })));
    for wrong in [
        json!({}),
        json!({ "version": 2 }),
        json!({ "version": 1, "rout": true }),
        json!({ "version": 1, "class": { "fast": { "targets": "a/b" } } }),
        json!({ "version": 1, "task": { "x": { "route": 5 } } }),
        json!({ "version": 1, "task": { "x": { "escalate": [{ "on": "sunshine", "to": "max" }] } } }),
        json!({ "version": 1, "task": { "x": { "proof": ["sunshine"] } } }),
        json!({ "version": 1, "task": { "x": { "tries": 0 } } }),
        json!({ "version": 1, "checks": { "test": "make" } }),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
        let text = toml::to_string(&wrong).unwrap();
        assert!(Policy::parse(&text, "wayproof.toml").is_err(), "{text}");
    }
}
