//! The test of one value against a check, made for the type of its column (docs/rules.md, Data rules).
//!
//! Values are compared in their own type and never converted: whole numbers, decimals, dates and times as the whole
//! numbers that they are stored as, against ends that are rounded inwards to those; floating-point numbers as IEEE 754
//! does, against the nearest number of their width.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type, i256,
};
use domain::decimal::Decimal;
use domain::quality::{Bound, Scalar};

use super::column::Column;
use super::float;
use super::whole::{Grid, Range, Whole};

/// The maximum size of a compiled pattern.
const MAX_PATTERN_BYTES: usize = 10 * 1024 * 1024;

/// Finds the values of an array that break a check. What it says of nulls does not count.
pub(super) struct Test {
    find: Box<dyn Fn(&ArrayRef) -> BooleanBuffer + Send + Sync>,
    /// Whether it finds the values outside of a range: if it finds neither of two values, it finds none between them.
    /// Never of floating-point numbers: the bounds in a footer do not cover not-a-number.
    pub(super) is_outside: bool,
}

impl Test {
    pub(super) fn new(find: impl Fn(&ArrayRef) -> BooleanBuffer + Send + Sync + 'static) -> Self {
        Self { find: Box::new(find), is_outside: false }
    }

    fn of_range(self) -> Self {
        Self { is_outside: true, ..self }
    }

    pub(super) fn find(&self, array: &ArrayRef) -> BooleanBuffer {
        (self.find)(array)
    }
}

/// The values that are in the list.
pub(super) fn one_of(column: &Column, values: &[Scalar]) -> Result<Test, String> {
    match kind(column)? {
        Kind::Boolean => {
            let listed = values.iter().map(|value| match value {
                Scalar::Boolean(value) => Ok(*value),
                Scalar::Text(_) | Scalar::Integer(_) | Scalar::Number(_) | Scalar::Decimal(_) => Err(misfit(column)),
            });
            let listed: Vec<bool> = listed.collect::<Result<_, _>>()?;
            Ok(Test::new(move |array| {
                let flags = array.as_boolean().values();
                BooleanBuffer::collect_bool(flags.len(), |row| listed.contains(&flags.value(row)))
            }))
        }
        Kind::Text => {
            let listed = values.iter().map(|value| text(column, value).map(str::to_owned));
            let listed: HashSet<String> = listed.collect::<Result<_, _>>()?;
            Ok(texts(move |value| listed.contains(value)))
        }
        Kind::Float { width } => {
            let listed = values.iter().map(|value| number(column, value).map(|value| width.exactly(&value)));
            let listed: Vec<f64> = listed.filter_map(Result::transpose).collect::<Result<_, _>>()?;
            Ok(float::test(move |value| listed.contains(&value)))
        }
        Kind::Whole(grid) => {
            let listed = values.iter().map(|value| grid.exactly(column, value));
            let listed: Vec<i256> = listed.filter_map(Result::transpose).collect::<Result<_, _>>()?;
            whole_test(&column.data_type, &WholeTest::OneOf(listed)).ok_or_else(|| column.does_not_fit())
        }
    }
}

/// The values that are not in the range.
pub(super) fn outside(column: &Column, minimum: Option<&Bound>, maximum: Option<&Bound>) -> Result<Test, String> {
    if minimum.is_none() && maximum.is_none() {
        kind(column)?;
        return Ok(Test::new(|array| BooleanBuffer::new_unset(array.len())));
    }
    match kind(column)? {
        Kind::Boolean => Err(column.does_not_fit()),
        Kind::Text => {
            let end = |bound: Option<&Bound>| {
                bound
                    .map(|bound| Ok::<_, String>((text(column, &bound.value)?.to_owned(), bound.exclusive)))
                    .transpose()
            };
            let (low, high) = (end(minimum)?, end(maximum)?);
            Ok(texts(move |value| {
                let below = |(end, exclusive): &(String, bool)| value < end.as_str() || *exclusive && value == end;
                let above = |(end, exclusive): &(String, bool)| value > end.as_str() || *exclusive && value == end;
                low.as_ref().is_some_and(below) || high.as_ref().is_some_and(above)
            })
            .of_range())
        }
        Kind::Float { width } => {
            let low = minimum.map(|bound| Ok::<_, String>(width.low(&number(column, &bound.value)?, bound.exclusive)));
            let high =
                maximum.map(|bound| Ok::<_, String>(width.high(&number(column, &bound.value)?, bound.exclusive)));
            let (low, high) = (low.transpose()?, high.transpose()?);
            // Not-a-number is in no range, as it compares with nothing.
            Ok(float::test(move |value| {
                let is_inside =
                    low.is_none_or(|low| low.admits_above(value)) && high.is_none_or(|high| high.admits_below(value));
                !is_inside
            }))
        }
        Kind::Whole(grid) => {
            let end = |bound: Option<&Bound>| {
                bound.map(|bound| Ok::<_, String>((grid.floor(column, &bound.value)?, bound.exclusive))).transpose()
            };
            let range = Range::between(end(minimum)?, end(maximum)?);
            let test = whole_test(&column.data_type, &WholeTest::Outside(range));
            test.map(Test::of_range).ok_or_else(|| column.does_not_fit())
        }
    }
}

