//! The schema registry: schemas with their references, the versions of subjects, and settings. The topics that schema
//! objects are bound to are in [`crate::binding`].

use domain::change::level::Level;
use domain::change::message::{Format, Policy};
use domain::clock::Timestamp;
use domain::id::PrincipalId;
use domain::registry::{Mode, Schema, SchemaId, Scope, Settings, Subject, SubjectVersion};

use crate::db::Tx;
use crate::error::Error;
use crate::json;

use crate::row::{Text, affected, entity_row, find, insert, list, on_both, row};

entity_row! {
    SchemaRow from "schemas" {
        id: i64,
        context: String,
        format: Text<Format>,
        body: String,
        refs: String,
        digest: Option<String>,
    }
}

impl TryFrom<SchemaRow> for Schema {
    type Error = Error;

    fn try_from(row: SchemaRow) -> Result<Self, Error> {
        let misfit = |what: String| Error::inconsistent("schemas", row.id, what);
        Ok(Self {
            id: number(row.id).map_err(misfit)?,
            references: json::references_from_text(&row.refs).map_err(misfit)?,
            context: row.context,
            format: row.format.0,
            text: row.body,
            digest: row.digest.unwrap_or_default(),
        })
    }
}

entity_row! {
    VersionRow from "subject_versions" {
        context: String,
        subject: String,
        version: i64,
        schema_id: i64,
        deleted: bool,
        registered_by: Text<PrincipalId>,
        registered_at: i64,
    }
}

impl TryFrom<VersionRow> for SubjectVersion {
    type Error = Error;

    fn try_from(row: VersionRow) -> Result<Self, Error> {
        let misfit = |what: String| Error::inconsistent("subject_versions", &row.subject, what);
        Ok(Self {
            subject: subject(&row.context, &row.subject).map_err(misfit)?,
            version: number(row.version).map_err(misfit)?,
            schema_id: number(row.schema_id).map_err(misfit)?,
            deleted: row.deleted,
            registered_by: row.registered_by.0,
            registered_at: Timestamp(row.registered_at),
        })
    }
}

fn number(integer: i64) -> Result<u32, String> {
    u32::try_from(integer).map_err(|_| format!("{integer} is out of range"))
}

fn subject(context: &str, name: &str) -> Result<Subject, String> {
    Subject::parse(&format!(":{context}:{name}")).map_err(|error| error.to_string())
}

/// A schema by its id, as long as a subject uses it.
pub async fn find_schema(tx: &mut Tx, id: SchemaId) -> Result<Option<Schema>, Error> {
    find!(tx, SchemaRow, "WHERE id = $1 AND digest IS NOT NULL", i64::from(id))
}

/// The schema of a context that has this digest.
pub async fn find_same(tx: &mut Tx, context: &str, digest: &str) -> Result<Option<Schema>, Error> {
    find!(tx, SchemaRow, "WHERE context = $1 AND digest = $2", context, digest)
}

row! { LastRow from "schemas" { last: i64, } }

/// The greatest id that was ever assigned; 0 before the first.
pub async fn last_schema_id(tx: &mut Tx) -> Result<SchemaId, Error> {
    let row =
        on_both!(tx, |c| sqlx::query_as::<_, LastRow>("SELECT id AS last FROM schemas ORDER BY id DESC LIMIT 1")
            .fetch_optional(c))?;
    let last = row.map_or(0, |row| row.last);
    number(last).map_err(|what| Error::inconsistent("schemas", last, what))
}

/// Adds a schema with its references.
///
/// # Errors
/// [`crate::Constraint::SchemaDigest`], [`crate::Constraint::PrimaryKey`]; [`Error::LockNeeded`].
pub async fn insert_schema(tx: &mut Tx, schema: &Schema) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        SchemaRow {
            id: i64::from(schema.id),
            context: schema.context.as_str(),
            format: Text(schema.format),
            body: schema.text.as_str(),
            refs: json::references_to_text(&schema.references),
            digest: schema.digest.as_str(),
        }
    )?;
    for reference in &schema.references {
        affected!(
            tx,
            "INSERT INTO schema_references (schema_id, context, subject, version)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
            i64::from(schema.id),
            reference.subject.context(),
            reference.subject.name(),
            i64::from(reference.version)
        )?;
    }
    Ok(())
}

/// Deletes a schema that no subject uses any more. Its id is not reused.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn forget_schema(tx: &mut Tx, id: SchemaId) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(tx, "UPDATE schemas SET digest = NULL WHERE id = $1", i64::from(id))?;
    affected!(tx, "DELETE FROM schema_references WHERE schema_id = $1", i64::from(id))?;
    Ok(())
}

