//! What is said comes back the same, and what nobody may say is refused.

use std::collections::BTreeSet;
use std::path::PathBuf;

use domain::clock::Timestamp;
use domain::column_reads::{Chunk, FileChunks};
use domain::decimal::Decimal;
use domain::inspection::{Inspection, InspectionJob, Kept, KeptFile};
use domain::quality::{Bound, Check, Measured, Operator, Rule, Scalar, Severity, Unit};
use domain::table::{
    ColumnPath, FileDigest, Format, InspectionRead, PhysicalColumn, PhysicalSchema, PhysicalType, PinnedFile,
    ReaderProtocol, SnapshotKey,
};
use inspect::wire::{
    Inspected, Job, Limits, MAX_CHUNKS_BYTES, MAX_COLUMNS, MAX_FILE_BYTES, MAX_HEAD_BYTES, MAX_REPORT_BYTES,
    MAX_TEXT_CHARS, Malformed, Outcome, Report, ReportReader, Sandbox,
};

const LIMITS: Limits =
    Limits { memory_bytes: 1 << 30, cpu_seconds: 60, query_seconds: 15, server: 1, sandbox_required: true };

fn column(name: &str) -> ColumnPath {
    ColumnPath(vec![name.to_owned(), "member".to_owned()])
}

fn rule(check: Option<Check>, operator: Operator) -> Rule {
    Rule {
        key: "a/b".to_owned(),
        check,
        operator,
        unit: Unit::Percent,
        severity: Severity::Warning,
        title: "A rule".to_owned(),
    }
}

fn every_rule() -> Vec<Rule> {
    let scalars = vec![
        Scalar::Text("ß".to_owned()),
        Scalar::Integer(i64::MIN),
        Scalar::Integer(9_007_199_254_740_993),
        Scalar::Number(0.1),
        Scalar::Decimal("12345678901234567890.12".parse().unwrap()),
        Scalar::Boolean(true),
    ];
    let bound = |exclusive| Some(Bound { value: Scalar::Number(0.5), exclusive });
    let checks = [
        Check::NullValues { column: column("a") },
        Check::MissingValues { column: column("a"), values: scalars.clone() },
        Check::InvalidValues { column: column("a"), values: scalars },
        Check::InvalidPattern { column: column("a"), pattern: "^a\"\\d$".to_owned() },
        Check::OutOfRange { column: column("a"), minimum: bound(true), maximum: bound(false) },
        Check::OutOfRange { column: column("a"), minimum: None, maximum: None },
        Check::Length { column: column("a"), minimum: Some(u64::MAX), maximum: None },
        Check::NotMultipleOf { column: column("a"), divisor: Decimal::of(0.01).unwrap() },
        Check::DuplicateValues { columns: vec![column("a"), column("b")] },
        Check::RowCount,
        Check::Sql { query: "SELECT 1".to_owned() },
    ];
    let operators = [
        Operator::MustBe(0.0),
        Operator::MustNotBe(1.5),
        Operator::MustBeGreaterThan(-1.0),
        Operator::MustBeGreaterOrEqualTo(1e300),
        Operator::MustBeLessThan(2.0),
        Operator::MustBeLessOrEqualTo(3.0),
        Operator::MustBeBetween(1.0, 2.0),
        Operator::MustNotBeBetween(1.0, 2.0),
    ];
    let checks = checks.into_iter().map(Some).chain([None]);
    checks.zip(operators.into_iter().cycle()).map(|(check, operator)| rule(check, operator)).collect()
}

fn job() -> InspectionJob {
    InspectionJob {
        format: Format::Delta,
        root: PathBuf::from("/lake/a b"),
        snapshot: Some(SnapshotKey::DeltaVersion(u64::MAX)),
        rules: every_rule(),
        digests: false,
        kept: kept(),
        scratch: PathBuf::from("/scratch"),
    }
}

fn leaf(name: &str, physical_type: PhysicalType) -> PhysicalColumn {
    PhysicalColumn { name: name.to_owned(), physical_type, nullable: true }
}

