//! Sealed credentials where workers read them: copies of what the catalog has, since workers know no Postgres.

use app::ports::{DataKey, SealedSecret, SealedSecrets, SecretCopies, StoreError};
use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, operation::put_item::PutItemError, primitives::Blob, types::AttributeValue};
use domain::{DataKeyId, TeamId};

use crate::{
    error::{failed, malformed, unavailable},
    items::{Item, keyed, number, text, text_of},
    keys,
};

const READING: &str = "read a secret";
const COPYING: &str = "copy a secret";

/// Credentials in a DynamoDB table: an item each, with its key, so that one read is enough. One that was deleted leaves an empty item behind
/// that says so, else a copy that comes late would bring it back.
pub struct DynamoSecrets {
    client: Client,
    table: String,
}

impl DynamoSecrets {
    /// Credentials in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Writes an item unless a later one is there.
    async fn write(&self, item: Item, order: i64) -> Result<(), StoreError> {
        let mut item = item;
        item.insert("order".to_owned(), number(&order));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put
            .condition_expression("attribute_not_exists(pk) or #order < :order")
            .expression_attribute_names("#order", "order")
            .expression_attribute_values(":order", number(&order));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(COPYING)(error)),
        }
    }
}

#[async_trait]
impl SecretCopies for DynamoSecrets {
    async fn put(
        &self,
        team: TeamId,
        order: i64,
        secret: &SealedSecret,
        key: &DataKey,
    ) -> Result<(), StoreError> {
        let bytes = |bytes: &[u8]| AttributeValue::B(Blob::new(bytes));
        let mut item = keyed(keys::secret_pk(team), &secret.name);
        item.insert("version".to_owned(), number(&secret.version));
        item.insert("ciphertext".to_owned(), bytes(&secret.ciphertext));
        item.insert("nonce".to_owned(), bytes(&secret.nonce));
        item.insert("key_id".to_owned(), text(key.id.to_string()));
        item.insert("wrapped_key".to_owned(), bytes(&key.wrapped));
        item.insert("master_key_id".to_owned(), text(&key.master_key_id));
        self.write(item, order).await
    }

    async fn remove(&self, team: TeamId, order: i64, name: &str) -> Result<(), StoreError> {
        self.write(keyed(keys::secret_pk(team), name), order).await
    }
}

#[async_trait]
impl SealedSecrets for DynamoSecrets {
    /// One read, eventually consistent: half the price, and what it may miss by a moment is used for longer than that anyway. Only what it does
    /// not find is looked for once more, consistently: a run may begin the moment after its credential was put.
    async fn sealed(&self, team: TeamId, name: &str) -> Result<(SealedSecret, DataKey), StoreError> {
        let found = match self.read(team, name, false).await? {
            None => self.read(team, name, true).await?,
            found => found,
        };
        parsed(name, &found.ok_or(StoreError::NotFound)?)
    }
}

impl DynamoSecrets {
    /// The item of a credential that is there.
    async fn read(&self, team: TeamId, name: &str, consistent: bool) -> Result<Option<Item>, StoreError> {
        let place = keyed(keys::secret_pk(team), name);
        let get = self.client.get_item().table_name(&self.table).set_key(Some(place));
        let got = get.consistent_read(consistent).send().await.map_err(failed(READING))?;
        Ok(got.item.filter(|item| item.contains_key("ciphertext")))
    }
}

fn parsed(name: &str, item: &Item) -> Result<(SealedSecret, DataKey), StoreError> {
    let bytes = |name: &'static str| {
        let found = item.get(name).and_then(|value| value.as_b().ok());
        found.map(|blob| blob.as_ref().to_vec()).ok_or_else(|| malformed(READING, name))
    };
    let version = item.get("version").and_then(|version| version.as_n().ok()?.parse().ok());
    let key_id: DataKeyId = text_of(item, "key_id")?.parse().map_err(unavailable(READING))?;
    let secret = SealedSecret {
        name: name.to_owned(),
        version: version.ok_or_else(|| malformed(READING, "version"))?,
        ciphertext: bytes("ciphertext")?,
        nonce: bytes("nonce")?.try_into().map_err(|_| malformed(READING, "nonce"))?,
        key_id,
    };
    let (wrapped, master_key_id) = (bytes("wrapped_key")?, text_of(item, "master_key_id")?.to_owned());
    Ok((secret, DataKey { id: key_id, wrapped, master_key_id }))
}
