//! Which columns of a version the columns of its files are: by name, or as the table maps them.

use std::collections::HashMap;

use buoyant_kernel::schema::{ColumnMetadataKey, MetadataValue};
use buoyant_kernel::snapshot::SnapshotRef;
use buoyant_kernel::table_features::ColumnMappingMode;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

/// The columns of a version, by what names them in its files.
pub(super) enum ColumnsOfFiles {
    Names(HashMap<String, u32>),
    Numbers(HashMap<i64, u32>),
}

impl ColumnsOfFiles {
    pub(super) fn of(snapshot: &SnapshotRef) -> Self {
        let schema = snapshot.schema();
        let fields = || schema.fields().zip(0..);
        match snapshot.table_properties().column_mapping_mode {
            Some(ColumnMappingMode::Id) => {
                Self::Numbers(fields().filter_map(|(field, place)| Some((field.column_mapping_id()?, place))).collect())
            }
            Some(ColumnMappingMode::Name | ColumnMappingMode::None) | None => {
                let names = fields().map(|(field, place)| {
                    match field.get_config_value(&ColumnMetadataKey::ColumnMappingPhysicalName) {
                        Some(MetadataValue::String(name)) => (name.clone(), place),
                        Some(_) | None => (field.name().clone(), place),
                    }
                });
                Self::Names(names.collect())
            }
        }
    }

    /// The places of a file's columns in the schema; `None` for one that the version does not have.
    pub(super) fn places(&self, metadata: &ArrowReaderMetadata) -> Vec<Option<u32>> {
        let root = metadata.metadata().file_metadata().schema_descr().root_schema();
        let place = |column: &parquet::schema::types::TypePtr| {
            let column = column.get_basic_info();
            match self {
                Self::Names(places) => places.get(column.name()).copied(),
                Self::Numbers(places) if column.has_id() => places.get(&i64::from(column.id())).copied(),
                Self::Numbers(_) => None,
            }
        };
        root.get_fields().iter().map(place).collect()
    }
}
