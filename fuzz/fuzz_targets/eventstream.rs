//! What a client is told does not depend on how a stream was cut, and a frame that does not hold says nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wayproof_wire::{CloudAnswer, EventStreamError, event_message};

fn told<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Result<(), EventStreamError>) {
    let (mut answer, mut said) = (CloudAnswer::frames(), Vec::new());
    for piece in pieces {
        if let Err(error) = answer.push(piece, &mut said) {
            return (said, Err(error));
        }
    }
    let ended = answer.finish().map(|_| ());
    (said, ended)
}

fuzz_target!(|bytes: &[u8]| {
    // As they are, and as the payload of a frame that holds.
    let headers = [(":event-type", "chunk"), (":message-type", "event")];
    for stream in [bytes.to_vec(), event_message(&headers, bytes)] {
        let whole = told(std::iter::once(stream.as_slice()));
        for size in [1, 2, 3, 7, 65] {
            assert_eq!(told(stream.chunks(size)), whole, "in pieces of {size}");
        }
    }
});