/// Adds a version to a subject.
///
/// # Errors
/// [`crate::Constraint::PrimaryKey`] if the number is taken; [`Error::LockNeeded`].
pub async fn insert_version(tx: &mut Tx, version: &SubjectVersion) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        VersionRow {
            context: version.subject.context(),
            subject: version.subject.name(),
            version: i64::from(version.version),
            schema_id: i64::from(version.schema_id),
            deleted: version.deleted,
            registered_by: Text(version.registered_by),
            registered_at: version.registered_at.0,
        }
    )?;
    Ok(())
}

/// Deletes a version softly, or restores it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn set_deleted(tx: &mut Tx, subject: &Subject, version: u32, deleted: bool) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = affected!(
        tx,
        "UPDATE subject_versions SET deleted = $1
         WHERE context = $2 AND subject = $3 AND version = $4",
        deleted,
        subject.context(),
        subject.name(),
        i64::from(version)
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("schema version")) }
}

/// Removes a version.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn delete_version(tx: &mut Tx, subject: &Subject, version: u32) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = affected!(
        tx,
        "DELETE FROM subject_versions WHERE context = $1 AND subject = $2 AND version = $3",
        subject.context(),
        subject.name(),
        i64::from(version)
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("schema version")) }
}

/// The versions of a subject in order, including those deleted softly.
pub async fn list_versions(tx: &mut Tx, subject: &Subject) -> Result<Vec<SubjectVersion>, Error> {
    list!(tx, VersionRow, "WHERE context = $1 AND subject = $2 ORDER BY version", subject.context(), subject.name())
}

/// A version of a subject, including one deleted softly.
pub async fn find_version(tx: &mut Tx, subject: &Subject, version: u32) -> Result<Option<SubjectVersion>, Error> {
    find!(
        tx,
        VersionRow,
        "WHERE context = $1 AND subject = $2 AND version = $3",
        subject.context(),
        subject.name(),
        i64::from(version)
    )
}

/// The newest version of a subject that is not deleted.
pub async fn find_latest_version(tx: &mut Tx, subject: &Subject) -> Result<Option<SubjectVersion>, Error> {
    find!(
        tx,
        VersionRow,
        "WHERE context = $1 AND subject = $2 AND NOT deleted ORDER BY version DESC LIMIT 1",
        subject.context(),
        subject.name()
    )
}

/// The versions that use a schema, including those deleted softly.
pub async fn list_versions_of_schema(tx: &mut Tx, id: SchemaId) -> Result<Vec<SubjectVersion>, Error> {
    list!(tx, VersionRow, "WHERE schema_id = $1 ORDER BY context, subject, version", i64::from(id))
}

/// The versions of all subjects after one, in the order of context, subject and number.
pub async fn list_all_versions(
    tx: &mut Tx,
    after: Option<(&Subject, u32)>,
    limit: u32,
) -> Result<Vec<SubjectVersion>, Error> {
    let (context, name, version) = after.map_or(("", "", 0), |(s, version)| (s.context(), s.name(), version));
    list!(
        tx,
        VersionRow,
        "WHERE (context, subject, version) > ($1, $2, $3) ORDER BY context, subject, version LIMIT $4",
        context,
        name,
        i64::from(version),
        i64::from(limit)
    )
}

/// The versions that use the schemas below an id, those of the greatest id first.
pub async fn list_versions_by_schema(tx: &mut Tx, before: i64, limit: u32) -> Result<Vec<SubjectVersion>, Error> {
    list!(
        tx,
        VersionRow,
        "WHERE schema_id < $1 ORDER BY schema_id DESC, context, subject, version LIMIT $2",
        before,
        i64::from(limit)
    )
}

/// The schemas of these ids.
pub async fn list_schemas(tx: &mut Tx, ids: &[SchemaId]) -> Result<Vec<Schema>, Error> {
    let mut schemas = Vec::with_capacity(ids.len());
    for id in ids {
        schemas.extend(find_schema(tx, *id).await?);
    }
    Ok(schemas)
}

row! { SubjectRow from "subject_versions" { context: String, subject: String, in_use: i64, } }

/// All subjects in order, each with whether it has a version that is not deleted.
pub async fn list_subjects(tx: &mut Tx) -> Result<Vec<(Subject, bool)>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, SubjectRow>(
        "SELECT
             context,
             subject,
             CAST(MAX(CASE WHEN deleted THEN 0 ELSE 1 END) AS BIGINT) AS in_use
         FROM subject_versions
         GROUP BY context, subject
         ORDER BY context, subject"
    )
    .fetch_all(c))?;
    rows.into_iter()
        .map(|row| {
            let subject = subject(&row.context, &row.subject);
            let misfit = |what| Error::inconsistent("subject_versions", &row.subject, what);
            Ok((subject.map_err(misfit)?, row.in_use > 0))
        })
        .collect()
}

