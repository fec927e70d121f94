//! Configuration from environment variables, read once. Everything that is missing is named at once.

use std::{cell::RefCell, collections::HashMap, str::FromStr};

/// The variables a process was started with.
#[derive(Clone)]
pub struct Env(HashMap<String, String>);

/// Variables that are absent, empty or malformed. Names them, never their values.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("configuration: {}", .0.join(", "))]
pub struct MissingConfig(pub Vec<String>);

impl Env {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        )
    }

    /// A given environment; for tests.
    pub fn of<const N: usize>(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }

    /// Builds a configuration. If `read` asked for variables that are not there, the answer is an error naming all of them.
    ///
    /// ```
    /// # use runtime::Env;
    /// # struct Config { table: String, wait_s: u32 }
    /// let env = Env::of([("RUN_TABLE", "runs")]);
    /// let config = env.collect(|e| Config { table: e.req("RUN_TABLE"), wait_s: e.parsed_or("WAIT_S", 25) })?;
    /// # assert_eq!((config.table.as_str(), config.wait_s), ("runs", 25));
    /// # Ok::<(), runtime::MissingConfig>(())
    /// ```
    pub fn collect<T>(&self, read: impl FnOnce(&Reader<'_>) -> T) -> Result<T, MissingConfig> {
        let reader = Reader { env: self, problems: RefCell::default() };
        let config = read(&reader);
        let problems = reader.problems.into_inner();
        if problems.is_empty() { Ok(config) } else { Err(MissingConfig(problems)) }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Reads variables and remembers those that are not as they should be.
pub struct Reader<'a> {
    env: &'a Env,
    problems: RefCell<Vec<String>>,
}

impl Reader<'_> {
    /// A variable that must be there and not empty.
    pub fn req(&self, name: &str) -> String {
        self.opt(name).unwrap_or_else(|| {
            self.problems.borrow_mut().push(format!("{name} is missing"));
            String::new()
        })
    }

    /// A variable that may be absent or empty.
    pub fn opt(&self, name: &str) -> Option<String> {
        self.env.get(name).map(str::to_owned)
    }

    /// A variable with a default.
    pub fn or(&self, name: &str, default: &str) -> String {
        self.opt(name).unwrap_or_else(|| default.to_owned())
    }

    /// A variable with a default, read as `T`.
    pub fn parsed_or<T: FromStr>(&self, name: &str, default: T) -> T {
        match self.env.get(name).map(str::parse) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.problems.borrow_mut().push(format!("{name} is malformed"));
                default
            }
        }
    }

    /// A comma-separated list; empty where the variable is absent.
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = self.env.get(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_missing_is_named_at_once_and_no_value_is_shown() {
        let env = Env::of([("PORT", "secret"), ("EMPTY", "")]);
        let missing =
            env.collect(|e| (e.req("RUN_TABLE"), e.parsed_or("PORT", 80), e.req("EMPTY"))).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "configuration: RUN_TABLE is missing, PORT is malformed, EMPTY is missing"
        );
    }

    #[test]
    fn lists_are_split_at_commas() {
        let env = Env::of([("HOSTS", " a.example , ,b.example")]);
        assert_eq!(
            env.collect(|e| e.list("HOSTS")),
            Ok(vec!["a.example".to_owned(), "b.example".to_owned()])
        );
        assert_eq!(env.collect(|e| e.list("NONE")), Ok(vec![]));
    }
}
