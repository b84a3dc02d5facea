//! What clients send and are sent.

use app::registry::{Draft, Registered, Shown, VersionRef};
use domain::change::level::Level;
use domain::change::message::{Format, Policy};
use domain::registry::{Mode, Reference, Schema, SchemaId, Scope, Settings, Subject};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{Code, Failure};

/// The parameters of any request's query; each request looks at its own.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Asked {
    pub(super) subject: Option<String>,
    subject_prefix: Option<String>,
    pub(super) format: Option<String>,
    pub(super) deleted: Flag,
    #[serde(alias = "deleted_only")]
    deleted_only: Flag,
    pub(super) latest_only: Flag,
    pub(super) normalize: Flag,
    pub(super) verbose: Flag,
    pub(super) permanent: Flag,
    pub(super) default_to_global: Flag,
    pub(super) fetch_max_id: Flag,
    offset: Option<i64>,
    limit: Option<i64>,
}

/// `true`, `True`, `false`, `False`: clients spell it in their own language.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flag(bool);

impl Flag {
    pub(super) fn is_set(self) -> bool {
        self.0
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?.eq_ignore_ascii_case("true")))
    }
}

impl Asked {
    pub(super) fn prefix(&self) -> &str {
        self.subject_prefix.as_deref().unwrap_or_default()
    }

    pub(super) fn shown(&self) -> Shown {
        match (self.deleted_only.is_set(), self.deleted.is_set()) {
            (true, _) => Shown::Deleted,
            (false, true) => Shown::All,
            (false, false) => Shown::InUse,
        }
    }

    /// The part of a list that is wanted. A limit below 0 is none.
    pub(super) fn page<T>(&self, all: Vec<T>) -> Vec<T> {
        let offset = usize::try_from(self.offset.unwrap_or(0)).unwrap_or(0);
        let limit = usize::try_from(self.limit.unwrap_or(-1)).unwrap_or(usize::MAX);
        all.into_iter().skip(offset).take(limit).collect()
    }
}

/// A schema as clients send it.
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
    name: String,
    subject: String,
    version: i64,
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
        let read = |reference: &ReferenceBody| -> Result<Reference, Failure> {
            Ok(Reference {
                name: reference.name.clone(),
                subject: subject(&reference.subject)?,
                version: u32::try_from(reference.version)
                    .map_err(|_| invalid(format!("the reference `{}` has no version", short(&reference.name))))?,
            })
        };
        let references = self.references.iter().flatten().map(read).collect::<Result<_, _>>()?;
        Ok(Draft { format, text, references })
    }

    /// The id that the schema brings along; clients send 0 or -1 for none.
    pub(super) fn id(&self) -> Result<Option<SchemaId>, Failure> {
        number(self.id)
    }

    pub(super) fn version(&self) -> Result<Option<u32>, Failure> {
        number(self.version)
    }
}

fn number(sent: Option<i64>) -> Result<Option<u32>, Failure> {
    match sent {
        None | Some(-1 | 0) => Ok(None),
        Some(number) => {
            let number = u32::try_from(number).ok().filter(|number| *number <= i32::MAX.unsigned_abs());
            number.map(Some).ok_or_else(|| Failure::new(Code::InvalidVersion, "the number is out of range"))
        }
    }
}

/// Settings as clients send them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SettingsBody {
    #[serde(default)]
    compatibility: Option<String>,
    #[serde(default)]
    compatibility_policy: Option<String>,
    #[serde(default)]
    normalize: Option<bool>,
    #[serde(default)]
    mode: Option<String>,
}

impl SettingsBody {
    pub(super) fn level(&self) -> Result<Settings, Failure> {
        let invalid = || {
            let words: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
            let message = format!("invalid compatibility level; valid values are {}", words.join(", "));
            Failure::new(Code::InvalidLevel, message)
        };
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

    pub(super) fn mode(&self) -> Result<Mode, Failure> {
        let word = self.mode.as_deref().unwrap_or_default().to_uppercase();
        word.parse().map_err(|_| {
            let words: Vec<&str> = Mode::ALL.iter().map(|mode| mode.as_str()).collect();
            Failure::new(Code::InvalidMode, format!("invalid mode; valid values are {}", words.join(", ")))
        })
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
    if text == "latest" || text == "-1" {
        return Ok(VersionRef::Latest);
    }
    let number = text.parse().ok().filter(|number| (1..=i32::MAX.unsigned_abs()).contains(number));
    number.map(VersionRef::Number).ok_or_else(|| {
        let message = format!(
            "the specified version `{}` is not a valid version id; allowed values are between [1, 2^31-1] and the string \
             \"latest\"",
            short(text)
        );
        Failure::new(Code::InvalidVersion, message)
    })
}

pub(super) fn schema_id(text: &str) -> Result<SchemaId, Failure> {
    // What is no number leads to no schema.
    text.parse().map_err(|_| Failure::new(Code::SchemaNotFound, format!("schema `{}` not found", short(text))))
}

fn short(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(80).collect()
}

/// A schema without its place.
pub(super) fn schema(schema: &Schema, text: &str) -> Value {
    let mut answer = json!({ "schema": text });
    describe(&mut answer, schema);
    answer
}

/// A schema in its place.
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

/// Format and references, where they are not the usual ones: Avro is not named, for the oldest clients' sake.
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

/// Settings as `GET /config` gives them.
pub(super) fn level(settings: &Settings) -> Value {
    with_rest("compatibilityLevel", settings)
}

/// Settings as `PUT /config` gives them back.
pub(super) fn level_echo(settings: &Settings) -> Value {
    with_rest("compatibility", settings)
}

fn with_rest(key: &str, settings: &Settings) -> Value {
    let mut answer = json!({});
    if let Some(level) = settings.level {
        answer[key] = level.as_str().into();
    }
    // Only where somebody has set them: older clients know the level alone.
    if let Some(policy) = settings.policy.filter(|policy| *policy != Policy::Strict) {
        answer["compatibilityPolicy"] = policy.as_str().into();
    }
    if let Some(true) = settings.normalize {
        answer["normalize"] = true.into();
    }
    answer
}

pub(super) fn mode(mode: Option<Mode>) -> Value {
    json!({ "mode": mode.unwrap_or(Mode::ReadWrite).as_str() })
}
