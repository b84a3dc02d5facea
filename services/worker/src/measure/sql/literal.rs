//! Numbers in a query with more digits than a double holds. The planner would round them.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, Statement, Value, visit_expressions_mut,
};
use domain::decimal::Decimal;

/// The maximum number of digits of a decimal of 128 bits.
const MAX_DIGITS: usize = 38;

/// Writes such numbers as decimals. Those of more than 38 digits stay, to be rounded, and so do those with an exponent,
/// which stand for doubles.
pub(super) fn keep_digits(statement: &mut Statement) {
    let _ = visit_expressions_mut(statement, |expr| {
        if let Expr::Value(value) = expr
            && let Value::Number(text, _) = &value.value
            && let Some(data_type) = decimal_type(text)
        {
            let digits = Value::SingleQuotedString(text.clone()).with_span(value.span);
            let expr_of_text = Box::new(Expr::Value(digits));
            *expr = Expr::Cast { kind: CastKind::Cast, expr: expr_of_text, data_type, array: false, format: None };
        }
        ControlFlow::<()>::Continue(())
    });
}

/// The type that has the digits of a number; `None` if the planner keeps them, or nothing does.
fn decimal_type(text: &str) -> Option<DataType> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let n_digits = whole.len() + fraction.len();
    let is_kept = text.parse::<u64>().is_ok() || Decimal::parse(text) == text.parse().ok().and_then(Decimal::of);
    let is_plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if is_kept || !is_plain || n_digits > MAX_DIGITS {
        return None;
    }
    let (precision, scale) = (u64::try_from(n_digits).ok()?, i64::try_from(fraction.len()).ok()?);
    Some(DataType::Decimal(ExactNumberInfo::PrecisionAndScale(precision, scale)))
}
