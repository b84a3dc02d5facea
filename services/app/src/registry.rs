//! The schema registry: subjects, their versions, and which new schemas they take.
//!
//! A subject belongs to the output port whose contract binds a schema object to its topic; who may see the product may
//! read its schemas, who may publish it may register them. What no product owns belongs to the quarantine domain, where
//! one is configured, and else is refused. A subject that the caller may not know of is answered like one that does not
//! exist.
//!
//! Begin at [`register`]. Names and rules are those of the Confluent Schema Registry
//! (<https://docs.confluent.io/platform/current/schema-registry/develop/api.html>); what the contract adds is in `evolve`.

mod cache;
mod delete;
mod error;
mod evolve;
mod owner;
mod read;
mod register;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

use documents::message::{self, MessageSchema, References};
use domain::change::message::Format;
use domain::registry::{
    MAX_REFERENCE_DEPTH, MAX_REFERENCES, MAX_SCHEMA_BYTES, Reference, Schema, Subject, SubjectVersion,
};
use store::Tx;

pub(crate) use self::cache::SchemaCache;
pub use self::delete::{delete_subject, delete_version};
pub use self::error::{Error, Incompatibility};
use self::owner::Owner;
pub use self::read::{
    Shown, contexts, find_schema, lookup, newest_schema_id, places_of_schema, referrers, schemas, subjects,
    text_in_format, version, versions,
};
pub use self::register::{Check, Given, Register, check, register};
pub use self::settings::{change_settings, clear_settings, effective_settings, own_settings};
use crate::ctx::Ctx;

/// A schema as a caller sends it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its format.
    pub format: Format,
    /// Its text.
    pub text: String,
    /// What it refers to.
    pub references: Vec<Reference>,
}

/// Which version of a subject is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionRef {
    /// The newest in use.
    Latest,
    /// This one, from 1.
    Number(u32),
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
struct Prepared {
    model: Arc<MessageSchema>,
    /// What prints a text as this one is.
    print: fn(Format, &str, &References) -> Result<String, message::Invalid>,
    text: String,
    references: Vec<Reference>,
    digest: String,
}

impl Draft {
    /// Reads a draft. What it refers to must be registered and known to the caller.
    async fn prepare(&self, ctx: &Ctx, tx: &mut Tx, subject: &Subject, normalize: bool) -> Result<Prepared, Error> {
        if self.text.len() > MAX_SCHEMA_BYTES {
            return Err(Error::TooLarge);
        }
        let references: Vec<Reference> = self
            .references
            .iter()
            .map(|reference| Reference {
                subject: reference.subject.clone().in_context_of(subject),
                ..reference.clone()
            })
            .collect();
        let texts = resolve(ctx, tx, &references, true).await?;
        let (format, text) = (self.format, self.text.clone());
        let print = if normalize { message::normalised } else { message::canonical };
        let read = move || {
            let model = MessageSchema::parse_new(format, &text, &texts)?;
            Ok((model, print(format, &text, &texts)?))
        };
        // A large schema takes its time; the runtime's threads are for everybody.
        let read = tokio::task::spawn_blocking(read).await.map_err(crate::Error::internal)?;
        let (model, text) = read.map_err(|invalid: message::Invalid| Error::InvalidSchema(invalid.to_string()))?;
        let digest = digest(format, &text, &references);
        Ok(Prepared { model: Arc::new(model), print, text, references, digest })
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

/// The texts that references lead to by their names, and those that these lead to.
async fn resolve(
    ctx: &Ctx,
    tx: &mut Tx,
    references: &[Reference],
    must_be_visible: bool,
) -> Result<BTreeMap<String, String>, Error> {
    let mut texts = BTreeMap::new();
    let mut open: Vec<(Reference, usize)> = references.iter().map(|reference| (reference.clone(), 1)).collect();
    while let Some((reference, depth)) = open.pop() {
        if texts.contains_key(&reference.name) {
            continue;
        }
        if texts.len() >= MAX_REFERENCES || depth > MAX_REFERENCE_DEPTH {
            return Err(Error::InvalidSchema(format!(
                "at most {MAX_REFERENCES} schemas, {MAX_REFERENCE_DEPTH} deep, may be referred to"
            )));
        }
        let missing = || {
            let Reference { name, subject, version } = &reference;
            Error::InvalidSchema(format!(
                "no schema for the reference `{name}`: subject `{subject}`, version {version}"
            ))
        };
        let versions = store::registry::list_versions(tx, &reference.subject).await?;
        let found = versions.iter().find(|version| version.version == reference.version).ok_or_else(missing)?;
        if must_be_visible && !Owner::of(ctx, tx, &reference.subject).await?.may_view() {
            return Err(missing());
        }
        let schema = cache::schema(ctx, tx, found.schema_id).await?.ok_or_else(missing)?;
        open.extend(schema.references.iter().map(|nested| (nested.clone(), depth + 1)));
        texts.insert(reference.name, schema.text.clone());
    }
    Ok(texts)
}

/// A registered schema as its comparer sees it.
async fn model(ctx: &Ctx, tx: &mut Tx, schema: &Arc<Schema>) -> Result<Arc<MessageSchema>, Error> {
    if let Some(model) = ctx.app.schemas.model(schema.id) {
        return Ok(model);
    }
    let texts = resolve(ctx, tx, &schema.references, false).await?;
    let kept = Arc::clone(schema);
    let read = move || MessageSchema::parse(kept.format, &kept.text, &texts);
    let read = tokio::task::spawn_blocking(read).await.map_err(crate::Error::internal)?;
    let model = Arc::new(read.map_err(|invalid| crate::Error::internal(invalid.to_string()))?);
    ctx.app.schemas.keep_model(schema, &model);
    Ok(model)
}
