//! An inspector that finds what a test says, without reading the table.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use domain::clock::Timestamp;
use domain::column_reads::FileChunks;
use domain::inspection::{Inspection, InspectionError, InspectionJob, Inspector, Kept, KeptFile};
use domain::quality::{Measured, Operator};
use domain::table::{
    FileDigest, InspectionRead, PhysicalColumn, PhysicalSchema, PhysicalType, PinnedFile, ReaderProtocol, SnapshotKey,
};
use tokio::sync::Notify;

/// What is to be found in a table's folder.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The columns.
    pub columns: Vec<PhysicalColumn>,
    /// The rows.
    pub n_rows: u64,
    /// When the snapshot was committed.
    pub committed_at: Timestamp,
    /// Rules whose key contains one of these do not hold; all others do.
    pub broken: Vec<String>,
    /// The inspection fails instead.
    pub error: Option<InspectionError>,
    /// The data files, sorted by path, with the chunks that are known of them.
    pub files: Vec<(PinnedFile, Option<FileChunks>)>,
    /// The bytes of our own checkpoint; a text where there are none.
    pub checkpoint: Option<Vec<u8>>,
}

impl Scene {
    /// A good table with these columns, named and typed as `name:type` with `integer`, `number`, `string`, `boolean`,
    /// `date` and `timestamp`.
    pub fn of(columns: &str) -> Self {
        let columns = columns.split_whitespace().map(column).collect();
        Self {
            columns,
            n_rows: 100,
            committed_at: Timestamp(0),
            broken: Vec::new(),
            error: None,
            files: Vec::new(),
            checkpoint: None,
        }
    }

    /// The same with data files, sorted by path.
    pub fn with_files(self, files: Vec<(PinnedFile, Option<FileChunks>)>) -> Self {
        Self { files, ..self }
    }

    /// The same with rules that do not hold, beside those that did not before.
    pub fn breaking(mut self, key: &str) -> Self {
        self.broken.push(key.to_owned());
        self
    }

    /// The same, unreadable.
    pub fn failing(self, error: InspectionError) -> Self {
        Self { error: Some(error), ..self }
    }
}

fn column(text: &str) -> PhysicalColumn {
    let (name, word) = text.split_once(':').unwrap_or((text, "string"));
    let physical_type = match word {
        "integer" => PhysicalType::Integer { bits: 64, signed: true },
        "number" => PhysicalType::Float { bits: 64 },
        "boolean" => PhysicalType::Boolean,
        "date" => PhysicalType::Date,
        "timestamp" => PhysicalType::Timestamp { zoned: true },
        _ => PhysicalType::String,
    };
    PhysicalColumn { name: name.to_owned(), physical_type, nullable: true }
}

/// Finds what was set for a table's folder; what was not set cannot be inspected.
#[derive(Debug, Default)]
pub struct FakeInspector {
    scenes: Mutex<HashMap<PathBuf, Scene>>,
    hold: Mutex<Option<Arc<Hold>>>,
    known: Mutex<Vec<Kept>>,
}

/// An inspection that is held up before it ends.
#[derive(Debug, Default)]
pub struct Hold {
    reached: Notify,
    released: Notify,
}

impl Hold {
    /// Waits until an inspection is held up.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it end.
    pub fn release(&self) {
        self.released.notify_one();
    }
}

impl FakeInspector {
    /// Sets what is to be found in a folder.
    pub fn set(&self, root: PathBuf, scene: Scene) {
        self.scenes.lock().unwrap_or_else(PoisonError::into_inner).insert(root, scene);
    }

