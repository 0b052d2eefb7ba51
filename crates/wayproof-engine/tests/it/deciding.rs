//! Decisions one at a time: the parts that the scenarios do not show.

use wayproof_engine::{
    Asked, Catalog, Decision, Facts, KeptState, LastAnswer, Needs, Next, Observation, Policy,
    ProviderState, Routing, SessionState, Surface, TaskName, World, classify, decide, explain,
    observe,
};
use wayproof_wire::{FaultKind, Housekeeping, Protocol, Protocols};

fn facts() -> Facts<'static> {
    Facts {
        protocol: Protocol::Messages,
        requested_model: "claude-opus-5-5",
        explicit_task: None,
        housekeeping: None,
        is_subagent: false,
        paths: &[],
        branch: None,
        body_bytes: 40_001,
        new_job_id: "job-1",
        at_us: 1_795_305_600_000_000,
        needs: Needs::default(),
    }
}

fn provider(name: &str, protocols: Protocols) -> ProviderState {
    ProviderState {
        name: name.to_owned(),
        protocols,
        is_healthy: true,
        takes_own_key: false,
        models: None,
        is_guess: false,
    }
}

fn world() -> World {
    World {
        providers: vec![
            provider("anthropic", Protocols::of(&[Protocol::Messages])),
            provider("openai", Protocols::of(&[Protocol::Chat])),
        ],
    }
}

fn asked_for(ask: &str) -> SessionState {
    let mut state = SessionState::new("s");
    let observation = Observation {
        ask: Some(ask),
        ..Observation::default()
    };
    observe(&Policy::builtin(), &mut state, &facts(), &observation);
    state
}

fn decided(state: &SessionState, facts: &Facts<'_>, world: &World) -> Decision {
    match decide(&Policy::builtin(), state, facts, world, Catalog::embedded()) {
        Next::Decided(decision) => decision,
        next @ (Next::Refused(_) | Next::Ask(_)) => panic!("{next:?}"),
    }
}

#[test]
fn a_decision_names_everything_that_led_to_it() {
    let state = asked_for("the login page returns 500 when the token expired");
    let decision = decided(&state, &facts(), &world());
    assert_eq!(decision.estimated_tokens, 10_001);
    assert_eq!(decision.routing, Routing::Routed);
    insta::assert_snapshot!("explained", explain(&decision));
    let mut text = serde_json::to_string_pretty(&decision).unwrap();
    text = text
        .replace(Catalog::embedded().digest(), "CATALOG")
        .replace(Policy::builtin().digest(), "POLICY");
    insta::assert_snapshot!("decision", text);
    let again: Decision = serde_json::from_str(&serde_json::to_string(&decision).unwrap()).unwrap();
    assert_eq!(again, decision);
}

#[test]
fn explaining_takes_at_most_ten_lines() {
    let mut state = asked_for("do a security review of the OAuth code");
    let last = LastAnswer {
        target: "openai/gpt-6.1-sol".parse().unwrap(),
        prefix_tokens: 90_000,
        class: None,
        at_us: facts().at_us,
        switch_nano_usd: Some(2_000_000),
    };
    state.settle("job-1", Some(1), Some(last));
    let decision = decided(&state, &facts(), &world());
    let text = explain(&decision);
    assert!(text.lines().count() <= 10, "{text}");
    assert_eq!(
        decision.also.len(),
        1,
        "the second class of the route must answer too"
    );
    // 90,000 tokens: written at $10 a million there, read at $0.10 a million here.
    assert_eq!(
        decision.attempts[0].target.to_string(),
        "anthropic/claude-fable-5-2"
    );
    assert_eq!(decision.attempts[0].switch_nano_usd, Some(891_000_000));
    assert!(
        text.contains("switch  costs $0.891, after $0.002 in this session"),
        "{text}"
    );
    // What nobody has asked for ten minutes is warm nowhere, and leaving it costs nothing more.
    let later = Facts {
        at_us: facts().at_us + 600_000_000,
        ..facts()
    };
    let decision = decided(&state, &later, &world());
    assert_eq!(decision.attempts[0].switch_nano_usd, None);
    assert_eq!(decision.warm, None);
}

