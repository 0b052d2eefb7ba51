//! Amazon Bedrock as it answers: signatures checked by AWS's description of them, errors in its words, frames.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wayproof_testkit::{Captured, Frame, Reply};
use wayproof_wire::{Protocol, event_message};

use super::{ID, OTHER_MODEL, SECRET};
use crate::dialect;

fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The signature of a request as AWS describes it, made from what arrived.
fn signature(captured: &Captured, region: &str) -> String {
    let shown = captured.header("authorization").unwrap();
    let signed = shown.split("SignedHeaders=").nth(1).unwrap();
    let signed = signed.split(',').next().unwrap();
    let encode = |segment: &str| -> String {
        let bytes = segment.bytes();
        bytes
            .map(|byte| match byte {
                b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let path: Vec<String> = captured.path.split('/').map(encode).collect();
    let mut canonical = format!("{}\n{}\n\n", captured.method, path.join("/"));
    for name in signed.split(';') {
        let value = captured.header(name).unwrap();
        canonical = format!("{canonical}{name}:{value}\n");
    }
    let digest = hex(Sha256::digest(&captured.body));
    canonical = format!(
        "{canonical}
{signed}
{digest}"
    );
    let date = captured.header("x-amz-date").unwrap();
    let day = date.split('T').next().unwrap();
    let scope = format!("{day}/{region}/bedrock/aws4_request");
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        hex(Sha256::digest(canonical))
    );
    let key = [region, "bedrock", "aws4_request"]
        .into_iter()
        .fold(mac(format!("AWS4{SECRET}").as_bytes(), day), |key, part| {
            mac(&key, part)
        });
    let made = hex(mac(&key, &text));
    format!("AWS4-HMAC-SHA256 Credential={ID}/{scope}, SignedHeaders={signed}, Signature={made}")
}

fn refused(status: u16, name: &str, words: &str) -> Reply {
    Reply::json(status, json!({ "message": words }).to_string())
        .with_header("x-amzn-errortype", name)
}

/// What Bedrock does not take.
fn refusal(body: &Value, words: &str) -> Option<Reply> {
    assert_eq!(body["anthropic_version"], "bedrock-2023-05-31");
    for (name, _) in body.as_object().unwrap() {
        if ["model", "stream", "cache_control", "context_management"].contains(&name.as_str()) {
            let words = format!("{name}: Extra inputs are not permitted");
            return Some(refused(400, "ValidationException", &words));
        }
    }
    let flags = body["anthropic_beta"].as_array().cloned();
    if flags
        .unwrap_or_default()
        .iter()
        .any(|flag| flag != "effort-2025-11-24")
    {
        return Some(refused(400, "ValidationException", "invalid beta flag"));
    }
    if words.contains("throttle") {
        return Some(refused(
            429,
            "ThrottlingException",
            "Too many tokens, please wait.",
        ));
    }
    if words.contains("too much") {
        let words = "Input is too long for requested model.";
        return Some(refused(400, "ValidationException", words));
    }
    if words.contains("break the model") {
        return Some(refused(424, "ModelErrorException", "the model broke"));
    }
    None
}

/// What Bedrock says to a request, in its words.
pub(super) fn bedrock(captured: &Captured) -> Reply {
    let signed = captured.header("authorization").unwrap_or_default();
    if !signed.starts_with("Bearer ") && signed != signature(captured, "eu-west-1") {
        let words = "The request signature we calculated does not match";
        return refused(403, "InvalidSignatureException", words);
    }
    let body: Value = serde_json::from_slice(&captured.body).unwrap();
    if let Some(path) = captured.path.strip_prefix("/openai/v1") {
        assert_eq!(body["model"], OTHER_MODEL);
        let protocol = match path {
            "/chat/completions" => Protocol::Chat,
            "/responses" => Protocol::Responses,
            _ => panic!("{path}"),
        };
        return dialect::answer(protocol, captured);
    }
    if captured.path.ends_with("/count-tokens") {
        let inner = body["input"]["invokeModel"]["body"].as_str().unwrap();
        let inner: Value = serde_json::from_slice(&STANDARD.decode(inner).unwrap()).unwrap();
        assert_eq!(inner["anthropic_version"], "bedrock-2023-05-31");
        return Reply::json(200, r#"{"inputTokens":77}"#);
    }
    let words = body["messages"].to_string();
    if let Some(refusal) = refusal(&body, &words) {
        return refusal;
    }
    let is_streaming = captured.path.ends_with("/invoke-with-response-stream");
    let mut asked = captured.clone();
    let mut messages = body.clone();
    messages["stream"] = Value::from(is_streaming);
    asked.body = messages.to_string().into();
    let reply = dialect::answer(Protocol::Messages, &asked);
    if !is_streaming {
        return reply;
    }
    let mut stream: Vec<u8> = reply.frames.iter().flat_map(framed).collect();
    if words.contains("stop midway") {
        let headers = [
            (":exception-type", "throttlingException"),
            (":message-type", "exception"),
        ];
        stream.truncate(framed(&reply.frames[0]).len());
        stream.extend(event_message(&headers, br#"{"message":"Too many tokens"}"#));
    }
    if words.contains("damage") {
        let at = stream.len() - 40;
        stream[at] ^= 1;
    }
    // Pieces as a network makes them: none ends where a frame does.
    let pieces = stream
        .chunks(97)
        .map(|piece| Frame::Data(piece.to_vec().into()));
    let mut reply = reply.clone();
    reply.frames = pieces.collect();
    reply.headers = vec![(
        "content-type".to_owned(),
        "application/vnd.amazon.eventstream".to_owned(),
    )];
    reply
}

/// An event of Messages in a frame.
fn framed(frame: &Frame) -> Vec<u8> {
    let Frame::Data(data) = frame else {
        panic!("{frame:?}")
    };
    let text = std::str::from_utf8(data).unwrap();
    let data = text.split("data: ").nth(1).unwrap().trim_end();
    let payload = json!({"bytes": STANDARD.encode(data), "p": "abcdefgh"}).to_string();
    let headers = [
        (":event-type", "chunk"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    event_message(&headers, payload.as_bytes())
}
