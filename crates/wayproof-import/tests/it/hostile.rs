//! Logs that are no logs: reading ends, gaps are told, and the ledger stays whole.

use proptest::prelude::*;
use wayproof_import::Source;

use crate::place::Place;

const NAMES: [(Source, &str); 7] = [
    (Source::ClaudeCode, ".claude/projects/p/s.jsonl"),
    (Source::Codex, ".codex/sessions/2026/11/28/rollout-x.jsonl"),
    (Source::Copilot, ".copilot/session-state/c/events.jsonl"),
    (Source::Gemini, ".gemini/tmp/p/chats/session-x.jsonl"),
    (Source::Qwen, ".qwen/projects/p/chats/q.jsonl"),
    (Source::Pi, ".pi/agent/sessions/p/x_p.jsonl"),
    (Source::Cline, ".cline/data/sessions/k/k.messages.json"),
];

#[tokio::test]
async fn wrong_values_cost_only_themselves() {
    let place = Place::new().await;
    let deep = "[".repeat(100_000);
    let lines = [
        // The counts are no counts, the names are no names; the answer is one of which nothing is known.
        r#"{"type":"assistant","sessionId":["s"],"requestId":{},"timestamp":"2026-11-28T10:00:01.000Z","message":{"id":"msg_1","model":17,"content":"x","stop_reason":"end_turn","usage":{"input_tokens":-5,"output_tokens":1e300,"cache_read_input_tokens":99999999999999999999,"cache_creation":"x"}}}"#.to_owned(),
        // No time; a time that cannot be; a time of the far future; no name.
        r#"{"type":"assistant","message":{"id":"msg_2","usage":{}}}"#.to_owned(),
        r#"{"type":"assistant","timestamp":"0001-01-01T00:00:00Z","message":{"id":"msg_3"}}"#.to_owned(),
        r#"{"type":"assistant","timestamp":"2999-01-01T00:00:00Z","message":{"id":"msg_4"}}"#.to_owned(),
        r#"{"type":"assistant","timestamp":"2026-11-28T10:00:01.000Z","message":{"id":"\u0007","usage":{}}}"#.to_owned(),
        format!(r#"{{"type":"assistant","x":{deep}"#),
        "\"assistant\"".to_owned(),
        "{\"type\":\"assistant\",\"message\":\u{fffd}".to_owned(),
        format!(r#"{{"type":"assistant","timestamp":"2026-11-28T10:00:02.000Z","message":{{"id":"{}","stop_reason":"end_turn","usage":{{"input_tokens":1,"output_tokens":2}}}},"uuid":"u9"}}"#, "m".repeat(5000)),
    ];
    let text = lines.join("\n").into_bytes();
    place.write(
        NAMES[0].1,
        [text.as_slice(), b"\n\xff\xfe\"assistant\"\x00\n"].concat(),
    );
    let counts = place.import(Source::ClaudeCode).await;
    assert_eq!(counts.imported, 2);
    assert_eq!(counts.gaps, 8);
    let rows = place.report(&[wayproof_ledger::Dimension::Model]).await;
    assert_eq!(
        (
            rows[0].exchanges,
            rows[0].with_usage,
            rows[0].money.listed_unknown
        ),
        (2, 1, 2)
    );
    assert_eq!(rows[0].tokens, [Some(1), None, None, Some(2), None]);
    place.done().await;
}

fn arbitrary() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\n".to_vec()),
        Just(br#"{"type":"assistant","timestamp":"2026-11-28T10:00:01Z","sessionId":"s","message":{"id":"m","role":"assistant","usage":{"input_tokens":1}}}"#.to_vec()),
        Just(br#"{"type":"event_msg","timestamp":"2026-11-28T10:00:01Z","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":9}}}}"#.to_vec()),
        Just(br#"{"type":"token_usage_record","timestamp":"2026-11-28T10:00:01Z","payload":{"response_id":"r","usage":{}}}"#.to_vec()),
        Just(br#"{"sessionId":"s","messages":[{"role":"assistant","id":"x","ts":1795900000000}]}"#.to_vec()),
        Just(br#"{"id":"g","type":"gemini","timestamp":"2026-11-28T10:00:01Z","tokens":{"input":1}}"#.to_vec()),
        Just(br#"{"type":"session.usage_record","timestamp":"2026-11-28T10:00:01Z","data":{"usage":{"apiCallId":"a"}}}"#.to_vec()),
        proptest::collection::vec(any::<u8>(), 0..60),
    ];
    let pieces =
        proptest::collection::vec((piece, any::<prop::sample::Index>(), any::<u8>()), 0..12);
    pieces.prop_map(|pieces| {
        let mut text = Vec::new();
        for (piece, at, byte) in pieces {
            let from = text.len();
            text.extend(piece);
            // Now and then a byte is another one, and the line ends or does not.
            if byte % 3 == 0 && text.len() > from {
                let at = from + at.index(text.len() - from);
                text[at] = byte;
            }
            if byte % 4 != 0 {
                text.push(b'\n');
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_to_their_end_twice(texts in proptest::collection::vec(arbitrary(), NAMES.len())) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let place = Place::new().await;
            for ((_, name), text) in NAMES.iter().zip(&texts) {
                place.write(name, text);
            }
            let sources = NAMES.map(|(source, _)| source);
            let first = place.try_import(&sources, None, false).await;
            assert!(first.failed.is_empty(), "{first:?}");
            let again = place.try_import(&sources, None, false).await;
            assert!(again.agents.values().all(|counts| counts.imported == 0), "{again:?}");
            place.done().await;
        });
    }
}
