//! Leaving a warm conversation: what it costs, when it is done all the same, and when work stays where it is.

use wayproof_engine::{
    Catalog, Cause, Decision, Facts, LastAnswer, Needs, Next, Observation, Policy, ProviderState,
    RecordedExchange, RecordedJob, Replayed, SessionState, World, decide, explain, observe, replay,
    report_cause,
};
use wayproof_wire::{Housekeeping, Protocol, Protocols};

const NOW_US: i64 = 1_795_305_600_000_000;
const MINUTE_US: i64 = 60_000_000;
const STRONG: &str = "anthropic/claude-opus-5-5";
const FAST: &str = "anthropic/claude-sonnet-5-5";

/// The lower class is dear enough that reading a conversation anew costs more there than going on in the higher one.
fn policy(more: &str) -> Policy {
    let text = format!("version = 1\n{more}\n[class.fast]\ntargets = [\"{FAST}\"]\n");
    Policy::parse(&text, "wayproof.toml").unwrap().policy
}

fn free() -> Policy {
    policy("")
}

fn capped(most: &str) -> Policy {
    policy(&format!("[switching]\nper_session = \"{most}\""))
}

/// A session with a policy, in which every request is answered by what was planned first.
struct Play {
    policy: Policy,
    world: World,
    state: SessionState,
    at_us: i64,
    jobs: usize,
}

impl Play {
    fn new(policy: Policy) -> Self {
        let provider = |name: &str| ProviderState {
            name: name.to_owned(),
            protocols: Protocols::ALL,
            is_healthy: true,
            takes_own_key: false,
            models: None,
            is_guess: false,
        };
        Self {
            policy,
            world: World {
                providers: vec![provider("anthropic"), provider("openai")],
            },
            state: SessionState::new("s"),
            at_us: NOW_US,
            jobs: 0,
        }
    }

    fn facts<'a>(&self, id: &'a str) -> Facts<'a> {
        Facts {
            protocol: Protocol::Messages,
            requested_model: "wayproof/auto",
            explicit_task: None,
            housekeeping: None,
            is_subagent: false,
            paths: &[],
            branch: None,
            body_bytes: 40_000,
            new_job_id: id,
            at_us: self.at_us,
            needs: Needs::default(),
        }
    }

    fn ask(&mut self, ask: &str) -> Decision {
        self.jobs += 1;
        let id = format!("job-{}", self.jobs);
        let observation = Observation {
            ask: Some(ask),
            ..Observation::default()
        };
        let facts = self.facts(&id);
        observe(&self.policy, &mut self.state, &facts, &observation);
        self.next()
    }

    fn decided(&self, facts: &Facts<'_>) -> Decision {
        let decided = decide(
            &self.policy,
            &self.state,
            facts,
            &self.world,
            Catalog::embedded(),
        );
        match decided {
            Next::Decided(decision) => decision,
            next @ (Next::Refused(_) | Next::Ask(_)) => panic!("{next:?}"),
        }
    }

    fn next(&mut self) -> Decision {
        let decision = self.decided(&self.facts("job-x"));
        let first = &decision.attempts[0];
        let answer = LastAnswer {
            target: first.target.clone(),
            prefix_tokens: 100_000,
            class: decision.class.clone(),
            at_us: self.at_us,
            switch_nano_usd: first.switch_nano_usd,
        };
        let job = self.state.job.as_ref().unwrap().id.clone();
        self.state.settle(&job, Some(1), Some(answer));
        decision
    }
}

fn target(decision: &Decision) -> String {
    let target = &decision.attempts[0].target;
    format!("{}/{}", target.provider, target.model)
}

#[test]
fn without_a_cap_the_next_job_goes_where_its_task_goes() {
    let mut play = Play::new(free());
    assert_eq!(
        target(&play.ask("the parser crashes on an empty file")),
        STRONG
    );
    let decision = play.ask("rename the variable count to total");
    assert_eq!(target(&decision), FAST);
    let cost = decision.attempts[0].switch_nano_usd;
    assert!(cost.is_some_and(|cost| cost > 0), "{cost:?}");
    assert_eq!(play.state.switched_nano_usd, cost.unwrap());
    assert_eq!(decision.warm.unwrap().target.to_string(), STRONG);
}

