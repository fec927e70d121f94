//! Credentials of teams, sealed (SCR-01, SCR-04, SCR-06). What is in them is never seen here: they are sealed and opened by their users.

use app::ports::{DataKey, SealedSecret, SealedSecrets};
use async_trait::async_trait;
use domain::{DataKeyId, TeamId, Timestamp};
use sqlx::query_as;
use uuid::Uuid;

use crate::{
    Catalog, StoreError,
    error::{found_any, store_error},
};

/// A version of a credential as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretVersion {
    /// What workflows call the credential.
    pub name: String,
    /// Counts from 1.
    pub version: u32,
    /// The last characters of what is in it, four at most.
    pub last4: String,
    /// When it was put.
    pub created_on: Timestamp,
}

/// The rule that a version breaks which somebody else put first.
const VERSION_TAKEN: &str = "uq_secrets_team_id_name_version";

impl Catalog {
    /// Keeps a version of a credential. `id` is its row's. A version that is there already is [`Conflict`](StoreError::Conflict): what is
    /// sealed says which version it is, so that whoever lost seals again.
    pub async fn secret_insert(
        &self,
        team: TeamId,
        id: Uuid,
        secret: &SealedSecret,
        last4: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.team(team, "keep a secret").await?;
        let kept = sqlx::query!(
            "insert into secrets (id, team_id, name, version, ciphertext, nonce, key_id, last4)
            values ($1, $2, $3, $4, $5, $6, $7, $8)",
            id,
            team.uuid(),
            secret.name,
            i32::try_from(secret.version).unwrap_or(i32::MAX),
            secret.ciphertext,
            &secret.nonce[..],
            secret.key_id.uuid(),
            last4
        )
        .execute(&mut *tx)
        .await;
        match tx.end(kept).await {
            Err(StoreError::Violates(rule)) if rule == VERSION_TAKEN => Err(StoreError::Conflict),
            kept => kept.map(drop),
        }
    }

    /// Every version of the team's credentials, by name, the one in use first.
    pub async fn secret_list(&self, team: TeamId) -> Result<Vec<SecretVersion>, StoreError> {
        let mut tx = self.team(team, "list secrets").await?;
        let rows = sqlx::query!(
            "select name, version, last4, created_on from secrets where team_id = $1 order by name, version desc",
            team.uuid()
        )
        .fetch_all(&mut *tx)
        .await;
        let version = tx.end(rows).await?.into_iter().map(|row| SecretVersion {
            name: row.name,
            version: row.version.unsigned_abs(),
            last4: row.last4,
            created_on: row.created_on,
        });
        Ok(version.collect())
    }

    /// Forgets a credential with all its versions.
    pub async fn secret_delete(&self, team: TeamId, name: &str) -> Result<(), StoreError> {
        let mut tx = self.team(team, "delete a secret").await?;
        let deleted = sqlx::query!("delete from secrets where team_id = $1 and name = $2", team.uuid(), name)
            .execute(&mut *tx)
            .await;
        found_any(&tx.end(deleted).await?)
    }

    /// Keeps a data key of the team, which is the one in use from then on.
    pub async fn data_key_insert(&self, team: TeamId, key: &DataKey) -> Result<(), StoreError> {
        let mut tx = self.team(team, "keep a data key").await?;
        let kept = sqlx::query!(
            "insert into team_data_keys (id, team_id, wrapped_key, master_key_id) values ($1, $2, $3, $4)",
            key.id.uuid(),
            team.uuid(),
            key.wrapped,
            key.master_key_id
        )
        .execute(&mut *tx)
        .await;
        tx.end(kept).await.map(drop)
    }

    /// All data keys of the team, the one in use first.
    pub async fn data_keys(&self, team: TeamId) -> Result<Vec<DataKey>, StoreError> {
        let mut tx = self.team(team, "list data keys").await?;
        let rows = query_as!(
            KeyRow,
            "select id, wrapped_key, master_key_id from team_data_keys where team_id = $1
            order by created_on desc, id desc",
            team.uuid()
        )
        .fetch_all(&mut *tx)
        .await;
        Ok(tx.end(rows).await?.into_iter().map(DataKey::from).collect())
    }

    /// Keeps a data key in its new wrapping, if it is still wrapped by the master key `from`; else [`NotFound`](StoreError::NotFound),
    /// which somebody else saw to. Secrets stay as they are.
    pub async fn data_key_rewrap(&self, team: TeamId, key: &DataKey, from: &str) -> Result<(), StoreError> {
        let mut tx = self.team(team, "wrap a data key anew").await?;
        let wrapped = sqlx::query!(
            "update team_data_keys set wrapped_key = $4, master_key_id = $5
            where team_id = $1 and id = $2 and master_key_id = $3",
            team.uuid(),
            key.id.uuid(),
            from,
            key.wrapped,
            key.master_key_id
        )
        .execute(&mut *tx)
        .await;
        found_any(&tx.end(wrapped).await?)
    }

    /// The teams with data keys that are wrapped by another master key than this one.
    pub async fn teams_to_rewrap(&self, master_key_id: &str) -> Result<Vec<TeamId>, StoreError> {
        let teams = sqlx::query_scalar!(
            r#"select team_id as "team_id!" from teams_of_other_masters($1) order by team_id"#,
            master_key_id
        )
        .fetch_all(self.across_teams())
        .await
        .map_err(store_error("list teams to wrap anew"))?;
        Ok(teams.into_iter().map(TeamId::from).collect())
    }
}

#[async_trait]
impl SealedSecrets for Catalog {
    async fn sealed(&self, team: TeamId, name: &str) -> Result<(SealedSecret, DataKey), StoreError> {
        let mut tx = self.team(team, "get a secret").await?;
        let found = sqlx::query!(
            "select s.name, s.version, s.ciphertext, s.nonce, k.id as key_id, k.wrapped_key, k.master_key_id
            from secrets s join team_data_keys k on k.team_id = s.team_id and k.id = s.key_id
            where s.team_id = $1 and s.name = $2
            order by s.version desc limit 1",
            team.uuid(),
            name
        )
        .fetch_one(&mut *tx)
        .await;
        let row = tx.end(found).await?;
        let key_id = DataKeyId::new(row.key_id);
        let secret = SealedSecret {
            name: row.name,
            version: row.version.unsigned_abs(),
            ciphertext: row.ciphertext,
            nonce: row.nonce.try_into().unwrap_or_default(),
            key_id,
        };
        Ok((secret, DataKey { id: key_id, wrapped: row.wrapped_key, master_key_id: row.master_key_id }))
    }
}

struct KeyRow {
    id: Uuid,
    wrapped_key: Vec<u8>,
    master_key_id: String,
}

impl From<KeyRow> for DataKey {
    fn from(row: KeyRow) -> Self {
        Self { id: row.id.into(), wrapped: row.wrapped_key, master_key_id: row.master_key_id }
    }
}
