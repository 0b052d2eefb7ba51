//! A document to a [`Policy`]: names are looked up, globs compiled, amounts read.
//! Every problem goes to the caller with its place; nothing stops at the first one.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use indexmap::IndexMap;
use sha2::{Digest, Sha256};

use super::{
    Class, EscalateRule, Globs, Match, Policy, PolicyTest, Review, Sources, Task,
    document::{ClassTable, Document, EscalateTable, MatchTable, OneOrMany, ProofEntry, TaskTable},
    money,
    parse::Place,
    problem::Problem,
};
use crate::names::{ClassName, ProofRequirement, Target, TaskName};

/// Where problems go: their place in the file, and the problem without a position.
pub(crate) type Report<'r> = dyn FnMut(Place<'_>, Problem) + 'r;

/// Resolves a whole document; `None` when a problem was reported that leaves no policy.
pub(crate) fn resolve(document: &Document, text: &str, report: &mut Report<'_>) -> Option<Policy> {
    let classes: Vec<Class> = document
        .class
        .iter()
        .map(|(name, table)| class(name, table, report))
        .collect();
    let names: Vec<&str> = document.class.keys().map(String::as_str).collect();
    let tasks: Option<Vec<Task>> = document
        .task
        .iter()
        .map(|(name, table)| {
            let reader = TaskReader {
                name,
                table,
                classes: &names,
            };
            reader.read(&document.checks, report)
        })
        .collect();
    let tests = tests(document, &names, report);
    let judge = judge(document, &names, report);
    let switching_per_session_nano_usd = switching(document, report);
    let resolved = match toml::to_string_pretty(document) {
        Ok(text) => text,
        Err(error) => {
            report(
                &[],
                unnamed(format!("cannot write the policy back: {error}")),
            );
            return None;
        }
    };
    Some(Policy {
        route_unknown: document.route_unknown.unwrap_or(true),
        min_confidence_pm: document.min_confidence.unwrap_or(DEFAULT_CONFIDENCE_PM),
        judge,
        capture: document.capture,
        switching_per_session_nano_usd,
        tests,
        classes,
        tasks: tasks?,
        digest: format!("{:x}", Sha256::digest(text.as_bytes())).into(),
        text: text.into(),
        resolved: resolved.into(),
    })
}

/// Used when neither the file nor the built-in matrix says how sure the classifier must be.
const DEFAULT_CONFIDENCE_PM: u16 = 550;

fn unnamed(message: impl Into<String>) -> Problem {
    Problem::new(0..0, message)
}

fn judge(document: &Document, classes: &[&str], report: &mut Report<'_>) -> Option<ClassName> {
    let name = document.judge.as_deref()?;
    if classes.contains(&name) {
        return Some(ClassName::new(name));
    }
    report(
        &["judge"],
        unnamed(format!("there is no class `{name}`")).suggest(name, classes.iter().copied()),
    );
    None
}

fn switching(document: &Document, report: &mut Report<'_>) -> Option<i64> {
    let text = document.switching.as_ref()?.per_session.as_ref()?;
    match money::parse_amount(text) {
        Ok(nano) => Some(nano),
        Err(help) => {
            report(
                &["switching", "per_session"],
                unnamed(format!("`{text}` is not an amount of money")).help(help),
            );
            None
        }
    }
}

fn class(name: &str, table: &ClassTable, report: &mut Report<'_>) -> Class {
    let mut targets: Vec<Target> = Vec::new();
    for (index, text) in table.targets.iter().flatten().enumerate() {
        let place = ["class", name, "targets", &index.to_string()];
        match text.parse::<Target>() {
            Ok(target) if targets.contains(&target) => {
                report(
                    &place,
                    unnamed(format!("`{text}` is listed twice in class `{name}`")),
                );
            }
            Ok(target) => targets.push(target),
            Err(error) => report(&place, unnamed(error.to_string()).label("provider/model")),
        }
    }
    if let Some(effort) = table.effort {
        for target in &mut targets {
            target.effort = Some(effort.as_str().to_owned());
        }
    }
    Class {
        name: ClassName::new(name),
        targets,
        effort: table.effort,
    }
}

struct TaskReader<'a> {
    name: &'a str,
    table: &'a TaskTable,
    classes: &'a [&'a str],
}

