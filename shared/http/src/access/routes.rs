//! The routes of all functions, and what each takes of its caller: the one place that says so. Documents are completed from it, and the
//! matrix of tests is made of it.

use domain::Permission as P;

use super::Rate;

/// What a route takes of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: credentials are not looked at.
    Nobody,
    /// A person, in whatever team or none: what they do is their own.
    Oneself,
    /// Somebody who acts for a team and may do this in it. A path with `{team_id}` names the team; else a member names it in
    /// `X-Team-Id`, or has one.
    Team(P),
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method, in capitals.
    pub method: &'static str,
    /// Its path, relative to [`BASE`](crate::BASE) unless it is outside of it, with names in braces.
    pub path: &'static str,
    /// What it takes.
    pub needs: Needs,
    /// What counts its requests, beside all of the caller's.
    pub rate: Option<Rate>,
    /// Whether a request with an `Idempotency-Key` that comes again is answered as before, and not done again. For what creates something;
    /// a route that shows a secret once can't, since its answer would be kept.
    pub is_done_once: bool,
}

impl Route {
    /// A route of which only all requests of a caller are counted.
    pub const fn new(method: &'static str, path: &'static str, needs: Needs) -> Self {
        Self { method, path, needs, rate: None, is_done_once: false }
    }

    /// The same with a count of its own.
    pub(super) const fn at(self, rate: Rate) -> Self {
        Self { rate: Some(rate), ..self }
    }
}

const fn public(method: &'static str, path: &'static str) -> Route {
    Route::new(method, path, Needs::Nobody)
}

const fn oneself(method: &'static str, path: &'static str) -> Route {
    Route::new(method, path, Needs::Oneself)
}

const fn team(method: &'static str, path: &'static str, permission: P) -> Route {
    Route::new(method, path, Needs::Team(permission))
}

/// A route that creates what the team can then see.
const fn creates(path: &'static str, permission: P) -> Route {
    Route { is_done_once: true, ..team("POST", path, permission) }
}

