//! Which providers a deployment has.

use std::error::Error;

use app::{SecretText, ports::StoreError};
use serde::Deserialize;

/// The most providers of a deployment.
const MOST: usize = 32;

/// Providers in the order in which they are asked whether they offer a model.
#[derive(Debug)]
pub(super) struct Providers(Vec<Provider>);

/// One of them. Prints no key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    /// For people.
    pub(super) name: String,
    /// Such as `https://api.openai.com/v1`.
    base_url: String,
    /// None for one that asks for none.
    pub(super) api_key: Option<String>,
    /// Names of models, each of which may end with `*`; all where absent.
    models: Option<Vec<String>>,
}

impl Providers {
    /// The first that offers the model.
    pub(super) fn of(&self, model: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.offers(model))
    }
}

impl Provider {
    fn offers(&self, model: &str) -> bool {
        let Some(models) = &self.models else { return true };
        models.iter().any(|name| match name.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning),
            None => model == name,
        })
    }

    /// Where it completes chats.
    pub(super) fn completions(&self) -> String {
        format!("{}/chat/completions", self.base_url.trim_end_matches('/'))
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.base_url)
    }
}

impl SecretText for Providers {
    const NAME: &'static str = "model-providers";
    const WHAT: &'static str = "the providers of models";

    fn parse(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        // Where it breaks is told, what stands there is not: it may be a key.
        let broken = |error: serde_json::Error| {
            format!("no list of providers: line {}, column {}", error.line(), error.column())
        };
        let providers: Vec<Provider> = serde_json::from_str(text).map_err(broken)?;
        if providers.len() > MOST {
            return Err(format!("there are more than {MOST}").into());
        }
        Ok(Self(providers))
    }

    /// A deployment without providers offers no model.
    fn absent() -> Result<Self, StoreError> {
        Ok(Self(Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_offers_a_model_is_asked() {
        let text = r#"[
            {"name": "a", "base_url": "https://a.example/v1/", "api_key": "k", "models": ["gpt-*", "o3"]},
            {"name": "b", "base_url": "https://b.example/v1", "models": ["o3-mini"]},
            {"name": "c", "base_url": "https://c.example"}
        ]"#;
        let providers = <Providers as SecretText>::parse(text).unwrap();
        let names =
            ["gpt-5", "o3", "o3-mini", "claude"].map(|model| providers.of(model).unwrap().name.as_str());
        assert_eq!(names, ["a", "a", "b", "c"]);
        assert_eq!(providers.of("o3").unwrap().completions(), "https://a.example/v1/chat/completions");
        assert!(Providers::absent().unwrap().of("o3").is_none());
    }

    #[test]
    fn a_mistake_in_the_list_is_told_without_its_keys() {
        let wrong = r#"[{"name": "a", "base_url": "https://a.example", "api_keys": "sk-secret"}]"#;
        let told = <Providers as SecretText>::parse(wrong).unwrap_err().to_string();
        assert!(told.contains("line 1") && !told.contains("sk-secret"), "{told}");
    }
}
