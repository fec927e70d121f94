//! What the OpenAPI documents of all areas share: the security schemes, the refusals, and what routes take of their callers.

use std::collections::{BTreeMap, btree_map::Entry};

use domain::{FieldError, Holder};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{
    IntoResponses, PartialSchema as _, ToSchema,
    openapi::{
        Components, Info, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
        content::ContentBuilder,
        extensions::Extensions,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        response::ResponseBuilder,
        schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use crate::{ApiError, ApiResult, BASE, Code, Gate, Needs, PROBLEM_JSON, examples};

/// The name of the security scheme for services.
pub const API_KEY: &str = "api_key";

/// The name of the security scheme for members.
pub const BEARER: &str = "bearer";

/// The name of the security scheme for members in a browser.
pub const COOKIE: &str = "cookie";

/// A refusal (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct ProblemSchema {
    /// A page that explains this kind: `/problems/<code>`.
    #[serde(rename = "type")]
    #[schema(example = "/problems/validation")]
    kind: String,
    /// The kind in words, the same for every instance.
    #[schema(example = "The input breaks rules")]
    title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// What happened this time.
    #[schema(example = "1 mistake was found.")]
    detail: String,
    /// The request's id.
    #[schema(example = "01a20155-2112-714f-9307-c241d182a1ef")]
    instance: Option<String>,
    /// Every mistake in the input.
    #[schema(value_type = Vec<MistakeSchema>, required = false)]
    errors: Vec<FieldError>,
}

/// One mistake in the input.
#[derive(Serialize, ToSchema)]
#[schema(as = FieldError)]
struct MistakeSchema {
    /// JSON Pointer (RFC 6901) into the body; `/query/<name>` for a parameter.
    #[schema(example = "/nodes/3/metadata/url")]
    pointer: String,
    /// A stable word for programs.
    #[schema(example = "unknown_field")]
    code: String,
    /// A sentence for people.
    #[schema(example = "There is no field total here.")]
    detail: String,
    /// The node, where the mistake is in one.
    node: Option<String>,
    /// Character offset inside the field, where it is an expression.
    offset: Option<u64>,
}

/// A document without routes.
pub(crate) fn empty(area: &str, description: &str) -> OpenApi {
    let mut info = Info::new(format!("Heddle: {area}"), env!("CARGO_PKG_VERSION").to_owned());
    info.description = Some(description.to_owned());
    let key = ApiKeyValue::with_description("X-API-Key", "The key of a service; it decides the team.");
    let mut components = Components::new();
    components.add_security_scheme(API_KEY, SecurityScheme::ApiKey(ApiKey::Header(key)));
    let cookie = ApiKeyValue::with_description(
        "__Host-heddle_access",
        "Set by signing in; what changes anything repeats the cookie __Host-heddle_csrf in X-CSRF-Token.",
    );
    components.add_security_scheme(COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    components.add_security_scheme(BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.schemas.insert("Problem".to_owned(), ProblemSchema::schema());
    components.schemas.insert("FieldError".to_owned(), MistakeSchema::schema());
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

/// Completes a document by what is declared of its routes: who may call them, and how they refuse who may not.
pub(crate) fn declare(document: &mut OpenApi, gate: &Gate) {
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("GET", &mut item.get),
            ("PUT", &mut item.put),
            ("POST", &mut item.post),
            ("DELETE", &mut item.delete),
            ("PATCH", &mut item.patch),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            let declared = gate.declared(method, path);
            // Health is of no area, and asks nobody who they are.
            describe_ids(operation);
            describe_answers(operation);
            operation.operation_id = operation.operation_id.take().map(|id| unique(id, path));
            let needs = declared.map_or(Needs::Nobody, |route| route.needs);
            declare_caller(operation, needs);
            if matches!(needs, Needs::Team(_)) && !path.contains("{team_id}") {
                declare_team(operation);
            }
            if declared.is_some_and(|route| route.is_done_once) {
                declare_key(operation);
            }
        }
    }
}

/// A document as it is served: with an example of every body.
pub(crate) fn written(document: &OpenApi) -> ApiResult<Value> {
    let mut document = serde_json::to_value(document).map_err(ApiError::internal)?;
    examples::complete(&mut document);
    Ok(document)
}

/// Health is documented beside every area and below it.
fn unique(id: String, path: &str) -> String {
    let below = path.strip_prefix(BASE).and_then(|path| path.split_once("/health"));
    below.map_or(id.clone(), |(area, _)| format!("{}_{id}", area.trim_start_matches('/')))
}

/// The standard wants words for each answer: where nothing more is to be said, those of its status.
fn describe_answers(operation: &mut Operation) {
    for (status, answer) in &mut operation.responses.responses {
        if let RefOr::T(answer) = answer
            && answer.description.is_empty()
        {
            let reason = status.parse().ok().and_then(|status: StatusCode| status.canonical_reason());
            answer.description = reason.map_or_else(String::new, |reason| format!("{reason}."));
        }
    }
}

/// Says of parameters of the path what their names say already: `workflow_id` is the workflow's id.
fn describe_ids(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(Parameter {
            name, parameter_in: ParameterIn::Path, description: words @ None, ..
        }) = parameter
            && let Some(thing) = name.strip_suffix("_id")
        {
            *words = Some(format!("The {}'s id.", thing.replace('_', " ")));
        }
    }
}

fn declare_caller(operation: &mut Operation, needs: Needs) {
    let by = |scheme: &str| SecurityRequirement::new::<_, [&str; 0], &str>(scheme, []);
    let (schemes, permission, refusals): (_, _, &[Code]) = match needs {
        Needs::Nobody => (vec![SecurityRequirement::default()], None, &[]),
        Needs::Oneself => {
            (vec![by(BEARER), by(COOKIE)], None, &[Code::Unauthorized, Code::Forbidden, Code::RateLimited])
        }
        Needs::Team(permission) => {
            let members = [by(BEARER), by(COOKIE)];
            let services = permission.is_held_by(Holder::Service).then(|| by(API_KEY));
            let refusals = &[
                Code::InvalidHeader,
                Code::Unauthorized,
                Code::Forbidden,
                Code::NotFound,
                Code::RateLimited,
            ];
            (members.into_iter().chain(services).collect(), Some(permission), refusals)
        }
    };
    operation.security = Some(schemes);
    if let Some(permission) = permission {
        let extension = Extensions::builder().add("x-permission", permission.as_str()).build();
        operation.extensions.get_or_insert_default().merge(extension);
    }
    add_refusals(operation, refusals);
}

fn declare_team(operation: &mut Operation) {
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    let team = ParameterBuilder::new()
        .name("X-Team-Id")
        .parameter_in(ParameterIn::Header)
        .description(Some("The team that a member of several acts for; a service's key decides it."))
        .schema(Some(id))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(team));
}

