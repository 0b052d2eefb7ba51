//! Recognizes in a provider's error that the conversation did not fit the model.
//!
//! Every provider says it in its own words; they are listed here. It refuses to take other client errors for it.

/// How much of an error body is read.
const READ_BYTES: usize = 16 * 1024;

/// The words of providers, in lower case; the tests say whose they are.
const PHRASES: [&str; 21] = [
    "prompt is too long",
    "input is too long for requested model",
    "exceed context limit",
    "context_length_exceeded",
    "maximum context length",
    "exceeds the context window",
    "exceeds the maximum number of tokens",
    "exceeds the available context size",
    "exceed_context_size",
    "exceeds the maximum context",
    "exceeds the model's context",
    "greater than the context length",
    "maximum prompt length is",
    "too large for model with",
    "reduce the length of the messages",
    "context window exceeds limit",
    "tokens_limit_reached",
    "tokens + `max_new_tokens` must be",
    "exceeded model token limit",
    "exceeded max context length",
    "prompt token count of",
];

/// Whether an error says that the conversation is longer than the model's window.
pub fn is_context_overflow(status: u16, body: &[u8]) -> bool {
    // Local servers use 500 for it; a rate limit may speak of tokens too and is none.
    if !matches!(status, 400 | 413 | 422 | 500) {
        return false;
    }
    says_overflow(body)
}

/// Whether an error that came inside an answer says so, where there is no status to tell it by.
pub fn is_overflow_inside(said: &str) -> bool {
    !said.starts_with("rate_limit") && says_overflow(said.as_bytes())
}

fn says_overflow(text: &[u8]) -> bool {
    let body = text.get(..READ_BYTES).unwrap_or(text).to_ascii_lowercase();
    PHRASES
        .iter()
        .any(|phrase| memchr::memmem::find(&body, phrase.as_bytes()).is_some())
}
