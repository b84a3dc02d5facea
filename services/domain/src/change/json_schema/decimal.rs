//! Numbers of schemas, compared as written: `0.1` and not the double beside it.

use std::cmp::Ordering;

/// A decimal number: `digits` times ten to the power of `exponent`, without trailing zeros, so that equal numbers are
/// equal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    digits: i128,
    exponent: i32,
}

impl Decimal {
    /// The number that a JSON literal says; digits after the 30th are dropped. `None` if it is not a number, or has
    /// an exponent of more than four digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok().filter(|e| e.abs() < 10_000)?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (mut digits, mut n_kept) = (0_i128, 0_usize);
        let all = whole.bytes().chain(fraction.bytes()).skip_while(|byte| *byte == b'0');
        let n_leading = whole.bytes().chain(fraction.bytes()).take_while(|byte| *byte == b'0').count();
        for byte in all.take(30) {
            digits = digits * 10 + i128::from(byte - b'0');
            n_kept += 1;
        }
        let last_place = i32::try_from(whole.len()).ok()? - i32::try_from(n_leading + n_kept).ok()?;
        let exponent = exponent.checked_add(last_place)?;
        Some(Self { digits: if negative { -digits } else { digits }, exponent }.without_trailing_zeros())
    }

    /// Whether this is a whole multiple of `other`. Never, if one of them is beyond what can be divided exactly.
    pub fn is_multiple_of(self, other: Self) -> bool {
        match self.aligned(other) {
            Some((own, others)) => others != 0 && own % others == 0,
            None => false,
        }
    }

    fn without_trailing_zeros(mut self) -> Self {
        if self.digits == 0 {
            self.exponent = 0;
        }
        while self.digits != 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.exponent += 1;
        }
        self
    }

    /// The digits of both at the smaller exponent.
    fn aligned(self, other: Self) -> Option<(i128, i128)> {
        let exponent = self.exponent.min(other.exponent);
        let at = |number: Self| {
            let power = u32::try_from(number.exponent - exponent).ok()?;
            number.digits.checked_mul(10_i128.checked_pow(power)?)
        };
        Some((at(self)?, at(other)?))
    }

    /// The place of the first digit, for numbers too far apart to be aligned.
    fn magnitude(self) -> i64 {
        i64::from(self.digits.unsigned_abs().checked_ilog10().unwrap_or(0)) + i64::from(self.exponent)
    }
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        Self { digits: i128::from(number), exponent: 0 }.without_trailing_zeros()
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if let Some((own, others)) = self.aligned(*other) {
            return own.cmp(&others);
        }
        let (own, others) = (self.digits.signum(), other.digits.signum());
        match own.cmp(&others) {
            Ordering::Equal if own < 0 => other.magnitude().cmp(&self.magnitude()),
            Ordering::Equal => self.magnitude().cmp(&other.magnitude()),
            unequal => unequal,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (usize::try_from(self.exponent), usize::try_from(-i64::from(self.exponent))) {
            (Ok(n_zeros), _) if n_zeros <= 20 => write!(f, "{}{}", self.digits, "0".repeat(n_zeros)),
            (_, Ok(n_places)) if n_places <= 20 => {
                let sign = if self.digits < 0 { "-" } else { "" };
                let digits = format!("{:0>width$}", self.digits.unsigned_abs(), width = n_places + 1);
                let (whole, fraction) = digits.split_at(digits.len() - n_places);
                write!(f, "{sign}{whole}.{fraction}")
            }
            _ => write!(f, "{}e{}", self.digits, self.exponent),
        }
    }
}
