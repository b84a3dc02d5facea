//! A check as an expression that is true for the rows that violate it. Names become columns and values typed literals;
//! no text of a contract is inserted into SQL.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, ScalarValue};
use datafusion::functions::expr_fn::{abs, character_length, get_field, isnan, round};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, cast, lit};
use domain::quality::{Bound, Check, Scalar};
use domain::table::ColumnPath;

/// The maximum size of a compiled pattern.
const MAX_PATTERN_BYTES: usize = 10 * 1024 * 1024;

/// The rows that violate the check.
///
/// # Errors
/// The column is missing, or its type does not fit the check or a value in it, as a message for the contract's author.
pub(super) fn broken(schema: &Schema, check: &Check) -> Result<Expr, String> {
    match check {
        Check::NullValues { column } => Ok(field(schema, column)?.expr.is_null()),
        Check::MissingValues { column, values } => {
            let field = field(schema, column)?;
            Ok(field.expr.clone().is_null().or(field.one_of(values, false)?))
        }
        Check::InvalidValues { column, values } => field(schema, column)?.one_of(values, true),
        Check::InvalidPattern { column, pattern } => field(schema, column)?.no_match(pattern),
        Check::OutOfRange { column, minimum, maximum } => {
            field(schema, column)?.outside(minimum.as_ref(), maximum.as_ref())
        }
        Check::Length { column, minimum, maximum } => field(schema, column)?.other_length(*minimum, *maximum),
        Check::NotMultipleOf { column, divisor } => field(schema, column)?.no_multiple_of(*divisor),
        Check::DuplicateValues { .. } | Check::RowCount | Check::Sql { .. } => {
            Err("this check does not apply to single rows".to_owned())
        }
    }
}

/// A column, or a member of one.
pub(super) struct Field {
    pub(super) expr: Expr,
    pub(super) data_type: DataType,
    name: String,
}

/// The column at a path. Names are compared exactly.
pub(super) fn field(schema: &Schema, path: &ColumnPath) -> Result<Field, String> {
    let missing = || format!("there is no column `{path}`");
    let (first, members) = path.0.split_first().ok_or_else(missing)?;
    let column = schema.field_with_name(first).map_err(|_| missing())?;
    let mut expr = Expr::Column(Column::new_unqualified(first));
    let mut data_type = column.data_type();
    for member in members {
        let DataType::Struct(fields) = data_type else { return Err(missing()) };
        let (_, found) = fields.find(member).ok_or_else(missing)?;
        expr = get_field(expr, member.as_str());
        data_type = found.data_type();
    }
    Ok(Field { expr, data_type: data_type.clone(), name: path.to_string() })
}

/// A family of types whose values can be compared.
#[derive(Clone, Copy, PartialEq)]
enum Family {
    Boolean,
    Integer,
    /// Decimal, or binary floating point.
    Fraction {
        binary: bool,
    },
    Text,
    /// Dates, times and timestamps.
    Moment,
}

impl Field {
    fn family(&self) -> Result<Family, String> {
        match &self.data_type {
            DataType::Boolean => Ok(Family::Boolean),
            data_type if data_type.is_integer() => Ok(Family::Integer),
            data_type if data_type.is_floating() => Ok(Family::Fraction { binary: true }),
            data_type if data_type.is_decimal() => Ok(Family::Fraction { binary: false }),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(Family::Text),
            DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(_, _) => Ok(Family::Moment),
            _ => Err(self.does_not_fit()),
        }
    }

    fn does_not_fit(&self) -> String {
        format!("the type of column `{}` does not fit the rule: {}", self.name, self.data_type)
    }

    /// A value as a literal that can be compared with this column: numbers with numbers, text with text, and text that
    /// is a date or a time with dates and times. Values of different families are not comparable.
    fn literal(&self, value: &Scalar) -> Result<Expr, String> {
        match (self.family()?, value) {
            (Family::Boolean, Scalar::Boolean(value)) => Ok(lit(*value)),
            (Family::Integer | Family::Fraction { .. }, Scalar::Integer(value)) => Ok(lit(*value)),
            (Family::Integer | Family::Fraction { .. }, Scalar::Number(value)) if value.is_finite() => Ok(lit(*value)),
            (Family::Text, Scalar::Text(value)) => Ok(lit(value.as_str())),
            (Family::Moment, Scalar::Text(value)) => {
                let text = ScalarValue::Utf8(Some(value.clone()));
                let moment = text.cast_to(&self.data_type).ok().filter(|moment| !moment.is_null());
                moment.map(lit).ok_or_else(|| format!("`{value}` is not a {}", self.data_type))
            }
            _ => Err(format!("a value of the rule is no {} as column `{}` is", self.data_type, self.name)),
        }
    }

