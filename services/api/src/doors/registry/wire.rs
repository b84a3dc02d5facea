//! The wire types: queries, bodies and answers.

use app::registry::{Draft, DraftReference, Listing, Registered, Shown, VersionRef};
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use domain::change::level::Level;
use domain::change::message::{Format, Policy};
use domain::registry::{MAX_NUMBER, Mode, Part, Prefix, Reference, Schema, SchemaId, Scope, Settings, Subject};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::error::{Code, Failure};
use super::path::PathContext;

/// The query parameters of a request. The first of a repeated parameter counts.
#[derive(Debug)]
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
    /// The context of the path.
    context: Option<PathContext>,
    offset: usize,
    limit: usize,
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|_| Failure::not_found())?.0;
        let context = parts.extensions.get::<PathContext>().cloned();
        let mut parameters = Self { pairs, context, offset: 0, limit: usize::MAX };
        // As in the reference, a parameter that is not a number makes the path unknown.
        let number = |name| parameters.get(name).map_or(Ok(None), |text| text.parse::<i32>().map(Some));
        let (Ok(offset), Ok(limit)) = (number("offset"), number("limit")) else { return Err(Failure::not_found()) };
        parameters.offset = offset.and_then(|offset| offset.try_into().ok()).unwrap_or(0);
        // Clients send -1 or 0 for no limit.
        parameters.limit =
            limit.and_then(|limit| limit.try_into().ok()).filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        Ok(parameters)
    }
}

/// The maximum number of schemas in one answer.
const MAX_SCHEMAS: usize = 1_000;

impl Parameters {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is `true`, in any case: clients spell it like their language does.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(super) fn format(&self) -> Option<&str> {
        self.get("format")
    }

    /// The subject to look for a schema in. In a context it may be the context alone.
    pub(super) fn subject(&self) -> Result<Option<Subject>, Failure> {
        let name = self.get("subject").filter(|text| !text.is_empty());
        match (name, &self.context) {
            (Some(text), _) if text.starts_with(":.") && text.ends_with(':') => {
                subject(&format!("{text}any")).map(Some)
            }
            (None, None) => Ok(None),
            (name, context) => subject(&qualified(name.unwrap_or("any"), context.as_ref())).map(Some),
        }
    }

    /// Whether the query names a subject, and not the path a context alone.
    pub(super) fn names_subject(&self) -> bool {
        self.get("subject").is_some_and(|text| !text.is_empty())
    }

    /// The prefix of the subjects to list, if the request has one.
    pub(super) fn prefix(&self) -> Option<Prefix> {
        let prefix = self.get("subjectPrefix").or(self.context.as_ref().map(|_| ""));
        prefix.map(|text| Prefix::parse(&qualified(text, self.context.as_ref())))
    }

    pub(super) fn shown(&self) -> Shown {
        match (self.is_set("deletedOnly") || self.is_set("deleted_only"), self.is_set("deleted")) {
            (true, _) => Shown::Deleted,
            (false, true) => Shown::All,
            (false, false) => Shown::InUse,
        }
    }

    pub(super) fn listing(&self) -> Listing {
        Listing {
            prefix: self.prefix().unwrap_or_else(|| Prefix::parse("")),
            shown: self.shown(),
            only_latest: self.is_set("latestOnly"),
            offset: self.offset,
            limit: self.limit.min(MAX_SCHEMAS),
        }
    }

    /// The requested page of a list.
    pub(super) fn page<T>(&self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.offset).take(self.limit).collect()
    }
}

/// A subject or a prefix, in the context of the path unless it names one itself.
fn qualified(text: &str, context: Option<&PathContext>) -> String {
    match context {
        Some(PathContext(context)) if !text.starts_with(":.") && !text.starts_with(":*:") => {
            format!(":{context}:{text}")
        }
        _ => text.to_owned(),
    }
}

