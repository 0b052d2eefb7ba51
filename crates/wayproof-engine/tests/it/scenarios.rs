//! Plays the scripts of `tests/scenarios` through the engine and compares what comes out: the executable
//! specification of escalation. A script is a list of requests; what each changes and decides is the snapshot.

use std::{fmt::Write, fs, path::Path};

use wayproof_engine::{
    AnswerSign, Catalog, Evidence, EvidenceKind, Facts, Failure, Grade, LastAnswer, Needs, Next,
    Noted, Observation, Outcome, Policy, ProviderState, SessionState, Target, TaskName, World,
    decide, explain, observe, observe_answer,
};
use wayproof_wire::{Exit, Housekeeping, Protocol, Protocols, ToolKind, ToolOutcome};

/// When every request comes.
const AT_US: i64 = 1_795_305_600_000_000;

#[test]
fn scripts_play_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut scripts: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../scenarios/played");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in scripts {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let script = fs::read_to_string(&path).unwrap();
            insta::assert_snapshot!(name, Player::default().play(&script));
        }
    });
}

/// A request in the making, and the world it meets.
struct Player {
    policy: Policy,
    world: World,
    state: SessionState,
    model: String,
    explicit: Option<TaskName>,
    branch: Option<String>,
    bound: Option<String>,
    housekeeping: Option<Housekeeping>,
    is_subagent: bool,
    body_bytes: u64,
    requests: u32,
    calls: u32,
    last: (Option<String>, Vec<ToolOutcome>, Vec<Evidence>),
    out: String,
}

impl Default for Player {
    fn default() -> Self {
        let provider = |name: &str, protocols| ProviderState {
            name: name.to_owned(),
            protocols,
            is_healthy: true,
            takes_own_key: false,
            models: None,
            is_guess: false,
        };
        Self {
            policy: Policy::builtin(),
            world: World {
                providers: vec![
                    provider("anthropic", Protocols::of(&[Protocol::Messages])),
                    provider("openai", Protocols::of(&[Protocol::Chat])),
                ],
            },
            state: SessionState::new("s"),
            model: "claude-opus-5-5".to_owned(),
            explicit: None,
            branch: None,
            bound: None,
            housekeeping: None,
            is_subagent: false,
            body_bytes: 40_000,
            requests: 0,
            calls: 0,
            last: (None, Vec::new(), Vec::new()),
            out: String::new(),
        }
    }
}

impl Player {
    fn play(mut self, script: &str) -> String {
        let mut lines = script.lines();
        while let Some(line) = lines.next() {
            let mut block = String::new();
            let line = match line.strip_suffix(" <<") {
                Some(head) => {
                    for inner in lines.by_ref().take_while(|inner| *inner != ">>") {
                        block.push_str(inner);
                        block.push('\n');
                    }
                    head
                }
                None => line,
            };
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
            writeln!(self.out, "{line}").unwrap();
            self.step(verb, rest, block);
        }
        self.out
    }

    /// What surrounds a request, or the request itself.
    fn step(&mut self, verb: &str, rest: &str, block: String) {
        match verb {
            "policy" => {
                let parsed = Policy::parse(&block, "wayproof.toml");
                self.policy = parsed.unwrap_or_else(|error| panic!("{error}")).policy;
            }
            "provider" | "down" | "up" => self.provider(verb, rest),
            "model" => rest.clone_into(&mut self.model),
            "task" => self.explicit = Some(TaskName::new(rest)),
            "branch" => self.branch = Some(rest.to_owned()),
            "bind" => self.bound = Some(rest.to_owned()),
            "body" => self.body_bytes = rest.parse().unwrap(),
            "spend" => {
                let cost = (rest != "unknown").then(|| rest.parse().unwrap());
                self.settle(cost, None);
            }
            "answered" => {
                let (target, tokens) = rest.split_once(' ').unwrap();
                let target: Target = target.parse().unwrap();
                let answer = LastAnswer {
                    target,
                    prefix_tokens: tokens.parse().unwrap(),
                    class: self.state.job.as_ref().map(|job| job.class.clone()),
                    at_us: AT_US,
                    switch_nano_usd: None,
                };
                self.settle(Some(0), Some(answer));
            }
            "explain" => {
                let Next::Decided(decision) = self.decide() else {
                    panic!("refused")
                };
                for line in explain(&decision).lines() {
                    writeln!(self.out, "    {line}").unwrap();
                }
            }
            _ => self.exchange(verb, rest, block),
        }
    }

