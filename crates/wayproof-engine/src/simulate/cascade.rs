//! A cascade: models in the order in which they are tried until the gate accepts what one of them did.

use std::{fmt, str::FromStr};

use super::outcomes::Outcomes;

const MOST_STEPS: usize = 64;

/// Models in the order they are tried; at least one, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cascade(Vec<String>);

/// A text that names no cascade.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotACascade {
    /// There is nothing between two arrows.
    #[error("`{0}` has a step without a name; write `model > model`")]
    NoName(String),
    /// A model is tried twice.
    #[error(
        "`{0}` stands twice in the cascade; an outcome file has one attempt a task and cannot tell of a second"
    )]
    Twice(String),
    /// There are too many.
    #[error("a cascade has at most {MOST_STEPS} steps")]
    TooLong,
}

/// A cascade that names a model without outcomes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no outcome is from `{model}`{}", meant(.nearest.as_deref()))]
pub struct CascadeError {
    /// The name that was not found.
    pub model: String,
    /// A name that is there and looks like it.
    pub nearest: Option<String>,
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl Cascade {
    /// Makes one of names in order.
    pub fn new(models: Vec<String>) -> Result<Self, NotACascade> {
        if models.len() > MOST_STEPS {
            return Err(NotACascade::TooLong);
        }
        if models.is_empty() || models.iter().any(String::is_empty) {
            return Err(NotACascade::NoName(models.join(" > ")));
        }
        for (at, model) in models.iter().enumerate() {
            if models.iter().take(at).any(|earlier| earlier == model) {
                return Err(NotACascade::Twice(model.clone()));
            }
        }
        Ok(Self(models))
    }

    /// The models, first tried first.
    pub fn models(&self) -> &[String] {
        &self.0
    }

    /// Where its models stand in a matrix.
    pub fn steps(&self, outcomes: &Outcomes) -> Result<Vec<usize>, CascadeError> {
        let step = |model: &String| {
            outcomes.model(model).ok_or_else(|| CascadeError {
                model: model.clone(),
                nearest: nearest(model, outcomes.models()).map(str::to_owned),
            })
        };
        self.0.iter().map(step).collect()
    }
}

fn nearest<'a>(name: &str, models: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.7;
    models
        .map(|model| (strsim::jaro_winkler(name, model), model))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, model)| model)
}

impl FromStr for Cascade {
    type Err = NotACascade;

    fn from_str(text: &str) -> Result<Self, NotACascade> {
        let models: Vec<String> = text.split('>').map(|name| name.trim().to_owned()).collect();
        if models.iter().any(String::is_empty) {
            return Err(NotACascade::NoName(text.to_owned()));
        }
        Self::new(models)
    }
}

impl fmt::Display for Cascade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" > "))
    }
}
