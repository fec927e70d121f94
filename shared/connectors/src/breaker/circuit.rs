//! One circuit as a state machine. Knows neither the wall clock nor other processes: both are told to it.

use chrono::TimeDelta;
use domain::Timestamp;

/// Failures in a row that open a circuit.
pub(super) const THRESHOLD: u32 = 5;

/// How long a circuit stays open at first; twice as long each time that its probe fails.
pub(super) const COOL_OFF: TimeDelta = TimeDelta::seconds(10);

/// How long it stays open at most.
pub(super) const MAX_COOL_OFF: TimeDelta = TimeDelta::minutes(5);

/// How long a host that answered counts as one that does.
pub(super) const TRUST: TimeDelta = TimeDelta::minutes(1);

/// What is known of one host, as one team sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Circuit {
    state: State,
    /// Since the host answered last, how often the circuit has opened.
    openings: u32,
    answered_on: Option<Timestamp>,
    /// When something was learnt of the host.
    heard_on: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Calls pass.
    Closed {
        /// Failures since the last answer.
        failures: u32,
    },
    /// Calls are refused.
    Open {
        /// When a probe may find out whether the host has recovered.
        until: Timestamp,
    },
    /// One call is on its way to find out, and others are refused.
    HalfOpen {
        /// When the probe counts as lost.
        until: Timestamp,
    },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// Whether a call may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// It may.
    Pass,
    /// It is the probe.
    Probe,
    /// It is refused until then.
    Refused(Timestamp),
}

impl Circuit {
    /// Lets a call that takes at most `longest` in, or not. A probe that is never heard of again is replaced after that time.
    pub(super) fn enter(&mut self, now: Timestamp, longest: TimeDelta) -> Entry {
        match self.state {
            State::Closed { .. } => Entry::Pass,
            State::Open { until } | State::HalfOpen { until } if now < until => Entry::Refused(until),
            State::Open { .. } | State::HalfOpen { .. } => {
                self.state = State::HalfOpen { until: now + longest };
                Entry::Probe
            }
        }
    }

    /// The host answered. Tells whether the circuit was open until now.
    pub(super) fn answered(&mut self, now: Timestamp) -> bool {
        let was_closed = matches!(self.state, State::Closed { .. });
        *self = Self { answered_on: Some(now), heard_on: Some(now), ..Self::default() };
        !was_closed
    }

    /// The host failed, for the `known`-th time lately where every process is counted, and perhaps asked for a pause.
    /// Answers until when the circuit is open, if this failure opened it.
    ///
    /// A process that has heard of the host within [`TRUST`] judges by the failures that it saw itself, so that a host which
    /// fails now and then under a heavy load stays in use. Another one trusts the count of all.
    pub(super) fn failed(&mut self, now: Timestamp, known: u64, pause: TimeDelta) -> Option<Timestamp> {
        self.heard_on = Some(now);
        let failures = match self.state {
            State::Open { .. } => return None,
            State::HalfOpen { .. } => return Some(self.open(now, pause)),
            State::Closed { failures } => failures.saturating_add(1),
        };
        self.state = State::Closed { failures };
        let is_known = known >= u64::from(THRESHOLD) && !self.is_trusted(now);
        (failures >= THRESHOLD || is_known).then(|| self.open(now, pause))
    }

    /// The probe was not made, or says nothing of the host: after `until` another one may be.
    pub(super) fn postpone(&mut self, until: Timestamp) {
        if let State::HalfOpen { .. } = self.state {
            self.state = State::Open { until };
        }
    }

    /// Whether the circuit may still matter. One that heard nothing for longer than any cool-off is as good as a new one.
    pub(super) fn is_needed(&self, now: Timestamp) -> bool {
        self.heard_on.is_some_and(|heard_on| now - heard_on < MAX_COOL_OFF * 2)
    }

    fn is_trusted(&self, now: Timestamp) -> bool {
        self.answered_on.is_some_and(|answered_on| now - answered_on < TRUST)
    }

