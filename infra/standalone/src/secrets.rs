//! Credentials of teams in one process: kept in the catalog, and opened from there. The keys are files.

use std::sync::Arc;

use app::ports::DeploymentSecrets;
use catalog::Catalog;
use embedded::FolderSecrets;
use runtime::Boot;
use vault::{InPlace, Keeper, MasterRing, SecretTeller, Vault};

use crate::{
    cli::Data,
    exit::{Trouble, trouble},
    stores,
};

/// The deployment's own secrets: files under `secrets` of the data directory.
pub(crate) fn deployment(data: &Data) -> Result<Arc<dyn DeploymentSecrets>, Trouble> {
    let folder = stores::folder(data)?.join("secrets");
    Ok(Arc::new(FolderSecrets::open(folder).map_err(trouble("keys can't be kept"))?))
}

/// What connectors open credentials by.
pub(crate) fn vault(deployment: Arc<dyn DeploymentSecrets>, catalog: Catalog, boot: &Boot) -> Arc<Vault> {
    let masters = MasterRing::reading(deployment, Arc::clone(&boot.clock));
    Arc::new(Vault::new(Arc::new(catalog), masters, Arc::clone(&boot.clock)))
}

/// Tells of changes: to nobody, as there are no copies.
pub(crate) fn teller(catalog: Catalog) -> Arc<SecretTeller> {
    Arc::new(SecretTeller::new(Arc::new(catalog), Arc::new(InPlace)))
}

/// What takes credentials in; the first one makes the master key.
pub(crate) fn keeper(deployment: Arc<dyn DeploymentSecrets>, catalog: Catalog, boot: &Boot) -> Keeper {
    let (clock, entropy) = (Arc::clone(&boot.clock), Arc::clone(&boot.entropy));
    keeper_with(MasterRing::creating(deployment, clock, entropy), catalog, boot)
}

/// What wraps keys anew, where there are any.
pub(crate) fn housekeeper(deployment: Arc<dyn DeploymentSecrets>, catalog: Catalog, boot: &Boot) -> Keeper {
    keeper_with(MasterRing::reading(deployment, Arc::clone(&boot.clock)), catalog, boot)
}

fn keeper_with(masters: MasterRing, catalog: Catalog, boot: &Boot) -> Keeper {
    let (teller, catalog) = (teller(catalog.clone()), Arc::new(catalog));
    let (ids, entropy) = (Arc::clone(&boot.ids), Arc::clone(&boot.entropy));
    Keeper::new(catalog.clone(), catalog, teller, masters, ids, entropy)
}
