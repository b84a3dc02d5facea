//! Change notices: they inform the readers of a major of its breaking successor, and collect their answers.
//!
//! A notice is opened when the first version of a new major becomes active beside an older major that is still promised
//! (see [`ChangeNotice::open`]). It lists the differences, how long the old major is served at least, and how to
//! migrate. Holders of a grant on the old major answer it; the answer never changes their grants.

use crate::change::{self, FindingRecord};
use crate::clock::Timestamp;
use crate::closed_set;
use crate::contract::{self, DEFAULT_SUNSET, State};
use crate::error::Kind;
use crate::grant::{self, Grant, PortMajor, sentence_of};
use crate::id::{AnswerId, ContractId, NoticeId, PrincipalId, ProductId};
use crate::version::Version;

/// The longest migration note, in characters.
pub const MAX_NOTE_CHARS: usize = 10_000;

/// Why a notice or an answer cannot be as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The notice is closed.
    #[error("the notice is closed: one of its two majors has ended")]
    Closed,
    /// The principal of the answer has no valid grant on the old major.
    #[error("no valid grant covers the major that the notice is about")]
    NotConcerned,
    /// A wish for time that ends before the deadline, which is given anyway, or has ended already.
    #[error("the requested time must be after {0}")]
    NoMoreTime(Timestamp),
    /// A reason is missing or too long.
    #[error("{0}")]
    NoReason(#[from] grant::Error),
    /// The new deadline is not later than the old one.
    #[error("the deadline can only be moved to a time after {0}")]
    Sooner(Timestamp),
    /// The migration note is empty or too long.
    #[error("a migration note has 1 to {MAX_NOTE_CHARS} characters")]
    BadNote,
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoMoreTime(_) | Self::NoReason(_) | Self::Sooner(_) | Self::BadNote => Kind::Invalid,
            Self::Closed | Self::NotConcerned => Kind::Conflict,
        }
    }
}

/// One side of a notice: a contract in one version, which represents its major.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Side {
    /// The contract.
    pub contract_id: ContractId,
    /// The version that was current in its major when the notice was opened.
    pub version: Version,
}

impl Side {
    /// Its major.
    pub fn major(&self) -> (ContractId, u64) {
        (self.contract_id, self.version.major)
    }
}

/// What readers of a major are told about its breaking successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeNotice {
    /// Its id.
    pub id: NoticeId,
    /// The product of both sides.
    pub product_id: ProductId,
    /// What its readers stand on.
    pub from: Side,
    /// What succeeds it.
    pub to: Side,
    /// What differs, as it was found when the notice was opened.
    pub findings: Vec<FindingRecord>,
    /// How to move, in the owner's words.
    pub migration_note: Option<String>,
    /// Until when the old major serves at least, unless its owner retires it.
    pub deadline: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When one of its two majors ended; see [`ChangeNotice::settled`] for sunsets.
    pub closed_at: Option<Timestamp>,
}

/// A version, its state and what it says.
#[derive(Clone, Copy, Debug)]
pub struct Promise<'a> {
    /// The version.
    pub side: Side,
    /// Its state.
    pub state: &'a State,
    /// What it says.
    pub document: &'a contract::Document,
}

impl ChangeNotice {
    /// A notice about `new`, which has just become active, to the readers of `old`; `None` if `old` is not promised any
    /// more.
    ///
    /// The deadline is the sunset of `old` if it has one, else the `endOfSupport` of its SLA if that is to come, else
    /// 90 days from now. The migration note is the new document's.
    pub fn open(
        id: NoticeId,
        product_id: ProductId,
        old: Promise<'_>,
        new: Promise<'_>,
        now: Timestamp,
    ) -> Option<Self> {
        let deadline = match old.state {
            State::Deprecated { sunset, .. } if now < *sunset => *sunset,
            State::Active { .. } => {
                let promised = old.document.end_of_support().filter(|end| now < *end);
                promised.unwrap_or(now.plus(DEFAULT_SUNSET))
            }
            State::Deprecated { .. } | State::Draft { .. } | State::Superseded { .. } | State::Retired { .. } => {
                return None;
            }
        };
        Some(Self {
            id,
            product_id,
            from: old.side,
            to: new.side,
            findings: change::finding_records(&change::compare(old.document, new.document)),
            migration_note: new.document.migration_note().and_then(|note| note_of(note).ok()),
            deadline,
            opened_at: now,
            closed_at: None,
        })
    }

    /// The notice with another migration note.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::BadNote`].
    pub fn with_note(self, note: &str) -> Result<Self, Error> {
        self.must_be_open()?;
        Ok(Self { migration_note: Some(note_of(note)?), ..self })
    }