fn declare_key(operation: &mut Operation) {
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some("1 to 255 visible ASCII characters; the answer is remembered for 24 hours."))
        .schema(Some(String::schema()))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(key));
    add_refusals(operation, &[Code::InvalidHeader, Code::RequestUnderWay, Code::IdempotencyKeyReused]);
}

fn add_refusals(operation: &mut Operation, codes: &[Code]) {
    for code in codes {
        let status = code.status().as_u16().to_string();
        match operation.responses.responses.entry(status) {
            Entry::Vacant(place) => {
                place.insert(RefOr::T(refusal(&[*code])));
            }
            Entry::Occupied(mut place) => {
                if let RefOr::T(known) = place.get_mut()
                    && !known.description.contains(&in_words(*code))
                {
                    known.description = format!("{} {}", known.description, in_words(*code));
                }
            }
        }
    }
}

fn in_words(code: Code) -> String {
    format!("`{}`: {}.", code.as_str(), code.title())
}

/// Describes the refusals of `codes`: those of one status share a response.
fn refusals(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    by_status.into_iter().map(|(status, codes)| (status.to_string(), RefOr::T(refusal(&codes)))).collect()
}

fn refusal(codes: &[Code]) -> Response {
    let words: Vec<String> = codes.iter().copied().map(in_words).collect();
    let schema: RefOr<Schema> = RefOr::Ref(Ref::from_schema_name("Problem"));
    let example = codes.first().map(|code| {
        let (kind, title, status) =
            (format!("/problems/{}", code.as_str()), code.title(), code.status().as_u16());
        let (detail, instance) =
            ("A sentence on what happened this time.", "01a20155-2112-714f-9307-c241d182a1ef");
        json!({"type": kind, "title": title, "status": status, "detail": detail, "instance": instance})
    });
    let content = ContentBuilder::new().schema(Some(schema)).example(example).build();
    ResponseBuilder::new().description(words.join(" ")).content(PROBLEM_JSON, content).build()
}

macro_rules! refusal_sets {
    ($($(#[$doc:meta])* $name:ident = [$($code:ident),+ $(,)?]),+ $(,)?) => {$(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                refusals(&[$(Code::$code),+])
            }
        }
    )+};
}

