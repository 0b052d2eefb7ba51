//! The tests a policy carries: asks with the task and class they must get.
//! A trial uses the same classification as live traffic and looks at nothing but the policy.

use std::fmt;

use super::Policy;
use crate::{
    classify::{Asked, classify},
    names::{ClassName, TaskName},
};

/// An ask with the routing it must get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTest {
    /// What the user types.
    pub ask: String,
    /// Paths the caller gives.
    pub paths: Vec<String>,
    /// Branch the agent works on.
    pub branch: Option<String>,
    /// The task it must be.
    pub task: Option<TaskName>,
    /// The class its job must start in.
    pub class: Option<ClassName>,
}

/// A test of the policy that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFailed {
    /// The test.
    pub test: PolicyTest,
    /// The task that came out.
    pub task: TaskName,
    /// The class that came out.
    pub class: Option<ClassName>,
    /// Why that task came out.
    pub rule: String,
}

impl fmt::Display for TestFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let route = |task: Option<&TaskName>, class: Option<&ClassName>| {
            let task = task.map_or("any task", TaskName::as_str);
            let class = class.map_or("any class", ClassName::as_str);
            format!("{task} in {class}")
        };
        write!(
            f,
            "\"{}\": expected {}, got {} ({})",
            self.test.ask,
            route(self.test.task.as_ref(), self.test.class.as_ref()),
            route(Some(&self.task), self.class.as_ref()),
            self.rule
        )
    }
}

/// Runs every test; the ones that fail, in the order of the file.
pub(crate) fn run(policy: &Policy) -> Vec<TestFailed> {
    policy
        .tests
        .iter()
        .filter_map(|test| run_one(policy, test))
        .collect()
}

fn run_one(policy: &Policy, test: &PolicyTest) -> Option<TestFailed> {
    let asked = Asked {
        paths: &test.paths,
        branch: test.branch.as_deref(),
        explicit: None,
    };
    let found = classify(policy, &test.ask, &asked);
    let class = policy
        .task(&found.task)
        .and_then(|task| task.route.first())
        .cloned();
    let is_right = test.task.as_ref().is_none_or(|task| *task == found.task)
        && test
            .class
            .as_ref()
            .is_none_or(|wanted| Some(wanted) == class.as_ref());
    (!is_right).then(|| TestFailed {
        test: test.clone(),
        task: found.task,
        class,
        rule: found.rule,
    })
}
