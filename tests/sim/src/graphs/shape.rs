//! What a node does, told without expressions, so that the reference needs no engine to follow it.

use domain::NodeKey;

/// A node and the edges that lead to it. Nodes are named by their place; edges lead from lower places to higher ones, so that
/// the order of the document is the order of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// What it does.
    pub does: Does,
    /// What its failure means.
    pub on_error: OnError,
    /// The edges that lead to it.
    pub edges: Vec<Edge>,
}

/// An edge, seen from its child: the parent, and the label.
pub type Edge = (usize, Option<&'static str>);

/// What a node does with its input.
#[derive(Debug, Clone, PartialEq)]
pub enum Does {
    /// `advanced`: puts it into an object.
    Wrap,
    /// `map` without items: puts it into a list.
    Pair,
    /// `map` with items: the squares of so many numbers.
    Squares(i64),
    /// `filter`: of the numbers up to ten, those above.
    Above(i64),
    /// `split` with `items`: the numbers up to seven in batches.
    Batches(usize),
    /// `split` with `parts`: hands out the input as `l` and the node's place as `r`.
    Parts,
    /// `advanced`: what an ancestor gave.
    Recall(usize),
    /// `advanced`: time and id of the run.
    Record,
    /// `if_else` with a condition.
    Choose(Condition),
    /// `if_else` with the cases `low` and `mid` by the run's `n`, and perhaps the default `high`.
    Cases {
        /// Below this it is low.
        low: i64,
        /// Else, below this, it is mid.
        mid: i64,
        /// Whether the rest is high; else no label is chosen.
        has_default: bool,
    },
    /// `advanced`: fails.
    Fail,
    /// `advanced`: gives what its `structured_output` does not allow.
    Mismatch,
    /// `merge`.
    Merge(Join),
    /// `wait`: so many seconds.
    Wait(u32),
    /// `return`, of the input or of an object with it.
    Return {
        /// Whether it is an object.
        is_object: bool,
    },
    /// `get_api` or `post_api`.
    Call(Call),
    /// `workflow`.
    Run(Sub),
    /// `for_each`.
    Each(Each),
    /// `approval`.
    Ask(Ask),
    /// `advanced`, in a body: the item with its place.
    Item,
    /// `advanced`, in a body: what a node around it gave.
    Around(usize),
}

/// A run of another workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Sub {
    /// The number of the workflow.
    pub flow: u32,
    /// Whether that asks for an object with a whole number `n`.
    pub is_typed: bool,
    /// Whether it is given that, and not just what the node gets.
    pub is_fit: bool,
    /// Seconds that it is waited for.
    pub timeout_s: Option<u32>,
}

/// Something for each item of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Each {
    /// The items are the numbers from 1 up to this; None for up to the run's `n`.
    pub count: Option<usize>,
    /// The most that are in work at a time; None is 10.
    pub max_concurrency: Option<u32>,
    /// What a failed item means.
    pub on_item_error: ItemError,
    /// What is done for an item.
    pub body: Vec<Shape>,
    /// Whether that is one `workflow`, written as fields of the `for_each`.
    pub is_workflow: bool,
    /// Seconds that the items are waited for.
    pub timeout_s: Option<u32>,
}

/// What a failed item means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemError {
    /// The node fails.
    Fail,
    /// It is left out.
    Skip,
    /// Its place holds the error.
    Collect,
}

/// A question to people.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// How many have to approve.
    pub quorum: u32,
    /// How long it stays open, if not for ever.
    pub timeout: Option<Timeout>,
}

/// The end of an approval that people have not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    /// After so many seconds.
    pub after_s: u32,
    /// What is decided then; None for a failure.
    pub approves: Option<bool>,
}

/// A condition on the inputs of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Always the same.
    Is(bool),
    /// Whether `n` is above.
    Above(i64),
}

/// The mode of a `merge`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// By the parents' keys.
    Object,
    /// One list.
    Append,
    /// The first live parent.
    Any,
}

/// What a failure of a node means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// The run fails.
    Fail,
    /// The node's place is its output.
    Continue,
    /// The edge labelled `error` takes it further.
    Branch,
}

