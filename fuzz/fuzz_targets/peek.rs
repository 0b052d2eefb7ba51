//! What `peek` accepts is JSON but for the inside of strings, and every JSON object within the nesting limit is
//! accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use wayproof_wire::{Protocol, peek};

/// What is left to the provider, and what is only our reference's own limit.
const LEFT: [&str; 5] = [
    "escape",
    "control character",
    "surrogate",
    "number out of range",
    "recursion limit",
];

fuzz_target!(|body: &[u8]| {
    for protocol in Protocol::ALL {
        let read = serde_json::from_slice::<Map<String, Value>>(body);
        match (peek(protocol, body), read) {
            (Ok(found), _) if found.fields.len() > body.len() => panic!("more fields than bytes"),
            (Ok(_), Err(error)) => {
                let words = error.to_string();
                assert!(
                    LEFT.iter().any(|left| words.contains(left)),
                    "accepted in spite of: {words}"
                );
            }
            (Err(error), Ok(_)) => panic!("refused a valid body: {error}"),
            (Ok(_), Ok(_)) | (Err(_), Err(_)) => {}
        }
    }
});
