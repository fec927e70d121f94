//! Signing in on the embedded stores: keys and mail are files.

use std::sync::Arc;

use app::ports::{DeploymentSecrets, EmailAddress, Mailer};
use catalog::{Catalog, LazyCatalog};
use embedded::{Embedded, Mailbox};
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
pub(crate) const STAGE: &str = "standalone";

/// Signing in, with its keys in `secrets`, and the codes that it sends in `mailbox` of the data directory.
pub(crate) fn identity(
    data: &Data,
    secrets: Arc<dyn DeploymentSecrets>,
    embedded: &Embedded,
    catalog: Catalog,
    boot: &Boot,
) -> Result<Arc<Identity>, Trouble> {
    let folder = stores::folder(data)?;
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
        mailer: Arc::new(mailbox) as Arc<dyn Mailer>,
        secrets,
        clock,
        ids,
        entropy: Arc::clone(&boot.entropy),
    };
    Ok(Arc::new(Identity::new(ports, Realm::of_stage(STAGE), Argon2Params::REQUIRED)))
}
