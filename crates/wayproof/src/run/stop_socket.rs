//! How an agent's stop hook reaches the run that started it: one JSON line each way on a Unix socket.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

/// What the hook tells the run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stopping {
    /// The session of the agent.
    pub(crate) session: Option<String>,
}

/// What the run answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// The agent may end.
    MayStop,
    /// The agent goes on, with this fact.
    GoOn(String),
}

/// A line longer than this is not from our hook.
const LINE_LIMIT: u64 = 64 * 1024;

/// The run's end of the socket; the file goes when it is dropped.
#[derive(Debug)]
pub(crate) struct StopSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// An agent that waits for an answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    stream: UnixStream,
    /// What its hook said.
    pub(crate) stopping: Stopping,
}

impl StopSocket {
    /// Listens on a path that does not exist yet.
    pub(crate) fn listen(path: &Path) -> io::Result<Self> {
        Ok(Self {
            listener: UnixListener::bind(path)?,
            path: path.to_owned(),
        })
    }

    /// Waits for the next agent that says it is done.
    pub(crate) async fn next(&self) -> io::Result<Waiting> {
        loop {
            let (mut stream, _) = self.listener.accept().await?;
            let mut line = String::new();
            let (read, _) = stream.split();
            BufReader::new(read.take(LINE_LIMIT))
                .read_line(&mut line)
                .await?;
            if let Ok(stopping) = serde_json::from_str(&line) {
                return Ok(Waiting { stream, stopping });
            }
        }
    }
}

impl Drop for StopSocket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the socket of the run stays behind");
        }
    }
}

impl Waiting {
    /// Answers; an agent that went away in the meantime needs no answer.
    pub(crate) async fn answer(mut self, answer: &Answer) -> io::Result<()> {
        let line = serde_json::to_string(answer)? + "\n";
        self.stream.write_all(line.as_bytes()).await
    }
}

/// The hook's end: says that the agent wants to stop and waits for the answer.
pub(crate) async fn ask(socket: &Path, stopping: &Stopping) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(socket).await?;
    let line = serde_json::to_string(stopping)? + "\n";
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(stream.take(LINE_LIMIT))
        .read_line(&mut answer)
        .await?;
    Ok(serde_json::from_str(&answer)?)
}
