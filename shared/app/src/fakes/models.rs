//! Models that answer what a test decides.

use std::{collections::VecDeque, sync::Mutex};

use async_trait::async_trait;

use super::lock;
use crate::ports::{Completion, ModelError, Models, Prompt};

/// Answers in the order in which they are wanted. Without one, no provider offers anything.
#[derive(Default)]
pub struct ScriptedModels {
    answers: Mutex<VecDeque<Result<Completion, ModelError>>>,
    asked: Mutex<Vec<Prompt>>,
}

impl ScriptedModels {
    /// Decides what the next question is answered.
    pub fn answer(&self, answer: Result<Completion, ModelError>) {
        lock(&self.answers).push_back(answer);
    }

    /// The questions since the last call.
    pub fn take_asked(&self) -> Vec<Prompt> {
        std::mem::take(&mut lock(&self.asked))
    }
}

#[async_trait]
impl Models for ScriptedModels {
    async fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
        lock(&self.asked).push(prompt.clone());
        lock(&self.answers).pop_front().unwrap_or(Err(ModelError::NotOffered))
    }
}
