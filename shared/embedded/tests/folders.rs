//! The adapters on the file system.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

/// Names and permissions of what is in a folder.
fn files(folder: &Path) -> Vec<(String, u32)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().permissions().mode() & 0o777)
        })
        .collect();
    files.sort();
    files
}

mod secrets {
    use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

    use app::ports::{DeploymentSecrets, Name, StoreError};
    use async_trait::async_trait;
    use embedded::FolderSecrets;
    use tempfile::TempDir;

    /// Secrets with the folder that they live in.
    struct User(FolderSecrets, #[expect(dead_code, reason = "keeps the folder")] Arc<TempDir>);

    #[async_trait]
    impl DeploymentSecrets for User {
        async fn read(&self, name: &Name) -> Result<Arc<str>, StoreError> {
            self.0.read(name).await
        }

        async fn read_again(&self, name: &Name) -> Result<Arc<str>, StoreError> {
            self.0.read_again(name).await
        }

        async fn create_if_absent(&self, name: &Name, text: &str) -> Result<Arc<str>, StoreError> {
            self.0.create_if_absent(name, text).await
        }
    }

    fn two_users() -> [User; 2] {
        let folder = Arc::new(TempDir::new().unwrap());
        [(); 2].map(|()| User(FolderSecrets::open(folder.path()).unwrap(), folder.clone()))
    }

    app::secrets_suite!(async { two_users() });

    #[tokio::test]
    async fn only_the_owner_can_read_and_no_unfinished_file_stays() {
        let parent = TempDir::new().unwrap();
        let folder = parent.path().join("var/secrets");
        let secrets = FolderSecrets::open(&folder).unwrap();
        let pepper = Name::parse("pepper").unwrap();
        for text in ["first", "second"] {
            secrets.create_if_absent(&pepper, text).await.unwrap();
        }
        assert_eq!(super::files(&folder), [("pepper".to_owned(), 0o600)]);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read(folder.join("pepper")).unwrap(), b"first");
    }

    #[tokio::test]
    async fn a_folder_that_is_gone_is_unavailable_to_creators() {
        let folder = TempDir::new().unwrap();
        let secrets = FolderSecrets::open(folder.path()).unwrap();
        folder.close().unwrap();
        let answer = secrets.create_if_absent(&Name::parse("pepper").unwrap(), "x").await;
        assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
    }
}

mod mailbox {
    use std::{fs, path::PathBuf, sync::Arc};

    use app::{
        conformance::mail::MailWorld,
        fakes::{ManualClock, SequentialIds},
        ports::{EmailAddress, Mail, Mailer},
    };
    use async_trait::async_trait;
    use embedded::Mailbox;
    use mailparse::{MailHeaderMap as _, ParsedMail};
    use tempfile::TempDir;

    struct World {
        mailbox: Mailbox,
        folder: TempDir,
    }

    impl World {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let sender = EmailAddress::parse("no-reply@heddle.example.com").unwrap();
            let (clock, ids) = (Arc::new(ManualClock::default()), Arc::new(SequentialIds::default()));
            Self { mailbox: Mailbox::open(folder.path(), sender, clock, ids).unwrap(), folder }
        }

        fn messages(&self) -> Vec<Vec<u8>> {
            let files = super::files(self.folder.path());
            let paths: Vec<PathBuf> = files.iter().map(|(name, _)| self.folder.path().join(name)).collect();
            paths.iter().map(|path| fs::read(path).unwrap()).collect()
        }
    }

    #[async_trait]
    impl MailWorld for World {
        fn mailer(&self) -> &dyn Mailer {
            &self.mailbox
        }

        async fn sent(&self) -> Vec<Mail> {
            self.messages().iter().map(|message| mail(&mailparse::parse_mail(message).unwrap())).collect()
        }
    }

    /// What a mail program shows of a message.
    fn mail(message: &ParsedMail) -> Mail {
        let header = |name| message.headers.get_first_value(name).unwrap();
        let to = EmailAddress::parse(&header("To")).unwrap();
        let part = |mimetype: &str| {
            let is_it = |part: &&ParsedMail| part.ctype.mimetype == mimetype;
            let part = message.parts().find(is_it)?;
            Some(part.get_body().unwrap().replace("\r\n", "\n").trim_end_matches('\n').to_owned())
        };
        let mail = Mail::new(to, &header("Subject"), &part("text/plain").unwrap()).unwrap();
        match part("text/html") {
            Some(html) => mail.with_html(&html),
            None => mail,
        }
    }

    app::mail_suite!(async { World::new() });

    #[tokio::test]
    async fn a_message_is_a_complete_file_named_after_its_time() {
        let world = World::new();
        let to = EmailAddress::parse("ada@example.com").unwrap();
        world.mailbox.send(&Mail::new(to, "Hello", "Hello Ada").unwrap()).await.unwrap();
        let name = "20260202T024000.000Z-01900000-0000-7000-8000-000000000001.eml";
        assert_eq!(super::files(world.folder.path()), [(name.to_owned(), 0o600)]);
        let message = String::from_utf8(world.messages().remove(0)).unwrap();
        for header in [
            "From: no-reply@heddle.example.com\r\n",
            "To: ada@example.com\r\n",
            "Subject: Hello\r\n",
            "Date: Mon, 02 Feb 2026 02:40:00 +0000\r\n",
            "Message-ID: <01900000-0000-7000-8000-000000000001@heddle.example.com>\r\n",
            "MIME-Version: 1.0\r\n",
        ] {
            assert!(message.contains(header), "{header} in {message}");
        }
        assert!(message.ends_with("\r\n\r\nHello Ada\r\n"), "{message}");
    }
}
