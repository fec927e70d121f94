//! Annotations as a list.

use std::sync::Mutex;

use async_trait::async_trait;
use domain::{AnnotationId, RunId, TeamId};

use super::lock;
use crate::ports::{Annotation, Annotations, StoreError};

/// Keeps remarks for as long as it lives.
#[derive(Debug, Default)]
pub struct MemoryAnnotations(Mutex<Vec<(TeamId, Annotation)>>);

#[async_trait]
impl Annotations for MemoryAnnotations {
    async fn annotate(&self, team: TeamId, annotation: &Annotation) -> Result<(), StoreError> {
        lock(&self.0).push((team, annotation.clone()));
        Ok(())
    }

    async fn annotations(
        &self,
        team: TeamId,
        run: RunId,
        before: Option<AnnotationId>,
        limit: u32,
    ) -> Result<Vec<Annotation>, StoreError> {
        let all = lock(&self.0);
        let of_run = all.iter().filter(|(owner, remark)| *owner == team && remark.run_id == run);
        let mut found: Vec<_> = of_run
            .map(|(_, remark)| remark.clone())
            .filter(|remark| before.is_none_or(|before| remark.id < before))
            .collect();
        found.sort_by_key(|remark| std::cmp::Reverse(remark.id));
        found.truncate(limit as usize);
        Ok(found)
    }
}
