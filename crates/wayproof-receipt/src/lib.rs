#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod log;
pub mod predicate;

mod bundle;
mod digest;
mod envelope;
mod key;
mod render;
mod sshsig;
mod statement;
mod time;
mod trust;
mod verify;

pub use bundle::{Bundle, BundleError, Line, UnreadLine};
pub use digest::sha256_hex;
pub use envelope::{
    DSSE_MEDIA_TYPE, Envelope, EnvelopeError, PAYLOAD_TYPE, SealError, Signature, pae, seal,
};
pub use key::{KeyError, PublicKey, PublicKeyError, SigningKey};
pub use predicate::{Predicate, Proof, Verdict};
pub use render::{html, html_sections, is_unseen, literal, markdown, text, trailers};
pub use sshsig::{SSH_NAMESPACE, SshSignature, SshSignatureError, ssh_signature};
pub use statement::{DigestSet, ResourceDescriptor, STATEMENT_TYPE, Statement, StatementError};
pub use time::Time;
pub use trust::{Reviewer, Signer, Trust, TrustError};
pub use verify::{Lowering, Verification, VerifiedLine, VerifyOutcome, verify};
