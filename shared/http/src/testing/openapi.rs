//! What must hold for the OpenAPI document of every area.

use std::collections::BTreeSet;

use axum::Router;
use serde_json::Value;

use super::{call, request};
use crate::BASE;

/// Checks an area's document (API-01, API-02, API-03, API-06, API-07): OpenAPI 3.1 with everything its references name; every
/// documented route is mounted and every mounted one documented; every operation that does not say that it is public asks for a credential and documents its 401;
/// every operation documents its refusals as problems, says what its parameters mean, and shows an example of each body that its own
/// schema takes.
pub async fn check_openapi(router: &Router, area: &str) {
    let answer = call(router, request("GET", &format!("{BASE}/{area}/openapi.json"), "")).await;
    assert_eq!(answer.code(), 200);
    let document = answer.body;
    assert!(
        document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")),
        "{}",
        document["openapi"]
    );
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    check_references(&document, &document);
    check_field_names(&document["components"]["schemas"]);
    let paths = document["paths"].as_object().expect("paths");
    let mounted = mounted(router);
    let mut operation_ids = BTreeSet::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("a path item") {
            let name = format!("{method} {path}");
            let unrouted = call(router, request(&method.to_uppercase(), path, "")).await;
            let is_mounted = mounted.contains(path) && unrouted.code() != 405;
            assert!(is_mounted, "{name} is documented but not mounted");
            check_operation(&name, path, operation);
            check_words(&name, operation);
            check_examples(&document, &name, operation);
            let id = operation["operationId"].as_str().expect("an operation id");
            assert!(operation_ids.insert(id.to_owned()), "{id} twice");
            if !path.contains("/health") {
                assert_ne!(unrouted.code(), 500, "{name} is not declared in ROUTES");
                if !is_public(operation) {
                    assert_eq!(unrouted.problem_code(), "unauthorized", "{name} without a credential");
                }
            }
        }
    }
    let documented: BTreeSet<String> = paths.keys().cloned().collect();
    let undocumented: Vec<String> = mounted.into_iter().filter(|path| !documented.contains(path)).collect();
    assert_eq!(undocumented, [format!("{BASE}/{area}/openapi.json")], "mounted but not documented");
}

fn check_operation(name: &str, path: &str, operation: &Value) {
    assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name} has no summary");
    let responses = operation["responses"].as_object().expect("responses");
    let is_success = |status: &str| status.starts_with(['2', '3']);
    assert!(responses.keys().any(|status| is_success(status)), "{name} never succeeds");
    if name.starts_with("delete ") {
        assert!(
            responses.contains_key("204") || responses.contains_key("200"),
            "{name} answers neither 204 nor what is left"
        );
    }
    for (status, response) in responses {
        assert!(
            response["description"].as_str().is_some_and(|text| !text.is_empty()),
            "{name} has no words for its {status}"
        );
    }
    for (status, response) in responses.iter().filter(|(status, _)| !is_success(status)) {
        let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(schema, "#/components/schemas/Problem", "{name} {status}");
    }
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let in_path: BTreeSet<&str> =
        parameters.iter().filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str()).collect();
    let expected: BTreeSet<&str> =
        path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    assert_eq!(in_path, expected, "path parameters of {name}");
    if path.contains("/health") {
        return;
    }
    for status in ["401", "500", "503"] {
        let is_given = responses.contains_key(status) || status == "401" && is_public(operation);
        assert!(is_given, "{name} does not document its {status}");
    }
    if !in_path.is_empty() {
        assert!(responses.contains_key("404"), "{name} does not document its 404");
    }
    if operation.get("requestBody").is_some() {
        for status in ["400", "413", "415", "422"] {
            assert!(responses.contains_key(status), "{name} does not document its {status}");
        }
    }
}

/// A tag to find it by, and what each parameter means.
fn check_words(name: &str, operation: &Value) {
    assert!(operation["tags"][0].as_str().is_some_and(|tag| !tag.is_empty()), "{name} has no tag");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let words = parameter["description"].as_str().unwrap_or_default();
        assert!(!words.is_empty(), "{name} does not say what {} means", parameter["name"]);
    }
}

/// An example of the request, and of every answer but refusals, which their own schemas take.
fn check_examples(document: &Value, name: &str, operation: &Value) {
    let request = operation.get("requestBody").map(|body| ("request".to_owned(), body));
    let answers = operation["responses"].as_object().into_iter().flatten();
    let answers = answers
        .filter(|(status, _)| status.starts_with('2'))
        .map(|(status, answer)| (status.clone(), answer));
    for (which, body) in request.into_iter().chain(answers) {
        for (media_type, media) in body["content"].as_object().into_iter().flatten() {
            let example = media.get("example");
            let example = example.unwrap_or_else(|| panic!("{name}: {which} has no example of {media_type}"));
            let mut schema = media["schema"].clone();
            schema["components"] = document["components"].clone();
            let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
            let wrong: Vec<String> = validator
                .iter_errors(example)
                .map(|error| format!("{} {error}", error.instance_path()))
                .collect();
            assert!(wrong.is_empty(), "{name}: {which}: {wrong:#?} in {example:#}");
        }
    }
}

/// Whether the operation says of itself that it wants no credential.
fn is_public(operation: &Value) -> bool {
    operation["security"] == serde_json::json!([{}])
}

/// Fields are `snake_case` (API-02).
fn check_field_names(schemas: &Value) {
    let is_snake_case =
        |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    for (schema, definition) in schemas.as_object().into_iter().flatten() {
        for (field, _) in definition["properties"].as_object().into_iter().flatten() {
            assert!(is_snake_case(field), "{schema} has a field {field}");
        }
    }
}

fn check_references(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').expect("a reference into the document");
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
            }
            members.values().for_each(|member| check_references(document, member));
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(document, item)),
        _ => {}
    }
}

/// The paths of a router, without `/`, which is the fallback's. axum shows them only in its debug text.
fn mounted(router: &Router) -> BTreeSet<String> {
    let text = format!("{router:?}");
    let paths = text
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.len() > 1 && text.starts_with('/') && !text.contains("__private"));
    let paths: BTreeSet<String> = paths.map(str::to_owned).collect();
    assert!(paths.contains("/health"), "the debug text of routers has changed: {text}");
    paths
}
