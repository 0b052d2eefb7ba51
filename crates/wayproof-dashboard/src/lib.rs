#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod advice;
mod api;
mod assets;
mod demo;
mod desk;
mod escape;
mod figures;
mod forecast;
mod frame;
mod guard;
mod live;
mod pages;
mod params;
mod patch;
mod problem;
mod reviews;
mod routes;
mod show;

pub use advice::{AdviceSeen, Advised, Adviser, Fate, JobReplayed, Proposal, ReplaySeen};
pub use api::document as read_api;
pub use desk::{House, Parts, ProofSeen, ProviderSeen, Setting};
pub use guard::{
    Client, Grant, IdentityFault, IdentityProvider, Issuer, KeysError, ProxyError, Reply, SignIn,
    TrustedProxy,
};
pub use pages::connect::CONNECTED;
pub use patch::policy_patch;
pub use reviews::{
    Answer, ChangeSeen, Decided, DecisionSeen, Difference, FileSeen, FindingSeen, Kept, LineSeen,
    Month, Place, ReceiptSeen, Reviews, ToSign, Waiting,
};
pub use routes::{StartError, router};
