//! Marks of sealed reasoning: short digests by which a seal is known again without being kept.
//!
//! A provider seals what its model thought, and refuses a request that shows it the seal of somebody else. A mark
//! tells seals apart; it refuses to hold anything of what is sealed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// The mark of one seal, however its JSON escapes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SealMark(u64);

impl SealMark {
    /// The mark of a seal; an empty one is none.
    pub fn of(seal: &str) -> Option<Self> {
        (!seal.is_empty()).then(|| Self(xxh3_64(seal.as_bytes())))
    }
}

/// Sixteen hexadecimal digits.
impl fmt::Display for SealMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What is not a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mark of a seal has sixteen hexadecimal digits")]
pub struct NoMark;

impl FromStr for SealMark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let is_mark = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let read = u64::from_str_radix(text, 16).ok().filter(|_| is_mark);
        read.map(Self).ok_or(NoMark)
    }
}

impl Serialize for SealMark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SealMark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A seal that comes in pieces.
pub(crate) struct SealInPieces {
    digest: Box<Xxh3>,
    is_empty: bool,
}

impl Default for SealInPieces {
    fn default() -> Self {
        Self {
            digest: Box::new(Xxh3::new()),
            is_empty: true,
        }
    }
}

impl SealInPieces {
    pub(crate) fn push(&mut self, piece: &str) {
        self.is_empty &= piece.is_empty();
        self.digest.update(piece.as_bytes());
    }

    pub(crate) fn mark(&self) -> Option<SealMark> {
        (!self.is_empty).then(|| SealMark(self.digest.digest()))
    }
}

impl fmt::Debug for SealInPieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealInPieces").field(&self.mark()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{SealInPieces, SealMark};

    #[test]
    fn pieces_make_the_same_mark_and_a_mark_is_read_back() {
        let whole = SealMark::of("c2lnbmVk+/==").unwrap();
        let mut pieces = SealInPieces::default();
        assert_eq!(pieces.mark(), None);
        for piece in ["c2ln", "", "bmVk+/=="] {
            pieces.push(piece);
        }
        assert_eq!(pieces.mark(), Some(whole));
        assert_eq!(whole.to_string().parse(), Ok(whole));
        assert_eq!(
            serde_json::to_string(&whole).unwrap(),
            format!("\"{whole}\"")
        );
        assert_eq!(SealMark::of(""), None);
        for text in ["", "12", "not a mark at all", "+123456789abcdef"] {
            assert!(text.parse::<SealMark>().is_err(), "{text}");
        }
    }
}