/// The texts in which the pattern is not found.
pub(super) fn no_match(column: &Column, pattern: &str) -> Result<Test, String> {
    if kind(column)? != Kind::Text {
        return Err(column.does_not_fit());
    }
    let compiled = regex::RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build();
    let pattern = compiled.map_err(|_| "the pattern is invalid or too large for the engine".to_owned())?;
    Ok(texts(move |value| !pattern.is_match(value)))
}

/// The texts that have fewer or more characters.
pub(super) fn other_length(column: &Column, minimum: Option<u64>, maximum: Option<u64>) -> Result<Test, String> {
    if kind(column)? != Kind::Text {
        return Err(column.does_not_fit());
    }
    Ok(texts(move |value| {
        let length = value.chars().count() as u64;
        minimum.is_some_and(|minimum| length < minimum) || maximum.is_some_and(|maximum| length > maximum)
    }))
}

/// The numbers that are not multiples of the divisor.
pub(super) fn no_multiple_of(column: &Column, divisor: &Decimal) -> Result<Test, String> {
    let nearest = divisor.nearest().filter(|_| !divisor.is_negative() && !divisor.is_zero());
    let nearest = nearest.ok_or_else(|| format!("`{divisor}` is not a number greater than 0"))?;
    match kind(column)? {
        Kind::Float { width } => Ok(float::test(move |value| !width.is_multiple(value, nearest))),
        Kind::Whole(Grid::Number { n_places }) => {
            let divisor = i256::from_string(&divisor.divisor_at(n_places).to_string());
            whole_test(&column.data_type, &WholeTest::NoMultiple(divisor)).ok_or_else(|| column.does_not_fit())
        }
        Kind::Boolean | Kind::Text | Kind::Whole(_) => Err(column.does_not_fit()),
    }
}

/// How the values of a type are compared.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Boolean,
    Text,
    Float {
        width: float::Width,
    },
    /// As the whole numbers that they are stored as.
    Whole(Grid),
}

fn kind(column: &Column) -> Result<Kind, String> {
    Ok(match &column.data_type {
        DataType::Boolean => Kind::Boolean,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Float16 => Kind::Float { width: float::Width::Half },
        DataType::Float32 => Kind::Float { width: float::Width::Single },
        DataType::Float64 => Kind::Float { width: float::Width::Double },
        data_type if data_type.is_integer() => Kind::Whole(Grid::Number { n_places: 0 }),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Kind::Whole(Grid::Number { n_places: i64::from(*scale) }),
        DataType::Date32 => Kind::Whole(Grid::Day { per_day: 1 }),
        DataType::Date64 => Kind::Whole(Grid::Day { per_day: 86_400_000 }),
        DataType::Time32(unit) | DataType::Time64(unit) => {
            Kind::Whole(Grid::Time { unit_nanoseconds: nanoseconds(*unit) })
        }
        DataType::Timestamp(unit, zone) => {
            Kind::Whole(Grid::Timestamp { unit_nanoseconds: nanoseconds(*unit), zoned: zone.is_some() })
        }
        _ => return Err(column.does_not_fit()),
    })
}

fn nanoseconds(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

pub(super) fn misfit(column: &Column) -> String {
    format!("a value of the rule is no {} as column `{}` is", column.data_type, column.name)
}

fn text<'a>(column: &Column, value: &'a Scalar) -> Result<&'a str, String> {
    match value {
        Scalar::Text(text) => Ok(text),
        Scalar::Integer(_) | Scalar::Number(_) | Scalar::Decimal(_) | Scalar::Boolean(_) => Err(misfit(column)),
    }
}

