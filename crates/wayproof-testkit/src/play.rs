//! Scripted coding models: what each says and does, step by step.
//!
//! A play keeps no state. Each call it makes carries the persona and the step in its id, and agents return ids
//! unchanged, so the transcript alone tells which step comes next.

use crate::{
    provider::{Captured, Reply},
    transcript::{Speech, Transcript},
    voice::{Line, count_tokens, fault, speak},
};

/// One step of a scripted model.
#[derive(Debug, Clone)]
pub enum Step {
    /// Runs a command through the agent's shell tool.
    Shell(String),
    /// Ends the turn with a text.
    Say(String),
}

/// A scripted model: a model name and what it does when asked.
#[derive(Debug, Clone)]
pub struct Persona {
    /// The model name it answers to.
    pub model: String,
    /// Its steps; past the end it repeats the last text.
    pub steps: Vec<Step>,
}

/// A cast of scripted models behind one provider.
#[derive(Debug, Clone)]
pub struct Play {
    personas: Vec<Persona>,
}

impl Play {
    /// A play with these models; any other model name is answered like an unknown model.
    pub fn new(personas: Vec<Persona>) -> Self {
        Self { personas }
    }

    /// Answers one request.
    pub fn answer(&self, request: &Captured) -> Reply {
        let transcript = match Transcript::read(request) {
            Ok(transcript) => transcript,
            Err(reason) => return fault(404, &reason),
        };
        if transcript.speech == Speech::CountTokens {
            return count_tokens(transcript.input_tokens);
        }
        let found = self
            .personas
            .iter()
            .enumerate()
            .find(|(_, p)| p.model == transcript.model);
        let Some((index, persona)) = found else {
            return fault(
                404,
                &format!("model {} is not in this play", transcript.model),
            );
        };
        let prefix = format!("call_wp{index}_");
        let done = transcript
            .call_ids
            .iter()
            .filter_map(|id| id.strip_prefix(&prefix)?.parse::<usize>().ok())
            .max()
            .map_or(0, |last| last + 1);
        let line = match (persona.steps.get(done), &transcript.shell) {
            (Some(Step::Shell(command)), Some(shell)) => Line::Call {
                id: format!("{prefix}{done}"),
                tool: shell.name.clone(),
                arguments: shell.arguments(command),
            },
            (Some(Step::Shell(_)), None) => Line::Text("A short title".to_owned()),
            (Some(Step::Say(text)), _) => Line::Text(text.clone()),
            (None, _) => Line::Text(persona.last_words()),
        };
        speak(&transcript, &line)
    }
}

impl Persona {
    fn last_words(&self) -> String {
        let said = self.steps.iter().rev().find_map(|step| match step {
            Step::Say(text) => Some(text.clone()),
            Step::Shell(_) => None,
        });
        said.unwrap_or_else(|| "Done.".to_owned())
    }
}