    /// A request of the agent, or what an answer said.
    fn exchange(&mut self, verb: &str, rest: &str, block: String) {
        match verb {
            "housekeeping" => {
                self.housekeeping = Some(match rest {
                    "title" => Housekeeping::Title,
                    "permission-check" => Housekeeping::PermissionCheck,
                    "compaction" => Housekeeping::Compaction,
                    "count-tokens" => Housekeeping::CountTokens,
                    other => panic!("{other}"),
                });
                self.request(Some("Name this session".to_owned()), Vec::new(), Vec::new());
                self.housekeeping = None;
            }
            "subagent" => {
                self.is_subagent = true;
                self.request(Some(rest.to_owned()), Vec::new(), Vec::new());
                self.is_subagent = false;
            }
            "ask" => {
                let ask = if block.is_empty() {
                    rest.to_owned()
                } else {
                    block
                };
                self.request(Some(ask), Vec::new(), Vec::new());
            }
            "edit" => self.tool(
                "Edit",
                ToolKind::Edit,
                None,
                rest,
                "The file has been updated.",
            ),
            "refuse" => self.tool(
                "Edit",
                ToolKind::Edit,
                None,
                "src/a.rs fails",
                "The user doesn't want to proceed with this tool use. The tool use was rejected.",
            ),
            "shell" => self.tool("Bash", ToolKind::Shell, Some(rest), "", &block),
            "proof" => self.proof(rest),
            "overflow" => {
                let target: Target = rest.parse().unwrap();
                let window = Catalog::embedded().context_window(&target.provider, &target.model);
                let window_tokens = window.unwrap_or(0);
                self.sign(&AnswerSign::ContextOverflow {
                    target,
                    window_tokens,
                });
            }
            "refusal" => self.sign(&AnswerSign::Refusal {
                target: rest.parse().unwrap(),
            }),
            "replay" => {
                let (ask, outcomes, executed) = self.last.clone();
                self.send(ask.as_deref(), &outcomes, &executed);
            }
            other => panic!("unknown verb {other}"),
        }
    }

    fn settle(&mut self, cost: Option<i64>, answer: Option<LastAnswer>) {
        let id = self.state.job.as_ref().unwrap().id.clone();
        self.state.settle(&id, cost, answer);
    }

    fn provider(&mut self, verb: &str, rest: &str) {
        let (name, protocol) = rest.split_once('=').unwrap_or((rest, ""));
        if verb == "provider" {
            let protocols = match protocol {
                "" => Protocols::ALL,
                named => Protocols::of(&[named.parse().unwrap()]),
            };
            if name == "none" {
                self.world.providers.clear();
                return;
            }
            self.world.providers.push(ProviderState {
                name: name.to_owned(),
                protocols,
                is_healthy: true,
                takes_own_key: false,
                models: None,
                is_guess: false,
            });
            return;
        }
        let provider = self
            .world
            .providers
            .iter_mut()
            .find(|provider| provider.name == name);
        provider.unwrap().is_healthy = verb == "up";
    }

    /// `shell cargo test -> 101` and the like; the number is the exit code.
    fn tool(&mut self, tool: &str, kind: ToolKind, command: Option<&str>, paths: &str, text: &str) {
        self.calls += 1;
        let (command, exit) = match command.and_then(|command| command.split_once(" -> ")) {
            Some((command, code)) => (Some(command), Exit::Code(code.parse().unwrap())),
            None => (
                command,
                if paths.ends_with("fails") {
                    Exit::Failed
                } else {
                    Exit::Succeeded
                },
            ),
        };
        let outcome = ToolOutcome {
            call_id: format!("call-{}", self.calls),
            tool: tool.to_owned(),
            kind,
            command: command.map(str::to_owned),
            paths: paths.split_whitespace().map(str::to_owned).collect(),
            exit,
            text: text.to_owned(),
        };
        self.request(None, vec![outcome], Vec::new());
    }

    /// `refuted NAME: MESSAGE`, `passed`, or either with `narrated` before it.
    fn proof(&mut self, rest: &str) {
        let (grade, rest) = match rest.strip_prefix("narrated ") {
            Some(rest) => (Grade::Narrated, rest),
            None => (Grade::Executed, rest),
        };
        let failures = rest
            .strip_prefix("refuted ")
            .and_then(|fact| fact.split_once(": "));
        let failures: Vec<Failure> = failures
            .map(|(name, message)| Failure {
                name: name.to_owned(),
                location: None,
                message: message.to_owned(),
            })
            .into_iter()
            .collect();
        let evidence = Evidence {
            kind: EvidenceKind::Proof,
            tool: "wayproof".to_owned(),
            grade,
            outcome: if failures.is_empty() {
                Outcome::Passed
            } else {
                Outcome::Failed
            },
            counts: None,
            failures,
            diagnostics: Vec::new(),
        };
        self.request(None, Vec::new(), vec![evidence]);
    }

