//! A generated log, measured by hand: `WAYPROOF_IMPORT_MB=1000 cargo nextest run … --run-ignored only --no-capture`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use wayproof_import::Source;

use crate::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement is told its size and reads the time"
)]
#[ignore = "measures; needs an optimized build and a gigabyte of disk"]
async fn a_gigabyte_of_claude_codes_logs() {
    let megabytes = std::env::var("WAYPROOF_IMPORT_MB")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_u64);
    let place = Place::new().await;
    let mut answers = 0_u64;
    let mut bytes = 0;
    let filler = "def f(x):\\n    return \\\"x\\\"\\n".repeat(120);
    for file in 0.. {
        if bytes >= megabytes * 1_000_000 {
            break;
        }
        place.write(&format!(".claude/projects/-src/{file}.jsonl"), "");
        let path = place
            .home()
            .join(format!(".claude/projects/-src/{file}.jsonl"));
        let mut out = File::create(path).expect("created");
        let mut text = String::new();
        for turn in 0..1000_u32 {
            answers += 1;
            let time = format!(
                "2026-11-{:02}T10:{:02}:{:02}.000Z",
                1 + file % 28,
                turn / 60 % 60,
                turn % 60
            );
            for (block, output) in [("text", 3), ("tool_use", 40)] {
                writeln!(text, r#"{{"parentUuid":"x","isSidechain":false,"type":"assistant","sessionId":"s{file}","requestId":"req_{file}_{turn}","timestamp":"{time}","message":{{"id":"msg_{file}_{turn}","type":"message","role":"assistant","model":"claude-opus-5-5","content":[{{"type":"{block}","id":"toolu_{turn}","name":"Edit","input":{{"new_string":"{filler}"}}}}],"stop_reason":"tool_use","usage":{{"input_tokens":3,"cache_creation_input_tokens":500,"cache_read_input_tokens":10000,"output_tokens":{output},"cache_creation":{{"ephemeral_5m_input_tokens":500,"ephemeral_1h_input_tokens":0}}}}}},"cwd":"/src","version":"2.1.330","gitBranch":"main"}}"#).expect("written");
            }
            writeln!(text, r#"{{"type":"user","sessionId":"s{file}","timestamp":"{time}","message":{{"role":"user","content":[{{"tool_use_id":"toolu_{turn}","type":"tool_result","content":"{filler}"}}]}},"toolUseResult":{{"filePath":"/src/a.py","originalFile":"{filler}","structuredPatch":[{{"lines":["-a","+b"]}}]}},"permissionDecision":{{"decision":"accept"}}}}"#).expect("written");
        }
        bytes += text.len() as u64;
        out.write_all(text.as_bytes()).expect("written");
    }
    let started = Instant::now();
    let counts = place.import(Source::ClaudeCode).await;
    let took = started.elapsed();
    assert_eq!((counts.imported, counts.gaps), (answers, 0));
    let started = Instant::now();
    let second = place.import(Source::ClaudeCode).await;
    assert_eq!(second.bytes, 0);
    println!(
        "{} MB and {answers} answers: {took:?}; the second run: {:?}",
        bytes / 1_000_000,
        started.elapsed()
    );
    place.done().await;
}
