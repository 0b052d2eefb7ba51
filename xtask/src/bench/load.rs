//! The benchmark's load: closed loops and constant rates against one address, on one thread.
//!
//! At a constant rate a latency counts from when the request was due, so a slow answer also costs those behind it.

use std::{cell::RefCell, net::SocketAddr, rc::Rc, time::Duration};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, task::LocalSet};

use super::{
    bodies::{SESSION_ID, SESSION_MARK, TURN_MARK},
    mock::{CHUNKS, now_ns},
};

/// What to send, as one JSON argument.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) body_file: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) connections: usize,
    /// Requests a second; nothing is a closed loop.
    pub(crate) rate: Option<f64>,
    pub(crate) seconds: f64,
    /// Ends after this many requests, if that is earlier.
    pub(crate) most: Option<u64>,
    pub(crate) vary: Vary,
    pub(crate) is_streaming: bool,
}

/// What differs from request to request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Vary {
    /// Each request is a conversation of its own.
    Conversation,
    /// One conversation, whose newest turn differs.
    Turn,
}

/// What came of it. Times are in microseconds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) sent: u64,
    pub(crate) failed: u64,
    pub(crate) seconds: f64,
    pub(crate) latency_us: Vec<u64>,
    /// From due to the first text delta.
    pub(crate) first_delta_us: Vec<u64>,
    /// Deltas that arrived, and reads that held at least one of them.
    pub(crate) deltas: u64,
    pub(crate) delta_reads: u64,
    pub(crate) incomplete_streams: u64,
}

struct Worker {
    order: Rc<Order>,
    outcome: Rc<RefCell<Outcome>>,
    counter: Rc<RefCell<u64>>,
    template: Rc<[u8]>,
    places: Rc<[usize]>,
    deadline: u64,
}

/// Runs an order and prints its outcome as JSON.
pub(crate) fn run(order: Order) -> Result<()> {
    let template = std::fs::read(&order.body_file).context("reading the body")?;
    let marks = match order.vary {
        Vary::Conversation => vec![SESSION_MARK, SESSION_ID, TURN_MARK],
        Vary::Turn => vec![TURN_MARK],
    };
    let places: Vec<usize> = marks
        .iter()
        .flat_map(|mark| digits_after(&template, mark))
        .collect();
    if places.is_empty() {
        bail!("the body holds no mark, so all requests would be the same");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = LocalSet::new().block_on(&runtime, drive(order, template, places))?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

fn digits_after(body: &[u8], mark: &str) -> Vec<usize> {
    memchr::memmem::find_iter(body, mark.as_bytes())
        .map(|at| at + mark.len() - 12)
        .collect()
}

async fn drive(order: Order, template: Vec<u8>, places: Vec<usize>) -> Result<Outcome> {
    let start = now_ns();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds are small and positive"
    )]
    let length = (order.seconds * 1e9) as u64;
    let shared = Worker {
        order: Rc::new(order),
        outcome: Rc::default(),
        counter: Rc::default(),
        template: Rc::from(template),
        places: Rc::from(places),
        deadline: start + length,
    };
    let mut workers = Vec::new();
    for _ in 0..shared.order.connections {
        let worker = Worker {
            order: Rc::clone(&shared.order),
            outcome: Rc::clone(&shared.outcome),
            counter: Rc::clone(&shared.counter),
            template: Rc::clone(&shared.template),
            places: Rc::clone(&shared.places),
            deadline: shared.deadline,
        };
        workers.push(tokio::task::spawn_local(worker.run(start)));
    }
    for worker in workers {
        worker.await??;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "a run has few nanoseconds for a float"
    )]
    let seconds = (now_ns() - start) as f64 / 1e9;
    let mut outcome = shared.outcome.take();
    outcome.seconds = seconds;
    Ok(outcome)
}

impl Worker {
    async fn run(self, start: u64) -> Result<()> {
        let mut connection = connect(self.order.address).await?;
        loop {
            let number = {
                let mut counter = self.counter.borrow_mut();
                *counter += 1;
                *counter
            };
            let Some(due) = self.due(start, number) else {
                return Ok(());
            };
            let now = now_ns();
            if due > now {
                tokio::time::sleep(Duration::from_nanos(due - now)).await;
            }
            let due = if self.order.rate.is_some() {
                due
            } else {
                now_ns()
            };
            if self.one(&mut connection, number, due).await.is_err() {
                self.outcome.borrow_mut().failed += 1;
                connection = connect(self.order.address).await?;
            }
        }
    }

