//! What the OpenAPI documents of all areas share: the security scheme and the refusals.

use std::collections::BTreeMap;

use domain::FieldError;
use serde::Serialize;
use utoipa::{
    IntoResponses, PartialSchema as _, ToSchema,
    openapi::{
        Components, Info, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
        content::ContentBuilder,
        response::ResponseBuilder,
        schema::Schema,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use crate::{Code, PROBLEM_JSON};

/// The name of the security scheme for services.
pub const API_KEY: &str = "api_key";

/// The name of the security scheme for members.
pub const BEARER: &str = "bearer";

/// A refusal (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct ProblemSchema {
    /// A page that explains this kind: `/problems/<code>`.
    #[serde(rename = "type")]
    #[schema(example = "/problems/validation")]
    kind: String,
    /// The kind in words, the same for every instance.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened this time.
    detail: String,
    /// The request's id.
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
    code: String,
    /// A sentence for people.
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
    components.add_security_scheme(BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.schemas.insert("Problem".to_owned(), ProblemSchema::schema());
    components.schemas.insert("FieldError".to_owned(), MistakeSchema::schema());
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(API_KEY, [])]))
        .build()
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
    let words: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), code.title())).collect();
    let schema: RefOr<Schema> = RefOr::Ref(Ref::from_schema_name("Problem"));
    let content = ContentBuilder::new().schema(Some(schema)).build();
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
    Reading = [Unauthorized, NotFound, Internal, Unavailable],
    /// Of a route that follows one entity.
    Following = [InvalidHeader, Unauthorized, NotFound, Internal, Unavailable],
    /// Of a route that lists.
    Listing = [Unauthorized, Validation, Internal, Unavailable],
    /// Of a route that lists what belongs to one entity.
    ListingBelow = [Unauthorized, NotFound, Validation, Internal, Unavailable],
    /// Of a route that takes a body and creates.
    Creating = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Unauthorized, Conflict, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of a route that takes a body and changes an entity.
    Changing = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, InvalidHeader, Unauthorized, NotFound, Conflict, Stale,
        BodyTooLarge, UnsupportedMediaType, Validation, Internal, Unavailable,
    ],
    /// Of a route that takes a body and replaces what an entity holds.
    Rotating = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Unauthorized, NotFound, Conflict, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of a route that deletes an entity which others may need.
    Deleting = [Unauthorized, NotFound, InUse, Internal, Unavailable],
    /// Of a route that takes a body about an entity and stores nothing.
    Judging = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Unauthorized, NotFound, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of a route that takes a body and does something to what is there.
    Commanding = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Unauthorized, BodyTooLarge, UnsupportedMediaType, Validation,
        Internal, Unavailable,
    ],
    /// Of the route that starts runs.
    Starting = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, InvalidHeader, Unauthorized, Forbidden, NotFound, NotPublished,
        WorkflowArchived, BodyTooLarge, UnsupportedMediaType, Validation, IdempotencyKeyReused, Internal, Unavailable,
    ],
    /// Of the route that decides about an approval.
    Deciding = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Unauthorized, Forbidden, NotFound, Conflict, NotAwaited, BodyTooLarge,
        UnsupportedMediaType, Validation, Internal, Unavailable,
    ],
    /// Of the route that retries a run.
    Retrying = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Unauthorized, NotFound, RunNotEnded, NothingFailed, NotPublished,
        WorkflowArchived, BodyTooLarge, UnsupportedMediaType, Validation, Internal, Unavailable,
    ],
    /// Of the route that replays a run.
    Replaying = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Unauthorized, NotFound, RunNotEnded, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of the route that cancels a run.
    Cancelling = [Unauthorized, NotFound, Conflict, RunEnded, Internal, Unavailable],
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
    /// Of a route that tells a member of themselves.
    ReadingOneself = [Unauthorized, Internal, Unavailable],
    /// Of a route by which members change what is theirs. Forbidden is a page without its CSRF token.
    ActingOnOneself = [Unauthorized, Forbidden, NotFound, Internal, Unavailable],
    /// Of such a route that takes a body.
    ChangingOneself = [
        InvalidJson, InvalidUtf8, JsonTooDeep, UnreadableBody, Unauthorized, Forbidden, BodyTooLarge, UnsupportedMediaType,
        Validation, Internal, Unavailable,
    ],
    /// Of readiness.
    Unready = [Unavailable],
);
