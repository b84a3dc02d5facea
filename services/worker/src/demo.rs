//! Creates the demo's table: a small Delta table `flights` with a history of five versions.
//!
//! | version | what | rows | sum of `distance` |
//! |---|---|---|---|
//! | 0 | January | 400 | 451,250 |
//! | 1 | February, adds the column `delay_band` | 700 | 789,143 |
//! | 2 | the bad batch: 10 rows without a carrier, 10 with a negative distance, 10 given twice | 740 | 812,247 |
//! | 3 | DELETE of March, which removes the bad batch | 700 | 789,143 |
//! | 4 | March, good | 1,000 | 1,127,036 |
//!
//! The rows are always the same; file names and commit times vary.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::prelude::{col, lit};
use deltalake::DeltaTable;
use deltalake::operations::write::SchemaMode;
use deltalake::protocol::SaveMode;
use url::Url;

/// The newest version that can be created.
pub(crate) const LAST_VERSION: u64 = 4;

const CARRIERS: [&str; 6] = ["AA", "B6", "DL", "EV", "UA", "WN"];
const ORIGINS: [&str; 3] = ["EWR", "JFK", "LGA"];
const DESTINATIONS: [(&str, i32); 8] = [
    ("ATL", 760),
    ("BOS", 187),
    ("DEN", 1_605),
    ("IAH", 1_416),
    ("LAX", 2_475),
    ("MIA", 1_089),
    ("ORD", 733),
    ("RDU", 760),
];
/// 2013-01-01T00:00:00Z.
const NEW_YEAR_MICROS: i64 = 1_356_998_400_000_000;
const MICROS_PER_MINUTE: i64 = 60_000_000;
const BAD_MONTH: i32 = 3;
/// The number of rows of the bad batch that violate each promise.
const N_BAD: usize = 10;

/// Creates the missing versions up to `through`. The folder may contain earlier ones, or not exist.
///
/// # Errors
/// There is no such version, the folder contains something else, or it cannot be written.
pub(crate) fn make(folder: &Path, through: u64) -> anyhow::Result<()> {
    if through > LAST_VERSION {
        bail!("the last version of the demo's table is {LAST_VERSION}");
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    let folder = folder.canonicalize().with_context(|| format!("cannot open `{}`", folder.display()))?;
    let Ok(url) = Url::from_directory_path(&folder) else { bail!("`{}` is not a folder", folder.display()) };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(async {
        let mut table = DeltaTable::try_from_url(url).await.context("cannot open the table")?;
        let first = table.version().map_or(0, |version| version + 1);
        for version in first..=through {
            table = make_version(table, version).await.with_context(|| format!("cannot create version {version}"))?;
        }
        Ok(())
    })
}

async fn make_version(table: DeltaTable, version: u64) -> anyhow::Result<DeltaTable> {
    let rows = match version {
        0 => Rows::of_month(1, 400).batch(false),
        1 => Rows::of_month(2, 300).batch(true),
        2 => Rows::bad().batch(true),
        3 => return Ok(table.delete().with_predicate(col("month").eq(lit(BAD_MONTH))).await?.0),
        _ => Rows::of_month(BAD_MONTH, 300).batch(true),
    };
    let write = table.write([rows?]).with_save_mode(SaveMode::Append).with_table_name("flights");
    Ok(if version == 1 { write.with_schema_mode(SchemaMode::Merge).await? } else { write.await? })
}

/// One batch, column by column.
#[derive(Default)]
struct Rows {
    month: Vec<i32>,
    time_hour: Vec<i64>,
    carrier: Vec<Option<&'static str>>,
    flight: Vec<i64>,
    origin: Vec<&'static str>,
    dest: Vec<&'static str>,
    distance: Vec<i32>,
    dep_delay: Vec<Option<i32>>,
}

impl Rows {
    fn of_month(month: i32, n_rows: usize) -> Self {
        let mut rows = Self::default();
        (0..n_rows).for_each(|index| rows.push(month, index));
        rows
    }

    /// The bad batch: [`N_BAD`] rows of each kind.
    fn bad() -> Self {
        let mut rows = Self::of_month(BAD_MONTH, 3 * N_BAD);
        rows.carrier[..N_BAD].fill(None);
        rows.distance[N_BAD..2 * N_BAD].iter_mut().for_each(|distance| *distance = -*distance);
        (2 * N_BAD..3 * N_BAD).for_each(|index| rows.push(BAD_MONTH, index));
        rows
    }

    /// Every flight departs at a different minute, so carrier, flight, origin and time form a key.
    fn push(&mut self, month: i32, index: usize) {
        let (dest, distance) = DESTINATIONS[index % DESTINATIONS.len()];
        let number = index as i64;
        self.month.push(month);
        self.time_hour.push(NEW_YEAR_MICROS + MICROS_PER_MINUTE * (i64::from(month - 1) * 44_640 + number * 90));
        self.carrier.push(Some(CARRIERS[index % CARRIERS.len()]));
        self.flight.push(100 + number);
        self.origin.push(ORIGINS[index % ORIGINS.len()]);
        self.dest.push(dest);
        self.distance.push(distance);
        // Every 41st flight is cancelled.
        self.dep_delay.push((index % 41 != 40).then_some((index * 37 % 91) as i32 - 15));
    }

    fn batch(self, with_delay_band: bool) -> anyhow::Result<RecordBatch> {
        let delay_band = self.dep_delay.iter().map(|delay| match delay {
            None => "unknown",
            Some(..=0) => "early_or_on_time",
            Some(1..=30) => "late",
            Some(_) => "severe",
        });
        let delay_band: ArrayRef = Arc::new(StringArray::from_iter_values(delay_band));
        let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
            ("month", Arc::new(Int32Array::from(self.month)), true),
            ("time_hour", Arc::new(TimestampMicrosecondArray::from(self.time_hour).with_timezone("UTC")), true),
            ("carrier", Arc::new(StringArray::from(self.carrier)), true),
            ("flight", Arc::new(Int64Array::from(self.flight)), true),
            ("origin", Arc::new(StringArray::from(self.origin)), true),
            ("dest", Arc::new(StringArray::from(self.dest)), true),
            ("distance", Arc::new(Int32Array::from(self.distance)), true),
            ("dep_delay", Arc::new(Int32Array::from(self.dep_delay)), true),
        ];
        if with_delay_band {
            columns.push(("delay_band", delay_band, true));
        }
        RecordBatch::try_from_iter_with_nullable(columns).context("the columns do not fit")
    }
}
