//! What a local stack starts with (OPS-12): a team, a member with a login in each role, a service per environment, an expert. The workflow is left to
//! the stack, which makes it through the API like anyone else.

use domain::{ExpertId, MemberId, ServiceId, TeamId};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{ApiKeyDigest, Catalog, StoreError};

/// The demo team. Its ids are fixed, so that seeding again finds what is there, two at the same time included.
pub const DEMO_TEAM: TeamId = TeamId::new(demo_id(0x100));
/// The members, by their role: what is in the address, and how they are called. The numbers of the first two are older than the others.
const MEMBERS: [(&str, &str, u128); 4] =
    [("owner", "Olga", 1), ("admin", "Adam", 3), ("editor", "Edgar", 2), ("viewer", "Vera", 4)];
const EXPERT: ExpertId = ExpertId::new(demo_id(0x400));
const SERVICES: [(&str, Uuid); 3] =
    [("dev", demo_id(0x501)), ("stage", demo_id(0x502)), ("prod", demo_id(0x503))];

/// A UUIDv7 of the first of January 2026 with a number of our choice at its end.
const fn demo_id(number: u128) -> Uuid {
    Uuid::from_u128(0x019b_7700_0000_7000_8000_0000_0000_0000 | number)
}

/// What the seed left in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seeded {
    /// The team.
    pub team_id: TeamId,
    /// Whom one can sign in as: an owner, an admin, an editor, a viewer.
    pub members: [SeededMember; 4],
    /// The service of the dev environment, which the key belongs to.
    pub service_id: ServiceId,
    /// The expert.
    pub expert_id: ExpertId,
}

/// Somebody whom the seed left there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeededMember {
    /// The person.
    pub id: MemberId,
    /// Where codes are sent to.
    pub email: String,
    /// What they were made as.
    pub role: &'static str,
}

impl Catalog {
    /// Makes the demo team or what is missing of it, and gives its dev service this key in place of the one it had. What people
    /// changed in the meantime stays.
    pub async fn seed(&self, key: &ApiKeyDigest) -> Result<Seeded, StoreError> {
        let mut tx = self.team(DEMO_TEAM, "seed").await?;
        let inserted = insert_demo(&mut tx, key).await;
        tx.end(inserted).await?;
        Ok(Seeded {
            team_id: DEMO_TEAM,
            members: MEMBERS.map(|(role, _, number)| SeededMember {
                id: MemberId::new(demo_id(0x200 + number)),
                email: address(role),
                role,
            }),
            service_id: ServiceId::new(SERVICES[0].1),
            expert_id: EXPERT,
        })
    }
}

async fn insert_demo(tx: &mut PgConnection, key: &ApiKeyDigest) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into teams (id, name, description) values ($1, 'Demo', 'Made by the seed') on conflict (id) do nothing",
        DEMO_TEAM.uuid()
    )
    .execute(&mut *tx)
    .await?;
    for member in MEMBERS {
        insert_member(tx, member).await?;
    }
    sqlx::query!(
        "insert into experts (id, team_id, name, prompt, model_name, status)
        values ($1, $2, 'Order clerk', 'You summarise orders in one friendly sentence.', 'gpt-4o-mini', 'active')
        on conflict (id) do nothing",
        EXPERT.uuid(),
        DEMO_TEAM.uuid()
    )
    .execute(&mut *tx)
    .await?;
    for (environment, id) in SERVICES {
        sqlx::query!(
            "insert into services (id, team_id, name, environment) values ($1, $2, 'Demo shop', $3)
            on conflict (id) do nothing",
            id,
            DEMO_TEAM.uuid(),
            environment
        )
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query!(
        "update services set api_key_hash = $2, api_key_last4 = $3, previous_key_hash = null, previous_key_expires_at = null
        where id = $1",
        SERVICES[0].1,
        &key.sha256[..],
        key.last4
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

async fn insert_member(
    tx: &mut PgConnection,
    (role, first_name, number): (&str, &str, u128),
) -> Result<(), sqlx::Error> {
    let member = demo_id(0x200 + number);
    sqlx::query!(
        "insert into members (id, first_name, last_name, email) values ($1, $2, initcap($3), $4) on conflict (id) do nothing",
        member,
        first_name,
        role,
        address(role)
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into users (id, member_id) values ($1, $2) on conflict (member_id) do nothing",
        demo_id(0x250 + number),
        member
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into team_members (id, team_id, member_id, role) values ($1, $2, $3, $4)
        on conflict (team_id, member_id) do nothing",
        demo_id(0x300 + number),
        DEMO_TEAM.uuid(),
        member,
        role
    )
    .execute(tx)
    .await
    .map(drop)
}

fn address(role: &str) -> String {
    format!("{role}@demo.example")
}
