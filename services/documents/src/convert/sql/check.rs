//! Conditions and constants: the parts of a `CHECK` that a contract can express.

use serde_json::{Number, Value, json};
use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, UnaryOperator,
    Value as Literal,
};

use super::super::draft::{Fields, enumeration, option, set};
use super::lookup::column;

/// The column that an expression names.
pub(super) fn column_name(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Identifier(Ident { value, .. }) => Some(value),
        Expr::Nested(inner) => column_name(inner),
        Expr::Cast { expr, .. } => column_name(expr),
        _ => None,
    }
}

/// A constant; a cast of one is that one.
pub(super) fn literal(expression: &Expr) -> Option<Value> {
    match expression {
        Expr::Value(value) => match &value.value {
            Literal::Number(digits, _) => {
                let number = digits.parse::<i64>().map(Number::from).ok();
                number.or_else(|| Number::from_f64(digits.parse().ok()?)).map(Value::Number)
            }
            Literal::Boolean(boolean) => Some(json!(boolean)),
            Literal::Null => Some(Value::Null),
            Literal::SingleQuotedString(text)
            | Literal::DoubleQuotedString(text)
            | Literal::NationalStringLiteral(text)
            | Literal::EscapedStringLiteral(text) => Some(json!(text)),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match literal(expr)? {
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Some(json!(integer.checked_neg()?)),
                None => Number::from_f64(-number.as_f64()?).map(Value::Number),
            },
            _ => None,
        },
        Expr::Nested(inner) => literal(inner),
        Expr::Cast { expr, .. } => literal(expr),
        Expr::TypedString(typed) => literal(&Expr::Value(typed.value.clone())),
        _ => None,
    }
}

/// A constant as it is, any other expression as its text.
pub(super) fn default_value(expression: &Expr) -> Value {
    literal(expression).unwrap_or_else(|| json!(expression.to_string()))
}

/// Writes a condition on one column to that column; `None` if it is no such condition.
pub(super) fn bound(expression: &Expr, object: &mut Fields) -> Option<()> {
    match expression {
        Expr::InList { expr, list, negated: false } => one_of(column_name(expr)?, list.iter(), object)?,
        // PostgreSQL's own form of the same.
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
            one_of(column_name(left)?, array(right)?.iter(), object)?;
        }
        // SQL Server's.
        Expr::BinaryOp { op: BinaryOperator::Or | BinaryOperator::Eq, .. } => {
            let mut values = Vec::new();
            let name = alternatives(expression, &mut values)?;
            one_of(name, values.into_iter(), object)?;
        }
        Expr::Between { expr, low, high, negated: false } => {
            let (low, high) = (literal(low)?, literal(high)?);
            let property = column(object, column_name(expr)?)?;
            let (low, high) = (fitting(property, low)?, fitting(property, high)?);
            option(property, "minimum", low);
            option(property, "maximum", high);
        }
        Expr::IsNotNull(inner) => set(column(object, column_name(inner)?)?, "required", true),
        Expr::BinaryOp { left, op: BinaryOperator::PGRegexMatch, right } => {
            let pattern = literal(right)?;
            domain::contract::check_pattern(pattern.as_str()?).ok()?;
            let property = column(object, column_name(left)?)?;
            is_text(property).then(|| option(property, "pattern", pattern))?;
        }
        Expr::BinaryOp { left, op, right } => {
            // `5 < a` is `a > 5`.
            let (subject, operator, value) = match (literal(right), literal(left)) {
                (Some(value), None) => (left, op.clone(), value),
                (None, Some(value)) => (right, mirrored(op)?, value),
                _ => return None,
            };
            if let Expr::Function(function) = &**subject {
                return length_bound(function, &operator, &value, object);
            }
            let property = column(object, column_name(subject)?)?;
            let key = match operator {
                BinaryOperator::GtEq => "minimum",
                BinaryOperator::Gt => "exclusiveMinimum",
                BinaryOperator::LtEq => "maximum",
                BinaryOperator::Lt => "exclusiveMaximum",
                _ => return None,
            };
            let value = fitting(property, value)?;
            option(property, key, value);
        }
        _ => return None,
    }
    Some(())
}

/// The column has one of these constants.
fn one_of<'a>(name: &str, values: impl Iterator<Item = &'a Expr>, object: &mut Fields) -> Option<()> {
    let values: Vec<_> = values.map(literal).collect::<Option<_>>()?;
    let values = enumeration(&values);
    let property = column(object, name)?;
    let listed = |values: &Value| {
        let entries = values.as_array()?.iter();
        entries.map(|entry| entry.get("value").cloned()).collect::<Option<Vec<_>>>()
    };
    match property.get("enum") {
        // With labels it says more.
        Some(own) => (listed(own) == listed(&values)).then_some(()),
        None if values.as_array()?.is_empty() => None,
        None => {
            set(property, "enum", values);
            Some(())
        }
    }
}

/// The elements of `ARRAY['a', 'b']`, cast or not.
fn array(expression: &Expr) -> Option<&[Expr]> {
    match expression {
        Expr::Array(elements) => Some(&elements.elem),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => array(inner),
        _ => None,
    }
}

/// The one column of `a = 'x' OR a = 'y'`, and the constants in the order in which they are written.
fn alternatives<'a>(expression: &'a Expr, values: &mut Vec<&'a Expr>) -> Option<&'a str> {
    match expression {
        Expr::Nested(inner) => alternatives(inner, values),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            let name = alternatives(left, values)?;
            (alternatives(right, values)? == name).then_some(name)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let (subject, value) = if literal(right).is_some() { (left, right) } else { (right, left) };
            values.push(value);
            column_name(subject)
        }
        _ => None,
    }
}

fn mirrored(operator: &BinaryOperator) -> Option<BinaryOperator> {
    Some(match operator {
        BinaryOperator::GtEq => BinaryOperator::LtEq,
        BinaryOperator::Gt => BinaryOperator::Lt,
        BinaryOperator::LtEq => BinaryOperator::GtEq,
        BinaryOperator::Lt => BinaryOperator::Gt,
        _ => return None,
    })
}

fn is_text(property: &Fields) -> bool {
    property.get("logicalType").and_then(Value::as_str) == Some("string")
}

/// The bound as the column's logical type has it: numbers of numbers, texts of moments.
fn fitting(property: &Fields, value: Value) -> Option<Value> {
    let fits = match property.get("logicalType").and_then(Value::as_str)? {
        "integer" | "number" => value.is_number(),
        "date" | "timestamp" | "time" => value.is_string(),
        _ => false,
    };
    fits.then_some(value)
}

/// `length(a) <= 10` and its like.
fn length_bound(function: &Function, operator: &BinaryOperator, value: &Value, object: &mut Fields) -> Option<()> {
    let name = function.name.0.last()?.as_ident()?.value.to_ascii_lowercase();
    if !["length", "char_length", "character_length", "len"].contains(&name.as_str()) {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(subject))] = list.args.as_slice() else { return None };
    let length = value.as_u64()?;
    let property = column(object, column_name(subject)?).filter(|property| is_text(property))?;
    match operator {
        BinaryOperator::LtEq => option(property, "maxLength", length),
        BinaryOperator::Lt => option(property, "maxLength", length.checked_sub(1)?),
        BinaryOperator::GtEq => option(property, "minLength", length),
        BinaryOperator::Gt => option(property, "minLength", length + 1),
        _ => return None,
    }
    Some(())
}
