//! Opening what a command needs of the world: Postgres, and the folder of large values. What fails here is told with its remedy.

use std::{
    env,
    path::PathBuf,
    str::FromStr as _,
    sync::{Arc, LazyLock},
    time::Duration,
};

use app::ports::{Ids, StoreError};
use blobs::ObjectBlobs;
use catalog::{Catalog, MIGRATOR};
use embedded::{Embedded, QueueOptions};
use sqlx::{
    PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{net::TcpStream, time::timeout};

use crate::{
    cli::{Data, Database},
    exit::{Trouble, trouble},
};

/// How long Postgres may take to answer the door.
const PATIENCE: Duration = Duration::from_secs(5);

/// A Postgres that listens.
pub(crate) struct Postgres {
    pool: PgPool,
    options: PgConnectOptions,
    /// `host:port/database`, for people.
    place: String,
}

static EMBEDDED: LazyLock<Migrator> = LazyLock::new(embedded::migrator);

/// What migrates, in order.
fn parts() -> [(&'static str, &'static Migrator); 2] {
    [("catalog", &MIGRATOR), ("embedded", &EMBEDDED)]
}

impl Postgres {
    /// Finds the Postgres that the command line or `DATABASE_URL` names, for at most `connections` at a time.
    pub(crate) async fn find(args: &Database, connections: u32) -> Result<Self, Trouble> {
        let url = args.database_url.as_deref().filter(|url| !url.is_empty()).ok_or_else(|| {
            Trouble::usage("no database is named: set DATABASE_URL, or give --database-url postgres://user:password@host:port/database")
        })?;
        // sqlx takes any scheme for its own. Neither the URL nor its error is repeated: they hold a password.
        let is_ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let options = PgConnectOptions::from_str(url).ok().filter(|_| is_ours).ok_or_else(|| {
            Trouble::usage(
                "the database's URL is not of the form postgres://user:password@host:port/database",
            )
        })?;
        let database = options.get_database().unwrap_or(options.get_username());
        let place = format!("{}:{}/{database}", options.get_host(), options.get_port());
        if options.get_socket().is_none() && !options.get_host().starts_with('/') {
            knock(&options, &place).await?;
        }
        let pool = embedded::connect_lazy(options.clone(), connections);
        Ok(Self { pool, options, place })
    }

    /// The catalog on the connections of the stores: for the few questions of a command.
    pub(crate) fn catalog(&self) -> Catalog {
        Catalog::new(self.pool.clone())
    }

    /// The catalog on at most `connections` of its own: for requests, whose questions are planned in the ordinary way.
    pub(crate) fn own_catalog(&self, connections: u32) -> Catalog {
        let options = self.options.clone().application_name("heddle-catalog");
        // A connection that broke shows by its next error; asking first would double each question.
        let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
        Catalog::new(pool.connect_lazy_with(options))
    }

    /// Refuses a database that lacks migrations; names what brings them.
    pub(crate) async fn expect_migrated(&self) -> Result<(), Trouble> {
        let catalog = self.catalog();
        for (name, migrator) in parts() {
            let missing = catalog.pending(migrator).await.map_err(|error| self.refuses(error))?.len();
            if missing > 0 {
                return Err(Trouble::new(format!(
                    "the database {} is not at the schema of this version ({missing} migrations of the {name} are missing): run `heddle migrate`",
                    self.place
                )));
            }
        }
        Ok(())
    }

    /// Applies the migrations that are missing, and answers them as `part number name`.
    pub(crate) async fn migrate(&self) -> Result<Vec<String>, Trouble> {
        let (catalog, mut applied) = (self.catalog(), Vec::new());
        for (name, migrator) in parts() {
            // Looking first costs one question; applying would take a lock and a connection of its own.
            if catalog.pending(migrator).await.map_err(|error| self.refuses(error))?.is_empty() {
                continue;
            }
            let numbers = catalog.apply(migrator).await.map_err(|error| self.refuses(error))?;
            let new = migrator.iter().filter(|migration| numbers.contains(&migration.version));
            applied.extend(
                new.map(|migration| format!("{name} {} {}", migration.version, migration.description)),
            );
        }
        Ok(applied)
    }

    /// Opens the run store and the step queue, with their large values in `objects`.
    pub(crate) async fn open(
        &self,
        objects: Arc<ObjectBlobs>,
        ids: Arc<dyn Ids>,
    ) -> Result<Embedded, Trouble> {
        let opened = Embedded::open(self.pool.clone(), objects, ids, QueueOptions::default()).await;
        opened.map_err(|error| self.refuses(error))
    }

    /// For people who have to find out why.
    pub(crate) fn refuses(&self, error: StoreError) -> Trouble {
        trouble(&format!("Postgres at {}", self.place))(error)
    }
}

/// Opens the folder of large values and of exports.
pub(crate) fn objects(data: &Data) -> Result<Arc<ObjectBlobs>, Trouble> {
    let folder = folder(data)?;
    let doing = format!("large values can't be kept in {}", folder.display());
    Ok(Arc::new(ObjectBlobs::in_folder(&folder).map_err(trouble(&doing))?))
}

/// Whether anybody listens. The pool would try for its whole patience and then not say why.
async fn knock(options: &PgConnectOptions, place: &str) -> Result<(), Trouble> {
    let door = TcpStream::connect((options.get_host(), options.get_port()));
    let why = match timeout(PATIENCE, door).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    Err(Trouble::new(format!(
        "Postgres can't be reached at {place}: {why}. Start it there, or name another one by DATABASE_URL or --database-url"
    )))
}

/// The data directory.
pub(crate) fn folder(data: &Data) -> Result<PathBuf, Trouble> {
    if let Some(folder) = &data.data {
        return Ok(folder.clone());
    }
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|directory| directory.join("heddle"))
        .ok_or_else(|| Trouble::usage("no directory for large values: give --data DIR or set HEDDLE_DATA"))
}
