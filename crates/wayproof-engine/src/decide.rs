//! Where a request goes: a pure function of the policy, the session, the request, the providers and the catalog.
//! It chooses everything there is to choose and does nothing. It reads no clock and keeps no state.

mod asking;
mod candidates;
mod kept;
mod unknown;

use wayproof_wire::{FaultKind, Housekeeping, Protocol};

use crate::{
    catalog::Catalog,
    decision::{Decision, Next, Planned, Refusal, Rejected, Routing},
    facts::{Facts, ProviderState, Reach, Wanted, World, is_alias, wanted},
    names::{ClassName, ProofRequirement, Target, TaskName},
    policy::{Policy, Task, show_usd},
    session::{CauseNoted, JobState, LastAnswer, SessionState},
};
use candidates::{Candidates, Found};

/// Decides where a request goes.
pub fn decide(
    policy: &Policy,
    state: &SessionState,
    facts: &Facts<'_>,
    world: &World,
    catalog: &Catalog,
) -> Next {
    let view = View {
        policy,
        state,
        facts,
        world,
        catalog,
    };
    if let Some(question) = view.question() {
        return Next::Ask(Box::new(question));
    }
    match view.decide() {
        Ok(decision) => Next::Decided(decision),
        Err(refusal) => Next::Refused(refusal),
    }
}

/// Everything there is to look at.
struct View<'a> {
    policy: &'a Policy,
    state: &'a SessionState,
    facts: &'a Facts<'a>,
    world: &'a World,
    catalog: &'a Catalog,
}

/// What the request is, before it is known where it can go.
struct Lane<'a> {
    task: TaskName,
    class: ClassName,
    row: Option<&'a Task>,
    job: Option<&'a JobState>,
    rule: String,
    /// Whether the class was asked for by name, so that nothing but that name counts.
    is_named: bool,
}

/// Where work stays although it could go elsewhere.
struct Stay {
    class: ClassName,
    targets: Vec<Target>,
    why: String,
}

impl<'a> View<'a> {
    fn decide(&self) -> Result<Decision, Refusal> {
        let model = self.facts.requested_model;
        if self.world.providers.is_empty() {
            return refuse(
                FaultKind::NotFound,
                "no provider is set up; start with --provider NAME=URL or put a provider's key in the environment",
            );
        }
        let lane = self.lane();
        check_budget(&lane)?;
        let wanted = wanted(self.policy, model, Some(self.world));
        let is_check = self.facts.housekeeping == Some(Housekeeping::PermissionCheck);
        match wanted {
            Wanted::Routed | Wanted::Task(_) if self.is_embedding() => self.embedding(&lane),
            Wanted::Class(_) if self.is_embedding() => self.embedding(&lane),
            Wanted::Class(class) => {
                let rule = format!("class `{class}` was asked for by name");
                self.routed(Lane {
                    class,
                    rule,
                    is_named: true,
                    ..lane
                })
            }
            Wanted::UnknownTask(name) => self.unknown_task(name),
            Wanted::UnknownClass(name) => self.unknown_class(name),
            Wanted::Pinned { provider, model } => self.pinned(&lane, provider, model),
            Wanted::PassedThrough => {
                let why = format!("the policy does not route `{model}`, which goes out as it is");
                self.unrouted(&lane, why, Vec::new())
            }
            Wanted::Routed | Wanted::Task(_) if is_check && !is_alias(model) => {
                let why = "the agent's own permission check goes out untouched".to_owned();
                self.unrouted(&lane, why, Vec::new())
            }
            Wanted::Routed | Wanted::Task(_) => self.routed(lane),
        }
    }

    fn is_embedding(&self) -> bool {
        self.facts.housekeeping == Some(Housekeeping::Embedding)
    }

    /// Vectors of one model mean nothing to another, so they are never routed.
    fn embedding(&self, lane: &Lane<'_>) -> Result<Decision, Refusal> {
        let model = self.facts.requested_model;
        if is_alias(model) {
            return refuse(
                FaultKind::BadRequest,
                format!(
                    "`{model}` is no model of embeddings; name one, as in `openai/text-embedding-3-small`"
                ),
            );
        }
        let why = "embeddings go to the model that is asked for".to_owned();
        self.unrouted(lane, why, Vec::new())
    }

