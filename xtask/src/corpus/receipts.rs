//! The tricks that are played on a receipt instead of a change: cut, edited, signed again, carried elsewhere.
//!
//! They start from a receipt that the program itself made for an honest change.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;

use super::{
    Row,
    case::{Case, Tree, Variant},
    judge::{Answer, Judge},
    now, row, stage,
};

/// Every case that is wanted, judged.
pub(super) fn run(
    judge: &Judge,
    scratch: &Path,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Row>> {
    let wanted: Vec<&Trick> = TRICKS
        .iter()
        .filter(|trick| is_wanted(&trick.id()))
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let owner = Issued::make(judge, scratch, "owner")?;
    let stranger = Issued::make(judge, scratch, "stranger")?;
    let mut rows = Vec::new();
    for trick in wanted {
        let start = now();
        let answer = (trick.play)(judge, &owner, &stranger)
            .with_context(|| format!("playing {}", trick.id()))?;
        rows.push(row(trick.id(), trick.variant, answer, start.elapsed()));
    }
    Ok(rows)
}

struct Trick {
    name: &'static str,
    variant: Variant,
    play: fn(&Judge, &Issued, &Issued) -> Result<Answer>,
}

impl Trick {
    fn id(&self) -> String {
        format!("receipt/{}/{}", self.name, self.variant.name())
    }
}

const fn trick(
    name: &'static str,
    variant: Variant,
    play: fn(&Judge, &Issued, &Issued) -> Result<Answer>,
) -> Trick {
    Trick {
        name,
        variant,
        play,
    }
}

const TRICKS: [Trick; 10] = [
    trick("edited", Variant::Cheat, |judge, owner, _| {
        owner.verify(judge, &owner.edited()?)
    }),
    trick("edited", Variant::Honest, |judge, owner, _| {
        owner.verify(judge, &owner.lines)
    }),
    trick("truncated", Variant::Cheat, |judge, owner, _| {
        owner.verify(judge, &owner.without("/proof/"))
    }),
    trick("truncated", Variant::Honest, |judge, owner, _| {
        let backwards: Vec<String> = owner.lines.iter().rev().cloned().collect();
        owner.verify(judge, &backwards)
    }),
    trick("obligation-dropped", Variant::Cheat, |judge, owner, _| {
        owner.verify(judge, &owner.without("/obligation/"))
    }),
    trick("obligation-dropped", Variant::Honest, |judge, owner, _| {
        let twice = [owner.lines.as_slice(), owner.lines.as_slice()].concat();
        owner.verify(judge, &twice)
    }),
    trick("signed-again", Variant::Cheat, |judge, owner, stranger| {
        owner.verify(judge, &stranger.lines)
    }),
    trick("signed-again", Variant::Honest, |judge, _, stranger| {
        stranger.verify(judge, &stranger.lines)
    }),
    trick("copied", Variant::Cheat, |judge, owner, _| {
        owner.carried(judge, Some("\n# another change\n"))
    }),
    trick("copied", Variant::Honest, |judge, owner, _| {
        owner.carried(judge, None)
    }),
];

/// A change that was proven, and its receipt.
struct Issued {
    repo: PathBuf,
    lines: Vec<String>,
}

impl Issued {
    fn make(judge: &Judge, scratch: &Path, name: &str) -> Result<Self> {
        let tree = |files: [(&str, &str); 2]| -> Tree {
            let entries = files.map(|(path, text)| (path.to_owned(), Some(text.to_owned())));
            entries.into()
        };
        let old = "import gate\n\n\ndef test_zero():\n    assert gate.width(0) == 0\n";
        let new = format!("{old}\n\ndef test_negative():\n    assert gate.width(-2) == 2\n");
        let case = Case {
            ecosystem: "receipt".to_owned(),
            trick: name.to_owned(),
            variant: Variant::Honest,
            task: "bug-fix".to_owned(),
            base: tree([
                ("gate.py", "def width(n):\n    return n\n"),
                ("tests/test_gate.py", old),
            ]),
            change: tree([
                ("gate.py", "def width(n):\n    return abs(n)\n"),
                ("tests/test_gate.py", &new),
            ]),
        };
        let repo = stage::write(&case, scratch)?;
        let args = ["prove", "--base", "base", "--head", "HEAD", "--json"];
        let output = judge.command(&repo, &args).output()?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let receipt = report.get("receipt").and_then(Value::as_str);
        let receipt = receipt.context("the honest change got no receipt")?;
        let text = fs::read_to_string(receipt).with_context(|| format!("reading {receipt}"))?;
        let lines = text.lines().map(str::to_owned).collect();
        Ok(Self { repo, lines })
    }

    /// The receipt with one letter of its proof changed.
    fn edited(&self) -> Result<Vec<String>> {
        let mut lines = self.lines.clone();
        let last = lines.last_mut().context("the receipt is empty")?;
        let at = last.find("\"payload\":\"").context("it has no payload")? + 60;
        let letter = if last.get(at..=at) == Some("A") {
            "B"
        } else {
            "A"
        };
        last.replace_range(at..=at, letter);
        Ok(lines)
    }

    /// The receipt without the statements of one kind.
    fn without(&self, kind: &str) -> Vec<String> {
        let keeps = |line: &&String| !payload(line).contains(kind);
        self.lines.iter().filter(keeps).cloned().collect()
    }

    /// Verifies these lines as whoever pins this signer.
    fn verify(&self, judge: &Judge, lines: &[String]) -> Result<Answer> {
        let file = self.repo.with_extension("intoto.jsonl");
        fs::write(&file, lines.join("\n") + "\n")?;
        let place = file.to_string_lossy().into_owned();
        self.asked(judge, &["receipt", "verify", "--json", &place])
    }

    /// Carries the receipt to another commit, or leaves it where it belongs, and asks for that commit's receipt.
    fn carried(&self, judge: &Judge, change: Option<&str>) -> Result<Answer> {
        let file = self.repo.with_extension("note");
        fs::write(&file, self.lines.join("\n") + "\n")?;
        if let Some(text) = change {
            let source = self.repo.join("gate.py");
            let before = fs::read_to_string(&source)?;
            fs::write(&source, before + text)?;
            stage::commit(&self.repo, "another")?;
        }
        let place = file.to_string_lossy().into_owned();
        stage::git(
            &self.repo,
            &[
                "notes",
                "--ref=wayproof",
                "add",
                "--force",
                "--file",
                &place,
                "HEAD",
            ],
        )?;
        let answer = self.asked(judge, &["receipt", "show", "--json", "HEAD"])?;
        if change.is_some() {
            stage::git(&self.repo, &["reset", "--quiet", "--hard", "HEAD~1"])?;
        }
        Ok(answer)
    }

    fn asked(&self, judge: &Judge, args: &[&str]) -> Result<Answer> {
        let output = judge.command(&self.repo, args).output()?;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let verdict = report.get("verdict").and_then(Value::as_str);
        let verdict = verdict.unwrap_or("none").to_owned();
        Ok(Answer {
            is_accepted: output.status.success()
                && matches!(verdict.as_str(), "PROVEN" | "PROVEN_WITH_GAPS"),
            detectors: vec![output.status.to_string()],
            why: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            verdict,
        })
    }
}

/// What an envelope carries, as text.
fn payload(line: &str) -> String {
    let envelope: Value = serde_json::from_str(line).unwrap_or_default();
    let packed = envelope.get("payload").and_then(Value::as_str);
    let bytes = packed.map(|text| BASE64.decode(text).unwrap_or_default());
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}
