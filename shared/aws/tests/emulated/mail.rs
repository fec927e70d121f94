//! Mail through the emulated SES.

use app::{
    conformance::mail::MailWorld,
    ports::{EmailAddress, Mail, Mailer, StoreError},
};
use async_trait::async_trait;
use aws::SesMailer;
use serde_json::Value;
use test_support::aws::{Emulator, fresh_name};

struct World {
    emulator: Emulator,
    sender: EmailAddress,
    mailer: SesMailer,
}

impl World {
    async fn new() -> Self {
        let emulator = Emulator::connect().await;
        let sender = EmailAddress::parse(&format!("{}@example.com", fresh_name("from"))).unwrap();
        let client = aws_sdk_sesv2::Client::new(&emulator.sdk);
        client.create_email_identity().email_identity(sender.as_str()).send().await.unwrap();
        let mailer = SesMailer::new(&emulator.sdk, sender.clone());
        Self { emulator, sender, mailer }
    }
}

#[async_trait]
impl MailWorld for World {
    fn mailer(&self) -> &dyn Mailer {
        &self.mailer
    }

    async fn sent(&self) -> Vec<Mail> {
        let sent: Value = serde_json::from_str(&self.emulator.inspect("/_ministack/ses/messages")).unwrap();
        let accounts = sent["messages"].as_object().unwrap();
        let messages = accounts.values().flat_map(|messages| messages.as_array().unwrap());
        let ours = messages.filter(|message| message["Source"] == self.sender.as_str());
        ours.map(mail).collect()
    }
}

/// A message as the emulator shows it.
fn mail(message: &Value) -> Mail {
    let text = |field: &str| message[field].as_str().unwrap();
    let to = EmailAddress::parse(message["To"][0].as_str().unwrap()).unwrap();
    let mail = Mail::new(to, text("Subject"), text("BodyText")).unwrap();
    match text("BodyHtml") {
        "" => mail,
        html => mail.with_html(html),
    }
}

app::mail_suite!(World::new());

#[tokio::test]
async fn a_mail_from_an_address_that_is_not_verified_is_refused_for_good() {
    let emulator = Emulator::connect().await;
    let nobody = EmailAddress::parse("nobody@unverified.example").unwrap();
    let mail = Mail::new(EmailAddress::parse("ada@example.com").unwrap(), "Hello", "Hello Ada").unwrap();
    let answer = SesMailer::new(&emulator.sdk, nobody).send(&mail).await;
    assert!(matches!(&answer, Err(StoreError::Violates(rule)) if rule == "mail_refused"), "{answer:?}");
}
