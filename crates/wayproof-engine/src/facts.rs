//! What is known about a request before anything is decided, and what the world offers it.
//! Inputs only, borrowed from whoever read the request. No clock: the time is one of the facts.

use std::collections::BTreeSet;

use wayproof_wire::{Housekeeping, Protocol, Protocols, ToolOutcome};

use crate::{
    classify::Asked,
    evidence::Evidence,
    names::{ClassName, TaskName},
    policy::Policy,
};

/// One request, as far as deciding needs it.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The dialect the agent speaks.
    pub protocol: Protocol,
    /// The model name the agent asks for.
    pub requested_model: &'a str,
    /// Task named by a header, a key or the command line.
    pub explicit_task: Option<&'a TaskName>,
    /// What the agent asks for its own upkeep, if it is that.
    pub housekeeping: Option<Housekeeping>,
    /// Whether a helper of the agent speaks, inside the job of its parent.
    pub is_subagent: bool,
    /// Paths the caller gives.
    pub paths: &'a [String],
    /// Branch the agent works on.
    pub branch: Option<&'a str>,
    /// Length of the request body.
    pub body_bytes: u64,
    /// Id for the job if one opens. A caller that binds an exchange to a job gives that job's id every time.
    pub new_job_id: &'a str,
    /// When the request came, in microseconds since 1970 UTC; prices are dated.
    pub at_us: i64,
    /// What it asks of whoever answers, beside words.
    pub needs: Needs<'a>,
}

/// What a request asks of whoever answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs<'a> {
    /// That images are seen.
    pub images: bool,
    /// That tools are called.
    pub tools: bool,
    /// What its provider keeps for it, which no other has.
    pub kept: Option<KeptState<'a>>,
}

/// What a request continues from without bringing it along.
#[derive(Debug, Clone, Copy)]
pub struct KeptState<'a> {
    /// The field that names it: `previous_response_id` or `conversation`.
    pub field: &'static str,
    /// The provider that keeps it, where it is known.
    pub keeper: Option<&'a str>,
}

/// What a request brings that is new to the session.
#[derive(Debug, Clone, Copy, Default)]
pub struct Observation<'a> {
    /// The user's ask, when this request starts a turn of theirs.
    pub ask: Option<&'a str>,
    /// Results of the tools the agent called.
    pub outcomes: &'a [ToolOutcome],
    /// What Wayproof ran itself, or a person or CI signed.
    pub executed: &'a [Evidence],
    /// Why jobs that begin now should cost less, as the end of a sentence: `team:core is past its soft limit`.
    pub thrift: Option<&'a str>,
}

/// The providers at hand, in the operator's order.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Them.
    pub providers: Vec<ProviderState>,
}

/// One provider, as it is right now.
#[derive(Debug, Clone)]
pub struct ProviderState {
    /// Its name in the settings.
    pub name: String,
    /// The dialects it speaks.
    pub protocols: Protocols,
    /// Whether its breaker lets requests through.
    pub is_healthy: bool,
    /// Whether it is shown the client's own key, which is one for the client's own protocol.
    pub takes_own_key: bool,
    /// The models it has; `None` is unknown, so any.
    pub models: Option<BTreeSet<String>>,
    /// Whether nobody said what it speaks: it is taken to speak everything that it was not seen to refuse.
    pub is_guess: bool,
}

/// What a model name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    /// To be routed by what the ask is.
    Routed,
    /// To be routed as this task.
    Task(TaskName),
    /// To be routed to this class, whatever the ask is.
    Class(ClassName),
    /// `wayproof/<something>` that no task has for a name.
    UnknownTask(&'a str),
    /// `wayproof/class:<something>` that no class has for a name.
    UnknownClass(&'a str),
    /// This model of this provider, unrouted.
    Pinned {
        /// Name of the provider.
        provider: &'a str,
        /// The rest of the name.
        model: &'a str,
    },
    /// This model, unrouted, from whoever has it.
    PassedThrough,
}

/// How a provider can be asked for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// In the client's own dialect.
    Native,
    /// In this one.
    Translated(Protocol),
    /// Nobody translates into a dialect that it speaks.
    Mute,
}

