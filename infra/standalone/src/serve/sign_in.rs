//! Signing in on the embedded stores: keys and mail are files.

use std::sync::Arc;

use app::ports::{DeploymentSecrets, EmailAddress, Mailer};
use catalog::{Catalog, LazyCatalog};
use connectors::{
    EgressWeb,
    egress::{Egress, EgressPolicy},
};
use embedded::{Embedded, Mailbox};
use identity::{Argon2Params, Identity, Ports, Realm};
use runtime::Boot;

use crate::{
    cli::Data,
    exit::{Trouble, trouble},
    stores,
};

/// What mail is from. Nothing is sent from here.
const SENDER: &str = "no-reply@heddle.example";

/// Tokens of one process mean nothing to a deployment on AWS.
pub(crate) const STAGE: &str = "standalone";

/// Mail as files in `mailbox` of the data directory.
pub(crate) fn mailbox(data: &Data, boot: &Boot) -> Result<Arc<dyn Mailer>, Trouble> {
    let folder = stores::folder(data)?.join("mailbox");
    let sender = EmailAddress::parse(SENDER).map_err(trouble("the sender of mail"))?;
    let mailbox = Mailbox::open(folder, sender, Arc::clone(&boot.clock), Arc::clone(&boot.ids));
    Ok(Arc::new(mailbox.map_err(trouble("mail can't be kept"))?))
}

/// Signing in, with its keys among the secrets of the deployment. Refuses to begin with issuers that are configured wrongly.
pub(crate) async fn identity(
    secrets: Arc<dyn DeploymentSecrets>,
    egress: EgressPolicy,
    embedded: &Embedded,
    catalog: Catalog,
    mailer: Arc<dyn Mailer>,
    boot: &Boot,
) -> Result<Arc<Identity>, Trouble> {
    let (clock, ids) = (Arc::clone(&boot.clock), Arc::clone(&boot.ids));
    let catalog = Arc::new(LazyCatalog::open(catalog));
    let ports = Ports {
        accounts: Arc::clone(&catalog) as _,
        sessions: catalog,
        challenges: Arc::new(embedded.challenges()),
        counters: Arc::new(embedded.counters(Arc::clone(&clock))),
        web: Arc::new(EgressWeb::new(Egress::new(egress))),
        mailer,
        secrets,
        clock,
        ids,
        entropy: Arc::clone(&boot.entropy),
    };
    let identity = Identity::new(ports, Realm::of_stage(STAGE), Argon2Params::REQUIRED);
    identity.issuers().check().await.map_err(trouble("the identity providers are not taken"))?;
    Ok(Arc::new(identity))
}
