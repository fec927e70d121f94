//! Signing in with all that it touches in memory.

use std::sync::Arc;

use app::{
    fakes::{
        ManualClock, MemoryAccounts, MemoryChallenges, MemoryCounters, MemoryMailer, MemorySecrets,
        MemorySessions, MemoryWeb, SequentialEntropy, SequentialIds,
    },
    ports::{Accounts as _, EmailAddress, Mail},
};
use domain::{MemberId, Timestamp};
use identity::{Argon2Params, Client, CodeAnswer, Identity, Ports, Purpose, Realm, SignInError, SignedIn};

/// As little as Argon2 takes: what it costs is not what is tested.
pub(crate) const CHEAP: Argon2Params = Argon2Params { memory_kib: 8, passes: 1, lanes: 1 };

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct World {
    pub(crate) identity: Identity,
    pub(crate) accounts: Arc<MemoryAccounts>,
    pub(crate) mailer: Arc<MemoryMailer>,
    pub(crate) secrets: MemorySecrets,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) web: Arc<MemoryWeb>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::at_cost(CHEAP)
    }

    pub(crate) fn at_cost(cost: Argon2Params) -> Self {
        let at = Timestamp::from_timestamp(1_770_000_000, 0).unwrap();
        let clock = Arc::new(ManualClock::at(at));
        let accounts = Arc::new(MemoryAccounts::default());
        let web = Arc::new(MemoryWeb::default());
        let (mailer, secrets) = (Arc::new(MemoryMailer::default()), MemorySecrets::default());
        let ports = Ports {
            accounts: accounts.clone(),
            sessions: Arc::new(MemorySessions::default()),
            challenges: Arc::new(MemoryChallenges::default()),
            counters: Arc::new(MemoryCounters::new(clock.clone())),
            mailer: mailer.clone(),
            web: web.clone(),
            secrets: Arc::new(secrets.clone()),
            clock: clock.clone(),
            ids: Arc::new(SequentialIds::default()),
            entropy: Arc::new(SequentialEntropy::default()),
        };
        let identity = Identity::new(ports, Realm::of_stage("test"), cost);
        Self { identity, accounts, mailer, secrets, clock, web }
    }

    /// Asks for a code and answers the mail that came.
    pub(crate) async fn ask(&self, email: &str, purpose: Purpose) -> Mail {
        self.identity.request_code(&address(email), purpose, &client(email)).await.unwrap();
        let [mail] = <[Mail; 1]>::try_from(self.mailer.take()).unwrap();
        mail
    }

    pub(crate) async fn answer(&self, email: &str, code: &str) -> Result<SignedIn, SignInError> {
        let answer = CodeAnswer { code: code.to_owned(), ..CodeAnswer::default() };
        self.identity.verify_code(&address(email), answer, &client(email)).await
    }

    /// An account that signed up with the password.
    pub(crate) async fn signed_up(&self, email: &str) -> SignedIn {
        let code = code_in(&self.ask(email, Purpose::Signup).await);
        let password = Some(PASSWORD.to_owned());
        let answer = CodeAnswer { code, password, first_name: "Ada".to_owned(), ..CodeAnswer::default() };
        self.identity.verify_code(&address(email), answer, &client(email)).await.unwrap()
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Result<SignedIn, SignInError> {
        self.identity.login(&address(email), password.to_owned(), &client(email)).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<SignedIn, SignInError> {
        self.identity.refresh(token, None, &Client::default()).await
    }

    pub(crate) async fn member(&self, email: &str) -> Option<MemberId> {
        self.accounts.by_email(email).await.ok().map(|account| account.member_id)
    }
}

pub(crate) fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// Each address asks from a place of its own.
pub(crate) fn client(email: &str) -> Client {
    let number = email.bytes().fold(1_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    Client { ip: Some([192, 0, 2, number].into()), user_agent: Some("test".to_owned()) }
}

/// The six digits in a mail.
pub(crate) fn code_in(mail: &Mail) -> String {
    let mut words = mail.text().split_whitespace();
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    words.find(is_code).unwrap_or_else(|| panic!("no code in {}", mail.text())).to_owned()
}

pub(crate) fn is_refused<T>(answer: &Result<T, SignInError>) -> bool {
    matches!(answer, Err(SignInError::Refused))
}