    /// The notice with a later deadline.
    ///
    /// # Errors
    /// [`Error::Closed`]; [`Error::Sooner`] unless it is later.
    pub fn extend(self, deadline: Timestamp) -> Result<Self, Error> {
        self.must_be_open()?;
        if deadline <= self.deadline {
            return Err(Error::Sooner(self.deadline));
        }
        Ok(Self { deadline, ..self })
    }

    /// The notice after sunsets have ended one of its majors: closed since then. `ended_at` gives the
    /// moment at which a major ended so.
    #[must_use]
    pub fn settled(self, ended_at: impl Fn((ContractId, u64)) -> Option<Timestamp>) -> Self {
        let ends = [self.from, self.to].into_iter().filter_map(|side| ended_at(side.major()));
        Self { closed_at: self.closed_at.or(ends.min()), ..self }
    }

    /// The notice after one of its majors was retired.
    ///
    /// # Errors
    /// [`Error::Closed`] if it is closed already.
    pub fn close(self, now: Timestamp) -> Result<Self, Error> {
        self.must_be_open()?;
        Ok(Self { closed_at: Some(now), ..self })
    }

    /// An answer for a holder of one of these `grants`. Who may answer for whom is the policy's matter; an
    /// answer counts only while one of the holder's grants is valid for one of the `concerned` port majors.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::NotConcerned`]; [`Error::NoReason`] and [`Error::NoMoreTime`] for a reply that is
    /// not well formed.
    pub fn answer(
        &self,
        id: AnswerId,
        grants: &[Grant],
        concerned: &[PortMajor],
        new: NewAnswer,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        self.must_be_open()?;
        let NewAnswer { principal_id, by, reply, reason } = new;
        let holds = |grant: &Grant| grant.principal_id == principal_id && is_concerned(grant, concerned, now);
        if !grants.iter().any(holds) {
            return Err(Error::NotConcerned);
        }
        let reason = match (reply, reason.as_deref().map(str::trim)) {
            (Reply::Acknowledged, None | Some("")) => None,
            (_, reason) => Some(sentence_of(reason.unwrap_or_default())?),
        };
        let given_anyway = self.deadline.max(now);
        if reply.until().is_some_and(|until| until <= given_anyway) {
            return Err(Error::NoMoreTime(given_anyway));
        }
        Ok(Answer { id, notice_id: self.id, principal_id, by, reply, reason, at: now })
    }

    fn must_be_open(&self) -> Result<(), Error> {
        if self.closed_at.is_some() { Err(Error::Closed) } else { Ok(()) }
    }
}

/// Whether a grant makes its holder one of those whom a notice concerns: it is on one of these port majors, and is in
/// force or will be.
pub fn is_concerned(grant: &Grant, concerned: &[PortMajor], now: Timestamp) -> bool {
    concerned.contains(&grant.port_major) && grant.revoked.is_none() && now < grant.window.until
}

fn note_of(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let n_chars = text.chars().count();
    let control = text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    if n_chars == 0 || n_chars > MAX_NOTE_CHARS || control { Err(Error::BadNote) } else { Ok(text.to_owned()) }
}

closed_set! {
    /// What a consumer answers, without more.
    ReplyKind {
        /// It will move in time.
        Acknowledged = "acknowledged",
        /// It needs the old major for longer.
        NeedsTime = "needs_time",
        /// It cannot or will not move.
        Objects = "objects",
    }
}

/// What a consumer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It will move in time.
    Acknowledged,
    /// It needs the old major for longer.
    NeedsTime {
        /// Until when; after the deadline.
        until: Timestamp,
    },
    /// It cannot or will not move.
    Objects,
}

impl Reply {
    /// What it is, without more.
    pub fn kind(self) -> ReplyKind {
        match self {
            Self::Acknowledged => ReplyKind::Acknowledged,
            Self::NeedsTime { .. } => ReplyKind::NeedsTime,
            Self::Objects => ReplyKind::Objects,
        }
    }

    /// Until when more time is asked for.
    pub fn until(self) -> Option<Timestamp> {
        match self {
            Self::NeedsTime { until } => Some(until),
            Self::Acknowledged | Self::Objects => None,
        }
    }
}

/// An answer as it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAnswer {
    /// For whom: the holder of a grant.
    pub principal_id: PrincipalId,
    /// Who gives it: the holder, or the person who answers for it.
    pub by: PrincipalId,
    /// The answer.
    pub reply: Reply,
    /// Why; must be there unless it is an acknowledgement.
    pub reason: Option<String>,
}

/// An answer to a notice. The last one of a holder counts; the others are its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its id.
    pub id: AnswerId,
    /// The notice.
    pub notice_id: NoticeId,
    /// For whom: the holder of a grant.
    pub principal_id: PrincipalId,
    /// Who gave it.
    pub by: PrincipalId,
    /// What it says.
    pub reply: Reply,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}
