//! Signing in on the embedded stores: keys and mail are files.

use std::sync::Arc;

use app::ports::{DeploymentSecrets, EmailAddress, Mailer};
use catalog::{Catalog, LazyCatalog};
use connectors::{
    EgressWeb,
    egress::{Egress, EgressPolicy},
};
use embedded::{Embedded, FolderSecrets, Mailbox};
use identity::{Argon2Params, Identity, Ports, Realm};
use runtime::Boot;

use crate::{
    cli::Data,
    exit::{Trouble, trouble},
    stores,
};

/// What codes are from. Nothing is sent from here.
const SENDER: &str = "no-reply@heddle.example";

/// Tokens of one process mean nothing to a deployment on AWS.
const STAGE: &str = "standalone";

/// Signing in, with its keys in `secrets` and the codes that it sends in `mailbox` of the data directory. Refuses to begin with issuers
/// that are configured wrongly.
pub(crate) async fn identity(
    data: &Data,
    egress: EgressPolicy,
    embedded: &Embedded,
    catalog: Catalog,
    boot: &Boot,
) -> Result<Arc<Identity>, Trouble> {
    let folder = stores::folder(data)?;
    let secrets = FolderSecrets::open(folder.join("secrets")).map_err(trouble("keys can't be kept"))?;
    let sender = EmailAddress::parse(SENDER).map_err(trouble("the sender of mail"))?;
    let (clock, ids) = (Arc::clone(&boot.clock), Arc::clone(&boot.ids));
    let mailbox = Mailbox::open(folder.join("mailbox"), sender, Arc::clone(&clock), Arc::clone(&ids))
        .map_err(trouble("mail can't be kept"))?;
    let catalog = Arc::new(LazyCatalog::open(catalog));
    let ports = Ports {
        accounts: Arc::clone(&catalog) as _,
        sessions: catalog,
        challenges: Arc::new(embedded.challenges()),
        counters: Arc::new(embedded.counters(Arc::clone(&clock))),
        web: Arc::new(EgressWeb::new(Egress::new(egress))),
        mailer: Arc::new(mailbox) as Arc<dyn Mailer>,
        secrets: Arc::new(secrets) as Arc<dyn DeploymentSecrets>,
        clock,
        ids,
        entropy: Arc::clone(&boot.entropy),
    };
    let identity = Identity::new(ports, Realm::of_stage(STAGE), Argon2Params::REQUIRED);
    identity.issuers().check().await.map_err(trouble("the identity providers are not taken"))?;
    Ok(Arc::new(identity))
}
