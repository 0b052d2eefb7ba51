//! What real agents do with failures that reach them through the gateway: they wait, ask again and finish their work
//! once, or they stop; none asks for ever.
//!
//! A provider fails before every step of a piece of work, each time in another way, and as often as it takes to get
//! past the gateway's own tries.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use wayproof_testkit::{Captured, Frame, Persona, Play, Provider, Reply, Step};

use crate::{
    conformance,
    connected::{ASK, Connected, launch},
    environment::{Environment, Said},
};

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// 429, and a wait that is longer than the gateway's own patience.
    LimitedFor(u32),
    /// 429 without a word about when to come back.
    Limited,
    /// No capacity.
    Overloaded,
    /// A defect.
    Broken,
    /// The stream begins and then says that it failed.
    ErrorInStream,
    /// The connection breaks inside the stream.
    Cut,
    /// The provider says nothing more inside the stream and goes on listening.
    HalfClosed,
    /// The bytes come one after the other; nothing is lost.
    Slow,
    /// A key that is none.
    Unauthorized,
    /// The conversation is too long for the model.
    Overflow,
}

impl Failure {
    /// How many requests fail, until an agent has seen it: the gateway itself asks three times where that may help.
    const fn times(self) -> usize {
        match self {
            Self::Limited | Self::Overloaded | Self::Broken => 3,
            Self::LimitedFor(_)
            | Self::ErrorInStream
            | Self::Cut
            | Self::HalfClosed
            | Self::Slow => 1,
            Self::Unauthorized | Self::Overflow => usize::MAX,
        }
    }

    /// The failure in the words of whoever is asked, in place of this answer.
    fn instead_of(self, reply: Reply, request: &Captured) -> Reply {
        let error = |status: u16, kind: &str, words: &str| {
            let error = serde_json::json!({
                "type": "error",
                "error": {"type": kind, "code": kind, "message": words, "status": kind.to_uppercase()},
            });
            Reply::json(status, error.to_string())
        };
        match self {
            Self::LimitedFor(seconds) => error(429, "rate_limit_error", "slow down")
                .with_header("retry-after", &seconds.to_string()),
            Self::Limited => error(429, "rate_limit_error", "slow down"),
            Self::Overloaded => error(529, "overloaded_error", "overloaded"),
            Self::Broken => error(500, "api_error", "internal server error"),
            Self::Unauthorized => error(401, "authentication_error", "invalid x-api-key"),
            Self::Overflow => {
                let words = "prompt is too long: 300000 tokens > 200000 maximum";
                error(400, "invalid_request_error", words)
            }
            Self::ErrorInStream => {
                let mut reply = begun(reply);
                let said = said_in_stream(&request.path).to_owned();
                reply.frames.push(Frame::Data(said.into()));
                reply
            }
            Self::Cut => broken_off(reply, Frame::Cut),
            Self::HalfClosed => broken_off(reply, Frame::HalfClose),
            Self::Slow => slow(reply),
        }
    }
}

/// The beginning of a stream.
fn begun(mut reply: Reply) -> Reply {
    reply.frames.truncate(1);
    reply
}

/// An answer that ends in the middle of an event: what an agent has taken in for good it cannot ask for again.
fn broken_off(reply: Reply, end: Frame) -> Reply {
    let mut reply = begun(reply);
    if let Some(Frame::Data(data)) = reply.frames.first_mut() {
        data.truncate(data.len() / 2);
    }
    reply.frames.push(end);
    reply
}

/// The same bytes in pieces, with a wait after each.
fn slow(mut reply: Reply) -> Reply {
    let frames = std::mem::take(&mut reply.frames);
    for frame in frames {
        let Frame::Data(data) = frame else {
            reply.frames.push(frame);
            continue;
        };
        for piece in data.chunks(data.len().div_ceil(8).max(1)) {
            reply.frames.push(Frame::Data(piece.to_vec().into()));
            reply.frames.push(Frame::Pause(Duration::from_millis(20)));
        }
    }
    reply
}

/// An error of a provider inside of a stream.
fn said_in_stream(path: &str) -> &'static str {
    if path.contains("/messages") {
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
    } else if path.contains("/responses") {
        "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"it broke\",\"param\":null,\"sequence_number\":9}\n\n"
    } else if path.contains(":streamGenerateContent") {
        "data: {\"error\":{\"code\":503,\"message\":\"The model is overloaded.\",\"status\":\"UNAVAILABLE\"}}\n\n"
    } else {
        "data: {\"error\":{\"message\":\"it broke\",\"type\":\"server_error\",\"code\":null}}\n\n"
    }
}

