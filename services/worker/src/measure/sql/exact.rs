//! Plans whose arithmetic is exact or fails.
//!
//! The engine wraps integers that overflow, negates them likewise, compares floating-point numbers by total order, and
//! takes the pattern `.*` for one that does not match the empty text. Here integers are computed with 64 bits and
//! checked, each operation that makes a floating-point number makes one zero and one not-a-number (as the scan does),
//! and `.*` is written so that the engine leaves it alone. Numbers with a point that meet integers or decimals are
//! decimals too, and decimals are divided as doubles, since the engine's quotients have few places. It is done before
//! types are coerced and constants are folded.

use std::any::Any;

use arrow::array::ArrayRef;
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL128_MAX_SCALE, DataType};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, cast, lit,
};
use domain::decimal::Decimal;

use crate::floats;

const ANY_TEXT: &str = ".*";
/// The same pattern in a form that the engine does not rewrite.
const ANY_TEXT_KEPT: &str = "(.*)";

/// The plan with exact arithmetic in it and in its subqueries.
pub(super) fn plan(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(node).map(|plan| plan.data)
}

fn node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = merge_schema(&node.inputs());
    // Nodes above refer to expressions by name.
    let names = NamePreserver::new(&node);
    let node = node.map_expressions(|expr| {
        let name = names.save(&expr);
        let expr = expr.transform_up(|expr| self::expr(expr, &schema))?;
        Ok(expr.update_data(|expr| name.restore(expr)))
    })?;
    node.map_data(LogicalPlan::recompute_schema)
}

fn expr(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let expr = with_decimals(expr, schema)?;
    let is_changed = expr.transformed;
    let new = exact_expr(&expr.data, schema)?;
    Ok(match new {
        Some(new) => Transformed::yes(new),
        None => Transformed::new_transformed(expr.data, is_changed),
    })
}

fn exact_expr(expr: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    Ok(match expr {
        Expr::Literal(value, _) => normal_literal(value).map(lit),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Plus | Operator::Minus | Operator::Multiply => {
                match common_integer(&left.get_type(schema)?, &right.get_type(schema)?) {
                    Some(integer) => Some(checked(*op, left, right, integer)),
                    None => float(expr, schema)?,
                }
            }
            Operator::Divide if left.get_type(schema)?.is_decimal() || right.get_type(schema)?.is_decimal() => {
                let double = |side: &Expr| cast(side.clone(), DataType::Float64);
                Some(normal(binary(double(left), *op, double(right))))
            }
            Operator::Divide | Operator::Modulo => float(expr, schema)?,
            Operator::RegexMatch | Operator::RegexIMatch | Operator::RegexNotMatch | Operator::RegexNotIMatch => {
                is_any_text(right).then(|| binary(left.as_ref().clone(), *op, lit(ANY_TEXT_KEPT)))
            }
            Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom => {
                if let Some((left, right)) = in_one_unit(left, right, schema)? {
                    return Ok(Some(binary(left, *op, right)));
                }
                let (new_left, new_right) = (compared(left, schema)?, compared(right, schema)?);
                (new_left.is_some() || new_right.is_some()).then(|| {
                    let side = |new: Option<Expr>, old: &Expr| new.unwrap_or_else(|| old.clone());
                    binary(side(new_left, left), *op, side(new_right, right))
                })
            }
            _ => None,
        },
        Expr::Negative(negated) => match negated.get_type(schema)? {
            integer if integer.is_signed_integer() => {
                Some(checked(Operator::Minus, &lit(0_i64), negated, DataType::Int64))
            }
            _ => float(expr, schema)?,
        },
        Expr::ScalarFunction(call) if call.name() == "regexp_like" && call.args.get(1).is_some_and(is_any_text) => {
            let mut call = call.clone();
            call.args[1] = lit(ANY_TEXT_KEPT);
            Some(Expr::ScalarFunction(call))
        }
        Expr::ScalarFunction(call) if call.name() != NormalFloat::NAME => float(expr, schema)?,
        Expr::Cast(_) | Expr::TryCast(_) => float(expr, schema)?,
        _ => None,
    })
}

