//! Credentials in calls: put in at the last moment, and kept out of everything that comes back (SCR-02, SCR-05).

mod redact;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use app::ports::{SecretValue, StoreError, TeamSecrets};
use domain::{ErrorClass, Failure};
use engine::{
    Call,
    expr::{Part, WithSecrets},
};
use serde_json::Value;

pub(crate) use redact::Redactor;

type Opened<'a> = BTreeMap<&'a str, Arc<SecretValue>>;

/// The call with its secrets put in, and what keeps them out of its outcome. Costs a look at the store for each secret that the call names.
pub(crate) async fn put_in(call: &Call, secrets: &dyn TeamSecrets) -> Result<(Call, Redactor), Failure> {
    let mut opened = Opened::new();
    for name in call.secrets.iter().flat_map(names) {
        if !opened.contains_key(name) {
            let value = secrets.open(call.team_id, name).await.map_err(|error| not_open(name, &error))?;
            opened.insert(name, value);
        }
    }
    let mut config = call.config.clone();
    for text in &call.secrets {
        if let Some(place) = config.pointer_mut(&text.pointer) {
            *place = Value::String(joined(text, &opened));
        }
    }
    let redactor = Redactor::new(opened.iter().map(|(name, value)| (*name, &**value)));
    Ok((Call { config, secrets: Vec::new(), ..call.clone() }, redactor))
}

fn names(text: &WithSecrets) -> impl Iterator<Item = &str> {
    text.parts.iter().filter_map(|part| match part {
        Part::Secret(name) => Some(name.as_str()),
        Part::Text(_) => None,
    })
}

fn joined(text: &WithSecrets, opened: &Opened<'_>) -> String {
    let part = |part: &'_ Part| match part {
        Part::Text(text) => text.clone(),
        Part::Secret(name) => {
            opened.get(name.as_str()).map(|value| value.expose().to_owned()).unwrap_or_default()
        }
    };
    text.parts.iter().map(part).collect()
}

/// A credential that is not there is the team's to put; a store that does not answer may do so at the next attempt.
fn not_open(name: &str, error: &StoreError) -> Failure {
    if matches!(error, StoreError::NotFound) {
        return Failure::new(
            ErrorClass::Validation,
            "missing_secret",
            format!("there is no secret `{name}`"),
        );
    }
    tracing::error!(secret = name, error = %chain(error), "a secret can't be opened");
    unavailable(format!("the secret `{name}` can't be opened for now"))
}

/// The failure of a call whose time was over before its secrets were there.
pub(crate) fn too_slow() -> Failure {
    unavailable("its secrets could not be opened in time".to_owned())
}

fn unavailable(message: String) -> Failure {
    Failure::new(ErrorClass::Transient, "secret_unavailable", message)
}

/// An error with its causes. They speak of stores and keys, never of what is sealed.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
