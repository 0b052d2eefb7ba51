//! Frames: how events lie one after the other in a journal.
//!
//! A frame is its length, its group's number with a mark on the group's last frame, a checksum and the event's text.
//! The checksum is seeded with the segment's nonce and the frame's offset, so that bytes of an earlier use of the same
//! file, or the same bytes at another place, are never taken for a frame. Nothing here reads or writes files.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::event::MAX_EVENT_BYTES;

/// Bytes before the text: length (4), group (4), checksum (8).
pub(crate) const HEADER_BYTES: usize = 16;

/// Set in the group's number on the last frame of a group.
const LAST_OF_GROUP: u32 = 1 << 31;

/// Puts an unsealed frame behind the others.
pub(crate) fn put(frames: &mut Vec<u8>, text: &[u8]) {
    // An event is at most 60 KiB, checked where its text is made.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    frames.extend_from_slice(&length.to_le_bytes());
    frames.extend_from_slice(&[0; HEADER_BYTES - 4]);
    frames.extend_from_slice(text);
}

/// Numbers and checksums the frames of one group, which will lie at `offset` of the segment with this nonce.
pub(crate) fn seal(frames: &mut [u8], group: u32, nonce: u64, offset: u64) {
    let total = frames.len();
    let mut start = 0;
    while let Some(text_bytes) = read_u32(frames, start) {
        let end = start + HEADER_BYTES + text_bytes as usize;
        let Some(frame) = frames.get_mut(start..end) else {
            return;
        };
        let is_last = end == total;
        let mark = (group & !LAST_OF_GROUP) | if is_last { LAST_OF_GROUP } else { 0 };
        let (head, text) = frame.split_at_mut(HEADER_BYTES);
        let sum = checksum(text, mark, nonce, offset + start as u64);
        if let Some(slot) = head.get_mut(4..8) {
            slot.copy_from_slice(&mark.to_le_bytes());
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
    group: u32,
    is_last: bool,
}

/// Reads the sealed frame at `at` of `bytes`, which lie at `offset` of their segment.
pub(crate) fn read(bytes: &[u8], at: usize, nonce: u64, offset: u64) -> Option<Frame<'_>> {
    let text_bytes = read_u32(bytes, at)? as usize;
    if text_bytes == 0 || text_bytes > MAX_EVENT_BYTES {
        return None;
    }
    let mark = read_u32(bytes, at + 4)?;
    let sum = bytes.get(at + 8..at + 16)?;
    let text = bytes.get(at + HEADER_BYTES..at + HEADER_BYTES + text_bytes)?;
    if checksum(text, mark, nonce, offset + at as u64).to_le_bytes() != sum {
        return None;
    }
    let is_last = mark & LAST_OF_GROUP != 0;
    Some(Frame {
        text,
        bytes: HEADER_BYTES + text_bytes,
        group: mark & !LAST_OF_GROUP,
        is_last,
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
    /// Everything that was ever acknowledged is whole; a torn last group may follow.
    Whole(usize),
    /// A frame here is broken although a later group was written, so it had been acknowledged.
    Damaged(usize),
}

/// Finds where the frames of a segment that begin at `start` end.
///
/// A broken frame is the torn tail of a crash, unless a frame of a later group is found behind it: a group is only
/// written after the one before is durable.
pub(crate) fn extent(segment: &[u8], start: usize, nonce: u64) -> Extent {
    let mut at = start;
    let mut open_group = 0;
    while let Some(frame) = read(segment, at, nonce, 0) {
        at += frame.bytes;
        open_group = if frame.is_last {
            frame.group + 1
        } else {
            frame.group
        };
    }
    let is_damaged = highest_group(segment, at + 1, nonce) > open_group;
    if is_damaged {
        Extent::Damaged(at)
    } else {
        Extent::Whole(at)
    }
}

/// The highest group of which a whole frame lies anywhere behind `start`; zero if there is none.
pub(crate) fn highest_group(segment: &[u8], start: usize, nonce: u64) -> u32 {
    let frames = (start..segment.len()).filter_map(|at| read(segment, at, nonce, 0));
    frames.map(|frame| frame.group).max().unwrap_or(0)
}

fn checksum(text: &[u8], mark: u32, nonce: u64, offset: u64) -> u64 {
    let seed = nonce ^ offset.rotate_left(24) ^ (u64::from(mark) << 32) ^ text.len() as u64;
    xxh3_64_with_seed(text, seed)
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(four))
}

#[cfg(test)]
mod tests;
