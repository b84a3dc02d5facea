//! The gate: from a question to a decision, and from an open gate to credentials. Begin at [`vend()`].

mod decisions;
pub(crate) mod facts;
mod vend;

pub use self::decisions::{list_decisions, load_decisions};
pub use self::vend::{Issued, Vend, Vended, vend, why};
