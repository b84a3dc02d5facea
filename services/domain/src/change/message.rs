//! Types shared by the comparers of message schemas (Avro, JSON Schema, Protobuf) and of table schemas.
//!
//! Each comparer lists the differences for a reader of `new` over data written under `old`, and marks those that break
//! it. That is BACKWARD; FORWARD swaps the two. Differences have the names of the Confluent Schema Registry, which its
//! users know.

use crate::closed_set;

closed_set! {
    /// The formats of message schemas, by the names of the Confluent Schema Registry.
    Format {
        /// Apache Avro.
        Avro = "AVRO",
        /// JSON Schema, drafts 4 to 2020-12.
        Json = "JSON",
        /// Protocol Buffers, proto2, proto3 and editions.
        Protobuf = "PROTOBUF",
    }
}

closed_set! {
    /// How a JSON Schema's content models are judged (`compatibilityPolicy` of the Confluent Schema Registry).
    Policy {
        /// An open content model may already hold what a new property forbids.
        Strict = "STRICT",
        /// Writers are assumed not to have sent properties that the schema did not name.
        Lenient = "LENIENT",
    }
}

/// One difference between two schemas, in the direction that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name, in the vocabulary of the Confluent Schema Registry: `FIELD_REMOVED`,
    /// `READER_FIELD_MISSING_DEFAULT_VALUE`.
    pub name: &'static str,
    /// Where it is: for JSON Schema and Protobuf `#/properties/age`, for Avro a JSON pointer `/fields/0`, for tables
    /// names `address.zip`, `tags[]`.
    pub path: String,
    /// The difference in one sentence, for people.
    pub message: String,
    /// Whether a reader of the new schema goes on reading what was written under the old.
    pub compatible: bool,
}

/// Whether none of the differences breaks a reader.
pub fn all_compatible(differences: &[Difference]) -> bool {
    differences.iter().all(|difference| difference.compatible)
}

/// Two schemas could not be compared within the steps that one comparison may take; an answer would be a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schemas are too complex to compare; split them, or use fewer combined types (`oneOf`, unions)")]
pub struct TooComplex;

/// The steps that a comparison may still take. Steps and not time, so that the same schemas get the same answer
/// everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Budget(u32);

impl Budget {
    /// What one comparison may take: what a megabyte of columns needs, and under 300 ms.
    pub const COMPARISON: Self = Self(500_000);

    /// What the comparisons of one schema with all that came before it may take together: about three seconds at most.
    pub const HISTORY: Self = Self(5_000_000);

    /// Lets one comparison take steps of this budget, and no more than [`Self::COMPARISON`].
    ///
    /// # Errors
    /// [`TooComplex`] if it ran out of either.
    pub fn compare<T>(&mut self, compare: impl FnOnce(&mut Self) -> Result<T, TooComplex>) -> Result<T, TooComplex> {
        let granted = self.0.min(Self::COMPARISON.0);
        let mut left = Self(granted);
        let answer = compare(&mut left);
        self.0 -= granted - left.0;
        answer
    }

    /// Takes `steps` steps.
    ///
    /// # Errors
    /// [`TooComplex`] if there are not as many left.
    pub fn take(&mut self, steps: u32) -> Result<(), TooComplex> {
        self.0 = self.0.checked_sub(steps).ok_or(TooComplex)?;
        Ok(())
    }
}
