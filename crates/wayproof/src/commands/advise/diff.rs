//! A proposed cascade as a diff of the policy file. What it adds is TOML that the policy takes as it stands.

use wayproof_engine::{Cause, Change, ClassName, EscalateRule, Policy, TaskName};

/// A class of the cascade, and its model where the policy has no such class yet.
struct Step {
    class: String,
    new_target: Option<String>,
}

/// The change as a diff.
pub(super) fn diff(policy: &Policy, task: &TaskName, change: &Change) -> String {
    let steps = steps(policy, task, change.to.models());
    let mut lines = vec![
        "--- wayproof.toml".to_owned(),
        "+++ wayproof.toml".to_owned(),
        format!("@@ task {task} @@"),
    ];
    for step in &steps {
        if let Some(target) = &step.new_target {
            lines.push(format!("+[class.{}]", key(&step.class)));
            lines.push(format!("+targets = [{}]", quoted(target)));
            lines.push("+".to_owned());
        }
    }
    lines.push(format!(" [task.{}]", key(task.as_str())));
    let row = policy.task(task);
    let was = row.map(|row| row.route.as_slice()).unwrap_or_default();
    let first = steps.first().map(|step| ClassName::new(step.class.clone()));
    let rest = was.iter().skip(1).cloned();
    let route: Vec<ClassName> = first.into_iter().chain(rest).collect();
    if was != route {
        lines.extend(signed('-', &routed(was)));
        lines.extend(signed('+', &routed(&route)));
    }
    let old = row.map(|row| row.escalate.as_slice()).unwrap_or_default();
    let new = escalate(policy, &steps, old);
    if old != new {
        lines.extend(signed('-', &ruled(old)));
        lines.extend(signed('+', &ruled(&new)));
    }
    lines.join("\n")
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

fn routed(route: &[ClassName]) -> Vec<String> {
    let names: Vec<String> = route.iter().map(|name| quoted(name.as_str())).collect();
    vec![match names.as_slice() {
        [one] => format!("route = {one}"),
        more => format!("route = [{}]", more.join(", ")),
    }]
}

fn ruled(rules: &[EscalateRule]) -> Vec<String> {
    if rules.is_empty() {
        return vec!["escalate = []".to_owned()];
    }
    let mut lines = vec!["escalate = [".to_owned()];
    for rule in rules {
        let after = match rule.after {
            1 => String::new(),
            more => format!(", after = {more}"),
        };
        let (on, to) = (quoted(rule.on.as_str()), quoted(rule.to.as_str()));
        lines.push(format!("  {{ on = {on}, to = {to}{after} }},"));
    }
    lines.push("]".to_owned());
    lines
}

fn signed(sign: char, lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| format!("{sign}{line}")).collect()
}

/// A key of TOML, in quotes where it must be.
fn key(name: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A string of TOML; a name that came from a provider may hold anything.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(letter);
            }
            letter if letter.is_control() => {
                let escaped = format!("\\u{:04X}", u32::from(letter));
                quoted.push_str(&escaped);
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use wayproof_engine::{Cascade, Interval, Share};

    const POLICY: &str = r#"
version = 1
[class.low]
targets = ["a/small"]
[class.high]
targets = ["a/large"]
[task.bug-fix]
route = "high"
escalate = [{ on = "repeated-failure", to = "max", after = 2 }, { on = "proof-refuted", to = "max" }]
"#;

    fn policy() -> Policy {
        Policy::parse(POLICY, "wayproof.toml").unwrap().policy
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

    /// The policy file with the change in it.
    fn applied(diff: &str) -> Policy {
        let body = diff.lines().skip(3);
        let kept = body.filter_map(|line| line.strip_prefix(['+', ' ']));
        let text = format!("version = 1\n{}", kept.collect::<Vec<_>>().join("\n"));
        let before = POLICY.split("[task.bug-fix]").next().unwrap();
        let whole = format!("{before}{}", text.replace("version = 1\n", ""));
        Policy::parse(&whole, "wayproof.toml")
            .unwrap_or_else(|error| panic!("{error}\n{whole}"))
            .policy
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
    fn what_the_diff_adds_is_a_policy_that_runs_the_cascade() {
        for models in [
            &["a/small", "a/large"][..],
            &["a/large", "a/small"],
            &["b/other", "a/small", "c/third"],
            &["b/one"],
        ] {
            let diff = diff(&policy(), &TaskName::new("bug-fix"), &change(models));
            let policy = applied(&diff);
            assert_eq!(leads(&policy), models, "{diff}");
            let task = policy.task(&TaskName::new("bug-fix")).unwrap();
            let start = policy.rank(&task.route[0]);
            for rule in &task.escalate {
                assert!(policy.rank(&rule.to) > start, "{diff}");
            }
        }
    }

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        assert_eq!(quoted("a\"]\nx = \"b\\"), "\"a\\\"]\\u000Ax = \\\"b\\\\\"");
        assert_eq!(key("bug-fix"), "bug-fix");
        assert_eq!(key("a.b c"), "\"a.b c\"");
    }
}
