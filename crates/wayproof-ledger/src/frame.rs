//! Frames: how events lie one after the other in a journal.
//!
//! A frame is its length, how far its segment was on the disk when it was written, a checksum and the event's text.
//! So every frame tells what before it must be whole, whatever a loss of power makes of the rest. The checksum is seeded with the segment's nonce and the frame's offset, so that bytes of an earlier use of the same
//! file, or the same bytes at another place, are never taken for a frame. Nothing here reads or writes files.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::event::MAX_EVENT_BYTES;

/// Bytes before the text: length (4), durable (4), checksum (8).
pub(crate) const HEADER_BYTES: usize = 16;

/// Puts an unsealed frame behind the others.
pub(crate) fn put(frames: &mut Vec<u8>, text: &[u8]) {
    // An event is at most 60 KiB, checked where its text is made.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    frames.extend_from_slice(&length.to_le_bytes());
    frames.extend_from_slice(&[0; HEADER_BYTES - 4]);
    frames.extend_from_slice(text);
}

/// Completes frames that will lie at `offset` of the segment with this nonce, of which `durable` bytes are on the disk.
pub(crate) fn seal(frames: &mut [u8], durable: u32, nonce: u64, offset: u64) {
    let mut start = 0;
    while let Some(text_bytes) = read_u32(frames, start) {
        let end = start + HEADER_BYTES + text_bytes as usize;
        let Some(frame) = frames.get_mut(start..end) else {
            return;
        };
        let (head, text) = frame.split_at_mut(HEADER_BYTES);
        let sum = checksum(text, durable, nonce, offset + start as u64);
        if let Some(slot) = head.get_mut(4..8) {
            slot.copy_from_slice(&durable.to_le_bytes());
        }
        if let Some(slot) = head.get_mut(8..16) {
            slot.copy_from_slice(&sum.to_le_bytes());
        }
        start = end;
    }
}

/// A frame that was found whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// The event's text.
    pub(crate) text: &'a [u8],
    /// Bytes of the whole frame.
    pub(crate) bytes: usize,
    /// Bytes of the segment that were on the disk when this frame was written.
    durable: u32,
}

/// Reads the sealed frame at `at` of `bytes`, which lie at `offset` of their segment.
pub(crate) fn read(bytes: &[u8], at: usize, nonce: u64, offset: u64) -> Option<Frame<'_>> {
    let text_bytes = read_u32(bytes, at)? as usize;
    if text_bytes == 0 || text_bytes > MAX_EVENT_BYTES {
        return None;
    }
    let durable = read_u32(bytes, at + 4)?;
    let sum = bytes.get(at + 8..at + 16)?;
    let text = bytes.get(at + HEADER_BYTES..at + HEADER_BYTES + text_bytes)?;
    if checksum(text, durable, nonce, offset + at as u64).to_le_bytes() != sum {
        return None;
    }
    Some(Frame {
        text,
        bytes: HEADER_BYTES + text_bytes,
        durable,
    })
}

/// Texts of unsealed frames, as they lie in the queue.
pub(crate) fn texts(frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let length = read_u32(frames, start)? as usize;
        let text = frames.get(start + HEADER_BYTES..start + HEADER_BYTES + length)?;
        start += HEADER_BYTES + length;
        Some(text)
    })
}

/// Where the whole frames of a segment end, and whether what follows is damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything that was ever on the disk is whole; a torn tail may follow.
    Whole(usize),
    /// A frame here is broken although a later one tells that it was on the disk.
    Damaged(usize),
}

/// Finds where the frames of a segment that begin at `start` end.
///
/// A broken frame is the torn tail of a loss of power, unless a frame behind it tells that it was on the disk.
pub(crate) fn extent(segment: &[u8], start: usize, nonce: u64) -> Extent {
    let mut at = start;
    while let Some(frame) = read(segment, at, nonce, 0) {
        at += frame.bytes;
    }
    if told_durable(segment, at + 1, nonce) as usize > at {
        Extent::Damaged(at)
    } else {
        Extent::Whole(at)
    }
}

/// How much of a segment was on the disk, as the whole frames anywhere behind `start` tell.
pub(crate) fn told_durable(segment: &[u8], start: usize, nonce: u64) -> u32 {
    let frames = (start..segment.len()).filter_map(|at| read(segment, at, nonce, 0));
    frames.map(|frame| frame.durable).max().unwrap_or(0)
}

fn checksum(text: &[u8], durable: u32, nonce: u64, offset: u64) -> u64 {
    let seed = nonce ^ offset.rotate_left(24) ^ (u64::from(durable) << 32) ^ text.len() as u64;
    xxh3_64_with_seed(text, seed)
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(four))
}

#[cfg(test)]
mod tests;
