//! Overrides: a steward allows one version of a contract to be published although its number is too small for its
//! changes.
//!
//! An override applies to one version and one set of findings, stored as they were shown to the steward. It has a
//! reason, expires, and is signed: its MAC covers [`Override::canonical`], including a revocation. Nothing else can be
//! overridden: identity, policy, grants and scope always apply.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::audit::{Key, RecordMac, put};
use crate::change::{FindingRecord, Refusal, finding_records};
use crate::clock::Timestamp;
use crate::contract;
use crate::error::Kind;
use crate::grant::{self, Decided, sentence_of};
use crate::id::{ContractId, OverrideId, PrincipalId};
use crate::version::Version;

/// What the canonical bytes begin with: they can be taken for nothing else, and a change of the form gets a new one.
pub const LABEL: &[u8] = b"charterhouse override v2\0";
/// What the bytes of findings begin with, before they are digested.
const FINDINGS_LABEL: &[u8] = b"charterhouse findings v2\0";
/// The longest lifetime of an override: 30 days.
pub const MAX_DURATION: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Why an override cannot be as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It would end at once, or too late.
    #[error("the expiry must be in the future, at most 30 days from now")]
    BadExpiry,
    /// A reason is missing or too long.
    #[error("{0}")]
    NoReason(#[from] grant::Error),
    /// It does not stand any more.
    #[error("the override has expired or was revoked")]
    NotStanding,
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::BadExpiry | Self::NoReason(_) => Kind::Invalid,
            Self::NotStanding => Kind::Conflict,
        }
    }
}

/// Not the digest of findings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a digest of findings: use the 64 hexadecimal digits that the refusal names")]
pub struct NotADigest;

/// What a version was refused for: SHA-256 over the version it was compared with, and all that the findings say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FindingsDigest(String);

impl FindingsDigest {
    /// The digest of what is different from a version.
    pub fn of(since: Version, findings: &[FindingRecord]) -> Self {
        Self(hex::encode(Sha256::digest(findings_bytes(since, findings))))
    }

    /// The digest that a refusal names; `None` for one that no override accepts.
    pub fn of_refusal(refused: &Refusal) -> Option<Self> {
        match refused {
            Refusal::Bump { since, findings, .. } => Some(Self::of(*since, &finding_records(findings))),
            Refusal::NotGreater { .. } => None,
        }
    }
}

fn findings_bytes(since: Version, findings: &[FindingRecord]) -> Vec<u8> {
    let mut bytes = FINDINGS_LABEL.to_vec();
    put(&mut bytes, since.to_string().as_bytes());
    findings.iter().for_each(|finding| finding.put(&mut bytes));
    bytes
}

impl fmt::Display for FindingsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for FindingsDigest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if text.len() == 64 && is_hex { Ok(Self(text.to_owned())) } else { Err(NotADigest) }
    }
}

/// A steward's acceptance of one version with a number that is too small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Its id.
    pub id: OverrideId,
    /// The contract.
    pub contract_id: ContractId,
    /// The version that may be published.
    pub version: Version,
    /// The promised version that it was compared with.
    pub since: Version,
    /// What it changes, as the steward was shown it. A document that changes anything else is refused again.
    pub findings: Vec<FindingRecord>,
    /// Why it is accepted.
    pub reason: String,
    /// Who accepts it.
    pub steward: PrincipalId,
    /// From when.
    pub created_at: Timestamp,
    /// Until when, not included.
    pub expires_at: Timestamp,
    /// Who ended it early, when and why. Ending it signs it again.
    pub revoked: Option<Decided>,
}

impl Override {
    /// The override, if it is well formed.
    ///
    /// # Errors
    /// [`Error::BadExpiry`], [`Error::NoReason`].
    pub fn checked(self) -> Result<Self, Error> {
        let (from, until) = (self.created_at, self.expires_at);
        if until <= from || until.since(from) > MAX_DURATION {
            return Err(Error::BadExpiry);
        }
        let reason = sentence_of(&self.reason)?;
        Ok(Self { reason, ..self })
    }

    /// The digest of what it accepts.
    pub fn digest(&self) -> FindingsDigest {
        FindingsDigest::of(self.since, &self.findings)
    }

    /// Whether it accepts a refusal of a version. One that was signed before findings showed values is compared without
    /// them.
    pub fn accepts(&self, version: Version, refused: &Refusal) -> bool {
        let (since, findings) = match refused {
            Refusal::Bump { since, findings, .. } => (*since, finding_records(findings)),
            Refusal::NotGreater { .. } => return false,
        };
        let has_values = self.findings.iter().any(FindingRecord::has_values);
        let findings: Vec<FindingRecord> = match has_values {
            true => findings,
            false => findings.into_iter().map(FindingRecord::without_values).collect(),
        };
        self.version == version && FindingsDigest::of(since, &findings) == self.digest()
    }

    /// Whether it is valid at a moment.
    pub fn stands(&self, at: Timestamp) -> bool {
        self.revoked.is_none() && self.created_at <= at && at < self.expires_at
    }

    /// The override after it was ended early.
    ///
    /// # Errors
    /// [`Error::NotStanding`] if it has ended.
    pub fn revoke(self, decided: Decided) -> Result<Self, Error> {
        if self.stands(decided.at) { Ok(Self { revoked: Some(decided), ..self }) } else { Err(Error::NotStanding) }
    }

    /// The one form in bytes of what is signed.
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = LABEL.to_vec();
        put(&mut bytes, self.id.to_string().as_bytes());
        put(&mut bytes, self.contract_id.to_string().as_bytes());
        put(&mut bytes, self.version.to_string().as_bytes());
        put(&mut bytes, &findings_bytes(self.since, &self.findings));
        put(&mut bytes, self.reason.as_bytes());
        put(&mut bytes, self.steward.to_string().as_bytes());
        put(&mut bytes, &self.created_at.0.to_be_bytes());
        put(&mut bytes, &self.expires_at.0.to_be_bytes());
        if let Some(Decided { by, at, reason }) = &self.revoked {
            put(&mut bytes, by.to_string().as_bytes());
            put(&mut bytes, &at.0.to_be_bytes());
            put(&mut bytes, if reason.is_some() { b"1" } else { b"0" });
            put(&mut bytes, reason.as_deref().unwrap_or_default().as_bytes());
        }
        bytes
    }

    /// Its MAC.
    pub fn sign(&self, key: &Key) -> RecordMac {
        key.mac(&self.canonical())
    }

    /// Whether a MAC is its own.
    pub fn is_signed(&self, key: &Key, mac: &[u8]) -> bool {
        key.is_mac(&self.canonical(), mac)
    }
}

/// Judges a new version as `judge` does by the promised ones it is given, passing over the refusals that one of these
/// `overrides`, all of its contract, accepts. Gives those that were needed.
///
/// # Errors
/// The first refusal that none accepts.
pub fn judge_under<'a>(
    new: &contract::Document,
    promised: &[&contract::Document],
    overrides: &[&'a Override],
    judge: impl Fn(&[&contract::Document]) -> Result<(), Refusal>,
) -> Result<Vec<&'a Override>, Refusal> {
    let mut promised = promised.to_vec();
    let mut needed = Vec::new();
    loop {
        let Err(refused) = judge(&promised) else { return Ok(needed) };
        let Refusal::Bump { since, .. } = &refused else { return Err(refused) };
        let Some(found) = overrides.iter().find(|found| found.accepts(new.version, &refused)) else {
            return Err(refused);
        };
        promised.retain(|old| old.version != *since);
        needed.push(*found);
    }
}
