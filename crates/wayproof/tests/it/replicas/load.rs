//! Requests without end to several gateways, and what became of each.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinSet,
};

/// How many ask one gateway at a time.
const ASKERS: usize = 2;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// What became of a request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Which gateway was asked.
    pub(super) gateway: usize,
    /// The status of its answer.
    pub(super) status: u16,
    /// The exchange's name, as the answer says.
    pub(super) exchange: Option<String>,
}

/// Requests on their way.
pub(super) struct Load {
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: watch::Sender<bool>,
    askers: JoinSet<()>,
}

impl Load {
    /// Begins to ask the gateways on these ports.
    pub(super) fn start(name: &str, gateways: &[(usize, u16)]) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (asked, mut askers) = (Arc::<Mutex<Vec<Asked>>>::default(), JoinSet::new());
        for &(gateway, port) in gateways {
            for asker in 0..ASKERS {
                let (asked, stopped) = (Arc::clone(&asked), stopped.clone());
                let name = format!("{name} {gateway} {asker}");
                askers.spawn(async move {
                    for number in 0.. {
                        if *stopped.borrow() {
                            return;
                        }
                        let answer = ask(port, &format!("{name} {number}")).await;
                        let is_answered = matches!(answer, Some((200, _)));
                        if let Some((status, exchange)) = answer {
                            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
                            asked.push(Asked {
                                gateway,
                                status,
                                exchange,
                            });
                        }
                        if !is_answered {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                    }
                });
            }
        }
        Self {
            asked,
            stop,
            askers,
        }
    }

    /// Waits until a gateway gave so many more answers of which this holds.
    pub(super) async fn more(&self, gateway: usize, count: usize, holds: fn(u16) -> bool) {
        let wanted = |asked: &Asked| asked.gateway == gateway && holds(asked.status);
        let seen = || {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.iter().filter(|asked| wanted(asked)).count()
        };
        let before = seen();
        let waited = tokio::time::timeout(PATIENCE, async {
            while seen() < before + count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(
            waited.await.is_ok(),
            "gateway {gateway} gave {} of {count} answers",
            seen() - before
        );
    }

    /// Asks no more, and tells what became of all that was asked.
    pub(super) async fn stop(self) -> Vec<Asked> {
        self.stop.send_replace(true);
        self.askers.join_all().await;
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }
}

/// The text of a request.
pub(super) fn request(text: &str, is_streaming: bool) -> String {
    let body = format!(
        r#"{{"model":"claude-haiku-5-5","max_tokens":64,"stream":{is_streaming},"messages":[{{"role":"user","content":"fix the crash in {text}"}}]}}"#
    );
    format!(
        "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The exchange's name in the head of an answer.
pub(super) fn exchange(answer: &str) -> Option<String> {
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix("x-wayproof-exchange: "));
    line.map(|name| name.trim().to_owned())
}

/// Status and exchange of a whole answer; nothing where it broke off or none came.
async fn ask(port: u16, text: &str) -> Option<(u16, Option<String>)> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    socket
        .write_all(request(text, false).as_bytes())
        .await
        .ok()?;
    let mut answer = String::new();
    let read = socket.read_to_string(&mut answer);
    tokio::time::timeout(PATIENCE, read).await.ok()?.ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, exchange(&answer)))
}
