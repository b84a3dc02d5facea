//! The life cycle of a contract version: `draft`, `active`, `superseded`, `deprecated`, `retired` (`docs/rules.md`,
//! "Names and states").

use std::time::Duration;

use crate::clock::Timestamp;
use crate::closed_set;
use crate::error::Kind;

/// How long a version goes on after its deprecation, or after its successor, where the contract's SLA names no
/// `endOfSupport`: 90 days.
pub const DEFAULT_SUNSET: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The state of a contract version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits until its objects are bound, conform and passed once.
    Draft {
        /// What it waits for, for people; empty if it was not tried yet.
        reasons: Vec<String>,
        /// When `activateVersion` was called for it: from then on its document's status holds it back no more.
        released_at: Option<Timestamp>,
    },
    /// It is the current version of its major.
    Active {
        /// When it became so.
        since: Timestamp,
    },
    /// A newer version of the same major took its place.
    Superseded {
        /// When that happened.
        since: Timestamp,
    },
    /// It serves until its sunset; no new access is given.
    Deprecated {
        /// When it was deprecated.
        since: Timestamp,
        /// When it stops serving.
        sunset: Timestamp,
    },
    /// It serves no more.
    Retired {
        /// When it was retired.
        since: Timestamp,
    },
}

closed_set! {
    /// The states' words.
    StateName {
        /// The version waits until its objects are bound, conform and have passed once.
        Draft = "draft",
        /// The version is the current one of its major.
        Active = "active",
        /// A newer version of the same major has replaced it.
        Superseded = "superseded",
        /// The version serves until its sunset; no new access is granted.
        Deprecated = "deprecated",
        /// The version serves no more.
        Retired = "retired",
    }
}

/// A transition that the version's state does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version that is `{state}` cannot become `{wanted}`")]
pub struct WrongState {
    /// The state it is in.
    pub state: StateName,
    /// The state that was asked for.
    pub wanted: StateName,
}

impl WrongState {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        Kind::Conflict
    }
}

/// Why a version cannot be deprecated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeprecateError {
    /// Its state does not allow it.
    #[error(transparent)]
    WrongState(#[from] WrongState),
    /// It would stop serving at once, without any notice to its readers.
    #[error("its `endOfSupport`, {sunset}, is in the past: publish a version with a later date, or retire this one")]
    SunsetPassed {
        /// The contract's `endOfSupport`.
        sunset: Timestamp,
    },
}

impl DeprecateError {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        match self {
            Self::WrongState(error) => error.kind(),
            Self::SunsetPassed { .. } => Kind::Invalid,
        }
    }
}

impl State {
    /// The state of a version that has just been published.
    pub const NEW: Self = Self::Draft { reasons: Vec::new(), released_at: None };

    /// Which of the states it is.
    pub fn name(&self) -> StateName {
        match self {
            Self::Draft { .. } => StateName::Draft,
            Self::Active { .. } => StateName::Active,
            Self::Superseded { .. } => StateName::Superseded,
            Self::Deprecated { .. } => StateName::Deprecated,
            Self::Retired { .. } => StateName::Retired,
        }
    }

    /// The state's word.
    pub fn as_str(&self) -> &'static str {
        self.name().as_str()
    }

    /// Whether the gate's contract check holds: `active`, or `deprecated` before its sunset.
    pub fn serves(&self, now: Timestamp) -> bool {
        match self {
            Self::Active { .. } => true,
            Self::Deprecated { sunset, .. } => now < *sunset,
            Self::Draft { .. } | Self::Superseded { .. } | Self::Retired { .. } => false,
        }
    }

    /// When it stops serving, where that is settled: of a version that is deprecated.
    pub fn sunset(&self) -> Option<Timestamp> {
        match self {
            Self::Deprecated { sunset, .. } => Some(*sunset),
            Self::Draft { .. } | Self::Active { .. } | Self::Superseded { .. } | Self::Retired { .. } => None,
        }
    }

    /// Whether a new version of the major must be compared with this one.
    pub fn is_promised(&self) -> bool {
        matches!(self, Self::Active { .. } | Self::Deprecated { .. })
    }

    /// Makes a draft the current version of its major.
    ///
    /// # Errors
    /// Unless it is a draft.
    pub fn activate(self, now: Timestamp) -> Result<Self, WrongState> {
        match self {
            Self::Draft { .. } => Ok(Self::Active { since: now }),
            Self::Active { .. } | Self::Superseded { .. } | Self::Deprecated { .. } | Self::Retired { .. } => {
                Err(self.cannot_become(StateName::Active))
            }
        }
    }

    /// Gives way to a newer version of the same major.
    ///
    /// # Errors
    /// Unless it is active or deprecated.
    pub fn supersede(self, now: Timestamp) -> Result<Self, WrongState> {
        match self {
            Self::Active { .. } | Self::Deprecated { .. } => Ok(Self::Superseded { since: now }),
            Self::Draft { .. } | Self::Superseded { .. } | Self::Retired { .. } => {
                Err(self.cannot_become(StateName::Superseded))
            }
        }
    }

    /// Starts the way to the end: until `end_of_support` (the contract's SLA), else 90 days from now.
    ///
    /// # Errors
    /// Unless it is active or superseded, and `end_of_support` is not in the past.
    pub fn deprecate(self, now: Timestamp, end_of_support: Option<Timestamp>) -> Result<Self, DeprecateError> {
        match self {
            Self::Active { .. } | Self::Superseded { .. } => {
                let sunset = end_of_support.unwrap_or(now.plus(DEFAULT_SUNSET));
                if sunset < now {
                    return Err(DeprecateError::SunsetPassed { sunset });
                }
                Ok(Self::Deprecated { since: now, sunset })
            }
            Self::Draft { .. } | Self::Deprecated { .. } | Self::Retired { .. } => {
                Err(self.cannot_become(StateName::Deprecated).into())
            }
        }
    }

    /// Lets a deprecated version serve at least until a moment; in every other state it changes nothing.
    #[must_use]
    pub fn serve_until(self, moment: Timestamp) -> Self {
        match self {
            Self::Deprecated { since, sunset } => Self::Deprecated { since, sunset: sunset.max(moment) },
            Self::Draft { .. } | Self::Active { .. } | Self::Superseded { .. } | Self::Retired { .. } => self,
        }
    }

    /// Ends it, from wherever it is.
    ///
    /// # Errors
    /// If it is retired already.
    pub fn retire(self, now: Timestamp) -> Result<Self, WrongState> {
        match self {
            Self::Draft { .. } | Self::Active { .. } | Self::Superseded { .. } | Self::Deprecated { .. } => {
                Ok(Self::Retired { since: now })
            }
            Self::Retired { .. } => Err(self.cannot_become(StateName::Retired)),
        }
    }

    fn cannot_become(&self, wanted: StateName) -> WrongState {
        WrongState { state: self.name(), wanted }
    }
}
