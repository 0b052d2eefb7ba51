//! Shows and verifies receipts; needs no network, and a repository only to find a receipt by revision.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use wayproof_receipt::{
    ResourceDescriptor, Trust, VerifyOutcome, html, markdown, sha256_hex, text, trailers, verify,
};
use wayproof_repo::{Commit, Repo};

use crate::{
    cli::ReceiptCommand,
    exit::{self, Mistake},
    sealing::NOTES_REF,
    settings,
    terminal::{print, print_json_pretty},
};

/// The file of the data directory that pins signers.
pub(crate) const TRUST_FILE: &str = "trust.txt";

/// Runs a command on receipts.
pub(crate) fn run(command: &ReceiptCommand) -> Result<ExitCode> {
    match command {
        ReceiptCommand::Show {
            receipt,
            markdown: as_markdown,
            html: as_html,
            trailers: as_trailers,
            json,
        } => {
            let bytes = find(receipt)?;
            let verification = verify(&bytes, default_trust()?.as_ref());
            if *as_trailers {
                let lines = trailers(&verification, &sha256_hex(&bytes));
                let lines = lines.ok_or_else(|| {
                    Mistake(format!(
                        "the receipt {receipt} does not hold, so it has no trailers; `wayproof receipt show` says why"
                    ))
                })?;
                print(lines.trim_end())?;
                return Ok(status(verification.outcome));
            }
            match (as_markdown, as_html, json) {
                (true, _, _) => print(markdown(&verification).trim_end())?,
                (_, true, _) => print(html(&verification).trim_end())?,
                (_, _, true) => print_json_pretty(&verification)?,
                (false, false, false) => print(text(&verification).trim_end())?,
            }
            Ok(status(verification.outcome))
        }
        ReceiptCommand::Verify { file, trust, json } => {
            let trust = match trust {
                Some(file) => Some(read_trust(file)?),
                None => default_trust()?,
            };
            let verification = verify(&read(file)?, trust.as_ref());
            if *json {
                print_json_pretty(&verification)?;
            } else {
                print(text(&verification).trim_end())?;
            }
            Ok(status(verification.outcome))
        }
    }
}

fn status(outcome: VerifyOutcome) -> ExitCode {
    match outcome {
        VerifyOutcome::Good => ExitCode::SUCCESS,
        VerifyOutcome::SignerNotPinned => ExitCode::from(exit::NOT_PINNED),
        VerifyOutcome::Invalid => ExitCode::from(exit::INVALID),
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let wrong = |error| {
        Mistake(format!(
            "the receipt {} cannot be read: {error}",
            file.display()
        ))
    };
    Ok(fs::read(file).map_err(wrong)?)
}

fn read_trust(file: &Path) -> Result<Trust> {
    let wrong = |error| {
        Mistake(format!(
            "the trust file {} cannot be read: {error}",
            file.display()
        ))
    };
    let text = fs::read_to_string(file).map_err(wrong)?;
    let wrong = |error| Mistake(format!("the trust file {}: {error}", file.display()));
    Ok(Trust::parse(&text).map_err(wrong)?)
}

/// The signers pinned in the data directory, when there are any.
fn default_trust() -> Result<Option<Trust>> {
    let given = settings::variable("WAYPROOF_DATA").map(PathBuf::from);
    let file = settings::data_path(given.as_deref())?.join(TRUST_FILE);
    file.exists().then(|| read_trust(&file)).transpose()
}

/// The signers pinned in a data directory, for a gateway's pages; a file that cannot be read pins nobody and is told.
pub(crate) fn trust_of(data: &Path) -> Option<Trust> {
    let file = data.join(TRUST_FILE);
    let trust = file.exists().then(|| read_trust(&file))?;
    trust
        .inspect_err(|error| tracing::warn!(%error, "the dashboard pins no signer"))
        .ok()
}

/// A receipt file, or the note on a revision's commit or tree.
fn find(receipt: &str) -> Result<Vec<u8>> {
    let file = Path::new(receipt);
    if file.is_file() {
        return read(file);
    }
    let repo = Repo::discover(Path::new(".")).map_err(|error| {
        Mistake(format!(
            "{receipt} is no file, and to look it up as a revision a repository is needed: {error}"
        ))
    })?;
    let commit = repo.resolve(receipt).map_err(|error| {
        Mistake(format!(
            "{receipt} is neither a file nor a revision: {error}"
        ))
    })?;
    for object in [&commit.tree, &commit.id] {
        let note = repo
            .read_note(NOTES_REF, object)
            .context("reading the notes of the repository")?;
        if let Some(bytes) = note {
            return about(bytes, receipt, &commit);
        }
    }
    Err(Mistake(format!(
        "no receipt is attached to {receipt}; `wayproof prove` makes one"
    ))
    .into())
}

/// A receipt, if it is about this commit or its tree: a note can be carried to any object.
fn about(bytes: Vec<u8>, revision: &str, commit: &Commit) -> Result<Vec<u8>> {
    let of_tree = ResourceDescriptor::digest("gitTree", commit.tree.as_str());
    let of_commit = ResourceDescriptor::digest("gitCommit", commit.id.as_str());
    let wanted = [of_tree.digest, of_commit.digest];
    let is_about = |subject: &ResourceDescriptor| {
        wanted
            .iter()
            .flatten()
            .any(|(name, value)| subject.digest.get(name) == Some(value))
    };
    let lines = verify(&bytes, None).statements;
    let mut subjects = lines.iter().flat_map(|line| &line.statement.subject);
    if subjects.any(is_about) {
        return Ok(bytes);
    }
    Err(Mistake(format!(
        "the receipt attached to {revision} is about another change"
    ))
    .into())
}
