//! Why a query failed while it ran, in words that hold no values.

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;

/// Why a query failed while it ran, without values: the author of a contract may not be allowed to see the rows.
pub(super) fn runtime_failure(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => "it needs more memory than it may use".to_owned(),
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::DivideByZero => "it divides by zero".to_owned(),
            ArrowError::CastError(_) | ArrowError::ParseError(_) => {
                "it converts a value to a type that cannot hold it".to_owned()
            }
            ArrowError::ArithmeticOverflow(_) => "a number overflows".to_owned(),
            _ => "it failed while it ran".to_owned(),
        },
        _ => "it failed while it ran".to_owned(),
    }
}
