//! The revisions of the platform, and those of a SQLite database in memory. [`crate::revision`] reads and increases them.

use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::sqlite::SqliteConnection;

/// A revision of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revision {
    /// Principals, roles, grants, policies, contract states.
    Access,
    /// The visibility of products.
    Visibility,
}

impl Revision {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Visibility => "visibility",
        }
    }
}

/// The revisions of a SQLite database, kept in memory by its one writer. They are updated when the commit that moved
/// them is durable and before its waiters are notified, so an acknowledged change is always reflected here.
pub(crate) struct DurableRevisions([AtomicI64; 2]);

/// The new values of the revisions that a turn moved, by [`Revision`]; 0 for the others.
pub(crate) type Moved = [i64; 2];

/// A revision that must be read from the database.
const UNKNOWN: i64 = i64::MIN;

impl DurableRevisions {
    pub(crate) fn new(platform: Platform) -> Self {
        Self([AtomicI64::new(platform.access), AtomicI64::new(platform.visibility)])
    }

    pub(crate) fn get(&self, revision: Revision) -> Option<i64> {
        Some(self.0[revision as usize].load(Ordering::Acquire)).filter(|value| *value != UNKNOWN)
    }

    pub(crate) fn raise(&self, moved: Moved) {
        for (durable, moved) in self.0.iter().zip(moved).filter(|(_, moved)| *moved > 0) {
            durable.fetch_max(moved, Ordering::AcqRel);
        }
    }

    /// Falls back to asking the database until the next change: a commit failed, and may have been written all the
    /// same.
    pub(crate) fn forget(&self) {
        self.0.iter().for_each(|durable| durable.store(UNKNOWN, Ordering::Release));
    }
}

/// The platform's revisions, read in one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    /// [`Revision::Access`].
    pub access: i64,
    /// [`Revision::Visibility`].
    pub visibility: i64,
}

/// Both revisions; NULL before the first change.
pub(crate) const SELECT_PLATFORM: &str = "SELECT
                               (SELECT value FROM revisions WHERE name = 'access') AS access,
                               (SELECT value FROM revisions WHERE name = 'visibility') AS visibility";

/// The platform's revisions as stored, for use before the writer starts.
pub(crate) async fn stored(connection: &mut SqliteConnection) -> sqlx::Result<Platform> {
    let (access, visibility): (Option<i64>, Option<i64>) =
        sqlx::query_as(SELECT_PLATFORM).fetch_one(connection).await?;
    Ok(Platform { access: access.unwrap_or(0), visibility: visibility.unwrap_or(0) })
}