pub(super) fn number(column: &Column, value: &Scalar) -> Result<Decimal, String> {
    value.as_decimal().ok_or_else(|| misfit(column))
}

fn texts(is_broken: impl Fn(&str) -> bool + Send + Sync + 'static) -> Test {
    Test::new(move |array| {
        let len = array.len();
        if let Some(texts) = array.as_string_opt::<i32>() {
            BooleanBuffer::collect_bool(len, |row| is_broken(texts.value(row)))
        } else if let Some(texts) = array.as_string_opt::<i64>() {
            BooleanBuffer::collect_bool(len, |row| is_broken(texts.value(row)))
        } else {
            let texts = array.as_string_view();
            BooleanBuffer::collect_bool(len, |row| is_broken(texts.value(row)))
        }
    })
}

/// A test of values as whole numbers, for every type at once.
enum WholeTest {
    OneOf(Vec<i256>),
    Outside(Range),
    /// `None` stands for a divisor that is greater than every number.
    NoMultiple(Option<i256>),
}

/// The test for a type; `None` if its values are not whole numbers.
fn whole_test(data_type: &DataType, test: &WholeTest) -> Option<Test> {
    Some(match data_type {
        DataType::Int8 => whole::<Int8Type>(test),
        DataType::Int16 => whole::<Int16Type>(test),
        DataType::Int32 => whole::<Int32Type>(test),
        DataType::Int64 => whole::<Int64Type>(test),
        DataType::UInt8 => whole::<UInt8Type>(test),
        DataType::UInt16 => whole::<UInt16Type>(test),
        DataType::UInt32 => whole::<UInt32Type>(test),
        DataType::UInt64 => whole::<UInt64Type>(test),
        DataType::Decimal32(_, _) => whole::<Decimal32Type>(test),
        DataType::Decimal64(_, _) => whole::<Decimal64Type>(test),
        DataType::Decimal128(_, _) => whole::<Decimal128Type>(test),
        DataType::Decimal256(_, _) => whole::<Decimal256Type>(test),
        DataType::Date32 => whole::<Date32Type>(test),
        DataType::Date64 => whole::<Date64Type>(test),
        DataType::Time32(TimeUnit::Second) => whole::<Time32SecondType>(test),
        DataType::Time32(TimeUnit::Millisecond) => whole::<Time32MillisecondType>(test),
        DataType::Time64(TimeUnit::Microsecond) => whole::<Time64MicrosecondType>(test),
        DataType::Time64(TimeUnit::Nanosecond) => whole::<Time64NanosecondType>(test),
        DataType::Timestamp(TimeUnit::Second, _) => whole::<TimestampSecondType>(test),
        DataType::Timestamp(TimeUnit::Millisecond, _) => whole::<TimestampMillisecondType>(test),
        DataType::Timestamp(TimeUnit::Microsecond, _) => whole::<TimestampMicrosecondType>(test),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => whole::<TimestampNanosecondType>(test),
        _ => return None,
    })
}

fn whole<T: ArrowPrimitiveType<Native: Whole>>(test: &WholeTest) -> Test {
    match test {
        WholeTest::OneOf(listed) => {
            // What the type cannot hold is equal to none of its values.
            let mut listed: Vec<T::Native> = listed.iter().filter_map(|value| T::Native::exact(*value)).collect();
            listed.sort_unstable();
            each::<T>(move |value| listed.binary_search(&value).is_ok())
        }
        WholeTest::Outside(range) => match range.within::<T::Native>() {
            Some((low, high)) => each::<T>(move |value| value < low || value > high),
            None => each::<T>(|_| true),
        },
        WholeTest::NoMultiple(divisor) => {
            let zero = T::Native::default();
            // The least value of a type may be a multiple of a divisor that is greater than all of its values.
            let negated = || T::Native::exact((*divisor)?.checked_neg()?);
            match divisor.and_then(T::Native::exact).or_else(negated) {
                Some(divisor) => each::<T>(move |value| value.mod_wrapping(divisor) != zero),
                None => each::<T>(move |value| value != zero),
            }
        }
    }
}

fn each<T: ArrowPrimitiveType>(is_broken: impl Fn(T::Native) -> bool + Send + Sync + 'static) -> Test {
    Test::new(move |array| {
        let values = array.as_primitive::<T>().values();
        BooleanBuffer::collect_bool(values.len(), |row| is_broken(values[row]))
    })
}
