//! Credentials of teams, sealed (SCR-01, SCR-04, SCR-06). What is in them is never seen here: they are sealed and opened by their users.

use app::ports::{Act, DataKey, SECRET_CHANGED, SealedSecret, SealedSecrets, SecretCatalog, SecretVersion};
use async_trait::async_trait;
use domain::{DataKeyId, TeamId, Timestamp, WorkflowId};
use engine::ReferenceKind;
use sqlx::{PgConnection, query_as};
use uuid::Uuid;

use crate::{
    Catalog, StoreError,
    deeds::Deed,
    error::{found_any, store_error},
};

/// The rule that a version breaks which somebody else put first.
const VERSION_TAKEN: &str = "uq_secrets_team_id_name_version";

#[async_trait]
impl SecretCatalog for Catalog {
    async fn secret_insert(
        &self,
        team: TeamId,
        id: Uuid,
        secret: &SealedSecret,
        last4: &str,
        act: &Act,
    ) -> Result<Timestamp, StoreError> {
        let mut tx = self.team(team, "keep a secret").await?;
        let kept = sqlx::query_scalar!(
            "insert into secrets (id, team_id, name, version, ciphertext, nonce, key_id, last4)
            values ($1, $2, $3, $4, $5, $6, $7, $8) returning created_on",
            id,
            team.uuid(),
            secret.name,
            i32::try_from(secret.version).unwrap_or(i32::MAX),
            secret.ciphertext,
            &secret.nonce[..],
            secret.key_id.uuid(),
            last4
        )
        .fetch_one(&mut *tx)
        .await;
        let kept = match kept {
            Ok(created_on) => changed(&mut tx, team, &secret.name).await.map(|()| created_on),
            Err(error) => Err(error),
        };
        let deed = Deed::new("secret.put", id).with("name", &secret.name).with("version", secret.version);
        match tx.done(kept.map_err(store_error("keep a secret")), act, deed).await {
            Err(StoreError::Violates(rule)) if rule == VERSION_TAKEN => Err(StoreError::Conflict),
            kept => kept,
        }
    }

    async fn secret_list(&self, team: TeamId) -> Result<Vec<SecretVersion>, StoreError> {
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

    async fn secret_delete(&self, team: TeamId, name: &str, act: &Act) -> Result<(), StoreError> {
        const DELETE: &str = "delete a secret";
        let mut tx = self.team(team, DELETE).await?;
        let deleted = async {
            let versions = sqlx::query_scalar!(
                "delete from secrets where team_id = $1 and name = $2 returning id",
                team.uuid(),
                name
            )
            .fetch_all(&mut *tx)
            .await?;
            let last = versions.into_iter().max().ok_or(sqlx::Error::RowNotFound)?;
            changed(&mut tx, team, name).await.map(|()| last)
        };
        let deleted = deleted.await.map_err(store_error(DELETE));
        let deed = Deed::new("secret.delete", *deleted.as_ref().unwrap_or(&Uuid::nil())).with("name", name);
        tx.done(deleted.map(drop), act, deed).await
    }

    async fn secret_users(&self, team: TeamId, name: &str) -> Result<Vec<(WorkflowId, String)>, StoreError> {
        let mut tx = self.team(team, "find who uses a secret").await?;
        // Few graphs have the name in their text, and those are read.
        let rows = sqlx::query!(
            r#"select w.id, w.name, v.graph as "graph: sqlx::types::Json<domain::Graph>"
            from workflows w join workflow_versions v on v.team_id = w.team_id and v.id = w.published_version_id
            where w.team_id = $1 and w.status <> 'archived' and strpos(v.graph::text, 'secret.' || $2) > 0
            order by w.name, w.id"#,
            team.uuid(),
            name
        )
        .fetch_all(&mut *tx)
        .await;
        let names_it = |graph: &domain::Graph| {
            let references = engine::references(graph);
            references.iter().any(|found| found.kind == ReferenceKind::Secret && found.id == name)
        };
        let users = tx.end(rows).await?.into_iter().filter(|row| names_it(&row.graph));
        Ok(users.map(|row| (row.id.into(), row.name)).collect())
    }

    async fn data_key_insert(&self, team: TeamId, key: &DataKey) -> Result<(), StoreError> {
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

    async fn data_keys(&self, team: TeamId) -> Result<Vec<DataKey>, StoreError> {
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

    async fn data_key_rewrap(&self, team: TeamId, key: &DataKey, from: &str) -> Result<(), StoreError> {
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
        let wrapped = match wrapped {
            Ok(done) if done.rows_affected() > 0 => opens_changed(&mut tx, team, key.id).await.map(|()| done),
            wrapped => wrapped,
        };
        found_any(&tx.end(wrapped).await?)
    }

    async fn teams_to_rewrap(&self, master_key_id: &str) -> Result<Vec<TeamId>, StoreError> {
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

/// Notes that a credential has changed, to be told once the transaction is committed. Not before a moment later by others: whoever commits
/// tells it at once.
async fn changed(tx: &mut PgConnection, team: TeamId, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into outbox (id, team_id, aggregate, aggregate_id, kind, payload, next_attempt_at)
        values (gen_random_uuid(), $1, 'secrets', $1, $2, jsonb_build_object('name', $3::text), now() + interval '15 seconds')",
        team.uuid(),
        SECRET_CHANGED,
        name
    )
    .execute(tx)
    .await
    .map(drop)
}

/// As [`changed`], of all credentials that a key opens: whoever reads them reads the key with them.
async fn opens_changed(tx: &mut PgConnection, team: TeamId, key: DataKeyId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into outbox (id, team_id, aggregate, aggregate_id, kind, payload, next_attempt_at)
        select gen_random_uuid(), $1, 'secrets', $1, $2, jsonb_build_object('name', name), now() + interval '15 seconds'
        from (select distinct name from secrets where team_id = $1 and key_id = $3) opened",
        team.uuid(),
        SECRET_CHANGED,
        key.uuid()
    )
    .execute(tx)
    .await
    .map(drop)
}