row! { CountRow from "registry_counts" { value: i64, } }

/// Updates the number of subjects and returns it; those whose versions are all deleted softly are counted.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn count_subject(tx: &mut Tx, change: Change) -> Result<i64, Error> {
    tx.require_facts()?;
    let row = on_both!(tx, |c| sqlx::query_as::<_, CountRow>(
        "UPDATE registry_counts SET value = value + $1 WHERE name = 'subjects' RETURNING value"
    )
    .bind(change as i64)
    .fetch_one(c))?;
    Ok(row.value)
}

/// A change of something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was added.
    Came = 1,
    /// It was permanently deleted.
    Went = -1,
}

row! { ReferrerRow from "schema_references" { schema_id: i64, } }

/// The schemas that reference a version, in order.
pub async fn list_referrers(tx: &mut Tx, subject: &Subject, version: u32) -> Result<Vec<SchemaId>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, ReferrerRow>(
        "SELECT schema_id FROM schema_references
         WHERE context = $1 AND subject = $2 AND version = $3
         ORDER BY schema_id"
    )
    .bind(subject.context())
    .bind(subject.name())
    .bind(i64::from(version))
    .fetch_all(c))?;
    rows.into_iter()
        .map(|row| number(row.schema_id).map_err(|what| Error::inconsistent("schema_references", row.schema_id, what)))
        .collect()
}

entity_row! {
    SettingsRow from "registry_settings" {
        scope: String,
        level: Option<Text<Level>>,
        policy: Option<Text<Policy>>,
        normalize: Option<bool>,
        mode: Option<Text<Mode>>,
    }
}

/// The settings of up to three scopes, in their order.
pub async fn list_settings(tx: &mut Tx, scopes: &[Scope]) -> Result<Vec<Settings>, Error> {
    let names: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    let name = |index: usize| names.get(index).or(names.last()).cloned().unwrap_or_default();
    let rows = on_both!(tx, |c| sqlx::query_as::<_, SettingsRow>(
        "SELECT scope, level, policy, normalize, mode FROM registry_settings WHERE scope IN ($1, $2, $3)"
    )
    .bind(name(0))
    .bind(name(1))
    .bind(name(2))
    .fetch_all(c))?;
    let settings_of = |name: &String| {
        let row = rows.iter().find(|row| row.scope == *name);
        row.map_or_else(Settings::default, |row| Settings {
            level: row.level.as_ref().map(|level| level.0),
            policy: row.policy.as_ref().map(|policy| policy.0),
            normalize: row.normalize,
            mode: row.mode.as_ref().map(|mode| mode.0),
        })
    };
    Ok(names.iter().map(settings_of).collect())
}

/// The settings of a scope.
pub async fn settings(tx: &mut Tx, scope: &Scope) -> Result<Settings, Error> {
    Ok(list_settings(tx, std::slice::from_ref(scope)).await?.pop().unwrap_or_default())
}

row! { NumberRow from "registry_settings" { value: i64, } }

/// The number of scopes that have settings.
pub async fn count_settings(tx: &mut Tx) -> Result<i64, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, NumberRow>(
        "SELECT CAST(COUNT(*) AS BIGINT) AS value FROM registry_settings"
    )
    .fetch_one(c))?;
    Ok(row.value)
}

/// Stores the settings of a scope, or deletes them if they are all unset.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn put_settings(tx: &mut Tx, scope: &Scope, settings: &Settings) -> Result<(), Error> {
    tx.require_facts()?;
    if *settings == Settings::default() {
        affected!(tx, "DELETE FROM registry_settings WHERE scope = $1", scope.to_string())?;
        return Ok(());
    }
    insert!(
        tx,
        SettingsRow {
            scope: scope.to_string(),
            level: settings.level.map(Text),
            policy: settings.policy.map(Text),
            normalize: settings.normalize,
            mode: settings.mode.map(Text),
        },
        "ON CONFLICT (scope) DO UPDATE SET
         level = excluded.level,
         policy = excluded.policy,
         normalize = excluded.normalize,
         mode = excluded.mode"
    )?;
    Ok(())
}

row! { TakenRow from "schemas" { id: i64, } }

/// Whether an id was ever assigned.
pub async fn is_taken(tx: &mut Tx, id: SchemaId) -> Result<bool, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, TakenRow>("SELECT id FROM schemas WHERE id = $1")
        .bind(i64::from(id))
        .fetch_optional(c))?;
    Ok(row.is_some_and(|row| row.id == i64::from(id)))
}
