//! Three gateways on one database while everything goes wrong: one is killed in the middle of a stream, one is cut off
//! from the database, the database crashes under load, and the third one's clock is two days ahead.
//!
//! Afterwards the log verifies, no budget was passed, and every exchange is there once.

mod load;

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    sync::watch,
    task::JoinHandle,
};
use wayproof_testkit::{Captured, Frame, Postgres, Provider, Reply};

use self::load::{Asked, Load};
use crate::{environment::Environment, up::Up};

const DAY_US: i64 = 86_400_000_000;

/// A way to the database that can be cut.
struct Wire {
    directory: PathBuf,
    is_cut: watch::Sender<bool>,
    carrier: JoinHandle<()>,
}

impl Wire {
    fn lay(directory: PathBuf, to: PathBuf) -> Self {
        fs::create_dir(&directory).unwrap();
        let listener = UnixListener::bind(Postgres::socket_in(&directory)).unwrap();
        let (sender, is_cut) = watch::channel(false);
        let carrier = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (to, mut is_cut) = (to.clone(), is_cut.clone());
                tokio::spawn(async move {
                    let cut = is_cut.wait_for(|is_cut| *is_cut);
                    let carry = async {
                        if let Ok(mut far) = UnixStream::connect(to).await {
                            drop(copy_bidirectional(&mut near, &mut far).await);
                        }
                    };
                    tokio::select! { biased; _ = cut => {} () = carry => {} }
                });
            }
        });
        Self {
            directory,
            is_cut: sender,
            carrier,
        }
    }

    fn url(&self) -> String {
        Postgres::url_by(&self.directory)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

/// Answers with a price, whole or as a stream that takes its time.
pub(crate) fn answer(request: &Captured) -> Reply {
    let usage = json!({"input_tokens": 20, "output_tokens": 50});
    if !String::from_utf8_lossy(&request.body).contains(r#""stream":true"#) {
        let body = json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5",
            "content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn", "usage": usage,
        });
        return Reply::json(200, body.to_string());
    }
    let event = |kind: &str, data: Value| {
        let data = data.to_string();
        Frame::Data(format!("event: {kind}\ndata: {data}\n\n").into())
    };
    let mut reply = Reply::events(Vec::<String>::new());
    reply.frames = vec![
        event(
            "message_start",
            json!({"type": "message_start", "message": {"id": "msg_2", "type": "message", "role": "assistant", "model": "claude-haiku-5-5", "content": [], "stop_reason": null, "usage": usage}}),
        ),
        event(
            "content_block_start",
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
        Frame::Pause(Duration::from_mins(1)),
    ];
    reply
}