fn kept() -> Kept {
    let file = |byte, counts: [u64; 2]| KeptFile { file: FileDigest([byte; 32]), counts: counts.to_vec() };
    Kept {
        checks: vec![FileDigest([1; 32]), FileDigest([2; 32])],
        files: vec![file(3, [0, u64::MAX]), file(4, [1, 2])],
    }
}

fn chunks(of: &[(u64, u64, Option<u32>)]) -> Option<FileChunks> {
    FileChunks::new(of.iter().map(|(start, end, column)| Chunk { start: *start, end: *end, column: *column }).collect())
}

fn inspection(job: &InspectionJob) -> Inspection {
    let types = [
        PhysicalType::Boolean,
        PhysicalType::Integer { bits: 8, signed: false },
        PhysicalType::Float { bits: 16 },
        PhysicalType::Decimal { precision: 38, scale: -2 },
        PhysicalType::String,
        PhysicalType::Binary,
        PhysicalType::Date,
        PhysicalType::Time,
        PhysicalType::Timestamp { zoned: true },
        PhysicalType::Struct(vec![leaf("x", PhysicalType::List(Box::new(leaf("element", PhysicalType::Date))))]),
        PhysicalType::Map {
            key: Box::new(leaf("key", PhysicalType::String)),
            value: Box::new(leaf("value", PhysicalType::Boolean)),
        },
        PhysicalType::Other("variant".to_owned()),
    ];
    Inspection {
        snapshot: SnapshotKey::DeltaVersion(u64::MAX),
        committed_at: Timestamp(-1),
        schema: PhysicalSchema {
            columns: types.into_iter().map(|physical_type| leaf("c", physical_type)).collect(),
            partitioned_by: vec!["c".to_owned()],
            protocol: ReaderProtocol { version: 3, features: BTreeSet::from(["deletionVectors".to_owned()]) },
        },
        n_rows: u64::MAX,
        files: vec![file("a b/part.parquet"), file("b")],
        chunks: Some(vec![chunks(&[(4, 10, Some(0)), (10, 30, None), (40, u64::MAX, Some(11))]), None]),
        checkpoint: Some(PathBuf::from("/scratch/checkpoint.parquet")),
        measured: [Measured::Value(0.1), Measured::Error("no".to_owned()), Measured::NotRun]
            .into_iter()
            .cycle()
            .take(job.rules.len())
            .collect(),
        kept: kept(),
        read: InspectionRead { n_files: 1, n_bytes: u64::MAX, n_rows: 2, n_files_known: 3, n_proven: 4 },
        engine: "engine".to_owned(),
    }
}

fn written(report: &Report) -> Vec<u8> {
    let mut bytes = Vec::new();
    report.write(&mut bytes).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Report, Malformed> {
    let mut reader = ReportReader::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        reader.line(line)?;
    }
    reader.end()
}

/// The report of an inspection of these files.
fn report_of(files: Vec<PinnedFile>) -> Vec<u8> {
    let inspection = Inspection { files, chunks: None, ..inspection(&job()) };
    let outcome = Outcome::Inspected(Box::new(Inspected::from_domain(inspection).unwrap()));
    written(&Report { sandbox: Sandbox::Full, outcome })
}

fn file(path: &str) -> PinnedFile {
    let ctime_ns = Some(i64::MIN);
    PinnedFile { path: path.to_owned(), size_bytes: u64::MAX, mtime_ns: -1, inode: 7, ctime_ns, digest: None }
}

#[test]
fn a_job_comes_back_the_same() {
    let json = Job::from_domain(&job(), LIMITS).unwrap().to_json().unwrap();
    let back = Job::from_json(&json).unwrap();
    assert_eq!(back.limits, LIMITS);
    assert_eq!(back.into_domain().unwrap(), job());
}

