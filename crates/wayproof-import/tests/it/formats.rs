//! Each format, in lines as the agents of November 2026 write them, shortened, with invented values.

use wayproof_import::Source;
use wayproof_ledger::{ActivityRow, Days, Dimension};

use crate::place::Place;

/// Group, answers, tokens, listed price.
type Row = (String, i64, [Option<i64>; 5], Option<i64>);

async fn rows(place: &Place) -> Vec<Row> {
    let rows = place.report(&[Dimension::Provider, Dimension::Model]).await;
    rows.into_iter()
        .map(|row| {
            (
                row.group.join("/"),
                row.exchanges,
                row.tokens,
                row.money.listed_nano_usd,
            )
        })
        .collect()
}

async fn activity(place: &Place) -> ActivityRow {
    let mut rows = place.ledger.activity(Days::default()).await.expect("read");
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

#[tokio::test]
async fn claude_code_counts_an_answer_once_with_its_last_counts() {
    let place = Place::new().await;
    place.write(
        ".claude/projects/-src-shop/s1.jsonl",
        concat!(
            r#"{"type":"user","sessionId":"s1","timestamp":"2026-11-28T10:00:00.000Z","message":{"role":"user","content":"Fix it"},"cwd":"/src/shop","version":"2.1.330","gitBranch":"main"}"#, "\n",
            r#"{"type":"assistant","sessionId":"s1","requestId":"req_1","timestamp":"2026-11-28T10:00:01.000Z","message":{"id":"msg_1","model":"claude-opus-5-5","content":[{"type":"text","text":"x"}],"stop_reason":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":50,"cache_read_input_tokens":100,"output_tokens":1}},"cwd":"/src/shop","version":"2.1.330","gitBranch":"main"}"#, "\n",
            r#"{"type":"assistant","sessionId":"s1","requestId":"req_1","timestamp":"2026-11-28T10:00:02.000Z","message":{"id":"msg_1","model":"claude-opus-5-5","content":[{"type":"tool_use","id":"toolu_1","name":"Edit","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"cache_creation_input_tokens":50,"cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":30},"cache_read_input_tokens":100,"output_tokens":40}}}"#, "\n",
            r#"{"type":"user","sessionId":"s1","timestamp":"2026-11-28T10:00:03.000Z","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"ok"}]},"toolUseResult":{"filePath":"/src/shop/a.py","structuredPatch":[{"lines":[" a","-b","+c","+d"]}],"userModified":false},"permissionDecision":{"decision":"accept"}}"#, "\n",
            r#"{"type":"user","sessionId":"s1","timestamp":"2026-11-28T10:00:04.000Z","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_2","is_error":true,"content":"The user doesn't want to proceed with this tool use."}]},"toolUseResult":"Error: rejected"}"#, "\n",
            r#"{"type":"assistant","sessionId":"s1","timestamp":"2026-11-28T10:00:05.000Z","message":{"id":"e","model":"<synthetic>","content":[],"usage":{"input_tokens":0,"output_tokens":0}}}"#, "\n",
        ),
    );
    place.write(
        ".claude/projects/-src-shop/s1/subagents/agent-a.jsonl",
        concat!(
            r#"{"type":"assistant","isSidechain":true,"agentId":"a","sessionId":"s1","requestId":"req_2","timestamp":"2026-11-28T10:00:06.000Z","message":{"id":"msg_2","model":"claude-haiku-5-5","content":[],"stop_reason":"end_turn","usage":{"input_tokens":7,"output_tokens":2}}}"#, "\n",
        ),
    );
    let counts = place.import(Source::ClaudeCode).await;
    assert_eq!((counts.files, counts.imported, counts.gaps), (2, 2, 0));
    assert_eq!(
        rows(&place).await,
        [
            (
                "anthropic/claude-opus-5-5".to_owned(),
                1,
                [Some(3), Some(100), Some(50), Some(40), None],
                Some(40)
            ),
            (
                "anthropic/claude-haiku-5-5".to_owned(),
                1,
                [Some(7), None, None, Some(2), None],
                Some(2)
            ),
        ]
    );
    let did = activity(&place).await;
    assert_eq!((did.asks, did.tool_calls, did.tool_failures), (1, 1, 1));
    assert_eq!((did.edits, did.lines_added, did.lines_removed), (1, 2, 1));
    assert_eq!((did.accepted, did.rejected), (1, 1));
    let session = place
        .ledger
        .session("s1")
        .await
        .expect("read")
        .expect("known");
    assert_eq!(session.cwd.as_deref(), Some("/src/shop"));
    assert_eq!(
        (session.branch.as_deref(), session.exchanges),
        (Some("main"), 2)
    );
    place.done().await;
}

const CODEX_HEAD: &str = concat!(
    r#"{"timestamp":"2026-11-28T10:00:00.000Z","type":"session_meta","payload":{"session_id":"t1","id":"t1","cwd":"/src/shop","cli_version":"0.169.0","model_provider":"openai","git":{"branch":"main"}}}"#,
    "\n",
    r#"{"timestamp":"2026-11-28T10:00:00.000Z","type":"turn_context","payload":{"model":"gpt-5.5","cwd":"/src/shop"}}"#,
    "\n",
);

#[tokio::test]
async fn codex_counts_records_and_not_their_sums_again() {
    let place = Place::new().await;
    let log = [
        CODEX_HEAD,
        concat!(
            r#"{"timestamp":"2026-11-28T10:00:01.000Z","type":"response_item","payload":{"type":"function_call","name":"exec_command","call_id":"call_1"}}"#, "\n",
            r#"{"timestamp":"2026-11-28T10:00:02.000Z","type":"token_usage_record","payload":{"thread_id":"t1","response_id":"resp_1","usage":{"input_tokens":100,"cached_input_tokens":60,"cache_write_input_tokens":10,"output_tokens":40,"reasoning_output_tokens":10,"total_tokens":140},"thread_token_usage":{"input_tokens":100,"cached_input_tokens":60,"cache_write_input_tokens":10,"output_tokens":40,"reasoning_output_tokens":10,"total_tokens":140}}}"#, "\n",
            r#"{"timestamp":"2026-11-28T10:00:03.000Z","type":"event_msg","payload":{"type":"item_completed","item":{"type":"CommandExecution","status":"failed","exit_code":1}}}"#, "\n",
            r#"{"timestamp":"2026-11-28T10:00:03.000Z","type":"event_msg","payload":{"type":"item_completed","item":{"type":"FileChange","status":"completed","changes":{"a":{},"b":{}}}}}"#, "\n",
            r#"{"timestamp":"2026-11-28T10:00:04.000Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":100,"cached_input_tokens":60,"cache_write_input_tokens":10,"output_tokens":40,"reasoning_output_tokens":10,"total_tokens":140},"last_token_usage":{"input_tokens":100,"cached_input_tokens":60,"output_tokens":40,"reasoning_output_tokens":10,"total_tokens":140}},"rate_limits":{"primary":{"used_percent":12.5,"window_minutes":300,"resets_at":1795990000}}}}"#, "\n",
        ),
    ]
    .concat();
    place.write(
        ".codex/sessions/2026/11/28/rollout-2026-11-28T10-00-00-t1.jsonl",
        log,
    );
    assert_eq!(place.import(Source::Codex).await.imported, 1);
    let expected = [Some(30), Some(60), Some(10), Some(30), Some(10)];
    assert_eq!(
        rows(&place).await,
        [("openai/gpt-5.5".to_owned(), 1, expected, Some(30))]
    );
    let did = activity(&place).await;
    assert_eq!((did.tool_calls, did.tool_failures, did.edits), (1, 1, 2));
    let events = place.ledger.events(0, 100).await.expect("read");
    let quota = events
        .iter()
        .find(|stored| stored.text.contains("quota-sampled"));
    assert!(
        quota.is_some_and(|stored| stored.text.contains(r#""used_ppm":125000"#)),
        "{events:?}"
    );
    place.done().await;
}

#[tokio::test]
async fn codexs_older_sums_count_by_what_is_new_in_them() {
    let place = Place::new().await;
    let sum = |second: u32, input: u32, output: u32| {
        format!(
            "{{\"timestamp\":\"2026-11-28T10:00:{second:02}.000Z\",\"type\":\"event_msg\",\"payload\":{{\"type\":\"token_count\",\"info\":{{\
             \"total_token_usage\":{{\"input_tokens\":{input},\"cached_input_tokens\":0,\"output_tokens\":{output},\"total_tokens\":{}}},\
             \"last_token_usage\":{{\"input_tokens\":5,\"cached_input_tokens\":0,\"output_tokens\":2,\"total_tokens\":7}}}}}}}}\n",
            input + output
        )
    };
    let name = ".codex/sessions/2026/11/28/rollout-2026-11-28T10-00-00-t1.jsonl";
    // A sum that repeats; one that grows; one that begins anew.
    place.write(
        name,
        [
            CODEX_HEAD,
            &sum(1, 100, 10),
            &sum(2, 100, 10),
            &sum(3, 300, 30),
        ]
        .concat(),
    );
    assert_eq!(place.import(Source::Codex).await.imported, 2);
    // What the sums were is remembered from one import to the next.
    place.append(
        name,
        &[sum(4, 300, 30), sum(5, 360, 36), sum(6, 5, 2)].concat(),
    );
    assert_eq!(place.import(Source::Codex).await.imported, 2);
    let expected = [Some(365), Some(0), None, Some(38), None];
    assert_eq!(
        rows(&place).await,
        [("openai/gpt-5.5".to_owned(), 4, expected, Some(38))]
    );
    place.done().await;
}

#[tokio::test]
async fn copilots_counts_are_taken_apart() {
    let place = Place::new().await;
    place.write(
        ".copilot/session-state/c1/events.jsonl",
        concat!(
            r#"{"type":"session.start","data":{"sessionId":"c1","copilotVersion":"1.0.102","context":{"cwd":"/src","branch":"main"}},"timestamp":"2026-11-28T10:00:00.000Z"}"#, "\n",
            r#"{"type":"user.message","data":{"content":"Fix"},"timestamp":"2026-11-28T10:00:00.000Z"}"#, "\n",
            r#"{"type":"session.usage_record","data":{"usage":{"model":"gpt-5.4","inputTokens":100,"outputTokens":40,"cacheReadTokens":70,"cacheWriteTokens":0,"reasoningTokens":10,"isByok":false,"modelProvider":"other","apiCallId":"chatcmpl-1"}},"timestamp":"2026-11-28T10:00:01.000Z"}"#, "\n",
            r#"{"type":"tool.execution_complete","data":{"toolCallId":"call_1","shellExecution":{"exitCode":1},"success":true},"timestamp":"2026-11-28T10:00:02.000Z"}"#, "\n",
            r#"{"type":"tool.execution_complete","data":{"fileEdits":[{"path":"a","kind":"edit"}],"success":true,"toolTelemetry":{"metrics":{"linesAdded":3,"linesRemoved":1}}},"timestamp":"2026-11-28T10:00:02.000Z"}"#, "\n",
        ),
    );
    place.import(Source::Copilot).await;
    let expected = [Some(30), Some(70), Some(0), Some(30), Some(10)];
    assert_eq!(
        rows(&place).await,
        [("github-copilot/gpt-5.4".to_owned(), 1, expected, None)]
    );
    let did = activity(&place).await;
    assert_eq!(
        (did.asks, did.tool_calls, did.tool_failures, did.edits),
        (1, 2, 1, 1)
    );
    assert_eq!((did.lines_added, did.lines_removed), (3, 1));
    place.done().await;
}

#[tokio::test]
async fn geminis_messages_are_written_twice_and_counted_once() {
    let place = Place::new().await;
    let message = r#"{"id":"m1","timestamp":"2026-11-28T10:00:01.000Z","type":"gemini","content":"x","tokens":{"input":100,"output":40,"cached":60,"thoughts":10,"tool":5,"total":155},"model":"gemini-3.8-flash""#;
    let log = [
        r#"{"sessionId":"g1","projectHash":"x","startTime":"2026-11-28T10:00:00.000Z","kind":"main"}"#,
        "\n",
        message,
        "}\n{\"$set\":{\"lastUpdated\":\"x\"}}\n",
        message,
        r#","toolCalls":[{"id":"replace__1","name":"replace","status":"success"},{"id":"s","name":"run_shell_command","status":"cancelled"}]}"#,
        "\n",
    ]
    .concat();
    place.write(
        ".gemini/tmp/shop/chats/session-2026-11-28T10-00-g1.jsonl",
        log,
    );
    place.import(Source::Gemini).await;
    let expected = [Some(45), Some(60), None, Some(40), Some(10)];
    assert_eq!(
        rows(&place).await,
        [("google/gemini-3.8-flash".to_owned(), 1, expected, None)]
    );
    let did = activity(&place).await;
    assert_eq!((did.tool_calls, did.edits, did.rejected), (2, 1, 1));
    place.done().await;
}

#[tokio::test]
async fn qwens_answer_is_the_response_told_before_it() {
    let place = Place::new().await;
    place.write(
        ".qwen/projects/-src/chats/q1.jsonl",
        concat!(
            r#"{"uuid":"u1","sessionId":"q1","timestamp":"2026-11-28T10:00:00.000Z","type":"user","provenance":"real_user","cwd":"/src","version":"0.24.4","message":{"role":"user"}}"#, "\n",
            r#"{"uuid":"u2","sessionId":"q1","timestamp":"2026-11-28T10:00:01.000Z","type":"system","cwd":"/src","version":"0.24.4","subtype":"ui_telemetry","systemPayload":{"uiEvent":{"event.name":"qwen-code.api_response","response_id":"chatcmpl-1","model":"qwen3-coder-plus","input_token_count":100,"output_token_count":40,"cached_content_token_count":60,"thoughts_token_count":10,"total_token_count":140}}}"#, "\n",
            r#"{"uuid":"u3","sessionId":"q1","timestamp":"2026-11-28T10:00:01.000Z","type":"assistant","model":"qwen3-coder-plus","message":{"role":"model"},"usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":40,"thoughtsTokenCount":10,"totalTokenCount":140,"cachedContentTokenCount":60}}"#, "\n",
            r#"{"uuid":"u4","sessionId":"q1","timestamp":"2026-11-28T10:00:02.000Z","type":"system","systemPayload":{"uiEvent":{"event.name":"qwen-code.tool_call","function_name":"edit","success":true,"decision":"auto_accept","metadata":{"model_added_lines":2,"model_removed_lines":1}}}}"#, "\n",
            r#"{"uuid":"u5","sessionId":"q1","timestamp":"2026-11-28T10:00:03.000Z","type":"assistant","model":"qwen3-coder-plus","message":{"role":"model"},"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":9}}"#, "\n",
        ),
    );
    assert_eq!(place.import(Source::Qwen).await.imported, 2);
    let expected = [Some(47), Some(60), None, Some(32), Some(10)];
    assert_eq!(
        rows(&place).await,
        [("/qwen3-coder-plus".to_owned(), 2, expected, None)]
    );
    let did = activity(&place).await;
    assert_eq!(
        (did.asks, did.edits, did.lines_added, did.accepted),
        (1, 1, 2, 1)
    );
    place.done().await;
}

#[tokio::test]
async fn pi_and_cline_are_read() {
    let place = Place::new().await;
    place.write(
        ".pi/agent/sessions/--src--/2026-11-28T10-00-00-000Z_p1.jsonl",
        concat!(
            r#"{"type":"session","version":3,"id":"p1","timestamp":"2026-11-28T10:00:00.000Z","cwd":"/src"}"#, "\n",
            r#"{"type":"message","id":"a1","timestamp":"2026-11-28T10:00:01.000Z","message":{"role":"assistant","content":[{"type":"toolCall","id":"call_1"}],"provider":"openai","model":"gpt-5.4","usage":{"input":30,"output":40,"cacheRead":70,"cacheWrite":0},"stopReason":"toolUse","responseId":"chatcmpl-9"}}"#, "\n",
            r#"{"type":"message","id":"a2","timestamp":"2026-11-28T10:00:02.000Z","message":{"role":"toolResult","toolName":"edit","isError":false}}"#, "\n",
        ),
    );
    place.write(
        ".cline/data/sessions/k1/k1.messages.json",
        r#"{"version":1,"sessionId":"k1","origin":{"version":"3.0.65"},"messages":[{"id":"m0","role":"user","content":[],"ts":1795900000000},
            {"id":"m1","role":"assistant","content":[],"ts":1795900001000,"modelInfo":{"id":"gpt-5.4","provider":"openai-compatible"},"metrics":{"inputTokens":100,"outputTokens":40,"cacheReadTokens":60,"cacheWriteTokens":0}}],"system_prompt":"x"}"#,
    );
    let summary = place
        .try_import(&[Source::Pi, Source::Cline], None, false)
        .await;
    assert_eq!(
        (
            summary.agents["pi"].imported,
            summary.agents["cline"].imported
        ),
        (1, 1)
    );
    assert_eq!(
        rows(&place).await,
        [
            (
                "openai/gpt-5.4".to_owned(),
                1,
                [Some(30), Some(70), Some(0), Some(40), None],
                Some(40)
            ),
            (
                "openai-compatible/gpt-5.4".to_owned(),
                1,
                [Some(40), Some(60), Some(0), Some(40), None],
                None
            ),
        ]
    );
    assert_eq!(activity(&place).await.edits, 1);
    let again = place
        .try_import(&[Source::Pi, Source::Cline], None, false)
        .await;
    assert!(again.agents.is_empty(), "{again:?}");
    place.done().await;
}
