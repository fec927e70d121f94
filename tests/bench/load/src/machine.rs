//! What the numbers were measured on.

use std::{fs, thread};

use serde::Serialize;

/// Facts about this machine; what can't be found out is None.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    cores: Option<usize>,
    cpu: Option<String>,
    architecture: &'static str,
    memory_mb: Option<u64>,
    kernel: Option<String>,
}

impl Machine {
    /// Asks the kernel (Linux).
    pub(crate) fn read() -> Self {
        let memory_kb =
            field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        Self {
            cores: thread::available_parallelism().ok().map(Into::into),
            cpu: field("/proc/cpuinfo", "model name"),
            architecture: std::env::consts::ARCH,
            memory_mb: memory_kb.map(|kb| kb / 1024),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
        }
    }
}

/// The value of the first `name: value` line of a file.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(key, value)| (key.trim() == name).then(|| value.trim().to_owned()))
}