#[test]
fn a_report_comes_back_the_same() {
    let inspection = inspection(&job());
    let outcome = Outcome::Inspected(Box::new(Inspected::from_domain(inspection.clone()).unwrap()));
    let report = Report { sandbox: Sandbox::Partial, outcome };
    let back = read(&written(&report)).unwrap();
    assert_eq!(back.sandbox, Sandbox::Partial);
    let Outcome::Inspected(back) = back.outcome else { panic!("{report:?}") };
    assert_eq!(back.into_domain(&job()).unwrap(), inspection);
}

#[test]
fn a_malformed_job_is_refused() {
    let refused = |change: fn(&mut InspectionJob)| {
        let mut job = job();
        change(&mut job);
        let told = Job::from_domain(&job, LIMITS).and_then(Job::into_domain);
        assert!(told.is_err(), "{told:?}");
    };
    refused(|job| job.root = PathBuf::from("lake"));
    refused(|job| job.scratch = PathBuf::from("scratch"));
    refused(|job| job.snapshot = None);
    refused(|job| job.format = Format::Parquet);
    refused(|job| job.snapshot = Some(SnapshotKey::ParquetDigest("0".repeat(64))));
    refused(|job| job.rules[0].operator = Operator::MustBe(f64::NAN));
}

#[test]
fn a_report_that_no_worker_may_give_is_refused() {
    let refused = |change: fn(&mut Inspection)| {
        let mut inspection = inspection(&job());
        change(&mut inspection);
        let told = Inspected::from_domain(inspection).and_then(|inspected| inspected.into_domain(&job()));
        assert!(told.is_err(), "{told:?}");
    };
    refused(|inspection| inspection.snapshot = SnapshotKey::DeltaVersion(1));
    refused(|inspection| inspection.measured.truncate(1));
    for paths in [["b", "a"], ["a", "a"]] {
        assert!(read(&report_of(paths.map(file).to_vec())).is_err(), "{paths:?}");
    }
    for path in ["../a", "/a", "a//b", "a/./b", "a/..", "", "a\0b"] {
        assert!(read(&report_of(vec![file(path)])).is_err(), "{path}");
    }
    refused(|inspection| {
        inspection.schema.columns = (0..=MAX_COLUMNS).map(|_| leaf("c", PhysicalType::Boolean)).collect();
    });
    refused(|inspection| {
        let deep = (0..40).fold(PhysicalType::Boolean, |inner, _| PhysicalType::List(Box::new(leaf("e", inner))));
        inspection.schema.columns = vec![leaf("c", deep)];
    });
}

