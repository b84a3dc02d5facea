//! The names of datasets and jobs outside of the catalog, in one spelling each.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest namespace, name and column name, in bytes.
pub const MAX_NAME_BYTES: usize = 2_048;

/// Schemes of stores in which a dataset's name is its place, each with the spelling that stands for it.
const STORES: &[(&str, &str)] = &[
    ("s3", "s3"),
    ("s3a", "s3"),
    ("s3n", "s3"),
    ("gs", "gs"),
    ("gcs", "gs"),
    ("abfss", "abfss"),
    ("abfs", "abfss"),
    ("wasbs", "abfss"),
    ("wasb", "abfss"),
    ("hdfs", "hdfs"),
    ("dbfs", "dbfs"),
    ("file", "file"),
];

/// Ports that a namespace need not name.
const DEFAULT_PORTS: &[(&str, &str)] = &[
    ("hdfs", "8020"),
    ("http", "80"),
    ("https", "443"),
    ("kafka", "9092"),
    ("mssql", "1433"),
    ("mysql", "3306"),
    ("oracle", "1521"),
    ("postgres", "5432"),
    ("redshift", "5439"),
];

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing is left of it.
    #[error("a name is empty")]
    Empty,
    /// Longer than [`MAX_NAME_BYTES`].
    #[error("a name has more than {MAX_NAME_BYTES} bytes")]
    TooLong,
    /// It contains a control character.
    #[error("a name contains a control character")]
    Control,
}

/// A dataset as producers name it: (namespace, name), in one spelling.
///
/// A dataset in a store is named by its place, however it was split or spelt: `s3a://lake` and `/sales/`, and `s3://lake/sales`
/// alone, are both (`s3://lake`, `sales`); `file:///data/t`, `file:/data/t`, and `file` with `/data/t`, are (`file`,
/// `/data/t`). In other namespaces the scheme and the host are lowered, and default ports, closing slashes and
/// credentials are left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dataset {
    is_place: bool,
    namespace: String,
    name: String,
}

impl Dataset {
    /// The dataset of this namespace and name.
    ///
    /// # Errors
    /// An empty name, one that is too long, or one with control characters.
    pub fn new(namespace: &str, name: &str) -> Result<Self, Error> {
        let (namespace, name) = (namespace.trim(), name.trim());
        check(namespace)?;
        check(name)?;
        if let Some(place) = place(namespace, name) {
            return Ok(place);
        }
        if name.is_empty() {
            return Err(Error::Empty);
        }
        Ok(Self { namespace: tidy(namespace), name: name.to_owned(), is_place: false })
    }

    /// The dataset at a place that is written as one text, such as `s3://lake/sales` or `file:/data/sales`.
    ///
    /// # Errors
    /// As [`Dataset::new`]; a text that names no place is the name of a dataset without a namespace.
    pub fn at(place: &str) -> Result<Self, Error> {
        Self::new("", place)
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is named by its place in a store.
    pub fn is_place(&self) -> bool {
        self.is_place
    }

    /// The folders above a place, the nearest first; none for other names.
    pub fn folders(&self) -> impl Iterator<Item = Self> + '_ {
        let is_rooted = self.name.starts_with('/');
        let path = if self.is_place { self.name.trim_matches('/') } else { "" };
        path.rmatch_indices('/').map(move |(end, _)| {
            let folder = &path[..end];
            let name = if is_rooted { format!("/{folder}") } else { folder.to_owned() };
            Self { namespace: self.namespace.clone(), name, is_place: true }
        })
    }

    /// A dataset that was taken apart by [`Dataset::namespace`] and [`Dataset::name`]: both are in their one spelling.
    pub(crate) fn from_parts(is_place: bool, namespace: &str, name: &str) -> Self {
        Self { is_place, namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// Namespace and name with a blank between.
impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.namespace, self.name)
    }
}

/// A job as producers name it, or an exposure: what works on data without being data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Job {
    namespace: String,
    name: String,
}

