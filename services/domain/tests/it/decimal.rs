//! Numbers of documents by their digits.

use domain::decimal::Decimal;
use domain::moment::Moment;
use domain::quality::Scalar;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn the_floor_of_a_number_is_not_above_it() {
    let check = |number: &str, n_places: i64, floor: &str, is_exact: bool| {
        let (found, found_exact) = decimal(number).floor_at(n_places);
        assert_eq!((found.to_string().as_str(), found_exact), (floor, is_exact), "{number} at {n_places}");
    };
    check("1.25", 2, "125", true);
    check("1.25", 3, "1250", true);
    check("1.25", 1, "12", false);
    check("-1.25", 1, "-13", false);
    check("-0.1", 0, "-1", false);
    check("-0.0", 5, "0", true);
    check("1250", -2, "12", false);
    check("1200", -2, "12", true);
    check("-1250", -2, "-13", false);
    check("99999999999999999999999999999999999999.5", 0, "99999999999999999999999999999999999999", false);
}

#[test]
fn a_divisor_of_digits_finds_the_multiples_of_a_number() {
    for (divisor, n_places, expected) in [
        ("0.01", 3, "10"),
        ("0.01", 2, "1"),
        ("10", 0, "10"),
        ("10", 2, "1000"),
        ("0.5", 0, "1"),
        ("1.5", 0, "3"),
        ("0.07", 1, "7"),
        ("0.075", 2, "15"),
        ("12", -1, "6"),
        ("1e40", 0, "10000000000000000000000000000000000000000"),
    ] {
        assert_eq!(decimal(divisor).divisor_at(n_places).to_string(), expected, "{divisor} at {n_places}");
    }
}

#[test]
fn a_number_takes_the_simplest_form_that_has_its_digits() {
    let scalar = |text: &str| Scalar::from(decimal(text));
    assert_eq!(scalar("7"), Scalar::Integer(7));
    assert_eq!(scalar("-9223372036854775808"), Scalar::Integer(i64::MIN));
    assert_eq!(scalar("0.1"), Scalar::Number(0.1));
    assert_eq!(scalar("10000000000000000000"), Scalar::Number(1e19));
    assert_eq!(scalar("0.12345678901234567890"), Scalar::Decimal(decimal("0.1234567890123456789")));
    for text in ["7", "0.1", "1e19", "18446744073709551615", "-0.12345678901234567890"] {
        assert_eq!(scalar(text).as_decimal(), Some(decimal(text)), "{text}");
    }
    assert_eq!(Scalar::Number(f64::NAN).as_decimal(), None);
    assert_eq!(Scalar::Number(-0.0).as_decimal(), Some(decimal("0")));
}

#[test]
fn moments_are_told_apart() {
    assert_eq!(Moment::parse("1970-01-02"), Some(Moment::Day(1)));
    assert_eq!(Moment::parse("1969-12-31"), Some(Moment::Day(-1)));
    assert_eq!(Moment::parse("00:00:00.000000001"), Some(Moment::Time(1)));
    assert_eq!(Moment::parse("00:01"), Some(Moment::Time(60_000_000_000)));
    assert_eq!(Moment::parse("1970-01-01 00:00:01"), Some(Moment::Local(1_000_000_000)));
    assert_eq!(Moment::parse("1970-01-01T00:00:00.5Z"), Some(Moment::Zoned(500_000_000)));
    assert_eq!(Moment::parse("1970-01-01T00:00:00+00:01"), Some(Moment::Zoned(-60_000_000_000)));
    for text in ["", "soon", "1970-13-01", "24:00", "1970-01-01T", "12", "12:00:00Z", "1970-01-01T25:00:00"] {
        assert_eq!(Moment::parse(text), None, "{text}");
    }
}
