//! The resource limits and the sandbox of this process, applied before anything of the table is opened.

use std::path::Path;

use anyhow::Context;
use domain::inspection::MAX_CHECKPOINT_BYTES;
use inspect::wire::{Limits, Sandbox};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit};

use crate::syscalls;

/// The maximum number of open files. A pass has a few data files open for each of its threads; the rest is for the
/// runtime.
const MAX_OPEN_FILES: u64 = 256;
/// The first Landlock version that also scopes signals and abstract sockets. Older kernels enforce what they support.
const LANDLOCK: ABI = ABI::V6;

/// Sets the limits and forbids everything but reading below `root` and writing to files that are open. Returns how much
/// of the sandbox the kernel enforces; the caller decides whether that is enough.
///
/// It must be called before the process has threads: Landlock and seccomp apply to the calling thread and those it starts.
///
/// # Errors
/// A limit cannot be set. (A kernel without Landlock or seccomp is not an error: the table is opened only through
/// [`Root`](crate::root::Root).)
pub(crate) fn apply(limits: Limits, root: &Path) -> anyhow::Result<Sandbox> {
    set(Resource::Core, 0, 0)?;
    // The signal of the soft limit tells the server the reason; the hard limit stops a process that ignores it.
    set(Resource::Cpu, limits.cpu_seconds, limits.cpu_seconds.saturating_add(1))?;
    set(Resource::Fsize, MAX_CHECKPOINT_BYTES, MAX_CHECKPOINT_BYTES)?;
    set(Resource::Nofile, MAX_OPEN_FILES, MAX_OPEN_FILES)?;
    let files = confine(root).context("cannot confine itself to the table")?;
    // Late, since the calls above may allocate.
    set(Resource::As, limits.memory_bytes, limits.memory_bytes)?;
    // Last, since no limit can be set afterwards.
    let calls = syscalls::restrict()?;
    Ok(match (files, calls) {
        (RulesetStatus::FullyEnforced, true) => Sandbox::Full,
        (RulesetStatus::NotEnforced, false) => Sandbox::Absent,
        (RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced | RulesetStatus::NotEnforced, _) => {
            Sandbox::Partial
        }
    })
}

/// Has the kernel kill this process when the server ends.
///
/// # Errors
/// The server has ended already.
pub(crate) fn end_with(server: u32) -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).context("cannot ask to end with the server")?;
    let parent = getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
    anyhow::ensure!(i32::try_from(server) == Ok(parent), "the server that asked has ended");
    Ok(())
}

fn set(resource: Resource, current: u64, maximum: u64) -> anyhow::Result<()> {
    setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })
        .with_context(|| format!("cannot limit {resource:?} to {current}"))
}

fn confine(root: &Path) -> Result<RulesetStatus, landlock::RulesetError> {
    let enforced = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules([root], AccessFs::ReadFile | AccessFs::ReadDir))?
        .restrict_self()?;
    Ok(enforced.ruleset)
}
