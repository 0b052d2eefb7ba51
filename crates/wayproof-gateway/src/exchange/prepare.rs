//! Seventh stage: the bytes that go out to each target.
//!
//! Where the protocol is the same, the name of the model is put in its place and every other byte stays. Where it is
//! another one, the request is translated when its target is tried.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http::uri::PathAndQuery;
use wayproof_engine::{Planned, Target};
use wayproof_ledger::Durable;
use wayproof_upstream::{Candidate, Content, foreign};
use wayproof_wire::{
    Able, Fault, FaultKind, LeftOut, Loss, Peek, Protocol, Request, fit, leave_out, reword,
    splice_model, unseal,
};

use crate::exchange::Wish;
use crate::exchange::admit::Call;
use crate::exchange::decide::Decided;
use crate::exchange::foreign::{Sent, Shown, has_seals, sealer};
use crate::exchange::settle::{End, Settlement};
use crate::exchange::translate::Translation;
use crate::gateway::Shared;
use crate::gemini::GeminiPath;
use crate::sessions::Session;

/// An exchange that is ready to be sent.
pub(crate) struct Prepared {
    pub(crate) call: Call,
    pub(crate) body: Bytes,
    pub(crate) peek: Arc<Peek>,
    pub(crate) candidates: Vec<Candidate>,
    /// For each candidate, how its request came about.
    pub(crate) ways: Vec<Way>,
    pub(crate) opened: Durable,
    pub(crate) settlement: Box<Settlement>,
}

/// How a request to a target comes about.
pub(crate) enum Way {
    /// In the client's protocol, where nobody seals anything.
    Plain,
    /// In the client's protocol, with every seal that came.
    Sent(Sent),
    /// In the client's protocol, without what others sealed.
    Shown(Arc<Shown>),
    /// In another protocol.
    Translated(Arc<Translation>),
}

impl Way {
    /// The request with every seal in it, where there may be one.
    pub(crate) fn sent(&self) -> Option<&Sent> {
        match self {
            Self::Sent(sent) => Some(sent),
            Self::Shown(shown) => Some(shown.sent()),
            Self::Plain | Self::Translated(_) => None,
        }
    }

    /// What was left behind in the client's protocol.
    pub(crate) fn losses(&self) -> Vec<Loss> {
        match self {
            Self::Shown(shown) => shown.losses(),
            Self::Plain | Self::Sent(_) | Self::Translated(_) => Vec::new(),
        }
    }

    /// How the answer is translated, if it is.
    pub(crate) fn translation(&self) -> Option<Arc<Translation>> {
        match self {
            Self::Translated(translation) => Some(Arc::clone(translation)),
            Self::Plain | Self::Sent(_) | Self::Shown(_) => None,
        }
    }
}

/// Makes every target's request.
pub(crate) fn prepare(shared: &Shared, decided: Decided) -> Result<Prepared, Fault> {
    let Decided {
        mut call,
        body,
        packed,
        peek,
        opened,
        mut settlement,
        ..
    } = decided;
    let peek = Arc::new(peek);
    let own = Own::of(&body, &peek, &mut settlement);
    let packed = packed.filter(|_| own.is_as_sent);
    let attempts = &settlement.decision.attempts;
    let is_renamed = attempts
        .iter()
        .any(|planned| planned.asked_in.is_none() && planned.target.model != peek.model_name);
    // Clouds get bodies that are made anew.
    let is_reshaped = attempts.iter().any(|planned| {
        let provider = shared.upstream.provider(&planned.target.provider);
        provider.is_some_and(|provider| provider.cloud().is_some())
    });
    // A packed body in which nothing changes goes out as it came. Otherwise it goes out unpacked.
    let as_sent = packed.filter(|_| !is_renamed && !is_reshaped);
    if as_sent.is_none() && call.head.headers.contains_key(CONTENT_ENCODING) {
        call.head.headers = without_encoding(&call.head.headers);
    }
    let (mut candidates, mut ways) = (Vec::new(), Vec::new());
    let (mut refusal, mut losses) = (None, Vec::new());
    for planned in attempts {
        let Some(asked_in) = planned.asked_in else {
            let less = own.less(shared, &call, planned, &mut losses);
            let sealer = sealer(shared, &planned.target.provider, call.protocol);
            let (form, owner) = ((less, as_sent.as_ref()), (settlement.session(), sealer));
            let (candidate, way) = own.native(&call, planned, form, owner);
            candidates.push(candidate);
            ways.push(way);
            continue;
        };
        if let Some(reason) = untranslated(&call, asked_in, planned) {
            refusal = Some(reason);
            continue;
        }
        let (candidate, translation) = translated(shared, &call, (&body, &peek), planned, asked_in);
        candidates.push(candidate);
        ways.push(Way::Translated(translation));
    }
    settlement.lost(losses);
    if let Some(refusal) = refusal.filter(|_| candidates.is_empty()) {
        settlement.end(End::Refused);
        return Err(refusal);
    }
    Ok(Prepared {
        call,
        body,
        peek,
        candidates,
        ways,
        opened,
        settlement,
    })
}

