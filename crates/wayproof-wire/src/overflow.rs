//! Recognizes in a provider's error that the conversation did not fit the model.
//!
//! Every provider says it in its own words; they are listed here. It refuses to take other client errors for it.

/// How much of an error body is read.
const READ_BYTES: usize = 16 * 1024;

/// The words of Anthropic, OpenAI, Gemini, Bedrock, GitHub, Together, llama.cpp, vLLM and others, in lower case.
const PHRASES: [&str; 18] = [
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
];

/// Whether an error says that the conversation is longer than the model's window.
pub fn is_context_overflow(status: u16, body: &[u8]) -> bool {
    // Local servers use 500 for it; a rate limit may speak of tokens too and is none.
    if !matches!(status, 400 | 413 | 422 | 500) {
        return false;
    }
    let body = body.get(..READ_BYTES).unwrap_or(body).to_ascii_lowercase();
    PHRASES
        .iter()
        .any(|phrase| memchr::memmem::find(&body, phrase.as_bytes()).is_some())
}
