//! Claims: what producers say, in their own names for datasets. [`crate::settle`] makes edges of them.
//!
//! Claims are rows of a store: their JSON is always the same text for the same claim.

use domain::clock::Timestamp;
use serde::{Deserialize, Serialize};

use crate::edge::Basis;
use crate::name::{Dataset, Job};

/// What data comes from or goes to, by its producer's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A dataset.
    Dataset(Dataset),
    /// A job or an exposure.
    Job(Job),
}

/// One end of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct End {
    /// The dataset or job.
    pub thing: Thing,
    /// The column of a dataset.
    pub column: Option<String>,
}

impl End {
    /// A dataset as a whole.
    pub fn dataset(dataset: &Dataset) -> Self {
        Self { thing: Thing::Dataset(dataset.clone()), column: None }
    }

    /// One column of a dataset.
    pub fn column(dataset: &Dataset, column: &str) -> Self {
        Self { thing: Thing::Dataset(dataset.clone()), column: Some(column.to_owned()) }
    }

    /// A job.
    pub fn job(job: &Job) -> Self {
        Self { thing: Thing::Job(job.clone()), column: None }
    }
}

/// One thing that a producer says. Claims only add to each other: which of them count is decided when they are settled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// Data flows from one end to the other.
    Flow {
        /// Where it comes from.
        from: End,
        /// Where it goes.
        to: End,
        /// What that rests on.
        basis: Basis,
    },
    /// The job names all that this dataset is made from: what else it read in the same run is not a source of it.
    Explicit {
        /// The dataset.
        to: Dataset,
    },
    /// The job is a part of another one.
    PartOf {
        /// The application or workflow.
        application: Job,
    },
    /// The job tests data: it does not depend on what it reads.
    Tests,
    /// A dataset has another name.
    Alias {
        /// The dataset.
        dataset: Dataset,
        /// Its other name.
        other: Dataset,
    },
}

/// When a claim was made first and last, by the times in the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seen {
    /// First.
    pub first: Timestamp,
    /// Last.
    pub last: Timestamp,
}

impl Seen {
    /// Once.
    pub fn at(time: Timestamp) -> Self {
        Self { first: time, last: time }
    }

    /// Both.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}
