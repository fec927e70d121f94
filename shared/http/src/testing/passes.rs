//! Credentials for router tests: keys, members and their tokens, all in memory, before a gate that takes them.

use std::sync::Arc;

use app::{
    fakes::{
        ManualClock, MemoryAnswers, MemoryCounters, MemoryKeys, MemorySeats, MemorySecrets,
        SequentialEntropy, SequentialIds,
    },
    ports::{ApiKeys, Seat, Seats, ServiceCaller},
};
use axum::body::Body;
use domain::{Environment, MemberId, Role, ServiceId, SessionId, TeamId};
use http::{HeaderName, HeaderValue, Request, header};
use identity::{Issuer, KeyRing, Realm, Verifier};
use serde_json::Map;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{Gate, GatePorts, Route};

/// Who may call in a test.
pub struct Passes {
    /// Keys of services; unless the test has a catalog of its own.
    pub keys: Arc<MemoryKeys>,
    /// Who is in which team; likewise.
    pub seats: Arc<MemorySeats>,
    /// How often members called.
    pub counters: Arc<MemoryCounters>,
    /// What requests that come again were answered.
    pub answers: Arc<MemoryAnswers>,
    issuer: Issuer,
    ports: GatePorts,
}

impl Passes {
    /// Nobody yet.
    pub fn new(clock: Arc<ManualClock>) -> Self {
        let (keys, seats) = (Arc::new(MemoryKeys::default()), Arc::new(MemorySeats::default()));
        let (counters, realm) = (Arc::new(MemoryCounters::new(clock.clone())), Realm::of_stage("test"));
        let secrets = Arc::new(MemorySecrets::default());
        let answers = Arc::new(MemoryAnswers::default());
        let entropy = Arc::new(SequentialEntropy::default());
        let ring = Arc::new(KeyRing::creating(secrets.clone(), clock.clone(), entropy));
        let ports = GatePorts {
            keys: keys.clone(),
            seats: seats.clone(),
            verifier: Arc::new(Verifier::reading(secrets, realm.clone(), clock.clone())),
            counters: counters.clone(),
            answers: answers.clone(),
            clock: clock.clone(),
        };
        let issuer = Issuer::new(ring, realm, clock, Arc::new(SequentialIds::default()));
        Self { keys, seats, counters, answers, issuer, ports }
    }

    /// The gate.
    pub fn gate(&self) -> Gate {
        Gate::new(self.ports.clone())
    }

    /// The gate of a test with routes of its own.
    pub fn gate_before(&self, routes: &'static [Route]) -> Gate {
        Gate::before(routes, self.ports.clone())
    }

    /// The gate of a test with a catalog.
    pub fn gate_over<C: ApiKeys + Seats + 'static>(&self, catalog: Arc<C>) -> Gate {
        Gate::new(GatePorts { keys: catalog.clone(), seats: catalog, ..self.ports.clone() })
    }

    /// Gives a service of the team this key, and answers the service.
    pub fn service(&self, team: TeamId, key: &str) -> ServiceId {
        let service_id = ServiceId::new(Uuid::nil());
        let caller = ServiceCaller { team_id: team, service_id, environment: Environment::Dev };
        self.keys.put(Sha256::digest(key).into(), caller);
        service_id
    }

    /// Puts a person into the team, and answers an access token of theirs.
    pub async fn member(&self, team: TeamId, member: MemberId, role: Role) -> String {
        let seat = Seat { team_id: team, team_name: "a team".to_owned(), role, permissions: Map::new() };
        self.seats.put(member, seat);
        self.token(member).await
    }

    /// An access token of a person.
    pub async fn token(&self, member: MemberId) -> String {
        let session = SessionId::new(Uuid::from_u128(1));
        self.issuer.issue(member, "ada@example.com", session).await.expect("a token")
    }
}

/// The request with an access token in place of a key.
pub fn by_token(mut request: Request<Body>, token: &str) -> Request<Body> {
    request.headers_mut().remove("x-api-key");
    let field = HeaderValue::try_from(format!("Bearer {token}")).expect("a token is visible ASCII");
    request.headers_mut().insert(header::AUTHORIZATION, field);
    request
}

/// The request of a member for this team.
pub fn for_team(mut request: Request<Body>, team: TeamId) -> Request<Body> {
    let field = HeaderValue::try_from(team.to_string()).expect("an id is visible ASCII");
    request.headers_mut().insert(HeaderName::from_static("x-team-id"), field);
    request
}
