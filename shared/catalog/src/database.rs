//! Where the database is, and the connection to it.

use std::{fmt, str::FromStr, time::Duration};

use serde::Deserialize;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use crate::{StoreError, error::store_error};

/// How long a caller waits for a connection before it gets [`StoreError::Unavailable`].
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// An idle connection is given back soon: behind RDS Proxy each one pins a connection of the database.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// Where the database is and who we are there. Never prints the password.
#[derive(Clone)]
pub struct DatabaseUrl(PgConnectOptions);

/// The text is neither a Postgres URL nor the secret that RDS writes. Does not repeat the text, which holds a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a postgres:// URL nor JSON with username, password and host")]
pub struct BadDatabaseUrl;

/// The JSON that RDS keeps in Secrets Manager; fields that we don't need are not listed.
#[derive(Deserialize)]
struct RdsSecret {
    username: String,
    password: String,
    host: String,
    #[serde(default = "default_port")]
    port: u16,
    dbname: Option<String>,
    sslmode: Option<String>,
}

fn default_port() -> u16 {
    5432
}

impl DatabaseUrl {
    /// Reads a secret: a `postgres://` URL, whose `sslmode` decides on TLS, or the JSON that RDS writes
    /// (`{username, password, host, port, dbname}`), which means TLS unless an added `sslmode` says otherwise.
    pub fn parse(secret: &str) -> Result<Self, BadDatabaseUrl> {
        let secret = secret.trim();
        if secret.starts_with("postgres://") || secret.starts_with("postgresql://") {
            return PgConnectOptions::from_str(secret).map(Self).map_err(|_| BadDatabaseUrl);
        }
        let rds: RdsSecret = serde_json::from_str(secret).map_err(|_| BadDatabaseUrl)?;
        let ssl_mode = match rds.sslmode {
            Some(mode) => mode.parse().map_err(|_| BadDatabaseUrl)?,
            None => PgSslMode::Require,
        };
        // The parts are handed over as they are, so a password with `@` or `/` needs no escaping.
        let options = PgConnectOptions::new_without_pgpass()
            .host(&rds.host)
            .port(rds.port)
            .username(&rds.username)
            .password(&rds.password)
            .database(rds.dbname.as_deref().unwrap_or("postgres"))
            .ssl_mode(ssl_mode);
        Ok(Self(options))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.0.get_database().unwrap_or_default();
        write!(f, "DatabaseUrl({}:{}/{database})", self.0.get_host(), self.0.get_port())
    }
}

/// The catalog. Cheap to clone: clones share their connections.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(crate) pool: PgPool,
}

impl Catalog {
    /// A catalog that connects when it is first used, with at most `connections` at a time. A Lambda environment serves one
    /// request at a time and takes 1.
    ///
    /// Prepared statements stay cached per connection: the extended protocol pins a connection behind RDS Proxy in any case,
    /// so giving up the cache would cost a parse per query and win nothing.
    ///
    /// Must be called inside a tokio runtime.
    pub fn connect_lazy(url: &DatabaseUrl, connections: u32) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(IDLE_TIMEOUT)
            .connect_lazy_with(url.0.clone().application_name("heddle"));
        Self { pool }
    }

    /// A catalog on connections that the caller set up.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Whether the database answers; for readiness checks.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.pool).await.map_err(store_error("ping the catalog"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_with_its_sslmode() {
        let url =
            DatabaseUrl::parse("postgres://heddle:p%40ss@db:6543/catalog?sslmode=verify-full\n").unwrap();
        assert_eq!((url.0.get_host(), url.0.get_port(), url.0.get_database()), ("db", 6543, Some("catalog")));
        assert!(matches!(url.0.get_ssl_mode(), PgSslMode::VerifyFull));
    }

    #[test]
    fn a_secret_of_rds_is_taken_and_means_tls() {
        let secret = r#"{"engine":"postgres","username":"heddle","password":"p@ss/w:rd","host":"db","port":6543,"dbname":"catalog"}"#;
        let url = DatabaseUrl::parse(secret).unwrap();
        assert_eq!((url.0.get_host(), url.0.get_port(), url.0.get_database()), ("db", 6543, Some("catalog")));
        assert_eq!(url.0.get_username(), "heddle");
        assert!(matches!(url.0.get_ssl_mode(), PgSslMode::Require));
        let plain = secret.replace("\"engine\":\"postgres\"", "\"sslmode\":\"disable\"");
        assert!(matches!(DatabaseUrl::parse(&plain).unwrap().0.get_ssl_mode(), PgSslMode::Disable));
    }

    #[test]
    fn a_password_is_never_printed() {
        let url = DatabaseUrl::parse("postgres://heddle:hunter2@db/catalog").unwrap();
        assert_eq!(format!("{url:?}"), "DatabaseUrl(db:5432/catalog)");
    }

    #[test]
    fn anything_else_is_refused_without_repeating_it() {
        for bad in
            ["", "mysql://u:hunter2@h/d", "{\"password\":\"hunter2\"}", "hunter2", "postgres://h:notaport/d"]
        {
            let refused = DatabaseUrl::parse(bad).unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        }
    }
}
