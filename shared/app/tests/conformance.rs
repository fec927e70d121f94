//! The fakes pass the suites of their ports.

mod run_store {
    use app::fakes::MemoryRunStore;

    app::run_store_suite!(async { MemoryRunStore::default() });
}

mod ended_runs {
    use app::fakes::MemoryRunStore;

    app::ended_runs_suite!(async { MemoryRunStore::default() });
}

mod exports {
    use app::fakes::MemoryExports;

    app::exports_suite!(async { MemoryExports::default() });
}

mod blobs {
    use app::fakes::MemoryBlobs;

    app::blobs_suite!(async { MemoryBlobs::default() });
}

mod timers {
    use std::sync::Arc;

    use app::{
        conformance::timers::TimerWorld,
        fakes::{ManualClock, MemorySink, MemoryTimers},
        ports::{Clock, Fired, Timers},
    };
    use async_trait::async_trait;
    use domain::Timestamp;

    struct World {
        clock: Arc<ManualClock>,
        timers: MemoryTimers,
        arrived: MemorySink,
    }

    impl World {
        fn new() -> Self {
            let clock = Arc::new(ManualClock::default());
            Self { timers: MemoryTimers::new(clock.clone()), clock, arrived: MemorySink::default() }
        }
    }

    #[async_trait]
    impl TimerWorld for World {
        fn timers(&self) -> &dyn Timers {
            &self.timers
        }

        fn now(&self) -> Timestamp {
            self.clock.now()
        }

        async fn pass_to(&self, then: Timestamp) -> Vec<Fired> {
            self.clock.advance_to(then);
            self.timers.fire_due(&self.arrived).await.expect("the sink takes all");
            self.arrived.take()
        }
    }

    app::timers_suite!(async { World::new() });
}

mod secrets {
    use app::fakes::MemorySecrets;

    fn two_users() -> [MemorySecrets; 2] {
        let secrets = MemorySecrets::default();
        [secrets.clone(), secrets]
    }

    app::secrets_suite!(async { two_users() });
}

mod mail {
    use app::{
        conformance::mail::MailWorld,
        fakes::MemoryMailer,
        ports::{Mail, Mailer},
    };
    use async_trait::async_trait;

    struct World(MemoryMailer);

    #[async_trait]
    impl MailWorld for World {
        fn mailer(&self) -> &dyn Mailer {
            &self.0
        }

        async fn sent(&self) -> Vec<Mail> {
            self.0.take()
        }
    }

    app::mail_suite!(async { World(MemoryMailer::default()) });
}

mod counters {
    use std::sync::Arc;

    use app::fakes::{ManualClock, MemoryCounters};

    fn with_clock() -> (MemoryCounters, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        (MemoryCounters::new(clock.clone()), clock)
    }

    app::counters_suite!(async { with_clock() });
}

mod step_queue {
    use app::fakes::MemoryQueue;

    app::step_queue_suite!(async { MemoryQueue::default() });

    #[tokio::test]
    async fn teams_take_turns() {
        app::conformance::step_queue::teams_take_turns(&MemoryQueue::default()).await;
    }

    #[tokio::test]
    async fn a_class_goes_before_the_next_and_teams_take_turns_in_it() {
        let queue = MemoryQueue::default();
        app::conformance::step_queue::a_class_goes_before_the_next_and_teams_take_turns_in_it(&queue).await;
    }

    #[tokio::test]
    async fn no_class_starves() {
        app::conformance::step_queue::no_class_starves(&MemoryQueue::default()).await;
    }
}

mod dead_letters {
    use app::fakes::MemoryQueue;

    app::dead_letters_suite!(async { MemoryQueue::default() });
}

mod annotations {
    use app::{
        conformance::annotations::AnnotationWorld,
        fakes::{MemoryAnnotations, team},
        ports::Annotations,
    };
    use async_trait::async_trait;
    use domain::TeamId;

    struct World(MemoryAnnotations);

