//! Where a table lies: a folder below the storage root.

use crate::name::DomainPath;

/// A folder below the storage root: parsed, never joined as text. No segment is empty, `.`, `..`, or holds `\`, NUL or
/// another control character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(Vec<String>);

/// The longest location, in bytes, and the deepest, in segments.
const MAX_LOCATION: (usize, usize) = (512, 16);

/// Why a text is not a location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a location: use a relative path without empty, `.` or `..` segments")]
pub struct NotALocation(String);

impl Location {
    /// The segments, from the storage root down.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// Whether one of the two lies inside the other, or both are the same folder. Siblings such as `sales` and
    /// `sales_eu` do not overlap.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, two)| one == two)
    }

    /// Whether it is the folder of a domain, or lies in it: where the domain's own tables may be.
    pub fn lies_in(&self, domain: &DomainPath) -> bool {
        let mut segments = self.0.iter();
        domain.as_str().split('/').all(|name| segments.next().is_some_and(|segment| segment == name))
    }

    /// Whether a segment begins or ends with a blank, so that it looks like another one.
    pub fn has_outer_blanks(&self) -> bool {
        self.0.iter().any(|segment| segment.trim() != segment)
    }

    /// The location itself and every folder above it.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        (1..=self.0.len()).rev().map(|n_segments| Self(self.0[..n_segments].to_vec()))
    }
}

impl std::str::FromStr for Location {
    type Err = NotALocation;

    fn from_str(text: &str) -> Result<Self, NotALocation> {
        let wrong = || NotALocation(text.chars().filter(|c| !c.is_control()).take(80).collect());
        let text_fits = !text.is_empty() && text.len() <= MAX_LOCATION.0;
        let segments: Vec<String> = text.split('/').map(str::to_owned).collect();
        let segment_fits = |segment: &String| {
            !matches!(segment.as_str(), "" | "." | "..")
                && !segment.chars().any(|c| c.is_control() || matches!(c, '\\' | '%' | '*' | '?' | '{' | '}' | '$'))
        };
        if text_fits && segments.len() <= MAX_LOCATION.1 && segments.iter().all(segment_fits) {
            Ok(Self(segments))
        } else {
            Err(wrong())
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}
