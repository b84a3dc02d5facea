//! Numbers in schemas, compared by their decimal digits and not as binary floating point.

use bigdecimal::{BigDecimal, One, RoundingMode, Zero};
use num_bigint::Sign;

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

    /// Whether this is a whole multiple of `other`; of zero nothing is.
    pub fn is_multiple_of(&self, other: &Self) -> bool {
        !other.0.is_zero() && (&self.0 % &other.0).is_zero()
    }

    /// Whether it has no fraction.
    pub(super) fn is_whole(&self) -> bool {
        self.0.is_integer()
    }

    /// Whether it is nought.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// One.
    pub(super) fn one() -> Self {
        Self(BigDecimal::one())
    }

    /// The least whole number that is not below.
    pub(super) fn ceiling(&self) -> Self {
        Self(self.0.with_scale_round(0, RoundingMode::Ceiling).normalized())
    }

    /// The greatest whole number that is not above.
    pub(super) fn floor(&self) -> Self {
        Self(self.0.with_scale_round(0, RoundingMode::Floor).normalized())
    }

    /// The least whole number above.
    pub(super) fn next_whole(&self) -> Self {
        Self((self.floor().0 + BigDecimal::one()).normalized())
    }

    /// The greatest whole number below.
    pub(super) fn previous_whole(&self) -> Self {
        Self((self.ceiling().0 - BigDecimal::one()).normalized())
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
