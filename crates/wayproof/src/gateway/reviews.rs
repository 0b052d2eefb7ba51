//! The dashboard's review desk over repositories on this machine: what waits, the change, and decisions that are kept.
//!
//! It is what `wayproof review` and `wayproof gate` are made of, so a page accepts exactly what they accept. Git is
//! asked on threads where waiting is allowed.

mod show;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use wayproof_dashboard::{
    Answer, ChangeSeen, Decided, Difference, Kept, Month, Place, Reviews, ToSign, Waiting,
};
use wayproof_engine::owed_by_change;
use wayproof_ledger::{About, EventBody, Ledger, ReviewRecorded};
use wayproof_receipt::{SshSignature, predicate::ReviewDecision, sha256_hex};
use wayproof_repo::{Branch, Commit, Oid, Repo, RepoError};

use super::at_place;
use crate::{
    cli::ChangeArgs,
    exit::{self, Mistake},
    gate,
    proving::repo_mistake,
    review::{
        case::Case,
        lines,
        sign::{self, Decided as Signed},
        standing::{self, Asked},
        subject::{Subject, touches_of},
    },
    sealing::NOTES_REF,
    settings,
};

/// Branches of one repository that are looked at, the youngest.
const MOST_BRANCHES: u32 = 40;
/// Where changes usually go, best first; nothing that depends on what is checked out.
const TRUNKS: [&str; 5] = ["origin/HEAD", "origin/main", "main", "master", "trunk"];

/// The desk.
#[derive(Clone)]
pub(super) struct ReviewDesk(Arc<Inner>);

struct Inner {
    repos: Vec<PathBuf>,
    base: Option<String>,
    data: PathBuf,
    ledger: Ledger,
    /// What waited, and everything it depends on, by repository.
    known: Mutex<Vec<Known>>,
}

struct Known {
    root: PathBuf,
    state: String,
    waiting: Vec<(Waiting, Oid)>,
}

impl ReviewDesk {
    /// A desk over these repositories, if there are any.
    pub(super) fn over(
        (repos, base): (Vec<PathBuf>, Option<String>),
        data: PathBuf,
        ledger: Ledger,
    ) -> Option<Box<dyn Reviews>> {
        let inner = Inner {
            repos,
            base,
            data,
            ledger,
            known: Mutex::default(),
        };
        (!inner.repos.is_empty()).then(|| Box::new(Self(Arc::new(inner))) as Box<dyn Reviews>)
    }

    /// Does something that waits for git, on a thread where that is allowed.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        match done {
            Ok(done) => done.map_err(|error| told(&error)),
            Err(error) => Err(told(&anyhow::Error::new(error))),
        }
    }
}

/// A mistake is the reader's to mend and is told; of anything else the log has the chain.
fn told(error: &anyhow::Error) -> String {
    if error.is::<Mistake>() {
        return exit::chain(error);
    }
    tracing::error!(error = %exit::chain(error), "the review desk failed");
    "The repository cannot be read. The gateway's log says why.".to_owned()
}

impl Reviews for ReviewDesk {
    fn waiting(&self) -> Answer<'_, Vec<Waiting>> {
        Box::pin(self.aside(Inner::waiting))
    }

    fn change(&self, place: Place) -> Answer<'_, ChangeSeen> {
        Box::pin(self.aside(move |inner| show::change(&inner.case(&place)?, &inner.data, &place)))
    }

    fn to_sign(&self, place: Place, decided: Decided) -> Answer<'_, ToSign> {
        Box::pin(self.aside(move |inner| inner.to_sign(&place, &decided)))
    }

    fn keep(&self, place: Place, decided: Decided, signature: String) -> Answer<'_, Kept> {
        Box::pin(async move {
            let (kept, recorded) = self
                .aside(move |inner| inner.keep(&place, &decided, &signature))
                .await?;
            let ledger = &self.0.ledger;
            let event = ledger.event(About::default(), EventBody::ReviewRecorded(recorded));
            let written = ledger.append(&event).await;
            written.map_err(|error| {
                tracing::error!(%error, "a review is attached and not recorded");
                "The decision is attached to its tree, but the ledger did not take it. The gateway's log says why."
                    .to_owned()
            })?;
            Ok(kept)
        })
    }

    fn redo(&self, job: String, by: String, remark: Option<String>) -> Answer<'_, ()> {
        Box::pin(async move {
            let found = self.0.ledger.job(&job).await.map_err(|error| {
                tracing::error!(%error, "a job could not be read");
                "The ledger does not answer. The gateway's log says why.".to_owned()
            })?;
            let found = found.ok_or_else(|| "The ledger has no such job.".to_owned())?;
            if found.job.closed_us.is_some() {
                return Err(
                    "The job is closed, so it has no next turn; start the work anew.".to_owned(),
                );
            }
            let recorded = ReviewRecorded {
                reviewer: by,
                decision: ReviewRecorded::REDO.to_owned(),
                remark,
                ..ReviewRecorded::default()
            };
            // Whoever has the job in memory also writes it down.
            let admin = at_place(None, &self.0.data)
                .ok_or_else(|| "The gateway cannot be reached from its own pages.".to_owned())?;
            let sent = admin.review(&found.job.id, &recorded).await;
            sent.map_err(|error| told(&error))
        })
    }

    fn record(&self) -> Answer<'_, Vec<Month>> {
        Box::pin(self.aside(Inner::record))
    }

    fn between(&self, base: String, head: String) -> Answer<'_, Option<Difference>> {
        Box::pin(self.aside(move |inner| inner.between(&base, &head)))
    }
}