    fn sign(&mut self, sign: &AnswerSign) {
        let noted = observe_answer(&self.policy, &mut self.state, sign);
        self.report(&noted);
    }

    fn request(
        &mut self,
        ask: Option<String>,
        outcomes: Vec<ToolOutcome>,
        executed: Vec<Evidence>,
    ) {
        self.requests += 1;
        self.send(ask.as_deref(), &outcomes, &executed);
        self.last = (ask, outcomes, executed);
    }

    fn send(&mut self, ask: Option<&str>, outcomes: &[ToolOutcome], executed: &[Evidence]) {
        let id = self.job_id();
        let (explicit, branch, model) = (
            self.explicit.clone(),
            self.branch.clone(),
            self.model.clone(),
        );
        let facts = Facts {
            explicit_task: explicit.as_ref(),
            branch: branch.as_deref(),
            requested_model: &model,
            ..self.facts(&id)
        };
        let observation = Observation {
            ask,
            outcomes,
            executed,
            thrift: None,
        };
        let before = self.state.clone();
        let noted = observe(&self.policy, &mut self.state, &facts, &observation);
        self.report(&noted);
        if noted.is_empty() && self.state == before {
            writeln!(self.out, "    nothing changes").unwrap();
        }
        let next = decide(
            &self.policy,
            &self.state,
            &facts,
            &self.world,
            Catalog::embedded(),
        );
        match next {
            Next::Decided(decision) => {
                let class = decision
                    .class
                    .as_ref()
                    .map_or("no class", |class| class.as_str());
                let targets: Vec<String> = decision
                    .attempts
                    .iter()
                    .map(|planned| planned.target.to_string())
                    .collect();
                let route = decision.routing.as_str();
                writeln!(
                    self.out,
                    "  = {} in {class}, {route}: {}",
                    decision.task,
                    targets.join(", ")
                )
            }
            Next::Refused(refusal) => {
                writeln!(
                    self.out,
                    "  = refused, {:?}: {}",
                    refusal.kind, refusal.message
                )
            }
            Next::Ask(question) => writeln!(self.out, "  = asks {}", question.class),
        }
        .unwrap();
    }

    fn decide(&self) -> Next {
        let id = self.job_id();
        let facts = Facts {
            requested_model: &self.model,
            ..self.facts(&id)
        };
        decide(
            &self.policy,
            &self.state,
            &facts,
            &self.world,
            Catalog::embedded(),
        )
    }

    fn job_id(&self) -> String {
        self.bound
            .clone()
            .unwrap_or_else(|| format!("job-{}", self.requests))
    }

    fn facts<'a>(&self, id: &'a str) -> Facts<'a> {
        Facts {
            protocol: Protocol::Messages,
            requested_model: "",
            explicit_task: None,
            housekeeping: self.housekeeping,
            is_subagent: self.is_subagent,
            paths: &[],
            branch: None,
            body_bytes: self.body_bytes,
            new_job_id: id,
            at_us: AT_US,
            needs: Needs::default(),
        }
    }

    fn report(&mut self, noted: &[Noted]) {
        for one in noted {
            let line = match one {
                Noted::JobOpened {
                    id,
                    task,
                    class,
                    rule,
                    replaces,
                    ..
                } => {
                    let replaces = replaces
                        .as_ref()
                        .map_or_else(String::new, |old| format!(", after {old}"));
                    format!("{id} opens{replaces}: {task} in {class}; {rule}")
                }
                Noted::Evidence(evidence) => format!(
                    "{:?} {:?} {:?} by {}",
                    evidence.grade, evidence.kind, evidence.outcome, evidence.tool
                ),
                Noted::Cause(noted) => format!("{} seen: {}", noted.cause, noted.why),
                Noted::Escalated {
                    cause,
                    from,
                    to,
                    why,
                } => {
                    format!("{cause} moves it from {from} to {to}: {why}")
                }
            };
            writeln!(self.out, "    {line}").unwrap();
        }
    }
}
