//! What stands before every route.

use std::sync::Arc;

use app::ports::{Actor, ApiKeys, Clock, Counters, KeptAnswers, Seat, Seats, ServiceCaller};
use axum::{
    extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::{MemberId, Permission, Permissions, TeamId};
use http::{HeaderName, Method, request::Parts};
use identity::{Claims, Unverified, Verifier};
use runtime::scope;
use sha2::{Digest as _, Sha256};
use tower_http::cors::CorsLayer;

use super::{
    Caller, Member, Needs, Origins, ROUTES, Rate, Route,
    credential::{self, Credential, only},
    once::once,
    rate::{self, Standing},
};
use crate::{ApiError, BASE, Code};

/// The header by which a member names a team.
const TEAM: HeaderName = HeaderName::from_static("x-team-id");

/// The parameter of paths that names a team.
const TEAM_IN_PATH: &str = "team_id";

/// What the gate asks.
#[derive(Clone)]
pub struct GatePorts {
    /// Which service a key is of.
    pub keys: Arc<dyn ApiKeys>,
    /// Which teams a person is in.
    pub seats: Arc<dyn Seats>,
    /// Whose an access token is.
    pub verifier: Arc<Verifier>,
    /// How often somebody called.
    pub counters: Arc<dyn Counters>,
    /// What requests that come again were answered.
    pub answers: Arc<dyn KeptAnswers>,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

/// Finds out who calls, and lets them through to what they may do.
///
/// A service costs one question to the catalog; a member one too, and one or two to the counters, but none to find out whose token it is.
#[derive(Clone)]
pub struct Gate {
    pub(super) ports: GatePorts,
    routes: &'static [Route],
    origins: Origins,
}

impl Gate {
    /// The gate before [`ROUTES`].
    pub fn new(ports: GatePorts) -> Self {
        Self::before(ROUTES, ports)
    }

    /// The gate before other routes.
    pub fn before(routes: &'static [Route], ports: GatePorts) -> Self {
        Self { ports, routes, origins: Origins::default() }
    }

    /// The same for pages of these origins too.
    pub fn open_to(self, origins: Origins) -> Self {
        Self { origins, ..self }
    }

    /// What answers browsers that ask whether a page may call.
    pub(crate) fn cors(&self) -> Option<CorsLayer> {
        self.origins.layer()
    }

    /// What is declared of a route by its method and its whole path as a template.
    pub(crate) fn declared(&self, method: &str, path: &str) -> Option<&'static Route> {
        let path = path.strip_prefix(BASE).unwrap_or(path);
        self.routes.iter().find(|route| route.method == method && route.path == path)
    }

    /// Lets a request through, or not; what is known of the caller is in its extensions from then on.
    async fn open(&self, parts: &mut Parts, route: &Route) -> Result<Vec<Standing>, ApiError> {
        let member = match route.needs {
            Needs::Nobody => None,
            Needs::Oneself => Some(self.oneself(parts).await?),
            Needs::Team(permission) => self.in_team(parts, permission).await?,
        };
        match member {
            Some(member) => self.count(route, member).await,
            None => Ok(Vec::new()),
        }
    }

    fn route_of(&self, parts: &Parts) -> Result<&'static Route, ApiError> {
        let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
        let declared = self.declared(method.as_str(), path);
        declared.ok_or_else(|| ApiError::internal(format!("{method} {path} is not declared")))
    }

    async fn oneself(&self, parts: &mut Parts) -> Result<MemberId, ApiError> {
        let claims = match Credential::of(&parts.headers)? {
            Credential::Key(_) => return Err(ApiError::unauthorized()),
            shown => self.person(parts, shown).await?,
        };
        let id = claims.member_id;
        parts.extensions.insert(Member(claims));
        Ok(id)
    }

    /// The person whose request is to be counted, if it is one.
    async fn in_team(&self, parts: &mut Parts, permission: Permission) -> Result<Option<MemberId>, ApiError> {
        let (caller, member) = match Credential::of(&parts.headers)? {
            Credential::Key(key) => (self.service(key).await?, None),
            shown => {
                let claims = self.person(parts, shown).await?;
                (self.member(parts, &claims).await?, Some(Member(claims)))
            }
        };
        if team_in_path(parts).await?.is_some_and(|team| team != caller.team_id) {
            return Err(ApiError::not_found());
        }
        scope::set_team(caller.team_id);
        caller.needs(permission)?;
        parts.extensions.insert(caller);
        let id = member.as_ref().map(|Member(claims)| claims.member_id);
        member.map(|member| parts.extensions.insert(member));
        Ok(id)
    }

    async fn service(&self, key: &[u8]) -> Result<Caller, ApiError> {
        let service = self.ports.keys.service_by_key(Sha256::digest(key).into()).await?;
        let ServiceCaller { team_id, service_id, .. } = service.ok_or_else(ApiError::unauthorized)?;
        let (actor, permissions) = (Actor::Service(service_id), Permissions::of_service());
        Ok(Caller { team_id, actor, role: None, permissions })
    }

    /// Whose token it is. One that the browser sent by itself changes nothing unless our own page made the request.
    async fn person(&self, parts: &Parts, shown: Credential<'_>) -> Result<Claims, ApiError> {
        let (token, is_cookie) = match shown {
            Credential::Token(token) => (token, false),
            Credential::Cookie(token) => (token, true),
            Credential::Key(_) => return Err(ApiError::unauthorized()),
        };
        let claims = self.ports.verifier.verify(token).await.map_err(|error| match error {
            Unverified::Refused(_) => ApiError::unauthorized(),
            Unverified::Store(error) => ApiError::unavailable(error),
        })?;
        if is_cookie && !parts.method.is_safe() {
            let page = credential::page(&parts.headers, &self.ports.verifier).await?;
            page.filter(|page| *page == claims.session_id).ok_or_else(credential::forged)?;
        }
        Ok(claims)
    }

    async fn member(&self, parts: &mut Parts, claims: &Claims) -> Result<Caller, ApiError> {
        let named = match team_in_path(parts).await? {
            Some(team) => Some(team),
            None => team_in_header(parts)?,
        };
        let seats = self.ports.seats.seats(claims.member_id).await?;
        let Seat { team_id, role, permissions, .. } = seat(seats, named)?;
        let permissions = Permissions::of_member(role, &permissions);
        Ok(Caller { team_id, actor: Actor::Member(claims.member_id), role: Some(role), permissions })
    }

    async fn count(&self, route: &Route, member: MemberId) -> Result<Vec<Standing>, ApiError> {
        let mut standings = Vec::new();
        for rate in [Some(Rate::Api), route.rate].into_iter().flatten() {
            let (counters, clock) = (self.ports.counters.as_ref(), self.ports.clock.as_ref());
            standings.extend(rate::count(rate, member, counters, clock).await?);
        }
        Ok(standings)
    }
}