/// A model that works step by step, and what comes between.
struct Troubled {
    play: Play,
    failures: Vec<Failure>,
    /// How often each step has been asked for.
    asked: Mutex<BTreeMap<usize, usize>>,
}

impl Troubled {
    fn new(failures: &[Failure], says: &str) -> Self {
        let steps = (0..failures.len()).map(|step| Step::Shell(format!("echo {step} >> made.txt")));
        let end = Step::Say(says.to_owned());
        Self {
            play: Play::new(vec![Persona {
                model: "m".into(),
                steps: steps.chain([end]).collect(),
            }]),
            failures: failures.to_vec(),
            asked: Mutex::default(),
        }
    }

    /// The same work said in one text, for an agent without tools: all failures come before it.
    fn in_text(failures: &[Failure], says: &str) -> Self {
        Self {
            play: Play::new(vec![Persona {
                model: "m".into(),
                steps: vec![Step::Say(says.to_owned())],
            }]),
            failures: failures.to_vec(),
            asked: Mutex::default(),
        }
    }

    fn answer(&self, request: &Captured) -> Reply {
        let reply = self.play.answer(request);
        let Some(failure) = self.failure(&reply, request) else {
            return reply;
        };
        failure.instead_of(reply, request)
    }

    fn failure(&self, reply: &Reply, request: &Captured) -> Option<Failure> {
        let text: Vec<u8> = reply
            .frames
            .iter()
            .filter_map(|frame| match frame {
                Frame::Data(data) => Some(data.to_vec()),
                _ => None,
            })
            .flatten()
            .collect();
        let text = String::from_utf8_lossy(&text).into_owned();
        let has_tools = String::from_utf8_lossy(&request.body).contains("\"tools\"");
        let step = match text.split("call_wp0_").nth(1) {
            Some(rest) => {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                digits.parse().unwrap()
            }
            // Titles and the like are no steps; one without tools has a single one.
            None if has_tools => return None,
            None => 0,
        };
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asked.entry(step).or_default();
        *count += 1;
        let before = *count - 1;
        if text.contains("call_wp0_") {
            return self
                .failures
                .get(step)
                .copied()
                .filter(|failure| before < failure.times());
        }
        let mut passed = 0_usize;
        self.failures.iter().copied().find(|failure| {
            passed = passed.saturating_add(failure.times());
            before < passed
        })
    }
}

const CLAUDE: Connected = Connected {
    name: "claude-code",
    folder: "claude",
    command: &["claude", "--dangerously-skip-permissions", "-p", ASK],
    path: "/v1/messages",
};

const CODEX: Connected = Connected {
    name: "codex",
    folder: "codex",
    command: &[
        "codex",
        "exec",
        // Its usual tries, each of several, are five minutes.
        "-c",
        "model_providers.wayproof.request_max_retries=2",
        "-c",
        "model_providers.wayproof.stream_max_retries=2",
        "--dangerously-bypass-approvals-and-sandbox",
        ASK,
    ],
    path: "/v1/responses",
};

const COPILOT: Connected = Connected {
    name: "copilot-cli",
    folder: "copilot",
    command: &[
        "copilot",
        "--allow-all-tools",
        "--allow-all-paths",
        "-p",
        ASK,
    ],
    path: "/chat/completions",
};

const GEMINI_CLI: Connected = Connected {
    name: "gemini-cli",
    folder: "gemini",
    command: &["gemini", "--yolo", "--skip-trust", "-p", ASK],
    path: ":streamGenerateContent",
};

const AIDER: Connected = Connected {
    name: "aider",
    folder: "aider",
    command: &[
        "aider",
        "--edit-format",
        "diff",
        "--yes-always",
        "--no-auto-commits",
        "--no-dirty-commits",
        "--no-check-update",
        "--no-show-release-notes",
        "--no-gitignore",
        "--no-pretty",
        "--analytics-disable",
        "--message",
        ASK,
        "made.txt",
    ],
    path: "/chat/completions",
};

const EDIT: &str = "made.txt\n```\n<<<<<<< SEARCH\n=======\nmade\n>>>>>>> REPLACE\n```\n";

