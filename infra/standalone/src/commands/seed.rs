//! `heddle seed`

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::ApiKeyDigest;
use sha2::{Digest as _, Sha256};

use crate::{
    cli::Seed,
    exit::{Exit, Trouble, trouble},
    stores::Postgres,
    terminal::Stream,
};

/// Random bytes of a key; 48 characters of base64.
const KEY_BYTES: usize = 36;

/// Fewer characters are no key but a mistake (product.md, 12).
const SHORTEST_KEY: usize = 40;

/// Makes the team, and prints who is in it and where its key is. The key itself is never printed.
pub(crate) async fn execute(args: Seed) -> Result<Exit, Trouble> {
    let postgres = Postgres::find(&args.database, 1).await?;
    postgres.expect_migrated().await?;
    let key = key(&args.key_file)?;
    let last4 = key.chars().skip(key.chars().count() - 4).collect();
    let digest = ApiKeyDigest { sha256: Sha256::digest(&key).into(), last4 };
    let seeded = postgres.catalog().seed(&digest).await.map_err(|error| postgres.refuses(error))?;
    let file = args.key_file.display();
    Stream::Out.line(&format!("demo team {}, API key of its dev service in {file}", seeded.team_id));
    for member in &seeded.members {
        Stream::Out.line(&format!("member {:<20} {}", member.email, member.role));
    }
    Ok(Exit::Succeeded)
}

/// The key in the file, which is made where it is missing.
fn key(file: &Path) -> Result<String, Trouble> {
    let place = file.display();
    match fs::read_to_string(file) {
        Ok(text) if text.trim().len() >= SHORTEST_KEY => Ok(text.trim().to_owned()),
        Ok(_) => Err(Trouble::usage(format!(
            "{place} holds no API key of at least {SHORTEST_KEY} characters: remove it to get a new one"
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => new_key(file),
        Err(error) => Err(trouble(&format!("{place} can't be read"))(error)),
    }
}

/// Draws a key and writes it where only its owner can read it.
fn new_key(file: &Path) -> Result<String, Trouble> {
    let mut random = [0; KEY_BYTES];
    getrandom::fill(&mut random).map_err(trouble("no random numbers"))?;
    let key = format!("hdl_{}", URL_SAFE_NO_PAD.encode(random));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut file| file.write_all(format!("{key}\n").as_bytes()).and_then(|()| file.sync_all()))
        .map_err(trouble(&format!("{} can't be written", file.display())))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let made = key(&file).unwrap();
        assert!(made.starts_with("hdl_") && made.len() == 52, "{} characters", made.len());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(key(&file).unwrap(), made);
        assert_ne!(key(&folder.path().join("other")).unwrap(), made);
    }

    #[test]
    fn what_is_no_key_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, "hdl_short\n").unwrap();
        assert!(key(&file).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "hdl_short\n");
        assert!(key(&folder.path().join("no/such/folder")).is_err());
    }
}
