//! Path and query, with problems instead of plain text.

use axum::extract::{FromRequestParts, RawPathParams};
use domain::FieldError;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::ApiError;

/// The parameters of the path. One that does not fit `T` names nothing that exists: 404.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // Read raw first: a percent-escape that is not UTF-8 is a 404 as well.
        RawPathParams::from_request_parts(parts, state).await.map_err(|_| ApiError::not_found())?;
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value)).map_err(|_| ApiError::not_found())
    }
}

/// The query string. One that does not fit `T` is a 422 that names the parameter as `/query/<name>`.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let text = parts.uri.query().unwrap_or_default();
        if text.contains("%00") {
            return Err(ApiError::validation(vec![mistake("/query", "The character NUL is not taken.")]));
        }
        let query = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
        serde_path_to_error::deserialize(query).map(Self).map_err(|error| {
            let what = error.inner().to_string();
            // "unknown field `x`" names the parameter itself; other sentences leave it to the path.
            let name = what.split('`').nth(1).filter(|_| what.contains(" field ")).map(str::to_owned);
            let name = name.unwrap_or_else(|| error.path().to_string());
            ApiError::validation(vec![mistake(&format!("/query/{name}"), &format!("{what}."))])
        })
    }
}

fn mistake(pointer: &str, detail: &str) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        code: "invalid_parameter".to_owned(),
        detail: detail.to_owned(),
        node: None,
        offset: None,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::Limit;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Search {
        #[serde(default)]
        limit: Limit,
        search: Option<String>,
    }

    async fn read(query: &str) -> Result<Query<Search>, ApiError> {
        let (mut parts, ()) = http::Request::get(format!("/x?{query}")).body(()).unwrap().into_parts();
        Query::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_query_is_read_with_defaults() {
        let Query(search) = read("search=a%20b").await.unwrap();
        assert_eq!((search.limit.get(), search.search.as_deref()), (20, Some("a b")));
        assert_eq!(read("limit=100").await.unwrap().0.limit.get(), 100);
    }

    #[tokio::test]
    async fn a_bad_parameter_is_named() {
        for (query, pointer) in [
            ("limit=x", "/query/limit"),
            ("limit=101", "/query/limit"),
            ("limit=0", "/query/limit"),
            ("limit=-1", "/query/limit"),
            ("page=1", "/query/page"),
            ("search=%00", "/query"),
            ("search=a&search=b", "/query/search"),
        ] {
            let error = read(query).await.unwrap_err();
            assert_eq!(error.errors()[0].pointer, pointer, "{query}");
        }
    }
}
