//! A repository with a base and a head, and the means to prove what lies between.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use wayproof_engine::{ProofRequirement, TaskName};
use wayproof_proof::{
    Commands, Head, IsolationFloor, Limits, Machine, PrimarySources, Progress, ProveError,
    ProveRequest, Proven, Runs, Sandbox, Step, prove,
};
use wayproof_receipt::Verdict;

/// Files by path; an empty text removes the file.
pub(crate) type Files<'a> = &'a [(&'a str, &'a str)];

/// A repository of its own, whose base is tagged.
#[derive(Debug)]
pub(crate) struct Bench {
    folder: TempDir,
    path: Vec<PathBuf>,
}

struct Silent;

impl Progress for Silent {
    fn step(&self, step: &Step) {
        eprintln!("{step}");
    }
}

impl Bench {
    /// A repository whose first commit holds these files.
    pub(crate) fn new(files: Files<'_>) -> Self {
        let bench = Self {
            folder: TempDir::new().unwrap(),
            path: Vec::new(),
        };
        fs::create_dir(bench.root()).unwrap();
        bench.git(&["init", "-q", "-b", "main"]);
        bench.write(files);
        bench.commit("base");
        bench.git(&["tag", "base"]);
        bench
    }

    /// A clone of another, made with these options, whose base is what it checked out. It has its Python.
    pub(crate) fn clone_of(origin: &Self, options: &[&str]) -> Self {
        let bench = Self {
            folder: TempDir::new().unwrap(),
            path: origin.path.clone(),
        };
        fs::create_dir(bench.root()).unwrap();
        let from = format!("file://{}", origin.root().display());
        bench.git(&[&["clone", "-q"], options, &[&from, "."]].concat());
        bench.git(&["tag", "-f", "base"]);
        bench
    }

    /// The same with a Python that has pytest.
    pub(crate) fn python(files: Files<'_>) -> Self {
        let mut bench = Self::new(files);
        bench.path.push(pytest());
        bench
    }

    /// Puts a folder in front of the search path.
    pub(crate) fn find_first(&mut self, folder: PathBuf) {
        self.path.insert(0, folder);
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    /// Writes files into the working tree.
    pub(crate) fn write(&self, files: Files<'_>) {
        for (path, text) in files {
            let place = self.root().join(path);
            if text.is_empty() && place.exists() {
                fs::remove_file(place).unwrap();
                continue;
            }
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, text).unwrap();
        }
    }

    /// Commits the working tree.
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "commit",
            "-q",
            "-m",
            message,
        ]);
    }

    /// Runs git in the working tree.
    pub(crate) fn git(&self, args: &[&str]) {
        #[expect(clippy::disallowed_methods, reason = "a test makes its own repository")]
        let status = Command::new("git")
            .args(args)
            .current_dir(self.root())
            .status()
            .unwrap();
        assert!(status.success(), "git {args:?}");
    }

    /// What a bug fix between the tag and these files is worth.
    pub(crate) fn fix(&self, files: Files<'_>) -> Proven {
        self.write(files);
        self.prove(
            "bug-fix",
            vec![vec![ProofRequirement::FailingTestBecomesGreen]],
            |_| {},
        )
        .unwrap()
    }

    /// What a small edit is worth.
    pub(crate) fn edit(&self, files: Files<'_>) -> Proven {
        self.write(files);
        self.prove(
            "small-edit",
            vec![vec![
                ProofRequirement::Typecheck,
                ProofRequirement::FocusedTest,
            ]],
            |_| {},
        )
        .unwrap()
    }

    /// Proves the working tree against the tag.
    pub(crate) fn prove(
        &self,
        task: &str,
        requirements: Vec<Vec<ProofRequirement>>,
        bend: impl Fn(&mut ProveRequest),
    ) -> Result<Proven, ProveError> {
        let mut request = ProveRequest {
            repo: self.root(),
            task: TaskName::new(task),
            requirements,
            base: Some("base".to_owned()),
            head: Head::WorkingTree,
            runs: Runs::default(),
            limits: Limits::default(),
            residue: Vec::new(),
            sources: PrimarySources::default(),
            commands: Commands::default(),
            min_coverage: None,
            obligation: None,
            cache: None,
            machine: machine(&self.path, self.folder.path().join("scratch")),
        };
        bend(&mut request);
        let launcher = PathBuf::from(env!("CARGO_BIN_EXE_sandbox-launcher"));
        prove(
            &request,
            &Sandbox::new(launcher, IsolationFloor::Namespaces),
            &Silent,
        )
    }
}

/// The folder where `cargo xtask test` puts what the tests need.
pub(crate) fn tools() -> PathBuf {
    let folder = std::env::var_os("WAYPROOF_TEST_TOOLS").map(PathBuf::from);
    folder.expect("WAYPROOF_TEST_TOOLS is not set: run the tests with `cargo xtask test`, which installs what they need")
}

/// The machine the tests run on, with folders put in front of its search path.
pub(crate) fn machine(first: &[PathBuf], scratch: PathBuf) -> Machine {
    let mut vars: BTreeMap<String, String> = std::env::vars().collect();
    let path = vars.get("PATH").cloned().unwrap_or_default();
    let first = first.iter().map(|dir| dir.to_string_lossy().into_owned());
    let path: Vec<String> = first.chain([path]).collect();
    vars.insert("PATH".to_owned(), path.join(":"));
    Machine::from_vars(vars, scratch)
}

/// The programs of a Python with pytest, installed once with the ordinary clients.
fn pytest() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pytest-8-wheel");
    let lock = fs::File::create(home.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !home.join("ready").exists() {
        drop(fs::remove_dir_all(&home));
        run("python3", &["-m", "venv", &home.to_string_lossy()]);
        let pip = home.join("bin/pip").to_string_lossy().into_owned();
        run(
            &pip,
            &[
                "install",
                "-q",
                "--disable-pip-version-check",
                "pytest>=8,<9",
                "setuptools>=70",
                "wheel",
            ],
        );
        fs::write(home.join("ready"), "").unwrap();
    }
    home.join("bin")
}

fn run(program: &str, args: &[&str]) {
    #[expect(clippy::disallowed_methods, reason = "a test installs what it needs")]
    let status = Command::new(program).args(args).status();
    let is_good = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    assert!(
        is_good,
        "`{program} {}` failed ({status:?}); the proof's Python tests need python3 with venv, and pip to install pytest",
        args.join(" ")
    );
}

/// Holds a verdict against what is expected, showing everything when it differs.
#[track_caller]
pub(crate) fn expect(proven: &Proven, verdict: Verdict) {
    let proof = &proven.proof;
    assert_eq!(
        proof.verdict, verdict,
        "{}\ngaps {:?}\nfindings {:#?}\n{:#?}",
        proven.one_fact, proof.gaps, proof.findings, proof.fail_to_pass
    );
    let ceiling = proof.ceiling();
    assert!(
        !verdict.is_above(ceiling.verdict),
        "the receipt would lower {verdict}: {ceiling:?}"
    );
}

/// Whether a finding of this code was made.
pub(crate) fn has(proven: &Proven, code: &str) -> bool {
    proven
        .proof
        .findings
        .iter()
        .any(|finding| finding.code == code)
}
