//! Whether a provider's error says that it has nothing at an address, rather than no such model.
//!
//! Sources: what vLLM, llama.cpp, LM Studio, Ollama, FastAPI, Express and nginx answer to a path they do not serve, and
//! what the first four answer to a model they do not have.

/// Words about what is missing at an address that exists.
const MISSING: [&[u8]; 4] = [
    b"model",
    b"deployment",
    b"response with id",
    b"previous_response",
];

/// Whether this error is one of an address. Whoever has the address names what is missing there.
pub fn is_address_unknown(status: u16, body: &[u8]) -> bool {
    let is_telling = matches!(status, 404 | 405 | 501);
    let lower = body.to_ascii_lowercase();
    let names = |word: &[u8]| memchr::memmem::find(&lower, word).is_some();
    is_telling && !MISSING.into_iter().any(names)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::is_address_unknown;

    #[rstest]
    #[case::fast_api(404, r#"{"detail":"Not Found"}"#, true)]
    #[case::llama_cpp(
        404,
        r#"{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}"#,
        true
    )]
    #[case::ollama(404, "404 page not found", true)]
    #[case::express(404, "<pre>Cannot POST /v1/responses</pre>", true)]
    #[case::method(405, "", true)]
    #[case::lm_studio(
        200,
        r#"{"error":"Unexpected endpoint or method. (POST /v1/responses)"}"#,
        false
    )]
    #[case::vllm_model(
        404,
        r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError"}"#,
        false
    )]
    #[case::ollama_model(404, r#"{"error":"model 'x' not found"}"#, false)]
    #[case::openai_model(404, r#"{"error":{"code":"model_not_found"}}"#, false)]
    #[case::openai_kept(
        404,
        r#"{"error":{"message":"Response with id 'resp_1' not found."}}"#,
        false
    )]
    #[case::other(400, "", false)]
    fn an_address_is_told_from_a_model(#[case] status: u16, #[case] body: &str, #[case] is: bool) {
        assert_eq!(is_address_unknown(status, body.as_bytes()), is);
    }
}
