//! The parts of an event that are read.

use std::collections::BTreeSet;

use domain::closed_set::UnknownWord;
use uuid::Uuid;

use crate::name::{self, Dataset, Job};
use crate::openlineage::place::{At, Error, Problem};
use crate::openlineage::{DatasetFacts, Design, MAX_DATASETS, MAX_PAIRS, Run, Transition};

/// A facet of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facet<T> {
    /// The event does not mention it: what was said before stands.
    Absent,
    /// The event withdraws it.
    Deleted,
    /// The event gives it.
    Given(T),
}

impl<T> Facet<T> {
    /// The facet's content, if the event gives it.
    pub fn given(&self) -> Option<&T> {
        match self {
            Self::Given(content) => Some(content),
            Self::Absent | Self::Deleted => None,
        }
    }
}

/// A column of a dataset, by its producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaField {
    /// The path to it, `.` between the names of nested members.
    pub name: String,
    /// Its type, in the producer's words.
    pub of_type: Option<String>,
}

/// How a source enters a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Its values are used.
    Direct,
    /// Its values are used and cannot be seen any more.
    Masked,
    /// It decides which rows there are or how they are grouped or ordered.
    Indirect,
}

/// A column of another dataset, and how it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSource {
    /// The dataset.
    pub dataset: Dataset,
    /// The column.
    pub column: String,
    /// How it is used: at least one way.
    pub ways: BTreeSet<Source>,
}

/// What a column, or the whole dataset, is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Influence {
    /// The column; `None` if the whole dataset.
    pub column: Option<String>,
    /// What enters it.
    pub sources: Vec<FieldSource>,
}

/// The target of explicit lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExplicitTarget {
    /// A dataset.
    Dataset(Dataset),
    /// A job; `None` for the event's own.
    Job(Option<Job>),
}

/// What a producer says that a dataset or a job is made from, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explicit {
    /// The target.
    pub target: ExplicitTarget,
    /// Its sources.
    pub sources: Vec<ExplicitSource>,
    /// Whether it names sources, if only an empty list: then there are no others.
    pub is_given: bool,
}

/// One source of explicit lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplicitSource {
    /// The column of the target; `None` if the whole target.
    pub to_column: Option<String>,
    /// The dataset or job.
    pub from: ExplicitTarget,
    /// Its column; `None` if as a whole.
    pub column: Option<String>,
    /// How it is used: at least one way.
    pub ways: BTreeSet<Source>,
}

/// One result of a test that is not about one dataset alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestResult {
    /// The test.
    pub name: String,
    /// `pass`, `fail` or `skip`, in the producer's words.
    pub status: String,
    /// `error` or `warn`, in the producer's words.
    pub severity: Option<String>,
}

/// One result of a test of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// What was tested, in the producer's words.
    pub assertion: String,
    /// Whether it found nothing wrong.
    pub success: bool,
    /// The column that was tested.
    pub column: Option<String>,
    /// `error` or `warn`, in the producer's words.
    pub severity: Option<String>,
}

pub(super) fn run(event: At<'_>, run: At<'_>) -> Result<Run, Error> {
    let id_at = run.field("runId")?;
    let id = Uuid::try_parse(id_at.text()?).map_err(|_| id_at.not_a("a UUID"))?;
    let transition = match event.find("eventType") {
        Some(at) => Some(at.text()?.parse::<Transition>().map_err(|error: UnknownWord| at.wrong(error.into()))?),
        None => None,
    };
    let (mut parent, mut tests) = (None, Vec::new());
    if let Some(facets) = run.find("facets") {
        facets.object()?;
        if let Some(at) = facets.find("parent") {
            parent = Some(job(at.field("job")?)?);
        }
        if let Some(at) = facets.find("test") {
            tests = at.field("tests")?.items(|test| {
                Ok(TestResult {
                    name: test.field("name")?.short_text()?.to_owned(),
                    status: test.field("status")?.short_text()?.to_owned(),
                    severity: optional_text(test, "severity")?,
                })
            })?;
        }
    }
    Ok(Run { id, transition, design: design(event)?, parent, tests })
}

