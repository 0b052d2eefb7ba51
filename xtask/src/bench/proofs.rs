//! What a proof costs beside the commands it runs, and what verifying a receipt costs.
//!
//! Everything is measured from outside, by running the program on repositories made here. The tests of those are of
//! Python's own library, so nothing has to be installed for them.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::mock::now_ns;
use crate::run::command;

/// Files that a large change touches.
const FILES: usize = 2_000;
/// Tests of the suite whose runner is measured, and how long each takes.
const TESTS: usize = 100;
const SECONDS_A_TEST: f64 = 0.02;
/// How much the runner may add: a share of the bare commands, and so many milliseconds a tree.
const SHARE: f64 = 0.10;
const A_TREE_MS: f64 = 300.0;
const TREES: f64 = 2.0;
/// Receipts that are verified one after another.
const VERIFIED: usize = 30;

/// The names of the measurements, by which they are chosen.
pub(crate) const NAMES: [&str; 3] = ["proof-first-look", "proof-overhead", "receipt-verify"];

/// One figure beside its limit.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ms: f64,
    pub(crate) limit_ms: Option<f64>,
}

/// Measures what is wanted of it.
pub(crate) fn measure(
    program: &Path,
    work: &Path,
    rounds: u32,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Row>> {
    let bench = Bench {
        program: program.to_owned(),
        home: work.join("proof-home"),
        rounds: rounds.max(1),
    };
    fs::create_dir_all(&bench.home).context("making a home for the program")?;
    let mut rows = Vec::new();
    let [first_look, overhead, verify] = NAMES.map(is_wanted);
    if first_look {
        rows.extend(bench.first_look(&work.join("large"))?);
    }
    if overhead || verify {
        let repo = work.join("slow");
        slow_repository(&repo)?;
        if overhead {
            rows.push(bench.overhead(&repo)?);
        }
        if verify {
            rows.push(bench.verify(&repo)?);
        }
    }
    Ok(rows)
}

/// The rows as a section of the page.
pub(crate) fn section(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "\n## Proofs\n\n\
         Measured from outside, medians. The large change edits {FILES} files of twelve functions each; its set differences are those of the two trees, with the texts of both sides. The runner's overhead is the time of a whole proof of two trees\n\
         beyond that of the bare test commands, run side by side as the proof runs them; its limit is {:.0} % of those plus {A_TREE_MS:.0} ms a tree. Verifying includes the start of the program.\n\n\
         | what | ms | limit |\n|---|---|---|\n",
        SHARE * 100.0
    );
    for row in rows {
        let limit = row
            .limit_ms
            .map_or_else(String::new, |limit| format!("{limit:.0}"));
        // Writing into a string cannot fail.
        let _written = writeln!(out, "| {} | {:.1} | {limit} |", row.what, row.ms);
    }
    out
}

struct Bench {
    program: PathBuf,
    home: PathBuf,
    rounds: u32,
}

impl Bench {
    fn wayproof(&self, repo: &Path, args: &[&str]) -> Command {
        let program = self.program.to_string_lossy().into_owned();
        let mut wayproof = command(&program, args);
        wayproof
            .current_dir(repo)
            .env("HOME", &self.home)
            .env_remove("XDG_DATA_HOME");
        wayproof
    }

    /// What a proof does before its first test.
    fn first_look(&self, repo: &Path) -> Result<[Row; 4]> {
        large_repository(repo)?;
        let (mut reads, mut looks, mut sums, mut starts) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            let said = self.prove(repo)?.0;
            let [_, read] = *numbers(&said, "the change touches ")? else {
                bail!("reading the change is not told with its time: {said}");
            };
            let [after, look] = *numbers(&said, "first look after ")? else {
                bail!("the first look is not told with its times: {said}");
            };
            reads.push(read);
            looks.push(look);
            sums.push(read + look);
            starts.push(after);
        }
        let row = |what: &str, times, limit_ms| Row {
            what: format!("{what} of a change of {FILES} files"),
            ms: median(times),
            limit_ms,
        };
        Ok([
            row("set differences", reads, None),
            row("detectors", looks, None),
            row("set differences and detectors", sums, Some(500.0)),
            row("everything before the first test", starts, None),
        ])
    }

    /// What the runner adds to the bare test commands.
    fn overhead(&self, repo: &Path) -> Result<Row> {
        let (mut bare, mut proven) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            bare.push(both_bare(repo)?);
            proven.push(self.prove(repo)?.1);
        }
        let (bare, proven) = (median(bare), median(proven));
        Ok(Row {
            what: format!("the runner beyond bare test commands of {bare:.0} ms"),
            ms: (proven - bare).max(0.0),
            limit_ms: Some(bare * SHARE + A_TREE_MS * TREES),
        })
    }

    fn verify(&self, repo: &Path) -> Result<Row> {
        self.prove(repo)?;
        let data = self.home.join("data");
        let receipt = fs::read_dir(data.join("receipts"))
            .context("the proof left no receipt")?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .context("the proof left no receipt")?;
        let (receipt, trust) = (text(&receipt), text(&data.join("trust.txt")));
        let mut times = Vec::new();
        for _ in 0..VERIFIED {
            let since = now_ns();
            let args = ["receipt", "verify", &receipt, "--trust", &trust];
            let output = self.wayproof(repo, &args).output();
            let output = output.context("starting the program")?;
            times.push(ms_since(since));
            if !output.status.success() {
                bail!("the receipt does not verify: {}", output.status);
            }
        }
        Ok(Row {
            what: "verifying a receipt".to_owned(),
            ms: median(times),
            limit_ms: Some(10.0),
        })
    }

    /// A whole proof: what it told, and how long it took.
    fn prove(&self, repo: &Path) -> Result<(String, f64)> {
        let data = text(&self.home.join("data"));
        let mut args = vec!["prove", "--task", "bug-fix", "--no-cache"];
        args.extend(["--base", "base", "--head", "HEAD", "--data", &data]);
        let since = now_ns();
        let output = self.wayproof(repo, &args).output();
        let output = output.context("starting the program")?;
        let took = ms_since(since);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // The change fixes nothing; whatever else the verdict is, something did not run.
        if output.status.code() != Some(11) {
            bail!("the proof ended with {}: {said}", output.status);
        }
        Ok((said, took))
    }
}

