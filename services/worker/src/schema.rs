//! Conversion of Delta and Arrow schemas to the physical types of `domain`.

use arrow::datatypes::{DataType as Arrow, Field, FieldRef};
use buoyant_kernel::schema::{DataType as Delta, PrimitiveType, StructField};
use domain::table::{MAX_TYPE_DEPTH, PhysicalColumn, PhysicalType};
use inspect::wire::MAX_COLUMNS;

use crate::error::{Result, Unreadable};

/// The columns of a Delta schema, by their logical names.
///
/// # Errors
/// More than [`MAX_COLUMNS`] columns, or a type nested deeper than [`MAX_TYPE_DEPTH`].
pub(crate) fn from_delta<'a>(fields: impl Iterator<Item = &'a StructField>) -> Result<Vec<PhysicalColumn>> {
    let mut budget = Budget { n_columns: 0 };
    fields.map(|field| budget.delta_column(field, MAX_TYPE_DEPTH)).collect()
}

/// The columns of an Arrow schema, as derived from Parquet types.
///
/// # Errors
/// As [`from_delta`].
pub(crate) fn from_arrow<'a>(fields: impl Iterator<Item = &'a FieldRef>) -> Result<Vec<PhysicalColumn>> {
    let mut budget = Budget { n_columns: 0 };
    fields.map(|field| budget.arrow_column(field, MAX_TYPE_DEPTH)).collect()
}

/// Counts the columns converted so far, including nested ones.
struct Budget {
    n_columns: usize,
}

impl Budget {
    fn column(&mut self, name: &str, physical_type: PhysicalType, nullable: bool) -> Result<PhysicalColumn> {
        self.n_columns += 1;
        if self.n_columns > MAX_COLUMNS {
            return Err(Unreadable(format!("it has more than {MAX_COLUMNS} columns")));
        }
        Ok(PhysicalColumn { name: name.to_owned(), physical_type, nullable })
    }

    fn delta_column(&mut self, field: &StructField, depth: usize) -> Result<PhysicalColumn> {
        let physical_type = self.delta_type(field.data_type(), below(depth)?)?;
        self.column(field.name(), physical_type, field.is_nullable())
    }

    fn delta_type(&mut self, data_type: &Delta, depth: usize) -> Result<PhysicalType> {
        Ok(match data_type {
            Delta::Primitive(primitive) => match primitive {
                PrimitiveType::String => PhysicalType::String,
                PrimitiveType::Long => PhysicalType::Integer { bits: 64, signed: true },
                PrimitiveType::Integer => PhysicalType::Integer { bits: 32, signed: true },
                PrimitiveType::Short => PhysicalType::Integer { bits: 16, signed: true },
                PrimitiveType::Byte => PhysicalType::Integer { bits: 8, signed: true },
                PrimitiveType::Float => PhysicalType::Float { bits: 32 },
                PrimitiveType::Double => PhysicalType::Float { bits: 64 },
                PrimitiveType::Boolean => PhysicalType::Boolean,
                PrimitiveType::Binary => PhysicalType::Binary,
                PrimitiveType::Date => PhysicalType::Date,
                PrimitiveType::Timestamp => PhysicalType::Timestamp { zoned: true },
                PrimitiveType::TimestampNtz => PhysicalType::Timestamp { zoned: false },
                PrimitiveType::Decimal(decimal) => PhysicalType::Decimal {
                    precision: decimal.precision(),
                    scale: i8::try_from(decimal.scale()).unwrap_or(i8::MAX),
                },
            },
            Delta::Struct(members) => PhysicalType::Struct(
                members.fields().map(|member| self.delta_column(member, depth)).collect::<Result<_>>()?,
            ),
            Delta::Array(array) => {
                let element = self.delta_type(array.element_type(), below(depth)?)?;
                PhysicalType::List(Box::new(self.column("element", element, array.contains_null())?))
            }
            Delta::Map(map) => {
                let key = self.delta_type(map.key_type(), below(depth)?)?;
                let value = self.delta_type(map.value_type(), below(depth)?)?;
                PhysicalType::Map {
                    key: Box::new(self.column("key", key, false)?),
                    value: Box::new(self.column("value", value, map.value_contains_null())?),
                }
            }
            Delta::Variant(_) => PhysicalType::Other("variant".to_owned()),
        })
    }

    fn arrow_column(&mut self, field: &Field, depth: usize) -> Result<PhysicalColumn> {
        let physical_type = self.arrow_type(field.data_type(), below(depth)?)?;
        self.column(field.name(), physical_type, field.is_nullable())
    }

    fn arrow_type(&mut self, data_type: &Arrow, depth: usize) -> Result<PhysicalType> {
        let integer = |bits, signed| PhysicalType::Integer { bits, signed };
        Ok(match data_type {
            Arrow::Boolean => PhysicalType::Boolean,
            Arrow::Int8 => integer(8, true),
            Arrow::Int16 => integer(16, true),
            Arrow::Int32 => integer(32, true),
            Arrow::Int64 => integer(64, true),
            Arrow::UInt8 => integer(8, false),
            Arrow::UInt16 => integer(16, false),
            Arrow::UInt32 => integer(32, false),
            Arrow::UInt64 => integer(64, false),
            Arrow::Float16 => PhysicalType::Float { bits: 16 },
            Arrow::Float32 => PhysicalType::Float { bits: 32 },
            Arrow::Float64 => PhysicalType::Float { bits: 64 },
            Arrow::Decimal32(precision, scale)
            | Arrow::Decimal64(precision, scale)
            | Arrow::Decimal128(precision, scale)
            | Arrow::Decimal256(precision, scale) => PhysicalType::Decimal { precision: *precision, scale: *scale },
            Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => PhysicalType::String,
            Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_) => PhysicalType::Binary,
            Arrow::Date32 | Arrow::Date64 => PhysicalType::Date,
            Arrow::Time32(_) | Arrow::Time64(_) => PhysicalType::Time,
            Arrow::Timestamp(_, zone) => PhysicalType::Timestamp { zoned: zone.is_some() },
            Arrow::Dictionary(_, values) => self.arrow_type(values, depth)?,
            Arrow::Struct(members) => PhysicalType::Struct(
                members.iter().map(|member| self.arrow_column(member, depth)).collect::<Result<_>>()?,
            ),
            Arrow::List(element) | Arrow::LargeList(element) | Arrow::FixedSizeList(element, _) => {
                PhysicalType::List(Box::new(self.arrow_column(element, depth)?))
            }
            Arrow::Map(entries, _) => match entries.data_type() {
                Arrow::Struct(pair) if pair.len() == 2 => PhysicalType::Map {
                    key: Box::new(self.arrow_column(&pair[0], depth)?),
                    value: Box::new(self.arrow_column(&pair[1], depth)?),
                },
                other => PhysicalType::Other(other.to_string()),
            },
            other => PhysicalType::Other(other.to_string()),
        })
    }
}

fn below(depth: usize) -> Result<usize> {
    depth.checked_sub(1).ok_or_else(|| Unreadable(format!("a type is nested deeper than {MAX_TYPE_DEPTH}")))
}
