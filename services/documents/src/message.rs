//! Message schemas of any format, parsed, printed and compared by the module of their format.

use std::collections::BTreeMap;

use domain::change::message::{Budget, Difference, Format, Policy, TooComplex};
use domain::change::{avro as avro_change, json_schema as json_change, protobuf as protobuf_change};
use domain::error::Kind;

use crate::{avro, json_schema, protobuf};

/// A schema that cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Invalid {
    #[error(transparent)]
    Avro(#[from] avro::Error),
    #[error(transparent)]
    Json(#[from] json_schema::Error),
    #[error(transparent)]
    Protobuf(#[from] protobuf::Error),
}

impl Invalid {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// What a schema refers to: texts by the names under which it does (Avro full names, `$ref`s, imports). Nothing else is
/// ever looked up.
pub type References = BTreeMap<String, String>;

/// A schema as its comparer sees it.
#[derive(Clone, Debug)]
pub enum MessageSchema {
    Avro(avro_change::Schema),
    Json(json_change::Schema),
    Protobuf(protobuf_change::Schema),
}

impl MessageSchema {
    /// Parses a new schema, as strictly as the format's specification demands.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn parse_new(format: Format, text: &str, references: &References) -> Result<Self, Invalid> {
        match format {
            Format::Avro => Ok(Self::Avro(avro::parse_new(text, references)?)),
            Format::Json | Format::Protobuf => Self::parse(format, text, references),
        }
    }

    /// Reads a schema that was written elsewhere or long ago, as readers in the field do.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn parse(format: Format, text: &str, references: &References) -> Result<Self, Invalid> {
        Ok(match format {
            Format::Avro => Self::Avro(avro::parse(text, references)?),
            Format::Json => Self::Json(json_schema::parse(text, references)?),
            Format::Protobuf => Self::Protobuf(protobuf::parse(text, references)?),
        })
    }

    /// The differences for a reader of `new` over what was written under this one (BACKWARD). Of schemas of two formats
    /// the one difference is that.
    ///
    /// # Errors
    /// [`TooComplex`].
    pub fn differences_to(&self, new: &Self, policy: Policy) -> Result<Vec<Difference>, TooComplex> {
        self.differences_within(new, policy, &mut { Budget::COMPARISON })
    }

    /// As [`Self::differences_to`], with steps of a budget that others take from, too.
    ///
    /// # Errors
    /// [`TooComplex`].
    pub fn differences_within(
        &self,
        new: &Self,
        policy: Policy,
        budget: &mut Budget,
    ) -> Result<Vec<Difference>, TooComplex> {
        match (self, new) {
            (Self::Avro(old), Self::Avro(new)) => avro_change::compare_within(old, new, budget),
            (Self::Json(old), Self::Json(new)) => json_change::compare_within(old, new, policy, budget),
            (Self::Protobuf(old), Self::Protobuf(new)) => protobuf_change::compare_within(old, new, budget),
            (Self::Avro(_) | Self::Json(_) | Self::Protobuf(_), _) => Ok(vec![Difference {
                name: "SCHEMA_TYPE_CHANGED",
                path: "#/".to_owned(),
                message: "the schema is of another format".to_owned(),
                compatible: false,
            }]),
        }
    }
}

/// The text that is kept of a schema, and by which two are the same: without what carries no meaning, such as spaces.
///
/// # Errors
/// [`Invalid`].
pub fn canonical(format: Format, text: &str, references: &References) -> Result<String, Invalid> {
    Ok(match format {
        Format::Avro => avro::canonical(text)?,
        Format::Json => json_schema::canonical(text)?,
        Format::Protobuf => protobuf::canonical(text, references)?,
    })
}

/// The text of a schema in which also the order of what has none is settled (`normalize=true`).
///
/// # Errors
/// [`Invalid`].
pub fn normalised(format: Format, text: &str, references: &References) -> Result<String, Invalid> {
    Ok(match format {
        Format::Avro => avro::normalise(text)?,
        Format::Json => json_schema::normalise(text)?,
        Format::Protobuf => protobuf::normalise(text, references)?,
    })
}
