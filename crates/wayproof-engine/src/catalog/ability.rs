//! What a target can do, as a request is fitted to it: what the catalog says, what it says of the same model elsewhere,
//! and where it is silent, the careful guess.
//!
//! A wish that is left off is told as a loss; one that a provider refuses costs the whole request. So what is not known
//! to be taken is not asked for, unless the policy asks for it.

use wayproof_wire::{Able, Protocol, ThinkingStyle};

use super::{Catalog, ModelFacts};
use crate::names::Target;

/// Models that many serve, by the beginning of their names, and who makes them.
const MAKERS: [(&str, &str); 5] = [
    ("claude-", "anthropic"),
    ("deepseek-", "deepseek"),
    ("gemini-", "google"),
    ("gpt-", "openai"),
    ("grok-", "x-ai"),
];

/// Beginnings of the names of models that take the usual efforts, also where nobody lists them.
const USUAL_EFFORTS: [&str; 6] = ["claude-", "codex", "gemini-", "gpt-", "o3", "o4"];

/// Models of OpenAI that think, and sample as they like.
const OPENAI_THINKERS: [&str; 6] = ["codex", "gpt-5", "gpt-6", "o1", "o3", "o4"];

impl Catalog {
    /// What a target can do when it is asked in a protocol.
    pub fn able(&self, target: &Target, asked_in: Protocol) -> Able<'_> {
        let own = self.facts(&target.provider, &target.model);
        let elsewhere = self.made_elsewhere(&target.model);
        let known = || own.into_iter().chain(elsewhere);
        let efforts = known().map(|facts| &*facts.efforts);
        let efforts = efforts.into_iter().find(|efforts| !efforts.is_empty());
        let reasoning = known().find_map(|facts| facts.reasoning);
        let style = known().find_map(|facts| facts.thinking);
        let mut refuses = known()
            .map(|facts| facts.refuses)
            .find(|refuses| !refuses.is_nothing())
            .unwrap_or_default();
        let bare = bare(&target.model);
        let is_of = |family: &[&str]| family.iter().any(|start| bare.starts_with(start));
        refuses.no_thinking |= is_of(&["gemini-2.5-pro"]);
        refuses.sampling |= reasoning == Some(true) && is_of(&OPENAI_THINKERS);
        let takes_efforts = asked_in == Protocol::Messages
            || efforts.is_some()
            || target.provider == "openrouter"
            || is_of(&USUAL_EFFORTS);
        let thinking = match reasoning {
            Some(false) => ThinkingStyle::Never,
            // A model of Ollama's that can think does so unasked, and one that cannot refuses to be asked.
            None if target.provider == "ollama" && target.effort.is_none() => ThinkingStyle::Never,
            _ if target.effort.is_none() && (reasoning.is_none() || !takes_efforts) => {
                ThinkingStyle::Untold
            }
            // Of the two ways, tokens are the one that everybody knows who speaks Messages.
            _ if asked_in == Protocol::Messages => style.unwrap_or(ThinkingStyle::Budget),
            _ if asked_in == Protocol::Gemini && is_of(&["gemini-2"]) => ThinkingStyle::Budget,
            _ => ThinkingStyle::Adaptive,
        };
        Able {
            thinking,
            efforts: efforts.unwrap_or_default(),
            output_limit: known().find_map(|facts| facts.output),
            refuses,
        }
    }

    /// What is known of a model at whoever makes it.
    fn made_elsewhere(&self, model: &str) -> Option<&ModelFacts> {
        let bare = bare(model);
        let (_, maker) = MAKERS.iter().find(|(start, _)| bare.starts_with(start))?;
        self.facts(maker, bare)
    }
}