pub(super) fn design(event: At<'_>) -> Result<Design, Error> {
    let job_at = event.field("job")?;
    let own = job(job_at)?;
    let lineage = match job_at.find("facets") {
        Some(facets) => facet(facets, "lineage", |at| at.field("entries")?.items(explicit_entry))?,
        None => Facet::Absent,
    };
    let inputs = datasets(event, "inputs")?;
    let outputs = datasets(event, "outputs")?;
    if inputs.len() * outputs.len() > MAX_PAIRS {
        return Err(event.wrong(Problem::TooMany { most: MAX_PAIRS }));
    }
    Ok(Design { job: own, lineage, inputs, outputs })
}

fn datasets(event: At<'_>, side: &str) -> Result<Vec<DatasetFacts>, Error> {
    let Some(at) = event.find(side) else { return Ok(Vec::new()) };
    let found = at.items(dataset)?;
    if found.len() > MAX_DATASETS { Err(at.wrong(Problem::TooMany { most: MAX_DATASETS })) } else { Ok(found) }
}

pub(super) fn dataset(at: At<'_>) -> Result<DatasetFacts, Error> {
    let name = dataset_name(at)?;
    let mut facts = DatasetFacts {
        dataset: name.clone(),
        symlinks: Facet::Absent,
        schema: Facet::Absent,
        columns: Facet::Absent,
        lineage: Facet::Absent,
        exposures: Facet::Absent,
        assertions: Vec::new(),
    };
    if let Some(facets) = at.find("facets") {
        facts.symlinks = facet(facets, "symlinks", |at| match at.find("identifiers") {
            Some(identifiers) => identifiers.items(dataset_name),
            None => Ok(Vec::new()),
        })?;
        facts.schema = facet(facets, "schema", |at| {
            let mut fields = Vec::new();
            schema(at, "", &mut fields)?;
            Ok(fields)
        })?;
        facts.columns = facet(facets, "columnLineage", column_lineage)?;
        facts.lineage = facet(facets, "lineage", |at| explicit(at, ExplicitTarget::Dataset(name.clone())))?;
        facts.exposures = facet(facets, "dbt_exposures", |at| {
            at.field("exposures")?.items(|exposure| {
                let id = exposure.field("unique_id")?;
                Job::new("dbt", id.text()?).map_err(|error| id.wrong(error.into()))
            })
        })?;
        assertions(facets, &mut facts.assertions)?;
    }
    if let Some(facets) = at.find("inputFacets") {
        assertions(facets, &mut facts.assertions)?;
    }
    Ok(facts)
}

fn assertions(facets: At<'_>, found: &mut Vec<Assertion>) -> Result<(), Error> {
    facets.object()?;
    let Some(at) = facets.find("dataQualityAssertions") else { return Ok(()) };
    let Some(list) = at.find("assertions") else { return Ok(()) };
    let results = list.items(|item| {
        let success = item.field("success")?;
        Ok(Assertion {
            assertion: item.field("assertion")?.short_text()?.to_owned(),
            success: success.is_true(),
            column: optional_text(item, "column")?,
            severity: optional_text(item, "severity")?,
        })
    })?;
    // dbt gives the same list in both places.
    let new = results.into_iter().filter(|result| !found.contains(result)).collect::<Vec<_>>();
    found.extend(new);
    Ok(())
}

fn facet<T>(facets: At<'_>, name: &str, read: impl FnOnce(At<'_>) -> Result<T, Error>) -> Result<Facet<T>, Error> {
    facets.object()?;
    match facets.find(name) {
        None => Ok(Facet::Absent),
        Some(at) if at.find("_deleted").is_some_and(|deleted| deleted.is_true()) => Ok(Facet::Deleted),
        Some(at) => {
            at.object()?;
            read(at).map(Facet::Given)
        }
    }
}

fn schema(at: At<'_>, above: &str, found: &mut Vec<SchemaField>) -> Result<(), Error> {
    let Some(fields) = at.find("fields") else { return Ok(()) };
    fields.items(|field| {
        let name = format!("{above}{}", column(field.field("name")?)?);
        found.push(SchemaField { name: name.clone(), of_type: optional_text(field, "type")? });
        schema(field, &format!("{name}."), found)
    })?;
    Ok(())
}

