//! Redacting is the same for a text in any pieces, changes nothing the second time, and leaves JSON what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wayproof_redact::{Stream, redact, redact_json};

fuzz_target!(|input: (&[u8], &[u8])| {
    let (bytes, ends) = input;
    let mut whole = Vec::new();
    let mut stream = Stream::new();
    stream.push(bytes, &mut whole);
    stream.finish(&mut whole);

    let (mut stream, mut pieces, mut at) = (Stream::new(), Vec::new(), 0);
    for end in ends {
        let end = (at + usize::from(*end)).min(bytes.len());
        stream.push(&bytes[at..end], &mut pieces);
        at = end;
    }
    stream.push(&bytes[at..], &mut pieces);
    stream.finish(&mut pieces);
    assert_eq!(pieces, whole);

    let text = String::from_utf8_lossy(bytes);
    let once = redact(&text).into_owned();
    assert_eq!(redact(&once), once);
    let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
    let redacted = redact_json(&text);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&redacted).is_ok(), is_json);
});
