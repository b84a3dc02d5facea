//! Dates and times as documents, the API and the command line write them.

use domain::clock::Timestamp;

#[test]
fn dates_and_times_are_read_as_documents_write_them() {
    let check = |text: &str, expected: &str| {
        let moment = Timestamp::parse_date_time(text);
        assert_eq!(moment.map(|moment| moment.to_string()).as_deref(), Some(expected), "{text}");
    };
    assert_eq!(Timestamp::parse_date_time("1970-01-02"), Some(Timestamp::from_seconds(86_400)));
    check("2026-12-31", "2026-12-31T00:00:00Z");
    check(" 2024-02-29 00:00:00.5Z ", "2024-02-29T00:00:00.500Z");
    check("2032-05-12T09:30:10-08:00", "2032-05-12T17:30:10Z");
    check("2026-12-31t09:30z", "2026-12-31T09:30:00Z");
    check("2026-12-31T09:30", "2026-12-31T09:30:00Z");
    check("2026-12-31T09:30:00.1234567+05:30", "2026-12-31T04:00:00.123456Z");
    check("1600-03-01T00:00:00Z", "1600-03-01T00:00:00Z");
    // What authors write for "for ever".
    check("9999-12-31", "9999-12-31T00:00:00Z");
    check("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z");
    check("9999-12-31T23:59:59-08:00", "9999-12-31T23:59:59Z");
    // Before 1970, too, what is less than a microsecond is cut off downwards.
    check("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z");
    check("0000-01-01", "0000-01-01T00:00:00Z");
}

#[test]
fn a_leap_second_is_the_second_before() {
    for text in ["2016-12-31T23:59:60Z", "2016-12-31T15:59:60-08:00", "2016-12-31T23:59:60.000Z"] {
        let before = Timestamp::parse_rfc3339("2016-12-31T23:59:59Z");
        assert_eq!((Timestamp::parse_rfc3339(text), Timestamp::parse_date_time(text)), (before, before), "{text}");
    }
    assert_eq!(Timestamp::parse_date_time("2016-12-31T23:59:61Z"), None);
}

#[test]
fn numbers_of_other_lengths_and_dates_that_do_not_exist_are_refused() {
    for wrong in [
        "",
        "soon",
        // Two digits are no year, whichever end they are at.
        "31-12-26",
        "26-12-31",
        "2026-0012-31",
        "2026-12-0031",
        "2024-1-1",
        "02026-12-31",
        "+002026-12-31",
        "-000026-12-31",
        "20261231",
        "2026-W53-4",
        "2026-365",
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "2026-12-31T",
        "2026-12-31T10",
        "2026-12-31T1030",
        "2026-12-31T1:30:00Z",
        "2026-12-31T10:30:00.Z",
        "2026-12-31T10:30.5Z",
        "2026-12-31T10:30:00,5Z",
        "2024-01-01T25:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:00+1",
        "2024-01-01T00:00:00+0100",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00Z[UTC]",
        "2024-01-01T00:00:00[Europe/Berlin]",
        "2024-01-01Z",
    ] {
        assert_eq!(Timestamp::parse_date_time(wrong), None, "{wrong}");
        assert_eq!(Timestamp::parse_rfc3339(wrong), None, "{wrong}");
    }
}

#[test]
fn rfc_3339_needs_a_time_with_seconds_and_an_offset() {
    for wrong in
        ["2026-12-31", "2026-12-31T10:30:00", "2026-12-31 10:30:00Z", "2026-12-31T10:30Z", " 2026-12-31T10:30:00Z"]
    {
        assert_eq!(Timestamp::parse_rfc3339(wrong), None, "{wrong}");
    }
    let moment = Timestamp::parse_rfc3339("2026-12-31T10:30:00.250+01:00");
    assert_eq!(moment.map(|moment| moment.to_string()).as_deref(), Some("2026-12-31T09:30:00.250Z"));
}

#[test]
fn a_time_is_written_with_the_digits_it_needs() {
    let check = |micros: i64, expected: &str| assert_eq!(Timestamp(micros).to_string(), expected);
    check(0, "1970-01-01T00:00:00Z");
    check(-1, "1969-12-31T23:59:59.999999Z");
    check(-1_000, "1969-12-31T23:59:59.999Z");
    check(951_782_400_000_000, "2000-02-29T00:00:00Z");
    check(1_500, "1970-01-01T00:00:00.001500Z");
    assert!(Timestamp(i64::MAX).to_string().starts_with("9999-12-3"), "the last that has four digits");
}
