//! Access requests, and the grants that approve them.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::closed_set;
use crate::contract;
use crate::error::{Kind, Reason};
use crate::id::{AccessRequestId, GrantId, PrincipalId, ProductId};
use crate::identity::PurposeCode;
use crate::name::Name;

/// The end of a window that none was given for: 90 days (`docs/rules.md`, "Names and states").
pub const DEFAULT_WINDOW: Duration = Duration::from_secs(90 * 24 * 3_600);
/// The longest window: 365 days (`docs/rules.md`, "Names and states").
pub const MAX_WINDOW: Duration = Duration::from_secs(365 * 24 * 3_600);
/// The longest sentence a purpose, reason or note may be, in characters.
pub const MAX_SENTENCE_CHARS: usize = 1_000;

/// Why a request or grant cannot be as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The window's end is not after its start and now.
    #[error("the window must end after it starts, and in the future")]
    WindowEmpty,
    /// The window is longer than [`MAX_WINDOW`].
    #[error("the window may be at most 365 days long")]
    WindowTooLong,
    /// The request is not pending any more.
    #[error("the request is already {0}")]
    AlreadyDecided(RequestState),
    /// The grant is not active any more.
    #[error("the grant is already revoked")]
    AlreadyRevoked,
    /// A sentence is missing or too long.
    #[error("the text must have 1 to {MAX_SENTENCE_CHARS} characters")]
    NoSentence,
}

/// Why no new access is given to a major of an output port. Grants that stand are another matter: the gate honours them
/// for as long as the contract version serves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("port `{port}` v{major} {why}: no new access is given{}", successor_of(*.successor))]
pub struct Closed {
    /// The port's name.
    pub port: Name,
    /// The major that was asked for.
    pub major: u64,
    /// Its contract's state.
    pub why: ClosedBy,
    /// The next major of the port that takes requests.
    pub successor: Option<u64>,
}

/// What closes a major of a port to new access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// No version of its contract was active yet.
    Draft,
    /// Its contract serves those who have a grant until its sunset.
    Deprecated {
        /// When it stops serving.
        sunset: Timestamp,
    },
    /// Its contract is no longer served.
    Retired,
}

impl Closed {
    /// Whether a port major takes access requests: the current version of its contract is active. `majors` are all
    /// majors of the port, each with the state of that version.
    ///
    /// # Errors
    /// [`Closed`], naming the next major that takes requests.
    pub fn check(port: &Name, major: u64, majors: &[(u64, Option<&contract::State>)]) -> Result<(), Self> {
        let state_of_major = majors.iter().find(|(other, _)| *other == major).and_then(|(_, state)| *state);
        let Err(why) = ClosedBy::of(state_of_major) else { return Ok(()) };
        let open = majors.iter().filter(|(other, state)| *other > major && ClosedBy::of(*state).is_ok());
        let successor = open.map(|(other, _)| *other).min();
        Err(Self { port: port.clone(), major, why, successor })
    }
}

impl ClosedBy {
    /// What the state of a contract's current version says about new access: none where there is no such version.
    ///
    /// # Errors
    /// Unless it is active.
    pub fn of(current: Option<&contract::State>) -> Result<(), Self> {
        match current {
            Some(contract::State::Active { .. }) => Ok(()),
            Some(contract::State::Deprecated { sunset, .. }) => Err(Self::Deprecated { sunset: *sunset }),
            Some(contract::State::Retired { .. } | contract::State::Superseded { .. }) => Err(Self::Retired),
            Some(contract::State::Draft { .. }) | None => Err(Self::Draft),
        }
    }

    /// The reason, for programs.
    pub fn reason(self) -> Reason {
        match self {
            Self::Draft => Reason::PortDraft,
            Self::Deprecated { .. } => Reason::PortDeprecated,
            Self::Retired => Reason::PortRetired,
        }
    }
}

impl fmt::Display for ClosedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draft => f.write_str("has no active contract version yet"),
            Self::Deprecated { sunset } => write!(f, "is deprecated, with its sunset on {sunset}"),
            Self::Retired => f.write_str("is retired"),
        }
    }
}

fn successor_of(successor: Option<u64>) -> String {
    successor.map_or_else(String::new, |major| format!("; request v{major}, its successor"))
}

impl Closed {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        Kind::Conflict
    }
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::WindowEmpty | Self::WindowTooLong | Self::NoSentence => Kind::Invalid,
            Self::AlreadyDecided(_) | Self::AlreadyRevoked => Kind::Conflict,
        }
    }
}

