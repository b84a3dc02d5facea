//! Floating-point numbers against the numbers of a contract, as IEEE 754 compares them: both zeros are equal, and
//! not-a-number is neither equal to anything nor in any range.

use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use domain::decimal::Decimal;

use super::test::Test;

type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// The width of a floating-point type. A narrow number is a double as well, so all are compared as doubles after the
/// contract's number was rounded to the width.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Width {
    Half,
    Single,
    Double,
}

/// One end of a range.
#[derive(Clone, Copy)]
pub(super) struct End {
    value: f64,
    exclusive: bool,
}

impl End {
    pub(super) fn admits_above(self, value: f64) -> bool {
        if self.exclusive { value > self.value } else { value >= self.value }
    }

    pub(super) fn admits_below(self, value: f64) -> bool {
        if self.exclusive { value < self.value } else { value <= self.value }
    }
}

impl Width {
    /// The number of this width that is nearest, which is infinite beyond the greatest.
    fn nearest(self, number: &Decimal) -> f64 {
        let text = number.to_string();
        match self {
            Self::Half => nearest_half(number).into(),
            Self::Single => text.parse::<f32>().unwrap_or(f32::NAN).into(),
            Self::Double => text.parse().unwrap_or(f64::NAN),
        }
    }

    fn greatest(self) -> f64 {
        match self {
            Self::Half => Half::MAX.into(),
            Self::Single => f32::MAX.into(),
            Self::Double => f64::MAX,
        }
    }

    /// The distance from 1 to the next number.
    fn epsilon(self) -> f64 {
        match self {
            Self::Half => Half::EPSILON.into(),
            Self::Single => f32::EPSILON.into(),
            Self::Double => f64::EPSILON,
        }
    }

    /// The value that stands for a number; `None` if the number is too great or too small to have one.
    pub(super) fn exactly(self, number: &Decimal) -> Option<f64> {
        let nearest = self.nearest(number);
        (nearest.is_finite() && (nearest != 0.0 || number.is_zero())).then_some(nearest)
    }

    /// The low end of a range. A number that has no value of this width lies between two of them.
    pub(super) fn low(self, number: &Decimal, exclusive: bool) -> End {
        match (self.exactly(number), self.nearest(number)) {
            (Some(value), _) => End { value, exclusive },
            (None, 0.0) => End { value: 0.0, exclusive: !number.is_negative() },
            (None, _) if number.is_negative() => End { value: -self.greatest(), exclusive: false },
            (None, _) => End { value: f64::INFINITY, exclusive: false },
        }
    }

    /// The high end of a range, likewise.
    pub(super) fn high(self, number: &Decimal, exclusive: bool) -> End {
        match (self.exactly(number), self.nearest(number)) {
            (Some(value), _) => End { value, exclusive },
            (None, 0.0) => End { value: 0.0, exclusive: number.is_negative() },
            (None, _) if number.is_negative() => End { value: f64::NEG_INFINITY, exclusive: false },
            (None, _) => End { value: self.greatest(), exclusive: false },
        }
    }

    /// Whether a value is a multiple of the divisor. Whole divisors are exact. Neither 0.07 nor 0.01 is exact in binary,
    /// so with others the quotient may differ from a whole number in the last digits of this width.
    pub(super) fn is_multiple(self, value: f64, divisor: f64) -> bool {
        if divisor.fract() == 0.0 {
            return value % divisor == 0.0;
        }
        let quotient = value / divisor;
        if quotient.is_infinite() && value.is_finite() {
            return true;
        }
        // Of a value that is too small against the divisor the quotient is zero as well.
        (quotient != 0.0 || value == 0.0)
            && (quotient - quotient.round()).abs() <= quotient.abs() * 4.0 * self.epsilon()
    }
}

/// The half that is nearest to a number. By way of a double it would be rounded twice: next to the middle of two halves,
/// a number may be beside it by less than a double can tell.
fn nearest_half(number: &Decimal) -> Half {
    let text = number.to_string();
    let digits = text.trim_start_matches('-');
    let near = Half::from_f64(digits.parse().unwrap_or(f64::NAN)).to_bits();
    let size = Decimal::parse(digits);
    let is_above = |below: u16| size > middle_above(below);
    let is_below = |below: u16| size < middle_above(below);
    let bits = match near {
        bits if bits < Half::INFINITY.to_bits() && is_above(bits) => bits + 1,
        bits if bits > 0 && is_below(bits - 1) => bits - 1,
        bits => bits,
    };
    let half = Half::from_bits(bits);
    if number.is_negative() { -half } else { half }
}

/// The middle between a half and the next greater one, which a double holds. Infinity stands for the next power of two.
fn middle_above(bits: u16) -> Option<Decimal> {
    let value = |bits: u16| {
        let half = Half::from_bits(bits);
        if half.is_finite() { f64::from(half) } else { 65_536.0 }
    };
    // It has fewer decimal places than these.
    Decimal::parse(&format!("{:.30}", f64::midpoint(value(bits), value(bits + 1))))
}

/// A test of floating-point numbers of any width.
pub(super) fn test(is_broken: impl Fn(f64) -> bool + Send + Sync + 'static) -> Test {
    Test::new(move |array| {
        let len = array.len();
        match array.data_type() {
            DataType::Float16 => {
                let values = array.as_primitive::<Float16Type>().values();
                BooleanBuffer::collect_bool(len, |row| is_broken(values[row].into()))
            }
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>().values();
                BooleanBuffer::collect_bool(len, |row| is_broken(values[row].into()))
            }
            _ => {
                let values = array.as_primitive::<Float64Type>().values();
                BooleanBuffer::collect_bool(len, |row| is_broken(values[row]))
            }
        }
    })
}