/// A model's name without what resellers and clouds put around it: `us.anthropic.claude-opus-4-5-v1:0` is
/// `claude-opus-4-5-v1`.
fn bare(model: &str) -> &str {
    let name = model.rsplit('/').next().unwrap_or(model);
    let start = MAKERS.iter().find_map(|(start, _)| name.find(start));
    let name = name.get(start.unwrap_or_default()..).unwrap_or(name);
    name.split([':', '@']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use wayproof_wire::Refuses;

    use super::*;

    /// A target with `@` has the effort behind it from the policy.
    fn able(target: &str, asked_in: Protocol) -> Able<'static> {
        let (name, effort) = target.split_once('@').unwrap_or((target, ""));
        let mut target: Target = name.parse().unwrap();
        target.effort = Some(effort.to_owned()).filter(|effort| !effort.is_empty());
        Catalog::embedded().able(&target, asked_in)
    }

    #[rstest]
    #[case::newest(
        "anthropic/claude-opus-5-5",
        ThinkingStyle::Adaptive,
        "low medium high xhigh max"
    )]
    #[case::older("anthropic/claude-haiku-4-5", ThinkingStyle::Budget, "")]
    #[case::between("anthropic/claude-opus-4-5", ThinkingStyle::Budget, "low medium high")]
    #[case::signed(
        "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
        ThinkingStyle::Budget,
        ""
    )]
    #[case::resold("corp/claude-haiku-4-5", ThinkingStyle::Budget, "")]
    #[case::of_others("deepseek/deepseek-v4-pro", ThinkingStyle::Budget, "")]
    #[case::unknown("corp/some-model", ThinkingStyle::Untold, "")]
    fn in_messages(#[case] target: &str, #[case] style: ThinkingStyle, #[case] efforts: &str) {
        let able = able(target, Protocol::Messages);
        assert_eq!(
            (able.thinking, able.efforts.join(" ")),
            (style, efforts.to_owned())
        );
    }

    #[rstest]
    #[case::of_five("openai/gpt-5", ThinkingStyle::Adaptive, "minimal low medium high")]
    #[case::of_six(
        "openai/gpt-6-sol",
        ThinkingStyle::Adaptive,
        "none low medium high xhigh max"
    )]
    #[case::unlisted("openai/o3", ThinkingStyle::Adaptive, "")]
    #[case::does_not("openai/gpt-4o", ThinkingStyle::Untold, "")]
    #[case::is_not_told("groq/qwen/qwen3.8-27b", ThinkingStyle::Untold, "")]
    #[case::says_so("groq/qwen/qwen3.8-27b@high", ThinkingStyle::Adaptive, "")]
    #[case::lists("mistral/mistral-medium-3.5", ThinkingStyle::Adaptive, "none high")]
    #[case::local("ollama/qwen3-coder", ThinkingStyle::Never, "")]
    #[case::open("groq/openai/gpt-oss-120b", ThinkingStyle::Adaptive, "")]
    fn in_chat(#[case] target: &str, #[case] style: ThinkingStyle, #[case] efforts: &str) {
        let able = able(target, Protocol::Chat);
        assert_eq!(
            (able.thinking, able.efforts.join(" ")),
            (style, efforts.to_owned())
        );
    }

    #[test]
    fn limits_and_refusals_are_known() {
        let newest = able("anthropic/claude-opus-5-5", Protocol::Messages);
        let all = Refuses {
            sampling: true,
            forced_tool: true,
            no_thinking: true,
        };
        assert_eq!((newest.refuses, newest.output_limit), (all, Some(128_000)));
        let older = able("anthropic/claude-haiku-4-5", Protocol::Messages);
        assert_eq!(
            (older.refuses, older.output_limit),
            (Refuses::default(), Some(64_000))
        );
        assert!(able("openai/gpt-5", Protocol::Chat).refuses.sampling);
        assert!(
            !able("groq/openai/gpt-oss-120b", Protocol::Chat)
                .refuses
                .sampling
        );
        assert_eq!(
            able("openai/gpt-4o", Protocol::Chat).output_limit,
            Some(16_384)
        );
    }
}
