//! Following a run: its events as they come, each once.

use std::{collections::VecDeque, time::Duration};

use app::{
    ports::{FollowedRun, StoreError},
    story::{self, EventId, Order},
};
use domain::{RunId, TeamId};
use engine::Revision;

use crate::{State, views::EventView};

/// Pauses between two looks at a run of which nothing is heard grow from the first to the last, and begin anew when it moves.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Where a run's follower stands.
pub(crate) struct Tail {
    state: State,
    team: TeamId,
    run: RunId,
    order: Order,
    following: Box<dyn FollowedRun>,
    /// The last event that was handed out or was known to the client.
    seen: Option<EventId>,
    /// The commit up to which events were read.
    read: Option<Revision>,
    has_ended: bool,
    events: VecDeque<EventView>,
    pause: Duration,
}

impl Tail {
    /// Follows the run from what comes after `seen`, or from its acceptance, and reads what is there.
    pub(crate) async fn begin(
        state: State,
        team: TeamId,
        run: RunId,
        order: Order,
        seen: Option<EventId>,
    ) -> Result<Self, StoreError> {
        // Before the first look: what is committed from now on is either seen by it, or heard of after it.
        let following = state.moves.follow(run);
        let mut tail = Self {
            state,
            team,
            run,
            order,
            following,
            seen,
            read: None,
            has_ended: false,
            events: VecDeque::new(),
            pause: FIRST_PAUSE,
        };
        tail.read().await?;
        Ok(tail)
    }

    /// Whether the client knows a commit that the run has not come to. Then it means another run.
    pub(crate) fn is_ahead(&self) -> bool {
        self.seen.map(|seen| seen.revision) > self.read
    }

    /// Whether the client knows everything that there will ever be.
    pub(crate) fn is_over(&self) -> bool {
        self.has_ended && self.events.is_empty()
    }

    /// The next event that is there already.
    pub(crate) fn take(&mut self) -> Option<EventView> {
        self.events.pop_front()
    }

    /// Waits for a while, and looks whether the run has moved. Nothing is lost by giving up waiting.
    pub(crate) async fn wait(&mut self) -> Result<(), StoreError> {
        self.following.moved(self.pause).await;
        let control = self.state.store.load_control(self.team, self.run).await?;
        if Some(control.revision) > self.read {
            self.pause = FIRST_PAUSE;
            return self.read().await;
        }
        self.pause = (self.pause * 3 / 2).min(LAST_PAUSE);
        Ok(())
    }

    async fn read(&mut self) -> Result<(), StoreError> {
        let (run, records) = self.state.store.load_records(self.team, self.run).await?;
        let events = story::of(&run, &records, &self.order);
        let news = events.iter().filter(|event| Some(event.id) > self.seen);
        self.events.extend(news.map(|event| EventView::of(event, run.created_on)));
        self.seen = self.seen.max(events.last().map(|event| event.id));
        self.read = Some(run.revision);
        self.has_ended = run.status.is_terminal();
        Ok(())
    }
}
