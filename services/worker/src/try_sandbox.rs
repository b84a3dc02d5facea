//! `charter-worker try-sandbox`: confines itself to a folder as for an inspection, and tries what must not succeed, so that
//! an operator sees what this kernel enforces.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use inspect::wire::{Limits, Sandbox};
use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, socket_with};
use rustix::process::{
    Pid, Resource, getppid, getrlimit, set_parent_process_death_signal, setrlimit, setsid, test_kill_process,
};

use crate::limits;

const LIMITS: Limits =
    Limits { memory_bytes: 4 << 30, cpu_seconds: 60, query_seconds: 15, server: 0, sandbox_required: false };

/// The number of MPTCP (`IPPROTO_MPTCP`), which Landlock's rules for TCP do not cover.
const MPTCP: u32 = 262;

/// Tries everything and prints a line for each; fails unless everything was refused.
pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    let folder = folder.canonicalize().context("cannot find the folder")?;
    let outside = std::env::current_exe().context("cannot find this program")?;
    let parent = getppid();
    let existing = fs::read_dir(&folder)?.filter_map(Result::ok).map(|entry| entry.path()).find(|path| path.is_file());
    let sandbox = limits::apply(LIMITS, &folder)?;
    let mut stdout = std::io::stdout().lock();
    let word = match sandbox {
        Sandbox::Full => "full",
        Sandbox::Partial => "partial",
        Sandbox::Absent => "absent",
    };
    writeln!(stdout, "sandbox: {word}")?;
    let mut n_allowed = 0;
    for (what, attempt) in attempts() {
        let succeeded = attempt(&folder, &outside, parent);
        n_allowed += usize::from(succeeded);
        writeln!(stdout, "{what}: {}", if succeeded { "ALLOWED" } else { "refused" })?;
    }
    // What an inspection needs.
    ensure!(existing.is_none_or(|path| fs::read(path).is_ok()), "the files of the folder cannot be read");
    let thread = std::thread::Builder::new().name("thread".to_owned()).spawn(|| ());
    ensure!(thread.is_ok_and(|thread| thread.join().is_ok()), "no thread can be started");
    ensure!(n_allowed == 0, "this kernel does not refuse everything");
    Ok(())
}

type Attempt = fn(&Path, &Path, Option<Pid>) -> bool;

fn attempts() -> Vec<(&'static str, Attempt)> {
    vec![
        ("TCP socket", |_, _, _| opens(AddressFamily::INET, SocketType::STREAM, 0)),
        ("UDP socket", |_, _, _| opens(AddressFamily::INET, SocketType::DGRAM, 0)),
        ("IPv6 socket", |_, _, _| opens(AddressFamily::INET6, SocketType::DGRAM, 0)),
        ("MPTCP socket", |_, _, _| opens(AddressFamily::INET, SocketType::STREAM, MPTCP)),
        ("Unix socket", |_, _, _| opens(AddressFamily::UNIX, SocketType::STREAM, 0)),
        ("netlink socket", |_, _, _| opens(AddressFamily::NETLINK, SocketType::RAW, 0)),
        ("vsock socket", |_, _, _| opens(AddressFamily::VSOCK, SocketType::STREAM, 0)),
        ("pair of sockets", |_, _, _| std::os::unix::net::UnixStream::pair().is_ok()),
        // With the streams of this process: opening others would be refused before a process is tried.
        ("another process", |_, outside, _| Command::new(outside).arg("--version").spawn().is_ok()),
        ("a session of its own", |_, _, _| setsid().is_ok()),
        ("outliving the parent", |_, _, _| set_parent_process_death_signal(None).is_ok()),
        ("another limit", |_, _, _| setrlimit(Resource::Nofile, getrlimit(Resource::Nofile)).is_ok()),
        ("a signal to the parent", |_, _, parent| parent.is_some_and(|parent| test_kill_process(parent).is_ok())),
        ("reading outside of the folder", |_, outside, _| File::open(outside).is_ok()),
        ("writing in the folder", |folder, _, _| File::create(folder.join("written")).is_ok()),
        ("a folder in the folder", |folder, _, _| fs::create_dir(folder.join("made")).is_ok()),
        ("removing the folder", |folder, _, _| fs::remove_dir_all(folder).is_ok()),
        ("a link in the folder", |folder, outside, _| std::os::unix::fs::symlink(outside, folder.join("link")).is_ok()),
        ("memory as a file", |_, _, _| rustix::fs::memfd_create("memory", rustix::fs::MemfdFlags::CLOEXEC).is_ok()),
    ]
}

fn opens(family: AddressFamily, kind: SocketType, protocol: u32) -> bool {
    let protocol = std::num::NonZeroU32::new(protocol).map(Protocol::from_raw);
    socket_with(family, kind, SocketFlags::CLOEXEC, protocol).is_ok()
}