/// A schema in a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SchemaBody {
    #[serde(default)]
    schema: Option<String>,
    #[serde(default)]
    schema_type: Option<String>,
    #[serde(default)]
    references: Option<Vec<ReferenceBody>>,
    #[serde(default)]
    id: Option<i64>,
    #[serde(default)]
    version: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct ReferenceBody {
    name: Option<String>,
    subject: Option<String>,
    version: Option<i64>,
}

impl SchemaBody {
    pub(super) fn draft(&self) -> Result<Draft, Failure> {
        let invalid = |why: String| Failure::new(Code::InvalidSchema, why);
        let format = match self.schema_type.as_deref() {
            None | Some("") => Format::Avro,
            Some(word) => word.parse().map_err(|_| invalid(format!("invalid schema type `{}`", short(word))))?,
        };
        let text = self.schema.clone().filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| invalid("the schema is empty".to_owned()))?;
        let references = self.references.iter().flatten().map(ReferenceBody::read).collect::<Result<_, _>>()?;
        Ok(Draft { format, text, references })
    }

    /// The id of an imported schema; clients send 0 or -1 for none.
    pub(super) fn id(&self) -> Result<Option<SchemaId>, Failure> {
        number(self.id)
    }

    pub(super) fn version(&self) -> Result<Option<u32>, Failure> {
        number(self.version)
    }
}

impl ReferenceBody {
    fn read(&self) -> Result<DraftReference, Failure> {
        let Self { name: Some(name), subject: Some(subject_name), version: Some(version) } = self else {
            return Err(Failure::new(Code::InvalidSchema, "a reference needs a name, a subject and a version"));
        };
        let version = match version {
            -1 => VersionRef::Latest,
            number => VersionRef::Number(u32::try_from(*number).map_err(|_| {
                Failure::new(Code::InvalidSchema, format!("the reference `{}` has no version {number}", short(name)))
            })?),
        };
        Ok(DraftReference { name: name.clone(), subject: subject(subject_name)?, version })
    }
}

fn number(number: Option<i64>) -> Result<Option<u32>, Failure> {
    match number {
        None | Some(-1 | 0) => Ok(None),
        Some(number) => {
            let number = u32::try_from(number).ok().filter(|number| *number <= MAX_NUMBER);
            number.map(Some).ok_or_else(|| Failure::new(Code::InvalidVersion, "the number is out of range"))
        }
    }
}

/// Settings in a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SettingsBody {
    #[serde(default)]
    compatibility: Option<String>,
    #[serde(default)]
    compatibility_policy: Option<String>,
    #[serde(default)]
    normalize: Option<bool>,
    /// `Some(None)` for null, which clears the mode.
    #[serde(default, deserialize_with = "present")]
    mode: Option<Option<String>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// The text of the Confluent Schema Registry, which names the levels in lower case, the transitive ones last.
fn invalid_level() -> String {
    let mut levels: Vec<String> = Level::ALL.iter().map(|level| level.as_str().to_lowercase()).collect();
    levels.sort_by_key(|level| level.ends_with("_transitive"));
    let (last, others) = levels.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
    format!("Invalid compatibility level. Valid values are {}, and {last}", others.join(", "))
}

impl SettingsBody {
    /// Whether the settings of the part are to be cleared.
    pub(super) fn clears(&self, part: Part) -> bool {
        part == Part::Mode && self.mode == Some(None)
    }

    /// The settings of one part.
    pub(super) fn settings(&self, part: Part) -> Result<Settings, Failure> {
        match part {
            Part::Levels => self.levels(),
            Part::Mode => self.mode(),
        }
    }

    fn levels(&self) -> Result<Settings, Failure> {
        let invalid = || Failure::new(Code::InvalidLevel, invalid_level());
        let level = self.compatibility.as_deref().map(|word| word.to_uppercase().parse::<Level>());
        let policy = self.compatibility_policy.as_deref().map(|word| word.to_uppercase().parse::<Policy>());
        let settings = Settings {
            level: level.transpose().map_err(|_| invalid())?,
            policy: policy.transpose().map_err(|_| invalid())?,
            normalize: self.normalize,
            mode: None,
        };
        if settings == Settings::default() { Err(invalid()) } else { Ok(settings) }
    }

