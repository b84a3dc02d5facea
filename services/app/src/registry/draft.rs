//! A schema as a caller sends it, and what it refers to.

use super::error::Error;
use super::owner::Owner;
use crate::ctx::Ctx;
use documents::message::{self, MessageSchema, References};
use domain::change::message::Format;
use domain::registry::{
    MAX_REFERENCE_DEPTH, MAX_REFERENCES, MAX_SCHEMA_BYTES, Reference, Schema, Subject, SubjectVersion,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use store::Tx;

/// A schema as a caller sends it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its format.
    pub format: Format,
    /// Its text.
    pub text: String,
    /// What it refers to.
    pub references: Vec<DraftReference>,
}

/// A schema that a draft names.
#[derive(Clone, Debug)]
pub struct DraftReference {
    /// The name by which the draft refers to it.
    pub name: String,
    /// The subject it is registered under; one without a context is of the draft's.
    pub subject: Subject,
    /// Its version there.
    pub version: VersionRef,
}

/// Which version of a subject is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionRef {
    /// The newest in use.
    Latest,
    /// This one, from 1.
    Number(u32),
}

impl fmt::Display for VersionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// A schema in its place.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Its place.
    pub version: SubjectVersion,
    /// The schema.
    pub schema: Arc<Schema>,
}

/// A draft that was read: what would be kept of it, and what it is compared by.
pub(super) struct Prepared {
    pub(super) model: Arc<MessageSchema>,
    /// What prints a text as this one is.
    pub(super) print: fn(Format, &str, &References) -> Result<String, message::Invalid>,
    pub(super) text: String,
    pub(super) references: Vec<Reference>,
    /// The texts that it refers to, by their names, and those that these refer to.
    pub(super) texts: BTreeMap<String, String>,
    /// One of the versions that it refers to was taken out of use: the schema may exist already, but a new registration
    /// of it is refused.
    pub(super) out_of_use: Option<Reference>,
    pub(super) digest: String,
}

impl Draft {
    /// Reads a draft. What it refers to must be registered and known to the caller.
    pub(super) async fn prepare(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        subject: &Subject,
        normalize: bool,
    ) -> Result<Prepared, Error> {
        if self.text.len() > MAX_SCHEMA_BYTES {
            return Err(Error::TooLarge);
        }
        if self.references.len() > MAX_REFERENCES {
            return Err(too_many_references());
        }
        let mut references = Vec::with_capacity(self.references.len());
        for reference in &self.references {
            references.push(reference.numbered(ctx, tx, subject).await?);
        }
        if normalize {
            // The order is that of the Confluent Schema Registry.
            let key =
                |reference: &Reference| (reference.subject.to_string(), reference.version, reference.name.clone());
            references.sort_by_cached_key(key);
            references.dedup();
        }
        let Resolved { texts, out_of_use } = resolve(ctx, tx, &references, Reach::Callers).await?;
        let (format, text) = (self.format, self.text.clone());
        let print = if normalize { message::normalised } else { message::canonical };
        let read = move || {
            let model = MessageSchema::parse_new(format, &text, &texts)?;
            Ok((model, print(format, &text, &texts)?, texts))
        };
        // A large schema takes its time; the runtime's threads are for everybody.
        let read = tokio::task::spawn_blocking(read).await.map_err(crate::Error::internal)?;
        let (model, text, texts) =
            read.map_err(|invalid: message::Invalid| Error::InvalidSchema(invalid.to_string()))?;
        let digest = digest(format, &text, &references);
        Ok(Prepared { model: Arc::new(model), print, text, references, texts, out_of_use, digest })
    }
}

impl DraftReference {
    /// The reference with the number of its version, as it is kept.
    async fn numbered(&self, ctx: &Ctx, tx: &mut Tx, referring: &Subject) -> Result<Reference, Error> {
        let subject = self.subject.clone().in_context_of(referring);
        let version = match self.version {
            VersionRef::Number(version) => version,
            VersionRef::Latest => {
                let may_view = Owner::of(ctx, tx, &subject).await?.may_view();
                let latest = store::registry::find_latest_version(tx, &subject).await?;
                latest.filter(|_| may_view).ok_or_else(|| missing(&self.name, &subject, "latest"))?.version
            }
        };
        Ok(Reference { name: self.name.clone(), subject, version })
    }
}