type Commands = BTreeMap<super::CheckKind, Vec<String>>;

impl TaskReader<'_> {
    fn read(&self, policy_checks: &Commands, report: &mut Report<'_>) -> Option<Task> {
        let route = self.route(report);
        let mut checks = policy_checks.clone();
        checks.extend(self.table.checks.clone().unwrap_or_default());
        for (kind, argv) in &checks {
            if argv.first().is_none_or(String::is_empty) {
                report(
                    &["task", self.name, "checks"],
                    unnamed(format!(
                        "the `{}` command of task `{}` is empty",
                        kind.as_str(),
                        self.name
                    )),
                );
            }
        }
        let task = Task {
            name: TaskName::new(self.name),
            escalate: self.escalate(report),
            proof: self.proof(report),
            tries: self.table.tries,
            min_coverage: self.coverage(report),
            residue: self.residue(report),
            budget_per_job_nano_usd: self.budget(report),
            matches: self.matches("match", self.table.matches.as_ref(), report),
            owed: self.matches("owed", self.table.owed.as_ref(), report),
            review: self.review(),
            sources: self.sources(report),
            checks,
            route: route?,
        };
        let needs_review = task
            .proof
            .iter()
            .flatten()
            .any(|p| *p == ProofRequirement::HumanReview);
        if task.review.is_some() && !needs_review {
            report(
                &["task", self.name, "review"],
                unnamed(format!(
                    "task `{}` names reviewers but does not require them",
                    self.name
                ))
                .help("add `human-review` to its `proof`"),
            );
        }
        Some(task)
    }

    fn route(&self, report: &mut Report<'_>) -> Option<Vec<ClassName>> {
        let place = ["task", self.name, "route"];
        let names: &[String] = match &self.table.route {
            Some(OneOrMany::One(name)) => std::slice::from_ref(name),
            Some(OneOrMany::Many(names)) => names,
            None => &[],
        };
        if names.is_empty() {
            report(
                &place,
                unnamed(format!("task `{}` has no route", self.name))
                    .help("write `route = \"CLASS\"`"),
            );
            return None;
        }
        let mut route = Vec::new();
        for name in names {
            self.known(&place, name, report);
            route.push(ClassName::new(name));
        }
        Some(route)
    }

    fn known(&self, place: Place<'_>, class: &str, report: &mut Report<'_>) {
        if !self.classes.contains(&class) {
            report(
                place,
                unnamed(format!("there is no class `{class}`"))
                    .suggest(class, self.classes.iter().copied()),
            );
        }
    }

    fn escalate(&self, report: &mut Report<'_>) -> Vec<EscalateRule> {
        let rules = self.table.escalate.iter().flatten().enumerate();
        rules
            .map(|(index, EscalateTable { on, to, after })| {
                let place = ["task", self.name, "escalate", &index.to_string(), "to"];
                self.known(&place, to, report);
                EscalateRule {
                    on: *on,
                    to: ClassName::new(to),
                    after: after.unwrap_or(1),
                }
            })
            .collect()
    }

    fn proof(&self, report: &mut Report<'_>) -> Vec<Vec<ProofRequirement>> {
        let entries = self.table.proof.iter().flatten().enumerate();
        entries
            .map(|(index, entry)| match entry {
                ProofEntry::Required(requirement) => vec![*requirement],
                ProofEntry::AnyOf(any) => {
                    if any.is_empty() {
                        report(
                            &["task", self.name, "proof", &index.to_string()],
                            unnamed("nothing can satisfy an empty list of requirements"),
                        );
                    }
                    any.clone()
                }
            })
            .collect()
    }

    fn residue(&self, report: &mut Report<'_>) -> Vec<String> {
        let patterns = self.table.residue.clone().unwrap_or_default();
        for (index, pattern) in patterns.iter().enumerate() {
            if !pattern.chars().any(char::is_alphanumeric) {
                report(
                    &["task", self.name, "residue", &index.to_string()],
                    unnamed(format!("`{pattern}` names nothing that could be left over"))
                        .help("write a name such as `old.fetch`, or code with `$NAME` in it"),
                );
            }
        }
        patterns
    }

    fn coverage(&self, report: &mut Report<'_>) -> Option<u8> {
        let percent = self.table.min_coverage?;
        if percent > 100 {
            report(
                &["task", self.name, "min_coverage"],
                unnamed(format!("{percent} is more than all of the code"))
                    .help("write a percentage from 0 to 100"),
            );
            return None;
        }
        Some(percent)
    }

    fn budget(&self, report: &mut Report<'_>) -> Option<i64> {
        let text = self.table.budget.as_ref()?.per_job.as_ref()?;
        match money::parse_usd(text) {
            Ok(nano) => Some(nano),
            Err(help) => {
                report(
                    &["task", self.name, "budget", "per_job"],
                    unnamed(format!("`{text}` is not an amount of money")).help(help),
                );
                None
            }
        }
    }

    fn matches(
        &self,
        kind: &str,
        table: Option<&MatchTable>,
        report: &mut Report<'_>,
    ) -> Option<Match> {
        let table = table?;
        Some(Match {
            surfaces: table.surfaces.clone(),
            paths: self.globs([kind, "paths"], &table.paths, report),
            branches: self.globs([kind, "branches"], &table.branches, report),
        })
    }

    fn globs(&self, [kind, key]: [&str; 2], texts: &[String], report: &mut Report<'_>) -> Globs {
        let mut builder = GlobSetBuilder::new();
        for (index, text) in texts.iter().enumerate() {
            match GlobBuilder::new(text).literal_separator(true).build() {
                Ok(glob) => {
                    builder.add(glob);
                }
                Err(error) => report(
                    &["task", self.name, kind, key, &index.to_string()],
                    unnamed(format!("`{text}` is not a glob: {}", error.kind())),
                ),
            }
        }
        let set = builder.build().unwrap_or_else(|error| {
            report(
                &["task", self.name, kind, key],
                unnamed(format!("these globs do not compile: {}", error.kind())),
            );
            GlobSet::empty()
        });
        Globs {
            texts: texts.to_vec(),
            set,
        }
    }

    fn sources(&self, report: &mut Report<'_>) -> Sources {
        /// A page is not that soon another one.
        const MAX_AGE_DAYS: u32 = 7;
        let table = self.table.sources.clone().unwrap_or_default();
        for (index, host) in table.primary.iter().enumerate() {
            let is_host = !host.is_empty()
                && !host.contains("://")
                && !host.contains(['*', '@', '?', '#', ' ']);
            if !is_host {
                report(
                    &["task", self.name, "sources", "primary", &index.to_string()],
                    unnamed(format!("`{host}` is not a host"))
                        .help("write `docs.example.org` or `example.org/manual`, without a scheme; all below it count"),
                );
            }
        }
        Sources {
            primary: table.primary,
            max_age_days: table.max_age_days.unwrap_or(MAX_AGE_DAYS),
        }
    }

    fn review(&self) -> Option<Review> {
        let table = self.table.review.as_ref()?;
        Some(Review {
            by: table.by.clone(),
            at_least: table.at_least.unwrap_or(1),
        })
    }
}

