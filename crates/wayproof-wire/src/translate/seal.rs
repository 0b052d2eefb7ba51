//! Signatures and sealed reasoning, kept by origin while they are with a client that speaks another protocol.
//!
//! What a provider wants to see again is packed together with the name of its origin into the client's own place for
//! such things. When it comes back it is unpacked for that origin alone; nobody has to remember anything in between.
//! It refuses to show one origin's seal to another.

use xxhash_rust::xxh3::xxh3_64;

use crate::translate::text::Text;

/// How every packed seal begins.
pub(crate) const MARK: &str = "wayproof1.";

/// What a provider wants to see again beside its reasoning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seal<'a> {
    pub(crate) kind: SealKind,
    /// The provider's own id of the reasoning, where it has one.
    pub(crate) id: Text<'a>,
    pub(crate) data: Text<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SealKind {
    /// Messages: the signature of readable or empty thinking.
    Signature,
    /// Messages: thinking that cannot be read at all.
    Redacted,
    /// Responses: encrypted reasoning.
    Encrypted,
    /// Gemini: the signature of what follows.
    Thought,
    /// Chat: reasoning without a seal, that its provider takes back as text.
    Open,
}

impl SealKind {
    const ALL: [Self; 5] = [
        Self::Signature,
        Self::Redacted,
        Self::Encrypted,
        Self::Thought,
        Self::Open,
    ];

    const fn letter(self) -> &'static str {
        match self {
            Self::Signature => "s",
            Self::Redacted => "r",
            Self::Encrypted => "e",
            Self::Thought => "t",
            Self::Open => "o",
        }
    }
}

/// A short name of a provider with its model.
pub(crate) fn origin_name(origin: &str) -> String {
    format!("{:016x}", xxh3_64(origin.as_bytes()))
}

impl<'a> Seal<'a> {
    /// As it goes to a client.
    pub(crate) fn pack(&self, origin: &str) -> Text<'static> {
        let mut out = Vec::with_capacity(self.data.bytes().len() + 64);
        for piece in [MARK, self.kind.letter(), ".", origin, "."] {
            out.extend_from_slice(piece.as_bytes());
        }
        out.extend_from_slice(self.id.bytes());
        out.push(b'.');
        out.extend_from_slice(self.data.bytes());
        Text::escaped(out)
    }

    /// As it comes back; `None` when it is not of this origin.
    pub(crate) fn unpack(packed: &Text<'a>, origin: &str) -> Option<Seal<'static>> {
        let rest = packed.bytes().strip_prefix(MARK.as_bytes())?;
        let mut pieces = rest.splitn(4, |byte| *byte == b'.');
        let letter = pieces.next()?;
        let kind = SealKind::ALL
            .into_iter()
            .find(|kind| kind.letter().as_bytes() == letter)?;
        if pieces.next()? != origin.as_bytes() {
            return None;
        }
        let id = pieces.next()?.to_vec();
        let data = pieces.next()?.to_vec();
        Some(Seal {
            kind,
            id: Text::escaped(id),
            data: Text::escaped(data),
        })
    }
}
