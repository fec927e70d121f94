//! Who goes on: one thread, one task at a time, and the seed picks the next among those that could. A process that is lost takes
//! its tasks with it at one of their awaits, as a crash would.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use crate::chance::Dice;

/// The number of a process. Its tasks live and die together.
pub type Process = u32;

/// What a task does.
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One line of work.
pub struct Task {
    /// For the trace.
    pub name: String,
    /// The process it runs in; None for what is not part of Heddle and is never lost.
    pub process: Option<Process>,
    /// What it does.
    pub job: Job,
}

/// What the executor asks of the world that it plays.
pub trait Fate {
    /// A task is about to go on.
    fn turn_to(&self, name: &str);

    /// Whether this process is lost now, before one of its tasks goes on.
    fn is_lost(&self, process: Process) -> bool;

    /// Whether there is nothing more to see.
    fn is_over(&self) -> bool;
}

/// Plays tasks until the world is over.
#[derive(Default)]
pub struct Executor {
    spawned: Mutex<Vec<Task>>,
}

impl Executor {
    /// Adds a task, which begins when its turn comes.
    pub fn spawn(&self, name: impl Into<String>, process: Option<Process>, job: Job) {
        locked(&self.spawned).push(Task { name: name.into(), process, job });
    }

    /// Plays all tasks in the order that `dice` give.
    pub async fn play(&self, dice: &Dice, fate: &impl Fate) {
        let ready = Arc::new(Ready::default());
        let mut tasks = BTreeMap::new();
        let play = poll_fn(|root| {
            *locked(&ready.root) = Some(root.waker().clone());
            while !fate.is_over() {
                self.admit(&mut tasks, &ready);
                let Some(id) = ready.take(dice) else { return Poll::Pending };
                go_on(&mut tasks, id, fate);
            }
            Poll::Ready(())
        });
        // Else tokio would pause a busy instant after so many timers, in an order of its own.
        tokio::task::coop::unconstrained(play).await;
    }

    fn admit(&self, tasks: &mut BTreeMap<u64, Live>, ready: &Arc<Ready>) {
        for task in std::mem::take(&mut *locked(&self.spawned)) {
            let id = ready.next_id();
            let waker = Waker::from(Arc::new(TaskWaker { id, ready: Arc::clone(ready) }));
            waker.wake_by_ref();
            tasks.insert(id, Live { task, waker });
        }
    }
}

struct Live {
    task: Task,
    waker: Waker,
}

fn go_on(tasks: &mut BTreeMap<u64, Live>, id: u64, fate: &impl Fate) {
    let Some(live) = tasks.get_mut(&id) else { return };
    fate.turn_to(&live.task.name);
    if let Some(process) = live.task.process.filter(|process| fate.is_lost(*process)) {
        tasks.retain(|_, live| live.task.process != Some(process));
        return;
    }
    if live.task.job.as_mut().poll(&mut Context::from_waker(&live.waker)).is_ready() {
        tasks.remove(&id);
    }
}

/// The tasks that could go on.
#[derive(Default)]
struct Ready {
    ids: Mutex<Vec<u64>>,
    last: Mutex<u64>,
    root: Mutex<Option<Waker>>,
}

impl Ready {
    fn next_id(&self) -> u64 {
        let mut last = locked(&self.last);
        *last += 1;
        *last
    }

    fn take(&self, dice: &Dice) -> Option<u64> {
        let mut ids = locked(&self.ids);
        if ids.is_empty() {
            return None;
        }
        let at = dice.below(ids.len());
        Some(ids.swap_remove(at))
    }

    fn add(&self, id: u64) {
        let mut ids = locked(&self.ids);
        if !ids.contains(&id) {
            ids.push(id);
        }
        drop(ids);
        if let Some(root) = &*locked(&self.root) {
            root.wake_by_ref();
        }
    }
}

struct TaskWaker {
    id: u64,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.add(self.id);
    }
}

/// Gives others their turn.
pub async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
