//! `heddle keys`

use std::io;

use app::ports::{DeploymentSecrets as _, StoreError};
use embedded::FolderSecrets;
use identity::{KeySet, token_keys};

use crate::{
    cli::{Keys, Rotate},
    exit::{Exit, Trouble, trouble},
    stores,
    terminal::Stream,
};

const ROTATE: &str = "the keys can't be rotated";

/// Rotates the keys of the data directory, or those on stdin. None of them is printed unless they came that way.
pub(crate) async fn execute(args: Keys) -> Result<Exit, Trouble> {
    let Keys::Rotate(Rotate { pipe, data }) = args;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(trouble("no random numbers"))?;
    if pipe {
        let keys = io::read_to_string(io::stdin().lock()).map_err(trouble("stdin can't be read"))?;
        Stream::Out.line(&KeySet::rotated(keys.trim(), &seed).map_err(trouble(ROTATE))?);
        return Ok(Exit::Succeeded);
    }
    let folder = stores::folder(&data)?.join("secrets");
    let name = token_keys().map_err(trouble(ROTATE))?;
    let secrets = FolderSecrets::open(&folder).map_err(trouble(ROTATE))?;
    let keys = secrets.read(&name).await.map_err(|error| match error {
        StoreError::NotFound => Trouble::new(format!(
            "there are no keys in {} yet: the first who signs in makes them",
            folder.display()
        )),
        error => trouble(ROTATE)(error),
    })?;
    let keys = KeySet::rotated(&keys, &seed).map_err(trouble(ROTATE))?;
    secrets.replace(&name, &keys).await.map_err(trouble(ROTATE))?;
    Stream::Out.line("the next key signs: processes know it already, and begin within five minutes");
    Ok(Exit::Succeeded)
}
