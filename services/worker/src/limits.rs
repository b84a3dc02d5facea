//! What this process may use and reach. Set on itself, before anything of the table is opened.

use std::path::Path;

use anyhow::Context;
use inspect::wire::{Limits, Sandbox};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};

/// The largest file that may be written: a checkpoint of a million files stays well below.
const MAX_WRITTEN_FILE_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// A scan holds one data file open at a time; the rest is the runtime's.
const MAX_OPEN_FILES: u64 = 256;
/// The first Landlock version that also scopes signals and abstract sockets. Older kernels enforce what they know.
const LANDLOCK: ABI = ABI::V6;

/// Sets the limits, and closes everything but reading below `root` and writing below `scratch`. Tells how much of that
/// the kernel enforces: whether it is enough is the caller's to say, before anything is opened.
///
/// Landlock must be called before the process has threads: it holds for the calling thread and those it starts.
///
/// # Errors
/// A limit cannot be set. Without one the worker does not begin. (A kernel without Landlock is no error: the table is
/// opened only through [`Root`](crate::root::Root).)
pub(crate) fn apply(limits: Limits, root: &Path, scratch: &Path) -> anyhow::Result<Sandbox> {
    set(Resource::Core, 0, 0)?;
    // The soft limit's signal tells the server why; the hard one is for a process that would not listen.
    set(Resource::Cpu, limits.cpu_seconds, limits.cpu_seconds.saturating_add(1))?;
    set(Resource::Fsize, MAX_WRITTEN_FILE_BYTES, MAX_WRITTEN_FILE_BYTES)?;
    set(Resource::Nofile, MAX_OPEN_FILES, MAX_OPEN_FILES)?;
    let sandbox = confine(root, scratch).context("cannot confine itself to the table")?;
    // Last, since the calls above may still allocate.
    set(Resource::As, limits.memory_bytes, limits.memory_bytes)?;
    Ok(sandbox)
}

fn set(resource: Resource, current: u64, maximum: u64) -> anyhow::Result<()> {
    setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })
        .with_context(|| format!("cannot limit {resource:?} to {current}"))
}

fn confine(root: &Path, scratch: &Path) -> Result<Sandbox, landlock::RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = read | AccessFs::MakeReg | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::RemoveFile;
    let enforced = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules([root], read))?
        .add_rules(path_beneath_rules([scratch], write))?
        .restrict_self()?;
    Ok(match enforced.ruleset {
        RulesetStatus::FullyEnforced => Sandbox::Full,
        RulesetStatus::PartiallyEnforced => Sandbox::Partial,
        RulesetStatus::NotEnforced => Sandbox::Absent,
    })
}
