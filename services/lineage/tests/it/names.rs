//! One spelling for each dataset.

use lineage::name::{Dataset, Error, Job, MAX_NAME_BYTES};
use proptest::prelude::*;

use crate::world::dataset;

#[test]
fn a_place_has_one_spelling() {
    let same: &[&[(&str, &str)]] = &[
        &[
            ("file", "/data/t"),
            ("file", "data/t/"),
            ("file:", "/data/t"),
            ("file://", "/data/t"),
            ("file:/data", "t"),
            ("file:///data/", "t"),
            ("file://localhost/", "data//t/"),
            ("", "file:/data/t"),
            ("", "file:///data/./t"),
            ("FILE:///", "/data/t"),
        ],
        &[
            ("s3://lake", "sales/orders"),
            ("s3a://lake", "/sales/orders/"),
            ("s3n://lake/sales", "orders"),
            ("s3://LAKE/", "sales/orders"),
            ("s3://key:secret@lake", "sales/orders"),
            ("", "s3a://lake/sales/orders"),
            ("ignored", "s3://lake/sales/orders"),
        ],
        &[("gs://lake", "a"), ("gcs://lake", "a/"), ("", "gs://lake/a")],
        &[
            ("abfss://raw@acme.dfs.core.windows.net", "a/b"),
            ("abfs://raw@acme.dfs.core.windows.net/", "/a/b"),
            ("wasbs://raw@ACME.blob.core.windows.net", "a/b"),
        ],
        &[("hdfs://namenode:8020", "/a/b"), ("hdfs://NameNode", "a/b"), ("", "hdfs://namenode/a/b")],
        &[("dbfs", "/mnt/a"), ("", "dbfs:/mnt/a")],
        &[("s3://lake", "/"), ("s3://lake", ""), ("", "s3://lake/")],
        &[
            ("postgres://db:5432", "shop.public.t"),
            ("postgres://DB", "shop.public.t"),
            ("postgres://u:p@db/", "shop.public.t"),
        ],
        &[("http://charter:80/", "sales.t"), ("http://charter", "sales.t")],
    ];
    for group in same {
        let spellings: Vec<_> = group.iter().map(|(namespace, name)| dataset(namespace, name)).collect();
        for spelling in &spellings {
            assert_eq!(*spelling, spellings[0], "{group:?}");
        }
    }
    let others: Vec<_> = same.iter().map(|group| dataset(group[0].0, group[0].1)).collect();
    for (place, one) in others.iter().enumerate() {
        assert!(!others[place + 1..].contains(one), "{one}");
    }
}

#[test]
fn names_without_a_store_stay_as_they_are() {
    for (namespace, name) in
        [("bigquery", "p.d.T"), ("snowflake://org-acc", "DB.S.T"), ("", "T"), ("http://c:18181", "mart.t")]
    {
        let dataset = dataset(namespace, name);
        assert_eq!((dataset.namespace(), dataset.name(), dataset.is_place()), (namespace, name, false));
    }
    // Not a place that could lie in a folder of ours.
    assert!(!dataset("s3://lake", "sales/../hr").is_place());
}

#[test]
fn credentials_are_left_out_of_names() {
    for namespace in [
        "postgres://user:pass@db",
        "s3://key:pass@lake",
        "mysql://user@db:3306",
        "https://a:pass@c/x",
        "abfss://user:pass@acme",
    ] {
        let dataset = dataset(namespace, "t");
        assert!(!dataset.to_string().contains("pass") && !dataset.to_string().contains("user"), "{dataset}");
    }
}

#[test]
fn names_out_of_bounds_are_refused() {
    let long = "a".repeat(MAX_NAME_BYTES + 1);
    assert_eq!(Dataset::new("n", &long), Err(Error::TooLong));
    assert_eq!(Dataset::new(&long, "n"), Err(Error::TooLong));
    assert_eq!(Dataset::new("n", " "), Err(Error::Empty));
    assert_eq!(Dataset::new("n", "a\0b"), Err(Error::Control));
    assert_eq!(Job::new("n", ""), Err(Error::Empty));
    assert_eq!(Job::new("n\n", "a").map(|job| job.namespace().to_owned()), Ok("n".to_owned()));
    assert_eq!(Job::new("n", "a\u{7}"), Err(Error::Control));
}

proptest! {
    #[test]
    fn a_name_in_its_one_spelling_stays_so(
        namespace in "(s3a?|file|hdfs|postgres|http|dbfs|abfss)?:?/{0,3}[aA.@:/0-9]{0,8}",
        name in "[aB./]{0,10}",
    ) {
        if let Ok(dataset) = Dataset::new(&namespace, &name) {
            prop_assert_eq!(Dataset::new(dataset.namespace(), dataset.name()), Ok(dataset));
        }
    }
}
