//! Neglect: signs that the catalog is out of date.

use std::time::Duration;

use crate::closed_set;

const DAY: Duration = Duration::from_secs(86_400);

/// How long a product may go unread.
pub const MAX_UNREAD: Duration = DAY.saturating_mul(90);
/// How long a grant may go unused.
pub const MAX_UNUSED: Duration = DAY.saturating_mul(30);

closed_set! {
    /// A kind of neglect.
    Kind {
        /// No enabled principal owns the domain, or one above it.
        WithoutOwner = "without_owner",
        /// The contracts of the domain do not bind, and there is no date from which they will.
        NotEnforced = "not_enforced",
        /// An active product has tables, and there was no lease to read them for 90 days.
        NotRead = "not_read",
        /// A grant is open for 30 days, and there was no lease under it.
        NotUsed = "not_used",
        /// A contract version is in force, and the newest verdict on one of its tables does not pass.
        NotPassing = "not_passing",
    }
}
