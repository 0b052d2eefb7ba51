//! Messages as clouds take and give them.
//!
//! Amazon Bedrock and Google's Vertex serve Anthropic's models by requests of Messages that name the model in the
//! path, have a version in the body, and, at Bedrock, ask for a stream in the path and get it in binary frames. Here is
//! what differs in bodies; addresses and credentials are the providers'.

mod answer;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

pub use answer::CloudAnswer;

use crate::leave_out::leave_out;
use crate::peek::{Peek, peek};
use crate::protocol::Protocol;
use crate::skim::Malformed;
use crate::view::Request;

/// A cloud that serves Messages in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessagesCloud {
    /// Amazon Bedrock's runtime.
    Bedrock,
    /// Google's Vertex.
    Vertex,
}

/// A request as a cloud takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudRequest {
    /// The body, in pieces.
    pub pieces: Vec<Bytes>,
    /// Whether it asks for a stream.
    pub is_streaming: bool,
}

impl MessagesCloud {
    const fn version(self) -> &'static str {
        match self {
            Self::Bedrock => "bedrock-2023-05-31",
            Self::Vertex => "vertex-2023-10-16",
        }
    }

    /// Makes a cloud's request of one for Messages; `betas` go into the body where the cloud reads them there.
    ///
    /// # Errors
    /// When the body is no JSON object.
    pub fn request(self, body: &[u8], betas: &[&str]) -> Result<CloudRequest, Malformed> {
        let found = peek(Protocol::Messages, body)?;
        let names: &[&str] = match self {
            Self::Bedrock => &["model", "stream", "anthropic_version", "anthropic_beta"],
            // Vertex wants the stream in the path and in the body.
            Self::Vertex => &["model", "anthropic_version"],
        };
        let mut first = format!("\"anthropic_version\":\"{}\"", self.version());
        if self == Self::Bedrock && !betas.is_empty() {
            let betas = serde_json::Value::from(betas.to_vec());
            first = format!("{first},\"anthropic_beta\":{betas}");
        }
        Ok(CloudRequest {
            is_streaming: found.is_streaming,
            pieces: fitted(body, &found, names, &first),
        })
    }

    /// Makes a cloud's request to count tokens of one for Messages.
    ///
    /// # Errors
    /// When the body is no JSON object.
    pub fn count(self, body: &[u8]) -> Result<Vec<Bytes>, Malformed> {
        let found = peek(Protocol::Messages, body)?;
        let version = format!("\"anthropic_version\":\"{}\"", self.version());
        if self == Self::Vertex {
            // The model stays: the path names none.
            return Ok(fitted(
                body,
                &found,
                &["anthropic_version", "stream"],
                &version,
            ));
        }
        // Bedrock counts a whole request, and one has a limit of its answer.
        let names = ["model", "stream", "anthropic_version", "max_tokens"];
        let first = format!("{version},\"max_tokens\":1");
        let inner = fitted(body, &found, &names, &first).concat();
        let text = STANDARD.encode(inner);
        let outer = format!("{{\"input\":{{\"invokeModel\":{{\"body\":\"{text}\"}}}}}}");
        Ok(vec![Bytes::from(outer)])
    }
}

/// A body without some fields and with others before the rest; every byte between stays as it is.
fn fitted(body: &[u8], found: &Peek, without: &[&str], first: &str) -> Vec<Bytes> {
    let request = Request { body, peek: found };
    let left = leave_out(&request, without).map(|left| left.body);
    let body = left.as_deref().unwrap_or(body);
    // What is left is an object still.
    let rest = body.trim_ascii_start().strip_prefix(b"{");
    let rest = rest.unwrap_or_default();
    let comma = if rest.trim_ascii_start().starts_with(b"}") {
        ""
    } else {
        ","
    };
    vec![
        Bytes::from(format!("{{{first}{comma}")),
        Bytes::copy_from_slice(rest),
    ]
}
