//! What every use of the Delta kernel shares: the table's URL, its batches, and the reasons of its failures.

use arrow::array::RecordBatch;
use buoyant_kernel::EngineData;
use buoyant_kernel::engine::arrow_data::ArrowEngineData;

use crate::error::{Result, Unreadable};

/// The URL of the table's folder for the kernel. The store resolves paths below it.
pub(super) const TABLE_URL: &str = "table:///";

pub(super) fn record_batch(data: Box<dyn EngineData>) -> Result<RecordBatch> {
    ArrowEngineData::try_from_engine_data(data).map(Into::into).map_err(|error| unreadable(&error))
}

/// Our own reason if it is the cause, else the kernel's message, which is about the log and its files and not about
/// rows.
pub(super) fn unreadable(error: &buoyant_kernel::Error) -> Unreadable {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let ours = causes.filter_map(|error| error.downcast_ref::<Unreadable>()).next();
    ours.cloned().unwrap_or_else(|| Unreadable(error.to_string()))
}
