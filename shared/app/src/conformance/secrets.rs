//! Rules of deployment secrets. Each is given the same secrets as two processes see them.

use futures::future::join_all;

use crate::ports::{DeploymentSecrets, Name, StoreError};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub async fn a_secret_is_read_back_as_it_is([creator, reader]: &[impl DeploymentSecrets; 2]) {
    let long = "x".repeat(65_536);
    for (number, text) in ["s3cret", " ä\u{1F600}\r\n\n", "{\"a\": 1}", &long].into_iter().enumerate() {
        let name = name(&format!("Key_{number}.current"));
        assert_eq!(&*creator.create_if_absent(&name, text).await.unwrap(), text);
        assert_eq!(&*reader.read(&name).await.unwrap(), text);
        assert_eq!(&*creator.read(&name).await.unwrap(), text);
        assert_eq!(&*creator.read_again(&name).await.unwrap(), text);
    }
}

pub async fn a_secret_that_does_not_exist_is_not_found([reader, creator]: &[impl DeploymentSecrets; 2]) {
    let name = name("pepper");
    let answer = reader.read(&name).await;
    assert!(matches!(answer, Err(StoreError::NotFound)), "{answer:?}");
    assert!(matches!(reader.read_again(&name).await, Err(StoreError::NotFound)));
    creator.create_if_absent(&name, "now").await.unwrap();
    assert_eq!(&*reader.read(&name).await.unwrap(), "now", "that it was absent is not remembered");
}

pub async fn the_first_text_stays([first, second]: &[impl DeploymentSecrets; 2]) {
    let name = name("pepper");
    first.create_if_absent(&name, "first").await.unwrap();
    assert_eq!(&*second.create_if_absent(&name, "second").await.unwrap(), "first");
    assert_eq!(&*first.create_if_absent(&name, "third").await.unwrap(), "first");
    assert_eq!(&*second.read(&name).await.unwrap(), "first");
}

pub async fn of_creators_at_once_one_wins_and_all_get_its_text(users: &[impl DeploymentSecrets; 2]) {
    let name = name("signing-key");
    let texts: Vec<String> = (0..16).map(|number| format!("key {number}")).collect();
    let creations =
        texts.iter().zip(users.iter().cycle()).map(|(text, user)| user.create_if_absent(&name, text));
    let answers: Vec<_> = join_all(creations).await.into_iter().map(Result::unwrap).collect();
    assert!(texts.iter().any(|text| **text == *answers[0]));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}
