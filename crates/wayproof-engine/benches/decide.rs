//! How long a decision takes: the first request of a job, which classifies the ask, and a turn that goes on with it.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use wayproof_engine::{
    Catalog, Facts, Needs, Observation, Policy, ProviderState, SessionState, World, decide, observe,
};
use wayproof_wire::{Exit, Protocol, Protocols, ToolKind, ToolOutcome};

const ASK: &str = "The login page returns 500 when the token expired. Steps to reproduce: sign in, wait an hour, reload. \
Expected: the sign-in form. Actual: a stack trace from src/auth/session.rs. Please fix it and keep the tests green.";

fn facts() -> Facts<'static> {
    Facts {
        protocol: Protocol::Messages,
        requested_model: "claude-opus-5-5",
        explicit_task: None,
        housekeeping: None,
        is_subagent: false,
        paths: &[],
        branch: Some("main"),
        body_bytes: 143_000,
        new_job_id: "job",
        at_us: 1_795_305_600_000_000,
        needs: Needs::default(),
    }
}

fn world() -> World {
    let provider = |name: &str, protocol| ProviderState {
        name: name.to_owned(),
        protocols: Protocols::of(&[protocol]),
        is_healthy: true,
        takes_own_key: false,
        models: None,
        is_guess: false,
    };
    World {
        providers: vec![
            provider("anthropic", Protocol::Messages),
            provider("openai", Protocol::Chat),
        ],
    }
}

fn outcome(id: String, text: &str) -> ToolOutcome {
    ToolOutcome {
        call_id: id,
        tool: "Read".to_owned(),
        kind: ToolKind::Read,
        command: None,
        paths: vec!["src/lib.rs".to_owned()],
        exit: Exit::Succeeded,
        text: text.to_owned(),
    }
}

fn deciding(c: &mut Criterion) {
    let (policy, world, catalog) = (Policy::builtin(), world(), Catalog::embedded());
    let long = format!(
        "{ASK}\n{}",
        "The log says nothing else of interest here. ".repeat(60)
    );
    for (name, ask) in [("short ask", ASK), ("3 KB ask", long.as_str())] {
        c.bench_function(&format!("first request, {name}"), |b| {
            b.iter(|| {
                let mut state = SessionState::new("s");
                let observation = Observation {
                    ask: Some(black_box(ask)),
                    ..Observation::default()
                };
                observe(&policy, &mut state, &facts(), &observation);
                black_box(decide(&policy, &state, &facts(), &world, catalog))
            });
        });
    }
    let file = "fn main() { println!(\"hello\"); }\n".repeat(100);
    let shell = "running 12 tests\n............\ntest result: ok. 12 passed; 0 failed; 0 ignored\n"
        .to_owned();
    for (name, kind, text) in [
        ("a file read", ToolKind::Read, file),
        ("a test run", ToolKind::Shell, shell),
    ] {
        c.bench_function(&format!("next turn, {name}"), |b| {
            let mut state = SessionState::new("s");
            let observation = Observation {
                ask: Some(ASK),
                ..Observation::default()
            };
            observe(&policy, &mut state, &facts(), &observation);
            let mut turn = 0_u64;
            b.iter(|| {
                turn += 1;
                let outcomes = [ToolOutcome {
                    kind,
                    ..outcome(format!("toolu_{turn}"), &text)
                }];
                let observation = Observation {
                    outcomes: &outcomes,
                    ..Observation::default()
                };
                observe(&policy, &mut state, &facts(), &observation);
                black_box(decide(&policy, &state, &facts(), &world, catalog))
            });
        });
    }
}

criterion_group!(benches, deciding);
criterion_main!(benches);
