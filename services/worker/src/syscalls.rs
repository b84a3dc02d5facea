//! The system calls that an inspection needs. The kernel answers every other one like a kernel that does not have it
//! (`ENOSYS`), so that a library that can do without goes on: no socket of any family, no other process, no session, no
//! tracing, no mount, no `io_uring`, no `bpf`, no key ring.
//!
//! To add a call: only one that reaches nothing outside of this process and of the files that Landlock admits.

use std::collections::BTreeMap;

use anyhow::Context;
use rustix::process::getpid;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

/// Allowed with any arguments.
const ALLOWED: &[i64] = &[
    // Memory.
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    // Files: opening for reading (below), reading, and writing to what is open.
    libc::SYS_close,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_fstat,
    libc::SYS_fsync,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_newfstatat,
    libc::SYS_openat2,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_statx,
    libc::SYS_write,
    libc::SYS_writev,
    // Threads of this process.
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_get_robust_list,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_membarrier,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    // Waiting, within this process.
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    // Time, chance, and what machine this is.
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getcpu,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_sysinfo,
    libc::SYS_uname,
];

/// Older forms that only this architecture has.
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[i64] =
    &[libc::SYS_epoll_wait, libc::SYS_lstat, libc::SYS_poll, libc::SYS_readlink, libc::SYS_stat, libc::SYS_time];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[i64] = &[];

/// Restricts this process, which must have no other thread yet, to the calls above. False if the kernel has no seccomp.
///
/// # Errors
/// An architecture that has no filters.
pub(crate) fn restrict() -> anyhow::Result<bool> {
    let program = filter()?;
    match apply_filter(&program) {
        Ok(()) => Ok(true),
        Err(seccompiler::Error::Prctl(_) | seccompiler::Error::Seccomp(_)) => Ok(false),
        Err(error) => Err(error).context("cannot restrict the system calls"),
    }
}

fn filter() -> anyhow::Result<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(ALLOWED_HERE).map(|call| (*call, Vec::new())).collect();
    let word = |value: i64| u64::from(value.cast_unsigned() as u32);
    // Threads, and no processes. The form with its flags in memory is refused: then the C library takes this one.
    let thread = word(libc::CLONE_THREAD.into());
    rules.insert(libc::SYS_clone, vec![rule(0, SeccompCmpOp::MaskedEq(thread), thread)?]);
    // Nothing is opened for writing: the checkpoint is open already.
    let writing = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND;
    rules.insert(libc::SYS_openat, vec![rule(2, SeccompCmpOp::MaskedEq(word(writing.into())), 0)?]);
    // Signals to this process only, such as that of an abort.
    let pid = u64::from(getpid().as_raw_nonzero().get().cast_unsigned());
    rules.insert(libc::SYS_tgkill, vec![rule(0, SeccompCmpOp::Eq, pid)?]);
    // The name of a thread.
    rules.insert(libc::SYS_prctl, vec![rule(0, SeccompCmpOp::Eq, word(libc::PR_SET_NAME.into()))?]);
    // Limits are read, not set.
    rules.insert(libc::SYS_prlimit64, vec![long_rule(2, SeccompCmpOp::Eq, 0)?]);
    let refuse = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let arch = TargetArch::try_from(std::env::consts::ARCH).context("system calls cannot be restricted")?;
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch);
    filter.and_then(TryInto::try_into).context("cannot restrict the system calls")
}

fn rule(argument: u8, op: SeccompCmpOp, value: u64) -> anyhow::Result<SeccompRule> {
    condition(argument, SeccompCmpArgLen::Dword, op, value)
}

fn long_rule(argument: u8, op: SeccompCmpOp, value: u64) -> anyhow::Result<SeccompRule> {
    condition(argument, SeccompCmpArgLen::Qword, op, value)
}

fn condition(argument: u8, length: SeccompCmpArgLen, op: SeccompCmpOp, value: u64) -> anyhow::Result<SeccompRule> {
    let condition = SeccompCondition::new(argument, length, op, value);
    condition.and_then(|condition| SeccompRule::new(vec![condition])).context("cannot restrict the system calls")
}
