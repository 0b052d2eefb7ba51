//! A client that shows every byte: it writes what it is told and keeps chunks apart.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One answer as it came over the wire.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The chunks of a chunked body, or the one piece of any other.
    pub(crate) chunks: Vec<Vec<u8>>,
    pub(crate) trailers: Vec<(String, String)>,
    /// Whether the body ended the way its framing says.
    pub(crate) is_whole: bool,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body()).unwrap()
    }

    /// The id of the exchange.
    pub(crate) fn exchange(&self) -> &str {
        self.header("x-wayproof-exchange").unwrap()
    }
}

/// A connection to the gateway.
pub(crate) struct Wire {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        Self {
            socket,
            read: Vec::new(),
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.unwrap();
    }

    /// Sends a request with these headers besides `Host` and `Content-Length`.
    pub(crate) async fn send(&mut self, line: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut head = format!("{line} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if !line.starts_with("GET") {
            head.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
        }
        head.push_str("\r\n");
        self.write(head.as_bytes()).await;
        self.write(body).await;
    }

    /// Reads the head of an answer.
    pub(crate) async fn head(&mut self) -> Seen {
        loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                let head: Vec<u8> = self.read.drain(..end + 4).collect();
                return parse_head(&String::from_utf8(head).unwrap());
            }
            assert!(self.more().await, "the connection ended before an answer");
        }
    }

    /// Reads until these bytes came by.
    pub(crate) async fn until(&mut self, bytes: &[u8]) {
        while find(&self.read, bytes).is_none() {
            assert!(self.more().await, "the connection ended too soon");
        }
    }

    /// Reads one answer to its end.
    pub(crate) async fn answer(&mut self) -> Seen {
        let mut seen = self.head().await;
        if seen.header("transfer-encoding") == Some("chunked") {
            self.chunks(&mut seen).await;
        } else if seen.status == 204 {
            seen.is_whole = true;
        } else {
            let length: usize = seen.header("content-length").unwrap().parse().unwrap();
            while self.read.len() < length && self.more().await {}
            seen.is_whole = self.read.len() >= length;
            let length = length.min(self.read.len());
            seen.chunks.push(self.read.drain(..length).collect());
        }
        seen
    }

    async fn chunks(&mut self, seen: &mut Seen) {
        loop {
            let Some(line) = self.line().await else {
                return;
            };
            let length = usize::from_str_radix(&line, 16).unwrap();
            if length == 0 {
                break;
            }
            while self.read.len() < length + 2 {
                if !self.more().await {
                    return;
                }
            }
            let mut chunk: Vec<u8> = self.read.drain(..length + 2).collect();
            chunk.truncate(length);
            seen.chunks.push(chunk);
        }
        while let Some(line) = self.line().await {
            if line.is_empty() {
                seen.is_whole = true;
                return;
            }
            seen.trailers.push(pair(&line));
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = find(&self.read, b"\r\n") {
                let line: Vec<u8> = self.read.drain(..end + 2).collect();
                return Some(String::from_utf8(line[..end].to_vec()).unwrap());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn more(&mut self) -> bool {
        // A reset is an end like any other here.
        self.socket.read_buf(&mut self.read).await.unwrap_or(0) > 0
    }
}

/// Sends one `POST` and reads its answer.
pub(crate) async fn post(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Seen {
    let mut wire = Wire::open(address).await;
    wire.send(&format!("POST {path}"), headers, body).await;
    wire.answer().await
}

/// Sends one `GET` and reads its answer.
pub(crate) async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Seen {
    let mut wire = Wire::open(address).await;
    wire.send(&format!("GET {path}"), headers, b"").await;
    wire.answer().await
}

fn parse_head(head: &str) -> Seen {
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    Seen {
        status: status.parse().unwrap(),
        headers: lines.map(pair).collect(),
        ..Seen::default()
    }
}

fn pair(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap();
    (name.to_owned(), value.trim().to_owned())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