fn tests(document: &Document, classes: &[&str], report: &mut Report<'_>) -> Vec<PolicyTest> {
    let tasks: &IndexMap<String, TaskTable> = &document.task;
    let rows = document.test.iter().enumerate();
    rows.map(|(index, row)| {
        let index = index.to_string();
        if let Some(task) = row
            .expect
            .task
            .as_deref()
            .filter(|task| !tasks.contains_key(*task))
        {
            report(
                &["test", &index, "expect", "task"],
                unnamed(format!("there is no task `{task}`"))
                    .suggest(task, tasks.keys().map(String::as_str)),
            );
        }
        if let Some(class) = row
            .expect
            .class
            .as_deref()
            .filter(|class| !classes.contains(class))
        {
            report(
                &["test", &index, "expect", "class"],
                unnamed(format!("there is no class `{class}`"))
                    .suggest(class, classes.iter().copied()),
            );
        }
        if row.expect.task.is_none() && row.expect.class.is_none() {
            report(
                &["test", &index, "expect"],
                unnamed("this test expects nothing"),
            );
        }
        PolicyTest {
            ask: row.ask.clone(),
            paths: row.paths.clone(),
            branch: row.branch.clone(),
            task: row.expect.task.as_deref().map(TaskName::new),
            class: row.expect.class.as_deref().map(ClassName::new),
        }
    })
    .collect()
}