/// The library that sets a clock ahead.
fn ahead(directory: &Path) -> String {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/replicas/ahead.c");
    let library = directory.join("ahead.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .args([source, "-ldl"])
        .status()
        .expect("these tests need a C compiler (cc)");
    assert!(compiled.success());
    library.to_string_lossy().into_owned()
}

/// Gives a gateway the key that another one signs the ledger with.
fn share_key(from: &Environment, to: &Environment) {
    let key = |environment: &Environment| environment.data().join("keys/ledger");
    fs::create_dir_all(key(to).parent().unwrap()).unwrap();
    if !key(to).exists() {
        fs::copy(key(from), key(to)).unwrap();
    }
}

/// Begins a stream and tells its exchange, with the beginning of the answer read.
fn begin_stream(port: u16) -> (TcpStream, String) {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket
        .write_all(load::request("a stream", true).as_bytes())
        .unwrap();
    let mut answer = String::new();
    while !answer.contains("content_block_start") {
        let mut piece = [0; 4096];
        let count = socket.read(&mut piece).unwrap();
        assert!(count > 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
    let exchange = load::exchange(&answer).unwrap();
    (socket, exchange)
}

/// What a budget has left of, in nano-dollars: spent and held, and the limit.
fn budget(environment: &Environment, url: &str) -> (i64, i64) {
    let listed = environment.run(&["budgets", "list", "--json", "--ledger", url]);
    let budget = listed.json()[0].clone();
    let number = |name: &str| budget[name].as_i64().unwrap();
    let used = number("spent_nano_usd") + number("held_nano_usd");
    (used, number("limit_nano_usd"))
}

fn set_budget(environment: &Environment, url: &str, nano: i64) {
    let amount = format!("{}.{:09} USD", nano / 1_000_000_000, nano % 1_000_000_000);
    let set = environment.run(&[
        "budgets", "set", "everyone", &amount, "--per", "total", "--ledger", url,
    ]);
    assert_eq!(set.status, 0, "{set:?}");
}

/// How often each exchange was opened and settled, and how far apart the times of all events are.
fn counted(environment: &Environment, url: &str) -> (BTreeMap<String, [usize; 2]>, i64) {
    let exported = environment.run(&["ledger", "export", "--format", "jsonl", "--ledger", url]);
    assert_eq!(exported.status, 0, "{}", exported.err);
    let (mut counts, mut times) = (BTreeMap::<String, [usize; 2]>::new(), Vec::new());
    for line in exported.out.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let event = row.get("event").unwrap_or(&row);
        times.push(event["at_us"].as_i64().unwrap());
        let Some(exchange) = event["exchange"].as_str() else {
            continue;
        };
        let counts = counts.entry(exchange.to_owned()).or_default();
        match event["type"].as_str() {
            Some("exchange-opened") => counts[0] += 1,
            Some("exchange-settled") => counts[1] += 1,
            _ => {}
        }
    }
    times.sort_unstable();
    (counts, times[times.len() - 1] - times[0])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
async fn three_gateways_on_one_database_lose_nothing_whatever_happens() {
    const ANSWERED: fn(u16) -> bool = |status| status == 200;
    let directory = tempfile::tempdir().unwrap();
    let server = Postgres::create(directory.path()).unwrap();
    let (url, library) = (server.url(), ahead(directory.path()));
    let wire = Wire::lay(directory.path().join("wire"), server.socket());
    let provider = Provider::start(answer).await.unwrap();
    let [one, two, three] = [(); 3].map(|()| Environment::new());
    set_budget(&one, &url, 1_000_000_000);
    // Nobody reads what they log.
    let quiet = ("WAYPROOF_LOG", "off");
    let start = async |environment, url: &str, variables: &[(&str, &str)]| {
        let more = ["--ledger", url];
        Up::start_set("anthropic", environment, &provider, &more, variables).await
    };
    let first = start(&one, &url, &[quiet]).await;
    for other in [&two, &three] {
        share_key(&one, other);
    }
    let second = start(&two, &wire.url(), &[quiet]).await;
    let third = start(&three, &url, &[quiet, ("LD_PRELOAD", &library)]).await;

    let ports = [(0, first.port), (1, second.port), (2, third.port)];
    let load = Load::start("first", &ports);
    for gateway in 0..3 {
        load.more(gateway, 3, ANSWERED).await;
    }
    // One is killed in the middle of a stream, under load.
    let (stream, cut_off) = begin_stream(first.port);
    drop(first);
    drop(stream);
    load.more(1, 3, ANSWERED).await;
    // One is cut off from the database: it takes no work, the other goes on, and it comes back by itself.
    wire.is_cut.send_replace(true);
    load.more(1, 3, |status| status >= 500).await;
    load.more(2, 3, ANSWERED).await;
    wire.is_cut.send_replace(false);
    load.more(1, 3, ANSWERED).await;
    // The database crashes under load.
    server.stop().unwrap();
    load.more(2, 2, |status| status >= 500).await;
    server.start().unwrap();
    for gateway in [1, 2] {
        load.more(gateway, 3, ANSWERED).await;
    }
    let mut asked = load.stop().await;
    // What is left of a budget is spent by both at once, to the end.
    let limit = budget(&one, &url).0 + 1_000_000;
    set_budget(&one, &url, limit);
    let load = Load::start("last", &ports[1..]);
    for gateway in [1, 2] {
        load.more(gateway, 2, |status| status == 402).await;
    }
    asked.extend(load.stop().await);
    assert_eq!((second.stop(), third.stop()), (0, 0));

    let verified = one.run(&["ledger", "verify", "--ledger", &url]);
    assert_eq!(verified.status, 0, "{verified:?}");
    let (used, allowed) = budget(&one, &url);
    assert!(allowed == limit && used <= limit, "{used} of {limit}");
    let spend = one
        .run(&["ledger", "spend", "--json", "--ledger", &url])
        .json();
    let listed = spend["total"]["money"]["listed_nano_usd"].as_i64().unwrap();
    assert!(listed <= limit, "{listed} of {limit}");
    let (counts, apart_us) = counted(&one, &url);
    assert!(apart_us > DAY_US, "one clock is ahead");
    assert_eq!(counts[&cut_off], [1, 0], "the stream that was killed");
    each_is_there_once(&asked, &counts);
}

/// A conversation as an agent sends it: what was asked, and so many tool calls with their results.
fn conversation(turns: usize) -> String {
    let mut messages = vec![json!({"role": "user", "content": "fix the crash in the parser"})];
    for turn in 0..turns {
        let id = format!("toolu_{turn}");
        messages.push(json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "Bash", "input": {"command": "ls"}}]}));
        messages.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "src"}]}));
    }
    json!({"model": "claude-haiku-5-5", "max_tokens": 64, "messages": messages}).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conversation_goes_on_with_its_job_at_whichever_gateway() {
    let directory = tempfile::tempdir().unwrap();
    let server = Postgres::create(directory.path()).unwrap();
    let (url, provider) = (server.url(), Provider::start(answer).await.unwrap());
    let environments = [(); 2].map(|()| Environment::new());
    let more = ["--ledger", url.as_str()];
    let mut gateways = Vec::new();
    for environment in &environments {
        gateways.push(Up::start_with("anthropic", environment, &provider, &more).await);
        share_key(&environments[0], &environments[1]);
    }
    // There, elsewhere, back, and once more after a start anew.
    for (turn, gateway) in [0, 1, 1, 0, 1].into_iter().enumerate() {
        if turn == 4 {
            assert_eq!(gateways.remove(0).stop(), 0);
            assert_eq!(gateways.remove(0).stop(), 0);
            for environment in &environments {
                fs::remove_file(environment.path("port")).unwrap();
                gateways.push(Up::start_with("anthropic", environment, &provider, &more).await);
            }
        }
        let up = &gateways[gateway];
        let answer = up.post_with("/v1/messages", "x-session-id: s1\r\n", &conversation(turn));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let jobs = environments[0].run(&["ledger", "jobs", "--json", "--ledger", &url]);
    let jobs = jobs.json();
    let counts: Vec<_> = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["exchanges"])
        .collect();
    assert_eq!(counts, [5], "{jobs:#}");
    for up in gateways {
        assert_eq!(up.stop(), 0);
    }
    let verified = environments[0].run(&["ledger", "verify", "--ledger", &url]);
    assert_eq!(verified.status, 0, "{verified:?}");
}

/// What was answered is in the ledger once, opened and settled; only a killed gateway may have left an end out.
fn each_is_there_once(asked: &[Asked], counts: &BTreeMap<String, [usize; 2]>) {
    let mut answered = 0;
    for asked in asked.iter().filter(|asked| asked.status == 200) {
        let counts = asked.exchange.as_ref().and_then(|name| counts.get(name));
        let is_there = match counts {
            Some([1, 1]) => true,
            Some([1, 0]) => asked.gateway == 0,
            _ => false,
        };
        assert!(is_there, "{asked:?}: {counts:?}");
        answered += 1;
    }
    assert!(answered > 20, "{answered}");
    for (exchange, counts) in counts {
        assert!(
            counts[0] <= 1 && counts[1] <= 1,
            "{exchange} is there more than once: {counts:?}"
        );
    }
}
