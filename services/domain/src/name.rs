//! Names that are safe in addresses, listings and logs.
//!
//! A name matches `[a-z][a-z0-9_-]{0,62}` (`docs/rules.md`, "Names and states"). None of them ever enters a path or a
//! provider's policy.

use std::fmt;
use std::str::FromStr;

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 63;
/// The deepest domain path, in segments.
pub const MAX_DOMAIN_DEPTH: usize = 8;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not `[a-z][a-z0-9_-]{0,62}`.
    #[error("`{0}` is not a name: use a lower-case letter, then letters, digits, `_` or `-`, at most 63 in all")]
    NotAName(String),
    /// A domain path with too many segments.
    #[error("a domain may be nested at most {MAX_DOMAIN_DEPTH} deep")]
    TooDeep,
    /// Not `domain.product.table`.
    #[error("`{0}` is not an address: use `domain.product.table`, with `__v2` at the end for a major version")]
    NotAnAddress(String),
}

/// The name of a domain's segment, a product, a port or a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that a title gives: lowered, with each run of other characters as one `-` (`docs/rules.md`, "Names and
    /// states").
    ///
    /// # Errors
    /// [`Error::NotAName`] if nothing usable is left, or it is too long.
    pub fn slug(title: &str) -> Result<Self, Error> {
        let mut slug = String::new();
        for character in title.chars().flat_map(char::to_lowercase) {
            if character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_' {
                slug.push(character);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.trim_end_matches('-').parse().map_err(|_| Error::NotAName(shortened(title)))
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = text.bytes();
        let good = bytes.next().is_some_and(|first| first.is_ascii_lowercase())
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-')
            && text.len() <= MAX_NAME_BYTES;
        if good { Ok(Self(text.to_owned())) } else { Err(Error::NotAName(shortened(text))) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of a domain: names joined with `/`, such as `sales/emea`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainPath(String);

impl DomainPath {
    /// The text of the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of the domain that this one lies in.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// This path and all above it, the nearest first.
    pub fn lineage(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }
}

impl FromStr for DomainPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        for segment in text.split('/') {
            segment.parse::<Name>()?;
        }
        if text.split('/').count() > MAX_DOMAIN_DEPTH {
            return Err(Error::TooDeep);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for DomainPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The address of a table: `domain.product.name`, or `domain.product.name__v1` for one major.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The domain.
    pub domain: DomainPath,
    /// The product's name.
    pub product: Name,
    /// The schema object's name.
    pub table: Name,
    /// The major asked for; `None` means the newest that the caller's grants cover.
    pub major: Option<u64>,
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::NotAnAddress(shortened(text));
        let mut parts = text.split('.');
        let (Some(domain), Some(product), Some(table), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let (table, major) = match table.rsplit_once("__v") {
            Some((table, digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                (table, Some(digits.parse().map_err(|_| wrong())?))
            }
            _ => (table, None),
        };
        Ok(Self {
            domain: domain.parse().map_err(|_| wrong())?,
            product: product.parse().map_err(|_| wrong())?,
            table: table.parse().map_err(|_| wrong())?,
            major,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.domain, self.product, self.table)?;
        match self.major {
            Some(major) => write!(f, "__v{major}"),
            None => Ok(()),
        }
    }
}

/// The most characters of a foreign text that an error message here repeats.
const MAX_SHOWN_CHARS: usize = 80;

fn shortened(text: &str) -> String {
    shorten(text, MAX_SHOWN_CHARS)
}

/// The first characters of a foreign text, for an error message, with control characters replaced.
pub fn shorten(text: &str, max_chars: usize) -> String {
    let mut short: String = text.chars().take(max_chars).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(max_chars).is_some() {
        short.push('…');
    }
    short
}
