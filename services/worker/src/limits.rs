//! The resource limits and the sandbox of this process, applied before anything of the table is opened.

use std::path::Path;

use anyhow::Context;
use domain::inspection::MAX_CHECKPOINT_BYTES;
use inspect::wire::{Limits, Sandbox};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};

/// The maximum number of open files. A scan opens one data file at a time; the rest is for the runtime.
const MAX_OPEN_FILES: u64 = 256;
/// The first Landlock version that also scopes signals and abstract sockets. Older kernels enforce what they support.
const LANDLOCK: ABI = ABI::V6;

/// Sets the limits and forbids everything but reading below `root` and writing below `scratch`. Returns how much of the
/// sandbox the kernel enforces; the caller decides whether that is enough.
///
/// Landlock must be called before the process has threads: it applies to the calling thread and those it starts.
///
/// # Errors
/// A limit cannot be set. (A kernel without Landlock is not an error: the table is opened only through
/// [`Root`](crate::root::Root).)
pub(crate) fn apply(limits: Limits, root: &Path, scratch: &Path) -> anyhow::Result<Sandbox> {
    set(Resource::Core, 0, 0)?;
    // The signal of the soft limit tells the server the reason; the hard limit stops a process that ignores it.
    set(Resource::Cpu, limits.cpu_seconds, limits.cpu_seconds.saturating_add(1))?;
    set(Resource::Fsize, MAX_CHECKPOINT_BYTES, MAX_CHECKPOINT_BYTES)?;
    set(Resource::Nofile, MAX_OPEN_FILES, MAX_OPEN_FILES)?;
    let sandbox = confine(root, scratch).context("cannot confine itself to the table")?;
    // Last, since the calls above may allocate.
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
