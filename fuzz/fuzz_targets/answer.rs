//! What is learnt from an answer does not depend on how it was cut, and a prefix never knows more than the whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wayproof_wire::{Answer, AnswerForm, AnswerReader, Protocol};

fn read(
    protocol: Protocol,
    form: AnswerForm,
    chunks: impl Iterator<Item = impl AsRef<[u8]>>,
) -> Answer {
    let mut reader = AnswerReader::new(protocol, form);
    for chunk in chunks {
        reader.push(chunk.as_ref());
    }
    reader.finish()
}

fuzz_target!(|bytes: &[u8]| {
    for protocol in Protocol::ALL {
        for form in [AnswerForm::Whole, AnswerForm::Stream] {
            let whole = read(protocol, form, std::iter::once(bytes));
            for size in [1, 5, 64] {
                assert_eq!(
                    read(protocol, form, bytes.chunks(size)),
                    whole,
                    "in pieces of {size}"
                );
            }
        }
    }
});
