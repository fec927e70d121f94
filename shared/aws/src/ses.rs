//! Mail through Amazon SES.

use app::ports::{EmailAddress, Mail, Mailer, StoreError, unavailable};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sesv2::{
    Client,
    error::BuildError,
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message},
};

const SEND: &str = "send a mail";

/// Sends from one address, which SES must have verified, itself or its domain.
#[derive(Debug, Clone)]
pub struct SesMailer {
    client: Client,
    sender: EmailAddress,
}

impl SesMailer {
    /// Mail from this address.
    pub fn new(sdk: &SdkConfig, sender: EmailAddress) -> Self {
        Self { client: Client::new(sdk), sender }
    }
}

#[async_trait]
impl Mailer for SesMailer {
    async fn send(&self, mail: &Mail) -> Result<(), StoreError> {
        let to = Destination::builder().to_addresses(mail.to().as_str()).build();
        let message = message(mail).map_err(unavailable(SEND))?;
        let content = EmailContent::builder().simple(message).build();
        let send = self.client.send_email().from_email_address(self.sender.as_str());
        match send.destination(to).content(content).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(is_refusal) => {
                Err(StoreError::Violates("mail_refused".to_owned()))
            }
            Err(error) => Err(unavailable(SEND)(error)),
        }
    }
}

/// Whether SES will never take this message, however often it is sent.
fn is_refusal(error: &SendEmailError) -> bool {
    error.is_message_rejected() || error.is_bad_request_exception()
}

fn message(mail: &Mail) -> Result<Message, BuildError> {
    let mut body = Body::builder().text(utf8(mail.text())?);
    if let Some(html) = mail.html() {
        body = body.html(utf8(html)?);
    }
    Ok(Message::builder().subject(utf8(mail.subject())?).body(body.build()).build())
}

fn utf8(text: &str) -> Result<Content, BuildError> {
    Content::builder().charset("UTF-8").data(text).build()
}