refusal_sets!(
    /// Of a route that reads one entity.
    Reading = [NotFound, Internal, Unavailable],
    /// Of a route that follows one entity.
    Following = [InvalidHeader, NotFound, Internal, Unavailable],
    /// Of a route that lists.
    Listing = [Validation, Internal, Unavailable],
    /// Of a route that lists what belongs to one entity.
    ListingBelow = [NotFound, Validation, Internal, Unavailable],
    /// Of a route that takes a body and creates.
    Creating = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Conflict, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of a route that takes a body and changes an entity.
    Changing = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, InvalidHeader, NotFound, Conflict, Stale,
        BodyTooLarge, UnsupportedMediaType, Validation, Internal, Unavailable,
    ],
    /// Of a route that moves an entity to another status.
    Moving = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, InvalidHeader, NotFound, Conflict, NotPublished, Stale,
        BodyTooLarge, UnsupportedMediaType, Validation, Internal, Unavailable,
    ],
    /// Of a route that takes a part out of an entity.
    Removing = [InvalidHeader, NotFound, Conflict, Stale, Internal, Unavailable],
    /// Of a route that deletes an entity with a revision which others may need.
    Discarding = [InvalidHeader, NotFound, Conflict, InUse, Stale, Internal, Unavailable],
    /// Of a route that takes no body and changes an entity.
    Restoring = [InvalidHeader, NotFound, Conflict, Stale, Internal, Unavailable],
    /// Of a route that takes a body and replaces what an entity holds.
    Rotating = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, NotFound, Conflict, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of a route that deletes an entity which others may need.
    Deleting = [NotFound, InUse, Internal, Unavailable],
    /// Of a route that takes a body about an entity and stores nothing.
    Judging = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, NotFound, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of a route that takes a body and does something to what is there.
    Commanding = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, BodyTooLarge, UnsupportedMediaType, Validation,
        Internal, Unavailable,
    ],
    /// Of a route that takes a body and changes an entity which has no revision.
    Amending = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, NotFound, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of a route that takes a body and gives a name to something.
    Naming = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, NotFound, Taken, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of a route that changes somebody's place in a team.
    Regrading = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Forbidden, NotFound, LastOwner, BodyTooLarge,
        UnsupportedMediaType, Validation, Internal, Unavailable,
    ],
    /// Of a route that takes somebody out of a team.
    Leaving = [Forbidden, NotFound, LastOwner, Internal, Unavailable],
    /// Of a route that asks a model.
    Asking = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, NotFound, ModelNotOffered, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, ModelRefused, Unavailable,
    ],
    /// Of the route that starts runs.
    Starting = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, InvalidHeader, Forbidden, NotFound, NotPublished,
        WorkflowArchived, BodyTooLarge, UnsupportedMediaType, Validation, IdempotencyKeyReused, Internal, Unavailable,
    ],
    /// Of the route that decides about an approval.
    Deciding = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Forbidden, NotFound, Conflict, NotAwaited, BodyTooLarge,
        UnsupportedMediaType, Validation, Internal, Unavailable,
    ],
    /// Of the route that retries a run.
    Retrying = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, NotFound, RunNotEnded, NothingFailed, NotPublished,
        WorkflowArchived, BodyTooLarge, UnsupportedMediaType, Validation, Internal, Unavailable,
    ],
    /// Of the route that replays a run.
    Replaying = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, NotFound, RunNotEnded, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of the route that cancels a run.
    Cancelling = [NotFound, Conflict, RunEnded, Internal, Unavailable],
    /// Of a public document.
    Publishing = [Internal, Unavailable],
    /// Of the route that sends codes.
    RequestingCode = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, BodyTooLarge, UnsupportedMediaType, Validation, RateLimited, Internal,
        Unavailable,
    ],
    /// Of a route that signs in.
    SigningIn = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Unauthorized, BodyTooLarge, UnsupportedMediaType, Validation,
        RateLimited, Internal, Unavailable,
    ],
    /// Of the route that renews tokens. Forbidden is a page without its CSRF token.
    Refreshing = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Unauthorized, Forbidden, BodyTooLarge, UnsupportedMediaType, Validation,
        Internal, Unavailable,
    ],
    /// Of the route that sends a browser to an issuer.
    Departing = [NotFound, Validation, RateLimited, Internal, Unavailable],
    /// Of the route that a browser comes back to from an issuer.
    Arriving = [Unauthorized, NotFound, Validation, RateLimited, Internal, Unavailable],
    /// Of a route that tells a member of themselves.
    ReadingOneself = [Internal, Unavailable],
    /// Of a route by which members change what is theirs. Forbidden is a page without its CSRF token.
    ActingOnOneself = [Forbidden, NotFound, Internal, Unavailable],
    /// Of such a route that takes a body.
    ChangingOneself = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Forbidden, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of readiness.
    Unready = [Unavailable],
);