    /// Holds up the next inspection.
    pub fn hold(&self) -> Arc<Hold> {
        let hold = Arc::new(Hold::default());
        *self.hold.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&hold));
        hold
    }

    /// What each inspection so far was told of an earlier one.
    pub fn known(&self) -> Vec<Kept> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What an inspection of a snapshot leaves for the next.
    pub fn leaves(snapshot: &SnapshotKey) -> Kept {
        let byte = match snapshot {
            SnapshotKey::DeltaVersion(version) => version.to_le_bytes()[0],
            SnapshotKey::ParquetDigest(_) => u8::MAX,
        };
        let file = KeptFile { file: FileDigest([byte; 32]), counts: vec![u64::MAX, 0] };
        Kept { checks: vec![FileDigest([1; 32]), FileDigest([2; 32])], files: vec![file] }
    }

    fn look(&self, job: &InspectionJob) -> Result<Inspection, InspectionError> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).push(job.kept.clone());
        let scenes = self.scenes.lock().unwrap_or_else(PoisonError::into_inner);
        let scene = scenes.get(&job.root).ok_or_else(|| InspectionError::Unreadable("no scene was set".to_owned()))?;
        if let Some(error) = &scene.error {
            return Err(error.clone());
        }
        let snapshot = job.snapshot.clone().unwrap_or_else(|| SnapshotKey::of_parquet_files(&[]));
        let checkpoint = match &snapshot {
            SnapshotKey::DeltaVersion(_) => {
                let path = job.scratch.join("checkpoint.parquet");
                let text = || format!("checkpoint of {snapshot} in {}", job.root.display()).into_bytes();
                std::fs::write(&path, scene.checkpoint.clone().unwrap_or_else(text))
                    .map_err(|error| InspectionError::Died(error.to_string()))?;
                Some(path)
            }
            SnapshotKey::ParquetDigest(_) => None,
        };
        let measured = job.rules.iter().map(|rule| match &rule.check {
            None => Measured::NotRun,
            Some(_) if scene.broken.iter().any(|key| rule.key.contains(key.as_str())) => {
                Measured::Value(breaking(rule.operator))
            }
            Some(_) => Measured::Value(fitting(rule.operator)),
        });
        let kept = Self::leaves(&snapshot);
        Ok(Inspection {
            snapshot,
            committed_at: scene.committed_at,
            schema: PhysicalSchema {
                columns: scene.columns.clone(),
                partitioned_by: Vec::new(),
                protocol: ReaderProtocol::default(),
            },
            n_rows: scene.n_rows,
            files: scene.files.iter().map(|(file, _)| file.clone()).collect(),
            chunks: Some(scene.files.iter().map(|(_, chunks)| chunks.clone()).collect()),
            checkpoint,
            measured: measured.collect(),
            kept,
            read: InspectionRead::default(),
            engine: if job.digests { "a scene with digests" } else { "a scene" }.to_owned(),
        })
    }
}

impl Inspector for FakeInspector {
    fn inspect(
        &self,
        job: InspectionJob,
    ) -> Pin<Box<dyn Future<Output = Result<Inspection, InspectionError>> + Send + '_>> {
        Box::pin(async move {
            let hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(hold) = hold {
                hold.reached.notify_one();
                hold.released.notified().await;
            }
            self.look(&job)
        })
    }
}

/// A number for which the condition holds.
fn fitting(operator: Operator) -> f64 {
    match operator {
        Operator::MustBe(bound)
        | Operator::MustBeGreaterOrEqualTo(bound)
        | Operator::MustBeLessOrEqualTo(bound)
        | Operator::MustBeBetween(bound, _) => bound,
        Operator::MustNotBe(bound) | Operator::MustBeGreaterThan(bound) => bound + 1.0,
        Operator::MustBeLessThan(bound) | Operator::MustNotBeBetween(bound, _) => bound - 1.0,
    }
}

/// A number for which it does not.
fn breaking(operator: Operator) -> f64 {
    match operator {
        Operator::MustNotBe(bound)
        | Operator::MustBeGreaterThan(bound)
        | Operator::MustBeLessThan(bound)
        | Operator::MustNotBeBetween(bound, _) => bound,
        Operator::MustBe(bound) | Operator::MustBeLessOrEqualTo(bound) => bound + 1.0,
        Operator::MustBeGreaterOrEqualTo(bound) | Operator::MustBeBetween(bound, _) => bound - 1.0,
    }
}
