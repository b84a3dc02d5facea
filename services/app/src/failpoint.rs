//! Named points at which a crash test ends the process, as SIGKILL would: at once and without a word. Compiled only with
//! the feature `failpoints`, which no release has; the point is named in `CHARTER_FAILPOINT`.

/// Every point there is. A test fails for one that is never reached.
pub const ALL: &[&str] = &[
    "publish.written",
    "publish.committed",
    "inspect.written",
    "inspect.committed",
    "activate.written",
    "activate.committed",
    "request.written",
    "request.committed",
    "approve.written",
    "approve.committed",
    "revoke.written",
    "revoke.committed",
    "vend.written",
    "vend.committed",
    "register.followed",
    "register.stored",
    "register.written",
    "register.committed",
    "erase.removed",
    "erase.written",
    "erase.committed",
];

/// Passes a point.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn pass(_point: &'static str) {}

/// Passes a point, or ends the process there.
#[cfg(feature = "failpoints")]
pub(crate) fn pass(point: &'static str) {
    assert!(ALL.contains(&point), "`{point}` is not in the list of points");
    if std::env::var("CHARTER_FAILPOINT").as_deref() == Ok(point) {
        std::process::abort();
    }
}
