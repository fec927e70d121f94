//! Rules of mailers.

use async_trait::async_trait;

use crate::ports::{EmailAddress, Mail, Mailer};

/// A mailer, and the mail that went through it.
#[async_trait]
pub trait MailWorld: Send + Sync {
    /// The mailer; no other test sends through it.
    fn mailer(&self) -> &dyn Mailer;

    /// What was sent, in any order, as a recipient's program reads it: with `\n` between lines and without one after the last.
    async fn sent(&self) -> Vec<Mail>;
}

fn mail(to: &str, subject: &str, text: &str) -> Mail {
    Mail::new(EmailAddress::parse(to).unwrap(), subject, text).unwrap()
}

pub async fn a_mail_arrives_as_it_was_sent(world: &dyn MailWorld) {
    let text = format!(
        "Grüße, Ada!\n\n.\n.hidden\nFrom here on: {}\n=3D\ttab \u{1F600}\nend",
        "long line ".repeat(300)
    );
    let mail = mail(
        "ada.l+tag@example.com",
        "Ihr Code für Heddle: 123456 \u{1F600}, \"bitte\" <nicht> weitergeben",
        &text,
    );
    world.mailer().send(&mail).await.unwrap();
    assert_eq!(world.sent().await, [mail]);
}

pub async fn html_stands_beside_the_text(world: &dyn MailWorld) {
    let html = "<!doctype html><p title=\"ü\">Hello&nbsp;Ada, <a href=\"https://example.com/?a=1&amp;b=2\">go</a></p>";
    let mail = mail("ada@example.com", "Hello", "Hello Ada").with_html(html);
    world.mailer().send(&mail).await.unwrap();
    assert_eq!(world.sent().await, [mail]);
}

pub async fn a_subject_of_the_greatest_length_stays_one_line(world: &dyn MailWorld) {
    for subject in ["ü".repeat(Mail::SUBJECT_MAX), "word ".repeat(Mail::SUBJECT_MAX / 5 - 1) + "end."] {
        let mail = mail("ada@example.com", &subject, "Hello");
        world.mailer().send(&mail).await.unwrap();
        assert!(world.sent().await.contains(&mail), "{subject}");
    }
}

pub async fn each_mail_is_a_message_of_its_own(world: &dyn MailWorld) {
    let mails = [
        mail("ada@example.com", "Code", "1"),
        mail("ada@example.com", "Code", "1"),
        mail("grace@example.com", "Code", "2"),
    ];
    for mail in &mails {
        world.mailer().send(mail).await.unwrap();
    }
    let mut sent = world.sent().await;
    sent.sort_by_key(|mail| mail.to().to_string());
    assert_eq!(sent, mails);
}