    /// The task and class: housekeeping's own, the job's, or `general` while no ask is known.
    fn lane(&self) -> Lane<'a> {
        let job = self.state.job.as_ref();
        match (self.facts.housekeeping, job) {
            // A count is only right for the model that will answer.
            (Some(Housekeeping::CountTokens | Housekeeping::Warmup) | None, Some(job)) => Lane {
                task: job.task.clone(),
                class: job.class.clone(),
                row: self.policy.task(&job.task),
                job: Some(job),
                rule: job.rule.clone(),
                is_named: false,
            },
            (Some(kind), _) => self.row_lane(
                TaskName::HOUSEKEEPING,
                format!("{} is the agent's own housekeeping", spoken(kind)),
            ),
            (None, None) => self.row_lane(TaskName::GENERAL, "no ask is known yet".to_owned()),
        }
    }

    fn row_lane(&self, name: &str, rule: String) -> Lane<'a> {
        let row = self.policy.task_named(name);
        let class = row.and_then(|task| task.route.first()).cloned();
        let class = class.or_else(|| {
            self.policy
                .classes()
                .first()
                .map(|class| class.name.clone())
        });
        Lane {
            task: TaskName::new(name),
            class: class.unwrap_or_else(|| ClassName::new(name)),
            row,
            job: None,
            rule,
            is_named: false,
        }
    }

    fn pinned(&self, lane: &Lane<'_>, provider: &str, model: &str) -> Result<Decision, Refusal> {
        let Some(state) = self.world.provider(provider) else {
            return refuse(
                FaultKind::NotFound,
                format!("there is no provider `{provider}`"),
            );
        };
        let reach = state.reach(self.facts.protocol);
        // Nobody translates embeddings.
        if reach == Reach::Mute || (self.is_embedding() && reach != Reach::Native) {
            return refuse(
                FaultKind::BadRequest,
                format!(
                    "provider `{provider}` speaks {} and this request is {}",
                    state.protocols, self.facts.protocol
                ),
            );
        }
        let target = Target {
            provider: provider.to_owned(),
            model: model.to_owned(),
            effort: None,
        };
        let rule = format!("`{provider}/{model}` was asked for by name");
        Ok(self.decision(lane, Routing::Pinned, vec![target], rule, Vec::new()))
    }

    /// The model asked for, unchanged, at the first provider that can serve it; in the client's dialect, if there is
    /// one that speaks it.
    fn unrouted(
        &self,
        lane: &Lane<'_>,
        rule: String,
        rejected: Vec<Rejected>,
    ) -> Result<Decision, Refusal> {
        if let Some(decision) = self.unrouted_at_keeper(lane, &rule, &rejected) {
            return Ok(decision);
        }
        let model = self.facts.requested_model;
        let protocol = self.facts.protocol;
        let able = |is_fit: fn(&ProviderState, Protocol) -> bool| {
            let providers = self.world.providers.iter();
            let mut able = providers
                .filter(|provider| is_fit(provider, protocol) && provider.may_have(model))
                .peekable();
            let first = able.peek().copied();
            able.find(|provider| provider.is_healthy).or(first)
        };
        let mut owners = self.world.providers.iter();
        let owner = owners.find(|provider| {
            let is_asked = speaks(provider, protocol)
                || understands(provider, protocol) && !self.is_embedding();
            is_asked && provider.has(model)
        });
        let is_whole = self.facts.needs.kept.is_none() && !self.is_embedding();
        let translated = || able(understands).filter(|_| is_whole);
        let Some(provider) = owner.or_else(|| able(speaks)).or_else(translated) else {
            return refuse(
                FaultKind::NotFound,
                format!(
                    "no provider at hand serves `{model}` over `{protocol}`: {}",
                    self.names_at_hand()
                ),
            );
        };
        let target = Target {
            provider: provider.name.clone(),
            model: model.to_owned(),
            effort: None,
        };
        Ok(self.decision(lane, Routing::PassedThrough, vec![target], rule, rejected))
    }

    fn routed(&self, mut lane: Lane<'_>) -> Result<Decision, Refusal> {
        let candidates = Candidates {
            policy: self.policy,
            world: self.world,
            catalog: self.catalog,
            protocol: self.facts.protocol,
            tokens: self.estimated_tokens(),
            needs_window_over: lane.job.map_or(0, |job| job.needs_window_over),
            needs: self.facts.needs,
        };
        let mut rejected = Vec::new();
        match candidates.find(&lane.class, &mut rejected) {
            Found::Targets {
                class,
                targets,
                remark,
            } => {
                let mut rule = std::mem::take(&mut lane.rule);
                if let Some(remark) = remark {
                    rule = format!("{rule}; {remark}");
                }
                let (class, targets) = match self.stay(&lane, &class, &targets, &candidates) {
                    Some(stay) => {
                        rule = format!("{rule}; {}", stay.why);
                        (stay.class, stay.targets)
                    }
                    None => (class, targets),
                };
                lane.class = class;
                Ok(self.decision(&lane, Routing::Routed, targets, rule, rejected))
            }
            Found::Nothing if self.keeper().is_some() => self.at_keeper(&lane, rejected),
            Found::Nothing if is_alias(self.facts.requested_model) => refuse(
                FaultKind::NotFound,
                format!(
                    "class `{}` has no target among the providers at hand ({}), and `{}` is no model: set up a \
                     provider of `[class.{}]`, list a target of your own there, or ask for a model by name",
                    lane.class,
                    self.names_at_hand(),
                    self.facts.requested_model,
                    lane.class
                ),
            ),
            Found::Nothing => {
                let rule = format!(
                    "{}; class `{}` has no target among the providers at hand, so the model asked for goes out as \
                     it is",
                    lane.rule, lane.class
                );
                self.unrouted(&lane, rule, rejected)
            }
        }
    }

    /// Stays where the conversation is warm when leaving it is a matter of choice, costs something, and costs more
    /// than the session may still pay for that. Nothing ever stays below the class its work is in.
    fn stay(
        &self,
        lane: &Lane<'_>,
        class: &ClassName,
        targets: &[Target],
        candidates: &Candidates<'_>,
    ) -> Option<Stay> {
        let most = self.policy.switching_per_session_nano_usd;
        let most = most.filter(|_| !lane.is_named)?;
        let cost = self.switch_cost(lane, targets.first()?)?;
        let left = most.saturating_sub(self.state.switched_nano_usd).max(0);
        let warm = self.warm(lane)?;
        let at = warm.class.as_ref()?;
        let is_lower = self.policy.rank(at)? < self.policy.rank(class)?;
        if cost <= left || is_lower {
            return None;
        }
        let targets = candidates.starting_at(at, warm)?;
        let why = format!(
            "it stays with `{}`, where the conversation is warm: leaving costs {}, and of {} for that this session \
             has {} left",
            warm.target,
            show_usd(cost),
            show_usd(most),
            show_usd(left)
        );
        Some(Stay {
            class: at.clone(),
            targets,
            why,
        })
    }

    /// Where the conversation is warm. The agent's own upkeep is no part of it, and a helper has one of its own.
    fn warm(&self, lane: &Lane<'_>) -> Option<&'a LastAnswer> {
        let last = lane.job.and(self.state.last.as_ref());
        last.filter(|_| !self.facts.is_subagent)
            .filter(|last| last.is_warm(self.facts.at_us))
    }

    /// What it costs to leave the warm conversation for a target.
    fn switch_cost(&self, lane: &Lane<'_>, target: &Target) -> Option<i64> {
        let warm = self.warm(lane).filter(|warm| !warm.is_at(target))?;
        let price = |target: &Target| {
            self.catalog
                .price(&target.provider, &target.model, self.facts.at_us)
        };
        crate::price::switch_cost(price(&warm.target)?, price(target)?, warm.prefix_tokens)
    }

    fn decision(
        &self,
        lane: &Lane<'_>,
        routing: Routing,
        targets: Vec<Target>,
        rule: String,
        rejected: Vec<Rejected>,
    ) -> Decision {
        let job = lane.job;
        let proof: Vec<Vec<ProofRequirement>> =
            lane.row.map(|task| task.proof.clone()).unwrap_or_default();
        let also = lane
            .row
            .and_then(|task| task.route.get(1..))
            .unwrap_or_default()
            .to_vec();
        let causes: Vec<CauseNoted> = job
            .map(|job| job.causes.iter().cloned().collect())
            .unwrap_or_default();
        Decision {
            task: lane.task.clone(),
            class: (routing == Routing::Routed || job.is_some()).then(|| lane.class.clone()),
            also,
            routing,
            attempts: targets
                .into_iter()
                .map(|target| self.planned(lane, target))
                .collect(),
            rule,
            confidence_pm: job.map(|job| job.confidence_pm),
            runner_up: job.and_then(|job| job.runner_up.clone()),
            causes,
            rejected,
            proof,
            warm: self.warm(lane).cloned(),
            switched_nano_usd: self.state.switched_nano_usd,
            estimated_tokens: self.estimated_tokens(),
            policy_digest: self.policy.digest().to_owned(),
            catalog_digest: self.catalog.digest().to_owned(),
        }
    }

    /// A target with its window and the price of going there.
    fn planned(&self, lane: &Lane<'_>, target: Target) -> Planned {
        let window_tokens = self.catalog.context_window(&target.provider, &target.model);
        let switch_nano_usd = self.switch_cost(lane, &target);
        let provider = self.world.provider(&target.provider);
        let asked_in = match provider.map(|provider| provider.reach(self.facts.protocol)) {
            Some(Reach::Translated(protocol)) => Some(protocol),
            Some(Reach::Native | Reach::Mute) | None => None,
        };
        Planned {
            target,
            asked_in,
            window_tokens,
            switch_nano_usd,
        }
    }

    /// Four bytes a token, rounded up: too high for most requests, which is the safe side of a window.
    fn estimated_tokens(&self) -> u64 {
        self.facts.body_bytes.div_ceil(4)
    }

    fn names_at_hand(&self) -> String {
        let names: Vec<&str> = self
            .world
            .providers
            .iter()
            .map(|provider| provider.name.as_str())
            .collect();
        names.join(", ")
    }
}

