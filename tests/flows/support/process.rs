//! The processes that the stack's functions are, found in the kernel's tables (Linux) and killed.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use super::Stack;

/// The processes that a deployed function runs in now: children of the stack's own emulator that were told that they are it.
pub fn workers(stack: &Stack, function: &str) -> Vec<u32> {
    let told = format!("AWS_LAMBDA_FUNCTION_NAME={}", stack.functions[function]);
    let is_worker = |pid: &u32| {
        parent_of(*pid) == Some(stack.emulator_pid)
            && fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
                environment.split(|byte| *byte == 0).any(|variable| variable == told.as_bytes())
            })
    };
    let mut pids: Vec<_> = processes().filter(is_worker).collect();
    pids.sort_unstable();
    pids
}

/// The process that holds this end of a TCP connection.
pub fn owner_of(peer: SocketAddr) -> u32 {
    let SocketAddr::V4(peer) = peer else { panic!("the target listens on IPv4") };
    let local = format!("{:08X}:{:04X}", u32::from(*peer.ip()).swap_bytes(), peer.port());
    let table = fs::read_to_string("/proc/net/tcp").expect("/proc/net/tcp");
    let inode = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find_map(|fields| (fields.get(1) == Some(&local.as_str())).then(|| fields[9].to_owned()))
        .expect("the connection is open");
    let socket = format!("socket:[{inode}]");
    let holds = |pid: &u32| {
        fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|descriptors| {
            descriptors.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to == Path::new(&socket)))
        })
    };
    processes().find(holds).expect("the worker's process")
}

/// Sends SIGKILL; says whether there was still a process to send it to.
pub fn kill(pid: u32) -> bool {
    Command::new("kill").args(["-KILL", &pid.to_string()]).status().expect("kill").success()
}

fn processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Read from behind the process's name, which may hold anything. None for one that has ended (a zombie has).
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let has_ended = fields.next()? == "Z";
    let parent = fields.next()?.parse().ok()?;
    (!has_ended).then_some(parent)
}
