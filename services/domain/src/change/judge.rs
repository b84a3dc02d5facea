//! Whether a new version may be published: its number says what changed, and it keeps to the compatibility level.

use super::contract::compare_with;
use super::finding::Finding;
use super::level::Level;
use super::proof::Options;
use crate::contract::Document;
use crate::error::Kind;
use crate::version::{Bump, Version};

/// The bump that all findings together demand; `None` for no findings. Documents that differ in their bytes alone are a
/// new version nevertheless, so a publisher asks for at least [`Bump::Patch`].
pub fn required_bump(findings: &[Finding]) -> Bump {
    findings.iter().map(Finding::bump).max().unwrap_or(Bump::None)
}

/// The bump between two documents: what their findings demand, and at least [`Bump::Patch`] where they differ in
/// anything but the status, which asks for a transition and is no other version.
pub fn needed_bump(old: &Document, new: &Document, findings: &[Finding]) -> Bump {
    let is_same = *old == Document { wish: old.wish.clone(), ..new.clone() };
    required_bump(findings).max(if is_same { Bump::None } else { Bump::Patch })
}

/// Why a new version may not be published.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Its major has a version that is as great or greater.
    #[error("version {version} is not greater than {newest}, the newest of its major")]
    NotGreater {
        /// The new version.
        version: Version,
        /// The newest of its major.
        newest: Version,
    },
    /// Its number does not say what changed.
    #[error("version {version} changes {since} in a way that needs a {needed} bump: publish it as {least} or later")]
    Bump {
        /// The new version.
        version: Version,
        /// The promised version that it was compared with.
        since: Version,
        /// The bump that the changes demand.
        needed: Bump,
        /// The least version that would be accepted.
        least: Version,
        /// The changes.
        findings: Vec<Finding>,
    },
}

impl Refusal {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        Kind::Refused
    }
}

/// Decides whether a new version may be published into its major, under the strictest options: see [`judge_with`].
///
/// # Errors
/// [`Refusal`]; of several promised versions the one that demands the greatest version.
pub fn judge(new: &Document, versions: &[Version], promised: &[&Document]) -> Result<(), Refusal> {
    judge_with(new, versions, promised, &Options::default())
}

/// Decides whether a new version may be published into its major: it is greater than all `versions` of that major, its
/// number says what changed since each of the `promised` ones (those that are active or deprecated), and it keeps to
/// the compatibility level. Versions of other majors among them count for nothing: majors live side by side.
///
/// The level is that of the newest promised version, since its readers were promised it. A level that is not transitive
/// looks at that version alone. Breaking a level needs another major, where no level holds yet.
///
/// # Errors
/// [`Refusal`]; of several promised versions the one that demands the greatest version.
pub fn judge_with(
    new: &Document,
    versions: &[Version],
    promised: &[&Document],
    options: &Options,
) -> Result<(), Refusal> {
    let version = new.version;
    let newest = versions.iter().copied().filter(|old| old.major == version.major).max();
    if let Some(newest) = newest.filter(|newest| version <= *newest) {
        return Err(Refusal::NotGreater { version, newest });
    }
    let in_major = || promised.iter().filter(|old| old.version.major == version.major);
    let Some(newest) = in_major().max_by_key(|old| old.version) else { return Ok(()) };
    let level = newest.settings.compatibility;
    let history = in_major().filter(|old| level.is_transitive() || old.version == newest.version);
    let refusals = history.filter_map(|old| {
        let findings = compare_with(old, new, options);
        let least = if level.breaches(&findings).next().is_some() { Bump::Major } else { Bump::Patch };
        let needed = required_bump(&findings).max(least);
        let least = old.version.next(needed);
        let refused = version.bump_from(old.version) < needed;
        refused.then_some(Refusal::Bump { version, since: old.version, needed, least, findings })
    });
    let worst = refusals.max_by_key(|refused| match refused {
        Refusal::Bump { least, since, .. } => (*least, *since),
        Refusal::NotGreater { version, newest } => (*version, *newest),
    });
    worst.map_or(Ok(()), Err)
}

impl Level {
    /// The findings that break it: those about the schema and its keys that break a direction it asks for and that
    /// nothing settles. Promises about the data and the way to it are judged by the bump alone.
    pub fn breaches(self, findings: &[Finding]) -> impl Iterator<Item = &Finding> {
        findings.iter().filter(move |finding| {
            let breaks_history = self.asks_backward() && !finding.history_safe();
            let breaks_consumers = self.asks_forward() && !finding.consumer_safe();
            finding.rule.is_about_schema() && !finding.settled && (breaks_history || breaks_consumers)
        })
    }
}
