//! What goes out to a target that speaks another protocol than the client, and what its answer's translation needs to
//! know of it.
//!
//! A request is translated when its target is tried, once, so a fallback that nobody needs costs nothing.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderMap;
use wayproof_engine::{Catalog, Target};
use wayproof_upstream::{Make, Provider};
use wayproof_wire::{
    Aim, ChatHabits, Loss, LossKind, Memo, Peek, Protocol, Request, TokenField, TranslatedRequest,
    translate_request,
};

/// Headers that ask for something in the words of one protocol.
const ASKING: [&str; 2] = ["anthropic-beta", "openai-beta"];

/// A request on its way to a target that speaks another protocol.
#[derive(Debug)]
pub(crate) struct Translation {
    body: Bytes,
    peek: Arc<Peek>,
    target: Target,
    /// The protocol the target is asked in.
    pub(crate) asked_in: Protocol,
    /// What names the maker of its reasoning.
    pub(crate) origin: String,
    token_field: TokenField,
    habits: ChatHabits,
    catalog: Arc<Catalog>,
    header_losses: Vec<Loss>,
    done: OnceLock<Result<Done, String>>,
}

#[derive(Debug)]
struct Done {
    pieces: Vec<Bytes>,
    losses: Vec<Loss>,
    memo: Memo,
}

impl Translation {
    /// Plans to translate a request for a target.
    pub(crate) fn plan(
        (body, peek): (&Bytes, &Arc<Peek>),
        (target, asked_in): (&Target, Protocol),
        provider: Option<&Provider>,
        headers: &HeaderMap,
        catalog: &Arc<Catalog>,
    ) -> Self {
        Self {
            catalog: Arc::clone(catalog),
            body: body.clone(),
            peek: Arc::clone(peek),
            asked_in,
            origin: target.to_string(),
            token_field: provider.map_or(TokenField::default(), token_field),
            habits: provider.map(Provider::habits).unwrap_or_default(),
            target: target.clone(),
            header_losses: ASKING
                .into_iter()
                .filter(|name| headers.contains_key(*name))
                .map(|name| Loss {
                    kind: LossKind::Header,
                    name: name.to_owned(),
                    times: 1,
                })
                .collect(),
            done: OnceLock::new(),
        }
    }

    /// The model that is asked for.
    pub(crate) fn model(&self) -> &str {
        &self.target.model
    }

    /// Whether the client wants a stream.
    pub(crate) fn is_streaming(&self) -> bool {
        self.peek.is_streaming
    }

    /// What was left behind, and what the answer's translation needs to know.
    pub(crate) fn result(&self) -> (Vec<Loss>, Memo) {
        let (mut losses, memo) = match self.done() {
            Ok(done) => (done.losses.clone(), done.memo.clone()),
            Err(_) => Default::default(),
        };
        losses.extend(self.header_losses.iter().cloned());
        (losses, memo)
    }

    fn done(&self) -> &Result<Done, String> {
        self.done.get_or_init(|| {
            let request = Request {
                body: &self.body,
                peek: &self.peek,
            };
            let aim = Aim {
                provider: self.asked_in,
                model: &self.target.model,
                origin: &self.origin,
                is_streaming: self.peek.is_streaming,
                able: self.catalog.able(&self.target, self.asked_in),
                token_field: self.token_field,
                effort: self.target.effort.as_deref(),
                habits: self.habits,
            };
            translate_request(&request, &aim)
                .map(Done::from)
                .map_err(|error| error.to_string())
        })
    }
}

impl From<TranslatedRequest> for Done {
    fn from(translated: TranslatedRequest) -> Self {
        Self {
            pieces: vec![Bytes::from(translated.body)],
            losses: translated.losses,
            memo: translated.memo,
        }
    }
}

impl Make for Translation {
    fn make(&self) -> Result<Vec<Bytes>, String> {
        match self.done() {
            Ok(done) => Ok(done.pieces.clone()),
            Err(reason) => Err(reason.clone()),
        }
    }
}

/// OpenAI itself and Azure demand the newer name; everybody else has the older one.
fn token_field(provider: &Provider) -> TokenField {
    let host = provider.base.host().unwrap_or_default();
    let is_newer = ["openai.com", "openai.azure.com", "services.ai.azure.com"]
        .into_iter()
        .filter_map(|domain| host.strip_suffix(domain))
        .any(|prefix| prefix.is_empty() || prefix.ends_with('.'));
    if is_newer {
        TokenField::MaxCompletionTokens
    } else {
        TokenField::MaxTokens
    }
}
