//! A proposed cascade as a patch of the policy's file: the file's own text is edited in place, so comments, order and
//! spelling stay, and `git apply` takes what comes out.

use anyhow::{Context, Result};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};
use wayproof_dashboard::policy_patch;
use wayproof_engine::{Cause, Change, ClassName, EscalateRule, Policy, TaskName};

/// A class of the cascade, and its model where the policy has no such class yet.
struct Step {
    class: String,
    new_target: Option<String>,
}

/// The change as a patch.
pub(super) fn diff(policy: &Policy, task: &TaskName, change: &Change) -> Result<String> {
    let text = edited(policy, task, change)?;
    Policy::parse(&text, "the proposed policy").context("editing the policy's file")?;
    Ok(policy_patch(policy.text(), &text))
}

/// The file's text with the change in it.
fn edited(policy: &Policy, task: &TaskName, change: &Change) -> Result<String> {
    let steps = steps(policy, task, change.to.models());
    let document = policy.text().parse::<DocumentMut>();
    let mut document = document.context("reading the policy's file")?;
    if policy.text().is_empty() {
        document.insert("version", Item::Value(1.into()));
    }
    for step in &steps {
        if let Some(target) = &step.new_target {
            let class = entry(&mut document, "class", &step.class)?;
            put(class, "targets", Value::Array(Array::from_iter([target])));
        }
    }
    let row = policy.task(task);
    let was = row.map(|row| row.route.as_slice()).unwrap_or_default();
    let first = steps.first().map(|step| ClassName::new(step.class.clone()));
    let rest = was.iter().skip(1).cloned();
    let route: Vec<ClassName> = first.into_iter().chain(rest).collect();
    let old = row.map(|row| row.escalate.as_slice()).unwrap_or_default();
    let new = escalate(policy, &steps, old);
    let row = entry(&mut document, "task", task.as_str())?;
    if was != route {
        put(row, "route", routed(&route));
    }
    if old != new {
        put(row, "escalate", ruled(&new));
    }
    Ok(document.to_string())
}

/// The table of a class or a task, made where there is none.
fn entry<'d>(
    document: &'d mut DocumentMut,
    group: &str,
    name: &str,
) -> Result<&'d mut dyn TableLike> {
    let implicit = || {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    };
    let group = document.entry(group).or_insert_with(implicit);
    let is_inline = group.is_inline_table();
    let group = group
        .as_table_like_mut()
        .context("the policy's file has something else where its classes or tasks are")?;
    let empty = || {
        if is_inline {
            Item::Value(Value::InlineTable(InlineTable::new()))
        } else {
            Item::Table(Table::new())
        }
    };
    let found = group.entry(name).or_insert_with(empty);
    found
        .as_table_like_mut()
        .context("the policy's file has something else where a class or a task is")
}

/// Puts a value under a key; what stands around a value that was there stays.
fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// The classes of the policy whose first targets the models are, where these go up its ladder; else new classes, since
/// a job never moves down.
fn steps(policy: &Policy, task: &TaskName, models: &[String]) -> Vec<Step> {
    let known: Vec<&ClassName> = models
        .iter()
        .filter_map(|model| class_of(policy, model))
        .collect();
    let ranks: Vec<_> = known.iter().map(|class| policy.rank(class)).collect();
    let goes_up = ranks.is_sorted_by(|a, b| a < b);
    if known.len() == models.len() && goes_up {
        let step = |class: &&ClassName| Step {
            class: class.to_string(),
            new_target: None,
        };
        return known.iter().map(step).collect();
    }
    let step = |(at, model): (usize, &String)| Step {
        class: unused(policy, &format!("{task}-{}", at + 1)),
        new_target: Some(model.clone()),
    };
    models.iter().enumerate().map(step).collect()
}

/// A name that no class of the policy has.
fn unused(policy: &Policy, name: &str) -> String {
    let mut name = name.to_owned();
    while policy.class(&ClassName::new(name.clone())).is_some() {
        name.push_str("-new");
    }
    name
}

/// The class whose first target a model is.
fn class_of<'p>(policy: &'p Policy, model: &str) -> Option<&'p ClassName> {
    let is_first = |class: &&wayproof_engine::Class| {
        let first = class.targets.first();
        first.is_some_and(|target| target.to_string() == model)
    };
    policy
        .classes()
        .iter()
        .find(is_first)
        .map(|class| &class.name)
}

/// The rules of the cascade: a refuted proof leads one class on. Every other rule stays, and leads to the last class
/// where its own is not above the first.
fn escalate(policy: &Policy, steps: &[Step], old: &[EscalateRule]) -> Vec<EscalateRule> {
    let Some((last, first)) = steps.last().zip(steps.first()) else {
        return old.to_vec();
    };
    let mut rules: Vec<EscalateRule> = Vec::new();
    for (after, step) in (1..).zip(steps.iter().skip(1)) {
        rules.push(EscalateRule {
            on: Cause::ProofRefuted,
            to: ClassName::new(step.class.clone()),
            after,
        });
    }
    let start = policy.rank(&ClassName::new(first.class.clone()));
    for rule in old.iter().filter(|rule| rule.on != Cause::ProofRefuted) {
        let is_above = start.is_some() && policy.rank(&rule.to) > start;
        let to = if is_above {
            rule.to.clone()
        } else {
            ClassName::new(last.class.clone())
        };
        let is_twice = |other: &EscalateRule| other.on == rule.on && other.to == to;
        if to.as_str() != first.class && !rules.iter().any(is_twice) {
            rules.push(EscalateRule { to, ..rule.clone() });
        }
    }
    rules
}

