//! The report of a worker.

use std::io;

use domain::clock::Timestamp;
use domain::inspection::{self, Inspection, InspectionJob, MAX_KEPT_FILES};
use domain::quality;
use domain::table::{
    self, MAX_TYPE_DEPTH, NotADigest, PhysicalColumn, PhysicalSchema, PhysicalType, PinnedFile, ReaderProtocol,
};
use serde::{Deserialize, Serialize};

use super::chunks::FileChunks;
use super::kept::{Kept, KeptFile};
use super::{
    MAX_CHUNKS_BYTES, MAX_COLUMNS, MAX_FILE_BYTES, MAX_FILES, MAX_HEAD_BYTES, MAX_REPORT_BYTES, MAX_TEXT_CHARS,
    Malformed, at_most,
};

/// The report of a worker. A worker writes this or nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// How much of the sandbox was enforced.
    pub sandbox: Sandbox,
    /// The outcome of the job.
    pub outcome: Outcome,
}

/// The outcome of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// The snapshot was inspected.
    Inspected(Box<Inspected>),
    /// The table must not or cannot be read.
    Unreadable {
        /// The reason, for the owners.
        reason: String,
    },
    /// The job requires a full sandbox, which the kernel does not enforce: no file was opened.
    NoSandbox,
}

/// A [`domain::inspection::Sandbox`] on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sandbox {
    /// All of it is enforced.
    Full,
    /// Part of it is enforced.
    Partial,
    /// None of it is enforced.
    Absent,
}

impl Sandbox {
    /// The value of the domain.
    #[must_use]
    pub fn into_domain(self) -> inspection::Sandbox {
        match self {
            Self::Full => inspection::Sandbox::Full,
            Self::Partial => inspection::Sandbox::Partial,
            Self::Absent => inspection::Sandbox::Absent,
        }
    }
}

impl Report {
    /// Writes the lines of the report.
    ///
    /// # Errors
    /// That of the target. A report that is too long is refused by the reader.
    pub fn write(&self, target: &mut impl io::Write) -> io::Result<()> {
        serde_json::to_writer(&mut *target, self)?;
        target.write_all(b"\n")?;
        if let Outcome::Inspected(inspected) = &self.outcome {
            for file in &inspected.files {
                serde_json::to_writer(&mut *target, file)?;
                target.write_all(b"\n")?;
            }
            for file in &inspected.kept {
                serde_json::to_writer(&mut *target, file)?;
                target.write_all(b"\n")?;
            }
            for file in &inspected.chunks {
                serde_json::to_writer(&mut *target, file)?;
                target.write_all(b"\n")?;
            }
        }
        target.flush()
    }
}

/// Reads a report line by line. Only what has been read of the result is held.
#[derive(Debug, Default)]
pub struct ReportReader {
    report: Option<Report>,
    n_bytes: usize,
}

impl ReportReader {
    /// How long the next line may be, with its end.
    #[must_use]
    pub fn max_line_bytes(&self) -> usize {
        let limit = match self.report.as_ref().map(|report| &report.outcome) {
            None => MAX_HEAD_BYTES,
            Some(Outcome::Inspected(inspected)) if inspected.only_lacks_chunks() => MAX_CHUNKS_BYTES,
            Some(Outcome::Inspected(_) | Outcome::Unreadable { .. } | Outcome::NoSandbox) => MAX_FILE_BYTES,
        };
        limit.min(MAX_REPORT_BYTES - self.n_bytes)
    }

    /// Reads the next line.
    ///
    /// # Errors
    /// It is longer than [`ReportReader::max_line_bytes`], or not the line that must come next.
    pub fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        at_most("bytes in a line", line.len(), self.max_line_bytes())?;
        self.n_bytes += line.len();
        let Some(report) = &mut self.report else {
            self.report = Some(serde_json::from_slice(line).map_err(|error| Malformed::json(&error))?);
            return Ok(());
        };
        match &mut report.outcome {
            Outcome::Inspected(inspected) if inspected.files.len() < inspected.n_files => {
                let file: File = serde_json::from_slice(line).map_err(|error| Malformed::json(&error))?;
                inspected.push(file)
            }
            Outcome::Inspected(inspected) if inspected.kept.len() < inspected.n_kept => {
                inspected.push_kept(serde_json::from_slice(line).map_err(|error| Malformed::json(&error))?)
            }
            Outcome::Inspected(inspected) if inspected.only_lacks_chunks() => {
                inspected.chunks.push(serde_json::from_slice(line).map_err(|error| Malformed::json(&error))?);
                Ok(())
            }
            Outcome::Inspected(_) | Outcome::Unreadable { .. } | Outcome::NoSandbox => {
                Err(Malformed::new("it continues after its end"))
            }
        }
    }

    /// The report.
    ///
    /// # Errors
    /// There was none, or it is cut off.
    pub fn end(self) -> Result<Report, Malformed> {
        let report = self.report.ok_or_else(|| Malformed::new("it is empty"))?;
        match &report.outcome {
            Outcome::Inspected(inspected) if !inspected.is_whole() => Err(Malformed::new("it is truncated")),
            Outcome::Inspected(_) | Outcome::Unreadable { .. } | Outcome::NoSandbox => Ok(report),
        }
    }
}