pub(super) fn translated(
    shared: &Shared,
    call: &Call,
    (body, peek): (&Bytes, &Arc<Peek>),
    planned: &Planned,
    asked_in: Protocol,
) -> (Candidate, Arc<Translation>) {
    let target = &planned.target;
    let provider = shared.upstream.provider(&target.provider);
    let headers = &call.head.headers;
    let aimed = (target, asked_in);
    let catalog = &shared.catalog;
    let translation = Translation::plan((body, peek), aimed, provider, headers, catalog);
    let translation = Arc::new(translation);
    let candidate = Candidate {
        provider: target.provider.clone(),
        model: target.model.clone(),
        protocol: asked_in,
        path_and_query: path(asked_in.path(&target.model, peek.is_streaming)),
        headers: provider.map(|provider| foreign(provider, asked_in, headers)),
        body: Content::Made(Arc::clone(&translation) as _),
    };
    (candidate, translation)
}

/// What goes to targets of the client's own protocol: the request as it came, but for seals that we packed while
/// another protocol's provider answered.
struct Own {
    body: Bytes,
    peek: Arc<Peek>,
    is_as_sent: bool,
}

impl Own {
    fn of(body: &Bytes, peek: &Arc<Peek>, settlement: &mut Settlement) -> Self {
        let attempts = &settlement.decision.attempts;
        let is_asked = attempts.iter().any(|planned| planned.asked_in.is_none());
        let unsealed = is_asked
            .then(|| unseal(&Request { body, peek }))
            .flatten()
            .and_then(|unsealed| {
                let peek = wayproof_wire::peek(peek.protocol, &unsealed.body).ok()?;
                Some((unsealed, peek))
            });
        let Some((unsealed, found)) = unsealed else {
            return Self {
                body: body.clone(),
                peek: Arc::clone(peek),
                is_as_sent: true,
            };
        };
        settlement.lost(unsealed.losses);
        Self {
            body: Bytes::from(unsealed.body),
            peek: Arc::new(found),
            is_as_sent: false,
        }
    }
}

/// What changes a body, if there is something to change.
type Alter<'a> = &'a dyn Fn(&Request<'_>) -> Option<LeftOut>;

impl Own {
    /// The request to a target of the client's protocol: with less in it where its provider refuses that, or packed as
    /// it came where nothing changes.
    fn native(
        &self,
        call: &Call,
        planned: &Planned,
        (less, packed): (Option<(Self, HeaderMap)>, Option<&Bytes>),
        (session, sealer): (&Arc<Session>, &str),
    ) -> (Candidate, Way) {
        let packed = packed.filter(|_| less.is_none());
        let (less, mut headers) = less.unzip();
        let own = less.as_ref().unwrap_or(self);
        let sent = Sent {
            body: own.body.clone(),
            peek: Arc::clone(&own.peek),
            model: body_model(call, planned),
        };
        let (body, way) = if !has_seals(call.protocol) || !session.origins().has_others(sealer) {
            let ready = packed.map(|packed| vec![packed.clone()]);
            let ready = ready.unwrap_or_else(|| splice_model(&sent.body, &sent.peek, &sent.model));
            let way = if has_seals(call.protocol) {
                Way::Sent(sent)
            } else {
                Way::Plain
            };
            (Content::Ready(ready), way)
        } else {
            headers = headers.or_else(|| packed.map(|_| without_encoding(&call.head.headers)));
            let shown = Arc::new(Shown::new(sent, Arc::clone(session), sealer.to_owned()));
            (Content::Made(Arc::clone(&shown) as _), Way::Shown(shown))
        };
        let mut candidate = native(call, planned, body);
        candidate.headers = headers;
        (candidate, way)
    }

    /// The same without what this target would refuse the request for, if it has any of that, and its headers: what its
    /// provider is known to refuse, and where the client had another model in mind, what the model does.
    fn less(
        &self,
        shared: &Shared,
        call: &Call,
        planned: &Planned,
        losses: &mut Vec<Loss>,
    ) -> Option<(Self, HeaderMap)> {
        let provider = shared.upstream.provider(&planned.target.provider)?;
        let fitted = provider.fitted(call.protocol, &call.head.headers);
        let is_renamed = planned.target.model != self.peek.model_name;
        let refused = |own: &Request<'_>| leave_out(own, &fitted.as_ref()?.fields);
        let worded = |own: &Request<'_>| {
            let habits = (call.protocol == Protocol::Chat).then(|| provider.habits())?;
            let (body, losses) = (reword(own, habits)?, Vec::new());
            Some(LeftOut { body, losses })
        };
        let meant = |own: &Request<'_>| {
            let able = is_renamed.then(|| able(shared, call, planned))?;
            fit(own, &able)
        };
        let mut less: Option<Self> = None;
        let changes: [Alter<'_>; 3] = [&refused, &worded, &meant];
        for change in changes {
            let next = less.as_ref().unwrap_or(self).altered(losses, change);
            less = next.or(less);
        }
        let has_lost = fitted
            .as_ref()
            .is_some_and(|fitted| !fitted.losses.is_empty());
        if less.is_none() && !has_lost {
            return None;
        }
        let less = less.unwrap_or_else(|| Self {
            body: self.body.clone(),
            peek: Arc::clone(&self.peek),
            is_as_sent: false,
        });
        let headers = match fitted {
            Some(fitted) => {
                losses.extend(fitted.losses);
                fitted.headers
            }
            None => call.head.headers.clone(),
        };
        Some((less, without_encoding(&headers)))
    }

    /// The same with a body that is altered, if it is.
    fn altered(&self, losses: &mut Vec<Loss>, alter: Alter<'_>) -> Option<Self> {
        let left = alter(&Request {
            body: &self.body,
            peek: &self.peek,
        })?;
        let peek = wayproof_wire::peek(self.peek.protocol, &left.body).ok()?;
        losses.extend(left.losses);
        Some(Self {
            body: Bytes::from(left.body),
            peek: Arc::new(peek),
            is_as_sent: false,
        })
    }
}

