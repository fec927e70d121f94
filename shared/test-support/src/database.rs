//! A Postgres database per test: a copy of a template that has the migrations, dropped when the test ends.

use std::{
    env,
    hash::{DefaultHasher, Hash, Hasher},
    process,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    query, query_scalar,
};

/// The variable with the URL of a server on which the tests may create databases. `make test` starts one and sets it.
pub const SERVER_URL: &str = "HEDDLE_TEST_DATABASE_URL";

/// Any number that nobody else locks: guards the making of templates and the sweeping of leftovers.
const LOCK: i64 = 0x6865_6464_6c65;

/// A test that was killed leaves its database; the next run removes it after this long.
const LEFTOVER_SECS: u64 = 3600;

/// A database of one test's own. Dropping it drops the database, whoever is still connected.
#[derive(Debug)]
pub struct TestDatabase {
    pool: PgPool,
    server: PgConnectOptions,
    name: String,
}

impl TestDatabase {
    /// A database with these migrations. They are applied once per content, into a template that later tests, and later runs,
    /// copy in milliseconds.
    pub async fn create(migrator: &Migrator) -> Self {
        let server = server();
        let mut connection = connect(&server).await;
        let template = template_name(migrator);
        if !is_template(&mut connection, &template).await {
            make_template(&mut connection, &server, &template, migrator).await;
        }
        Self::copy(connection, server, &template).await
    }

    /// A database without any table.
    pub async fn empty() -> Self {
        let server = server();
        Self::copy(connect(&server).await, server, "template0").await
    }

    async fn copy(mut connection: PgConnection, server: PgConnectOptions, template: &str) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("heddle_test_{}_{}_{number}", unix_secs(), process::id());
        run(&mut connection, format!("create database {name} template {template}")).await;
        let pool = PgPoolOptions::new().connect_lazy_with(server.clone().database(&name));
        Self { pool, server, name }
    }

    /// Connections to the database, ten at most.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The database's URL, for code that connects by itself.
    pub fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().into()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A thread with a runtime of its own, because a destructor can't await and the test's runtime may be ending.
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let mut connection = connect(&server).await;
                run(&mut connection, format!("drop database if exists {name} with (force)")).await;
            });
        });
        if dropped.join().is_err() {
            eprintln!("{} was not dropped", self.name);
        }
    }
}

fn server() -> PgConnectOptions {
    let url = env::var(SERVER_URL).unwrap_or_else(|_| {
        panic!("{SERVER_URL} is not set: run make test, which starts a Postgres for the tests")
    });
    PgConnectOptions::from_str(&url).unwrap_or_else(|_| panic!("{SERVER_URL} is no Postgres URL"))
}

async fn connect(server: &PgConnectOptions) -> PgConnection {
    server.connect().await.unwrap_or_else(|error| panic!("no Postgres at {SERVER_URL}: {error}"))
}

/// Runs a statement with names that were made up here.
async fn run(connection: &mut PgConnection, sql: String) {
    connection.execute(AssertSqlSafe(sql.clone())).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Named after the migrations' content, so that an edited migration gets a new template.
fn template_name(migrator: &Migrator) -> String {
    let mut hasher = DefaultHasher::new();
    for migration in migrator.iter() {
        (migration.version, &migration.checksum).hash(&mut hasher);
    }
    format!("heddle_template_{:016x}", hasher.finish())
}

/// Whether the template is there and complete: it is marked as one only when all migrations are in.
async fn is_template(connection: &mut PgConnection, name: &str) -> bool {
    query_scalar("select exists (select from pg_database where datname = $1 and datistemplate)")
        .bind(name)
        .fetch_one(connection)
        .await
        .expect("pg_database can be read")
}

async fn make_template(
    connection: &mut PgConnection,
    server: &PgConnectOptions,
    name: &str,
    migrator: &Migrator,
) {
    query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut *connection).await.expect("the lock");
    if !is_template(connection, name).await {
        sweep(connection).await;
        run(connection, format!("drop database if exists {name} with (force)")).await;
        run(connection, format!("create database {name} template template0")).await;
        let mut inside = connect(&server.clone().database(name)).await;
        migrator.run(&mut inside).await.expect("the migrations apply to an empty database");
        inside.close().await.expect("the template is left");
        run(connection, format!("alter database {name} with is_template true")).await;
    }
    query("select pg_advisory_unlock($1)")
        .bind(LOCK)
        .execute(connection)
        .await
        .expect("the lock is given back");
}

/// Drops the databases of tests that were killed.
async fn sweep(connection: &mut PgConnection) {
    let names: Vec<String> = query_scalar(
        "select datname from pg_database
        where datname ~ '^heddle_test_\\d+_' and split_part(datname, '_', 3)::bigint < $1",
    )
    .bind(i64::try_from(unix_secs().saturating_sub(LEFTOVER_SECS)).unwrap_or_default())
    .fetch_all(&mut *connection)
    .await
    .expect("pg_database can be read");
    for name in names {
        run(connection, format!("drop database if exists {name} with (force)")).await;
    }
}

fn unix_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
