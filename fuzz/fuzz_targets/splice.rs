//! A splice changes the model strings and no other byte.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wayproof_wire::{Protocol, peek, splice_model};

const NEW: &str = "new \"name\"\\";

fuzz_target!(|body: &[u8]| {
    let body = Bytes::copy_from_slice(body);
    for protocol in Protocol::ALL {
        let Ok(found) = peek(protocol, &body) else {
            return;
        };
        let spliced = splice_model(&body, &found, NEW).concat();
        let again = peek(protocol, &spliced).expect("a splice keeps a body valid");
        assert_eq!(found.fields.len(), again.fields.len());
        assert_eq!(found.items.len(), again.items.len());
        for (before, after) in found.fields.iter().zip(&again.fields) {
            assert_eq!(before.name.of(&body), after.name.of(&spliced));
            if !found.model.contains(&before.value) {
                assert_eq!(before.value.of(&body), after.value.of(&spliced));
            }
        }
        if !found.model.is_empty() {
            assert_eq!(again.model_name, NEW);
            // Every name is the same now, so asking for it again is the identity.
            let spliced = Bytes::from(spliced);
            assert_eq!(splice_model(&spliced, &again, NEW), [spliced]);
        }
    }
});