/// The place in the team that was named, or the only one. A team that they are not in is none that exists.
fn seat(seats: Vec<Seat>, named: Option<TeamId>) -> Result<Seat, ApiError> {
    if let Some(team) = named {
        return seats.into_iter().find(|seat| seat.team_id == team).ok_or_else(ApiError::not_found);
    }
    let mut seats = seats.into_iter();
    match (seats.next(), seats.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(ApiError::forbidden()),
        (Some(_), Some(_)) => Err(ApiError::new(
            Code::InvalidHeader,
            "You are in several teams: name the one you act for in the X-Team-Id header.",
        )),
    }
}

fn team_in_header(parts: &Parts) -> Result<Option<TeamId>, ApiError> {
    if !parts.headers.contains_key(TEAM) {
        return Ok(None);
    }
    let text = only(&parts.headers, &TEAM).and_then(|team| std::str::from_utf8(team).ok());
    let team = text.and_then(|team| team.parse().ok());
    team.map(Some)
        .ok_or_else(|| ApiError::new(Code::InvalidHeader, "X-Team-Id takes the id of a team, once."))
}

/// The team that the path names; 404 where that can't be one.
async fn team_in_path(parts: &mut Parts) -> Result<Option<TeamId>, ApiError> {
    let names_team = parts
        .extensions
        .get::<MatchedPath>()
        .is_some_and(|path| path.as_str().contains(const { "{team_id}" }));
    if !names_team {
        return Ok(None);
    }
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| ApiError::not_found())?;
    let text = params.iter().find(|(name, _)| *name == TEAM_IN_PATH).map(|(_, team)| team);
    text.and_then(|team| team.parse().ok()).map(Some).ok_or_else(ApiError::not_found)
}

/// The gate as a layer.
pub(crate) async fn admit(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let route = match gate.route_of(&parts) {
        Ok(route) => route,
        Err(refusal) => return refusal.into_response(),
    };
    let standings = match gate.open(&mut parts, route).await {
        Ok(standings) => standings,
        Err(refusal) => return refusal.into_response(),
    };
    let mut response = if route.is_done_once {
        once(&gate, parts, body, next).await
    } else {
        next.run(Request::from_parts(parts, body)).await
    };
    for standing in standings {
        standing.tell(response.headers_mut());
    }
    response
}
