//! A catalog that is opened by its first use, so that booting a function reads no secret and connects to nothing.

use std::{collections::HashMap, fmt, pin::Pin, sync::Arc, time::Duration};

use app::ports::{
    Account, Accounts, Act, Annotation, Annotations, ApiKeys, DataKey, Draft, ExpertState, LimitPolicies,
    NewAccount, NewToken, ProfilePatch, Retention, RetentionPolicies, Rotation, Runnable, RunningLimit,
    SealedSecret, SealedSecrets, Seat, Seats, ServiceCaller, Session, Sessions, StoreError, WorkflowCatalog,
    WorkflowNames,
};
use async_trait::async_trait;
use domain::{
    AnnotationId, ExpertId, MemberId, RunId, ServiceId, SessionId, TeamId, Timestamp, UserId, VersionId,
    WorkflowId, WorkflowVersion,
};
use engine::Reference;
use tokio::sync::OnceCell;

use crate::{Catalog, DatabaseUrl};

type Secret = Pin<Box<dyn Future<Output = Result<Arc<str>, StoreError>> + Send>>;

/// A [`Catalog`] to be. The first use asks for the secret; uses at the same time share the answer, and a failure is not kept.
pub struct LazyCatalog {
    secret: Box<dyn Fn() -> Secret + Send + Sync>,
    catalog: OnceCell<Catalog>,
}

impl LazyCatalog {
    /// A catalog behind the URL that `secret` gives (see [`DatabaseUrl::parse`]), with one connection: a Lambda environment
    /// serves one request at a time.
    pub fn new<W>(secret: impl Fn() -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<Arc<str>, StoreError>> + Send + 'static,
    {
        Self { secret: Box::new(move || Box::pin(secret())), catalog: OnceCell::new() }
    }

    /// One that is open already.
    pub fn open(catalog: Catalog) -> Self {
        let never = || -> Secret { Box::pin(std::future::pending()) };
        Self { secret: Box::new(never), catalog: OnceCell::new_with(Some(catalog)) }
    }

    /// The catalog, opened now if it was not.
    pub async fn get(&self) -> Result<&Catalog, StoreError> {
        let open = async {
            // A secret that is not there is our trouble, and must not pass for an entity that is not.
            let secret = (self.secret)().await.map_err(unavailable)?;
            let url = DatabaseUrl::parse(&secret).map_err(unavailable)?;
            Ok(Catalog::connect_lazy(&url, 1))
        };
        self.catalog.get_or_try_init(|| open).await
    }

    /// Whether the database answers; for readiness checks.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.get().await?.ping().await
    }
}

fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable { doing: "open the catalog", cause: cause.into() }
}

impl fmt::Debug for LazyCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyCatalog").field(&self.catalog.get()).finish()
    }
}

#[async_trait]
impl WorkflowCatalog for LazyCatalog {
    async fn draft(&self, team: TeamId, workflow: WorkflowId) -> Result<Draft, StoreError> {
        self.get().await?.draft(team, workflow).await
    }

    async fn missing(&self, team: TeamId, references: &[Reference]) -> Result<Vec<Reference>, StoreError> {
        self.get().await?.missing(team, references).await
    }

    async fn experts(&self, team: TeamId, experts: &[ExpertId]) -> Result<Vec<ExpertState>, StoreError> {
        self.get().await?.experts(team, experts).await
    }

    async fn insert_version(
        &self,
        version: WorkflowVersion,
        revision: i64,
        note: Option<&str>,
        act: &Act,
    ) -> Result<WorkflowVersion, StoreError> {
        self.get().await?.insert_version(version, revision, note, act).await
    }

    async fn runnable(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        service: Option<ServiceId>,
    ) -> Result<Runnable, StoreError> {
        self.get().await?.runnable(team, workflow, service).await
    }

    async fn numbered(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        number: u32,
    ) -> Result<WorkflowVersion, StoreError> {
        self.get().await?.numbered(team, workflow, number).await
    }

    async fn version(&self, team: TeamId, version: VersionId) -> Result<WorkflowVersion, StoreError> {
        self.get().await?.version(team, version).await
    }
}

#[async_trait]
impl ApiKeys for LazyCatalog {
    async fn service_by_key(&self, key_sha256: [u8; 32]) -> Result<Option<ServiceCaller>, StoreError> {
        self.get().await?.service_by_key(key_sha256).await
    }
}

