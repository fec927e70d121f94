//! CPU time of processes with all their children, from `/proc` (Linux, `proc_pid_stat(5)`).

use std::{fs, path::Path};

use crate::client::Failure;

/// The unit of times in `/proc/<pid>/stat`. The kernel has had 100 for programs on every architecture we run on, whatever its own
/// tick is.
const TICKS_PER_SECOND: f64 = 100.0;

/// What is read of a process.
#[derive(Debug, PartialEq, Eq)]
struct Process {
    pid: u32,
    parent: u32,
    /// User and system time, that of children that were waited for included.
    ticks: u64,
}

/// Seconds that a process and its descendants have worked, since they began. A child that ends in between moves its time to its parent,
/// so the difference of two readings is what was worked in between.
pub(crate) fn seconds_of_tree(root: u32) -> Result<f64, Failure> {
    let processes = all()?;
    if !processes.iter().any(|process| process.pid == root) {
        return Err(Failure::Usage(format!("there is no process {root}")));
    }
    #[allow(clippy::cast_precision_loss, reason = "centuries fit")]
    Ok(ticks_of_tree(&processes, root) as f64 / TICKS_PER_SECOND)
}

fn ticks_of_tree(processes: &[Process], root: u32) -> u64 {
    let own =
        processes.iter().filter(|process| process.pid == root).map(|process| process.ticks).sum::<u64>();
    let children = processes.iter().filter(|process| process.parent == root && process.pid != root);
    own + children.map(|child| ticks_of_tree(processes, child.pid)).sum::<u64>()
}

fn all() -> Result<Vec<Process>, Failure> {
    let proc = Path::new("/proc");
    let entries = fs::read_dir(proc).map_err(|error| Failure::file(proc, error))?;
    // A process may end while we look; then its parent has its time, or will have.
    Ok(entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit))
        .filter_map(|entry| parse(&fs::read_to_string(entry.path().join("stat")).ok()?))
        .collect())
}

/// The name in parentheses may itself hold spaces and parentheses.
fn parse(stat: &str) -> Option<Process> {
    let (pid, rest) = stat.split_once(' ')?;
    let (_, fields) = rest.rsplit_once(')')?;
    let fields: Vec<_> = fields.split_ascii_whitespace().collect();
    // The first field after the name is the third of the manual page.
    let number = |of_manual: usize| fields.get(of_manual - 3)?.parse::<u64>().ok();
    let ticks = number(14)? + number(15)? + number(16)? + number(17)?;
    Some(Process { pid: pid.parse().ok()?, parent: u32::try_from(number(4)?).ok()?, ticks })
}

#[cfg(test)]
mod tests {
    use std::{hint, process, time::Instant};

    use super::*;

    #[test]
    fn a_line_of_stat_is_read_whatever_the_process_is_called() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 1 0 5000 0 0";
        assert_eq!(parse(line), Some(Process { pid: 42, parent: 7, ticks: 110 }));
    }

    #[test]
    fn children_and_their_children_count_and_others_do_not() {
        let process = |pid, parent, ticks| Process { pid, parent, ticks };
        let processes = [process(1, 0, 1), process(2, 1, 10), process(3, 2, 100), process(4, 9, 1000)];
        assert_eq!(ticks_of_tree(&processes, 1), 111);
    }

    #[test]
    fn work_of_this_process_is_seen() {
        let before = seconds_of_tree(process::id()).unwrap();
        let start = Instant::now();
        while seconds_of_tree(process::id()).unwrap() < before + 0.05 {
            assert!(start.elapsed().as_secs() < 60, "no CPU time is counted");
            hint::black_box((0..100_000).sum::<u64>());
        }
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(seconds_of_tree(u32::MAX).is_err());
    }
}
