//! Frames do not depend on how a stream was cut, and no frame is above the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wayproof_wire::SseDecoder;

const LIMIT: usize = 64;

fn frames(chunks: impl Iterator<Item = impl AsRef<[u8]>>) -> (Vec<Vec<u8>>, usize) {
    let mut decoder = SseDecoder::with_limit(LIMIT);
    let mut found = Vec::new();
    for chunk in chunks {
        decoder.push(chunk.as_ref(), |frame| {
            assert!(frame.raw.len() <= LIMIT);
            assert!(
                frame
                    .data()
                    .is_none_or(|data| data.len() <= frame.raw.len())
            );
            assert!(frame.event().len() <= frame.raw.len());
            found.push(frame.raw.to_vec());
        });
    }
    (found, decoder.dropped())
}

fuzz_target!(|stream: &[u8]| {
    let whole = frames(std::iter::once(stream));
    for size in [1, 2, 3, 7, 65] {
        assert_eq!(frames(stream.chunks(size)), whole, "in pieces of {size}");
    }
});