#[test]
fn a_provider_is_asked_only_for_what_it_has_and_speaks() {
    let state = asked_for("fix the crash in the parser");
    let mut world = world();
    world.providers[0].models = Some(["claude-haiku-5-5".to_owned()].into());
    // The client's own key is none for a provider of another dialect.
    world.providers[1].takes_own_key = true;
    let decision = decided(
        &state,
        &Facts {
            requested_model: "claude-haiku-5-5",
            ..facts()
        },
        &world,
    );
    assert_eq!(decision.routing, Routing::PassedThrough);
    assert!(
        decision
            .rejected
            .iter()
            .any(|passed| passed.why.contains("does not have this model"))
    );
    assert!(
        decision
            .rejected
            .iter()
            .any(|passed| passed.why.contains("does not speak"))
    );
    let next = decide(
        &Policy::builtin(),
        &state,
        &facts(),
        &world,
        Catalog::embedded(),
    );
    assert!(matches!(next, Next::Refused(refusal) if refusal.kind == FaultKind::NotFound));
    // A provider without a protocol of its own speaks whatever the agent speaks.
    world.providers.push(provider("moonshotai", Protocols::ALL));
    let decision = decided(&state, &facts(), &world);
    assert_eq!(
        decision.attempts[0].target.to_string(),
        "moonshotai/kimi-k3"
    );
}

#[test]
fn a_provider_of_another_dialect_is_asked_in_its_own() {
    let state = asked_for("fix the crash in the parser");
    let mut world = world();
    world.providers[0].models = Some(["claude-haiku-5-5".to_owned()].into());
    let decision = decided(&state, &facts(), &world);
    assert_eq!(decision.routing, Routing::Routed);
    let first = &decision.attempts[0];
    assert_eq!(first.target.provider, "openai");
    assert_eq!(first.asked_in, Some(Protocol::Chat));
    let text = explain(&decision);
    assert!(text.contains("(asked in chat)"), "{text}");
    // A model that is not routed stays with a provider that speaks its dialect, where there is one.
    let facts = Facts {
        requested_model: "claude-haiku-5-5",
        housekeeping: Some(Housekeeping::PermissionCheck),
        ..facts()
    };
    let decision = decided(&state, &facts, &world);
    assert_eq!(decision.attempts[0].target.provider, "anthropic");
    assert_eq!(decision.attempts[0].asked_in, None);
    world.providers[0].models = Some(["another".to_owned()].into());
    let decision = decided(&state, &facts, &world);
    assert_eq!(decision.attempts[0].target.provider, "openai");
    assert_eq!(decision.attempts[0].asked_in, Some(Protocol::Chat));
}

#[test]
fn a_pinned_model_needs_a_provider_that_understands_the_agent() {
    let state = asked_for("fix the crash in the parser");
    let facts = Facts {
        requested_model: "openai/gpt-6.1-sol",
        ..facts()
    };
    let mut world = world();
    world.providers[1].takes_own_key = true;
    let decision = decided(&state, &facts, &world);
    assert_eq!(decision.routing, Routing::Pinned);
    assert_eq!(decision.attempts[0].asked_in, Some(Protocol::Chat));
    world.providers[1].protocols = Protocols::of(&[Protocol::Ollama]);
    let next = decide(
        &Policy::builtin(),
        &state,
        &facts,
        &world,
        Catalog::embedded(),
    );
    let Next::Refused(refusal) = next else {
        panic!("{next:?}")
    };
    assert_eq!(refusal.kind, FaultKind::BadRequest);
    assert_eq!(
        refusal.message,
        "provider `openai` speaks ollama and this request is messages"
    );
}

