//! Compatibility levels: the directions in which a new version must be compatible, and with how many earlier versions.

use crate::closed_set;

closed_set! {
    /// A compatibility level, by the words of the Confluent Schema Registry.
    Level {
        /// Nothing is asked.
        None = "NONE",
        /// Readers of the new version read what was written under the one before it.
        Backward = "BACKWARD",
        /// Readers of the new version read what was written under any before it.
        BackwardTransitive = "BACKWARD_TRANSITIVE",
        /// Readers of the version before it read what is written under the new one.
        Forward = "FORWARD",
        /// Readers of any version before it read what is written under the new one.
        ForwardTransitive = "FORWARD_TRANSITIVE",
        /// Both ways, towards the version before it.
        Full = "FULL",
        /// Both ways, towards all before it.
        FullTransitive = "FULL_TRANSITIVE",
    }
}

impl Level {
    /// Whether readers of the new version must read what was written before (history-safe).
    pub fn asks_backward(self) -> bool {
        matches!(self, Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive)
    }

    /// Whether readers of older versions must go on reading (consumer-safe).
    pub fn asks_forward(self) -> bool {
        matches!(self, Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive)
    }

    /// Whether all of the history counts, or the newest version alone.
    pub fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }
}
