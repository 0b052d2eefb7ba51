//! The most tokens that a request can make its model read and write, for those who must not be surprised by the bill.
//!
//! It errs upwards only, and says so where the request does not tell. It counts no tokens: a token is at least a byte.

use memchr::memmem;

use crate::json::{Json, spells};
use crate::protocol::Protocol;
use crate::view::Request;

/// What providers put before a request of their own accord: the prompt that explains tools is the longest.
const PROVIDERS_OWN_TOKENS: u64 = 4_096;

/// Tokens that OpenAI's Completions write when nobody says how many.
const COMPLETIONS_DEFAULT: u64 = 16;

/// Bounds of a request in tokens; `None` where the request does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostTokens {
    /// Of all input, fresh and cached.
    pub input: Option<u64>,
    /// Of all answers together, reasoning included.
    pub output: Option<u64>,
}

/// Finds the most tokens a request can cost.
///
/// Where a field stands twice, the larger value counts, since providers differ in which one they take. What a
/// provider's own tools read on its side is in no request, so it is not bounded here.
pub fn most_tokens(request: &Request<'_>) -> MostTokens {
    MostTokens {
        input: (!refers_elsewhere(request))
            .then(|| request.body.len() as u64 + PROVIDERS_OWN_TOKENS),
        output: output(request),
    }
}

fn output(request: &Request<'_>) -> Option<u64> {
    let largest = |name: &str| {
        let found = request.peek.fields.iter();
        let found = found.filter(|field| spells(field.name.of(request.body), name));
        found
            .filter_map(|field| Json::new(field.value.of(request.body)).integer::<u64>())
            .max()
    };
    let times = |names: &[&str]| names.iter().filter_map(|name| largest(name)).max();
    let inside = |outer: &[&str], inner: &str| {
        let found = outer.iter().filter_map(|name| request.json(name));
        found
            .filter_map(|json| json.get(inner)?.integer::<u64>())
            .max()
    };
    let (limit, answers) = match request.peek.protocol {
        Protocol::Messages => (largest("max_tokens"), None),
        Protocol::Chat => (
            times(&["max_completion_tokens", "max_tokens"]),
            times(&["n"]),
        ),
        Protocol::Responses => (largest("max_output_tokens"), None),
        Protocol::Completions => (
            Some(largest("max_tokens").unwrap_or(COMPLETIONS_DEFAULT)),
            times(&["n", "best_of"]),
        ),
        Protocol::Fim => (largest("max_tokens"), None),
        Protocol::Gemini => {
            let config = ["generationConfig", "generation_config"];
            let limits = ["maxOutputTokens", "max_output_tokens"];
            let counts = ["candidateCount", "candidate_count"];
            let most =
                |names: [&str; 2]| names.iter().filter_map(|name| inside(&config, name)).max();
            (most(limits), most(counts))
        }
        // A negative number means without end, and is none of this type.
        Protocol::Ollama => (inside(&["options"], "num_predict"), None),
    };
    limit.map(|limit| limit.saturating_mul(answers.unwrap_or(1).max(1)))
}

/// Whether some of the input is not in the body: an earlier response, a stored prompt, a file, an address.
fn refers_elsewhere(request: &Request<'_>) -> bool {
    const FIELDS: [&str; 3] = ["previous_response_id", "conversation", "prompt"];
    const FILES: [&[u8]; 4] = [
        b"\"file_id\"",
        b"\"fileUri\"",
        b"\"file_uri\"",
        b"\"file_url\"",
    ];
    const ADDRESSES: [&[u8]; 2] = [b"\"url\"", b"\"image_url\""];
    let is_stored = request.peek.protocol == Protocol::Responses
        && FIELDS
            .iter()
            .filter_map(|name| request.json(name))
            .any(|value| !value.is_null());
    let is_cached = request.peek.protocol == Protocol::Gemini
        && ["cachedContent", "cached_content"]
            .iter()
            .any(|name| request.field(name).is_some());
    is_stored
        || is_cached
        || FILES
            .iter()
            .any(|key| memmem::find(request.body, key).is_some())
        || ADDRESSES.iter().any(|key| {
            memmem::find_iter(request.body, key)
                .any(|at| is_web_address(request.body.get(at + key.len()..).unwrap_or_default()))
        })
}

/// Whether what follows a key is an address on the web rather than data or a schema.
fn is_web_address(after: &[u8]) -> bool {
    let after = after.trim_ascii_start();
    let Some(value) = after.strip_prefix(b":") else {
        return false;
    };
    let value = value.trim_ascii_start();
    let is_data = value.len() >= 6
        && value
            .get(..6)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"\"data:"));
    value.starts_with(b"\"") && !is_data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peek::peek;

    fn most(protocol: Protocol, body: &str) -> (bool, Option<u64>) {
        let peek = peek(protocol, body.as_bytes()).unwrap();
        let request = Request {
            body: body.as_bytes(),
            peek: &peek,
        };
        let most = most_tokens(&request);
        let whole = body.len() as u64 + PROVIDERS_OWN_TOKENS;
        assert!(most.input.is_none_or(|input| input == whole));
        (most.input.is_some(), most.output)
    }

    #[test]
    fn the_larger_of_two_limits_counts_for_every_answer() {
        let chat =
            r#"{"model":"m","max_tokens":10,"n":3,"messages":[],"max_completion_tokens":40}"#;
        assert_eq!(most(Protocol::Chat, chat), (true, Some(120)));
        let twice = r#"{"model":"m","max_tokens":900,"max_tokens":1,"messages":[]}"#;
        assert_eq!(most(Protocol::Messages, twice), (true, Some(900)));
        let gemini =
            r#"{"contents":[],"generationConfig":{"maxOutputTokens":8,"candidateCount":2}}"#;
        assert_eq!(most(Protocol::Gemini, gemini), (true, Some(16)));
        let endless = r#"{"model":"m","messages":[],"options":{"num_predict":-1}}"#;
        assert_eq!(most(Protocol::Ollama, endless), (true, None));
        let short = r#"{"model":"m","prompt":"x"}"#;
        assert_eq!(most(Protocol::Completions, short), (true, Some(16)));
        let huge = r#"{"model":"m","max_tokens":18446744073709551615,"n":2,"messages":[]}"#;
        assert_eq!(most(Protocol::Chat, huge), (true, Some(u64::MAX)));
    }

    #[test]
    fn what_is_not_in_the_body_is_not_bounded() {
        for body in [
            r#"{"model":"m","input":[],"previous_response_id":"r"}"#,
            r#"{"model":"m","input":[{"type":"input_file","file_id":"f"}]}"#,
            r#"{"model":"m","input":[{"type":"input_image","image_url" : "https://x/y.png"}]}"#,
        ] {
            assert_eq!(most(Protocol::Responses, body), (false, None), "{body}");
        }
        for body in [
            r#"{"model":"m","input":[],"previous_response_id":null,"max_output_tokens":5}"#,
            r#"{"model":"m","input":[{"type":"input_image","image_url":"data:image/png;base64,AA"}],"max_output_tokens":5}"#,
            r#"{"model":"m","input":"see \"url\": \"https://x\"","tools":[{"url":{"type":"string"}}],"max_output_tokens":5}"#,
        ] {
            assert_eq!(most(Protocol::Responses, body), (true, Some(5)), "{body}");
        }
    }
}