#[test]
fn an_instruction_beats_the_words_and_paths_count() {
    let policy = Policy::builtin();
    let migration = TaskName::new("migration");
    let explicit = Asked {
        explicit: Some(&migration),
        ..Asked::default()
    };
    let found = classify(&policy, "fix the crash", &explicit);
    assert_eq!((found.task, found.confidence_pm), (migration, 1000));

    let unknown = TaskName::new("sing");
    let found = classify(
        &policy,
        "fix the crash",
        &Asked {
            explicit: Some(&unknown),
            ..Asked::default()
        },
    );
    assert_eq!(found.task.as_str(), "bug-fix");
    assert!(
        found.rule.starts_with("there is no task `sing`"),
        "{}",
        found.rule
    );

    let paths = ["src/auth/login.rs".to_owned(), "db/users.sql".to_owned()];
    let found = classify(
        &policy,
        "tidy up",
        &Asked {
            paths: &paths,
            ..Asked::default()
        },
    );
    assert_eq!(found.surfaces, [Surface::Auth, Surface::DataAccess]);
    assert_eq!(found.task.as_str(), "general");

    let found = classify(&policy, "", &Asked::default());
    assert_eq!((found.task.as_str(), found.confidence_pm), ("general", 0));
}

#[test]
fn asks_people_write_are_told_apart() {
    let policy = Policy::builtin();
    for (ask, task) in [
        ("the CSV export drops the last row", "general"),
        (
            "TypeError: cannot read properties of undefined (reading 'id') in cart.ts",
            "bug-fix",
        ),
        ("Fix typo in error message", "small-edit"),
        ("add unit tests for the retry logic", "test-generation"),
        ("upgrade from React 18 to React 19", "migration"),
        (
            "check the upload endpoint for path traversal vulnerabilities",
            "security-review",
        ),
        (
            "document the new --json flag in the README",
            "documentation",
        ),
        ("add a dark mode toggle", "general"),
        ("how does the scheduler pick the next job?", "general"),
        ("refactor the parser into smaller functions", "general"),
        ("the test suite hangs on CI since yesterday", "bug-fix"),
        ("write a migration guide for version 3", "documentation"),
    ] {
        let found = classify(&policy, ask, &Asked::default());
        assert_eq!(found.task.as_str(), task, "{ask}: {}", found.rule);
    }
}

#[test]
fn a_soft_limit_starts_new_work_a_class_lower_and_says_so() {
    let policy = Policy::builtin();
    let start = |ask: &str| {
        let mut state = SessionState::new("s");
        let observation = Observation {
            ask: Some(ask),
            thrift: Some("team:core is past its soft limit"),
            ..Observation::default()
        };
        observe(&policy, &mut state, &facts(), &observation);
        let job = state.job.unwrap();
        (job.class.to_string(), job.rule)
    };
    let (class, rule) = start("fix the crash in the parser when the input is empty");
    assert_eq!(class, "fast");
    assert!(
        rule.ends_with(
            "it starts in `fast` instead of `strong`, because team:core is past its soft limit"
        ),
        "{rule}"
    );
    // What is lowest already stays, and what a person signs is no place to save.
    let (class, rule) = start("write unit tests for the parser");
    assert_eq!(class, "fast");
    assert!(!rule.contains("soft limit"), "{rule}");
    let (class, _) = start("do a security review of the login code");
    assert_eq!(class, "reviewer");
}

fn keepers(name: &str) -> World {
    World {
        providers: vec![
            provider(name, Protocols::of(&[Protocol::Responses])),
            provider("openai", Protocols::of(&[Protocol::Responses])),
            provider("anthropic", Protocols::of(&[Protocol::Messages])),
        ],
    }
}

/// Facts of a request that continues from what this provider keeps.
fn continuing(keeper: Option<&'static str>, model: &'static str) -> Facts<'static> {
    Facts {
        protocol: Protocol::Responses,
        requested_model: model,
        needs: Needs {
            kept: Some(KeptState {
                field: "previous_response_id",
                keeper,
            }),
            ..Needs::default()
        },
        ..facts()
    }
}