/// The expression with decimals in place of doubles of the text that meet integers or decimals, whose digits would be
/// lost in doubles.
fn with_decimals(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_exact = |expr: &Expr| {
        let data_type = expr.get_type(schema)?;
        Ok::<_, DataFusionError>(data_type.is_integer() || data_type.is_decimal())
    };
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op != Operator::Divide => {
            let (new_left, new_right) = match (decimal_literal(&left), decimal_literal(&right)) {
                (Some(new), None) if is_exact(&right)? => (Some(new), None),
                (None, Some(new)) if is_exact(&left)? => (None, Some(new)),
                _ => (None, None),
            };
            let is_new = new_left.is_some() || new_right.is_some();
            let expr = binary(new_left.unwrap_or(*left), op, new_right.unwrap_or(*right));
            Ok(Transformed::new_transformed(expr, is_new))
        }
        Expr::Between(mut between) if is_exact(&between.expr)? => {
            let (low, high) = (decimal_literal(&between.low), decimal_literal(&between.high));
            let is_new = low.is_some() || high.is_some();
            low.into_iter().for_each(|low| *between.low = low);
            high.into_iter().for_each(|high| *between.high = high);
            Ok(Transformed::new_transformed(Expr::Between(between), is_new))
        }
        Expr::InList(mut list) if is_exact(&list.expr)? => {
            let mut is_new = false;
            for item in &mut list.list {
                if let Some(new) = decimal_literal(item) {
                    (*item, is_new) = (new, true);
                }
            }
            Ok(Transformed::new_transformed(Expr::InList(list), is_new))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// The decimal of a literal double, if there is one of 128 bits.
fn decimal_literal(expr: &Expr) -> Option<Expr> {
    let Expr::Literal(ScalarValue::Float64(Some(double)), _) = expr else { return None };
    let number = Decimal::of(*double)?;
    let (digits, scale) = (0..=DECIMAL128_MAX_SCALE).find_map(|scale| match number.floor_at(scale.into()) {
        (digits, true) => Some((digits, scale)),
        (_, false) => None,
    })?;
    let n_digits = digits.magnitude().to_string().len();
    let precision = u8::try_from(n_digits).ok()?.max(scale.unsigned_abs());
    let value = i128::try_from(digits).ok()?;
    (precision <= DECIMAL128_MAX_PRECISION).then(|| lit(ScalarValue::Decimal128(Some(value), precision, scale)))
}

/// The type in which two integers are computed; `None` if the engine computes them as decimals, or they are none.
fn common_integer(left: &DataType, right: &DataType) -> Option<DataType> {
    let is_integer = |data_type: &DataType| data_type.is_integer() || data_type.is_null();
    if !is_integer(left) || !is_integer(right) || left.is_null() && right.is_null() {
        return None;
    }
    match (left, right) {
        (DataType::UInt64, other) | (other, DataType::UInt64) => {
            (!other.is_signed_integer()).then_some(DataType::UInt64)
        }
        _ => Some(DataType::Int64),
    }
}

fn checked(op: Operator, left: &Expr, right: &Expr, integer: DataType) -> Expr {
    // A long chain of numbers is folded here: the engine finds the type of each link by walking all of those below.
    if let (Expr::Literal(ScalarValue::Int64(Some(a)), _), Expr::Literal(ScalarValue::Int64(Some(b)), _)) =
        (left, right)
    {
        let folded = match op {
            Operator::Plus => a.checked_add(*b),
            Operator::Minus => a.checked_sub(*b),
            _ => a.checked_mul(*b),
        };
        if let Some(folded) = folded {
            return lit(folded);
        }
    }
    let function = ScalarUDF::from(Checked { op, signature: Signature::any(2, Volatility::Immutable) });
    let operand = |expr: &Expr| cast(expr.clone(), integer.clone());
    function.call(vec![operand(left), operand(right)])
}

/// The expression with one zero and one not-a-number, if it is a floating-point number.
fn float(expr: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    let is_float = expr.get_type(schema)?.is_floating();
    Ok(is_float.then(|| normal(expr.clone())))
}

/// The same for a side of a comparison, which may be a column that an aggregate computed.
fn compared(side: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    if matches!(side, Expr::Column(_)) { float(side, schema) } else { Ok(None) }
}

/// Two timestamps in the finer of their units, if these differ. The engine cuts both to the coarser one, and a literal to
/// that of the column that it is compared with.
fn in_one_unit(left: &Expr, right: &Expr, schema: &DFSchema) -> Result<Option<(Expr, Expr)>> {
    let (DataType::Timestamp(left_unit, left_zone), DataType::Timestamp(right_unit, right_zone)) =
        (left.get_type(schema)?, right.get_type(schema)?)
    else {
        return Ok(None);
    };
    if left_unit == right_unit {
        return Ok(None);
    }
    let finer = left_unit.max(right_unit);
    // The function keeps the engine from moving the cast of a column to the literal on the other side.
    let in_finer = |side: &Expr, zone| normal(cast(side.clone(), DataType::Timestamp(finer, zone)));
    Ok(Some((in_finer(left, left_zone), in_finer(right, right_zone))))
}

fn normal(expr: Expr) -> Expr {
    ScalarUDF::from(NormalFloat { signature: Signature::any(1, Volatility::Immutable) }).call(vec![expr])
}

/// `None` if the literal is normal.
fn normal_literal(value: &ScalarValue) -> Option<ScalarValue> {
    match value {
        ScalarValue::Float64(Some(number)) if number.is_nan() || *number == 0.0 => {
            Some(ScalarValue::Float64(Some(floats::normal_f64(*number))))
        }
        _ => None,
    }
}

fn is_any_text(pattern: &Expr) -> bool {
    matches!(pattern, Expr::Literal(value, _) if value.try_as_str().flatten() == Some(ANY_TEXT))
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

/// A sum, difference or product of two integers of one type, which fails where it overflows.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    op: Operator,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        match self.op {
            Operator::Plus => "checked_plus",
            Operator::Minus => "checked_minus",
            _ => "checked_times",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = args.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let operands = ColumnarValue::values_to_arrays(&args.args)?;
        let result: ArrayRef = match self.op {
            Operator::Plus => numeric::add(&operands[0], &operands[1])?,
            Operator::Minus => numeric::sub(&operands[0], &operands[1])?,
            _ => numeric::mul(&operands[0], &operands[1])?,
        };
        value(result, is_scalar)
    }
}

/// A floating-point number with one zero and one not-a-number.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NormalFloat {
    signature: Signature,
}

impl NormalFloat {
    const NAME: &str = "normal_float";
}

impl ScalarUDFImpl for NormalFloat {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        Self::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = matches!(args.args[0], ColumnarValue::Scalar(_));
        let operands = ColumnarValue::values_to_arrays(&args.args)?;
        value(floats::normal(&operands[0])?, is_scalar)
    }
}

fn value(array: ArrayRef, is_scalar: bool) -> Result<ColumnarValue> {
    if is_scalar {
        return ScalarValue::try_from_array(&array, 0).map(ColumnarValue::Scalar);
    }
    Ok(ColumnarValue::Array(array))
}
