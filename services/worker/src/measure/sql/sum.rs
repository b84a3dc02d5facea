//! `sum` and `avg` of integers and decimals, computed exactly with 256 bits; a result that its type cannot hold is an
//! error. The engine's own wrap. Of other types the engine's own are used.

use std::any::Any;
use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Decimal256Array, ListArray, PrimitiveArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DECIMAL256_MAX_PRECISION, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Field, FieldRef,
    Int64Type, UInt64Type, i256,
};
use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

/// Stands in for the engine's `sum`.
pub(super) fn sum() -> AggregateUDF {
    AggregateUDF::from(Exact::new(Kind::Sum, sum_udaf()))
}

/// Stands in for the engine's `avg`.
pub(super) fn average() -> AggregateUDF {
    AggregateUDF::from(Exact::new(Kind::Average, avg_udaf()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Sum,
    Average,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Exact {
    kind: Kind,
    /// The engine's own function.
    other: Arc<AggregateUDF>,
    signature: Signature,
}

impl Exact {
    fn new(kind: Kind, other: Arc<AggregateUDF>) -> Self {
        Self { kind, other, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// Whether sums of the type are computed here.
fn is_exact(data_type: &DataType) -> bool {
    data_type.is_integer() || data_type.is_decimal()
}

impl AggregateUDFImpl for Exact {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        self.other.name()
    }

    fn aliases(&self) -> &[String] {
        self.other.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [data_type] = types else { return plan_err!("`{}` takes one argument", self.name()) };
        Ok(vec![match data_type {
            DataType::Null => DataType::Int64,
            signed if signed.is_signed_integer() => DataType::Int64,
            unsigned if unsigned.is_unsigned_integer() => DataType::UInt64,
            float if float.is_floating() => DataType::Float64,
            decimal if decimal.is_decimal() => decimal.clone(),
            DataType::Duration(unit) => DataType::Duration(*unit),
            other => return plan_err!("`{}` does not apply to {other}", self.name()),
        }])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.other.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let data_type = args.expr_fields[0].data_type();
        if !is_exact(data_type) {
            return self.other.accumulator(args);
        }
        Ok(Box::new(ExactSum {
            kind: self.kind,
            sum: i256::ZERO,
            n_values: 0,
            distinct: args.is_distinct.then(HashMap::new),
            n_places: places(data_type),
            result: args.return_field.data_type().clone(),
        }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if is_exact(args.expr_fields[0].data_type()) {
            self.accumulator(args)
        } else {
            self.other.create_sliding_accumulator(args)
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if !is_exact(args.input_fields[0].data_type()) {
            return self.other.state_fields(args);
        }
        Ok(vec![
            Arc::new(Field::new("sum", WIDE, false)),
            Arc::new(Field::new("values", DataType::UInt64, false)),
            Arc::new(Field::new("distinct", DataType::List(value_field()), false)),
        ])
    }
}

/// The type of a sum on its way.
const WIDE: DataType = DataType::Decimal256(DECIMAL256_MAX_PRECISION, 0);

fn value_field() -> FieldRef {
    Arc::new(Field::new("item", WIDE, false))
}

fn places(data_type: &DataType) -> i8 {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

#[derive(Debug)]
struct ExactSum {
    kind: Kind,
    sum: i256,
    n_values: u64,
    /// How often each value is there, if only distinct ones count.
    distinct: Option<HashMap<i256, u64>>,
    /// The decimal places of the values.
    n_places: i8,
    result: DataType,
}

impl ExactSum {
    fn add(&mut self, value: i256) -> Result<()> {
        if let Some(distinct) = &mut self.distinct {
            let n_times = distinct.entry(value).or_insert(0);
            *n_times += 1;
            if *n_times > 1 {
                return Ok(());
            }
        }
        self.sum = self.sum.checked_add(value).ok_or_else(overflow)?;
        self.n_values += 1;
        Ok(())
    }

    fn remove(&mut self, value: i256) -> Result<()> {
        if let Some(distinct) = &mut self.distinct {
            if let Some(n_times) = distinct.get_mut(&value)
                && *n_times > 1
            {
                *n_times -= 1;
                return Ok(());
            }
            distinct.remove(&value);
        }
        self.sum = self.sum.checked_sub(value).ok_or_else(overflow)?;
        self.n_values -= 1;
        Ok(())
    }

    fn each(&mut self, array: &ArrayRef, mut visit: impl FnMut(&mut Self, i256) -> Result<()>) -> Result<()> {
        macro_rules! visit_all {
            ($($type:ty),+) => {
                $(if let Some(values) = array.as_primitive_opt::<$type>() {
                    return values.iter().flatten().try_for_each(|value| visit(self, wide(value)));
                })+
            };
        }
        visit_all!(Int64Type, UInt64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type);
        plan_err!("no sum of {}", array.data_type())
    }
}

fn wide(value: impl Into<Wide>) -> i256 {
    value.into().0
}

/// A value with 256 bits.
struct Wide(i256);

impl From<i256> for Wide {
    fn from(value: i256) -> Self {
        Self(value)
    }
}

macro_rules! from {
    ($($native:ty),+) => {
        $(impl From<$native> for Wide {
            fn from(value: $native) -> Self {
                Self(i256::from_i128(value.into()))
            }
        })+
    };
}

from!(i32, i64, u64, i128);

fn overflow() -> DataFusionError {
    ArrowError::ArithmeticOverflow("a sum".to_owned()).into()
}

/// The number as one of a type, which has the same decimal places.
fn of_type(number: i256, data_type: &DataType) -> Result<ScalarValue> {
    fn whole<T: ArrowPrimitiveType<Native: TryFrom<i128>>>(number: i256) -> Option<T::Native> {
        number.to_i128()?.try_into().ok()
    }
    let has_digits = |precision: u8| {
        let limit = i256::from_i128(10).checked_pow(precision.into());
        limit.is_none_or(|limit| number < limit && number.checked_neg().is_some_and(|number| number < limit))
    };
    let value = match data_type {
        DataType::Int64 => whole::<Int64Type>(number).map(|number| ScalarValue::Int64(Some(number))),
        DataType::UInt64 => whole::<UInt64Type>(number).map(|number| ScalarValue::UInt64(Some(number))),
        DataType::Decimal32(p, s) if has_digits(*p) => {
            whole::<Decimal32Type>(number).map(|number| ScalarValue::Decimal32(Some(number), *p, *s))
        }
        DataType::Decimal64(p, s) if has_digits(*p) => {
            whole::<Decimal64Type>(number).map(|number| ScalarValue::Decimal64(Some(number), *p, *s))
        }
        DataType::Decimal128(p, s) if has_digits(*p) => {
            whole::<Decimal128Type>(number).map(|number| ScalarValue::Decimal128(Some(number), *p, *s))
        }
        DataType::Decimal256(p, s) if has_digits(*p) => Some(ScalarValue::Decimal256(Some(number), *p, *s)),
        _ => None,
    };
    value.ok_or_else(overflow)
}

impl Accumulator for ExactSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.each(&values[0], Self::add)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.each(&values[0], Self::remove)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.n_values == 0 {
            return ScalarValue::try_new_null(&self.result);
        }
        match self.kind {
            Kind::Sum => of_type(self.sum, &self.result),
            // Of integers.
            Kind::Average if self.result == DataType::Float64 => {
                let sum = self.sum.to_i128().ok_or_else(overflow)?;
                Ok(ScalarValue::Float64(Some(sum as f64 / self.n_values as f64)))
            }
            Kind::Average => {
                let n_more = u32::try_from(places(&self.result) - self.n_places).unwrap_or(0);
                let average = i256::from_i128(10)
                    .checked_pow(n_more)
                    .and_then(|power| self.sum.checked_mul(power))
                    .and_then(|sum| sum.checked_div(i256::from_i128(self.n_values.into())));
                of_type(average.ok_or_else(overflow)?, &self.result)
            }
        }
    }

    fn size(&self) -> usize {
        let n_distinct = self.distinct.as_ref().map_or(0, HashMap::capacity);
        size_of::<Self>() + n_distinct * (size_of::<(i256, u64)>() + 1)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        // Distinct values are added again where states are merged.
        let (sum, n_values) = match &self.distinct {
            Some(_) => (i256::ZERO, 0),
            None => (self.sum, self.n_values),
        };
        let distinct = self.distinct.iter().flat_map(HashMap::keys).copied();
        let distinct: Decimal256Array = PrimitiveArray::from_iter_values(distinct);
        let distinct = distinct.with_precision_and_scale(DECIMAL256_MAX_PRECISION, 0)?;
        let offsets = OffsetBuffer::from_lengths([distinct.len()]);
        let list = ListArray::try_new(value_field(), offsets, Arc::new(distinct), None)?;
        Ok(vec![
            ScalarValue::Decimal256(Some(sum), DECIMAL256_MAX_PRECISION, 0),
            ScalarValue::UInt64(Some(n_values)),
            ScalarValue::List(Arc::new(list)),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for sum in states[0].as_primitive::<Decimal256Type>().iter().flatten() {
            self.sum = self.sum.checked_add(sum).ok_or_else(overflow)?;
        }
        self.n_values += states[1].as_primitive::<UInt64Type>().values().iter().sum::<u64>();
        for values in states[2].as_list::<i32>().iter().flatten() {
            self.each(&values, Self::add)?;
        }
        Ok(())
    }
}
