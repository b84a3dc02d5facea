//! Ownership of topics: prefixes of topic names that belong to domains.

use std::fmt;
use std::str::FromStr;

use crate::name::DomainPath;
use crate::registry::Subject;

/// How long the release of a subject is valid.
pub const RELEASE_LIFETIME: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3_600);

/// What a topic's subject adds to its name.
const SUFFIXES: [&str; 2] = ["-value", "-key"];

/// How the names of a domain's topics begin: whole segments, separated by dots, such as `sales.emea`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPrefix(Vec<String>);

/// Why a text is not a prefix, or the prefixes of domains do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An empty segment, or a control character.
    #[error("`{0}` is not a topic prefix: use segments separated by dots, such as `sales.emea`")]
    NotAPrefix(String),
    /// Two prefixes that hold a topic in common.
    #[error("the topic prefixes `{0}` of `{1}` and `{2}` of `{3}` overlap")]
    Overlap(TopicPrefix, DomainPath, TopicPrefix, DomainPath),
}

impl TopicPrefix {
    /// Whether one of the two begins with all segments of the other. `sales` and `salesforce` do not overlap.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, two)| one == two)
    }

    /// Whether a subject is that of a topic whose name begins with the prefix.
    pub fn holds(&self, subject: &Subject) -> bool {
        let name = subject.name();
        let topic = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        let mut segments = topic.split('.');
        self.0.iter().all(|own| segments.next() == Some(own))
    }
}

impl FromStr for TopicPrefix {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let segments: Vec<String> = text.split('.').map(str::to_owned).collect();
        let is_good = |segment: &String| {
            !segment.is_empty() && segment.trim() == segment && !segment.chars().any(char::is_control)
        };
        if segments.iter().all(is_good) { Ok(Self(segments)) } else { Err(Error::NotAPrefix(text.to_owned())) }
    }
}

impl fmt::Display for TopicPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// The prefixes of all domains. No two overlap, so a topic belongs to at most one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicPrefixes(Vec<(TopicPrefix, DomainPath)>);

impl TopicPrefixes {
    /// Prefixes with the domains that they belong to.
    ///
    /// # Errors
    /// [`Error::Overlap`].
    pub fn new(prefixes: Vec<(TopicPrefix, DomainPath)>) -> Result<Self, Error> {
        for (index, (one, of_one)) in prefixes.iter().enumerate() {
            if let Some((two, of_two)) = prefixes[index + 1..].iter().find(|(two, _)| one.overlaps(two)) {
                return Err(Error::Overlap(one.clone(), of_one.clone(), two.clone(), of_two.clone()));
            }
        }
        Ok(Self(prefixes))
    }

    /// Whether there are none: then a topic belongs to the first contract that names it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The domain that a subject's topic belongs to.
    pub fn owner(&self, subject: &Subject) -> Option<&DomainPath> {
        self.0.iter().find(|(prefix, _)| prefix.holds(subject)).map(|(_, domain)| domain)
    }
}

/// The state of a subject that a contract of a domain wants to bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    /// Another contract is bound to it.
    pub is_bound: bool,
    /// It has schemas that no product owns, which this domain keeps.
    pub kept_by: Option<&'a DomainPath>,
    /// An owner has released it to the domain, or the caller may do so.
    pub is_released: bool,
}

impl TopicPrefixes {
    /// Whether a domain may have the topic of a subject: it is free and begins with a prefix of the domain or of one
    /// above it, or its owner has released it. Where no prefixes are configured, a free topic belongs to the first
    /// contract that names it, except for subjects whose schemas another domain keeps.
    pub fn may_bind(&self, domain: &DomainPath, subject: &Subject, standing: &Standing<'_>) -> bool {
        let is_own = |owner: &DomainPath| domain.lineage().any(|above| above == *owner);
        let is_free = match self.owner(subject) {
            Some(owner) => is_own(owner),
            None => self.is_empty() && standing.kept_by.is_none_or(is_own),
        };
        standing.is_released || is_free && !standing.is_bound
    }
}
