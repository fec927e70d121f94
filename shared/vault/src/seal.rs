//! AES-256-GCM (NIST SP 800-38D), and what is authenticated with each ciphertext.

use app::ports::{DataKey, SealedSecret, SecretValue};
use domain::{DataKeyId, TeamId};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::MasterKeys;

/// What was sealed is not what is there, or not for this place, or by another key. Says nothing more, as there is nothing more to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is sealed can't be opened")]
pub struct CantOpen;

/// 256 bits that a cipher is keyed with; wiped when they are no longer used.
pub(crate) type KeyBytes = Zeroizing<[u8; 32]>;

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, CantOpen> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| CantOpen)
}

/// What a data key is of: its team and its id, each of 16 bytes.
fn place_of_key(team: TeamId, id: DataKeyId) -> Vec<u8> {
    [b"heddle data key 1".as_slice(), team.uuid().as_bytes(), id.uuid().as_bytes()].concat()
}

/// What a secret is of. The name comes last, so that no two places are written alike.
fn place_of_secret(team: TeamId, name: &str, version: u32) -> Vec<u8> {
    [b"heddle secret 1".as_slice(), team.uuid().as_bytes(), &version.to_be_bytes(), name.as_bytes()].concat()
}

/// Seals a version of a secret. `nonce` may never have been used with this key.
pub(crate) fn seal(
    key: (DataKeyId, &KeyBytes),
    nonce: [u8; NONCE_LEN],
    team: TeamId,
    (name, version): (&str, u32),
    value: &SecretValue,
) -> Result<SealedSecret, CantOpen> {
    // With room for the tag, so that the text is not left behind where it was.
    let mut text = Zeroizing::new(Vec::with_capacity(value.expose().len() + AES_256_GCM.tag_len()));
    text.extend_from_slice(value.expose().as_bytes());
    let place = Aad::from(place_of_secret(team, name, version));
    cipher(key.1)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut *text)
        .map_err(|_| CantOpen)?;
    let ciphertext = std::mem::take(&mut *text);
    Ok(SealedSecret { name: name.to_owned(), version, ciphertext, nonce, key_id: key.0 })
}

/// Opens a secret of this team.
pub(crate) fn open(key: &KeyBytes, team: TeamId, secret: &SealedSecret) -> Result<SecretValue, CantOpen> {
    let place = place_of_secret(team, &secret.name, secret.version);
    let text = opened(key, secret.nonce, place, secret.ciphertext.clone())?;
    let text = String::from_utf8(text.to_vec()).map_err(|_| CantOpen)?;
    Ok(SecretValue::new(text))
}

/// Wraps a team's key by the master key in use.
pub(crate) fn wrap(
    masters: &MasterKeys,
    nonce: [u8; NONCE_LEN],
    team: TeamId,
    (id, key): (DataKeyId, &KeyBytes),
) -> Result<DataKey, CantOpen> {
    let master = masters.current();
    let mut sealed = Zeroizing::new(Vec::with_capacity(key.len() + AES_256_GCM.tag_len()));
    sealed.extend_from_slice(&key[..]);
    let place = Aad::from(place_of_key(team, id));
    cipher(&master.key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut *sealed)
        .map_err(|_| CantOpen)?;
    let wrapped = [nonce.as_slice(), sealed.as_slice()].concat();
    Ok(DataKey { id, wrapped, master_key_id: master.id.clone() })
}

/// Unwraps a key of this team.
pub(crate) fn unwrap(masters: &MasterKeys, team: TeamId, key: &DataKey) -> Result<KeyBytes, CantOpen> {
    let master = masters.find(&key.master_key_id).ok_or(CantOpen)?;
    let (nonce, sealed) = key.wrapped.split_first_chunk::<NONCE_LEN>().ok_or(CantOpen)?;
    let bytes = opened(&master.key, *nonce, place_of_key(team, key.id), sealed.to_vec())?;
    bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| CantOpen)
}

