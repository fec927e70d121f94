//! One run from its start, or from where it stands, to its end.

use std::{sync::Arc, time::Duration};

use app::{
    StartError, StartPorts, StartRun, Target,
    ports::{Hint, LoadedRun, RunEnds as _, RunStore, StepQueue as _, StoreError, Unlimited},
    start_run,
    story::Order,
};
use domain::{Priority, RunId, RunStatus, TeamId, Trigger, TriggerKind, WorkflowVersion};
use embedded::Embedded;
use engine::Run;
use runtime::{Boot, Env, SystemChance, SystemClock, SystemEntropy, TimeOrderedIds};
use serde_json::Value;
use tokio::{signal, sync::mpsc::UnboundedReceiver};

use super::{
    catalog::FileCatalog,
    event::{Accepted, Event},
    report::Report,
    story::Story,
    watched::{Committed, Watched},
};
use crate::{
    cli,
    exit::{Exit, Trouble, trouble},
    file::WorkflowFile,
    secrets,
    serve::housekeeping,
    stores::{self, Postgres},
    workers::{self, Crew},
};

/// How many branches of a workflow are worked on at a time.
const WORKERS: u32 = 8;

/// How often the run is looked at in case another process works on it too.
const LOOK: Duration = Duration::from_secs(1);

/// How long messages that are being acknowledged may take once the run has ended.
const GRACE: Duration = Duration::from_secs(2);

/// A process that is ready to work on a run.
pub(crate) struct Session<'a> {
    postgres: &'a Postgres,
    team: TeamId,
    json: bool,
    boot: Boot,
    embedded: Embedded,
    crew: Crew,
    commits: UnboundedReceiver<Committed>,
}

/// How following a run ended.
enum Followed {
    /// The run has ended.
    ToItsEnd,
    /// The user has had enough.
    Interrupted,
}