/// Those after which an agent goes on.
const PASSING: [Failure; 8] = [
    Failure::LimitedFor(4),
    Failure::Limited,
    Failure::Overloaded,
    Failure::Broken,
    Failure::ErrorInStream,
    Failure::Cut,
    Failure::HalfClosed,
    Failure::Slow,
];

async fn runs(agent: &Connected, troubled: Troubled) -> (Environment, Said, usize) {
    let environment = Environment::new();
    let provider = Provider::start(move |request| troubled.answer(request)).await;
    let provider = provider.unwrap();
    let said = launch(&environment, agent, &provider).await;
    let asked = provider
        .captured()
        .iter()
        .filter(|one| one.path.contains(agent.path))
        .count();
    provider.stop().await;
    (environment, said, asked)
}

/// The agent does every step once, whatever came between.
async fn goes_on(agent: &Connected, failures: &[Failure]) {
    let troubled = Troubled::new(failures, "It is made.");
    let (environment, said, _) = runs(agent, troubled).await;
    let made = fs::read_to_string(environment.repo().join("made.txt")).unwrap_or_default();
    let steps: String = (0..failures.len())
        .map(|step| format!("{step}\n"))
        .collect();
    assert_eq!(made, steps, "{}: {said:?}", agent.name);
    assert_eq!(said.status, 0, "{}: {said:?}", agent.name);
    let exchanges = environment
        .run(&["ledger", "exchanges", "--limit", "200", "--json"])
        .json();
    let statuses: Vec<u64> = exchanges
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["status"].as_u64())
        .collect();
    for status in [429, 500, 529, 200] {
        let is_seen = statuses.contains(&status) || (status == 529 && statuses.contains(&503));
        assert!(is_seen, "{}: {status} of {statuses:?}", agent.name);
    }
}

/// The agent stops, without asking for ever and without having done anything.
async fn stops(agent: &Connected, failure: Failure) {
    let troubled = match agent.name {
        "aider" => Troubled::in_text(&[failure], EDIT),
        _ => Troubled::new(&[failure], "It is made."),
    };
    let (environment, said, asked) = runs(agent, troubled).await;
    let made = fs::read_to_string(environment.repo().join("made.txt")).unwrap_or_default();
    assert_eq!(made, "", "{}: {said:?}", agent.name);
    assert!(
        (1..=12).contains(&asked),
        "{}: {asked} requests, {said:?}",
        agent.name
    );
    let told = said.out + &said.err;
    let told = told.to_ascii_lowercase();
    let words = match failure {
        Failure::Overflow => ["too long", "context", "ran out of room"],
        Failure::Cut | Failure::HalfClosed => ["terminated", "other side closed", "socket"],
        _ => ["api-key", "run /login", "401"],
    };
    assert!(
        words.iter().any(|word| told.contains(word)),
        "{}: {told}",
        agent.name
    );
}

async fn withstands(agent: Connected) {
    stops(&agent, Failure::Unauthorized).await;
    stops(&agent, Failure::Overflow).await;
    goes_on(&agent, &PASSING).await;
    conformance::withstood(agent.command[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_does_the_right_thing_with_failures() {
    withstands(CLAUDE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_does_the_right_thing_with_failures() {
    withstands(CODEX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_does_the_right_thing_with_failures() {
    withstands(COPILOT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_cli_does_the_right_thing_with_failures() {
    stops(&GEMINI_CLI, Failure::Unauthorized).await;
    stops(&GEMINI_CLI, Failure::Overflow).await;
    // It takes a connection that breaks for the end of everything, and says so.
    stops(&GEMINI_CLI, Failure::Cut).await;
    stops(&GEMINI_CLI, Failure::HalfClosed).await;
    let failures = PASSING
        .into_iter()
        .filter(|failure| !matches!(failure, Failure::Cut | Failure::HalfClosed));
    let failures: Vec<Failure> = failures.collect();
    goes_on(&GEMINI_CLI, &failures).await;
    conformance::withstood("gemini");
}

/// aider edits by text, and has one request for everything.
#[tokio::test(flavor = "multi_thread")]
async fn aider_does_the_right_thing_with_failures() {
    stops(&AIDER, Failure::Unauthorized).await;
    stops(&AIDER, Failure::Overflow).await;
    let (environment, said, _) = runs(&AIDER, Troubled::in_text(&PASSING, EDIT)).await;
    let made = fs::read_to_string(environment.repo().join("made.txt")).unwrap_or_default();
    assert_eq!(made, "made\n", "{said:?}");
    conformance::withstood("aider");
}
