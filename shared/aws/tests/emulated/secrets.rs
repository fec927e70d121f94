//! Deployment secrets in the emulated Secrets Manager.

use app::ports::{DeploymentSecrets as _, Name};
use aws::Secrets;
use test_support::aws::{Emulator, fresh_name};

async fn two_users() -> [Secrets; 2] {
    let (emulator, prefix) = (Emulator::connect().await, fresh_name("heddle"));
    [(); 2].map(|()| Secrets::under(&emulator.sdk, format!("{prefix}/")))
}

app::secrets_suite!(two_users());

#[tokio::test]
async fn a_secret_is_asked_for_once_whoever_made_it() {
    let emulator = Emulator::connect().await;
    let secrets = Secrets::under(&emulator.sdk, format!("{}/", fresh_name("heddle")));
    let name = Name::parse("pepper").unwrap();
    let (made, read) = tokio::join!(secrets.create_if_absent(&name, "x"), secrets.read(&name));
    assert_eq!((&*made.unwrap(), &*read.unwrap()), ("x", "x"));
    let requests: Vec<_> = emulator.requests.take().into_iter().collect();
    assert_eq!(requests, [("CreateSecret".to_owned(), 1)]);
}

#[tokio::test]
async fn a_secret_whose_creators_answer_was_lost_is_the_one_that_was_made() {
    let emulator = Emulator::connect().await;
    let secrets = Secrets::under(&emulator.sdk, format!("{}/", fresh_name("heddle")));
    emulator.requests.lose_answer_of("CreateSecret");
    let made = secrets.create_if_absent(&Name::parse("pepper").unwrap(), "x").await;
    assert_eq!(&*made.unwrap(), "x");
}
