//! The well-known files that a schema may import without a reference.

use protox::Error;
use protox::file::{File, FileResolver, GoogleFileResolver};

/// Files that the Confluent Schema Registry has beside those of Protobuf itself. Their messages and numbers are part of
/// its protocol: schemas import them without naming a reference.
const FILES: [(&str, &str); 19] = [
    ("confluent/meta.proto", include_str!("../../schema/confluent/meta.proto")),
    ("confluent/type/decimal.proto", include_str!("../../schema/confluent/decimal.proto")),
    ("confluent/type/variant.proto", include_str!("../../schema/confluent/variant.proto")),
    ("google/type/calendar_period.proto", include_str!("../../schema/google/type/calendar_period.proto")),
    ("google/type/color.proto", include_str!("../../schema/google/type/color.proto")),
    ("google/type/date.proto", include_str!("../../schema/google/type/date.proto")),
    ("google/type/datetime.proto", include_str!("../../schema/google/type/datetime.proto")),
    ("google/type/dayofweek.proto", include_str!("../../schema/google/type/dayofweek.proto")),
    ("google/type/decimal.proto", include_str!("../../schema/google/type/decimal.proto")),
    ("google/type/expr.proto", include_str!("../../schema/google/type/expr.proto")),
    ("google/type/fraction.proto", include_str!("../../schema/google/type/fraction.proto")),
    ("google/type/interval.proto", include_str!("../../schema/google/type/interval.proto")),
    ("google/type/latlng.proto", include_str!("../../schema/google/type/latlng.proto")),
    ("google/type/money.proto", include_str!("../../schema/google/type/money.proto")),
    ("google/type/month.proto", include_str!("../../schema/google/type/month.proto")),
    ("google/type/phone_number.proto", include_str!("../../schema/google/type/phone_number.proto")),
    ("google/type/postal_address.proto", include_str!("../../schema/google/type/postal_address.proto")),
    ("google/type/quaternion.proto", include_str!("../../schema/google/type/quaternion.proto")),
    ("google/type/timeofday.proto", include_str!("../../schema/google/type/timeofday.proto")),
];

/// Whether a file is well known.
pub(super) fn has(name: &str) -> bool {
    FILES.iter().any(|(known, _)| *known == name) || GoogleFileResolver::new().open_file(name).is_ok()
}

/// Opens a well-known file.
///
/// # Errors
/// File not found, if it is none.
pub(crate) fn open(name: &str) -> Result<File, Error> {
    match FILES.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => File::from_source(name, text),
        None => GoogleFileResolver::new().open_file(name),
    }
}
