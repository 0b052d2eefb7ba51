//! Recognizes in a provider's error that it refused sealed reasoning in the conversation.
//!
//! It refuses to take an error for it that speaks of reasoning only because some is missing.

/// How much of an error body is read.
const READ_BYTES: usize = 16 * 1024;

/// The words of Anthropic and the clouds that serve its models, of OpenAI, Azure and others who speak Responses, and of
/// Gemini, in lower case and without marks around names. Both of a pair are there.
const PHRASES: [(&str, &str); 9] = [
    ("invalid signature in", "thinking"),
    ("invalid data in", "redacted_thinking"),
    ("invalid_encrypted_content", ""),
    ("thinking_signature_invalid", ""),
    ("encrypted content", "could not be"),
    ("encrypted_content", "could not be"),
    ("thought signature is not valid", ""),
    ("invalid thought signature", ""),
    ("corrupted thought signature", ""),
];

/// Whether an error says that a seal in the conversation is not the provider's own.
pub fn is_seal_refused(status: u16, body: &[u8]) -> bool {
    if !matches!(status, 400 | 422) {
        return false;
    }
    let body = body.get(..READ_BYTES).unwrap_or(body);
    let plain: Vec<u8> = body
        .iter()
        .filter(|byte| !matches!(byte, b'`' | b'\'' | b'\\'))
        .map(u8::to_ascii_lowercase)
        .collect();
    let says = |phrase: &str| memchr::memmem::find(&plain, phrase.as_bytes()).is_some();
    PHRASES
        .iter()
        .any(|(first, second)| says(first) && says(second))
}
