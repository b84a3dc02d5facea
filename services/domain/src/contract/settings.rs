//! Settings that tell the gate how to treat a contract. They are `customProperties` of the document, so part of its
//! promise (`docs/rules.md`, "Served snapshot").

use std::time::Duration;

use crate::change::level::Level;
use crate::table::ReaderProtocol;

/// Which snapshot is served when the newest is bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GateMode {
    /// None: the gate is shut. The default.
    #[default]
    Block,
    /// The newest that passed.
    LastGood,
    /// The newest, with its findings in the answer.
    Warn,
}

impl GateMode {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::LastGood => "last_good",
            Self::Warn => "warn",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Block, Self::LastGood, Self::Warn].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// What late data does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Late {
    /// The decision warns. The default.
    #[default]
    Warn,
    /// The gate is shut.
    Block,
}

impl Late {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Warn, Self::Block].into_iter().find(|late| late.as_str() == word)
    }
}

/// What a registered schema does to the contract of its topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Evolve {
    /// It makes the next MINOR or PATCH version.
    #[default]
    Auto,
    /// It makes a draft, and is registered once that was activated.
    Review,
}

impl Evolve {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Review => "review",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Auto, Self::Review].into_iter().find(|evolve| evolve.as_str() == word)
    }
}

/// How a contract's data is pinned to what was inspected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pinning {
    /// `false`: any door may serve it. The default.
    #[default]
    Any,
    /// `true`: only doors that hand out files themselves may serve it.
    Files,
    /// `digest`: the same, and each file's bytes are compared with their digest before they are served first.
    Digest,
}

impl Pinning {
    /// Whether only doors that hand out files themselves may serve it.
    pub fn is_pinned(self) -> bool {
        matches!(self, Self::Files | Self::Digest)
    }
}

/// The settings of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `gateMode`: which snapshot is served when the newest is bad.
    pub gate_mode: GateMode,
    /// `late`: what late data does.
    pub late: Late,
    /// `closed`: an undeclared column is a failure, not a warning.
    pub closed: bool,
    /// `grace`: how long a pending head does not shut the gate.
    pub grace: Duration,
    /// `exposure`: how long an unpinned credential lives at most.
    pub exposure: Duration,
    /// `pinned`: how the data is pinned to what was inspected.
    pub pinned: Pinning,
    /// `final`: the data is complete and never late.
    pub is_final: bool,
    /// `readerVersion`, `readerFeatures`: the most that reading may ask for; `None` if the contract does not say.
    pub reader_ceiling: Option<ReaderProtocol>,
    /// `compatibility`: which directions later versions of the major keep, and towards how much of its history;
    /// `FULL_TRANSITIVE` if the contract does not say.
    pub compatibility: Level,
    /// `allowWidening`: readers take wider types, so that widening one is no reason for a major.
    pub allow_widening: bool,
    /// `enumsOpen`: readers expect values in every enumeration that it does not list yet. A column says so of its own
    /// with the custom property `openEnum`.
    pub enums_open: bool,
    /// `ordered`: readers go by the position of columns.
    pub ordered: bool,
    /// `pathReaders`: readers go by the paths of files, in which partitions are.
    pub path_readers: bool,
    /// `partitioned`: how the data is partitioned is promised, for the sake of what queries cost.
    pub partitioning_promised: bool,
    /// `evolve`: what a schema that is registered for one of its topics does.
    pub evolve: Evolve,
}

impl Settings {
    /// The custom properties that are settings.
    pub const NAMES: [&str; 16] = [
        "allowWidening",
        "closed",
        "compatibility",
        "enumsOpen",
        "evolve",
        "exposure",
        "final",
        "gateMode",
        "grace",
        "late",
        "ordered",
        "partitioned",
        "pathReaders",
        "pinned",
        "readerFeatures",
        "readerVersion",
    ];
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            gate_mode: GateMode::default(),
            late: Late::default(),
            closed: false,
            grace: Duration::from_secs(60 * 60),
            exposure: Duration::from_secs(15 * 60),
            pinned: Pinning::default(),
            is_final: false,
            reader_ceiling: None,
            compatibility: Level::FullTransitive,
            allow_widening: false,
            enums_open: false,
            ordered: false,
            path_readers: false,
            partitioning_promised: false,
            evolve: Evolve::default(),
        }
    }
}