/// All of them.
pub const ROUTES: &[Route] = &[
    // auth
    public("GET", "/.well-known/jwks.json"),
    public("POST", "/auth/request-otp"),
    public("POST", "/auth/verify-otp"),
    public("POST", "/auth/login"),
    public("POST", "/auth/refresh"),
    public("GET", "/auth/oidc/{provider}/start"),
    public("GET", "/auth/oidc/{provider}/callback"),
    oneself("POST", "/auth/logout"),
    oneself("GET", "/auth/me"),
    oneself("PATCH", "/auth/me"),
    oneself("GET", "/auth/sessions"),
    oneself("DELETE", "/auth/sessions/{session_id}"),
    // teams
    oneself("GET", "/teams"),
    Route { is_done_once: true, ..oneself("POST", "/teams") },
    team("GET", "/teams/{team_id}", P::TeamView),
    team("PATCH", "/teams/{team_id}", P::TeamEdit),
    team("DELETE", "/teams/{team_id}", P::TeamDelete),
    team("GET", "/teams/{team_id}/members", P::TeamView),
    team("PATCH", "/teams/{team_id}/members/{member_id}", P::MembersChangeRoles),
    // Others only by who may take members out; everybody may go themselves.
    team("DELETE", "/teams/{team_id}/members/{member_id}", P::TeamView),
    creates("/teams/{team_id}/invite", P::MembersInvite).at(Rate::Invitations),
    team("GET", "/teams/{team_id}/invitations", P::TeamView),
    team("DELETE", "/teams/{team_id}/invitations/{invitation_id}", P::MembersInvite),
    oneself("GET", "/invitations"),
    oneself("POST", "/invitations/{token}/accept"),
    team("GET", "/activity", P::TeamView),
    team("GET", "/audit", P::AuditView),
    team("GET", "/audit/verify", P::AuditView),
    // services
    creates("/services", P::ServicesManage),
    team("GET", "/services", P::ServicesView),
    team("GET", "/services/{service_id}", P::ServicesView),
    team("PATCH", "/services/{service_id}", P::ServicesManage),
    team("DELETE", "/services/{service_id}", P::ServicesManage),
    team("POST", "/services/{service_id}/api-key", P::ServicesManage),
    creates("/services/{service_id}/segments", P::ServicesManage),
    team("GET", "/services/{service_id}/segments", P::ServicesView),
    team("GET", "/services/{service_id}/segments/{segment_id}", P::ServicesView),
    team("PATCH", "/services/{service_id}/segments/{segment_id}", P::ServicesManage),
    team("DELETE", "/services/{service_id}/segments/{segment_id}", P::ServicesManage),
    team("GET", "/services/{service_id}/users", P::ServicesView),
    team("DELETE", "/services/{service_id}/users/{service_user_id}", P::ServicesManage),
    team("POST", "/services/resolve", P::EndUsersResolve),
    // experts
    creates("/experts", P::WorkflowsCreate),
    team("GET", "/experts", P::WorkflowsView),
    team("GET", "/experts/{expert_id}", P::WorkflowsView),
    team("PATCH", "/experts/{expert_id}", P::WorkflowsEdit),
    team("DELETE", "/experts/{expert_id}", P::WorkflowsDelete),
    team("GET", "/experts/{expert_id}/history", P::WorkflowsView),
    team("PUT", "/experts/{expert_id}/workflows/{workflow_id}", P::WorkflowsEdit),
    team("DELETE", "/experts/{expert_id}/workflows/{workflow_id}", P::WorkflowsEdit),
    team("PUT", "/experts/{expert_id}/services/{service_id}", P::WorkflowsEdit),
    team("DELETE", "/experts/{expert_id}/services/{service_id}", P::WorkflowsEdit),
    team("POST", "/experts/{expert_id}/render", P::WorkflowsView),
    team("POST", "/experts/{expert_id}/test", P::WorkflowsExecute).at(Rate::Model),
    // workflows
    creates("/workflows", P::WorkflowsCreate),
    team("GET", "/workflows", P::WorkflowsView),
    team("GET", "/workflows/{workflow_id}", P::WorkflowsView),
    team("PATCH", "/workflows/{workflow_id}", P::WorkflowsEdit),
    team("DELETE", "/workflows/{workflow_id}", P::WorkflowsDelete),
    team("PATCH", "/workflows/{workflow_id}/status", P::WorkflowsEdit),
    creates("/workflows/{workflow_id}/duplicate", P::WorkflowsCreate),
    team("PUT", "/workflows/{workflow_id}/graph", P::WorkflowsEdit),
    team("GET", "/workflows/{workflow_id}/nodes", P::WorkflowsView),
    creates("/workflows/{workflow_id}/nodes", P::WorkflowsEdit),
    team("GET", "/workflows/{workflow_id}/nodes/{node_id}", P::WorkflowsView),
    team("PATCH", "/workflows/{workflow_id}/nodes/{node_id}", P::WorkflowsEdit),
    team("DELETE", "/workflows/{workflow_id}/nodes/{node_id}", P::WorkflowsEdit),
    team("GET", "/workflows/{workflow_id}/edges", P::WorkflowsView),
    creates("/workflows/{workflow_id}/edges", P::WorkflowsEdit),
    team("GET", "/workflows/{workflow_id}/edges/{edge_id}", P::WorkflowsView),
    team("PATCH", "/workflows/{workflow_id}/edges/{edge_id}", P::WorkflowsEdit),
    team("DELETE", "/workflows/{workflow_id}/edges/{edge_id}", P::WorkflowsEdit),
    team("GET", "/workflows/{workflow_id}/drafts", P::WorkflowsView),
    team("GET", "/workflows/{workflow_id}/drafts/{draft_id}", P::WorkflowsView),
    team("DELETE", "/workflows/{workflow_id}/drafts/{draft_id}", P::WorkflowsEdit),
    team("GET", "/workflows/{workflow_id}/services", P::WorkflowsView),
    team("PUT", "/workflows/{workflow_id}/services/{service_id}", P::WorkflowsEdit),
    team("DELETE", "/workflows/{workflow_id}/services/{service_id}", P::WorkflowsEdit),
    team("POST", "/workflows/validate", P::WorkflowsView),
    team("POST", "/workflows/{workflow_id}/validate", P::WorkflowsView),
    team("GET", "/workflows/node-types", P::WorkflowsView),
    team("POST", "/workflows/{workflow_id}/plan", P::WorkflowsView),
    team("GET", "/workflows/{workflow_id}/schedule/preview", P::WorkflowsView),
    creates("/workflows/{workflow_id}/publish", P::WorkflowsEdit),
    team("GET", "/workflows/{workflow_id}/versions", P::WorkflowsView),
    team("GET", "/workflows/{workflow_id}/versions/{number}", P::WorkflowsView),
    team("GET", "/workflows/{workflow_id}/versions/{number}/diff/{other}", P::WorkflowsView),
    team("POST", "/workflows/{workflow_id}/versions/{number}/restore", P::WorkflowsEdit),
    creates("/workflows/import", P::WorkflowsCreate),
    team("GET", "/workflows/{workflow_id}/export", P::WorkflowsView),
    // runs
    // A start is done once by the run store itself.
    team("POST", "/runs", P::WorkflowsExecute).at(Rate::Starts),
    team("GET", "/runs", P::WorkflowsView),
    team("GET", "/runs/{run_id}", P::WorkflowsView),
    team("GET", "/runs/{run_id}/steps", P::WorkflowsView),
    team("GET", "/runs/{run_id}/logs", P::WorkflowsView),
    team("GET", "/runs/{run_id}/events", P::WorkflowsView),
    team("GET", "/runs/{run_id}/annotations", P::WorkflowsView),
    creates("/runs/{run_id}/annotations", P::WorkflowsExecute),
    team("POST", "/runs/{run_id}/cancel", P::WorkflowsExecute),
    team("POST", "/runs/{run_id}/retry", P::WorkflowsExecute).at(Rate::Starts),
    team("POST", "/runs/retry", P::WorkflowsExecute).at(Rate::Starts),
    team("POST", "/runs/{run_id}/replay", P::WorkflowsExecute),
    team("GET", "/approvals", P::WorkflowsView),
    team("POST", "/runs/{run_id}/approvals/{node}", P::WorkflowsExecute),
    team("GET", "/dead-letters", P::WorkflowsView),
    team("POST", "/dead-letters/redrive", P::WorkflowsExecute),
    // secrets
    team("GET", "/secrets", P::SecretsView),
    team("PUT", "/secrets/{name}", P::SecretsManage),
    team("POST", "/secrets/{name}/rotate", P::SecretsManage),
    team("DELETE", "/secrets/{name}", P::SecretsManage),
];