impl Job {
    /// The job of this namespace and name.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn new(namespace: &str, name: &str) -> Result<Self, Error> {
        let (namespace, name) = (namespace.trim(), name.trim());
        check(namespace)?;
        check(name)?;
        if name.is_empty() {
            return Err(Error::Empty);
        }
        Ok(Self { namespace: tidy(namespace), name: name.to_owned() })
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Namespace and name with a blank between.
impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.namespace, self.name)
    }
}

/// Whether a text can be a column's name.
///
/// # Errors
/// As [`Dataset::new`].
pub(crate) fn check_column(name: &str) -> Result<(), Error> {
    check(name)?;
    if name.is_empty() { Err(Error::Empty) } else { Ok(()) }
}

fn check(text: &str) -> Result<(), Error> {
    if text.len() > MAX_NAME_BYTES {
        Err(Error::TooLong)
    } else if text.chars().any(char::is_control) {
        Err(Error::Control)
    } else {
        Ok(())
    }
}

/// A URL's scheme in lower case, its authority and its path.
struct Url<'a> {
    scheme: String,
    authority: &'a str,
    path: &'a str,
}

impl<'a> Url<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !is_scheme || !(rest.is_empty() || rest.starts_with('/')) {
            return None;
        }
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        Some(Self { scheme: scheme.to_ascii_lowercase(), authority, path })
    }
}

fn place(namespace: &str, name: &str) -> Option<Dataset> {
    let bare = namespace.trim_end_matches('/');
    let store = |scheme: &str| STORES.iter().find(|(spelling, _)| *spelling == scheme).map(|(_, store)| *store);
    let of_name = Url::read(name).and_then(|url| Some((store(&url.scheme)?, url)));
    let (store, url, rest) = match of_name {
        Some((store, url)) => (store, url, ""),
        // The form that names no authority, such as `file` and `/data/t`.
        None if bare == "file" || name.starts_with('/') && store(bare).is_some() => {
            (store(bare)?, Url { scheme: bare.to_owned(), authority: "", path: "" }, name)
        }
        None => {
            let url = Url::read(namespace)?;
            (store(&url.scheme)?, url, name)
        }
    };
    let mut segments = Vec::new();
    for segment in url.path.split('/').chain(rest.split('/')) {
        match segment {
            "" | "." => {}
            ".." => return None,
            segment => segments.push(segment),
        }
    }
    let mut authority = authority(&url.scheme, url.authority);
    if url.scheme.starts_with("wasb") {
        authority = authority.replace(".blob.", ".dfs.");
    }
    if store == "file" && authority == "localhost" {
        authority.clear();
    }
    let path = segments.join("/");
    Some(if authority.is_empty() {
        Dataset { namespace: store.to_owned(), name: format!("/{path}"), is_place: true }
    } else {
        let name = if path.is_empty() { "/".to_owned() } else { path };
        Dataset { namespace: format!("{store}://{authority}"), name, is_place: true }
    })
}

fn tidy(namespace: &str) -> String {
    let Some(url) = Url::read(namespace) else { return namespace.trim_end_matches('/').to_owned() };
    let authority = authority(&url.scheme, url.authority);
    let slashes = if authority.is_empty() { "" } else { "//" };
    let path = url.path.trim_matches('/');
    let slash = if path.is_empty() { "" } else { "/" };
    format!("{}:{slashes}{authority}{slash}{path}", url.scheme)
}

/// The authority without credentials and default port. `container@account` names no credentials.
fn authority(scheme: &str, authority: &str) -> String {
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') || !scheme.starts_with(['a', 'w']) => host,
        Some(_) | None => authority,
    };
    let lowered = authority.to_ascii_lowercase();
    let default_port = DEFAULT_PORTS.iter().find(|(of, _)| *of == scheme).map(|(_, port)| *port);
    match (lowered.rsplit_once(':'), default_port) {
        (Some((host, port)), Some(default)) if port == default => host.to_owned(),
        _ => lowered,
    }
}