/// A call of an effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Whether it is a `post_api`.
    pub posts: bool,
    /// How the other side answers.
    pub temper: Temper,
    /// Seconds an attempt may take; None is 30.
    pub timeout_s: Option<u32>,
    /// Retries and their delays; None is three after 5, 30 and 120 s.
    pub retry: Option<(u32, Vec<u32>)>,
    /// Whether a template of it fails, so that no call is ever made.
    pub is_broken: bool,
    /// Whether the answer is not what `structured_output` allows.
    pub mismatches: bool,
}

/// How the other side of a call answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    /// Well and soon.
    Steady,
    /// Every other time with a failure that passes.
    Flaky,
    /// Always with a failure that might pass.
    Down,
    /// With a failure that does not pass.
    Refusing,
    /// Often not in time.
    Slow,
    /// Sometimes in no way that the connector notices in time.
    Deaf,
}

impl Call {
    /// Seconds that an attempt may take.
    pub fn seconds(&self) -> u32 {
        self.timeout_s.unwrap_or(30)
    }

    /// Retries after the first attempt.
    pub fn max_retries(&self) -> u32 {
        self.retry.as_ref().map_or(3, |(most, _)| *most)
    }

    /// The longest wait before a retry, in seconds.
    pub fn longest_delay_s(&self) -> u32 {
        let longest = self.retry.as_ref().and_then(|(_, delays)| delays.iter().max().copied());
        longest.unwrap_or(120)
    }
}

impl Each {
    /// How many items there are in a run that was started with this `n`.
    pub fn items(&self, n: Option<i64>) -> usize {
        self.count.unwrap_or_else(|| n.and_then(|n| usize::try_from(n).ok()).unwrap_or_default())
    }

    /// The most items that are in work at a time.
    pub fn at_once(&self) -> usize {
        self.max_concurrency.unwrap_or(10) as usize
    }

    /// How the nodes of its body are called, where it is called so itself.
    pub fn names(&self, outer: Names) -> Names {
        match (self.is_workflow, outer) {
            (true, _) | (_, Names::Workflow) => Names::Workflow,
            (false, Names::Deep(depth)) => Names::Deep(depth + 1),
        }
    }
}

/// How the nodes of a graph are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// By a letter for how deep the graph stands in others, and their place.
    Deep(usize),
    /// The one node of a `for_each` that runs a workflow.
    Workflow,
}

const LETTERS: [&str; 3] = ["n", "b", "c"];

impl Names {
    /// The key of a node.
    pub fn key(self, i: usize) -> NodeKey {
        match self {
            Self::Deep(depth) => NodeKey::new(format!("{}{i}", LETTERS[depth])),
            Self::Workflow => NodeKey::from("workflow"),
        }
    }

    /// The place of a node.
    pub fn place(self, key: &str) -> Option<usize> {
        match self {
            Self::Deep(depth) => key.strip_prefix(LETTERS[depth])?.parse().ok(),
            Self::Workflow => (key == "workflow").then_some(0),
        }
    }
}

impl Does {
    /// The labels that its out-edges may carry besides `error`, None standing for an edge without one.
    pub fn labels(&self) -> &'static [Option<&'static str>] {
        match self {
            Self::Choose(_) => &[Some("true"), Some("false")],
            Self::Cases { has_default: true, .. } => &[Some("low"), Some("mid"), Some("high")],
            Self::Cases { has_default: false, .. } => &[Some("low"), Some("mid")],
            Self::Parts => &[Some("l"), Some("r"), None],
            Self::Ask(_) => &[Some("approved"), Some("rejected")],
            Self::Return { .. } => &[],
            _ => &[None],
        }
    }

    /// The call, if it is one.
    pub fn as_call(&self) -> Option<&Call> {
        match self {
            Self::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The runs of another workflow, if it is that.
    pub fn as_run(&self) -> Option<&Sub> {
        match self {
            Self::Run(sub) => Some(sub),
            _ => None,
        }
    }

    /// What it does for each item, if it does.
    pub fn as_each(&self) -> Option<&Each> {
        match self {
            Self::Each(each) => Some(each),
            _ => None,
        }
    }

    /// The question, if it is one.
    pub fn as_ask(&self) -> Option<&Ask> {
        match self {
            Self::Ask(ask) => Some(ask),
            _ => None,
        }
    }
}