impl ProviderState {
    /// The dialect to ask it in for a client of this one.
    pub fn asked_in(&self, client: Protocol) -> Option<Protocol> {
        let best = self.protocols.for_client(client)?;
        // Of what it was not heard to speak, the likeliest is better than the richest.
        let is_likelier =
            self.is_guess && best != client && self.protocols.contains(Protocol::Chat);
        let chat = Protocols::of(&[Protocol::Chat]).for_client(client);
        chat.filter(|_| is_likelier).or(Some(best))
    }

    /// How it can be asked for a client of this dialect.
    pub(crate) fn reach(&self, client: Protocol) -> Reach {
        match self.asked_in(client) {
            Some(protocol) if protocol == client => Reach::Native,
            Some(protocol) => Reach::Translated(protocol),
            None => Reach::Mute,
        }
    }

    /// Whether it is known to have this model.
    pub(crate) fn has(&self, model: &str) -> bool {
        let models = self.models.as_ref();
        models.is_some_and(|models| models.contains(model))
    }

    /// Whether it may have this model.
    pub(crate) fn may_have(&self, model: &str) -> bool {
        self.models
            .as_ref()
            .is_none_or(|models| models.contains(model))
    }
}

impl World {
    /// The provider of a name.
    pub(crate) fn provider(&self, name: &str) -> Option<&ProviderState> {
        self.providers.iter().find(|provider| provider.name == name)
    }
}

/// Names that ask for routing and can never be a model.
const AUTO: [&str; 3] = ["wayproof/auto", "wayproof-auto", "claude-wayproof-auto"];
/// What stands between `wayproof/` and the name of a class.
const CLASS_PREFIX: &str = "class:";
const TASK_PREFIXES: [&str; 2] = ["wayproof/", "claude-wayproof-"];

/// The name under which a class is asked for.
pub(crate) fn name_of_class(class: &ClassName) -> String {
    let [prefix, _] = TASK_PREFIXES;
    format!("{prefix}{CLASS_PREFIX}{class}")
}

/// Whether a name is one of ours, which no provider would know.
pub(crate) fn is_alias(model: &str) -> bool {
    AUTO.contains(&model) || TASK_PREFIXES.iter().any(|prefix| model.starts_with(prefix))
}

/// What a model name asks for. Names of ours come first, then a provider at hand, then the policy's choice.
pub(crate) fn wanted<'a>(policy: &Policy, model: &'a str, world: Option<&World>) -> Wanted<'a> {
    if AUTO.contains(&model) {
        return Wanted::Routed;
    }
    if let Some(task) = TASK_PREFIXES
        .iter()
        .find_map(|prefix| model.strip_prefix(prefix))
    {
        if let Some(class) = task.strip_prefix(CLASS_PREFIX) {
            let known = policy
                .classes()
                .iter()
                .find(|known| known.name.as_str() == class);
            return known.map_or(Wanted::UnknownClass(class), |known| {
                Wanted::Class(known.name.clone())
            });
        }
        return match policy.task_named(task) {
            Some(task) => Wanted::Task(task.name.clone()),
            None => Wanted::UnknownTask(task),
        };
    }
    if let Some((provider, rest)) = model.split_once('/')
        && !rest.is_empty()
        && world.is_some_and(|world| world.provider(provider).is_some())
    {
        return Wanted::Pinned {
            provider,
            model: rest,
        };
    }
    if policy.route_unknown {
        Wanted::Routed
    } else {
        Wanted::PassedThrough
    }
}

/// The task somebody asked for by name: in a header or on the command line first, then in the model's name.
pub(crate) fn explicit_task(policy: &Policy, facts: &Facts<'_>) -> Option<TaskName> {
    facts
        .explicit_task
        .cloned()
        .or_else(|| match wanted(policy, facts.requested_model, None) {
            Wanted::Task(task) => Some(task),
            Wanted::Routed
            | Wanted::Class(_)
            | Wanted::UnknownClass(_)
            | Wanted::UnknownTask(_)
            | Wanted::Pinned { .. }
            | Wanted::PassedThrough => None,
        })
}

/// The ask's surroundings, for the classifier.
pub(crate) fn asked<'a>(facts: &Facts<'a>, explicit: Option<&'a TaskName>) -> Asked<'a> {
    Asked {
        paths: facts.paths,
        branch: facts.branch,
        explicit,
    }
}
