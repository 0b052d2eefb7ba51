//! A change with everything of its base that judges it: policy, reviewers, rule.

use std::path::Path;

use anyhow::Result;
use wayproof_engine::{Policy, Review as Rule};
use wayproof_receipt::Trust;
use wayproof_repo::Repo;

use super::{
    sign,
    standing::{self, Asked},
    subject::Subject,
};
use crate::{cli::ChangeArgs, exit::Mistake, gate, proving::repo_mistake, settings};

/// A change with everything of its base that judges it.
pub(crate) struct Case {
    pub(crate) repo: Repo,
    pub(crate) subject: Subject,
    pub(crate) policy: Policy,
    pub(crate) trust: Option<Trust>,
    pub(crate) rule: Rule,
}

impl Case {
    pub(crate) fn of(change: &ChangeArgs) -> Result<Self> {
        let repo = Repo::discover(&change.repo).map_err(repo_mistake)?;
        let subject = Subject::named(&repo, change.base.as_deref(), &change.head)?;
        let policy = settings::policy_at(&repo, subject.into.id.as_str())?;
        let name = settings::known_task(&policy, &change.task)?;
        let task = standing::reviewed_task(&policy, name.as_str()).ok_or_else(|| {
            Mistake(format!(
                "task `{name}` of the base's policy does not ask for `human-review`"
            ))
        })?;
        Ok(Self {
            rule: standing::rule_of(task),
            trust: gate::trust_if_any(&repo, subject.into.id.as_str())?,
            policy,
            subject,
            repo,
        })
    }

    pub(crate) fn asked(&self, data: &Path) -> Asked<'_> {
        Asked {
            repo: &self.repo,
            subject: &self.subject,
            trust: self.trust.as_ref(),
            machine: sign::machine_key(data),
        }
    }
}
