//! Findings as SARIF 2.1.0, with what is new told from what was there, and read back for whoever approves.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_repo::Oid;

use super::{
    findings::{Finding, Opinion, Severity, State},
    subject::Subject,
};
use crate::gate::uri;

/// Where the report about a tree lies on this machine.
pub(crate) fn place(data: &Path, tree: &Oid) -> PathBuf {
    data.join("reviews").join(format!("{tree}.sarif"))
}

/// The report.
pub(crate) fn report(subject: &Subject, findings: &[Finding], opinions: &[Opinion]) -> Value {
    let mut rules: Vec<&str> = findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect();
    rules.sort_unstable();
    rules.dedup();
    let rule = |id: &&str| json!({"id": id});
    let looked = |opinion: &Opinion| json!({"class": opinion.class, "targets": opinion.targets, "discarded": opinion.discarded});
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "wayproof review", "version": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://wayproof.dev",
                "rules": rules.iter().map(rule).collect::<Vec<_>>(),
            }},
            "results": findings.iter().map(result).collect::<Vec<_>>(),
            "properties": {
                "base": subject.into.id.as_str(), "head": subject.head.id.as_str(),
                "tree": subject.tree.as_str(), "change": subject.digest,
                "reviewers": opinions.iter().map(looked).collect::<Vec<_>>(),
            },
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let level = match finding.severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    };
    let mut place =
        json!({"artifactLocation": {"uri": uri(&finding.path), "uriBaseId": "%SRCROOT%"}});
    if let Some(line) = finding.line {
        place["region"] = json!({"startLine": line});
    }
    json!({
        "ruleId": finding.rule, "level": level,
        "message": {"text": finding.message()},
        "locations": [{"physicalLocation": place}],
        "baselineState": match finding.state { State::New => "new", State::Unchanged => "unchanged" },
        "partialFingerprints": {"wayproof/v1": finding.fingerprint},
        "properties": {
            "id": finding.id, "path": finding.path, "agreed": finding.is_agreed(), "foundBy": finding.found_by,
        },
    })
}

/// Writes a report.
pub(crate) fn write(file: &Path, report: &Value) -> Result<Vec<u8>> {
    if let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let bytes = serde_json::to_vec_pretty(report)?;
    fs::write(file, &bytes).with_context(|| format!("writing {}", file.display()))?;
    Ok(bytes)
}

/// A finding that whoever approves has to answer, as a report has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) id: String,
    pub(crate) place: String,
    pub(crate) message: String,
}

/// The report about a tree on this machine, with its bytes; nothing if nobody looked.
pub(crate) fn read(data: &Path, tree: &Oid) -> Result<Option<(Vec<u8>, Vec<Open>)>> {
    let file = place(data, tree);
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
    };
    let report: Value = serde_json::from_slice(&bytes)
        .with_context(|| format!("reading the report {}", file.display()))?;
    let results = report["runs"][0]["results"].as_array();
    let is_open = |result: &&Value| result["level"] == "error" && result["baselineState"] == "new";
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let open = results.into_iter().flatten().filter(is_open).map(|result| {
        let line = &result["locations"][0]["physicalLocation"]["region"]["startLine"];
        let line = line.as_u64().map(|line| format!(":{line}"));
        Open {
            id: text(&result["properties"]["id"]),
            place: text(&result["properties"]["path"]) + &line.unwrap_or_default(),
            message: text(&result["message"]["text"]),
        }
    });
    let open = open.collect();
    Ok(Some((bytes, open)))
}
