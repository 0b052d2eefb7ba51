//! Budgets: whom they are for, how long they last, and which of them a request draws on.
//! It knows no balances; whoever keeps the accounts adds up. Money here is listed money, in nano-dollars.

mod subject;
mod window;

use serde::{Deserialize, Serialize};

pub use subject::{NotASubject, Subject, SubjectKind};
pub use window::{NotAWindow, Window};

/// A limit on what somebody or something may spend within a window of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Whom or what it is for; a `*` stands for each one by itself.
    pub subject: Subject,
    /// How long it lasts before it starts anew.
    pub window: Window,
    /// What may be spent, and not a nano-dollar more.
    pub limit_nano_usd: i64,
    /// From which spend on new jobs start one class lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_nano_usd: Option<i64>,
}

/// On whose account a request goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Who<'a> {
    /// The name of the caller's key.
    pub key: Option<&'a str>,
    /// The person the key was given to.
    pub person: Option<&'a str>,
    /// The teams of the person and of the key.
    pub teams: &'a [String],
    /// The repository the agent works in.
    pub repo: Option<&'a str>,
    /// The agent's conversation.
    pub session: Option<&'a str>,
    /// The piece of work.
    pub job: Option<&'a str>,
}

impl Who<'_> {
    /// The names that a kind of budget is looked up by.
    fn names(&self, kind: SubjectKind) -> Vec<&str> {
        match kind {
            SubjectKind::Everyone => vec![""],
            SubjectKind::Team => self.teams.iter().map(String::as_str).collect(),
            SubjectKind::Person => self.person.into_iter().collect(),
            SubjectKind::Key => self.key.into_iter().collect(),
            SubjectKind::Repo => self.repo.into_iter().collect(),
            SubjectKind::Session => self.session.into_iter().collect(),
            SubjectKind::Job => self.job.into_iter().collect(),
        }
    }
}

/// The budgets that a request draws on, each for the one it is really for.
///
/// A budget for `person:ana` takes the place of one for `person:*` over the same window.
pub fn draws(budgets: &[Budget], who: &Who<'_>) -> Vec<Budget> {
    let mut found = Vec::new();
    for budget in budgets {
        for name in who.names(budget.subject.kind) {
            let is_own = budget.subject.name == name;
            let is_replaced = budgets.iter().any(|other| {
                other.subject.kind == budget.subject.kind
                    && other.subject.name == name
                    && other.window == budget.window
            });
            if is_own || (budget.subject.is_each() && !is_replaced) {
                let subject = Subject {
                    kind: budget.subject.kind,
                    name: name.to_owned(),
                };
                found.push(Budget {
                    subject,
                    ..budget.clone()
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(subject: &str, window: Window) -> Budget {
        Budget {
            subject: subject.parse().unwrap(),
            window,
            limit_nano_usd: 1,
            soft_nano_usd: None,
        }
    }

    fn drawn(budgets: &[Budget], who: &Who<'_>) -> Vec<String> {
        let found = draws(budgets, who);
        found
            .iter()
            .map(|budget| format!("{} {}", budget.subject, budget.window))
            .collect()
    }

    #[test]
    fn a_request_draws_on_every_budget_it_belongs_to() {
        let budgets = [
            budget("everyone", Window::Month),
            budget("team:core", Window::Day),
            budget("team:other", Window::Day),
            budget("person:*", Window::Week),
            budget("session:*", Window::Total),
            budget("repo:demo", Window::Month),
        ];
        let teams = ["core".to_owned(), "web".to_owned()];
        let who = Who {
            person: Some("ana"),
            teams: &teams,
            session: Some("s1"),
            ..Who::default()
        };
        assert_eq!(
            drawn(&budgets, &who),
            [
                "everyone month",
                "team:core day",
                "person:ana week",
                "session:s1 total"
            ]
        );
        assert_eq!(drawn(&budgets, &Who::default()), ["everyone month"]);
    }

    #[test]
    fn a_budget_of_ones_own_takes_the_place_of_everybodys() {
        let budgets = [
            budget("person:*", Window::Day),
            budget("person:ana", Window::Day),
            budget("person:*", Window::Month),
        ];
        let ana = Who {
            person: Some("ana"),
            ..Who::default()
        };
        assert_eq!(
            drawn(&budgets, &ana),
            ["person:ana day", "person:ana month"]
        );
        let eve = Who {
            person: Some("eve"),
            ..Who::default()
        };
        assert_eq!(
            drawn(&budgets, &eve),
            ["person:eve day", "person:eve month"]
        );
    }
}
