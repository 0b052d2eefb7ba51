//! The OpenAPI document of what programs read.
//!
//! Schemas are closed and every field is required, so that a test that reads answers against them finds what drifted.

mod fields;

use serde_json::{Map, Value, json};

use self::fields::{Field, SCHEMAS};
use super::query::{DIMENSIONS, LAST_DAY, LONGEST, MOST_ROWS};

/// An address: where, what it answers, what it is, and the parameters it takes.
type Place = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const PAGE: &[&str] = &["limit", "before"];
const REPORT: &[&str] = &["by", "from", "until"];

const PLACES: &[Place] = &[
    ("health", "Health", "How the gateway is", &[]),
    ("sessions", "Sessions", "Conversations of agents", PAGE),
    ("sessions/{id}", "Session", "One conversation", &["id"]),
    (
        "jobs",
        "Jobs",
        "Pieces of work",
        &["limit", "before", "session", "task", "verdict"],
    ),
    (
        "jobs/{id}",
        "JobDetail",
        "One piece of work with its story",
        &["id"],
    ),
    (
        "exchanges",
        "Exchanges",
        "Requests and their answers",
        &[
            "limit", "before", "session", "job", "task", "model", "outcome",
        ],
    ),
    (
        "exchanges/{id}",
        "ExchangeDetail",
        "One request with its decision",
        &["id"],
    ),
    ("receipts", "Receipts", "What was proven", PAGE),
    (
        "receipts/{digest}",
        "ReceiptDetail",
        "One receipt with its signed bundle",
        &["digest"],
    ),
    ("spend", "Spend", "Where the money went", REPORT),
    ("outcomes", "Outcomes", "What came of jobs", REPORT),
    ("quality", "Quality", "How well jobs went", REPORT),
    ("budgets", "Budgets", "What budgets have left", &[]),
    (
        "models",
        "Models",
        "What models cost and how they answered",
        &[],
    ),
];

/// The document.
pub fn document() -> Value {
    let schemas: Map<String, Value> = SCHEMAS
        .iter()
        .map(|(name, fields)| ((*name).to_owned(), object(fields)))
        .collect();
    let mut paths: Map<String, Value> = PLACES
        .iter()
        .map(|place| {
            (
                format!("/read/v1/{}", place.0),
                json!({ "get": operation(place) }),
            )
        })
        .collect();
    paths.insert(
        "/read/v1/openapi.json".to_owned(),
        json!({ "get": {
            "operationId": "openapi",
            "summary": "This document",
            "responses": responses(&json!({ "type": "object" }), &["400", "401", "403", "503"]),
        }}),
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wayproof read API",
            "version": "1",
            "description": "What the gateway's ledger holds, to be read. Times are microseconds since 1970, money is nano-dollars, and what is unknown is null, never zero. Without a key everybody on the gateway's machine may read; with one, a key of the gateway is shown as a bearer token, or the session of its pages.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "security": [{ "key": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "A key of the gateway: the one of --key-env, or one of `wayproof keys new`." },
                "session": { "type": "apiKey", "in": "cookie", "name": "wayproof_session", "description": "The session of somebody who signed in on the pages." },
            },
        },
    })
}

fn operation((path, schema, summary, parameters): &Place) -> Value {
    let id: String = path.chars().filter(char::is_ascii_alphanumeric).collect();
    let parameters: Vec<Value> = parameters.iter().map(|name| parameter(name)).collect();
    let mut failures = vec!["400", "401", "403", "503"];
    if path.ends_with('}') {
        failures.insert(3, "404");
    }
    let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
    json!({
        "operationId": id,
        "summary": summary,
        "parameters": parameters,
        "responses": responses(&schema, &failures),
    })
}

fn responses(schema: &Value, failures: &[&str]) -> Value {
    let said = |status: &str| match status {
        "400" => "The request asks for something that cannot be.",
        "401" => "A key is needed.",
        "403" => "The gateway refuses this reader.",
        "404" => "The ledger has nothing of that name.",
        _ => "The ledger cannot be read.",
    };
    let content = |schema: &Value| json!({ "application/json": { "schema": schema } });
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    let mut all = Map::new();
    all.insert(
        "200".to_owned(),
        json!({ "description": "The answer.", "content": content(schema) }),
    );
    for status in failures {
        all.insert(
            (*status).to_owned(),
            json!({ "description": said(status), "content": content(&problem) }),
        );
    }
    Value::Object(all)
}

fn parameter(name: &str) -> Value {
    let names: Vec<&str> = DIMENSIONS.iter().map(|(name, _)| *name).collect();
    let text = json!({
        "type": "string", "minLength": 1, "maxLength": LONGEST,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
    });
    let day = json!({ "type": "integer", "minimum": 0, "maximum": LAST_DAY });
    let (place, schema, meaning) = match name {
        "id" | "digest" => ("path", text, "Its name."),
        "limit" => (
            "query",
            json!({ "type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": 50 }),
            "Rows at most.",
        ),
        "before" => (
            "query",
            json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX }),
            "Only rows whose `seq` is smaller.",
        ),
        "by" => (
            "query",
            json!({ "type": "array", "items": { "type": "string", "enum": names }, "minItems": 1, "maxItems": 3, "uniqueItems": true }),
            "What to group by; without it everything is one group.",
        ),
        "from" => ("query", day, "The first day, as days since 1970, UTC."),
        "until" => ("query", day, "The first day that is not meant any more."),
        _ => ("query", text, "Only rows with this value."),
    };
    let mut parameter = json!({
        "name": name, "in": place, "required": place == "path", "description": meaning, "schema": schema,
    });
    if name == "by" {
        parameter["style"] = "form".into();
        parameter["explode"] = false.into();
    }
    parameter
}

fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|(name, holds, meaning)| ((*name).to_owned(), holds.schema(meaning)))
        .collect();
    let required: Vec<&str> = fields.iter().map(|(name, _, _)| *name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}
