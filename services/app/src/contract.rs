//! Contracts: what their documents say, how their tables are judged, and when their versions change state.
//!
//! Documents are published by [`crate::publish`]. A version waits as a draft until [`try_activate`] finds everything in
//! order; it is tried after each publish and each inspection.

mod activation;
mod documents;
mod judge;
pub(crate) mod proof;
mod readiness;
mod reads;

pub use self::activation::{Activate, Activated, activate_version};
pub(crate) use self::activation::{extend, set_state, try_activate};
pub(crate) use self::documents::{digest, format_of, parsed, parsed_product};
pub(crate) use self::judge::rule_set_of;
pub use self::judge::{Judgement, RuleSet, judge_snapshot, rule_set};
pub(crate) use self::readiness::{ActivationFacts, reasons_to_wait};
pub use self::reads::{
    VersionAddress, VersionView, find_version, list_changes, list_contracts, list_findings, list_versions,
    load_contracts, load_versions,
};
