//! One router of the routers of all functions.

use axum::{Router, extract::Request, response::Response};
use tower::ServiceExt as _;

/// A function's router with the paths that its routes live under, as in `template.yaml`.
pub(crate) struct Area {
    /// `/api/v1/<area>` and the like: the function answers these paths and those below them.
    pub(crate) prefixes: &'static [&'static str],
    /// The function.
    pub(crate) router: Router,
}

impl Area {
    fn owns(&self, path: &str) -> bool {
        let is_below = |prefix: &&str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.prefixes.iter().any(is_below)
    }
}

/// Hands each request to the area that owns its path. What no area owns goes to the first one: the routes that are not of an area,
/// such as `/health`, are the same in all, and all refuse alike what they don't know.
///
/// Nothing of the path is captured on the way: each router reads it as if it stood alone.
pub(crate) fn mount(areas: Vec<Area>) -> Router {
    let areas: std::sync::Arc<[Area]> = areas.into();
    Router::new().fallback(move |request: Request| {
        let path = request.uri().path();
        let owner = areas.iter().find(|area| area.owns(path)).or(areas.first());
        let router = owner.map(|area| area.router.clone()).unwrap_or_default();
        async move {
            let answered: Result<Response, std::convert::Infallible> = router.oneshot(request).await;
            answered
        }
    })
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        extract::Path,
        routing::get,
    };

    use super::*;

    fn areas() -> Router {
        let runs = Router::new()
            .route("/api/v1/runs", get(async || "runs"))
            .route("/api/v1/runs/{id}", get(async |Path(id): Path<String>| format!("run {id}")))
            .route("/health", get(async || "healthy"))
            .fallback(async || "nothing of runs");
        let workflows = Router::new().fallback(async || "nothing of workflows");
        mount(vec![
            Area { prefixes: &["/api/v1/runs", "/api/v1/dead-letters"], router: runs },
            Area { prefixes: &["/api/v1/workflows"], router: workflows },
        ])
    }

    async fn answer(path: &str) -> String {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = areas().oneshot(request).await.unwrap();
        String::from_utf8(to_bytes(response.into_body(), 1000).await.unwrap().into()).unwrap()
    }

    #[tokio::test]
    async fn each_path_reaches_its_area_and_is_read_there_as_if_it_stood_alone() {
        for (path, expected) in [
            ("/api/v1/runs", "runs"),
            ("/api/v1/runs?limit=3", "runs"),
            ("/api/v1/runs/7", "run 7"),
            ("/api/v1/dead-letters/redrive", "nothing of runs"),
            ("/api/v1/workflows", "nothing of workflows"),
            ("/api/v1/workflows/a/b", "nothing of workflows"),
            ("/api/v1/workflowsx", "nothing of runs"),
            ("/health", "healthy"),
            ("/", "nothing of runs"),
        ] {
            assert_eq!(answer(path).await, expected, "{path}");
        }
    }

    #[test]
    fn the_areas_are_those_of_the_template() {
        let template = include_str!("../../../../template.yaml");
        let routes = template.split("RouteKey: ").skip(1).map(|rest| {
            let (key, rest) = rest.split_once(", Target:").unwrap();
            let function = rest.split_once("${").unwrap().1.split_once("Integration}").unwrap().0;
            (key.trim_matches('"').rsplit(' ').next().unwrap(), function)
        });
        let routes: Vec<_> = routes.collect();
        assert!(routes.len() >= 6, "{routes:?}");
        for (path, function) in routes {
            let path = path.replace("{proxy+}", "x");
            let owners = super::super::api::PREFIXES
                .iter()
                .filter(|(_, prefixes)| Area { prefixes, router: Router::new() }.owns(&path));
            let owners: Vec<_> = owners.map(|(owner, _)| *owner).collect();
            // What no area owns is answered by the first.
            let owner = owners.first().copied().unwrap_or(super::super::api::PREFIXES[0].0);
            assert_eq!(owner, function, "{path}");
        }
    }
}
