//! What the model that is asked can do, and how far a wish has to be bent for it.
//!
//! It knows no models: whoever aims a request says what is known of the one it goes to.

use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::translate::item::{Choice, Effort, Settings};
use crate::translate::loss::{LossKind, Losses};

/// Tokens that thinking needs at least, where it is asked for by tokens.
const LEAST_BUDGET: u64 = 1_024;
/// The efforts that every model with efforts knows.
const USUAL: [Effort; 3] = [Effort::Low, Effort::Medium, Effort::High];

/// What is known of the model that is asked. Without any knowledge it is taken for one that knows the usual efforts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Able<'a> {
    /// How it is asked to think.
    pub thinking: ThinkingStyle,
    /// The efforts it knows, in the protocols' words; none where that is not known.
    pub efforts: &'a [String],
    /// The longest answer it gives, where that is known.
    pub output_limit: Option<u64>,
    /// What it refuses.
    pub refuses: Refuses,
}

/// How a model is asked to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThinkingStyle {
    /// By an effort alone: it finds out by itself how long that is.
    #[default]
    Adaptive,
    /// By a number of tokens, in protocols that have one.
    Budget,
    /// As it likes: it may think, and there is no way to say how hard.
    Untold,
    /// It does not think, and refuses to be asked.
    Never,
}

/// What a model refuses a whole request for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Refuses {
    /// A temperature and its like.
    #[serde(skip_serializing_if = "is_false")]
    pub sampling: bool,
    /// The order to call a tool.
    #[serde(skip_serializing_if = "is_false")]
    pub forced_tool: bool,
    /// The order not to think.
    #[serde(skip_serializing_if = "is_false")]
    pub no_thinking: bool,
}

impl Refuses {
    /// Whether nothing is known to be refused.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with one")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Able<'_> {
    /// Bends what is asked for to what the model takes when it is asked in this protocol.
    pub(crate) fn fit(&self, provider: Protocol, settings: &mut Settings<'_>, losses: &mut Losses) {
        if self.refuses.sampling {
            for (name, value) in [
                ("temperature", settings.temperature.take()),
                ("top_p", settings.top_p.take()),
                ("top_k", settings.top_k.take()),
            ] {
                if value.is_some() {
                    losses.field(name);
                }
            }
        }
        let is_forced = matches!(settings.choice, Some(Choice::Any | Choice::Tool(_)));
        if is_forced && self.refuses.forced_tool {
            losses.add(LossKind::ToolChoice, "that a tool is called");
            settings.choice = Some(Choice::Auto);
        }
        let Some(wish) = settings.effort else { return };
        settings.effort = self.bend(provider, wish);
        match settings.effort {
            Some(bent) if bent == wish => {}
            Some(bent) => {
                let name = format!("{}, as {}", wish.word(), bent.word());
                losses.add(LossKind::Effort, &name);
            }
            // What does not think has nothing to leave off.
            None if wish == Effort::Off && self.thinking == ThinkingStyle::Never => {}
            None => losses.add(LossKind::Effort, wish.word()),
        }
    }

    /// The nearest to what is wished: the next lower effort, or the lowest there is.
    fn bend(&self, provider: Protocol, wish: Effort) -> Option<Effort> {
        let has_tokens = self.thinking == ThinkingStyle::Budget
            && matches!(provider, Protocol::Messages | Protocol::Gemini);
        let can_be_off = !self.refuses.no_thinking
            && (has_tokens || provider == Protocol::Messages || self.knows(Effort::Off));
        match wish {
            _ if matches!(self.thinking, ThinkingStyle::Never | ThinkingStyle::Untold) => None,
            Effort::Off if can_be_off => Some(wish),
            Effort::Off if has_tokens => Some(Effort::Minimal),
            Effort::Off => self.lowest(),
            wish if has_tokens => Some(wish),
            wish => Some(self.nearest(wish)),
        }
    }

    /// The nearest of the efforts that are known; `None` where they are not.
    pub(crate) fn known_for(&self, wish: Effort) -> Option<Effort> {
        match wish {
            _ if self.efforts.is_empty() => None,
            Effort::Off if self.knows(Effort::Off) => Some(Effort::Off),
            Effort::Off => self.lowest(),
            wish => Some(self.nearest(wish)),
        }
    }

    fn nearest(&self, wish: Effort) -> Effort {
        let usual = USUAL.into_iter().filter(|_| self.efforts.is_empty());
        let known: Vec<Effort> = self.known().chain(usual).collect();
        let below = known.iter().filter(|effort| **effort <= wish).max();
        let nearest = below.or_else(|| known.iter().min());
        nearest.copied().unwrap_or(wish)
    }

    /// Nothing is said to a model whose efforts are not known.
    fn lowest(&self) -> Option<Effort> {
        self.known().min()
    }

    fn knows(&self, effort: Effort) -> bool {
        self.efforts
            .iter()
            .any(|word| Effort::of(word) == Some(effort))
    }

    /// The efforts that are known, without that of not thinking.
    fn known(&self) -> impl Iterator<Item = Effort> {
        let known = self.efforts.iter().filter_map(|word| Effort::of(word));
        known.filter(|effort| *effort != Effort::Off)
    }
}

/// The tokens that an effort is worth where half of an answer may be thinking. `None` where that is too little.
pub(crate) fn budget(effort: Effort, answer: u64) -> Option<u64> {
    let wished = match effort {
        Effort::Off => return None,
        Effort::Minimal => LEAST_BUDGET,
        Effort::Low => 4_096,
        Effort::Medium => 12_288,
        Effort::High => 24_576,
        Effort::XHigh | Effort::Max => 32_768,
    };
    let budget = wished.min(answer / 2);
    (budget >= LEAST_BUDGET).then_some(budget)
}
