//! Who is calling, what was asked and what the tools said can be read from any body without a panic.
#![no_main]

use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use wayproof_wire::{Agent, Protocol, Request, find_ask, identify, new_ask, outcomes, peek};

const AGENTS: [Agent; 12] = [
    Agent::ClaudeCode,
    Agent::Codex,
    Agent::Copilot,
    Agent::GeminiCli,
    Agent::Aider,
    Agent::Opencode,
    Agent::Qwen,
    Agent::Pi,
    Agent::Cline,
    Agent::Continue,
    Agent::MiniSwe,
    Agent::Other,
];

fuzz_target!(|body: &[u8]| {
    for protocol in Protocol::ALL {
        let Ok(found) = peek(protocol, body) else {
            return;
        };
        let request = Request { body, peek: &found };
        let mut headers = HeaderMap::new();
        for name in [
            "claude-cli/2",
            "codex_exec/1",
            "opencode/1",
            "GeminiCLI/1",
            "QwenCode/1",
            "ls/JS 5",
            "",
        ] {
            headers.insert("user-agent", http::HeaderValue::from_static(name));
            assert!(!identify(&headers, &request).session.is_empty());
        }
        for agent in AGENTS {
            let new = new_ask(agent, &request);
            let newest = find_ask(agent, &request);
            assert_eq!(new.is_some(), newest.is_some_and(|ask| ask.starts_turn));
            for outcome in outcomes(agent, &request) {
                assert!(!(outcome.exit.is_failure() && outcome.exit.is_success()));
            }
        }
    }
});