/// The first two numbers of the line that opens with these words.
fn numbers(said: &str, words: &str) -> Result<Vec<f64>> {
    let rest = said
        .lines()
        .find_map(|line| line.split_once(words))
        .map(|(_, rest)| rest)
        .with_context(|| format!("the proof did not say `{words}`: {said}"))?;
    Ok(rest
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .take(2)
        .collect())
}

/// The bare commands for two trees, side by side.
fn both_bare(repo: &Path) -> Result<f64> {
    let start = || {
        command(
            "python3",
            &["-m", "unittest", "discover", "-s", "tests", "-t", "."],
        )
        .current_dir(repo)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("starting python3")
    };
    let since = now_ns();
    let mut both = [start()?, start()?];
    for one in &mut both {
        if !one.wait().context("waiting for python3")?.success() {
            bail!("the bare tests failed");
        }
    }
    Ok(ms_since(since))
}

fn large_repository(repo: &Path) -> Result<()> {
    let source = |how: &str| {
        let function = |number: usize| {
            format!(
                "def step_{number}(a, b):\n    if a > b:\n        return {how}\n    return a + b + {number}\n\n\n"
            )
        };
        (0..12).map(function).collect::<String>()
    };
    let write_all = |how: &str| -> Result<()> {
        for number in 0..FILES {
            let folder = format!("part_{}", number % 40);
            put(repo, &format!("{folder}/file_{number}.py"), &source(how))?;
        }
        Ok(())
    };
    write_all("a - b")?;
    put(repo, "tests/__init__.py", "#\n")?;
    put(
        repo,
        "tests/test_one.py",
        "import unittest\n\n\nclass One(unittest.TestCase):\n    def test_one(self):\n        self.assertEqual(1 + 1, 2)\n",
    )?;
    commit(repo, Which::Base)?;
    write_all("a - b - 0")?;
    commit(repo, Which::Head)
}

fn slow_repository(repo: &Path) -> Result<()> {
    let tests: String = (0..TESTS)
        .map(|number| {
            format!("    def test_{number}(self):\n        time.sleep({SECONDS_A_TEST})\n        self.assertEqual(double({number}), {})\n\n", number * 2)
        })
        .collect();
    put(repo, "twice.py", "def double(n):\n    return n * 2\n")?;
    put(repo, "tests/__init__.py", "#\n")?;
    put(
        repo,
        "tests/test_slow.py",
        &format!(
            "import time\nimport unittest\n\nfrom twice import double\n\n\nclass Slow(unittest.TestCase):\n{tests}"
        ),
    )?;
    commit(repo, Which::Base)?;
    put(repo, "twice.py", "def double(n):\n    return n + n\n")?;
    commit(repo, Which::Head)
}

fn put(repo: &Path, path: &str, content: &str) -> Result<()> {
    let place = repo.join(path);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(&place, content).with_context(|| format!("writing {}", place.display()))
}

/// Which commit of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Base,
    Head,
}

/// Commits everything.
fn commit(repo: &Path, which: Which) -> Result<()> {
    let is_base = which == Which::Base;
    let git = |args: &[&str]| -> Result<()> {
        let output = command("git", args)
            .current_dir(repo)
            .output()
            .context("starting git")?;
        if !output.status.success() {
            bail!(
                "git {}: {}",
                args.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    };
    if is_base {
        git(&["init", "--quiet", "-b", "main"])?;
    }
    git(&["add", "--all"])?;
    let who = [
        "-c",
        "user.name=bench",
        "-c",
        "user.email=bench@example.org",
    ];
    git(&[&who[..], &["commit", "--quiet", "-m", "state"]].concat())?;
    if is_base {
        git(&["tag", "base"])?;
    }
    Ok(())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[expect(clippy::cast_precision_loss, reason = "runs take seconds")]
fn ms_since(since_ns: u64) -> f64 {
    (now_ns() - since_ns) as f64 / 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
