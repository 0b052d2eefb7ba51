//! Tools about a repository: who uses a symbol, what changed in what is public, where schemas and contracts are.
//!
//! They read revisions through git and never the files around them; what is not committed yet is seen as a snapshot.

use std::fmt::Write as _;

use anyhow::Result;
use wayproof_repo::{ChangeKind, Commit, Repo};

use super::{
    Place, api,
    tools::{Ends, References, Revision},
};
use crate::{commands::prove, exit::Mistake, proving::repo_mistake, terminal::plain};

const MOST_HITS: usize = 200;
const MOST_FILES: usize = 400;
const LONGEST_LINE: usize = 200;
const LONGEST_SYMBOL: usize = 200;

/// A revision that was named, else the working tree as it is.
fn revision(repo: &Repo, named: Option<&str>) -> Result<Commit> {
    prove::head_of(repo, named)
}

/// Lines that use a symbol, by file.
pub(super) fn references(place: &Place, asked: &References) -> Result<String> {
    let symbol = asked.symbol.trim();
    let is_symbol = !symbol.is_empty()
        && symbol.len() <= LONGEST_SYMBOL
        && !symbol.chars().any(char::is_control);
    if !is_symbol {
        let sentence = format!("a symbol is one line of 1 to {LONGEST_SYMBOL} bytes");
        return Err(Mistake(sentence).into());
    }
    let repo = Repo::discover(&place.repo).map_err(repo_mistake)?;
    let at = revision(&repo, asked.rev.as_deref())?;
    let hits = repo.grep(at.tree.as_str(), symbol).map_err(repo_mistake)?;
    if hits.is_empty() {
        return Ok(format!("nothing uses `{}` as a whole word", plain(symbol)));
    }
    let mut files: Vec<&str> = hits.iter().map(|hit| hit.path.as_str()).collect();
    files.dedup();
    let mut told = format!("{} line(s) in {} file(s)", hits.len(), files.len());
    for hit in hits.iter().take(MOST_HITS) {
        let text: String = plain(hit.text.trim()).chars().take(LONGEST_LINE).collect();
        let _ = write!(told, "\n{}:{}: {text}", plain(&hit.path), hit.line);
    }
    if hits.len() > MOST_HITS {
        let _ = write!(told, "\n… and {} more", hits.len() - MOST_HITS);
    }
    Ok(told)
}

/// What changed in what is public between two revisions.
pub(super) fn api_diff(place: &Place, asked: &Ends) -> Result<String> {
    let repo = Repo::discover(&place.repo).map_err(repo_mistake)?;
    let head = revision(&repo, asked.head.as_deref())?;
    let base = prove::base_of(&repo, asked.base.as_deref(), &head)?;
    let (from, to) = (base.tree.as_str(), head.tree.as_str());
    let changes = repo.changes(from, to).map_err(repo_mistake)?;
    let mut told = String::new();
    for change in changes.iter().filter(|change| api::is_read(&change.path)) {
        let old_path = change.old_path.as_deref().unwrap_or(&change.path);
        let before = match change.kind {
            ChangeKind::Added => Vec::new(),
            _ => declared(&repo, from, old_path)?,
        };
        let after = match change.kind {
            ChangeKind::Deleted => Vec::new(),
            _ => declared(&repo, to, &change.path)?,
        };
        let differences = api::compare(&before, &after);
        if !differences.is_empty() {
            let _ = write!(told, "\n{}", plain(&change.path));
            for difference in differences {
                let _ = write!(told, "\n  {difference}");
            }
        }
    }
    if told.is_empty() {
        told.push_str("\nno public declaration differs");
    }
    Ok(format!(
        "from {} to {}, read as text: {}{told}",
        short(&base),
        short(&head),
        api::LANGUAGES
    ))
}

fn short(commit: &Commit) -> &str {
    crate::gate::short(commit.id.as_str())
}

fn declared(repo: &Repo, tree: &str, path: &str) -> Result<Vec<api::Declaration>> {
    let bytes = repo.read(tree, path).map_err(repo_mistake)?;
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(api::declarations(path, text.as_deref().unwrap_or_default()))
}

/// Files that say how data and interfaces look, by kind.
pub(super) fn schemas(place: &Place, asked: &Revision) -> Result<String> {
    let repo = Repo::discover(&place.repo).map_err(repo_mistake)?;
    let at = revision(&repo, asked.rev.as_deref())?;
    let entries = repo.ls_tree(at.tree.as_str()).map_err(repo_mistake)?;
    let mut found: Vec<(&str, &str)> = entries
        .iter()
        .filter_map(|entry| Some((kind(&entry.path)?, entry.path.as_str())))
        .collect();
    found.sort_unstable();
    if found.is_empty() {
        return Ok("no schema, migration or contract file is known by its name".to_owned());
    }
    let mut told = format!("{} file(s)", found.len());
    for (kind, path) in found.iter().take(MOST_FILES) {
        let _ = write!(told, "\n{kind}: {}", plain(path));
    }
    if found.len() > MOST_FILES {
        let _ = write!(told, "\n… and {} more", found.len() - MOST_FILES);
    }
    Ok(told)
}

/// What a file is a schema of, by its name.
fn kind(path: &str) -> Option<&'static str> {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or_default();
    let mut folders = lower.split('/').rev().skip(1);
    let is_migration = folders.any(|folder| {
        matches!(
            folder,
            "migrations" | "migration" | "migrate" | "versions" | "changelog" | "flyway"
        )
    });
    let (_, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_text = matches!(extension, "json" | "yaml" | "yml" | "toml" | "xml");
    let is_code = matches!(
        extension,
        "sql" | "py" | "rb" | "js" | "ts" | "php" | "go" | "rs" | "java" | "cs" | "ex" | "exs"
    );
    match extension {
        _ if is_migration && (is_code || is_text) => Some("migration"),
        "sql" => Some("database"),
        "prisma" => Some("database"),
        "proto" => Some("protobuf"),
        "graphql" | "graphqls" | "gql" => Some("graphql"),
        "avsc" | "avdl" => Some("avro"),
        "thrift" => Some("thrift"),
        "xsd" | "wsdl" => Some("xml"),
        "fbs" | "capnp" => Some("message"),
        _ if matches!(name, "schema.rb" | "structure.sql" | "schema.ts") => Some("database"),
        _ if is_text
            && (name.contains("openapi")
                || name.contains("swagger")
                || name.contains("asyncapi")) =>
        {
            Some("http")
        }
        _ if is_text && (name.contains(".schema.") || name.starts_with("schema.")) => {
            Some("json-schema")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn schemas_are_known_by_their_names() {
        for (path, expected) in [
            ("db/migrations/0001_users.sql", Some("migration")),
            ("app/alembic/versions/ab12_add.py", Some("migration")),
            ("db/schema.rb", Some("database")),
            ("prisma/schema.prisma", Some("database")),
            ("api/v1/shop.proto", Some("protobuf")),
            ("docs/openapi.yaml", Some("http")),
            ("schema/policy.schema.json", Some("json-schema")),
            ("src/main.rs", None),
            ("README.md", None),
            ("versions", None),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }
}