impl Inner {
    fn waiting(&self) -> Result<Vec<Waiting>> {
        let mut all = Vec::new();
        for root in &self.repos {
            for (mut one, tree) in self.waiting_in(root)? {
                // Models may look at any time.
                one.findings = show::findings(&self.data, &tree)?.map(|found| found.len());
                all.push(one);
            }
        }
        all.sort_by_key(|one| std::cmp::Reverse(one.at_us));
        Ok(all)
    }

    /// Changes of one repository that owe a review, with their merged trees. Nothing is worked out twice.
    fn waiting_in(&self, root: &Path) -> Result<Vec<(Waiting, Oid)>> {
        let repo = Repo::discover(root).map_err(repo_mistake)?;
        let Some(into) = self.trunk(&repo)? else {
            return Ok(Vec::new());
        };
        let branches = repo.branches(MOST_BRANCHES).map_err(repo_mistake)?;
        let notes = repo.resolve(NOTES_REF).ok();
        let state = format!("{into:?} {notes:?} {branches:?}");
        let known = |known: &&Known| known.root == root && known.state == state;
        if let Some(known) = self.locked().iter().find(known) {
            return Ok(known.waiting.clone());
        }
        let mut waiting: Vec<(Waiting, Oid)> = Vec::new();
        for branch in &branches {
            let is_seen = |(seen, _): &(Waiting, Oid)| seen.place.head == branch.tip.id.as_str();
            if waiting.iter().any(is_seen) || branch.tip.tree == into.tree {
                continue;
            }
            waiting.extend(self.waiting_on(&repo, &into, branch)?);
        }
        let mut all = self.locked();
        all.retain(|known| known.root != root);
        all.push(Known {
            root: root.to_owned(),
            state,
            waiting: waiting.clone(),
        });
        drop(all);
        Ok(waiting)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The revision that changes go into.
    fn trunk(&self, repo: &Repo) -> Result<Option<Commit>> {
        if let Some(named) = &self.base {
            return repo.resolve(named).map(Some).map_err(repo_mistake);
        }
        Ok(TRUNKS.iter().find_map(|trunk| repo.resolve(trunk).ok()))
    }

    fn waiting_on(
        &self,
        repo: &Repo,
        into: &Commit,
        branch: &Branch,
    ) -> Result<Vec<(Waiting, Oid)>> {
        let head = &branch.tip;
        let Ok(start) = repo.merge_base(into.id.as_str(), head.id.as_str()) else {
            return Ok(Vec::new());
        };
        if start.id == head.id {
            return Ok(Vec::new());
        }
        // What cannot be merged has no tree to decide on yet.
        let Some(subject) = Subject::of(repo, into, head)? else {
            return Ok(Vec::new());
        };
        let policy = settings::policy_at(repo, into.id.as_str())?;
        let touched = touches_of(&subject.patches(repo, 0)?);
        let owed = owed_by_change(&policy, &subject.paths, &touched, Some(&branch.name));
        let trust = gate::trust_if_any(repo, into.id.as_str())?;
        let verdict = if owed.is_empty() {
            None
        } else {
            show::receipts(repo, &subject)?
                .first()
                .and_then(|best| best.verification.verdict)
        };
        let mut waiting = Vec::new();
        for owed in owed {
            let Some(task) = standing::reviewed_task(&policy, owed.task.as_str()) else {
                continue;
            };
            let asked = Asked {
                repo,
                subject: &subject,
                trust: trust.as_ref(),
                machine: sign::machine_key(&self.data),
            };
            let standing = standing::standing(&asked, &standing::rule_of(task))?;
            let one = Waiting {
                place: Place {
                    repo: name_of(repo.root()),
                    base: into.id.to_string(),
                    head: head.id.to_string(),
                    task: task.name.to_string(),
                },
                repo: repo.root().to_string_lossy().into_owned(),
                branch: branch.name.clone(),
                subject: branch.subject.clone(),
                at_us: branch.at_s.saturating_mul(1_000_000),
                files: subject.paths.len(),
                why: owed.why,
                missing: standing.missing,
                findings: None,
                verdict,
            };
            waiting.push((one, subject.tree.clone()));
        }
        Ok(waiting)
    }

    fn case(&self, place: &Place) -> Result<Case> {
        let roots = self.repos.iter();
        let found = roots
            .filter_map(|root| Repo::discover(root).ok())
            .find(|repo| name_of(repo.root()) == place.repo);
        let repo =
            found.ok_or_else(|| Mistake("this gateway reviews no such repository".to_owned()))?;
        Case::of(&ChangeArgs {
            base: Some(place.base.clone()),
            head: place.head.clone(),
            task: place.task.clone(),
            repo: repo.root().to_owned(),
        })
    }

    fn to_sign(&self, place: &Place, decided: &Decided) -> Result<ToSign> {
        let case = self.case(place)?;
        let answers = answers(decided);
        let signed = sign::to_sign(
            &case.asked(&self.data),
            &said(decided, &answers),
            &self.data,
        )?;
        Ok(show::to_sign(&signed))
    }

    fn keep(
        &self,
        place: &Place,
        decided: &Decided,
        signature: &str,
    ) -> Result<(Kept, ReviewRecorded)> {
        let case = self.case(place)?;
        let signature: SshSignature = signature
            .parse()
            .map_err(|error: wayproof_receipt::SshSignatureError| Mistake(error.to_string()))?;
        let name = sign::name_of(case.trust.as_ref(), &signature.key());
        if name != decided.reviewer {
            return Err(Mistake(format!(
                "the key that signed is that of {name}, and the decision is that of {}",
                decided.reviewer
            ))
            .into());
        }
        let answers = answers(decided);
        let asked = case.asked(&self.data);
        let envelope = sign::accept(
            &asked,
            &case.rule,
            &said(decided, &answers),
            (signature, &self.data),
        )?;
        lines::attach(&case.repo, &case.subject.tree, &envelope)?;
        let recorded = ReviewRecorded {
            reviewer: name.clone(),
            decision: if decided.is_approved {
                "approved".to_owned()
            } else {
                "rejected".to_owned()
            },
            remark: decided.comment.clone(),
            tree: Some(case.subject.tree.to_string()),
            statement_digest: Some(envelope.digest()),
        };
        let kept = Kept {
            reviewer: name,
            missing: standing::standing(&asked, &case.rule)?.missing,
        };
        Ok((kept, recorded))
    }

    /// What differs between two trees, in the first repository that has both.
    fn between(&self, base: &str, head: &str) -> Result<Option<Difference>> {
        for root in &self.repos {
            let repo = Repo::discover(root).map_err(repo_mistake)?;
            match repo.patches(base, head, show::CONTEXT) {
                Ok(patches) => return Ok(Some(show::difference(&patches))),
                Err(
                    RepoError::UnknownRevision(_)
                    | RepoError::UnknownInShallow(_)
                    | RepoError::NoCommits(_),
                ) => {}
                Err(error) => return Err(repo_mistake(error)),
            }
        }
        Ok(None)
    }

    fn record(&self) -> Result<Vec<Month>> {
        let mut found = Vec::new();
        for root in &self.repos {
            let repo = Repo::discover(root).map_err(repo_mistake)?;
            let trust = match self.trunk(&repo)? {
                Some(into) => gate::trust_if_any(&repo, into.id.as_str())?,
                None => None,
            };
            let noted = repo.noted(NOTES_REF).context("reading the notes")?;
            let objects: Vec<&Oid> = noted.iter().collect();
            found.extend(lines::statements(&repo, &objects, trust.as_ref())?);
        }
        Ok(show::months(&found))
    }
}

/// A name for a repository that says nothing about where it is.
fn name_of(root: &Path) -> String {
    let digest = sha256_hex(root.to_string_lossy().as_bytes());
    gate::short(&digest).to_owned()
}

fn answers(decided: &Decided) -> Vec<String> {
    let answers = decided.answers.iter();
    answers
        .map(|(finding, words)| format!("{finding}={words}"))
        .collect()
}

fn said<'a>(decided: &'a Decided, answers: &'a [String]) -> Signed<'a> {
    Signed {
        decision: if decided.is_approved {
            ReviewDecision::Approved
        } else {
            ReviewDecision::Rejected
        },
        comment: decided.comment.as_deref(),
        answers,
        reviewer: &decided.reviewer,
        at_us: decided.at_us,
    }
}
