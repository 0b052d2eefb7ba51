//! What an answer says about its model, and what of it has to be remembered.

use wayproof_engine::AnswerSign;
use wayproof_wire::{Answer, SealMark, Stop, is_context_overflow, is_overflow_inside};

use super::Settlement;
use crate::exchange::foreign::sealer;
use crate::exchange::observe;
use crate::keepers::Keeper;

/// What the ledger calls a conversation that does not fit.
const OVERFLOW: &str = "context-overflow";
/// The longest word of a provider that is kept.
const WORD_BYTES: usize = 80;

impl Settlement {
    /// What the provider sealed, remembered as its own. What is translated reaches the client in a seal of ours.
    pub(super) fn sealed(&self, answer: Option<&mut Answer>) -> Vec<SealMark> {
        let answer = answer.filter(|_| self.asked_in.is_none());
        let seals = answer.map(|answer| std::mem::take(&mut answer.seals));
        let seals = seals.unwrap_or_default();
        if let Some(answerer) = &self.answerer {
            let sealer = sealer(&self.shared, &answerer.provider, self.protocol);
            self.session.origins().note(sealer, &seals);
        }
        seals
    }

    /// The id under which what was said can be continued from, where the provider that was asked keeps it.
    pub(super) fn kept(&mut self, answer: Option<&Answer>) -> Option<String> {
        let keeping = self.keeping.take().filter(|_| self.asked_in.is_none())?;
        let keeper = Keeper {
            provider: self.answerer.as_ref()?.provider.clone(),
            session: self.about.session.clone()?,
        };
        keeping.note(&self.shared, answer?, &keeper)
    }

    /// Takes in that the conversation is too long, or declined, whether an error says so or an answer that had begun.
    /// Says what went wrong, if anything did.
    pub(super) fn read_signs(
        &self,
        answer: Option<&Answer>,
        error: Option<&[u8]>,
    ) -> Option<String> {
        let (target, status) = (self.answerer.as_ref()?, self.status?);
        let inside = answer.and_then(|answer| answer.failed_inside.as_deref());
        let is_too_long = error.is_some_and(|body| is_context_overflow(status.as_u16(), body))
            || inside.is_some_and(is_overflow_inside);
        if is_too_long {
            let planned = self.planned(target);
            self.observe_sign(&AnswerSign::ContextOverflow {
                target: target.clone(),
                window_tokens: planned
                    .and_then(|planned| planned.window_tokens)
                    .unwrap_or(self.decision.estimated_tokens),
            });
            return Some(OVERFLOW.to_owned());
        }
        if answer.is_some_and(|answer| answer.stop == Some(Stop::Refusal)) {
            self.observe_sign(&AnswerSign::Refusal {
                target: target.clone(),
            });
        }
        inside.map(word)
    }

    fn observe_sign(&self, sign: &AnswerSign) {
        let mut state = self.session.lock();
        let policy = self.shared.policy.load();
        let noted = wayproof_engine::observe_answer(&policy, &mut state, sign);
        drop(state);
        observe::record(&self.shared, &self.about, noted, None);
    }
}

/// The provider's word for an error; its sentence may say more than belongs into a ledger.
fn word(said: &str) -> String {
    let word = said.split_once(": ").map_or(said, |(word, _)| word);
    let is_word = word.len() <= WORD_BYTES && !word.contains(char::is_whitespace);
    if is_word { word } else { "error" }.to_owned()
}