    /// When request `number` is due, or nothing when the run is over.
    fn due(&self, start: u64, number: u64) -> Option<u64> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a run has few requests"
        )]
        let due = match self.order.rate {
            Some(rate) => start + (number as f64 / rate * 1e9) as u64,
            None => now_ns(),
        };
        let is_over = due >= self.deadline || self.order.most.is_some_and(|most| number > most);
        (!is_over).then_some(due)
    }

    fn body(&self, number: u64) -> Bytes {
        let mut body = self.template.to_vec();
        let digits = format!("{number:012}");
        for &place in self.places.iter() {
            if let Some(target) = body.get_mut(place..place + 12) {
                target.copy_from_slice(digits.as_bytes());
            }
        }
        Bytes::from(body)
    }

    async fn one(
        &self,
        connection: &mut SendRequest<Full<Bytes>>,
        number: u64,
        due: u64,
    ) -> Result<()> {
        let mut request = Request::post(&self.order.path)
            .header("host", self.order.address.to_string())
            .header("content-type", "application/json");
        for (name, value) in &self.order.headers {
            request = request.header(name, value);
        }
        connection.ready().await?;
        self.outcome.borrow_mut().sent += 1;
        let response = connection
            .send_request(request.body(Full::new(self.body(number)))?)
            .await?;
        let is_good = response.status().is_success();
        let mut body = response.into_body();
        let (mut deltas, mut reads, mut first) = (0, 0, None);
        let mut marks = Marks::default();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            let found = marks.count(&data);
            if found > 0 {
                first.get_or_insert_with(now_ns);
                deltas += found;
                reads += 1;
            }
        }
        let end = now_ns();
        let mut outcome = self.outcome.borrow_mut();
        outcome.latency_us.push((end - due) / 1_000);
        outcome
            .first_delta_us
            .extend(first.map(|at| (at - due) / 1_000));
        outcome.deltas += deltas;
        outcome.delta_reads += reads;
        outcome.failed += u64::from(!is_good);
        let is_whole = !self.order.is_streaming || deltas == CHUNKS as u64;
        outcome.incomplete_streams += u64::from(!is_whole);
        Ok(())
    }
}

/// Counts the marks of deltas in a stream, also those that a read cuts in two.
#[derive(Default)]
struct Marks {
    tail: Vec<u8>,
}

impl Marks {
    const MARK: &[u8] = b"@ and so on";

    fn count(&mut self, data: &[u8]) -> u64 {
        let short = Self::MARK.len() - 1;
        let whole = memchr::memmem::find_iter(data, Self::MARK).count();
        // Neither side of the seam is long enough for a mark of its own.
        self.tail
            .extend_from_slice(data.get(..short).unwrap_or(data));
        let cut = memchr::memmem::find_iter(&self.tail, Self::MARK).count();
        if data.len() >= short {
            self.tail.clear();
            self.tail
                .extend(data.get(data.len() - short..).into_iter().flatten());
        } else {
            let surplus = self.tail.len().saturating_sub(short);
            self.tail.drain(..surplus);
        }
        (whole + cut) as u64
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let socket = TcpStream::connect(address)
        .await
        .context("connecting to the target")?;
    socket.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    tokio::task::spawn_local(async move {
        // The sender sees the failure; the driver has nobody else to tell.
        let _closed = connection.await;
    });
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::Marks;

    #[test]
    fn marks_are_counted_wherever_a_stream_is_cut() {
        let text = b"x@1@ and so on, @2@ and so on@3@ and so on";
        for first in 0..text.len() {
            for second in first..text.len() {
                let mut marks = Marks::default();
                let found: u64 = [&text[..first], &text[first..second], &text[second..]]
                    .into_iter()
                    .map(|part| marks.count(part))
                    .sum();
                assert_eq!(found, 3, "{first} {second}");
            }
        }
    }
}