#[async_trait]
impl WorkflowNames for LazyCatalog {
    async fn names(
        &self,
        team: TeamId,
        workflows: &[WorkflowId],
    ) -> Result<HashMap<WorkflowId, String>, StoreError> {
        self.get().await?.names(team, workflows).await
    }

    async fn named(&self, team: TeamId, text: &str, limit: u32) -> Result<Vec<WorkflowId>, StoreError> {
        self.get().await?.named(team, text, limit).await
    }
}

#[async_trait]
impl Annotations for LazyCatalog {
    async fn annotate(&self, team: TeamId, annotation: &Annotation) -> Result<(), StoreError> {
        self.get().await?.annotate(team, annotation).await
    }

    async fn annotations(
        &self,
        team: TeamId,
        run: RunId,
        before: Option<AnnotationId>,
        limit: u32,
    ) -> Result<Vec<Annotation>, StoreError> {
        self.get().await?.annotations(team, run, before, limit).await
    }
}

#[async_trait]
impl RetentionPolicies for LazyCatalog {
    async fn retentions(&self) -> Result<Vec<Retention>, StoreError> {
        self.get().await?.retentions().await
    }
}

#[async_trait]
impl LimitPolicies for LazyCatalog {
    async fn limits(&self) -> Result<Vec<RunningLimit>, StoreError> {
        self.get().await?.limits().await
    }
}

#[async_trait]
impl Seats for LazyCatalog {
    async fn seats(&self, member: MemberId) -> Result<Vec<Seat>, StoreError> {
        self.get().await?.seats(member).await
    }
}

#[async_trait]
impl Accounts for LazyCatalog {
    async fn by_email(&self, email: &str) -> Result<Account, StoreError> {
        self.get().await?.by_email(email).await
    }

    async fn by_member(&self, member: MemberId) -> Result<Account, StoreError> {
        self.get().await?.by_member(member).await
    }

    async fn by_user(&self, user: UserId) -> Result<Account, StoreError> {
        self.get().await?.by_user(user).await
    }

    async fn open(&self, new: &NewAccount) -> Result<Account, StoreError> {
        Accounts::open(self.get().await?, new).await
    }

    async fn update(&self, member: MemberId, patch: &ProfilePatch) -> Result<Account, StoreError> {
        self.get().await?.update(member, patch).await
    }

    async fn set_password(&self, user: UserId, phc: &str) -> Result<(), StoreError> {
        self.get().await?.set_password(user, phc).await
    }

    async fn signed_in(
        &self,
        member: MemberId,
        at: Timestamp,
        is_by_mail: bool,
    ) -> Result<Account, StoreError> {
        self.get().await?.signed_in(member, at, is_by_mail).await
    }
}

#[async_trait]
impl Sessions for LazyCatalog {
    async fn begin(
        &self,
        user: UserId,
        session: SessionId,
        token: &NewToken,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.get().await?.begin(user, session, token, now).await
    }

    async fn rotate(
        &self,
        sha256: [u8; 32],
        next: &NewToken,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Rotation, StoreError> {
        self.get().await?.rotate(sha256, next, now, grace).await
    }

    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.get().await?.list(user, now).await
    }

    async fn revoke(&self, user: UserId, session: SessionId, now: Timestamp) -> Result<(), StoreError> {
        self.get().await?.revoke(user, session, now).await
    }

    async fn revoke_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.get().await?.revoke_all(user, kept, now).await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.get().await?.forget(before).await
    }
}

#[async_trait]
impl SealedSecrets for LazyCatalog {
    async fn sealed(&self, team: TeamId, name: &str) -> Result<(SealedSecret, DataKey), StoreError> {
        self.get().await?.sealed(team, name).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_secret_is_asked_for_by_the_first_use_and_again_after_a_failure() {
        let asked = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let count = asked.clone();
        let catalog = LazyCatalog::new(move || {
            let n = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            async move {
                match n {
                    0 => Err(StoreError::NotFound),
                    _ => Ok("postgres://heddle@127.0.0.1:1/none".into()),
                }
            }
        });
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0);
        assert!(matches!(catalog.get().await, Err(StoreError::Unavailable { .. })));
        assert!(catalog.get().await.is_ok());
        assert!(catalog.get().await.is_ok());
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_secret_that_is_no_url_is_never_repeated() {
        let catalog = LazyCatalog::new(|| async { Ok("hunter2".into()) });
        let error = catalog.get().await.unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
