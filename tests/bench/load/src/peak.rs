//! The most memory that a process has had at once, from `/proc` (Linux, `proc_pid_status(5)`).

use std::fs;

/// The largest resident set of a process since it began, in MB; None where the kernel does not tell.
pub(crate) fn mb(pid: u32) -> Option<f64> {
    parse(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// Lets this process begin anew: its peak is what it has now. Where the kernel does not allow it, peaks are those since its start.
pub(crate) fn forget() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn parse(status: &str) -> Option<f64> {
    let kb = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kb: f64 = kb.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb / 1024.0)
}

#[cfg(test)]
mod tests {
    use std::{hint, process};

    use super::*;

    #[test]
    fn the_peak_is_read_in_megabytes() {
        assert_eq!(parse("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2.0));
        assert_eq!(parse("Name:\tx\n"), None);
    }

    #[test]
    fn a_large_allocation_shows() {
        let before = mb(process::id()).unwrap();
        let large = vec![1_u8; 64 << 20];
        hint::black_box(&large);
        assert!(mb(process::id()).unwrap() >= before.max(64.0));
    }
}
