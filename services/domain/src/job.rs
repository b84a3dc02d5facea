//! Follow-up work that may fail and be tried again. Running a job twice changes nothing.
//!
//! To add a job: a variant of [`Job`], its word in [`Kind`], its subject's form in `store::job`, and its branch in
//! `app::jobs`.

use crate::closed_set;
use crate::id::TableId;

closed_set! {
    /// What is to be done. The words are stable: the queue keeps them. Where several kinds are due, the first of the list
    /// comes first.
    Kind {
        /// Inspect the head of a table for the bindings without a verdict on it by the current rules.
        Inspect = "inspect",
        /// Inspect the head of a table whether or not there are verdicts.
        Reinspect = "reinspect",
    }
}

/// A piece of work and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// [`Kind::Inspect`]
    Inspect(TableId),
    /// [`Kind::Reinspect`]
    Reinspect(TableId),
}

impl Job {
    /// What is to be done.
    pub fn kind(self) -> Kind {
        match self {
            Self::Inspect(_) => Kind::Inspect,
            Self::Reinspect(_) => Kind::Reinspect,
        }
    }
}
