//! Timestamps of the type `INT96`, in which Spark writes them by default. The reader would count their nanoseconds with
//! 64 bits and wrap all that lie outside of the years 1677 to 2262, such as the 9999-12-31 that stands for "never". Here
//! they are microseconds, as Spark itself reads them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Type;
use parquet::errors::Result;

/// The footer with such columns as microseconds, in this zone if there is one.
///
/// # Errors
/// None that a valid footer causes.
pub(crate) fn in_microseconds(metadata: ArrowReaderMetadata, zone: Option<&str>) -> Result<ArrowReaderMetadata> {
    let columns = metadata.parquet_schema().columns();
    let is_int96: Vec<bool> = columns.iter().map(|column| column.physical_type() == Type::INT96).collect();
    if !is_int96.contains(&true) {
        return Ok(metadata);
    }
    // The leaves of both schemas are in the same order.
    let mut leaves = is_int96.into_iter();
    let schema = Arc::new(Schema::new(fields(metadata.schema().fields(), &mut leaves, zone)));
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_schema(schema);
    ArrowReaderMetadata::try_new(metadata.metadata().clone(), options)
}

fn fields(found: &Fields, leaves: &mut impl Iterator<Item = bool>, zone: Option<&str>) -> Fields {
    found.iter().map(|found| field(found, leaves, zone)).collect()
}

fn field(found: &FieldRef, leaves: &mut impl Iterator<Item = bool>, zone: Option<&str>) -> FieldRef {
    let data_type = match found.data_type() {
        DataType::List(item) => DataType::List(field(item, leaves, zone)),
        DataType::Map(entries, sorted) => DataType::Map(field(entries, leaves, zone), *sorted),
        DataType::Struct(members) => DataType::Struct(fields(members, leaves, zone)),
        _ if leaves.next() == Some(true) => DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into)),
        other => other.clone(),
    };
    Arc::new(Field::clone(found).with_data_type(data_type))
}