/// A text of the worker for people, cut to its maximum length.
pub(crate) fn bounded(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_TEXT_CHARS) {
        text.truncate(end);
    }
    text
}

/// An [`Inspection`] on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspected {
    snapshot: String,
    committed_at_micros: i64,
    schema: Schema,
    n_rows: u64,
    n_files: usize,
    /// On the lines that follow.
    #[serde(skip)]
    files: Vec<File>,
    /// A file name in the scratch folder.
    checkpoint: Option<String>,
    measured: Vec<Measured>,
    read: Read,
    kept_checks: Vec<String>,
    n_kept: usize,
    /// On the lines after the files.
    #[serde(skip)]
    kept: Vec<KeptFile>,
    /// Whether the chunks of each file follow.
    has_chunks: bool,
    /// On the lines after the counts, in the order of the files.
    #[serde(skip)]
    chunks: Vec<Option<FileChunks>>,
    engine: String,
}

impl Inspected {
    /// An inspection to send.
    ///
    /// # Errors
    /// The checkpoint's name is not UTF-8.
    pub fn from_domain(inspection: Inspection) -> Result<Self, Malformed> {
        let checkpoint = inspection.checkpoint.as_deref().map(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.map(str::to_owned).ok_or_else(|| Malformed::new("the checkpoint has no name"))
        });
        let kept = Kept::from_domain(&inspection.kept);
        Ok(Self {
            snapshot: inspection.snapshot.to_string(),
            committed_at_micros: inspection.committed_at.micros(),
            schema: Schema::from_domain(inspection.schema),
            n_rows: inspection.n_rows,
            n_files: inspection.files.len(),
            files: inspection.files.into_iter().map(File::from_domain).collect::<Result<_, _>>()?,
            checkpoint: checkpoint.transpose()?,
            measured: inspection.measured.into_iter().map(Measured::from_domain).collect(),
            read: Read::from_domain(inspection.read),
            kept_checks: kept.checks,
            n_kept: kept.files.len(),
            kept: kept.files,
            has_chunks: inspection.chunks.is_some(),
            chunks: inspection
                .chunks
                .unwrap_or_default()
                .iter()
                .map(|file| file.as_ref().map(FileChunks::from))
                .collect(),
            engine: inspection.engine,
        })
    }

    fn is_whole(&self) -> bool {
        self.has_files_and_counts() && !self.only_lacks_chunks()
    }

    fn has_files_and_counts(&self) -> bool {
        self.files.len() == self.n_files && self.kept.len() == self.n_kept
    }

    fn only_lacks_chunks(&self) -> bool {
        self.has_files_and_counts() && self.has_chunks && self.chunks.len() < self.n_files
    }

    /// Adds the counts of the next file.
    ///
    /// # Errors
    /// Too many.
    fn push_kept(&mut self, file: KeptFile) -> Result<(), Malformed> {
        at_most("files with counts to keep", self.kept.len() + 1, MAX_KEPT_FILES)?;
        self.kept.push(file);
        Ok(())
    }

    /// Adds the next file.
    ///
    /// # Errors
    /// Too many, a path that leads out of the table, or one that does not come after the last.
    fn push(&mut self, file: File) -> Result<(), Malformed> {
        at_most("files", self.files.len() + 1, MAX_FILES)?;
        if !is_plain(&file.0) {
            return Err(Malformed::new("it lists a file outside of the table"));
        }
        if self.files.last().is_some_and(|last| last.0.as_bytes() >= file.0.as_bytes()) {
            return Err(Malformed::new("its files are not sorted, or one is listed twice"));
        }
        self.files.push(file);
        Ok(())
    }

    /// The inspection, checked against its job.
    ///
    /// # Errors
    /// It is of another snapshot, measures more or fewer rules than the job has, exceeds a limit, or contains what no
    /// worker may report (a checkpoint outside of the scratch folder, ...).
    pub fn into_domain(self, job: &InspectionJob) -> Result<Inspection, Malformed> {
        let snapshot = self.snapshot.parse().map_err(|_| Malformed::new("it names no snapshot"))?;
        if job.snapshot.as_ref().is_some_and(|asked| *asked != snapshot) {
            return Err(Malformed::new("it is about another snapshot"));
        }
        if self.measured.len() != job.rules.len() {
            return Err(Malformed::new("it does not answer each rule"));
        }
        if self.files.iter().any(|file| file.5.is_some() != job.digests) {
            return Err(Malformed::new("a file has no digest, or one that was not asked for"));
        }
        if self.checkpoint.as_deref().is_some_and(|name| name.contains('/') || !is_plain(name)) {
            return Err(Malformed::new("its checkpoint is not in the scratch folder"));
        }
        let chunks = self.chunks.into_iter().map(|file| file.map(FileChunks::into_domain).transpose());
        let chunks = chunks.collect::<Result<Vec<_>, _>>()?;
        Ok(Inspection {
            snapshot,
            committed_at: Timestamp(self.committed_at_micros),
            schema: self.schema.into_domain()?,
            n_rows: self.n_rows,
            files: self.files.into_iter().map(File::into_domain).collect::<Result<_, _>>()?,
            chunks: self.has_chunks.then_some(chunks),
            checkpoint: self.checkpoint.map(|name| job.scratch.join(name)),
            measured: self.measured.into_iter().map(Measured::into_domain).collect::<Result<_, _>>()?,
            kept: Kept { checks: self.kept_checks, files: self.kept }.into_domain()?,
            read: self.read.into_domain(),
            engine: bounded(self.engine),
        })
    }
}

