//! Kinds of work that the trained classifier tells apart: finer than tasks, so that it can learn from what people
//! already label. A kind belongs to one task.

use super::lexicon::Label;

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkKind {
    /// Something that should work does not.
    Fix,
    /// Something new.
    Feature,
    /// Words for people.
    Docs,
    /// Tests for what is there.
    Test,
    /// The same behaviour in another shape.
    Refactor,
    /// The same behaviour, faster.
    Performance,
    /// The pipeline that builds and checks.
    Pipeline,
    /// Upkeep: dependencies, releases, build files.
    Chore,
    /// Somebody wants to know something.
    Question,
    /// To another version, library or schema.
    Migration,
    /// Looking for weaknesses.
    Security,
    /// A rename, a typo, a line.
    Edit,
}

impl WorkKind {
    /// How many there are.
    pub const COUNT: usize = 12;

    /// All of them, in the order of their index.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Fix,
        Self::Feature,
        Self::Docs,
        Self::Test,
        Self::Refactor,
        Self::Performance,
        Self::Pipeline,
        Self::Chore,
        Self::Question,
        Self::Migration,
        Self::Security,
        Self::Edit,
    ];

    /// Its place in [`WorkKind::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Its name in files of labelled asks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fix => "fix",
            Self::Feature => "feat",
            Self::Docs => "docs",
            Self::Test => "test",
            Self::Refactor => "refactor",
            Self::Performance => "perf",
            Self::Pipeline => "ci",
            Self::Chore => "chore",
            Self::Question => "question",
            Self::Migration => "migration",
            Self::Security => "security",
            Self::Edit => "edit",
        }
    }

    /// The kind of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The task it belongs to.
    pub(crate) fn label(self) -> Label {
        match self {
            Self::Fix => Label::BugFix,
            Self::Docs => Label::Documentation,
            Self::Test => Label::TestGeneration,
            Self::Migration => Label::Migration,
            Self::Security => Label::SecurityReview,
            Self::Edit => Label::SmallEdit,
            Self::Feature
            | Self::Refactor
            | Self::Performance
            | Self::Pipeline
            | Self::Chore
            | Self::Question => Label::General,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_places_lead_back() {
        for (place, kind) in WorkKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), place);
            assert_eq!(WorkKind::named(kind.as_str()), Some(kind));
        }
        assert_eq!(WorkKind::named("bug"), None);
    }
}
