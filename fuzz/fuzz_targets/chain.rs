//! Whatever comes over a socket, a turn is a request that can be read, with every item that came before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wayproof_wire::{Chain, ChainStep, Protocol, peek};

fuzz_target!(|bytes: &[u8]| {
    let mut chain = Chain::default();
    for message in bytes.split(|byte| *byte == b'\n') {
        let step = chain.step(message, "mint", 7);
        if let ChainStep::Ask(mut turn) = step {
            let found = peek(Protocol::Responses, &turn.body).unwrap();
            assert!(found.is_streaming);
            turn.heard(br#"{"type":"response.output_item.done","item":{"type":"message"}}"#);
            turn.heard(br#"{"type":"response.completed","response":{"id":"r"}}"#);
            chain.close(turn);
        }
    }
});
