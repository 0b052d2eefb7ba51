//! The fields of every answer, by the name of its schema.

use serde_json::{Value, json};

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    Text,
    MaybeText,
    Int,
    MaybeInt,
    Bool,
    Tokens,
    Of(&'static str),
    /// Whatever the ledger recorded, as it was recorded.
    Recorded,
    MaybeRecorded,
    Many(&'static str),
    ManyRecorded,
    Names,
}

use Holds::{
    Bool, Int, Many, ManyRecorded, MaybeInt, MaybeRecorded, MaybeText, Names, Of, Recorded, Text,
    Tokens,
};

pub(super) type Field = (&'static str, Holds, &'static str);

const MONEY: &[Field] = &[
    (
        "listed_nano_usd",
        MaybeInt,
        "What price lists say, in nano-dollars, over what has a known price.",
    ),
    (
        "listed_unknown",
        Int,
        "Exchanges of unknown price, which are not in it.",
    ),
    (
        "billed_nano_usd",
        MaybeInt,
        "What providers said they charged.",
    ),
    (
        "subscription_nano_usd",
        MaybeInt,
        "The part of list prices that callers' own subscriptions paid for.",
    ),
];

const SESSION: &[Field] = &[
    (
        "seq",
        Int,
        "Place of its first event; the next page is `before` it.",
    ),
    ("id", Text, "Its name."),
    ("agent", MaybeText, "The coding agent."),
    ("agent_version", MaybeText, "Its version."),
    ("parent", MaybeText, "The conversation that started it."),
    ("cwd", MaybeText, "Where the agent works."),
    ("repo", MaybeText, "The repository."),
    ("branch", MaybeText, "The branch."),
    (
        "started_us",
        Int,
        "When it was first seen, in microseconds since 1970.",
    ),
    ("last_us", Int, "When it was last seen."),
    ("exchanges", Int, "Requests opened."),
    ("settled", Int, "Requests settled."),
    ("money", Of("Money"), "What it cost."),
];

const JOB: &[Field] = &[
    (
        "seq",
        Int,
        "Place of its first event; the next page is `before` it.",
    ),
    ("id", Text, "Its name."),
    ("session", MaybeText, "The conversation it belongs to."),
    ("task", MaybeText, "The policy's row."),
    ("class", MaybeText, "The class it is in, or ended in."),
    ("repo", MaybeText, "The repository."),
    ("base", MaybeText, "The commit it started from."),
    ("agent", MaybeText, "The coding agent."),
    (
        "opened_us",
        Int,
        "When it was opened, in microseconds since 1970.",
    ),
    ("last_us", Int, "When something last happened."),
    ("closed_us", MaybeInt, "When it was closed."),
    ("verdict", MaybeText, "The last verdict."),
    ("receipt_digest", MaybeText, "The last receipt."),
    ("escalations", Int, "How often it moved to another class."),
    ("proofs", Int, "How many proofs ran."),
    ("exchanges", Int, "Requests opened."),
    ("settled", Int, "Requests settled."),
    ("money", Of("Money"), "What it cost."),
];

const JOB_DETAIL: &[Field] = &[
    ("job", Of("Job"), "The job."),
    ("story", ManyRecorded, "Its events, as they are stored."),
    ("exchanges", Many("Exchange"), "Its requests."),
];

const EXCHANGE: &[Field] = &[
    (
        "seq",
        Int,
        "Place of its opening event; the next page is `before` it.",
    ),
    (
        "id",
        Text,
        "Its name, as `x-wayproof-exchange` of its answer says.",
    ),
    ("session", MaybeText, "The conversation it belongs to."),
    ("job", MaybeText, "The job it belongs to."),
    ("protocol", MaybeText, "The client's protocol."),
    ("agent", MaybeText, "The coding agent."),
    ("task", MaybeText, "The policy's row."),
    ("class", MaybeText, "The class."),
    ("requested_model", MaybeText, "The model asked for."),
    ("provider", MaybeText, "Who answered, or is being asked."),
    (
        "model",
        MaybeText,
        "The model that answered, or is being asked.",
    ),
    (
        "opened_us",
        Int,
        "When it was opened, in microseconds since 1970.",
    ),
    ("settled_seq", MaybeInt, "Place of its settling event."),
    (
        "outcome",
        MaybeText,
        "completed, failed, cut, cancelled or refused.",
    ),
    ("status", MaybeInt, "The status the client got."),
    ("attempts", MaybeInt, "Upstream tries."),
    ("total_us", MaybeInt, "How long it took."),
    (
        "tokens",
        Tokens,
        "Fresh input, cache read, cache written, output, reasoning; null is unknown.",
    ),
    ("listed_nano_usd", MaybeInt, "The list price."),
    ("billed_nano_usd", MaybeInt, "What the provider charged."),
    (
        "subscription_nano_usd",
        MaybeInt,
        "The list price again, where the caller's own subscription paid for it.",
    ),
    ("person", MaybeText, "The person whose key was shown."),
    ("team", MaybeText, "Their teams."),
    ("key_name", MaybeText, "The key's name."),
];

const EXCHANGE_DETAIL: &[Field] = &[
    ("exchange", Of("Exchange"), "The exchange."),
    (
        "opened",
        MaybeRecorded,
        "How it was decided, as it is stored.",
    ),
    ("settled", MaybeRecorded, "How it ended, as it is stored."),
];

const RECEIPT: &[Field] = &[
    (
        "seq",
        Int,
        "Place of the event; the next page is `before` it.",
    ),
    (
        "at_us",
        Int,
        "When it was sealed, in microseconds since 1970.",
    ),
    ("job", MaybeText, "The job it is about."),
    ("task", MaybeText, "The policy's row."),
    ("repo", MaybeText, "The repository."),
    ("receipt_digest", Text, "SHA-256 of the bundle."),
    ("verdict", Text, "What it says."),
    ("commit", MaybeText, "The commit it is about."),
    ("tree", MaybeText, "The tree it is about."),
    ("key_id", MaybeText, "The key that signed it."),
];

const RECEIPT_DETAIL: &[Field] = &[
    ("receipt_digest", Text, "SHA-256 of the bundle."),
    ("seq", Int, "Place of the event that recorded it."),
    ("job", MaybeText, "The job it is about."),
    ("bundle", MaybeText, "The signed bundle, if it is kept."),
];

const SPEND: &[Field] = &[
    ("group", Names, "The group, by the dimensions asked for."),
    ("exchanges", Int, "Answers."),
    ("with_usage", Int, "Those whose tokens are known."),
    ("imported", Int, "Those from agents' own logs."),
    (
        "tokens",
        Tokens,
        "Fresh input, cache read, cache written, output, reasoning; null is unknown.",
    ),
    ("listed_nano_usd", MaybeInt, "List prices, in nano-dollars."),
    (
        "listed_unknown",
        Int,
        "Answers of unknown price, which are not in it.",
    ),
    (
        "billed_nano_usd",
        MaybeInt,
        "What providers said they charged.",
    ),
    (
        "subscription_nano_usd",
        MaybeInt,
        "The part of list prices that callers' own subscriptions paid for.",
    ),
    (
        "listed_per_proven_nano_usd",
        MaybeInt,
        "Cost per proven change.",
    ),
];

const OUTCOME: &[Field] = &[
    ("group", Names, "The group, by the dimensions asked for."),
    ("jobs", Int, "Jobs that took part."),
    (
        "judged",
        Int,
        "Those whose last verdict says something about the change.",
    ),
    ("proven", Int, "Those that ended PROVEN."),
    (
        "proven_with_gaps",
        Int,
        "Those that ended PROVEN_WITH_GAPS.",
    ),
    ("refuted", Int, "Those that ended REFUTED."),
    ("unproven", Int, "Those that ended UNPROVEN."),
    (
        "listed_per_proven_nano_usd",
        MaybeInt,
        "Cost per proven change, in nano-dollars.",
    ),
];

const QUALITY: &[Field] = &[
    ("group", Names, "The group, by the dimensions asked for."),
    ("jobs", Int, "Jobs that took part."),
    (
        "judged",
        Int,
        "Those whose last verdict says something about the change.",
    ),
    (
        "proven_at_first",
        Int,
        "Those that were PROVEN by their first proof, without moving up.",
    ),
    ("escalated", Int, "Those that moved up a class."),
    (
        "escalated_proven",
        Int,
        "Those that moved up and ended PROVEN.",
    ),
    (
        "unproven_listed_nano_usd",
        MaybeInt,
        "Spent on jobs that are not PROVEN.",
    ),
    (
        "escalated_listed_nano_usd",
        MaybeInt,
        "Spent on jobs that moved up.",
    ),
    ("exchanges", Int, "Answers."),
    ("with_usage", Int, "Those whose tokens are known."),
];

const BUDGET: &[Field] = &[
    (
        "subject",
        Text,
        "Whose budget: job, session, person, team, repo, key or everyone.",
    ),
    ("window", Text, "How long it is for."),
    (
        "limit_nano_usd",
        Int,
        "What may be spent, in nano-dollars of list prices.",
    ),
    (
        "soft_nano_usd",
        MaybeInt,
        "From here on new jobs start a class lower.",
    ),
    (
        "spent_nano_usd",
        Int,
        "What was spent in the present window.",
    ),
    (
        "held_nano_usd",
        Int,
        "What exchanges under way may cost at most.",
    ),
    ("renews", MaybeText, "When the window starts anew."),
];

const LISTED: &[Field] = &[
    ("provider", Text, "Who serves it."),
    ("model", Text, "The model."),
    ("window_tokens", MaybeInt, "Its context window."),
    (
        "input",
        MaybeInt,
        "Price of fresh input, in nano-dollars for a million tokens.",
    ),
    ("output", MaybeInt, "Price of output."),
    ("cache_read", MaybeInt, "Price of input read from a cache."),
    (
        "cache_write_5m",
        MaybeInt,
        "Price of input written to a cache.",
    ),
];

const SEEN: &[Field] = &[
    ("provider", Text, "Who served it."),
    ("model", Text, "The model."),
    ("completed", Int, "Answers that were completed."),
    ("failed", Int, "Exchanges that came to nothing."),
    (
        "median_us",
        MaybeInt,
        "Half of the answers took no longer than this.",
    ),
    (
        "p95_us",
        MaybeInt,
        "Nineteen of twenty took no longer than this.",
    ),
];

const MODELS: &[Field] = &[
    ("source", Text, "Where the catalog is from."),
    ("date", Text, "Its date."),
    ("digest", Text, "Its SHA-256."),
    ("listed", Many("ListedModel"), "What models cost by it."),
    (
        "seen",
        Many("SeenModel"),
        "How models answered here lately.",
    ),
];

const PROVIDER: &[Field] = &[
    ("name", Text, "Its name."),
    ("is_healthy", Bool, "Whether it is asked at the moment."),
];

const HEALTH: &[Field] = &[
    ("status", Text, "ok"),
    (
        "policy_digest",
        MaybeText,
        "SHA-256 of the policy in force.",
    ),
    ("events", Int, "Events in the ledger."),
    ("sessions", Int, "Conversations in memory."),
    ("jobs", Int, "Jobs opened by runs that are not closed."),
    ("providers", Many("Provider"), "Who serves models."),
];

const PROBLEM: &[Field] = &[("error", Text, "What is wrong, in one sentence.")];

pub(super) const SCHEMAS: &[(&str, &[Field])] = &[
    ("Money", MONEY),
    ("Session", SESSION),
    ("Job", JOB),
    ("JobDetail", JOB_DETAIL),
    ("Exchange", EXCHANGE),
    ("ExchangeDetail", EXCHANGE_DETAIL),
    ("Receipt", RECEIPT),
    ("ReceiptDetail", RECEIPT_DETAIL),
    ("SpendGroup", SPEND),
    ("OutcomeGroup", OUTCOME),
    ("QualityGroup", QUALITY),
    ("Budget", BUDGET),
    ("ListedModel", LISTED),
    ("SeenModel", SEEN),
    ("Models", MODELS),
    ("Provider", PROVIDER),
    ("Health", HEALTH),
    ("Problem", PROBLEM),
    (
        "Sessions",
        &[
            ("rows", Many("Session"), "Newest first."),
            ("next_before", MaybeInt, "`before` of the next page."),
        ],
    ),
    (
        "Jobs",
        &[
            ("rows", Many("Job"), "Newest first."),
            ("next_before", MaybeInt, "`before` of the next page."),
        ],
    ),
    (
        "Exchanges",
        &[
            ("rows", Many("Exchange"), "Newest first."),
            ("next_before", MaybeInt, "`before` of the next page."),
        ],
    ),
    (
        "Receipts",
        &[
            ("rows", Many("Receipt"), "Newest first."),
            ("next_before", MaybeInt, "`before` of the next page."),
        ],
    ),
    (
        "Spend",
        &[(
            "groups",
            Many("SpendGroup"),
            "The dearest first, 200 at most.",
        )],
    ),
    (
        "Outcomes",
        &[(
            "groups",
            Many("OutcomeGroup"),
            "The dearest first, 200 at most.",
        )],
    ),
    (
        "Quality",
        &[(
            "groups",
            Many("QualityGroup"),
            "The dearest first, 200 at most.",
        )],
    ),
    (
        "Budgets",
        &[("budgets", Many("Budget"), "Each with its present window.")],
    ),
];

impl Holds {
    pub(super) fn schema(self, meaning: &str) -> Value {
        let to = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let mut schema = match self {
            Self::Text => json!({ "type": "string" }),
            Self::MaybeText => json!({ "type": ["string", "null"] }),
            Self::Int => json!({ "type": "integer" }),
            Self::MaybeInt => json!({ "type": ["integer", "null"] }),
            Self::Bool => json!({ "type": "boolean" }),
            Self::Tokens => {
                json!({ "type": "array", "items": { "type": ["integer", "null"] }, "minItems": 5, "maxItems": 5 })
            }
            Self::Of(name) => to(name),
            Self::Recorded => json!({ "type": "object" }),
            Self::MaybeRecorded => json!({ "type": ["object", "null"] }),
            Self::Many(name) => json!({ "type": "array", "items": to(name) }),
            Self::ManyRecorded => json!({ "type": "array", "items": Recorded.schema("An event.") }),
            Self::Names => {
                json!({ "type": "object", "additionalProperties": { "type": "string" } })
            }
        };
        schema["description"] = meaning.into();
        schema
    }
}