#[test]
fn what_a_provider_keeps_is_continued_there() {
    let state = asked_for("do a security review of the OAuth code");
    // The class has a target at the keeper: only those are left.
    let decision = decided(
        &state,
        &continuing(Some("openai"), "gpt-6.1-sol"),
        &keepers("mine"),
    );
    assert_eq!(decision.routing, Routing::Routed);
    let providers = decision.attempts.iter();
    let providers: Vec<&str> = providers
        .map(|planned| planned.target.provider.as_str())
        .collect();
    assert!(!providers.is_empty() && providers.iter().all(|name| *name == "openai"));
    let text = explain(&decision);
    assert!(text.contains("kept by `openai`"), "{text}");
    // It has none: the model that is asked for goes on there, and the rule says why.
    let decision = decided(
        &state,
        &continuing(Some("mine"), "gpt-6.1-sol"),
        &keepers("mine"),
    );
    assert_eq!(decision.attempts[0].target.to_string(), "mine/gpt-6.1-sol");
    assert!(
        decision.rule.contains("has no target at `mine`"),
        "{}",
        decision.rule
    );
    // Nobody knows who keeps it: whoever speaks the protocol, and nobody by translation.
    let decision = decided(&state, &continuing(None, "gpt-6.1-sol"), &keepers("mine"));
    let mut targets = decision.attempts.iter().map(|planned| &planned.target);
    assert!(targets.all(|target| target.provider != "anthropic"));
    // An alias is no model, so there is nothing to go on with.
    let world = keepers("mine");
    let facts = continuing(Some("mine"), "wayproof/auto");
    let next = decide(
        &Policy::builtin(),
        &state,
        &facts,
        &world,
        Catalog::embedded(),
    );
    let Next::Refused(refusal) = next else {
        panic!("{next:?}");
    };
    assert_eq!(refusal.kind, FaultKind::BadRequest);
    assert!(
        refusal.message.contains("`mine/MODEL`"),
        "{}",
        refusal.message
    );
    // A keeper that is gone is nobody's.
    let decision = decided(
        &state,
        &continuing(Some("gone"), "gpt-6.1-sol"),
        &keepers("mine"),
    );
    assert_eq!(decision.routing, Routing::PassedThrough);
}

#[test]
fn a_target_that_is_not_made_for_a_request_is_passed_over() {
    let parsed = Policy::parse(
        "version = 1\n[class.fast]\ntargets = [\"deepseek/deepseek-v4-pro\", \"deepseek/deepseek-reasoner\", \"openai/gpt-6.1-sol\"]\n",
        "wayproof.toml",
    )
    .unwrap();
    let policy = parsed.policy;
    let world = World {
        providers: vec![
            provider("deepseek", Protocols::of(&[Protocol::Messages])),
            provider("openai", Protocols::of(&[Protocol::Messages])),
        ],
    };
    let ask = |needs: Needs<'static>, world: &World| {
        let facts = Facts {
            requested_model: "wayproof/class:fast",
            needs,
            ..facts()
        };
        match decide(
            &policy,
            &SessionState::new("s"),
            &facts,
            world,
            Catalog::embedded(),
        ) {
            Next::Decided(decision) => decision,
            next @ (Next::Refused(_) | Next::Ask(_)) => panic!("{next:?}"),
        }
    };
    let names = |decision: &Decision| -> Vec<String> {
        let attempts = decision.attempts.iter();
        attempts.map(|planned| planned.target.to_string()).collect()
    };
    assert_eq!(names(&ask(Needs::default(), &world)).len(), 3);
    let tools = Needs {
        tools: true,
        ..Needs::default()
    };
    assert_eq!(
        names(&ask(tools, &world)),
        ["deepseek/deepseek-v4-pro", "openai/gpt-6.1-sol"]
    );
    let images = Needs {
        images: true,
        ..Needs::default()
    };
    let decision = ask(images, &world);
    assert!(!names(&decision).contains(&"deepseek/deepseek-v4-pro".to_owned()));
    assert!(
        explain(&decision).contains("it sees no images"),
        "{}",
        explain(&decision)
    );
}