#[test]
fn what_is_unknown_missing_or_too_long_is_refused() {
    let json = String::from_utf8(Job::from_domain(&job(), LIMITS).unwrap().to_json().unwrap()).unwrap();
    assert!(Job::from_json(json.replacen('{', r#"{"more":1,"#, 1).as_bytes()).is_err());
    assert!(Job::from_json(json.replacen(r#""cpu_seconds":60,"#, "", 1).as_bytes()).is_err());
    assert!(Job::from_json(b"[]").is_err());
    let report = r#"{"sandbox":"full","outcome":{"unreadable":{"reason":"x"}}}"#;
    assert!(read(report.replace(r#""x"}"#, r#""x"},"inspected":{}"#).as_bytes()).is_err());
    assert!(read(report.replace(r#""sandbox":"full","#, "").as_bytes()).is_err());
    assert!(read(report.replace("full", "whole").as_bytes()).is_err());
    assert!(read(format!("{report} ").as_bytes()).is_ok());
    assert!(read(format!("{report} {{}}").as_bytes()).is_err());
    assert!(read(format!("{report}\n{report}\n").as_bytes()).is_err());
    assert!(read(b"").is_err());
    let mut long = report.as_bytes().to_vec();
    long.resize(MAX_HEAD_BYTES, b' ');
    assert!(read(&long).is_ok());
    long.push(b' ');
    assert!(read(&long).is_err());
}

#[test]
fn a_report_is_read_in_bounded_lines_and_has_an_end() {
    let whole = report_of(vec![file("a"), file("b")]);
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    assert!(read(&lines[..2].concat()).is_err(), "cut off");
    assert!(read(&[whole.as_slice(), lines[2]].concat()).is_err(), "longer than it says");
    assert!(read(&whole).is_ok());

    assert!(read(&report_of(vec![file(&"k".repeat(MAX_FILE_BYTES))])).is_err(), "a line too long");
    // Long paths, of which the allowed number is longer than the allowed report.
    let paths = (0..MAX_REPORT_BYTES / 1_000).map(|number| file(&format!("{number:08}{}", "k".repeat(1_000))));
    let told = read(&report_of(paths.collect())).unwrap_err().to_string();
    assert!(told.contains("bytes in a line, more than"), "{told}");
}

#[test]
fn files_have_digests_where_the_job_asks_for_them_and_nowhere_else() {
    let read = |digest: Option<FileDigest>, digests: bool| {
        let job = InspectionJob { digests, ..job() };
        let files = vec![PinnedFile { digest, ..file("a") }];
        let told =
            Inspected::from_domain(Inspection { files, chunks: None, ..inspection(&job) }).unwrap().into_domain(&job);
        told.map(|inspection| inspection.files[0].digest)
    };
    let digest = Some(FileDigest([0xa5; 32]));
    assert_eq!(read(digest, true).unwrap(), digest);
    assert_eq!(read(None, false).unwrap(), None);
    assert!(read(None, true).is_err());
    assert!(read(digest, false).is_err());
}

#[test]
fn texts_of_a_report_are_cut() {
    let mut found = inspection(&job());
    found.measured[0] = Measured::Error("ß".repeat(MAX_TEXT_CHARS + 1));
    found.engine = "e".repeat(MAX_TEXT_CHARS + 1);
    let cut = Inspected::from_domain(found).unwrap().into_domain(&job()).unwrap();
    assert_eq!(cut.measured[0], Measured::Error("ß".repeat(MAX_TEXT_CHARS)));
    assert_eq!(cut.engine.len(), MAX_TEXT_CHARS);
}

#[test]
fn chunks_of_files_come_after_the_counts_and_are_checked() {
    let outcome = Outcome::Inspected(Box::new(Inspected::from_domain(inspection(&job())).unwrap()));
    let bytes = written(&Report { sandbox: Sandbox::Full, outcome });
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let [head @ .., first, second] = &lines[..] else { panic!("two files") };
    assert_eq!(first, b"[1,4,6,0,0,20,12,10,18446744073709551575]\n");
    assert_eq!(second, b"null\n");
    let with = |last: &[&[u8]]| {
        let report = read(&[head.concat(), last.concat()].concat())?;
        let Outcome::Inspected(inspected) = report.outcome else { panic!("another outcome") };
        inspected.into_domain(&job())
    };
    assert_eq!(with(&[first, second]).unwrap().chunks, inspection(&job()).chunks);
    let refused: [(&[&[u8]], &str); 7] = [
        (&[first], "truncated"),
        (&[first, second, second], "continues after its end"),
        (&[b"[1,4]\n", second], "the chunks of a file are none"),
        (&[b"[1,4,0]\n", second], "the chunks of a file are none"),
        (&[b"[1,18446744073709551615,1]\n", second], "the chunks of a file are none"),
        (&[b"[4294967297,4,1]\n", second], "the chunks of a file are none"),
        (&[b"[-1,4,1]\n", second], "invalid JSON"),
    ];
    for (last, why) in refused {
        let told = with(last).unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    }
    let long = [b"[".as_slice(), &b" ".repeat(MAX_CHUNKS_BYTES), b"]\n"].concat();
    assert!(with(&[&long, second]).unwrap_err().to_string().contains("bytes in a line, more than"));
    let mut without = inspection(&job());
    without.chunks = None;
    let back = Inspected::from_domain(without).unwrap().into_domain(&job()).unwrap();
    assert_eq!(back.chunks, None);
}
