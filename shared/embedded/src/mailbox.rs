//! Mail as files, for a machine that sends none.

use std::{path::Path, sync::Arc, time::SystemTime};

use app::ports::{Clock, EmailAddress, Ids, Mail, Mailer, StoreError};
use async_trait::async_trait;
use lettre::{
    Address, Message,
    message::{Mailbox as Party, MultiPart, SinglePart},
};
use tokio::task::spawn_blocking;

use crate::{error::unavailable, files::PrivateFolder};

const SEND: &str = "put a mail into the mailbox";

/// A folder with one `.eml` file per message, named after its time so that they sort. Any mail program opens them; what is in the folder
/// is complete and on the disk.
pub struct Mailbox {
    folder: PrivateFolder,
    sender: EmailAddress,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Mailbox {
    /// The mailbox in this folder, which is made if it is not there. `sender` is what messages are from.
    pub fn open(
        path: impl AsRef<Path>,
        sender: EmailAddress,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        let folder = PrivateFolder::open(path.as_ref()).map_err(unavailable("open the mailbox"))?;
        Ok(Self { folder, sender, clock, ids })
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: &Mail) -> Result<(), StoreError> {
        let (now, id) = (self.clock.now(), self.ids.next());
        let builder = Message::builder()
            .from(party(&self.sender)?)
            .to(party(mail.to())?)
            .subject(mail.subject())
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{id}@{}>", self.sender.domain())));
        let text = mail.text().to_owned();
        let message = match mail.html() {
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html.to_owned())),
            None => builder.singlepart(SinglePart::plain(text)),
        };
        let bytes = message.map_err(unavailable(SEND))?.formatted();
        let name = format!("{}-{id}.eml", now.format("%Y%m%dT%H%M%S%.3fZ"));
        let folder = self.folder.clone();
        let created = spawn_blocking(move || folder.create(&name, &bytes)).await;
        if created.map_err(unavailable(SEND))?.map_err(unavailable(SEND))? {
            Ok(())
        } else {
            Err(unavailable(SEND)(format!("message {id} is there already")))
        }
    }
}

fn party(address: &EmailAddress) -> Result<Party, StoreError> {
    let address: Address = address.as_str().parse().map_err(unavailable(SEND))?;
    Ok(Party::new(None, address))
}
