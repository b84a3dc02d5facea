//! The flights of 2013: every figure of `expected.json`, at each version.

use domain::clock::Timestamp;
use domain::inspection::Inspection;
use domain::quality::{Bound, Check, Measured, Rule, Scalar, Unit};
use domain::table::{PhysicalColumn, PhysicalType};
use serde_json::Value;

use crate::support::{column, delta, folder, nulls, rule, shared, sql, value};

fn expected() -> Option<(std::path::PathBuf, Value)> {
    let data = shared()?;
    let text = std::fs::read_to_string(data.join("expected.json")).unwrap();
    Some((data, serde_json::from_str(&text).unwrap()))
}

/// One rule for each column: how many nulls?
fn null_rules(expected: &Value) -> Vec<Rule> {
    expected["columns"].as_array().unwrap().iter().map(|name| nulls(name.as_str().unwrap())).collect()
}

fn check_rows_columns_and_nulls(expected: &Value, inspection: &Inspection, context: &str) {
    let names: Vec<&str> = inspection.schema.columns.iter().map(|column| column.name.as_str()).collect();
    let columns: Vec<&str> =
        expected["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(inspection.n_rows, expected["rows"].as_u64().unwrap(), "{context}");
    assert_eq!(names, columns, "{context}");
    for (name, measured) in columns.iter().zip(&inspection.measured) {
        assert_eq!(*measured, value(expected["nulls"][name].as_f64().unwrap_or(0.0)), "{context}: nulls of {name}");
    }
}

#[test]
fn each_delta_version_is_as_expected() {
    let Some((data, expected)) = expected() else { return };
    for (table, facts) in expected["delta"].as_object().unwrap() {
        for (version, facts_of_version) in facts["versions"].as_object().unwrap() {
            let context = format!("{table} at {version}");
            let mut rules = null_rules(facts_of_version);
            rules.push(sql("SELECT count(*) FROM ${table}"));
            if facts_of_version.get("sum_distance").is_some() {
                rules.push(sql("SELECT sum(distance) FROM ${object}"));
            }
            let root = data.join("delta").join(table);
            let found = delta(&root, version.parse().unwrap(), rules).unwrap().inspection;
            check_rows_columns_and_nulls(facts_of_version, &found, &context);
            let n_columns = facts_of_version["columns"].as_array().unwrap().len();
            assert_eq!(found.measured[n_columns], value(found.n_rows as f64), "{context}");
            if let Some(sum) = facts_of_version.get("sum_distance") {
                assert_eq!(found.measured[n_columns + 1], value(sum.as_f64().unwrap()), "{context}");
                assert_eq!(found.files.len() as u64, facts_of_version["files"].as_u64().unwrap(), "{context}");
            }
            let partitioned_by = facts["partitioned_by"].as_array().cloned().unwrap_or_default();
            assert_eq!(found.schema.partitioned_by, partitioned_by, "{context}");
        }
    }
}

#[test]
fn each_parquet_file_is_as_expected() {
    let Some((data, expected)) = expected() else { return };
    for (table, facts) in expected["parquet"].as_object().unwrap() {
        let root = tempfile::TempDir::new().unwrap();
        std::fs::copy(data.join(format!("parquet/{table}.parquet")), root.path().join("part.parquet")).unwrap();
        let found = folder(root.path(), null_rules(facts)).unwrap().inspection;
        check_rows_columns_and_nulls(facts, &found, table);
    }
}

#[test]
fn the_bad_batch_is_found_and_its_going_too() {
    let Some((data, _)) = expected() else { return };
    let rules = || {
        vec![
            nulls("carrier"),
            rule(Check::InvalidValues { column: column("dest"), values: destinations() }),
            rule(Check::OutOfRange {
                column: column("distance"),
                minimum: Some(Bound { value: Scalar::Integer(0), exclusive: true }),
                maximum: None,
            }),
            rule(Check::DuplicateValues { columns: ["time_hour", "carrier", "flight", "origin"].map(column).to_vec() }),
            Rule { unit: Unit::Percent, ..nulls("carrier") },
            rule(Check::OutOfRange {
                column: column("time_hour"),
                minimum: Some(Bound { value: Scalar::Text("2013-01-01T10:00:00Z".to_owned()), exclusive: false }),
                maximum: Some(Bound { value: Scalar::Text("2013-12-02T04:00:00Z".to_owned()), exclusive: true }),
            }),
        ]
    };
    let root = data.join("delta/flights");
    let bad = delta(&root, 3, rules()).unwrap().inspection;
    let percent = value(150.0 * 100.0 / 309_391.0);
    assert_eq!(bad.measured[..5], [value(150), value(150), value(150), value(150), percent]);
    assert_eq!(bad.committed_at, Timestamp::from_millis(1_795_202_100_686));
    let good = delta(&root, 4, rules()).unwrap().inspection;
    assert_eq!(good.measured, vec![value(0); 6]);
    let Measured::Value(late) = bad.measured[5] else { panic!("{:?}", bad.measured[5]) };
    assert!(late > 0.0, "the bad batch reaches to the bound itself, which is outside");
}

/// The airports that flights went to before the bad batch: the four unknown to `airports` are good here.
fn destinations() -> Vec<Scalar> {
    "ABQ ACK ALB ANC ATL AUS AVL BDL BGR BHM BNA BOS BQN BTV BUF BUR BWI BZN CAE CAK CHO CHS CLE CLT CMH CRW CVG DAY \
     DCA DEN DFW DSM DTW EGE EYW FLL GRR GSO GSP HDN HNL HOU IAD IAH ILM IND JAC JAX LAS LAX LEX LGA LGB MCI MCO MDW \
     MEM MHT MIA MKE MSN MSP MSY MTJ MVY MYR OAK OKC OMA ORD ORF PBI PDX PHL PHX PIT PSE PSP PVD PWM RDU RIC ROC RSW \
     SAN SAT SAV SBN SDF SEA SFO SJC SJU SLC SMF SNA SRQ STL STT SYR TPA TUL TVC TYS XNA"
        .split(' ')
        .map(|code| Scalar::Text(code.to_owned()))
        .collect()
}

#[test]
fn types_are_those_of_the_log() {
    let Some((data, _)) = expected() else { return };
    let found = delta(&data.join("delta/weather"), 1, Vec::new()).unwrap().inspection;
    let of = |name: &str| found.schema.columns.iter().find(|column| column.name == name).cloned();
    let typed =
        |name: &str, physical_type| Some(PhysicalColumn { name: name.to_owned(), physical_type, nullable: true });
    assert_eq!(of("origin"), typed("origin", PhysicalType::String));
    assert_eq!(of("temp"), typed("temp", PhysicalType::Float { bits: 64 }));
    assert_eq!(of("time_hour"), typed("time_hour", PhysicalType::Timestamp { zoned: true }));
}

#[test]
fn partition_values_are_columns_like_others() {
    let Some((data, _)) = expected() else { return };
    let rules = vec![
        sql("SELECT count(*) FROM ${table} WHERE origin = 'EWR'"),
        sql("SELECT count(DISTINCT origin) FROM ${table}"),
        rule(Check::DuplicateValues { columns: vec![column("origin")] }),
        // The clock change repeats an hour at each of the three airports.
        rule(Check::DuplicateValues { columns: ["origin", "year", "month", "day", "hour"].map(column).to_vec() }),
    ];
    let found = delta(&data.join("delta/weather"), 1, rules).unwrap().inspection;
    assert_eq!(found.measured, [value(8_703), value(3), value(26_112), value(3)]);
    assert!(found.files.iter().all(|file| file.path.starts_with("origin=")), "{:?}", found.files);
}