    #[async_trait]
    impl AnnotationWorld for World {
        fn annotations(&self) -> &dyn Annotations {
            &self.0
        }

        async fn team(&self) -> TeamId {
            team()
        }
    }

    app::annotations_suite!(async { World(MemoryAnnotations::default()) });
}

mod admissions {
    use app::fakes::MemoryAdmissions;

    app::admissions_suite!(async { MemoryAdmissions::default() });
}

mod step_slots {
    use app::fakes::MemoryAdmissions;

    app::step_slots_suite!(async { MemoryAdmissions::default() });
}

mod kept_answers {
    use app::fakes::MemoryAnswers;

    app::kept_answers_suite!(async { MemoryAnswers::default() });
}

mod challenges {
    use app::fakes::MemoryChallenges;

    app::challenges_suite!(async { MemoryChallenges::default() });
}

mod accounts {
    use app::fakes::MemoryAccounts;

    app::accounts_suite!(async { MemoryAccounts::default() });
}

mod sessions {
    use app::{conformance::sessions::SessionWorld, fakes::MemorySessions};
    use domain::UserId;
    use uuid::Uuid;

    app::sessions_suite!(async {
        let users = [1, 2].map(|number| UserId::new(Uuid::from_u128(number)));
        SessionWorld { sessions: MemorySessions::default(), users, keep: () }
    });
}

mod sealed_secrets {
    use std::sync::atomic::{AtomicI64, Ordering};

    use app::{
        conformance::sealed_secrets::SealedWorld,
        fakes::{MemorySecretCatalog, MemorySecretCopies},
        ports::{Act, DataKey, SealedSecret, SealedSecrets, SecretCatalog as _, SecretCopies as _},
    };
    use async_trait::async_trait;
    use domain::{TeamId, Timestamp};
    use uuid::Uuid;

    const TEAMS: [TeamId; 2] = [TeamId::new(Uuid::from_u128(1)), TeamId::new(Uuid::from_u128(2))];

    const ACT: Act = Act::of_system(Uuid::nil(), Timestamp::UNIX_EPOCH);

    #[derive(Default)]
    struct Kept(MemorySecretCatalog);

    #[async_trait]
    impl SealedWorld for Kept {
        fn sealed(&self) -> &dyn SealedSecrets {
            &self.0
        }

        fn teams(&self) -> [TeamId; 2] {
            TEAMS
        }

        async fn put(&self, team: TeamId, secret: &SealedSecret, key: &DataKey) {
            if !self.0.data_keys(team).await.expect("a fake in memory").contains(key) {
                self.0.data_key_insert(team, key).await.expect("a fake in memory");
            }
            self.0.secret_insert(team, Uuid::nil(), secret, "", &ACT).await.expect("a fake in memory");
        }

        async fn delete(&self, team: TeamId, name: &str) {
            self.0.secret_delete(team, name, &ACT).await.expect("a fake in memory");
        }
    }

    app::sealed_secrets_suite!(async { Kept::default() });

    #[derive(Default)]
    struct Copies(MemorySecretCopies, AtomicI64);

    #[async_trait]
    impl SealedWorld for Copies {
        fn sealed(&self) -> &dyn SealedSecrets {
            &self.0
        }

        fn teams(&self) -> [TeamId; 2] {
            TEAMS
        }

        async fn put(&self, team: TeamId, secret: &SealedSecret, key: &DataKey) {
            self.0
                .put(team, self.1.fetch_add(1, Ordering::Relaxed), secret, key)
                .await
                .expect("a fake in memory");
        }

        async fn delete(&self, team: TeamId, name: &str) {
            self.0
                .remove(team, self.1.fetch_add(1, Ordering::Relaxed), name)
                .await
                .expect("a fake in memory");
        }
    }

    mod copies {
        use super::*;

        app::sealed_secrets_suite!(async { Copies::default() });
        app::secret_copies_suite!(async { MemorySecretCopies::default() });
    }
}
