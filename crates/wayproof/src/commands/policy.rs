//! Works with the policy file: writes it, checks it, shows it, tests it, explains it.

use std::{collections::BTreeSet, fs, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_engine::{
    Catalog, Facts, Needs, Next, Observation, Policy, ProviderState, Reason, SessionState, World,
    decide, explain, observe, put_question, reasons, schema,
};
use wayproof_wire::{Protocol, Protocols};

use super::backtest;
use crate::{
    cli::{PolicyCommand, PolicyFile, PolicyShown, ProviderArgs},
    exit::{self, Mistake},
    settings,
    terminal::{plain, print, print_json_pretty, tell},
};

/// Runs a command on the policy.
pub(crate) fn run(command: PolicyCommand) -> Result<ExitCode> {
    match command {
        PolicyCommand::Init { file } => init(&file),
        PolicyCommand::Check(args) => check(&args),
        PolicyCommand::Show(args) => show(&args),
        PolicyCommand::Test(args) => test(&args),
        PolicyCommand::Explain {
            ask,
            paths,
            branch,
            policy,
            providers,
        } => {
            let asked = Asked {
                ask: &ask,
                paths: &paths,
                branch: branch.as_deref(),
                told: if policy.json { Told::Json } else { Told::Text },
            };
            explain_ask(&load(&policy.place)?, &asked, &providers)
        }
        PolicyCommand::Backtest(args) => backtest::run(&args),
        // They wait for the ledger and are run with a runtime.
        PolicyCommand::Replay(_) | PolicyCommand::Advise(_) => Ok(ExitCode::FAILURE),
        PolicyCommand::Schema => {
            print(&schema())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What somebody wants explained.
struct Asked<'a> {
    ask: &'a str,
    paths: &'a [String],
    branch: Option<&'a str>,
    told: Told,
}

/// For whom something is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Text,
    Json,
}

fn load(place: &PolicyFile) -> Result<Policy> {
    settings::policy(place.policy.as_deref())
}

fn init(file: &Path) -> Result<ExitCode> {
    if file.exists() {
        return Err(Mistake(format!(
            "{} is there already; `wayproof policy check` reads it",
            file.display()
        ))
        .into());
    }
    fs::write(file, Policy::builtin_text())
        .with_context(|| format!("writing {}", file.display()))?;
    tell(&format!(
        "wrote {}: the built-in matrix, ready to be changed",
        file.display()
    ));
    Ok(ExitCode::SUCCESS)
}

fn show(args: &PolicyShown) -> Result<ExitCode> {
    let policy = load(&args.place)?;
    if args.json {
        let resolved: Value = toml::from_str(policy.resolved()).context("reading the policy")?;
        print_json_pretty(&resolved)?;
    } else {
        print(policy.resolved().trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(args: &PolicyShown) -> Result<ExitCode> {
    let Some(file) = settings::policy_file(args.place.policy.as_deref())? else {
        if args.json {
            let tasks = Policy::builtin().tasks().len();
            print_json_pretty(&json!({"file": null, "tasks": tasks, "warnings": []}))?;
        } else {
            print("no wayproof.toml: the built-in matrix holds")?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let parsed = settings::read_policy(&file)?;
    if args.json {
        let warnings = parsed.warnings.iter().map(|warning| {
            let problem = &warning.problem;
            let at = [problem.span.start, problem.span.end];
            json!({"message": problem.message, "help": problem.help, "bytes": at})
        });
        print_json_pretty(&json!({
            "file": file, "tasks": parsed.policy.tasks().len(), "warnings": warnings.collect::<Vec<_>>(),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for warning in &parsed.warnings {
        tell(&warning.rendered);
    }
    let tasks = parsed.policy.tasks().len();
    print(&format!(
        "{}: {tasks} tasks, {} warning(s)",
        file.display(),
        parsed.warnings.len()
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn test(args: &PolicyShown) -> Result<ExitCode> {
    let policy = load(&args.place)?;
    let failed = policy.run_tests();
    let passed = policy.tests.len().saturating_sub(failed.len());
    if args.json {
        let failures = failed.iter().map(|failure| {
            json!({
                "ask": failure.test.ask, "expected_task": failure.test.task, "expected_class": failure.test.class,
                "task": failure.task, "class": failure.class, "rule": failure.rule,
            })
        });
        let failures: Vec<Value> = failures.collect();
        print_json_pretty(&json!({"passed": passed, "failed": failures}))?;
    } else {
        for failure in &failed {
            tell(&failure.to_string());
        }
        print(&format!("{passed} passed, {} failed", failed.len()))?;
    }
    Ok(if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::FAILED)
    })
}

/// The same functions as in the gateway, on an ask without a request.
fn explain_ask(policy: &Policy, asked: &Asked<'_>, providers: &ProviderArgs) -> Result<ExitCode> {
    let (world, assumption) = world(policy, providers)?;
    let facts = Facts {
        protocol: Protocol::Messages,
        requested_model: "wayproof/auto",
        explicit_task: None,
        housekeeping: None,
        is_subagent: false,
        paths: asked.paths,
        branch: asked.branch,
        body_bytes: 0,
        new_job_id: "explained",
        at_us: wayproof_ledger::Clock::system().now_us(),
        needs: Needs::default(),
    };
    let mut state = SessionState::new("explained");
    observe(
        policy,
        &mut state,
        &facts,
        &Observation {
            ask: Some(asked.ask),
            ..Observation::default()
        },
    );
    let decided = |state: &SessionState| decide(policy, state, &facts, &world, Catalog::embedded());
    let mut next = decided(&state);
    let mut asks = None;
    if let Next::Ask(question) = next {
        put_question(&mut state);
        next = decided(&state);
        asks = Some(question.class);
    }
    match next {
        Next::Decided(decision) if asked.told == Told::Json => {
            print_json_pretty(&json!({
                "decision": decision, "asks_class_first": asks, "words": words(asked), "assumed": assumption,
            }))?;
            Ok(ExitCode::SUCCESS)
        }
        Next::Decided(decision) => {
            print(&explain(&decision))?;
            if let Some(class) = asks {
                print(&format!(
                    "judge   a model of `{class}` is asked first; this holds if it does not say"
                ))?;
            }
            if let Some(line) = because(asked) {
                print(&line)?;
            }
            if let Some(assumption) = assumption {
                tell(assumption);
            }
            Ok(ExitCode::SUCCESS)
        }
        Next::Refused(refusal) => Err(Mistake(refusal.message).into()),
        // A question is put once.
        Next::Ask(question) => Err(Mistake(format!("no answer from `{}`", question.class)).into()),
    }
}

/// The words that speak most for the task the classifier finds, with how much.
fn words(asked: &Asked<'_>) -> Vec<Value> {
    let found = reasons_of(asked).into_iter();
    found
        .map(|reason| json!({"text": reason.text, "weight": reason.weight}))
        .collect()
}

fn reasons_of(asked: &Asked<'_>) -> Vec<Reason> {
    let about = wayproof_engine::Asked {
        paths: asked.paths,
        branch: asked.branch,
        explicit: None,
    };
    reasons(asked.ask, &about)
}

/// The same in a line.
fn because(asked: &Asked<'_>) -> Option<String> {
    let told: Vec<String> = reasons_of(asked)
        .into_iter()
        .map(|reason| format!("{} {:+}", plain(&reason.text), reason.weight))
        .collect();
    (!told.is_empty()).then(|| format!("words   {}", told.join(", ")))
}

/// The providers that are given, else every provider that the policy names.
fn world(policy: &Policy, providers: &ProviderArgs) -> Result<(World, Option<&'static str>)> {
    let state = |name: String, protocols, takes_own_key| ProviderState {
        name,
        protocols,
        is_healthy: true,
        takes_own_key,
        models: None,
        is_guess: false,
    };
    if providers.providers.is_empty() {
        let targets = policy.classes().iter().flat_map(|class| &class.targets);
        let names: BTreeSet<String> = targets.map(|target| target.provider.clone()).collect();
        let providers = names
            .into_iter()
            .map(|name| state(name, Protocols::ALL, false))
            .collect();
        return Ok((
            World { providers },
            Some("assumed: every provider that the policy names is set up"),
        ));
    }
    let mut states = Vec::new();
    for spec in &providers.providers {
        let provider = settings::parse_provider(spec)?;
        let takes_own_key = wayproof_gateway::takes_own_key(&provider);
        states.push(state(provider.name, provider.protocols, takes_own_key));
    }
    Ok((World { providers: states }, None))
}
