//! Asking people into a team (TEN-07).

use app::ports::{EmailAddress, StoreError, unavailable};
use axum::extract::State as Ex;
use catalog::{Invitation, NewInvitation, Window};
use chrono::{SubsecRound as _, TimeDelta};
use domain::{FieldError, InvitationId, TeamId};
use heddle_http::{ApiError, ApiResult, Caller, Json, Member, Origin, Page, PageQuery, Path, Query, docs};
use http::StatusCode;

use crate::{
    State, mails,
    oneself::person,
    refusal::refused,
    token::Token,
    views::{InvitationView, Invitations, Invite, JoinedView},
};

/// How long an invitation may be accepted.
pub(crate) const INVITATION_LIFE: TimeDelta = TimeDelta::days(7);

/// Invite somebody by mail. An open invitation for the same address gives way to this one.
#[utoipa::path(post, path = "/teams/{team_id}/invite", tag = "invitations", operation_id = "invite",
    params(("team_id" = Uuid, Path)), request_body = Invite,
    responses((status = 201, body = InvitationView), docs::Naming))]
pub(crate) async fn invite(
    Ex(s): Ex<State>,
    who: Caller,
    Member(inviter): Member,
    origin: Origin,
    Json(body): Json<Invite>,
) -> ApiResult<(StatusCode, Json<InvitationView>)> {
    let (to, role) = body.check().map_err(ApiError::validation)?;
    let token = Token::draw(s.entropy.as_ref())?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let new = NewInvitation {
        id: InvitationId::new(s.ids.next()),
        email: to.as_str().to_owned(),
        role,
        token_sha256: token.sha256(),
        expires_at: act.at.trunc_subsecs(0) + INVITATION_LIFE,
    };
    let recorded = s.catalog.get().await?.invitation_insert(who.team_id, &new, &act).await;
    let invitation = recorded.map_err(refused)?;
    send(&s, to, &invitation, &inviter.email, &token).await?;
    Ok((StatusCode::CREATED, Json(invitation.into())))
}

/// An invitation whose mail failed stands in the list: another one for the address takes its place.
async fn send(
    s: &State,
    to: EmailAddress,
    invitation: &Invitation,
    inviter: &str,
    token: &Token,
) -> ApiResult<()> {
    let mail =
        mails::invitation(to, invitation, inviter, token).map_err(unavailable("write an invitation"))?;
    match s.mailer.send(&mail).await {
        Err(StoreError::Violates(_)) => Err(ApiError::validation(vec![FieldError::new(
            "/email",
            "undeliverable",
            "No mail can be sent to this address.",
        )])),
        sent => Ok(sent?),
    }
}

/// List a team's open invitations, newest first, those included that nobody took up in time.
#[utoipa::path(get, path = "/teams/{team_id}/invitations", tag = "invitations", operation_id = "list_invitations",
    params(("team_id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<InvitationView>), docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<InvitationView>>> {
    let (limit, offset) = (q.limit.get(), q.offset);
    let page = s.catalog.get().await?.invitation_list(who.team_id, Window { limit, offset }).await?;
    let items = page.items.into_iter().map(InvitationView::from).collect();
    Ok(Json(Page { items, total: page.total, limit, offset }))
}

/// Take an invitation back.
#[utoipa::path(delete, path = "/teams/{team_id}/invitations/{invitation_id}", tag = "invitations",
    operation_id = "revoke_invitation", params(("team_id" = Uuid, Path), ("invitation_id" = Uuid, Path)),
    responses((status = 204, description = "Its token is void."), docs::Reading))]
pub(crate) async fn revoke(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((team, invitation)): Path<(TeamId, InvitationId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.catalog.get().await?.invitation_delete(team, invitation, &act).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the invitations that wait for you, of all teams. Of an address that you did not prove to be yours there are none.
#[utoipa::path(get, path = "/invitations", tag = "invitations", operation_id = "list_own_invitations",
    responses((status = 200, body = Invitations), docs::ReadingOneself))]
pub(crate) async fn mine(Ex(s): Ex<State>, who: Member) -> ApiResult<Json<Invitations>> {
    let person = person(&s, &who).await?;
    if person.email_verified_at.is_none() {
        return Ok(Json(Invitations { items: Vec::new() }));
    }
    let found = s.catalog.get().await?.invitations_of(&person.email).await?;
    let now = s.clock.now();
    let open = found.into_iter().filter(|invitation| invitation.expires_at > now);
    Ok(Json(Invitations { items: open.map(InvitationView::from).collect() }))
}

/// Accept an invitation, by the token that was mailed to your address. To do so again answers the same.
#[utoipa::path(post, path = "/invitations/{token}/accept", tag = "invitations", operation_id = "accept_invitation",
    params(("token" = String, Path, description = "The token that was mailed.")),
    responses((status = 200, body = JoinedView), docs::ActingOnOneself))]
pub(crate) async fn accept(
    Ex(s): Ex<State>,
    who: Member,
    origin: Origin,
    Path(token): Path<String>,
) -> ApiResult<Json<JoinedView>> {
    let person = person(&s, &who).await?;
    let catalog = s.catalog.get().await?;
    let invitation = catalog.invitation_by_token(Token::shown(token).sha256()).await?;
    // Whoever found somebody else's token has found nothing.
    if invitation.email != person.email {
        return Err(ApiError::not_found());
    }
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let place = catalog.invitation_accept(&invitation, person.id, s.ids.next(), &act).await?;
    Ok(Json(JoinedView::new(invitation, place)))
}
