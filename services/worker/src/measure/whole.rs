//! Values as the whole numbers that they are stored as, and the ends of ranges among them.

use arrow::array::ArrowNativeTypeOp;
use arrow::datatypes::i256;
use domain::moment::Moment;
use domain::quality::Scalar;

use super::column::Column;
use super::test;

const DAY_NANOSECONDS: i128 = 86_400 * 1_000_000_000;

/// What the whole numbers of a type stand for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Grid {
    /// Numbers with this many decimal places.
    Number {
        n_places: i64,
    },
    /// Dates, of which each day has this many.
    Day {
        per_day: i64,
    },
    /// Times of day.
    Time {
        unit_nanoseconds: i128,
    },
    Timestamp {
        unit_nanoseconds: i128,
        zoned: bool,
    },
}

/// The greatest whole number that is not above a value of a rule.
#[derive(Clone, Copy)]
pub(super) struct Floor {
    number: i256,
    is_exact: bool,
}

impl Grid {
    /// Where a value of a rule lies.
    ///
    /// # Errors
    /// It is of another kind than the column, as a message for the contract's author.
    pub(super) fn floor(self, column: &Column, value: &Scalar) -> Result<Floor, String> {
        if let Self::Number { n_places } = self {
            let number = test::number(column, value)?;
            let (floor, is_exact) = number.floor_at(n_places);
            // Beyond the 76 digits of the widest type it is beyond every value.
            let beyond = if number.is_negative() { i256::MIN } else { i256::MAX };
            return Ok(match i256::from_string(&floor.to_string()) {
                Some(number) => Floor { number, is_exact },
                None => Floor { number: beyond, is_exact: false },
            });
        }
        let Scalar::Text(text) = value else { return Err(test::misfit(column)) };
        let moment = Moment::parse(text);
        let on_grid = |nanoseconds: i128, unit: i128| Floor {
            number: i256::from_i128(nanoseconds.div_euclid(unit)),
            is_exact: nanoseconds.rem_euclid(unit) == 0,
        };
        let found = match (self, moment) {
            (Self::Day { per_day }, Some(Moment::Day(day))) => {
                Some(Floor { number: i256::from_i128(i128::from(day) * i128::from(per_day)), is_exact: true })
            }
            (Self::Time { unit_nanoseconds }, Some(Moment::Time(time))) => {
                Some(on_grid(i128::from(time), unit_nanoseconds))
            }
            // A date is its first moment, and a time without a zone is one of UTC where the column has zones.
            (Self::Timestamp { unit_nanoseconds, .. }, Some(Moment::Day(day))) => {
                Some(on_grid(i128::from(day) * DAY_NANOSECONDS, unit_nanoseconds))
            }
            (Self::Timestamp { unit_nanoseconds, .. }, Some(Moment::Local(local))) => {
                Some(on_grid(local, unit_nanoseconds))
            }
            (Self::Timestamp { unit_nanoseconds, zoned: true }, Some(Moment::Zoned(moment))) => {
                Some(on_grid(moment, unit_nanoseconds))
            }
            (Self::Timestamp { zoned: false, .. }, Some(Moment::Zoned(_))) => {
                return Err(format!("`{text}` has a time zone, and column `{}` has none", column.name));
            }
            (Self::Number { .. } | Self::Day { .. } | Self::Time { .. } | Self::Timestamp { .. }, _) => None,
        };
        found.ok_or_else(|| format!("`{text}` is not a {}", column.data_type))
    }

    /// The whole number of a value of a rule; `None` if it lies between two.
    ///
    /// # Errors
    /// As [`Self::floor`].
    pub(super) fn exactly(self, column: &Column, value: &Scalar) -> Result<Option<i256>, String> {
        let floor = self.floor(column, value)?;
        Ok(floor.is_exact.then_some(floor.number))
    }
}

/// Whole numbers from the first to the last, both included.
pub(super) struct Range {
    first: i256,
    last: i256,
}

impl Range {
    /// The whole numbers between two ends, each of which may be outside itself.
    pub(super) fn between(low: Option<(Floor, bool)>, high: Option<(Floor, bool)>) -> Self {
        let one = i256::from_i128(1);
        let after = |number: i256| number.checked_add(one).unwrap_or(i256::MAX);
        let before = |number: i256| number.checked_sub(one).unwrap_or(i256::MIN);
        Self {
            first: low.map_or(i256::MIN, |(floor, exclusive)| match floor.is_exact && !exclusive {
                true => floor.number,
                false => after(floor.number),
            }),
            last: high.map_or(i256::MAX, |(floor, exclusive)| match floor.is_exact && exclusive {
                true => before(floor.number),
                false => floor.number,
            }),
        }
    }

    /// The part that a type can hold; `None` if it holds none of it.
    pub(super) fn within<N: Whole>(&self) -> Option<(N, N)> {
        let first = self.first.max(N::MIN_TOTAL_ORDER.wide());
        let last = self.last.min(N::MAX_TOTAL_ORDER.wide());
        if first > last { None } else { Some((N::exact(first)?, N::exact(last)?)) }
    }
}

/// A type of whole numbers.
pub(super) trait Whole: ArrowNativeTypeOp + Ord + Send + Sync {
    /// The number, if the type can hold it.
    fn exact(number: i256) -> Option<Self>;

    fn wide(self) -> i256;
}

macro_rules! whole {
    ($($native:ty),+) => {
        $(
            impl Whole for $native {
                fn exact(number: i256) -> Option<Self> {
                    number.to_i128()?.try_into().ok()
                }

                fn wide(self) -> i256 {
                    i256::from_i128(self.into())
                }
            }
        )+
    };
}

whole!(i8, i16, i32, i64, i128, u8, u16, u32, u64);

impl Whole for i256 {
    fn exact(number: i256) -> Option<Self> {
        Some(number)
    }

    fn wide(self) -> i256 {
        self
    }
}