fn opened(
    key: &[u8; 32],
    nonce: [u8; NONCE_LEN],
    place: Vec<u8>,
    sealed: Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, CantOpen> {
    let mut sealed = Zeroizing::new(sealed);
    let opened = cipher(key)?
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
        .map_err(|_| CantOpen)?
        .len();
    sealed.truncate(opened);
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const OURS: TeamId = TeamId::new(Uuid::from_u128(1));
    const THEIRS: TeamId = TeamId::new(Uuid::from_u128(2));
    const KEY_ID: DataKeyId = DataKeyId::new(Uuid::from_u128(3));

    fn key(byte: u8) -> KeyBytes {
        Zeroizing::new([byte; 32])
    }

    fn sealed() -> SealedSecret {
        let value = SecretValue::new("grün und geheim".to_owned());
        seal((KEY_ID, &key(1)), [7; 12], OURS, ("SHOP", 2), &value).unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened_and_does_not_show() {
        let secret = sealed();
        assert_eq!(open(&key(1), OURS, &secret).unwrap().expose(), "grün und geheim");
        assert!(!secret.ciphertext.windows(4).any(|part| part == b"und "));
        assert_eq!(secret.ciphertext.len(), "grün und geheim".len() + 16);
    }

    #[test]
    fn each_bit_of_it_and_each_part_of_its_place_counts() {
        let secret = sealed();
        for byte in 0..secret.ciphertext.len() {
            let mut other = secret.clone();
            other.ciphertext[byte] ^= 0x40;
            assert_eq!(open(&key(1), OURS, &other), Err(CantOpen), "ciphertext {byte}");
        }
        for byte in 0..12 {
            let mut other = secret.clone();
            other.nonce[byte] ^= 1;
            assert_eq!(open(&key(1), OURS, &other), Err(CantOpen), "nonce {byte}");
        }
        let cut = SealedSecret { ciphertext: secret.ciphertext[..10].to_vec(), ..secret.clone() };
        let renamed = SealedSecret { name: "SHOP2".to_owned(), ..secret.clone() };
        let older = SealedSecret { version: 1, ..secret.clone() };
        for (other, what) in [(&cut, "cut"), (&renamed, "name"), (&older, "version")] {
            assert_eq!(open(&key(1), OURS, other), Err(CantOpen), "{what}");
        }
        assert_eq!(open(&key(1), THEIRS, &secret), Err(CantOpen), "another team");
        assert_eq!(open(&key(2), OURS, &secret), Err(CantOpen), "another key");
    }

    #[test]
    fn a_key_is_wrapped_for_its_team_and_id() {
        let masters = MasterKeys::of([1; 32], Some([2; 32]));
        let wrapped = wrap(&masters, [9; 12], OURS, (KEY_ID, &key(5))).unwrap();
        assert_eq!(unwrap(&masters, OURS, &wrapped).unwrap(), key(5));
        assert!(!wrapped.wrapped.windows(8).any(|part| part == [5; 8]));

        let other_id = DataKey { id: DataKeyId::new(Uuid::from_u128(4)), ..wrapped.clone() };
        let other_master =
            DataKey { master_key_id: masters.previous().unwrap().id.clone(), ..wrapped.clone() };
        let unknown = DataKey { master_key_id: "unknown".to_owned(), ..wrapped.clone() };
        let short = DataKey { wrapped: wrapped.wrapped[..11].to_vec(), ..wrapped.clone() };
        for other in [&other_id, &other_master, &unknown, &short] {
            assert_eq!(unwrap(&masters, OURS, other), Err(CantOpen), "{other:?}");
        }
        assert_eq!(unwrap(&masters, THEIRS, &wrapped), Err(CantOpen));
        for byte in 0..wrapped.wrapped.len() {
            let mut other = wrapped.clone();
            other.wrapped[byte] ^= 1;
            assert_eq!(unwrap(&masters, OURS, &other), Err(CantOpen), "byte {byte}");
        }
    }
}
