//! Every route of every function against every kind of caller, on Postgres (TEN-05, AUT-20, KEY-04): made of the table that the gate reads.

mod callers;
mod things;
mod world;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{Holder, TeamId};
use heddle_http::{
    BASE, Needs, ROUTES, Route,
    testing::{Answer, call, request},
};
use serde_json::Value;
use uuid::Uuid;

use super::api;
use callers::{Caller, callers};
use things::things_of;
use world::{Credential, World};

/// A path with `team` and, for all else that it names, what does not exist.
fn path_of(route: &Route, team: TeamId, named: impl Fn(&str) -> String) -> String {
    let parts =
        route.path.split('/').map(|part| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some("team_id") => team.to_string(),
            Some(name) => named(name),
            None => part.to_owned(),
        });
    parts.collect::<Vec<_>>().join("/")
}

fn nothing(name: &str) -> String {
    match name {
        "number" => "7".to_owned(),
        "name" => "NO_SUCH_NAME".to_owned(),
        "node" => "nowhere".to_owned(),
        "provider" => "nobody".to_owned(),
        "token" => "no-such-token".to_owned(),
        _ => Uuid::now_v7().to_string(),
    }
}

/// What the table says of this caller: a status, or None for any that is neither a refusal of the caller nor our fault.
fn declared(route: &Route, caller: &Caller) -> Option<u16> {
    let names_team = route.path.contains("{team_id}");
    match (route.needs, caller.holder) {
        (Needs::Nobody, _) | (Needs::Oneself, Some(Holder::Member(_))) => None,
        (_, None) | (Needs::Oneself, Some(Holder::Service)) => Some(401),
        (Needs::Team(_), Some(_)) if names_team && !caller.is_of_team => Some(404),
        (Needs::Team(permission), Some(holder)) if permission.is_held_by(holder) => None,
        (Needs::Team(_), Some(_)) => Some(403),
    }
}

#[tokio::test]
async fn every_route_answers_every_caller_as_it_is_declared() {
    let world = World::new().await;
    let (ours, theirs) = (world.team("ours").await, world.team("theirs").await);
    let callers = callers(&world, &ours, &theirs).await;
    let deletes_team = |route: &&Route| route.needs == Needs::Team(domain::Permission::TeamDelete);
    let (last, others): (Vec<_>, Vec<_>) = ROUTES.iter().partition(deletes_team);
    let mut wrong = Vec::new();
    for route in others.into_iter().chain(last) {
        let path = path_of(route, ours.id, nothing);
        for caller in &callers {
            let code = world.send(route, &path, &caller.credential).await.code();
            let is_right = match declared(route, caller) {
                Some(expected) => code == expected,
                None if route.needs == Needs::Nobody => code < 500 && code != 403,
                None => code < 500 && ![401, 403, 405].contains(&code),
            };
            if !is_right {
                wrong.push(format!("{} {}: {} got {code}", route.method, route.path, caller.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_is_declared_is_mounted_and_what_is_mounted_is_declared() {
    let world = World::new().await;
    let mut mounted = BTreeSet::new();
    for (_, prefixes) in api::PREFIXES {
        let area = prefixes[0].rsplit('/').next().unwrap();
        let document = call(&world.router, request("GET", &format!("{BASE}/{area}/openapi.json"), "")).await;
        assert_eq!(document.code(), 200, "{area}");
        for (path, item) in document.body["paths"].as_object().unwrap() {
            let path = path.strip_prefix(BASE).unwrap_or(path);
            if !path.contains("/health") {
                mounted.extend(
                    item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.to_owned())),
                );
            }
        }
    }
    let declared: Vec<_> =
        ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(declared.len(), declared.iter().collect::<BTreeSet<_>>().len(), "a route twice");
    assert_eq!(declared.into_iter().collect::<BTreeSet<_>>(), mounted);
}

/// A problem without what differs from request to request.
fn told(answer: &Answer) -> (u16, Value) {
    let mut body = answer.body.clone();
    body.as_object_mut().map(|problem| problem.remove("instance"));
    (answer.code(), body)
}

#[tokio::test]
async fn what_another_team_has_is_told_from_nothing_by_nobody() {
    let world = World::new().await;
    let (ours, theirs) = (world.team("ours").await, world.team("theirs").await);
    let token = Credential::Token(world.token(ours.members["owner"], TimeDelta::zero()).await);
    let things = things_of(&world, &theirs).await;
    let names_something = |route: &&Route| matches!(route.needs, Needs::Team(_)) && route.path.contains('{');
    for route in ROUTES.iter().filter(names_something) {
        // To put what is not there makes it: one's own, whatever others have by the same name.
        if route.method == "PUT" && route.path == "/secrets/{name}" {
            continue;
        }
        let names_team = route.path.contains("{team_id}");
        let theirs_path = path_of(route, theirs.id, |name| {
            things.get(name).unwrap_or_else(|| panic!("make an example of {name} for {}", route.path)).clone()
        });
        let nowhere = path_of(route, TeamId::new(Uuid::now_v7()), nothing);
        let (foreign, missing) =
            (world.send(route, &theirs_path, &token).await, world.send(route, &nowhere, &token).await);
        assert_eq!(told(&foreign), told(&missing), "{} {}", route.method, route.path);
        // What the body lacks may be told first, as long as it is told of both.
        assert!(
            [404, 422].contains(&foreign.code()) && (!names_team || foreign.code() == 404),
            "{foreign:?}"
        );
    }
    // The other team has it all still.
    let owner = Credential::Token(world.token(theirs.members["owner"], TimeDelta::zero()).await);
    for path in [
        format!("/workflows/{}", things["workflow_id"]),
        format!("/runs/{}", things["run_id"]),
        format!("/experts/{}", things["expert_id"]),
    ] {
        let route = Route::new("GET", "", Needs::Nobody);
        assert_eq!(world.send(&route, &path, &owner).await.code(), 200, "{path}");
    }
}
