//! Semantic versions of contracts: `MAJOR.MINOR.PATCH` (semver.org 2.0.0, without pre-releases; `docs/rules.md`, "Names
//! and states").

use std::fmt;
use std::str::FromStr;

/// Not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version: use MAJOR.MINOR.PATCH, such as 1.4.0")]
pub struct NotAVersion(String);

/// A contract's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Raised when readers of the old version may break.
    pub major: u64,
    /// Raised when the promise grows.
    pub minor: u64,
    /// Raised when no reader can see the change.
    pub patch: u64,
}

/// How far a version must move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bump {
    /// Nothing changed.
    None,
    /// Nothing that a reader can see changed.
    Patch,
    /// The promise changed, and no reader breaks.
    Minor,
    /// Readers may break.
    Major,
}

impl Bump {
    /// The bump's word: `none`, `patch`, `minor`, `major`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

impl fmt::Display for Bump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Version {
    /// The bump from `old` to this version; `None` if this one is not greater.
    pub fn bump_from(self, old: Self) -> Bump {
        if self <= old {
            Bump::None
        } else if self.major > old.major {
            Bump::Major
        } else if self.minor > old.minor {
            Bump::Minor
        } else {
            Bump::Patch
        }
    }

    /// The least version that is `bump` after this one.
    pub fn next(self, bump: Bump) -> Self {
        match bump {
            Bump::None => self,
            Bump::Patch => Self { patch: self.patch.saturating_add(1), ..self },
            Bump::Minor => Self { minor: self.minor.saturating_add(1), patch: 0, ..self },
            Bump::Major => Self { major: self.major.saturating_add(1), minor: 0, patch: 0 },
        }
    }
}

/// A leading `v` and missing parts are read: `v1` is `1.0.0`.
impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let wrong = || NotAVersion(text.chars().filter(|c| !c.is_control()).take(40).collect());
        let mut parts = [0; 3];
        for (index, part) in text.strip_prefix('v').unwrap_or(text).split('.').enumerate() {
            let digits = !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit());
            let place = parts.get_mut(index).ok_or_else(wrong)?;
            if !digits || (part.len() > 1 && part.starts_with('0')) {
                return Err(wrong());
            }
            *place = part.parse().map_err(|_| wrong())?;
        }
        let [major, minor, patch] = parts;
        Ok(Self { major, minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
