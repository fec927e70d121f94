//! The catalog and its keys as maps.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use async_trait::async_trait;
use domain::{ExpertId, ServiceId, TeamId, VersionId, WorkflowId, WorkflowVersion};
use engine::Reference;

use super::lock;
use crate::ports::{
    Act, ApiKeys, Draft, ExpertState, Runnable, ServiceCaller, StoreError, WorkflowCatalog, WorkflowNames,
};

/// Drafts, versions and the things that references may name.
#[derive(Debug, Default)]
pub struct MemoryCatalog(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    drafts: HashMap<(TeamId, WorkflowId), Draft>,
    versions: Vec<WorkflowVersion>,
    archived: HashSet<WorkflowId>,
    things: HashSet<(TeamId, String)>,
    experts: HashMap<(TeamId, ExpertId), ExpertState>,
    seen: HashSet<(WorkflowId, ServiceId)>,
}

impl Shelf {
    fn published(&self, team: TeamId, workflow: WorkflowId) -> impl Iterator<Item = &WorkflowVersion> {
        self.versions.iter().filter(move |v| v.team_id == team && v.workflow_id == workflow)
    }
}

impl MemoryCatalog {
    /// Stores a draft, in place of an earlier one.
    pub fn put_draft(&self, team: TeamId, workflow: WorkflowId, draft: Draft) {
        lock(&self.0).drafts.insert((team, workflow), draft);
    }

    /// Records a version as published.
    pub fn put_version(&self, version: WorkflowVersion) {
        lock(&self.0).versions.push(version);
    }

    /// Archives a workflow.
    pub fn archive(&self, workflow: WorkflowId) {
        lock(&self.0).archived.insert(workflow);
    }

    /// Gives the team an expert, in place of an earlier state of it.
    pub fn put_expert(&self, team: TeamId, state: ExpertState) {
        let id = state.expert.expert_id;
        self.put_thing(team, &id.to_string());
        lock(&self.0).experts.insert((team, id), state);
    }

    /// Lets a service see a workflow.
    pub fn attach_service(&self, workflow: WorkflowId, service: ServiceId) {
        lock(&self.0).seen.insert((workflow, service));
    }

    /// Gives the team something that references may name by this id.
    pub fn put_thing(&self, team: TeamId, id: &str) {
        lock(&self.0).things.insert((team, id.to_owned()));
    }
}

#[async_trait]
impl WorkflowCatalog for MemoryCatalog {
    async fn draft(&self, team: TeamId, workflow: WorkflowId) -> Result<Draft, StoreError> {
        lock(&self.0).drafts.get(&(team, workflow)).cloned().ok_or(StoreError::NotFound)
    }

    async fn missing(&self, team: TeamId, references: &[Reference]) -> Result<Vec<Reference>, StoreError> {
        let books = lock(&self.0);
        let is_missing = |reference: &&Reference| !books.things.contains(&(team, reference.id.clone()));
        Ok(references.iter().filter(is_missing).cloned().collect())
    }

    async fn experts(&self, team: TeamId, experts: &[ExpertId]) -> Result<Vec<ExpertState>, StoreError> {
        let books = lock(&self.0);
        Ok(experts.iter().filter_map(|id| books.experts.get(&(team, *id)).cloned()).collect())
    }

    async fn insert_version(
        &self,
        version: WorkflowVersion,
        revision: i64,
        _note: Option<&str>,
        _act: &Act,
    ) -> Result<WorkflowVersion, StoreError> {
        let mut books = lock(&self.0);
        let (team, workflow) = (version.team_id, version.workflow_id);
        let draft = books.drafts.get(&(team, workflow)).ok_or(StoreError::NotFound)?;
        if draft.revision != revision {
            return Err(StoreError::Conflict);
        }
        let number = books.published(team, workflow).map(|v| v.number).max().unwrap_or(0) + 1;
        let version = WorkflowVersion { number, ..version };
        books.versions.push(version.clone());
        Ok(version)
    }

    async fn runnable(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        service: Option<ServiceId>,
    ) -> Result<Runnable, StoreError> {
        let books = lock(&self.0);
        if service.is_some_and(|service| !books.seen.contains(&(workflow, service))) {
            return Err(StoreError::NotFound);
        }
        let newest = books.published(team, workflow).max_by_key(|v| v.number);
        if newest.is_none() && !books.drafts.contains_key(&(team, workflow)) {
            return Err(StoreError::NotFound);
        }
        Ok(Runnable { version_id: newest.map(|v| v.id), is_archived: books.archived.contains(&workflow) })
    }

    async fn numbered(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        number: u32,
    ) -> Result<WorkflowVersion, StoreError> {
        let books = lock(&self.0);
        let found = books.published(team, workflow).find(|version| version.number == number);
        found.cloned().ok_or(StoreError::NotFound)
    }

    async fn version(&self, team: TeamId, version: VersionId) -> Result<WorkflowVersion, StoreError> {
        let books = lock(&self.0);
        let found = books.versions.iter().find(|v| v.id == version && v.team_id == team);
        found.cloned().ok_or(StoreError::NotFound)
    }
}

impl Shelf {
    /// Ids and names of the team's workflows: of drafts, and of published ones whose draft no test has put there.
    fn names(&self, team: TeamId) -> HashMap<WorkflowId, String> {
        let versions = self.versions.iter().filter(|version| version.team_id == team);
        let published = versions.map(|version| (version.workflow_id, version.workflow_name.clone()));
        let drafts = self.drafts.iter().filter(|((owner, _), _)| *owner == team);
        published.chain(drafts.map(|((_, id), draft)| (*id, draft.name.clone()))).collect()
    }
}

#[async_trait]
impl WorkflowNames for MemoryCatalog {
    async fn names(
        &self,
        team: TeamId,
        workflows: &[WorkflowId],
    ) -> Result<HashMap<WorkflowId, String>, StoreError> {
        let mut names = lock(&self.0).names(team);
        names.retain(|id, _| workflows.contains(id));
        Ok(names)
    }

    async fn named(&self, team: TeamId, text: &str, limit: u32) -> Result<Vec<WorkflowId>, StoreError> {
        let names = lock(&self.0).names(team);
        let has_text =
            |(_, name): &(&WorkflowId, &String)| name.to_lowercase().contains(&text.to_lowercase());
        let mut found: Vec<_> = names.iter().filter(has_text).map(|(id, _)| *id).collect();
        found.sort_by_key(|id| std::cmp::Reverse(*id));
        found.truncate(limit as usize);
        Ok(found)
    }
}

/// Services by the SHA-256 of their key.
#[derive(Debug, Default)]
pub struct MemoryKeys(Mutex<HashMap<[u8; 32], ServiceCaller>>);

impl MemoryKeys {
    /// Gives a service a key.
    pub fn put(&self, key_sha256: [u8; 32], caller: ServiceCaller) {
        lock(&self.0).insert(key_sha256, caller);
    }
}

#[async_trait]
impl ApiKeys for MemoryKeys {
    async fn service_by_key(&self, key_sha256: [u8; 32]) -> Result<Option<ServiceCaller>, StoreError> {
        Ok(lock(&self.0).get(&key_sha256).copied())
    }
}
