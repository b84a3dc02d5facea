//! Literals of a query that the planner would spoil: it rounds numbers of more digits than a double holds, and counts
//! timestamps in nanoseconds, in which no year after 2262 has a place.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, Statement, TypedString, Value, visit_expressions_mut,
};
use domain::decimal::Decimal;

/// The maximum number of digits of a decimal of 128 bits.
const MAX_DIGITS: usize = 38;

/// The decimal places of a second in a timestamp, as in PostgreSQL.
const TIMESTAMP_PLACES: u64 = 6;

/// Writes such numbers as decimals, and timestamps with microseconds. Numbers of more than 38 digits stay, to be rounded,
/// and so do those with an exponent, which stand for doubles; literal timestamps with more places stay, too.
pub(super) fn keep_exact(statement: &mut Statement) {
    let _ = visit_expressions_mut(statement, |expr| {
        match expr {
            Expr::TypedString(TypedString { data_type, value, .. }) if n_places(&value.value) <= TIMESTAMP_PLACES => {
                in_microseconds(data_type);
            }
            Expr::Cast { data_type, expr, .. } => match expr.as_ref() {
                Expr::Value(value) if n_places(&value.value) > TIMESTAMP_PLACES => {}
                _ => in_microseconds(data_type),
            },
            _ => {}
        }
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

fn in_microseconds(data_type: &mut DataType) {
    if let DataType::Timestamp(places @ None, _) = data_type {
        *places = Some(TIMESTAMP_PLACES);
    }
}

/// The digits after the point of the seconds.
fn n_places(text: &Value) -> u64 {
    let Value::SingleQuotedString(text) = text else { return 0 };
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    fraction.bytes().take_while(u8::is_ascii_digit).count() as u64
}

/// The type that has the digits of a number; `None` if the planner keeps them, or nothing does.
fn decimal_type(text: &str) -> Option<DataType> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let n_digits = whole.trim_start_matches('0').len() + fraction.len();
    let is_kept = text.parse::<u64>().is_ok() || Decimal::parse(text) == text.parse().ok().and_then(Decimal::of);
    let is_plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if is_kept || !is_plain || n_digits > MAX_DIGITS {
        return None;
    }
    let (precision, scale) = (u64::try_from(n_digits).ok()?, i64::try_from(fraction.len()).ok()?);
    Some(DataType::Decimal(ExactNumberInfo::PrecisionAndScale(precision, scale)))
}