/// What makes two schemas of a context the same.
fn digest(format: Format, text: &str, references: &[Reference]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    part(format.as_str().as_bytes());
    part(text.as_bytes());
    for reference in references {
        part(reference.name.as_bytes());
        part(reference.subject.to_string().as_bytes());
        part(&reference.version.to_be_bytes());
    }
    hex::encode(hash.finalize())
}

/// What references may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// What the caller may know of: for schemas from callers.
    Callers,
    /// All: for what is registered.
    All,
}

/// What references lead to.
pub(super) struct Resolved {
    /// The texts by the names that lead to them, and those that these lead to.
    pub(super) texts: BTreeMap<String, String>,
    /// The first that leads to a version out of use.
    pub(super) out_of_use: Option<Reference>,
}

/// The texts that references lead to by their names, and those that these lead to. Of two with one name the first in the
/// order of the text counts.
pub(super) async fn resolve(ctx: &Ctx, tx: &mut Tx, references: &[Reference], reach: Reach) -> Result<Resolved, Error> {
    let mut resolved = Resolved { texts: BTreeMap::new(), out_of_use: None };
    let mut n_bytes = 0_usize;
    let mut open: Vec<(Reference, usize)> = references.iter().rev().map(|reference| (reference.clone(), 1)).collect();
    while let Some((reference, depth)) = open.pop() {
        let Reference { name, subject, version } = &reference;
        if resolved.texts.contains_key(name) {
            continue;
        }
        if resolved.texts.len() >= MAX_REFERENCES || depth > MAX_REFERENCE_DEPTH {
            return Err(too_many_references());
        }
        let missing = || missing(name, subject, &version.to_string());
        let may_view = reach == Reach::All || Owner::of(ctx, tx, subject).await?.may_view();
        let found = store::registry::find_version(tx, subject, *version).await?;
        let found = found.filter(|_| may_view).ok_or_else(missing)?;
        let schema = ctx.app.caches.schemas.find_or_load(tx, found.schema_id).await?.ok_or_else(missing)?;
        n_bytes = n_bytes.saturating_add(schema.text.len());
        if n_bytes > MAX_SCHEMA_BYTES {
            return Err(Error::TooLarge);
        }
        open.extend(schema.references.iter().rev().map(|nested| (nested.clone(), depth + 1)));
        resolved.texts.insert(name.clone(), schema.text.clone());
        if found.deleted && resolved.out_of_use.is_none() {
            resolved.out_of_use = Some(reference);
        }
    }
    Ok(resolved)
}

pub(super) fn missing(name: &str, subject: &Subject, version: &str) -> Error {
    Error::InvalidSchema(format!("no schema for the reference `{name}`: subject `{subject}`, version {version}"))
}

fn too_many_references() -> Error {
    let message =
        format!("at most {MAX_REFERENCES} references, nested at most {MAX_REFERENCE_DEPTH} deep, are allowed");
    Error::InvalidSchema(message)
}

/// A registered schema as its comparer sees it.
pub(super) async fn model(ctx: &Ctx, tx: &mut Tx, schema: &Arc<Schema>) -> Result<Arc<MessageSchema>, Error> {
    if let Some(model) = ctx.app.caches.schemas.find_model(schema.id) {
        return Ok(model);
    }
    let Resolved { texts, .. } = resolve(ctx, tx, &schema.references, Reach::All).await?;
    let kept = Arc::clone(schema);
    let read = move || MessageSchema::parse(kept.format, &kept.text, &texts);
    let read = tokio::task::spawn_blocking(read).await.map_err(crate::Error::internal)?;
    let model = Arc::new(read.map_err(|invalid| crate::Error::internal(invalid.to_string()))?);
    ctx.app.caches.schemas.put_model(schema, &model);
    Ok(model)
}