    /// Whether the value is in the list, or with `negated` whether it is not. Null for null.
    fn one_of(self, values: &[Scalar], negated: bool) -> Result<Expr, String> {
        let list = values.iter().map(|value| self.literal(value)).collect::<Result<Vec<_>, _>>()?;
        if list.is_empty() {
            // SQL has no empty list.
            return Ok(if negated { self.expr.is_not_null() } else { lit(false) });
        }
        Ok(Expr::InList(InList::new(Box::new(self.expr), list, negated)))
    }

    fn no_match(self, pattern: &str) -> Result<Expr, String> {
        if self.family()? != Family::Text {
            return Err(self.does_not_fit());
        }
        let compiled = regex::RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build();
        compiled.map_err(|_| "the pattern is invalid or too large for the engine".to_owned())?;
        Ok(binary(self.expr, Operator::RegexNotMatch, lit(pattern)))
    }

    fn outside(self, minimum: Option<&Bound>, maximum: Option<&Bound>) -> Result<Expr, String> {
        if self.family()? == Family::Boolean {
            return Err(self.does_not_fit());
        }
        let mut outside = Vec::new();
        if let Some(Bound { value, exclusive }) = minimum {
            let below = if *exclusive { Operator::LtEq } else { Operator::Lt };
            outside.push(binary(self.expr.clone(), below, self.literal(value)?));
        }
        if let Some(Bound { value, exclusive }) = maximum {
            let above = if *exclusive { Operator::GtEq } else { Operator::Gt };
            outside.push(binary(self.expr.clone(), above, self.literal(value)?));
        }
        if self.family()? == (Family::Fraction { binary: true }) && !outside.is_empty() {
            // Not-a-number is in no range.
            outside.push(isnan(self.expr));
        }
        Ok(outside.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false)))
    }

    fn other_length(self, minimum: Option<u64>, maximum: Option<u64>) -> Result<Expr, String> {
        if self.family()? != Family::Text {
            return Err(self.does_not_fit());
        }
        let length = || cast(character_length(self.expr.clone()), DataType::Int64);
        let bound = |bound: u64| lit(i64::try_from(bound).unwrap_or(i64::MAX));
        let shorter = minimum.map(|minimum| length().lt(bound(minimum)));
        let longer = maximum.map(|maximum| length().gt(bound(maximum)));
        Ok(shorter.into_iter().chain(longer).reduce(Expr::or).unwrap_or_else(|| lit(false)))
    }

    fn no_multiple_of(self, divisor: f64) -> Result<Expr, String> {
        if !(divisor.is_finite() && divisor > 0.0) {
            return Err(format!("`{divisor}` is not a number greater than 0"));
        }
        match self.family()? {
            Family::Integer if divisor.fract() == 0.0 && divisor < i64::MAX as f64 => {
                #[expect(clippy::cast_possible_truncation, reason = "whole and in range, as just checked")]
                let divisor = divisor as i64;
                Ok(binary(self.expr, Operator::Modulo, lit(divisor)).not_eq(lit(0_i64)))
            }
            Family::Integer | Family::Fraction { .. } => {
                // Neither 0.07 nor 0.01 is exact in binary, so the quotient may differ from a whole number in the last
                // digits.
                let quotient = || binary(cast(self.expr.clone(), DataType::Float64), Operator::Divide, lit(divisor));
                let miss = abs(binary(quotient(), Operator::Minus, round(vec![quotient()])));
                let tolerance = binary(abs(quotient()), Operator::Multiply, lit(4.0 * f64::EPSILON));
                Ok(miss.gt(tolerance).or(isnan(quotient())))
            }
            Family::Boolean | Family::Text | Family::Moment => Err(self.does_not_fit()),
        }
    }
}

fn binary(left: Expr, operator: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right)))
}