#[test]
fn work_stays_where_it_is_warm_once_the_session_has_paid_enough() {
    let mut play = Play::new(capped("0 USD"));
    play.ask("the parser crashes on an empty file");
    let decision = play.ask("rename the variable count to total");
    assert_eq!(target(&decision), STRONG);
    assert_eq!(decision.task.as_str(), "small-edit");
    assert_eq!(decision.class.as_ref().unwrap().as_str(), "strong");
    assert_eq!(decision.attempts[0].switch_nano_usd, None);
    assert!(
        decision
            .rule
            .contains("it stays with `anthropic/claude-opus-5-5"),
        "{}",
        decision.rule
    );
    assert!(
        decision
            .rule
            .contains("of $0 for that this session has $0 left")
    );
    assert!(explain(&decision).lines().count() <= 10);
    assert_eq!(play.state.switched_nano_usd, 0);
    // What is asked for by name, and a helper's own conversation, go where they are meant to go.
    let facts = Facts {
        requested_model: "wayproof/class:fast",
        ..play.facts("job-x")
    };
    assert_eq!(target(&play.decided(&facts)), FAST);
    let facts = Facts {
        is_subagent: true,
        ..play.facts("job-x")
    };
    let decision = play.decided(&facts);
    assert_eq!(target(&decision), FAST);
    assert_eq!(decision.attempts[0].switch_nano_usd, None);
    let facts = Facts {
        housekeeping: Some(Housekeeping::Title),
        ..play.facts("job-x")
    };
    let decision = play.decided(&facts);
    assert_eq!(decision.task.as_str(), "housekeeping");
    assert_eq!(target(&decision), FAST);
    assert_eq!(decision.warm, None);
    // Ten minutes later nothing is warm, and the job goes where its task goes.
    play.at_us += 10 * MINUTE_US;
    assert_eq!(target(&play.next()), FAST);
}

#[test]
fn a_cap_is_for_the_whole_session() {
    let mut once = Play::new(free());
    once.ask("the parser crashes on an empty file");
    let once = once.ask("rename the variable count to total").attempts[0]
        .switch_nano_usd
        .unwrap();
    // Enough for one such move, not for two; the way up in between is made and counts.
    let mut play = Play::new(capped(&format!("0.{once:09} USD")));
    play.ask("the parser crashes on an empty file");
    assert_eq!(
        target(&play.ask("rename the variable count to total")),
        FAST
    );
    let up = play.ask("the lexer crashes on an empty file");
    assert_eq!(target(&up), STRONG);
    assert!(up.attempts[0].switch_nano_usd.is_some_and(|cost| cost > 0));
    assert_eq!(
        target(&play.ask("rename the variable total to sum")),
        STRONG
    );
}

#[test]
fn moves_up_and_away_from_faults_are_made_whatever_they_cost() {
    let mut play = Play::new(capped("0 USD"));
    play.ask("rename the variable count to total");
    report_cause(
        &play.policy,
        &mut play.state,
        Cause::ProofRefuted,
        "refuted",
    );
    let up = play.next();
    assert_eq!(up.class.as_ref().unwrap().as_str(), "strong");
    assert_eq!(target(&up), STRONG);
    let paid = play.state.switched_nano_usd;
    assert!(paid > 0);
    play.world.providers[0].is_healthy = false;
    let sideways = play.next();
    assert!(
        target(&sideways).starts_with("openai/"),
        "{}",
        target(&sideways)
    );
    assert!(play.state.switched_nano_usd >= paid);
    // Where it is warm now it stays, though the first choice is well again.
    play.world.providers[0].is_healthy = true;
    assert_eq!(target(&play.next()), target(&sideways));
}

#[test]
fn replay_knows_where_it_was_warm() {
    let mut play = Play::new(capped("0 USD"));
    play.ask("the parser crashes on an empty file");
    let decision = play.ask("rename the variable count to total");
    let heard = wayproof_engine::hear(
        "rename the variable count to total",
        &wayproof_engine::Asked::default(),
    );
    let job = RecordedJob {
        id: "job-2".to_owned(),
        task: decision.task.clone(),
        heard: Some(heard),
        exchanges: vec![RecordedExchange {
            protocol: Protocol::Messages,
            requested_model: "wayproof/auto".to_owned(),
            request_bytes: 40_000,
            at_us: NOW_US,
            decision,
            cost_nano_usd: Some(1),
        }],
        outcome: wayproof_engine::Outcome::Passed,
        is_contradicted: false,
    };
    let again = |policy: &Policy| replay(policy, &job, &play.world, Catalog::embedded());
    assert_eq!(again(&play.policy), Replayed::Same);
    let Replayed::Changed(changed) = again(&free()) else {
        panic!("without the cap it goes elsewhere");
    };
    assert!(changed.to.unwrap().to_string().starts_with(FAST));
}

#[test]
fn a_cap_is_an_amount_of_money() {
    for (written, told) in [
        ("\"a lot\"", "`a lot` is not an amount of money"),
        ("\"-1 USD\"", "`-1 USD` is not an amount of money"),
        ("3", "per_session"),
    ] {
        let text = format!("version = 1\n[switching]\nper_session = {written}\n");
        let error = Policy::parse(&text, "wayproof.toml")
            .unwrap_err()
            .to_string();
        assert!(error.contains(told), "{error}");
    }
    let error = Policy::parse(
        "version = 1\n[switching]\nper_job = \"1 USD\"\n",
        "wayproof.toml",
    );
    assert!(error.unwrap_err().to_string().contains("per_session"));
    let cap = capped("0.50 USD");
    assert_eq!(cap.switching_per_session_nano_usd, Some(500_000_000));
    assert!(cap.resolved().contains("per_session = \"0.50 USD\""));
}
