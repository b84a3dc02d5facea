//! Why a rule failed while it ran, in words that hold no values: the author of a contract may not be allowed to see the
//! rows.

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;

/// The words for a lack of memory.
pub(super) const NO_MEMORY: &str = "it needs more memory than it may use";
const FAILED: &str = "it failed while it ran";

/// Why a query failed while it ran.
pub(super) fn runtime_failure(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => NO_MEMORY.to_owned(),
        DataFusionError::ArrowError(error, _) => failure(error),
        _ => FAILED.to_owned(),
    }
}

/// Why a computation failed.
pub(super) fn failure(error: &ArrowError) -> String {
    let words = match error {
        ArrowError::DivideByZero => "it divides by zero",
        ArrowError::CastError(_) | ArrowError::ParseError(_) => "it converts a value to a type that cannot hold it",
        ArrowError::ArithmeticOverflow(_) => "a number overflows",
        _ => FAILED,
    };
    words.to_owned()
}
