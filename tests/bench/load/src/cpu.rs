//! CPU time of processes with all their children, and of threads, from `/proc` (Linux, `proc_pid_stat(5)`).

use std::{collections::BTreeMap, fs, path::Path};

use crate::failure::Failure;

/// The unit of times in `/proc/<pid>/stat`. The kernel has had 100 for programs on every architecture we run on, whatever its own
/// tick is.
const TICKS_PER_SECOND: f64 = 100.0;

/// The variable by which a process is known as a function.
const FUNCTION: &str = "AWS_LAMBDA_FUNCTION_NAME=";

/// What is read of a process, or of a thread.
#[derive(Debug, PartialEq, Eq)]
struct Process {
    pid: u32,
    parent: u32,
    /// What the kernel calls it.
    name: String,
    /// User and system time.
    own: u64,
    /// That of children that were waited for.
    reaped: u64,
}

/// Seconds that a process and its descendants have worked, since they began. A child that ends in between moves its time to its parent,
/// so the difference of two readings is what was worked in between.
pub(crate) fn seconds_of_tree(root: u32) -> Result<f64, Failure> {
    Ok(seconds(tree(&all(Path::new("/proc"))?, root)?.map(|process| process.own + process.reaped).sum()))
}

/// Seconds that a process itself has worked.
pub(crate) fn seconds_alone(pid: u32) -> Result<f64, Failure> {
    let processes = all(Path::new("/proc"))?;
    Ok(seconds(tree(&processes, pid)?.filter(|process| process.pid == pid).map(|process| process.own).sum()))
}

/// Seconds that the threads of this process have worked whose names begin like this. A thread that ends takes its time along.
pub(crate) fn seconds_of_threads(prefix: &str) -> Result<f64, Failure> {
    let threads = all(Path::new("/proc/self/task"))?;
    Ok(seconds(
        threads.iter().filter(|thread| thread.name.starts_with(prefix)).map(|thread| thread.own).sum(),
    ))
}

/// The Lambda functions among the descendants of a process: their ids, by the last word of their names.
pub(crate) fn functions_below(root: u32) -> Result<Vec<(String, u32)>, Failure> {
    let processes = all(Path::new("/proc"))?;
    let function = |process: &Process| {
        let environment = fs::read(format!("/proc/{}/environ", process.pid)).ok()?;
        Some((function_of(&String::from_utf8_lossy(&environment))?, process.pid))
    };
    Ok(tree(&processes, root)?.filter(|process| process.pid != root).filter_map(function).collect())
}

/// Seconds that each function below a process has worked, all its environments together.
pub(crate) fn seconds_of_functions(root: u32) -> Result<BTreeMap<String, f64>, Failure> {
    let mut worked = BTreeMap::new();
    for (function, pid) in functions_below(root)? {
        // One that ends just now is one less.
        *worked.entry(function).or_default() += seconds_of_tree(pid).unwrap_or_default();
    }
    Ok(worked)
}

/// The function that an environment makes a process, without the name of its stack.
fn function_of(environment: &str) -> Option<String> {
    let name = environment.split('\0').find_map(|variable| variable.strip_prefix(FUNCTION))?;
    let of_stack = name.splitn(3, '-').nth(2);
    Some(of_stack.unwrap_or(name).to_owned())
}

#[allow(clippy::cast_precision_loss, reason = "centuries fit")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_PER_SECOND
}

/// A process with its descendants.
fn tree(processes: &[Process], root: u32) -> Result<impl Iterator<Item = &Process>, Failure> {
    if !processes.iter().any(|process| process.pid == root) {
        return Err(Failure::Usage(format!("there is no process {root}")));
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(processes.iter().filter(|process| process.parent == parent).map(|process| process.pid));
        next += 1;
    }
    Ok(processes.iter().filter(move |process| found.contains(&process.pid)))
}

fn all(directory: &Path) -> Result<Vec<Process>, Failure> {
    let entries = fs::read_dir(directory).map_err(|error| Failure::file(directory, error))?;
    // A process may end while we look; then its parent has its time, or will have.
    Ok(entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit))
        .filter_map(|entry| parse(&fs::read_to_string(entry.path().join("stat")).ok()?))
        .collect())
}

/// The name in parentheses may itself hold spaces and parentheses.
fn parse(stat: &str) -> Option<Process> {
    let (pid, rest) = stat.split_once(" (")?;
    let (name, fields) = rest.rsplit_once(')')?;
    let fields: Vec<_> = fields.split_ascii_whitespace().collect();
    // The first field after the name is the third of the manual page.
    let number = |of_manual: usize| fields.get(of_manual - 3)?.parse::<u64>().ok();
    Some(Process {
        pid: pid.parse().ok()?,
        parent: u32::try_from(number(4)?).ok()?,
        name: name.to_owned(),
        own: number(14)? + number(15)?,
        reaped: number(16)? + number(17)?,
    })
}

#[cfg(test)]
mod tests {
    use std::{hint, process, thread, time::Instant};

    use super::*;

    fn process(pid: u32, parent: u32, own: u64) -> Process {
        Process { pid, parent, name: "test".to_owned(), own, reaped: 0 }
    }

    /// Works until a reading has grown.
    fn work_until_seen(reading: impl Fn() -> f64) {
        let (before, start) = (reading(), Instant::now());
        while reading() < before + 0.05 {
            assert!(start.elapsed().as_secs() < 60, "no CPU time is counted");
            hint::black_box((0..100_000).sum::<u64>());
        }
    }

    #[test]
    fn a_line_of_stat_is_read_whatever_the_process_is_called() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 1 0 5000 0 0";
        let expected = Process { pid: 42, parent: 7, name: "a) b (c".to_owned(), own: 33, reaped: 77 };
        assert_eq!(parse(line), Some(expected));
    }

    #[test]
    fn children_and_their_children_count_and_others_do_not() {
        let processes = [process(1, 0, 1), process(2, 1, 10), process(3, 2, 100), process(4, 9, 1000)];
        let own: Vec<_> = tree(&processes, 1).unwrap().map(|process| process.own).collect();
        assert_eq!(own, [1, 10, 100]);
    }

    #[test]
    fn a_function_is_known_by_its_environment_and_called_without_its_stack() {
        let name = |environment: &str| function_of(environment);
        assert_eq!(
            name("A=b\0AWS_LAMBDA_FUNCTION_NAME=heddle-local-node-executor\0C=d").unwrap(),
            "node-executor"
        );
        assert_eq!(name("AWS_LAMBDA_FUNCTION_NAME=runs").unwrap(), "runs");
        assert_eq!(name("A=AWS_LAMBDA_FUNCTION_NAME=runs"), None);
    }

    #[test]
    fn work_of_this_process_is_seen() {
        work_until_seen(|| seconds_of_tree(process::id()).unwrap());
        work_until_seen(|| seconds_alone(process::id()).unwrap());
    }

    #[test]
    fn work_of_a_thread_is_seen_under_its_name_only() {
        let worker = || work_until_seen(|| seconds_of_threads("busy").unwrap());
        thread::Builder::new().name("busy-one".to_owned()).spawn(worker).unwrap().join().unwrap();
        assert!(seconds_of_threads("nobody is called so").unwrap() <= 0.0);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(seconds_of_tree(u32::MAX).is_err());
    }
}
