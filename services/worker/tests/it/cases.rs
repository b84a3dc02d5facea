//! Tables that others wrote, with what their rules count (`cases/lake` of the shared data: each has an `expect.md`).

use std::path::PathBuf;
use std::process::Command;

use domain::decimal::Decimal;
use domain::quality::{Bound, Check, Measured, Rule, Scalar};

use crate::support::{column, delta, nulls, rule, sql, value};

fn case(name: &str) -> Option<PathBuf> {
    crate::shared::shared(&format!("cases/lake/{name}/table")).map(|table| table.canonicalize().unwrap())
}

/// Measures the rules on version 0 of a case.
#[track_caller]
fn check<const N: usize>(name: &str, rules: [(Rule, Measured); N]) {
    check_version(name, 0, rules);
}

#[track_caller]
fn check_version<const N: usize>(name: &str, version: u64, rules: [(Rule, Measured); N]) {
    let Some(table) = case(name) else { return };
    let (rules, expected): (Vec<Rule>, Vec<Measured>) = rules.into_iter().unzip();
    let measured = delta(&table, version, rules).unwrap().inspection.measured;
    assert_eq!(measured, expected, "{name}");
}

fn range(path: &str, minimum: Option<Scalar>, maximum: Option<Scalar>) -> Rule {
    let bound = |value: Option<Scalar>| value.map(|value| Bound { value, exclusive: false });
    rule(Check::OutOfRange { column: column(path), minimum: bound(minimum), maximum: bound(maximum) })
}

fn valid(path: &str, values: Vec<Scalar>) -> Rule {
    rule(Check::InvalidValues { column: column(path), values })
}

fn unique(path: &str) -> Rule {
    rule(Check::DuplicateValues { columns: vec![column(path)] })
}

fn multiple(path: &str, divisor: f64) -> Rule {
    rule(Check::NotMultipleOf { column: column(path), divisor: Decimal::of(divisor).unwrap() })
}

fn error(reason: &str) -> Measured {
    Measured::Error(reason.to_owned())
}

#[test]
fn zeros_of_both_signs_are_equal() {
    let zero_or_one = vec![Scalar::Integer(0), Scalar::Integer(1)];
    check(
        "01-negzero-bounds",
        [(range("v", Some(Scalar::Integer(0)), None), value(0)), (valid("v", zero_or_one), value(0))],
    );
    check("03-zero-nan-keys", [(unique("v"), value(1)), (unique("w"), value(1))]);
}

#[test]
fn a_pattern_of_anything_matches_the_empty_text() {
    let anything = rule(Check::InvalidPattern { column: column("v"), pattern: ".*".to_owned() });
    check("04-pattern-dotstar", [(anything, value(0))]);
}

#[test]
fn lists_and_maps_of_another_writer_are_read() {
    check("05-list-required", [(unique("id"), value(0)), (nulls("l"), value(1))]);
    check("07-map-required", [(unique("id"), value(0)), (nulls("m"), value(1))]);
}

#[test]
fn members_of_a_null_struct_are_not_null() {
    let named = Check::NullValues { column: domain::table::ColumnPath(vec!["s".to_owned(), "b.c".to_owned()]) };
    check(
        "09-struct-required",
        [
            (nulls("s"), value(1)),
            (nulls("s.a"), value(1)),
            (unique("s.a"), value(1)),
            (range("s.a", Some(Scalar::Integer(1)), None), value(0)),
            (rule(named), value(1)),
            (nulls("s.t.d"), value(1)),
        ],
    );
}

#[test]
fn decimals_are_compared_by_their_digits() {
    let most = range("v", None, Some(Scalar::Integer(1)));
    check("10-dec3838-max", [(unique("id"), value(1)), (most, value(0))]);
    check("12-dec-multiple", [(multiple("a", 0.01), value(1)), (multiple("b", 10.0), value(1))]);
}

#[test]
fn single_precision_is_compared_as_such() {
    check(
        "14-float32-values",
        [
            (valid("a", vec![Scalar::Number(0.1), Scalar::Number(0.7)]), value(0)),
            (range("b", None, Some(Scalar::Number(0.1))), value(0)),
            (multiple("c", 0.1), value(0)),
        ],
    );
}

#[test]
fn a_query_is_exact_or_an_error() {
    let overflow = || error("a number overflows");
    check(
        "16-sql-overflow",
        [
            (sql("SELECT sum(a) FROM ${table}"), overflow()),
            (sql("SELECT max(i+i) FROM ${table}"), value(4_294_967_294_u32)),
            (sql("SELECT sum(s) FROM ${table}"), overflow()),
        ],
    );
}

#[test]
fn a_bound_is_neither_shifted_nor_cut() {
    let text = |text: &str| Some(Scalar::Text(text.to_owned()));
    check(
        "17-zoned-bounds",
        [
            (
                range("n", text("1970-01-01T00:00:00+02:00"), None),
                error("`1970-01-01T00:00:00+02:00` has a time zone, and column `n` has none"),
            ),
            (range("d", text("1970-01-01T12:00:00Z"), None), error("`1970-01-01T12:00:00Z` is not a Date32")),
        ],
    );
}

#[test]
fn a_metadata_that_is_replaced_needs_no_schema() {
    let count = sql("SELECT count(*) FROM ${table}");
    check_version("22-first-metadata-without-schema", 1, [(count, value(2)), (unique("id"), value(0))]);
}

/// Run again without the shared data, a test of it tells that it is skipped, and fails in CI.
#[test]
fn a_test_that_is_skipped_tells_so_and_fails_in_ci() {
    let run = |ci: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "cases::a_query_is_exact_or_an_error"]);
        let run = command.env("CHARTER_SHARED", "/absent").env("CI", ci).output().unwrap();
        (run.status.success(), String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned())
    };
    let (is_passed, told) = run("false");
    assert!(is_passed && told.contains("skipped: the shared test data is not at /absent/cases/lake"), "{told}");
    let (is_passed, told) = run("true");
    assert!(!is_passed && told.contains("the shared test data must be there in CI"), "{told}");
}