fn routed(route: &[ClassName]) -> Value {
    match route {
        [one] => one.as_str().into(),
        more => Value::Array(more.iter().map(ClassName::as_str).collect()),
    }
}

/// One rule a line.
fn ruled(rules: &[EscalateRule]) -> Value {
    let mut array = Array::new();
    for rule in rules {
        let mut table = InlineTable::new();
        table.insert("on", rule.on.as_str().into());
        table.insert("to", rule.to.as_str().into());
        if rule.after > 1 {
            table.insert("after", i64::from(rule.after).into());
        }
        let mut value = Value::InlineTable(table);
        value.decor_mut().set_prefix("\n  ");
        array.push_formatted(value);
    }
    if !rules.is_empty() {
        array.set_trailing("\n");
        array.set_trailing_comma(true);
    }
    Value::Array(array)
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::*;
    use wayproof_engine::{Cascade, Interval, Share};

    const POLICY: &str = r#"# What our work costs.
version = 1

[class.low]
targets = ["a/small"] # quick

[class.high]
targets = ["a/large"]

# Bugs come first.
[task.bug-fix]
# The large one, since March.
route = "high" # by ana
escalate = [{ on = "repeated-failure", to = "max", after = 2 }, { on = "proof-refuted", to = "max" }]

[task.documentation]
route = "low"
"#;

    fn policy(text: &str) -> Policy {
        Policy::parse(text, "wayproof.toml")
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
            .policy
    }

    fn change(models: &[&str]) -> Change {
        let none = Interval {
            low: 0.0,
            value: 0.0,
            high: 0.0,
        };
        Change {
            to: Cascade::new(models.iter().map(|name| (*name).to_owned()).collect()).unwrap(),
            gain: none,
            cost_share: none,
            tasks: 50,
            undetermined: 0,
            leak: (Share::NONE, Share::NONE),
        }
    }

    /// What `git apply` makes of the file by the patch.
    #[expect(clippy::disallowed_methods, reason = "the test asks git itself")]
    fn applied(before: &Policy, patch: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wayproof.toml");
        if !before.text().is_empty() {
            fs::write(&file, before.text()).unwrap();
        }
        fs::write(folder.path().join("p"), patch).unwrap();
        let git = Command::new("git")
            .args(["apply", "--whitespace=error-all", "p"])
            .current_dir(folder.path())
            .env("GIT_CEILING_DIRECTORIES", folder.path().parent().unwrap())
            .output()
            .unwrap();
        assert!(git.status.success(), "{git:?}\n{patch}");
        fs::read_to_string(file).unwrap()
    }

    fn leads(policy: &Policy) -> Vec<String> {
        let task = policy.task(&TaskName::new("bug-fix")).unwrap();
        let refuted = task
            .escalate
            .iter()
            .filter(|rule| rule.on == Cause::ProofRefuted);
        let target = |name: &ClassName| policy.class(name).unwrap().targets[0].to_string();
        std::iter::once(target(&task.route[0]))
            .chain(refuted.map(|rule| target(&rule.to)))
            .collect()
    }

    #[test]
    fn git_applies_the_patch_and_the_policy_runs_the_cascade() {
        let inline = r#"version = 1
class = { low = { targets = ["a/small"] }, high = { targets = ["a/large"] } }
task.bug-fix.route = "high"
[[task.bug-fix.escalate]]
on = "proof-refuted"
to = "max"
"#;
        for text in [POLICY, inline] {
            for models in [
                &["a/small", "a/large"][..],
                &["a/large", "a/small"],
                &["b/other", "a/small", "c/third"],
                &["b/one"],
            ] {
                let before = policy(text);
                let patch = diff(&before, &TaskName::new("bug-fix"), &change(models)).unwrap();
                let after = policy(&applied(&before, &patch));
                assert_eq!(leads(&after), models, "{patch}");
                let task = after.task(&TaskName::new("bug-fix")).unwrap();
                let start = after.rank(&task.route[0]);
                for rule in &task.escalate {
                    assert!(after.rank(&rule.to) > start, "{patch}");
                }
            }
        }
    }

    #[test]
    fn without_a_file_the_patch_makes_one() {
        let before = Policy::builtin();
        let models = ["b/one", "b/two"];
        let patch = diff(&before, &TaskName::new("bug-fix"), &change(&models)).unwrap();
        assert!(patch.starts_with("--- /dev/null\n"), "{patch}");
        let after = policy(&applied(&before, &patch));
        assert_eq!(leads(&after), models, "{patch}");
        assert_eq!(after.tasks().len(), before.tasks().len());
    }

    #[test]
    fn what_the_change_is_not_about_stays_as_it_is_written() {
        let before = policy(POLICY);
        let task = TaskName::new("bug-fix");
        let patch = diff(&before, &task, &change(&["a/small", "a/large"])).unwrap();
        let kept = POLICY
            .replace("route = \"high\" # by ana", "route = \"low\" # by ana")
            .replace(
                "[{ on = \"repeated-failure\", to = \"max\", after = 2 }, { on = \"proof-refuted\", to = \"max\" }]",
                "[\n  { on = \"proof-refuted\", to = \"high\" },\n  { on = \"repeated-failure\", to = \"high\", after = 2 },\n]",
            );
        assert_eq!(applied(&before, &patch), kept);
    }

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        let before = policy(POLICY);
        let hostile = "b/\"]\nx = \"'\\";
        let patch = diff(&before, &TaskName::new("bug-fix"), &change(&[hostile]));
        // A name that the policy's own reader refuses is refused; nothing else of the file changes.
        if let Ok(patch) = patch {
            let after = policy(&applied(&before, &patch));
            assert_eq!(leads(&after), [hostile], "{patch}");
        }
    }
}