    fn mode(&self) -> Result<Settings, Failure> {
        let word = self.mode.as_ref().and_then(Option::as_deref).unwrap_or_default().to_uppercase();
        let mode = word.parse().map_err(|_| {
            let words: Vec<&str> = Mode::ALL.iter().map(|mode| mode.as_str()).collect();
            Failure::new(Code::InvalidMode, format!("Invalid mode. Valid values are {}", words.join(", ")))
        })?;
        Ok(Settings { mode: Some(mode), ..Settings::default() })
    }
}

pub(super) fn subject(text: &str) -> Result<Subject, Failure> {
    text.parse().map_err(|error: domain::registry::NotASubject| Failure::new(Code::InvalidSubject, error.to_string()))
}

pub(super) fn scope(text: &str) -> Result<Scope, Failure> {
    Scope::parse(text).map_err(|error| Failure::new(Code::InvalidSubject, error.to_string()))
}

/// A version in a path: `latest`, `-1`, or a number from 1.
pub(super) fn version(text: &str) -> Result<VersionRef, Failure> {
    let number = text.trim().parse::<i32>();
    match number {
        Ok(-1) => Ok(VersionRef::Latest),
        Ok(number) if number > 0 => Ok(VersionRef::Number(number.unsigned_abs())),
        Err(_) if text.trim().eq_ignore_ascii_case("latest") => Ok(VersionRef::Latest),
        _ => {
            let message = format!(
                "The specified version '{}' is not a valid version id. Allowed values are between [1, 2^31-1] and the \
                 string \"latest\"",
                short(text)
            );
            Err(Failure::new(Code::InvalidVersion, message))
        }
    }
}

/// A schema's id in a path. As in the reference, a text that is not a number makes the path unknown.
pub(super) fn schema_id(text: &str) -> Result<SchemaId, Failure> {
    let number: i32 = text.parse().map_err(|_| Failure::not_found())?;
    number.try_into().map_err(|_| Failure::new(Code::SchemaNotFound, format!("Schema {number} not found")))
}

fn short(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(80).collect()
}

/// A schema without subject and version.
pub(super) fn schema(schema: &Schema, text: &str) -> Value {
    let mut answer = json!({ "schema": text });
    describe(&mut answer, schema);
    answer
}

/// A registered version of a subject.
pub(super) fn registered(registered: &Registered) -> Value {
    let mut answer = json!({
        "subject": registered.version.subject.to_string(),
        "version": registered.version.version,
        "id": registered.schema.id,
        "schema": registered.schema.text,
    });
    describe(&mut answer, &registered.schema);
    answer
}

/// Format and references, unless they are the default: the oldest clients reject the field for Avro.
fn describe(answer: &mut Value, schema: &Schema) {
    if schema.format != Format::Avro {
        answer["schemaType"] = schema.format.as_str().into();
    }
    if !schema.references.is_empty() {
        let reference = |reference: &Reference| {
            json!({
                "name": reference.name,
                "subject": reference.subject.to_string(),
                "version": reference.version,
            })
        };
        answer["references"] = schema.references.iter().map(reference).collect();
    }
}

/// One part of the settings, as `GET` answers it.
pub(super) fn settings(part: Part, settings: &Settings) -> Value {
    let mut answer = json!({});
    match part {
        Part::Mode => answer["mode"] = settings.mode.unwrap_or(Mode::ReadWrite).as_str().into(),
        Part::Levels => {
            if let Some(level) = settings.level {
                answer["compatibilityLevel"] = level.as_str().into();
            }
            // Only if changed: older clients accept no field but the level.
            if let Some(policy) = settings.policy.filter(|policy| *policy != Policy::Strict) {
                answer["compatibilityPolicy"] = policy.as_str().into();
            }
            if let Some(true) = settings.normalize {
                answer["normalize"] = true.into();
            }
        }
    }
    answer
}
