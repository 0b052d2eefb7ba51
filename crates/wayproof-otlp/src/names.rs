//! The names written, each with who fixed it.
//!
//! The GenAI conventions are not stable yet, and one attribute was renamed while backends still read the older name;
//! both spellings are written then. Source: OpenTelemetry `semantic-conventions-genai`; OpenInference `spec/`.

pub(crate) const OPERATION: &str = "gen_ai.operation.name";
pub(crate) const PROVIDER: &str = "gen_ai.provider.name";
/// The older name of [`PROVIDER`].
pub(crate) const SYSTEM: &str = "gen_ai.system";
pub(crate) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(crate) const RESPONSE_MODEL: &str = "gen_ai.response.model";
pub(crate) const RESPONSE_ID: &str = "gen_ai.response.id";
pub(crate) const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
pub(crate) const TIME_TO_FIRST: &str = "gen_ai.response.time_to_first_chunk";
pub(crate) const CONVERSATION: &str = "gen_ai.conversation.id";
pub(crate) const AGENT: &str = "gen_ai.agent.name";
pub(crate) const AGENT_VERSION: &str = "gen_ai.agent.version";
/// Cached tokens are part of it.
pub(crate) const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Reasoning is part of it.
pub(crate) const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
pub(crate) const CACHE_READ: &str = "gen_ai.usage.cache_read.input_tokens";
pub(crate) const CACHE_WRITE: &str = "gen_ai.usage.cache_write.input_tokens";
/// The older name of [`CACHE_WRITE`].
pub(crate) const CACHE_CREATION: &str = "gen_ai.usage.cache_creation.input_tokens";
pub(crate) const REASONING: &str = "gen_ai.usage.reasoning.output_tokens";
pub(crate) const TOKEN_TYPE: &str = "gen_ai.token.type";
pub(crate) const EVALUATION: &str = "gen_ai.evaluation.result";
pub(crate) const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
pub(crate) const EVALUATION_LABEL: &str = "gen_ai.evaluation.score.label";
pub(crate) const EVALUATION_SCORE: &str = "gen_ai.evaluation.score.value";
pub(crate) const EVALUATION_WHY: &str = "gen_ai.evaluation.explanation";
pub(crate) const TOKEN_USAGE: &str = "gen_ai.client.token.usage";
pub(crate) const DURATION: &str = "gen_ai.client.operation.duration";

pub(crate) const SESSION: &str = "session.id";
pub(crate) const ERROR: &str = "error.type";
pub(crate) const STATUS: &str = "http.response.status_code";
pub(crate) const REPOSITORY: &str = "vcs.repository.url.full";
pub(crate) const REVISION: &str = "vcs.ref.head.revision";
pub(crate) const BASE_REVISION: &str = "vcs.ref.base.revision";
pub(crate) const SUITE: &str = "test.suite.name";
pub(crate) const SUITE_STATUS: &str = "test.suite.run.status";

pub(crate) const SPAN_KIND: &str = "openinference.span.kind";
pub(crate) const PROJECT: &str = "openinference.project.name";
pub(crate) const LLM_MODEL: &str = "llm.model_name";
pub(crate) const LLM_PROVIDER: &str = "llm.provider";
pub(crate) const LLM_PROMPT: &str = "llm.token_count.prompt";
pub(crate) const LLM_COMPLETION: &str = "llm.token_count.completion";
pub(crate) const LLM_TOTAL: &str = "llm.token_count.total";
pub(crate) const LLM_CACHE_READ: &str = "llm.token_count.prompt_details.cache_read";
pub(crate) const LLM_CACHE_WRITE: &str = "llm.token_count.prompt_details.cache_write";
pub(crate) const LLM_REASONING: &str = "llm.token_count.completion_details.reasoning";
/// In US dollars; the listed price, else what was billed.
pub(crate) const LLM_COST: &str = "llm.cost.total";

pub(crate) const EXCHANGE: &str = "wayproof.exchange";
pub(crate) const JOB: &str = "wayproof.job";
pub(crate) const TASK: &str = "wayproof.task";
pub(crate) const CLASS: &str = "wayproof.class";
pub(crate) const OUTCOME: &str = "wayproof.outcome";
pub(crate) const ROUTING: &str = "wayproof.routing";
pub(crate) const RULE: &str = "wayproof.rule";
pub(crate) const CAUSE: &str = "wayproof.cause";
pub(crate) const FROM: &str = "wayproof.from";
pub(crate) const TO: &str = "wayproof.to";
pub(crate) const WHY: &str = "wayproof.why";
pub(crate) const VERDICT: &str = "wayproof.verdict";
pub(crate) const TREE: &str = "wayproof.tree";
pub(crate) const RECEIPT: &str = "wayproof.receipt";
pub(crate) const KEY_ID: &str = "wayproof.key_id";
pub(crate) const PROTOCOL: &str = "wayproof.protocol";
pub(crate) const ASKED_IN: &str = "wayproof.asked_in";
pub(crate) const LOSSES: &str = "wayproof.losses";
pub(crate) const HOUSEKEEPING: &str = "wayproof.housekeeping";
pub(crate) const IMPORTED: &str = "wayproof.imported";
pub(crate) const FAULT: &str = "wayproof.fault";
pub(crate) const REVIEWER: &str = "wayproof.reviewer";
pub(crate) const DECISION: &str = "wayproof.decision";
pub(crate) const WINDOW: &str = "wayproof.window";
pub(crate) const BASIS: &str = "wayproof.cost.basis";
pub(crate) const LISTED: &str = "wayproof.cost.listed_nano_usd";
pub(crate) const BILLED: &str = "wayproof.cost.billed_nano_usd";
pub(crate) const SUBSCRIPTION: &str = "wayproof.cost.subscription_nano_usd";
pub(crate) const CATALOG: &str = "wayproof.cost.catalog";
pub(crate) const COST: &str = "wayproof.cost.usd";
pub(crate) const EXCHANGES: &str = "wayproof.exchanges";
pub(crate) const ESCALATIONS: &str = "wayproof.escalations";
pub(crate) const PROOFS: &str = "wayproof.proofs";
pub(crate) const QUOTA: &str = "wayproof.quota.used_ratio";
pub(crate) const GAPS: &str = "wayproof.import.gaps";
/// A point that stands for all series beyond the limit.
pub(crate) const OVERFLOW: &str = "otel.metric.overflow";