/// From when until when, the end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

impl Window {
    /// A window from what was asked: from `from` (now), until `until` (90 days after its start).
    ///
    /// # Errors
    /// [`Error::WindowEmpty`], [`Error::WindowTooLong`].
    pub fn requested(from: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> Result<Self, Error> {
        let from = from.unwrap_or(now);
        let until = until.unwrap_or(from.plus(DEFAULT_WINDOW));
        if until <= from || until <= now {
            return Err(Error::WindowEmpty);
        }
        if until.since(from) > MAX_WINDOW {
            return Err(Error::WindowTooLong);
        }
        Ok(Self { from, until })
    }

    /// Whether the moment lies inside.
    pub fn covers(self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// What data is read for: a code, and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// The code.
    pub code: PurposeCode,
    /// The sentence.
    pub sentence: String,
}

impl Purpose {
    /// A purpose with a sentence of 1 to [`MAX_SENTENCE_CHARS`] characters, trimmed.
    ///
    /// # Errors
    /// [`Error::NoSentence`].
    pub fn new(code: PurposeCode, sentence: &str) -> Result<Self, Error> {
        Ok(Self { code, sentence: sentence_of(sentence)? })
    }
}

/// A sentence a person gave as a reason: trimmed, 1 to [`MAX_SENTENCE_CHARS`] characters, no control characters.
///
/// # Errors
/// [`Error::NoSentence`].
pub fn sentence_of(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let n_chars = text.chars().count();
    let control = text.chars().any(|c| c.is_control() && c != '\n');
    if n_chars == 0 || n_chars > MAX_SENTENCE_CHARS || control {
        return Err(Error::NoSentence);
    }
    Ok(text.to_owned())
}

/// One major of an output port: what a grant covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortMajor {
    /// The product.
    pub product_id: ProductId,
    /// The port's name.
    pub port: Name,
    /// The major.
    pub major: u64,
}

closed_set! {
    /// The life of an access request.
    RequestState {
        /// Waiting for an owner.
        Pending = "pending",
        /// A grant was given.
        Approved = "approved",
        /// Refused by an owner.
        Rejected = "rejected",
        /// Taken back by who asked.
        Withdrawn = "withdrawn",
    }
}

/// A request for access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRequest {
    /// Its id.
    pub id: AccessRequestId,
    /// Who asks.
    pub requester: PrincipalId,
    /// For what.
    pub port_major: PortMajor,
    /// What for.
    pub purpose: Purpose,
    /// From when until when.
    pub window: Window,
    /// Its state.
    pub state: RequestState,
    /// Who decided (or withdrew), when and why.
    pub decided: Option<Decided>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A person's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Who.
    pub by: PrincipalId,
    /// When.
    pub at: Timestamp,
    /// Why, where a reason was given.
    pub reason: Option<String>,
}

impl AccessRequest {
    /// The request after an answer. Who may answer is the policy's matter.
    ///
    /// # Errors
    /// [`Error::AlreadyDecided`] unless it is pending.
    pub fn decide(self, state: RequestState, decided: Decided) -> Result<Self, Error> {
        match self.state {
            RequestState::Pending => Ok(Self { state, decided: Some(decided), ..self }),
            decided @ (RequestState::Approved | RequestState::Rejected | RequestState::Withdrawn) => {
                Err(Error::AlreadyDecided(decided))
            }
        }
    }
}

/// The standing answer: a principal may read one port major for a purpose, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// The request it answers.
    pub request_id: AccessRequestId,
    /// Who may read.
    pub principal_id: PrincipalId,
    /// What.
    pub port_major: PortMajor,
    /// What for.
    pub purpose: Purpose,
    /// From when until when.
    pub window: Window,
    /// Who gave it.
    pub granted_by: PrincipalId,
    /// When.
    pub granted_at: Timestamp,
    /// Who ended it early, when and why.
    pub revoked: Option<Decided>,
}

impl Grant {
    /// Whether it is valid at a moment.
    pub fn covers(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.window.covers(now)
    }

    /// The grant after it was ended early.
    ///
    /// # Errors
    /// [`Error::AlreadyRevoked`].
    pub fn revoke(self, decided: Decided) -> Result<Self, Error> {
        match self.revoked {
            None => Ok(Self { revoked: Some(decided), ..self }),
            Some(_) => Err(Error::AlreadyRevoked),
        }
    }
}