impl<'a> Session<'a> {
    /// Opens the stores and lets workers wait for work.
    pub(crate) async fn open(postgres: &'a Postgres, args: &cli::Run) -> Result<Self, Trouble> {
        let boot = Boot {
            env: Env::of_process(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(TimeOrderedIds),
            chance: Arc::new(SystemChance),
            entropy: Arc::new(SystemEntropy),
        };
        let mut embedded = postgres.open(stores::objects(&args.data)?, Arc::clone(&boot.ids)).await?;
        let (watched, commits) = Watched::new(Arc::clone(&embedded.store) as _);
        let egress = args.egress.egress_allow.clone();
        let conductor = workers::conductor(&embedded, Arc::new(watched), &boot);
        let deployment = secrets::deployment(&args.data)?;
        let vault = secrets::vault(deployment, postgres.catalog(), &boot);
        let crew = Crew::start(WORKERS, &embedded, conductor, egress, vault, &boot);
        embedded.start_alone();
        Ok(Self { postgres, team: args.team, json: args.json, boot, embedded, crew, commits })
    }

    /// Starts a run of the workflow and works on it.
    pub(crate) async fn run(self, workflow: &WorkflowFile, inputs: Value) -> Result<Exit, Trouble> {
        let version = workflow.version(self.team, self.boot.clock.as_ref());
        let report = self.report(&version);
        let store = &self.embedded.store;
        store.put_version(&version).await.map_err(|error| self.postgres.refuses(error))?;
        let ports = StartPorts {
            limits: &Unlimited,
            store: store.as_ref(),
            queue: self.embedded.queue.as_ref(),
            catalog: &FileCatalog(version.clone()),
            clock: self.boot.clock.as_ref(),
            ids: self.boot.ids.as_ref(),
        };
        let wish = StartRun {
            team_id: self.team,
            target: Target::Version(version.id),
            inputs,
            trigger: Trigger { kind: TriggerKind::Manual, by: None },
            service: None,
            priority: Priority::Default,
            idempotency_key: None,
        };
        let started = start_run(&ports, wish).await.map_err(|error| match error {
            StartError::Store(error) => self.postgres.refuses(error),
            other => trouble("the run can't be started")(other),
        })?;
        report.tell(&Event::RunAccepted(accepted(&started.run, &version)));
        self.finish(started.run, Story::new(Order::of(&version.graph)), &report).await
    }

    /// Goes on with a run of the team. One that has ended meanwhile is only told about.
    pub(crate) async fn resume(self, id: RunId) -> Result<Exit, Trouble> {
        let LoadedRun { run, records, .. } = self.load(id).await?;
        let version = self.embedded.store.version(self.team, run.version_id).await;
        let version = version.map_err(|error| self.postgres.refuses(error))?;
        let report = self.report(&version);
        report.tell(&Event::RunResumed(accepted(&run, &version)));
        let mut story = Story::new(Order::of(&version.graph));
        // What happened before was told before.
        story.read(&run, &records);
        report.show(&story);
        if !run.status.is_terminal() {
            self.remark_on(&run, &story, &report);
            self.embedded
                .queue
                .send(&[(Hint::at(&run), 0)])
                .await
                .map_err(|error| self.postgres.refuses(error))?;
        }
        self.finish(run, story, &report).await
    }

    /// Follows the run to its end and prints its result.
    async fn finish(mut self, run: Run, mut story: Story, report: &Report) -> Result<Exit, Trouble> {
        let followed = if run.status.is_terminal() {
            Ok(Followed::ToItsEnd)
        } else {
            self.follow(run.id, &mut story, report).await
        };
        match followed {
            Ok(Followed::ToItsEnd) => {}
            Ok(Followed::Interrupted) => {
                report.close();
                report.remark(&format!("Interrupted. {}", way_on(run.id)));
                return Ok(Exit::Interrupted);
            }
            Err(trouble) => {
                report.close();
                report.remark(&way_on(run.id));
                return Err(trouble);
            }
        }
        let LoadedRun { run, values, records } = self.load(run.id).await?;
        tell(report, story.read(&run, &records));
        report.close();
        report.tell(&Event::end_of(&run, engine::run_result(&run, &values)));
        // The last message is acknowledged, so that nobody has to look at this run again. If not, that is harmless.
        self.crew.finish(GRACE).await;
        let _ = self.embedded.flush().await;
        Ok(if run.status == RunStatus::Succeeded { Exit::Succeeded } else { Exit::Failed })
    }

    /// Tells what happens until the run has ended: what is committed here at once, what is committed elsewhere when it is seen.
    async fn follow(&mut self, id: RunId, story: &mut Story, report: &Report) -> Result<Followed, Trouble> {
        let interrupted = signal::ctrl_c();
        tokio::pin!(interrupted);
        let timers = housekeeping::fire_timers(&self.embedded, Arc::clone(&self.boot.clock));
        tokio::pin!(timers);
        loop {
            tokio::select! {
                biased;
                _ = &mut interrupted => return Ok(Followed::Interrupted),
                () = &mut timers => {}
                Some(Committed { run, records }) = self.commits.recv() => if run.id == id {
                    tell(report, story.hear(&run, &records));
                    report.show(story);
                    if run.status.is_terminal() {
                        return Ok(Followed::ToItsEnd);
                    }
                },
                () = self.embedded.ends.ended(id, LOOK) => {
                    let seen = self.embedded.store.load_control(self.team, id).await;
                    let seen = seen.map_err(|error| self.postgres.refuses(error))?;
                    if story.is_news(&seen) {
                        let LoadedRun { run, records, .. } = self.load(id).await?;
                        tell(report, story.read(&run, &records));
                        report.show(story);
                    }
                    if seen.status.is_terminal() {
                        return Ok(Followed::ToItsEnd);
                    }
                }
            }
        }
    }

    async fn load(&self, id: RunId) -> Result<LoadedRun, Trouble> {
        self.embedded.store.load(self.team, id).await.map_err(|error| match error {
            StoreError::NotFound => {
                Trouble::usage(format!("the team {} has no run {id} in this database", self.team))
            }
            other => self.postgres.refuses(other),
        })
    }

    fn report(&self, version: &WorkflowVersion) -> Report {
        Report::new(self.json, version.graph.nodes.iter().map(|node| node.key.as_str()))
    }

    /// Says what a resumed run waits for: a worker that was lost holds its node until the end of its lease.
    fn remark_on(&self, run: &Run, story: &Story, report: &Report) {
        let now = self.boot.clock.now();
        if let Some((_, lease)) = engine::next_lease(run, now) {
            let nodes: Vec<&str> = story.running().map(|(node, _)| node.as_str()).collect();
            let seconds = (lease - now).num_seconds() + 1;
            report
                .remark(&format!("{} was under way and may be tried again in {seconds} s", nodes.join(", ")));
        }
    }
}

fn tell(report: &Report, news: Vec<Event>) {
    for event in news {
        report.tell(&event);
    }
}

fn accepted(run: &Run, version: &WorkflowVersion) -> Accepted {
    Accepted {
        run_id: run.id,
        team_id: run.team_id,
        workflow_id: run.workflow_id,
        workflow_name: version.workflow_name.clone(),
        version_id: run.version_id,
        ts: run.created_on,
    }
}

/// How a run goes on that this process leaves.
fn way_on(id: RunId) -> String {
    format!(
        "The run is stored and goes on with `heddle run --resume {id}`, or under `heddle serve` on the same database."
    )
}