    fn open(&mut self, now: Timestamp, pause: TimeDelta) -> Timestamp {
        let doublings = self.openings.min(16);
        self.openings = self.openings.saturating_add(1);
        let until = now + (COOL_OFF * (1 << doublings)).max(pause).min(MAX_COOL_OFF);
        self.state = State::Open { until };
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: TimeDelta = TimeDelta::seconds(30);
    const NONE: TimeDelta = TimeDelta::zero();

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_770_000_000 + seconds, 0).unwrap()
    }

    /// A circuit that opened at second 0.
    fn open() -> Circuit {
        let mut circuit = Circuit::default();
        let opened: Vec<_> = (1..=THRESHOLD).map(|_| circuit.failed(at(0), 0, NONE)).collect();
        assert_eq!(opened, [None, None, None, None, Some(at(10))]);
        circuit
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_in_between_does_not_let_them() {
        let mut circuit = Circuit::default();
        for round in 0..3 {
            for _ in 1..THRESHOLD {
                assert_eq!(circuit.failed(at(round), 0, NONE), None);
            }
            assert_eq!(circuit.enter(at(round), LONGEST), Entry::Pass);
            circuit.answered(at(round));
        }
        assert_eq!(open().enter(at(9), LONGEST), Entry::Refused(at(10)));
    }

    #[test]
    fn one_call_is_the_probe_and_its_answer_closes_the_circuit() {
        let mut circuit = open();
        assert_eq!(circuit.enter(at(10), LONGEST), Entry::Probe);
        assert_eq!(circuit.enter(at(11), LONGEST), Entry::Refused(at(40)));
        assert!(circuit.answered(at(12)));
        assert!(!circuit.answered(at(12)), "it is closed already");
        assert_eq!(circuit.enter(at(12), LONGEST), Entry::Pass);
    }

    #[test]
    fn a_probe_that_is_lost_makes_room_for_another() {
        let mut circuit = open();
        assert_eq!(circuit.enter(at(10), LONGEST), Entry::Probe);
        assert_eq!(circuit.enter(at(39), LONGEST), Entry::Refused(at(40)));
        assert_eq!(circuit.enter(at(40), LONGEST), Entry::Probe);
    }

    #[test]
    fn the_cool_off_doubles_with_each_failed_probe_up_to_its_bound() {
        let (mut circuit, mut now, mut pauses) = (open(), at(10), Vec::new());
        for _ in 0..20 {
            assert_eq!(circuit.enter(now, LONGEST), Entry::Probe);
            let until = circuit.failed(now, 0, NONE).unwrap();
            pauses.push((until - now).num_seconds());
            now = until;
        }
        assert_eq!(pauses[..6], [20, 40, 80, 160, 300, 300]);
        assert_eq!(pauses[19], 300);
        circuit.answered(now);
        for _ in 1..THRESHOLD {
            circuit.failed(now, 0, NONE);
        }
        assert_eq!(circuit.failed(now, 0, NONE), Some(now + COOL_OFF), "it begins anew after an answer");
    }

    #[test]
    fn a_host_that_asks_for_a_pause_gets_it_within_bounds() {
        for (asked, granted) in [(3, 10), (60, 60), (3600, 300)] {
            let mut circuit = Circuit::default();
            let opened: Vec<_> =
                (1..=THRESHOLD).map(|_| circuit.failed(at(0), 0, TimeDelta::seconds(asked))).collect();
            assert_eq!(opened[4], Some(at(granted)), "{asked}");
        }
    }

    #[test]
    fn who_knows_nothing_trusts_the_count_of_all_and_who_heard_of_the_host_does_not() {
        let mut stranger = Circuit::default();
        assert_eq!(stranger.failed(at(0), 4, NONE), None);
        assert_eq!(stranger.failed(at(0), 5, NONE), Some(at(10)));

        let mut regular = Circuit::default();
        regular.answered(at(0));
        assert_eq!(regular.failed(at(59), 1000, NONE), None);
        assert_eq!(regular.failed(at(60), 1000, NONE), Some(at(70)), "it answered too long ago");
    }

    #[test]
    fn a_late_failure_does_not_prolong_and_a_late_answer_closes() {
        let mut circuit = open();
        assert_eq!(circuit.failed(at(9), 0, NONE), None);
        assert_eq!(circuit.enter(at(9), LONGEST), Entry::Refused(at(10)));
        assert!(circuit.answered(at(9)));
        assert_eq!(circuit.enter(at(9), LONGEST), Entry::Pass);
    }

    #[test]
    fn a_postponed_probe_is_made_later_and_nothing_else_is_postponed() {
        let mut circuit = open();
        assert_eq!(circuit.enter(at(10), LONGEST), Entry::Probe);
        circuit.postpone(at(20));
        assert_eq!(circuit.enter(at(19), LONGEST), Entry::Refused(at(20)));
        circuit.postpone(at(90));
        assert_eq!(circuit.enter(at(20), LONGEST), Entry::Probe);
        let mut closed = Circuit::default();
        closed.postpone(at(90));
        assert_eq!(closed.enter(at(0), LONGEST), Entry::Pass);
    }

    #[test]
    fn a_circuit_is_kept_until_nobody_can_miss_it() {
        assert!(!Circuit::default().is_needed(at(0)));
        let opened = open();
        assert!(opened.is_needed(at(599)) && !opened.is_needed(at(600)));
        let mut closed = Circuit::default();
        closed.answered(at(0));
        assert!(closed.is_needed(at(599)) && !closed.is_needed(at(600)));
    }
}