fn column_lineage(at: At<'_>) -> Result<Vec<Influence>, Error> {
    let mut found = match at.find("fields") {
        Some(fields) => fields.entries(|name, entry| {
            let name = column_name(name, entry)?;
            // Before version 1-1-0 the way stood beside the sources and not in each of them.
            let is_masked = match entry.find("transformationType") {
                Some(of_type) => of_type.text()?.eq_ignore_ascii_case("MASKED"),
                None => false,
            };
            let default = if is_masked { Source::Masked } else { Source::Direct };
            let sources = entry.field("inputFields")?.items(|source| field_source(source, default))?;
            Ok(Influence { column: Some(name), sources })
        })?,
        None => Vec::new(),
    };
    if let Some(dataset) = at.find("dataset") {
        let sources = dataset.items(|source| field_source(source, Source::Indirect))?;
        found.push(Influence { column: None, sources });
    }
    Ok(found)
}

fn field_source(at: At<'_>, default: Source) -> Result<FieldSource, Error> {
    Ok(FieldSource { dataset: dataset_name(at)?, column: column(at.field("field")?)?, ways: ways(at, default)? })
}

/// The ways in which a source is used; `default` if it does not say.
fn ways(at: At<'_>, default: Source) -> Result<BTreeSet<Source>, Error> {
    let mut ways = BTreeSet::new();
    if let Some(transformations) = at.find("transformations") {
        transformations.items(|transformation| {
            let is_indirect = transformation.field("type")?.text()?.eq_ignore_ascii_case("INDIRECT");
            let is_masked = transformation.find("masking").is_some_and(|masking| masking.is_true());
            ways.insert(match (is_indirect, is_masked) {
                (true, _) => Source::Indirect,
                (false, true) => Source::Masked,
                (false, false) => Source::Direct,
            });
            Ok(())
        })?;
    }
    if ways.is_empty() {
        ways.insert(default);
    }
    Ok(ways)
}

fn explicit_entry(at: At<'_>) -> Result<Explicit, Error> {
    let target = explicit_target(at)?;
    explicit(at, target)
}

/// A dataset or a job, by its `type`.
fn explicit_target(at: At<'_>) -> Result<ExplicitTarget, Error> {
    let of_type = at.field("type")?;
    match of_type.text()? {
        "DATASET" => dataset_name(at).map(ExplicitTarget::Dataset),
        "JOB" if at.find("namespace").is_none() && at.find("name").is_none() => Ok(ExplicitTarget::Job(None)),
        "JOB" => job(at).map(|job| ExplicitTarget::Job(Some(job))),
        other => Err(of_type.wrong(UnknownWord::new(other, &["DATASET", "JOB"]).into())),
    }
}

fn explicit(at: At<'_>, target: ExplicitTarget) -> Result<Explicit, Error> {
    let mut sources = Vec::new();
    let mut read = |to: Option<&str>, inputs: At<'_>| {
        inputs.items(|input| {
            let column = match input.find("field") {
                Some(field) => Some(column(field)?),
                None => None,
            };
            // A column that feeds the target as a whole decides about its rows.
            let default = if to.is_none() && column.is_some() { Source::Indirect } else { Source::Direct };
            let ways = ways(input, default)?;
            let from = explicit_target(input)?;
            sources.push(ExplicitSource { to_column: to.map(str::to_owned), from, column, ways });
            Ok(())
        })
    };
    let inputs = at.find("inputs");
    if let Some(inputs) = inputs {
        read(None, inputs)?;
    }
    let fields = at.find("fields");
    if let Some(fields) = fields {
        fields.entries(|name, entry| {
            let name = column_name(name, entry)?;
            read(Some(&name), entry.field("inputs")?)
        })?;
    }
    Ok(Explicit { target, sources, is_given: inputs.is_some() || fields.is_some() })
}

fn dataset_name(at: At<'_>) -> Result<Dataset, Error> {
    let (namespace, name) = (at.field("namespace")?, at.field("name")?);
    Dataset::new(namespace.text()?, name.text()?).map_err(|error| at.wrong(error.into()))
}

fn job(at: At<'_>) -> Result<Job, Error> {
    let (namespace, name) = (at.field("namespace")?, at.field("name")?);
    Job::new(namespace.text()?, name.text()?).map_err(|error| at.wrong(error.into()))
}

fn column(at: At<'_>) -> Result<String, Error> {
    column_name(at.text()?, at)
}

fn column_name(name: &str, at: At<'_>) -> Result<String, Error> {
    name::check_column(name).map_err(|error| at.wrong(error.into()))?;
    Ok(name.to_owned())
}

fn optional_text(at: At<'_>, key: &str) -> Result<Option<String>, Error> {
    at.find(key).map(|text| text.short_text().map(str::to_owned)).transpose()
}