fn speaks(provider: &ProviderState, client: Protocol) -> bool {
    provider.reach(client) == Reach::Native
}

/// Whether a provider can be asked in another dialect than the client's, with a key that is right for it.
fn understands(provider: &ProviderState, client: Protocol) -> bool {
    matches!(provider.reach(client), Reach::Translated(_)) && !provider.takes_own_key
}

fn check_budget(lane: &Lane<'_>) -> Result<(), Refusal> {
    let budget = lane.row.and_then(|task| task.budget_per_job_nano_usd);
    let (Some(budget), Some(job)) = (budget, lane.job) else {
        return Ok(());
    };
    if job.spent_nano_usd < budget {
        return Ok(());
    }
    refuse(
        FaultKind::BudgetExhausted,
        format!(
            "this job has spent {} of the {} that task `{}` allows; raise `budget.per_job` in wayproof.toml or \
             ask for something else",
            show_usd(job.spent_nano_usd),
            show_usd(budget),
            lane.task
        ),
    )
}

fn refuse<T>(kind: FaultKind, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal {
        kind,
        message: message.into(),
    })
}

fn spoken(kind: Housekeeping) -> &'static str {
    match kind {
        Housekeeping::Title => "naming the session",
        Housekeeping::PermissionCheck => "checking a permission",
        Housekeeping::Compaction => "compacting the conversation",
        Housekeeping::CommitMessage => "writing a commit message",
        Housekeeping::TopicCheck => "checking the topic",
        Housekeeping::CountTokens => "counting tokens",
        Housekeeping::Warmup => "warming up",
        Housekeeping::Autocomplete => "completing text at the cursor",
        Housekeeping::Embedding => "turning text into vectors",
        Housekeeping::Judging => "finding out what an ask is",
    }
}