/// A [`domain::table::InspectionRead`] on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    n_files: u64,
    n_bytes: u64,
    n_rows: u64,
    n_files_known: u64,
    n_proven: u64,
}

impl Read {
    fn from_domain(read: table::InspectionRead) -> Self {
        let table::InspectionRead { n_files, n_bytes, n_rows, n_files_known, n_proven } = read;
        Self { n_files, n_bytes, n_rows, n_files_known, n_proven }
    }

    fn into_domain(self) -> table::InspectionRead {
        let Self { n_files, n_bytes, n_rows, n_files_known, n_proven } = self;
        table::InspectionRead { n_files, n_bytes, n_rows, n_files_known, n_proven }
    }
}

/// Whether it is a normalised path below a folder.
fn is_plain(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

/// Path, size, modification time, inode, change time and digest: a JSON array, since there are many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct File(String, u64, i64, u64, i64, Option<String>);

impl File {
    fn from_domain(file: PinnedFile) -> Result<Self, Malformed> {
        let PinnedFile { path, size_bytes, mtime_ns, inode, ctime_ns, digest } = file;
        let ctime_ns = ctime_ns.ok_or_else(|| Malformed::new("a file has no change time"))?;
        Ok(Self(path, size_bytes, mtime_ns, inode, ctime_ns, digest.map(|digest| digest.to_string())))
    }

    fn into_domain(self) -> Result<PinnedFile, Malformed> {
        let Self(path, size_bytes, mtime_ns, inode, ctime_ns, digest) = self;
        let digest = digest.map(|text| text.parse()).transpose();
        let digest = digest.map_err(|error: NotADigest| Malformed::new(error.to_string()))?;
        Ok(PinnedFile { path, size_bytes, mtime_ns, inode, ctime_ns: Some(ctime_ns), digest })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Measured {
    Value(f64),
    Error(String),
    NotRun,
}

impl Measured {
    fn from_domain(measured: quality::Measured) -> Self {
        match measured {
            // JSON has no infinities, and no condition on a number holds for a value that is not finite.
            quality::Measured::Value(value) if !value.is_finite() => Self::Error("not a finite number".to_owned()),
            quality::Measured::Value(value) => Self::Value(value),
            quality::Measured::Error(reason) => Self::Error(reason),
            quality::Measured::NotRun => Self::NotRun,
        }
    }

    fn into_domain(self) -> Result<quality::Measured, Malformed> {
        match self {
            Self::Value(value) if value.is_finite() => Ok(quality::Measured::Value(value)),
            Self::Value(value) => Err(Malformed::new(format!("`{value}` was measured"))),
            Self::Error(reason) => Ok(quality::Measured::Error(bounded(reason))),
            Self::NotRun => Ok(quality::Measured::NotRun),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    columns: Vec<Column>,
    partitioned_by: Vec<String>,
    reader_version: u32,
    reader_features: Vec<String>,
}

impl Schema {
    fn from_domain(schema: PhysicalSchema) -> Self {
        Self {
            columns: schema.columns.into_iter().map(Column::from_domain).collect(),
            partitioned_by: schema.partitioned_by,
            reader_version: schema.protocol.version,
            reader_features: schema.protocol.features.into_iter().collect(),
        }
    }

    fn into_domain(self) -> Result<PhysicalSchema, Malformed> {
        let mut n_columns = 0;
        let columns = self.columns.into_iter().map(|column| column.into_domain(MAX_TYPE_DEPTH, &mut n_columns));
        Ok(PhysicalSchema {
            columns: columns.collect::<Result<_, _>>()?,
            partitioned_by: self.partitioned_by,
            protocol: ReaderProtocol {
                version: self.reader_version,
                features: self.reader_features.into_iter().collect(),
            },
        })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    name: String,
    r#type: Type,
    nullable: bool,
}

impl Column {
    fn from_domain(column: PhysicalColumn) -> Self {
        Self { name: column.name, r#type: Type::from_domain(column.physical_type), nullable: column.nullable }
    }

    fn into_domain(self, depth: usize, n_columns: &mut usize) -> Result<PhysicalColumn, Malformed> {
        *n_columns += 1;
        at_most("columns", *n_columns, MAX_COLUMNS)?;
        let physical_type = self.r#type.into_domain(depth, n_columns)?;
        Ok(PhysicalColumn { name: self.name, physical_type, nullable: self.nullable })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Type {
    Boolean,
    Integer { bits: u8, signed: bool },
    Float { bits: u8 },
    Decimal { precision: u8, scale: i8 },
    String,
    Binary,
    Date,
    Time,
    Timestamp { zoned: bool },
    Struct(Vec<Column>),
    List(Box<Column>),
    Map { key: Box<Column>, value: Box<Column> },
    Other(String),
}

impl Type {
    fn from_domain(physical_type: PhysicalType) -> Self {
        let boxed = |column: Box<PhysicalColumn>| Box::new(Column::from_domain(*column));
        match physical_type {
            PhysicalType::Boolean => Self::Boolean,
            PhysicalType::Integer { bits, signed } => Self::Integer { bits, signed },
            PhysicalType::Float { bits } => Self::Float { bits },
            PhysicalType::Decimal { precision, scale } => Self::Decimal { precision, scale },
            PhysicalType::String => Self::String,
            PhysicalType::Binary => Self::Binary,
            PhysicalType::Date => Self::Date,
            PhysicalType::Time => Self::Time,
            PhysicalType::Timestamp { zoned } => Self::Timestamp { zoned },
            PhysicalType::Struct(members) => Self::Struct(members.into_iter().map(Column::from_domain).collect()),
            PhysicalType::List(element) => Self::List(boxed(element)),
            PhysicalType::Map { key, value } => Self::Map { key: boxed(key), value: boxed(value) },
            PhysicalType::Other(words) => Self::Other(words),
        }
    }

    fn into_domain(self, depth: usize, n_columns: &mut usize) -> Result<PhysicalType, Malformed> {
        let Some(below) = depth.checked_sub(1) else {
            return Err(Malformed::new(format!("a type is nested deeper than {MAX_TYPE_DEPTH}")));
        };
        let mut boxed = |column: Box<Column>| column.into_domain(below, n_columns).map(Box::new);
        Ok(match self {
            Self::Boolean => PhysicalType::Boolean,
            Self::Integer { bits, signed } => PhysicalType::Integer { bits, signed },
            Self::Float { bits } => PhysicalType::Float { bits },
            Self::Decimal { precision, scale } => PhysicalType::Decimal { precision, scale },
            Self::String => PhysicalType::String,
            Self::Binary => PhysicalType::Binary,
            Self::Date => PhysicalType::Date,
            Self::Time => PhysicalType::Time,
            Self::Timestamp { zoned } => PhysicalType::Timestamp { zoned },
            Self::Struct(members) => {
                let members = members.into_iter().map(|member| member.into_domain(below, n_columns));
                PhysicalType::Struct(members.collect::<Result<_, _>>()?)
            }
            Self::List(element) => PhysicalType::List(boxed(element)?),
            Self::Map { key, value } => PhysicalType::Map { key: boxed(key)?, value: boxed(value)? },
            Self::Other(words) => PhysicalType::Other(words),
        })
    }
}
