//! The function with all that it touches in memory.

use std::sync::Arc;

use app::{
    fakes::{
        ManualClock, MemoryAccounts, MemoryAnswers, MemoryChallenges, MemoryCounters, MemoryKeys,
        MemoryMailer, MemorySeats, MemorySecrets, MemorySessions, MemoryWeb, SequentialEntropy,
        SequentialIds,
    },
    ports::{Mail, Name, Web},
};
use auth::{State, router};
use axum::{Router, body::Body};
use domain::MemberId;
use heddle_http::{
    Gate, GatePorts,
    testing::{Answer, call, request_with},
};
use http::{HeaderValue, Request, header};
use identity::{Argon2Params, Identity, Ports, Realm};
use serde_json::{Value, json};

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) clock: Arc<ManualClock>,
    mailer: Arc<MemoryMailer>,
    accounts: Arc<MemoryAccounts>,
    pub(crate) seats: Arc<MemorySeats>,
    secrets: MemorySecrets,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::beside(Arc::new(MemoryWeb::default()))
    }

    /// A world with other servers in it.
    pub(crate) fn beside(web: Arc<dyn Web>) -> Self {
        let (clock, mailer) = (Arc::new(ManualClock::default()), Arc::new(MemoryMailer::default()));
        let (accounts, secrets) = (Arc::new(MemoryAccounts::default()), MemorySecrets::default());
        let counters = Arc::new(MemoryCounters::new(clock.clone()));
        let ports = Ports {
            accounts: accounts.clone(),
            sessions: Arc::new(MemorySessions::default()),
            challenges: Arc::new(MemoryChallenges::default()),
            counters: counters.clone(),
            mailer: mailer.clone(),
            web,
            secrets: Arc::new(secrets.clone()),
            clock: clock.clone(),
            ids: Arc::new(SequentialIds::default()),
            entropy: Arc::new(SequentialEntropy::default()),
        };
        let cheap = Argon2Params { memory_kib: 8, passes: 1, lanes: 1 };
        let identity = Arc::new(Identity::new(ports, Realm::of_stage("test"), cheap));
        let seats = Arc::new(MemorySeats::default());
        let gate = Gate::new(GatePorts {
            keys: Arc::new(MemoryKeys::default()),
            seats: seats.clone(),
            verifier: Arc::clone(identity.verifier()),
            counters,
            answers: Arc::new(MemoryAnswers::default()),
            clock: clock.clone(),
        });
        let state = State { identity, seats: seats.clone(), clock: clock.clone() };
        let router = router(state, gate, async || Ok(()));
        Self { router, clock, mailer, accounts, seats, secrets }
    }

    /// Configures the issuers that are trusted.
    pub(crate) fn trust(&self, providers: &Value) {
        self.secrets.replace(&Name::parse("oidc-providers").unwrap(), &providers.to_string());
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        call(&self.router, request_with("POST", &format!("/api/v1/auth/{path}"), "", body)).await
    }

    /// As a member with this access token.
    pub(crate) async fn send(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
        call(&self.router, with_token(method, path, token, body)).await
    }

    /// What was sent since the last call.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mailer.take()
    }

    /// Asks for a code and reads it from the mail.
    pub(crate) async fn code(&self, email: &str, purpose: &str) -> String {
        let asked = self.post("request-otp", &json!({"email": email, "purpose": purpose})).await;
        assert_eq!(asked.code(), 200, "{asked:?}");
        let mails = self.mails();
        let mut words = mails[0].text().split_whitespace();
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        words.find(is_code).unwrap().to_owned()
    }

    /// What somebody got who signed up.
    pub(crate) async fn signed_up(&self, email: &str) -> Value {
        let code = self.code(email, "signup").await;
        let body = json!({"email": email, "code": code, "password": PASSWORD, "first_name": "Ada"});
        let answer = self.post("verify-otp", &body).await;
        assert_eq!(answer.code(), 200, "{answer:?}");
        answer.body
    }

    pub(crate) fn deactivate(&self, user: &Value) {
        let member: MemberId = user["id"].as_str().unwrap().parse().unwrap();
        self.accounts.set_active(member, false).unwrap();
    }
}

/// A request to a path below `auth`, with an access token.
pub(crate) fn with_token(method: &str, path: &str, token: &str, body: Option<&Value>) -> Request<Body> {
    let path = format!("/api/v1/auth/{path}");
    let mut request = match body {
        Some(body) => request_with(method, &path, "", body),
        None => heddle_http::testing::request(method, &path, ""),
    };
    let field = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, field);
    request
}

/// The pointers of a problem's mistakes.
pub(crate) fn pointers(answer: &Answer) -> Vec<String> {
    answer.problem().errors.into_iter().map(|mistake| mistake.pointer).collect()
}
