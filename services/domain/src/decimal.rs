//! Numbers of documents, compared by their decimal digits and not as binary floating point.

use std::str::FromStr;

use bigdecimal::{BigDecimal, One, RoundingMode, Zero};
use num_bigint::{BigInt, Sign};

use crate::name::shorten;

/// The longest literal that is read, in bytes.
const MAX_LITERAL_BYTES: usize = 10_000;

/// Exponents are smaller than this: the digits of a sum or a remainder are as many as the exponents are apart.
const EXPONENT_LIMIT: u64 = 10_000;

/// The most zeros that are written out rather than given as an exponent.
const MAX_ZEROS: i64 = 20;

/// A decimal number of any precision.
// Without trailing zeros, so that equal numbers have equal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Decimal(BigDecimal);

impl Decimal {
    /// Parses a JSON number. `None` if it is not one, or is too long or its exponent too large to calculate with.
    pub fn parse(text: &str) -> Option<Self> {
        let is_number = text.strip_prefix('-').unwrap_or(text).starts_with(|first: char| first.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        if !is_number || text.len() > MAX_LITERAL_BYTES {
            return None;
        }
        let number: BigDecimal = text.parse().ok()?;
        (number.fractional_digit_count().unsigned_abs() < EXPONENT_LIMIT).then(|| Self(number.normalized()))
    }

    /// The shortest decimal that stands for this number, which is what its author wrote up to 15 digits; `None` if the
    /// number is not finite.
    pub fn of(number: f64) -> Option<Self> {
        number.is_finite().then(|| Self::parse(&format!("{number:e}"))).flatten()
    }

    /// The double whose shortest form has all of its digits; `None` if there is none.
    pub fn as_double(&self) -> Option<f64> {
        self.nearest().filter(|double| Self::of(*double).as_ref() == Some(self))
    }

    /// The double that is nearest; `None` if it is greater than all.
    pub fn nearest(&self) -> Option<f64> {
        self.to_string().parse().ok().filter(|double: &f64| double.is_finite())
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.0.sign() == Sign::Minus
    }

    /// The greatest number of `n_places` decimal places that is not above this one, in units of its last place, and
    /// whether it is equal to this one. A negative number of places stands for tens, hundreds and so on.
    pub fn floor_at(&self, n_places: i64) -> (BigInt, bool) {
        let (digits, own_places) = self.0.as_bigint_and_scale();
        let digits = digits.into_owned();
        let n_missing = n_places - own_places;
        let power = power_of_ten(n_missing.unsigned_abs());
        if n_missing >= 0 {
            return (digits * power, true);
        }
        let (floor, rest) = (&digits / &power, &digits % &power);
        // The quotient is rounded towards zero.
        (if rest.sign() == Sign::Minus { floor - 1 } else { floor }, rest.is_zero())
    }

    /// The least whole number that divides the digits of exactly those numbers of `n_places` decimal places that are
    /// multiples of this one, which is above zero.
    pub fn divisor_at(&self, n_places: i64) -> BigInt {
        let (digits, own_places) = self.0.as_bigint_and_scale();
        let mut digits = digits.into_owned();
        if n_places >= own_places {
            return digits * power_of_ten((n_places - own_places).unsigned_abs());
        }
        // The number's digits count in units that are this power of ten coarser: what the power contributes to being a
        // multiple is not asked of the digits.
        for prime in [BigInt::from(2), BigInt::from(5)] {
            for _ in n_places..own_places {
                if !(&digits % &prime).is_zero() {
                    break;
                }
                digits /= &prime;
            }
        }
        digits
    }

    /// Whether this is a whole multiple of `other`; of zero nothing is.
    pub fn is_multiple_of(&self, other: &Self) -> bool {
        !other.0.is_zero() && (&self.0 % &other.0).is_zero()
    }

    /// Whether it has no fraction.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.is_integer()
    }

    /// One.
    pub(crate) fn one() -> Self {
        Self(BigDecimal::one())
    }

    /// The least whole number that is not below.
    pub(crate) fn ceiling(&self) -> Self {
        Self(self.0.with_scale_round(0, RoundingMode::Ceiling).normalized())
    }

    /// The greatest whole number that is not above.
    pub(crate) fn floor(&self) -> Self {
        Self(self.0.with_scale_round(0, RoundingMode::Floor).normalized())
    }

    /// The least whole number above.
    pub(crate) fn next_whole(&self) -> Self {
        Self((self.floor().0 + BigDecimal::one()).normalized())
    }

    /// The greatest whole number below.
    pub(crate) fn previous_whole(&self) -> Self {
        Self((self.ceiling().0 - BigDecimal::one()).normalized())
    }
}

fn power_of_ten(exponent: u64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(u32::MAX))
}

/// A text that is not a decimal number, or is too long to calculate with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a decimal number", shorten(.0, 100))]
pub struct NotADecimal(String);

impl FromStr for Decimal {
    type Err = NotADecimal;

    fn from_str(text: &str) -> Result<Self, NotADecimal> {
        Self::parse(text).ok_or_else(|| NotADecimal(text.to_owned()))
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(BigDecimal::from(number).normalized())
    }
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        Self(BigDecimal::from(number).normalized())
    }
}

/// Up to 20 zeros are written out; beyond that it is digits and an exponent.
impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (number, n_places) = self.0.as_bigint_and_scale();
        let sign = if number.sign() == Sign::Minus { "-" } else { "" };
        let digits = number.magnitude().to_string();
        let n_zeros = usize::try_from(n_places.unsigned_abs()).unwrap_or(usize::MAX);
        if n_places.abs() > MAX_ZEROS {
            write!(f, "{sign}{digits}e{}", -n_places)
        } else if n_places <= 0 {
            write!(f, "{sign}{digits}{}", "0".repeat(n_zeros))
        } else {
            let digits = format!("{digits:0>width$}", width = n_zeros + 1);
            let (whole, fraction) = digits.split_at(digits.len() - n_zeros);
            write!(f, "{sign}{whole}.{fraction}")
        }
    }
}