/// What a target can do that is asked as its client asks. An effort of the policy's changes nothing of that.
fn able<'a>(shared: &'a Shared, call: &Call, planned: &Planned) -> Able<'a> {
    let target = Target {
        effort: None,
        ..planned.target.clone()
    };
    shared.catalog.able(&target, call.protocol)
}

fn native(call: &Call, planned: &Planned, body: Content) -> Candidate {
    let asked = call.head.uri.path_and_query();
    let path_and_query = match (call.protocol, GeminiPath::of(call.head.uri.path())) {
        (Protocol::Gemini, Some(gemini)) => {
            path(gemini.with_model(&planned.target.model, call.head.uri.query()))
        }
        _ => asked
            .cloned()
            .unwrap_or_else(|| PathAndQuery::from_static("/")),
    };
    Candidate {
        provider: planned.target.provider.clone(),
        model: planned.target.model.clone(),
        protocol: call.protocol,
        path_and_query,
        headers: None,
        body,
    }
}

/// The model as a body names it; Gemini has it in the path, and in a body as a resource.
fn body_model(call: &Call, planned: &Planned) -> String {
    let model = &planned.target.model;
    if call.protocol == Protocol::Gemini {
        format!("models/{model}")
    } else {
        model.clone()
    }
}

/// Why a request has no translation, whatever is in it.
pub(super) fn untranslated(call: &Call, asked_in: Protocol, planned: &Planned) -> Option<Fault> {
    let client = call.protocol;
    if call.wish == Wish::Count {
        // Whoever answers first counts, or is estimated for; a count is not translated.
        let message = format!(
            "`{}` is asked in {asked_in}, where nobody counts tokens beforehand",
            planned.target
        );
        return Some(Fault::new(FaultKind::NotFound, message));
    }
    let is_array = client == Protocol::Gemini
        && call.head.uri.path().ends_with(":streamGenerateContent")
        && !call.head.uri.query().is_some_and(|query| {
            let mut pairs = query.split('&');
            pairs.any(|pair| pair == "alt=sse")
        });
    is_array.then(|| {
        let message = format!(
            "`{}` is asked in {asked_in}, whose streams come as events; add `alt=sse` to the query",
            planned.target
        );
        Fault::new(FaultKind::BadRequest, message)
    })
}

/// A path whose model is escaped is always one.
fn path(text: String) -> PathAndQuery {
    PathAndQuery::try_from(text).unwrap_or_else(|_| PathAndQuery::from_static("/"))
}

/// Removing from a header map would change the order of what is left.
pub(super) fn without_encoding(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        if name != CONTENT_ENCODING {
            kept.append(name, value.clone());
        }
    }
    kept
}
