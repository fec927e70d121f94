//! An API function on AWS, as far as all of them are the same: its configuration, its clients, the catalog and the gate. Nothing is asked
//! of the network before the first request.

use std::sync::Arc;

use app::ports::StoreError;
use aws::Secrets;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use axum::Router;
use catalog::LazyCatalog;
use connectors::{
    EgressWeb,
    egress::{Egress, EgressPolicy},
};
use heddle_http::{Gate, GatePorts, Origins};
use identity::{IssuerPorts, Issuers, Realm, Verifier};
use runstore::{DynamoAnswers, DynamoCounters};
use runtime::{Boot, Env, MissingConfig};

/// Why a function does not start, or ends.
pub type Fatal = Box<dyn std::error::Error + Send + Sync>;

/// What the `main` of an API function builds its state from.
pub struct Deployed {
    /// Clock, ids and the like.
    pub boot: Boot,
    /// What clients of AWS are made of.
    pub sdk: SdkConfig,
    /// DynamoDB.
    pub dynamo: Client,
    /// Postgres.
    pub catalog: Arc<LazyCatalog>,
    /// The deployment's own secrets.
    pub secrets: Arc<Secrets>,
    /// What other issuers publish.
    pub web: Arc<EgressWeb>,
    /// Counters, shared by all functions.
    pub counters: Arc<DynamoCounters>,
    /// Table of what may be forgotten.
    pub ephemeral_table: String,
    /// Names the deployment, and so who issues its tokens.
    pub realm: Realm,
    egress: EgressPolicy,
    origins: Origins,
}

impl Deployed {
    /// Reads `STAGE`, `EPHEMERAL_TABLE`, `DATABASE_SECRET_ARN`, `EGRESS_ALLOW` and `CORS_ORIGINS`, and whatever every process reads.
    pub async fn boot(function: &'static str) -> Result<Self, Fatal> {
        let boot = runtime::boot(function)?;
        let sdk = runtime::sdk_config(&boot.env).await?;
        let Config { stage, ephemeral_table, database_secret, egress, origins } =
            Config::from_env(&boot.env)?;
        let secrets = Arc::new(Secrets::under(&sdk, format!("heddle/{stage}/")));
        let database = Arc::clone(&secrets);
        let catalog = LazyCatalog::new(move || {
            let (secrets, arn) = (Arc::clone(&database), database_secret.clone());
            async move { secrets.secret_string(&arn).await }
        });
        let dynamo = Client::new(&sdk);
        let counters =
            Arc::new(DynamoCounters::new(dynamo.clone(), ephemeral_table.clone(), Arc::clone(&boot.clock)));
        let web = Arc::new(EgressWeb::new(Egress::new(egress.clone())));
        let (catalog, realm) = (Arc::new(catalog), Realm::of_stage(&stage));
        Ok(Self {
            boot,
            sdk,
            dynamo,
            catalog,
            secrets,
            web,
            counters,
            ephemeral_table,
            realm,
            egress,
            origins,
        })
    }

    /// A client of its own for other servers, under the deployment's policy.
    pub fn egress(&self) -> Egress {
        Egress::new(self.egress.clone())
    }

    /// The gate before the function's routes.
    pub fn gate(&self) -> Gate {
        let clock = Arc::clone(&self.boot.clock);
        let verifier =
            Verifier::reading(Arc::clone(&self.secrets) as _, self.realm.clone(), Arc::clone(&clock));
        let issuers = Issuers::new(IssuerPorts {
            secrets: Arc::clone(&self.secrets) as _,
            web: Arc::clone(&self.web) as _,
            accounts: Arc::clone(&self.catalog) as _,
            clock,
        });
        self.gate_with(Arc::new(verifier.trusting(Arc::new(issuers))))
    }

    /// The gate of the function that signs in, which has a verifier already.
    pub fn gate_with(&self, verifier: Arc<Verifier>) -> Gate {
        Gate::new(GatePorts {
            keys: Arc::clone(&self.catalog) as _,
            seats: Arc::clone(&self.catalog) as _,
            verifier,
            counters: Arc::clone(&self.counters) as _,
            answers: Arc::new(DynamoAnswers::new(self.dynamo.clone(), self.ephemeral_table.clone())),
            clock: Arc::clone(&self.boot.clock),
        })
        .open_to(self.origins.clone())
    }

    /// A question for readiness: does the catalog answer?
    pub fn ping(&self) -> impl Fn() -> Pinging + Send + Sync + 'static {
        let catalog = Arc::clone(&self.catalog);
        move || {
            let catalog = Arc::clone(&catalog);
            Box::pin(async move { catalog.ping().await })
        }
    }
}

/// A question that is on its way.
pub type Pinging = std::pin::Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// Serves the requests that API Gateway sends, for as long as the environment lives.
pub async fn serve(router: Router) -> Result<(), Fatal> {
    heddle_http::serve(router).await
}

struct Config {
    stage: String,
    ephemeral_table: String,
    database_secret: String,
    egress: EgressPolicy,
    origins: Origins,
}

impl Config {
    fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self {
            stage: e.req("STAGE"),
            ephemeral_table: e.req("EPHEMERAL_TABLE"),
            database_secret: e.req("DATABASE_SECRET_ARN"),
            egress: e.parsed_or("EGRESS_ALLOW", EgressPolicy::default()),
            origins: e.parsed_or("CORS_ORIGINS", Origins::default()),
        })
    }
}
