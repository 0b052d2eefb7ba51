//! Properties that hold for every sequence of requests: nothing flaps, nothing repeats, nothing grows without end.

use proptest::{prelude::*, sample::select};
use wayproof_engine::{
    AnswerSign, Catalog, Cause, Evidence, EvidenceKind, Facts, Failure, Grade, LastAnswer, Needs,
    Next, Noted, Observation, Outcome, Policy, ProviderState, Routing, SessionState, World, decide,
    observe, observe_answer, report_cause,
};
use wayproof_wire::{Exit, Housekeeping, Protocol, Protocols, ToolKind, ToolOutcome};

/// One request, or something that happens between two.
#[derive(Debug, Clone)]
enum Step {
    Ask(&'static str),
    Tool(ToolKind, &'static str, i32, &'static str),
    Proof(Grade, bool),
    Housekeeping,
    Subagent(&'static str),
    Overflow(u64),
    Report(Cause),
    Health(bool),
}

const RED: &str = "running 1 test\ntest a::b ... FAILED\n\nfailures:\n\n---- a::b stdout ----\nthread 'a::b' panicked at \
src/x/a.rs:1:1:\nboom\n\nfailures:\n    a::b\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 \
filtered out; finished in 0.00s\n";

fn step() -> impl Strategy<Value = Step> {
    let ask = select(vec![
        "fix the crash in the parser",
        "rename a to b",
        "go on",
        "no, that's wrong",
        "write unit tests",
        "do a security review of the OAuth code",
        "",
        "\u{1f980} \u{0}",
        "Wayproof: still refuted",
    ]);
    let grade = select(vec![
        Grade::Narrated,
        Grade::Observed,
        Grade::Executed,
        Grade::Attested,
    ]);
    prop_oneof![
        3 => ask.clone().prop_map(Step::Ask),
        3 => select(vec!["src/a.rs", "src/auth/b.rs", "lib/c.py"])
            .prop_map(|path| Step::Tool(ToolKind::Edit, path, 0, "ok")),
        3 => Just(Step::Tool(ToolKind::Shell, "cargo test", 101, RED)),
        1 => Just(Step::Tool(ToolKind::Shell, "ls", 0, "a\nb\n")),
        2 => (grade, any::<bool>()).prop_map(|(grade, passed)| Step::Proof(grade, passed)),
        1 => Just(Step::Housekeeping),
        1 => ask.prop_map(Step::Subagent),
        1 => (0..2_000_000_u64).prop_map(Step::Overflow),
        1 => select(Cause::ALL.to_vec()).prop_map(Step::Report),
        1 => any::<bool>().prop_map(Step::Health),
    ]
}

struct Play {
    policy: Policy,
    world: World,
    state: SessionState,
    step: usize,
}

impl Play {
    fn new() -> Self {
        let provider = |name: &str| ProviderState {
            name: name.to_owned(),
            protocols: Protocols::ALL,
            is_healthy: true,
            takes_own_key: false,
            models: None,
            is_guess: false,
        };
        Self {
            policy: Policy::builtin(),
            world: World {
                providers: vec![provider("anthropic"), provider("openai")],
            },
            state: SessionState::new("s"),
            step: 0,
        }
    }

    /// Plays a step; `again` sends the same request a second time.
    fn play(&mut self, step: &Step, again: bool) -> Vec<Noted> {
        if !again {
            self.step += 1;
        }
        let id = format!("job-{}", self.step);
        let mut facts = facts(&id);
        let mut outcomes = Vec::new();
        let mut executed = Vec::new();
        let mut ask = None;
        match step {
            Step::Ask(text) => ask = Some(*text),
            Step::Subagent(text) => {
                ask = Some(*text);
                facts.is_subagent = true;
            }
            Step::Housekeeping => {
                ask = Some("Name this session");
                facts.housekeeping = Some(Housekeeping::Title);
            }
            Step::Tool(kind, subject, code, text) => {
                outcomes.push(tool(
                    &format!("call-{}", self.step),
                    *kind,
                    subject,
                    *code,
                    text,
                ));
            }
            Step::Proof(grade, passed) => executed.push(proof(*grade, *passed)),
            Step::Overflow(window_tokens) => {
                let target = "anthropic/claude-opus-5-5".parse().unwrap();
                let sign = AnswerSign::ContextOverflow {
                    target,
                    window_tokens: *window_tokens,
                };
                return observe_answer(&self.policy, &mut self.state, &sign);
            }
            Step::Report(cause) => {
                return report_cause(&self.policy, &mut self.state, *cause, "somebody says so");
            }
            Step::Health(is_healthy) => {
                self.world.providers[0].is_healthy = *is_healthy;
                return Vec::new();
            }
        }
        let observation = Observation {
            ask,
            outcomes: &outcomes,
            executed: &executed,
            thrift: None,
        };
        observe(&self.policy, &mut self.state, &facts, &observation)
    }

    fn decide(&self) -> Next {
        decide(
            &self.policy,
            &self.state,
            &facts("job-x"),
            &self.world,
            Catalog::embedded(),
        )
    }

    fn rank(&self) -> Option<usize> {
        self.state
            .job
            .as_ref()
            .and_then(|job| self.policy.rank(&job.class))
    }

    fn job(&self) -> Option<String> {
        self.state.job.as_ref().map(|job| job.id.clone())
    }
}

fn facts(id: &str) -> Facts<'_> {
    Facts {
        protocol: Protocol::Messages,
        requested_model: "claude-opus-5-5",
        explicit_task: None,
        housekeeping: None,
        is_subagent: false,
        paths: &[],
        branch: None,
        body_bytes: 1_000,
        new_job_id: id,
        at_us: 0,
        needs: Needs::default(),
    }
}

fn tool(id: &str, kind: ToolKind, subject: &str, code: i32, text: &str) -> ToolOutcome {
    let is_edit = kind == ToolKind::Edit;
    ToolOutcome {
        call_id: id.to_owned(),
        tool: "tool".to_owned(),
        kind,
        command: (!is_edit).then(|| subject.to_owned()),
        paths: is_edit.then(|| subject.to_owned()).into_iter().collect(),
        exit: Exit::Code(code),
        text: text.to_owned(),
    }
}

fn proof(grade: Grade, passed: bool) -> Evidence {
    let failure = Failure {
        name: "a::b".to_owned(),
        location: None,
        message: "boom".to_owned(),
    };
    Evidence {
        kind: EvidenceKind::Proof,
        tool: "wayproof".to_owned(),
        grade,
        outcome: if passed {
            Outcome::Passed
        } else {
            Outcome::Failed
        },
        counts: None,
        failures: if passed { Vec::new() } else { vec![failure] },
        diagnostics: Vec::new(),
    }
}

proptest! {
    #[test]
    fn a_class_only_goes_up_within_a_job(steps in prop::collection::vec(step(), 1..60)) {
        let mut play = Play::new();
        for step in &steps {
            let (rank, job) = (play.rank(), play.job());
            let noted = play.play(step, false);
            let opened = noted.iter().any(|one| matches!(one, Noted::JobOpened { .. }));
            prop_assert_eq!(opened, play.job() != job);
            if !opened {
                prop_assert!(play.rank() >= rank);
            }
            for one in &noted {
                if let Noted::Escalated { from, to, .. } = one {
                    prop_assert!(play.policy.rank(to) > play.policy.rank(from));
                }
            }
        }
    }

    #[test]
    fn a_request_sent_twice_counts_once(steps in prop::collection::vec(step(), 1..40)) {
        let mut play = Play::new();
        for step in &steps {
            play.play(step, false);
            if matches!(step, Step::Ask(_) | Step::Tool(..) | Step::Housekeeping) {
                let before = play.state.clone();
                prop_assert_eq!(play.play(step, true), vec![]);
                prop_assert_eq!(&play.state, &before);
            }
        }
    }

    #[test]
    fn what_is_narrated_or_passes_moves_nothing(steps in prop::collection::vec(step(), 1..40)) {
        let mut play = Play::new();
        for step in &steps {
            let before = play.rank();
            play.play(step, false);
            let is_inert = match step {
                Step::Proof(grade, passed) => *passed || *grade < Grade::Executed,
                Step::Housekeeping | Step::Health(_) => true,
                Step::Ask(_) | Step::Tool(..) | Step::Subagent(_) | Step::Overflow(_) | Step::Report(_) => false,
            };
            if is_inert {
                prop_assert_eq!(play.rank(), before);
            }
        }
    }

    #[test]
    fn equal_inputs_decide_equal_bytes(steps in prop::collection::vec(step(), 0..40)) {
        let mut play = Play::new();
        for step in &steps {
            play.play(step, false);
        }
        // The state goes through storage on the way to another replica.
        let stored = serde_json::to_string(&play.state).unwrap();
        let first = play.decide();
        play.state = serde_json::from_str(&stored).unwrap();
        let second = play.decide();
        prop_assert_eq!(&first, &second);
        if let (Next::Decided(first), Next::Decided(second)) = (first, second) {
            prop_assert!(!first.attempts.is_empty());
            prop_assert_eq!(serde_json::to_vec(&first).unwrap(), serde_json::to_vec(&second).unwrap());
        }
    }

    /// With a cap, moves that are a matter of choice never cost more than it, and nothing runs below its class.
    #[test]
    fn choice_never_pays_more_than_the_cap(
        steps in prop::collection::vec(step(), 1..60),
        cents in 0..200_u32,
    ) {
        let mut play = Play::new();
        let text = format!("version = 1\n[switching]\nper_session = \"{}.{:02} USD\"\n", cents / 100, cents % 100);
        play.policy = Policy::parse(&text, "wayproof.toml").unwrap().policy;
        for step in &steps {
            play.play(step, false);
            let Next::Decided(decision) = play.decide() else { continue };
            let first = &decision.attempts[0];
            let is_routed = decision.routing == Routing::Routed;
            if is_routed && let (Some(class), Some(rank)) = (&decision.class, play.rank()) {
                prop_assert!(play.policy.rank(class) >= Some(rank));
            }
            let warm = play.state.last.as_ref();
            let has_room = play.state.job.as_ref().is_some_and(|job| job.needs_window_over == 0);
            let was_able = has_room && warm.is_some_and(|warm| {
                decision.rejected.iter().all(|passed| passed.target != warm.target.to_string())
                    && warm.class.as_ref().is_some_and(|at| play.policy.rank(at) >= play.rank())
            });
            let paid = play.state.switched_nano_usd.saturating_add(first.switch_nano_usd.unwrap_or(0));
            if is_routed && was_able && play.world.providers[0].is_healthy && first.switch_nano_usd > Some(0) {
                prop_assert!(paid <= i64::from(cents) * 10_000_000, "{decision:?}");
            }
            let answer = LastAnswer {
                target: first.target.clone(),
                prefix_tokens: 50_000,
                class: decision.class.clone(),
                at_us: 0,
                switch_nano_usd: first.switch_nano_usd,
            };
            if let Some(job) = play.job() {
                play.state.settle(&job, Some(1), Some(answer));
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        match Policy::parse(&text, "wayproof.toml") {
            Ok(parsed) => prop_assert!(!parsed.policy.tasks().is_empty()),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn memory_is_bounded() {
    let mut play = Play::new();
    play.play(&Step::Ask("fix the crash in the parser"), false);
    let mut sizes = Vec::new();
    for round in 0..600 {
        let text = format!("{RED}\nround {round}");
        let outcomes = [
            tool(
                &format!("e{round}"),
                ToolKind::Edit,
                &format!("src/file{round}.rs"),
                0,
                "ok",
            ),
            tool(
                &format!("s{round}"),
                ToolKind::Shell,
                "cargo test",
                101,
                &text,
            ),
        ];
        let observation = Observation {
            outcomes: &outcomes,
            ..Observation::default()
        };
        observe(&play.policy, &mut play.state, &facts("job-x"), &observation);
        if round % 200 == 199 {
            sizes.push(serde_json::to_vec(&play.state).unwrap().len());
        }
    }
    assert!(sizes.iter().all(|size| *size < 32 << 10), "{sizes:?}");
    assert!(sizes[2] < sizes[0] + 1_024, "{sizes:?}");
}
