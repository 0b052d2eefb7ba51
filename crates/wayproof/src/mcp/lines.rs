//! Standard input and output, line by line. A line that is no JSON is answered with a protocol error instead of
//! silence; everything else goes on as it came. Lines are bounded.

use serde_json::{json, value::RawValue};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream,
        Stdin, Stdout, duplex, stdin, stdout,
    },
    sync::Mutex,
    task::{AbortHandle, JoinSet},
};

use std::sync::Arc;

/// A longer line is no request.
const MOST_BYTES: u64 = 4 << 20;
const ROOM: usize = 64 << 10;

/// What moves the lines.
pub(super) struct Pumps {
    inwards: AbortHandle,
    all: JoinSet<()>,
}

impl Pumps {
    /// Waits until everything that was answered is written. Standard input is not waited for.
    pub(super) async fn end(mut self) {
        self.inwards.abort();
        while let Some(ended) = self.all.join_next().await {
            if let Err(error) = ended
                && !error.is_cancelled()
            {
                tracing::debug!(%error, "a pump of the client's lines broke");
            }
        }
    }
}

/// Both ends of a client, with what is no JSON held back.
pub(super) fn guarded() -> (DuplexStream, DuplexStream, Pumps) {
    let (inner_input, input) = duplex(ROOM);
    let (output, inner_output) = duplex(ROOM);
    let out = Arc::new(Mutex::new(stdout()));
    let mut pumps = JoinSet::new();
    let errors = Arc::clone(&out);
    let inwards = pumps.spawn(async move { inwards(stdin(), inner_input, &errors).await });
    pumps.spawn(async move { outwards(inner_output, &out).await });
    let pumps = Pumps {
        inwards,
        all: pumps,
    };
    (input, output, pumps)
}

async fn inwards(from: Stdin, mut to: DuplexStream, errors: &Mutex<Stdout>) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        let read = (&mut from)
            .take(MOST_BYTES)
            .read_until(b'\n', &mut line)
            .await;
        if read.is_err() || line.is_empty() {
            return;
        }
        let is_whole = line.ends_with(b"\n");
        if !is_whole && u64::try_from(line.len()).is_ok_and(|length| length >= MOST_BYTES) {
            refuse(errors, "the line is longer than 4 MiB").await;
            if !skip(&mut from).await {
                return;
            }
            continue;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if serde_json::from_slice::<&RawValue>(&line).is_err() {
            refuse(
                errors,
                "the line is no JSON; every message is one line of it",
            )
            .await;
            continue;
        }
        if !is_whole {
            line.push(b'\n');
        }
        if to.write_all(&line).await.is_err() {
            return;
        }
    }
}

/// Reads to the end of a line; whether there was one.
async fn skip(from: &mut BufReader<Stdin>) -> bool {
    loop {
        let mut rest = Vec::new();
        let read = (&mut *from)
            .take(MOST_BYTES)
            .read_until(b'\n', &mut rest)
            .await;
        if read.is_err() || rest.is_empty() {
            return false;
        }
        if rest.ends_with(b"\n") {
            return true;
        }
    }
}

async fn refuse(errors: &Mutex<Stdout>, sentence: &str) {
    let error =
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32_700, "message": sentence}});
    write(errors, format!("{error}\n").as_bytes()).await;
}

async fn outwards(from: DuplexStream, out: &Mutex<Stdout>) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        let read = from.read_until(b'\n', &mut line).await;
        if read.is_err() || line.is_empty() {
            return;
        }
        write(out, &line).await;
    }
}

async fn write(out: &Mutex<Stdout>, line: &[u8]) {
    let mut out = out.lock().await;
    let written = out.write_all(line).await;
    // A client that went away closes its input, too, and that ends the server.
    if let Err(error) = written.and(out.flush().await) {
        tracing::debug!(%error, "the client does not read");
    }
}
