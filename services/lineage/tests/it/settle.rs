//! From claims to edges.

use lineage::edge::{Edge, Holder, Kind, Speaker, Standing};
use lineage::observe::Ledger;
use lineage::openlineage::Event;
use lineage::resolve::{Aliases, Directory};
use lineage::settle::settle;

use crate::world::{AIRFLOW, DBT, PYTHON, SPARK, dataset, events, lines, run_event, settled, speaker, table};

fn directory(names: &[(&str, &str, u128)]) -> Directory {
    let mut directory = Directory::default();
    for (namespace, name, number) in names {
        directory.insert(dataset(namespace, name), table(*number));
    }
    directory
}

#[test]
fn real_events_of_spark_resolve_by_place() {
    let places = [("file", "/data/wh/mart/t", 1), ("", "file:///data/delta_t/", 2), ("file:/", "data/wh/mart/agg", 3)];
    let edges = lines(&settled(&events(SPARK), &directory(&places)));
    let expected = [
        "table 1 . amt -> table 3 . total (direct)",
        "table 1 . id -> table 3 . k (direct)",
        "table 1 -> table 2 (together)",
        "table 1 -> table 3 (together)",
    ];
    for line in expected {
        assert!(edges.iter().any(|edge| edge == line), "{line} is missing: {edges:#?}");
    }
    // One statement is several jobs, of which some name no output: they are no readers of their own. What changes a
    // table in place, and what drops it, is no lineage.
    let others: Vec<_> = edges.iter().filter(|line| !line.contains(" . ")).collect();
    assert_eq!(others.len(), 2, "{edges:#?}");
    assert!(edges.iter().all(|line| !line.contains("-> table 1")), "{edges:#?}");
}

#[test]
fn real_events_of_spark_resolve_by_symlink() {
    let names = [("http://127.0.0.1:18181", "mart.t", 1), ("http://127.0.0.1:18181/", "mart.agg", 3)];
    let edges = lines(&settled(&events(SPARK), &directory(&names)));
    assert!(edges.iter().any(|edge| edge == "table 1 -> table 3 (together)"), "{edges:#?}");
    assert!(edges.iter().any(|edge| edge == "table 1 -> file /data/delta_t (together)"), "{edges:#?}");
}

#[test]
fn unresolved_datasets_resolve_later() {
    let events = events(SPARK);
    let before = lines(&settled(&events, &Directory::default()));
    assert!(
        before.iter().any(|edge| edge == "file /data/wh/mart/t -> file /data/wh/mart/agg (together)"),
        "{before:#?}"
    );
    let after = lines(&settled(&events, &directory(&[("file", "/data/wh/mart/agg", 3)])));
    assert!(after.iter().any(|edge| edge == "file /data/wh/mart/t -> table 3 (together)"), "{after:#?}");
}

#[test]
fn events_of_airflow_without_datasets_are_taken_and_make_no_edges() {
    assert_eq!(settled(&events(AIRFLOW), &Directory::default()), []);
}

#[test]
fn exposures_of_dbt_use_what_they_depend_on_and_tests_do_not() {
    let edges = lines(&settled(&events(DBT), &directory(&[("postgres://db", "wh.mart.daily", 1)])));
    assert_eq!(
        edges,
        [
            "postgres://db wh.mart.orders -> table 1 (together)",
            "postgres://db wh.raw.orders -> postgres://db wh.mart.orders (together)",
            "table 1 -> job dbt exposure.shop.weekly (direct)",
        ]
    );
}

#[test]
fn a_job_that_only_tests_is_no_reader() {
    let input = r#"{"namespace":"n","name":"a"}"#;
    let reads = run_event("08:00:00", 1, "j", &format!(r#","inputs":[{input}]"#));
    let directory = Directory::default();
    assert_eq!(lines(&settled(std::slice::from_ref(&reads), &directory)), ["n a -> job jobs j (ends)"]);
    let facet = r#"{"dataQualityAssertions":{"assertions":[{"assertion":"not_null","success":false}]}}"#;
    let asserts =
        run_event("09:00:00", 2, "j", &format!(r#","inputs":[{{"namespace":"n","name":"a","inputFacets":{facet}}}]"#));
    assert_eq!(settled(&[reads.clone(), asserts], &directory), []);
    let tests = r#"{"test":{"tests":[{"name":"t","status":"pass"}]}}"#;
    let text = format!(
        r#"{{"eventTime":"2026-01-01T09:00:00Z","producer":"p","job":{{"namespace":"jobs","name":"j"}},"inputs":[{input}],
        "run":{{"runId":"00000000-0000-0000-0000-000000000002","facets":{tests}}}}}"#
    );
    assert_eq!(settled(&[Event::read(text.as_bytes()).unwrap(), reads], &directory), []);
}

#[test]
fn events_of_the_python_client_resolve_with_columns_designs_and_symlinks_of_datasets() {
    let names = [
        ("s3://lake", "sales/orders", 1),
        ("http://charter:8080", "sales.daily", 2),
        ("http://charter:8080", "sales.export", 3),
    ];
    assert_eq!(
        lines(&settled(&events(PYTHON), &directory(&names))),
        [
            "table 1 -> table 2 (together)",
            "table 1 . id -> table 2 . n (direct)",
            "table 1 . status -> table 2 (indirect)",
            "table 1 . who.mail -> table 2 . mail (masked)",
            "table 2 -> table 3 (together)",
        ]
    );
}

#[test]
fn explicit_lineage_replaces_what_was_merely_read_in_the_same_run() {
    let io = r#","inputs":[{"namespace":"n","name":"a"},{"namespace":"n","name":"b"}],"outputs":[{"namespace":"n","name":"c"}"#;
    let read = run_event("08:00:00", 1, "j", &format!("{io}]"));
    let with = |facet: &str| {
        let text = format!(r#"{},"facets":{{"lineage":{facet}}}}}]"#, &io[..io.len() - 1]);
        run_event("09:00:00", 1, "j", &text)
    };
    let source = r#"{"namespace":"n","name":"a","type":"DATASET"}"#;
    let only = with(&format!(
        r#"{{"inputs":[{source}],"fields":{{"x":{{"inputs":[{{"namespace":"n","name":"a","type":"DATASET","field":"y"}}]}}}}}}"#
    ));
    let directory = Directory::default();
    let expected = ["n a -> n c (direct)", "n a . y -> n c . x (direct)", "n b -> job jobs j (ends)"];
    assert_eq!(lines(&settled(&[read.clone(), only.clone()], &directory)), expected);
    assert_eq!(lines(&settled(&[only, read.clone()], &directory)), expected);
    // An empty list says that there is no source.
    let none = lines(&settled(&[read, with(r#"{"inputs":[]}"#)], &directory));
    assert_eq!(none, ["n a -> job jobs j (ends)", "n b -> job jobs j (ends)"]);
}

#[test]
fn explicit_lineage_of_a_job_names_datasets_and_jobs() {
    let entries = r#"[{"type":"DATASET","namespace":"n","name":"c","inputs":[{"type":"DATASET","namespace":"n","name":"a","field":"k"},{"type":"JOB"}]},
        {"type":"JOB","inputs":[{"type":"DATASET","namespace":"n","name":"b"}]},{"type":"JOB","namespace":"bi","name":"report","inputs":[{"type":"DATASET","namespace":"n","name":"c"}]}]"#;
    let text = format!(
        r#"{{"eventTime":"2026-01-01T08:00:00Z","producer":"p","schemaURL":"s","job":{{"namespace":"jobs","name":"j","facets":{{"lineage":{{"entries":{entries}}}}}}}}}"#
    );
    let event = Event::read(text.as_bytes()).unwrap();
    assert_eq!(
        lines(&settled(&[event], &Directory::default())),
        [
            "job jobs j -> n c (direct)",
            "n a . k -> n c (indirect)",
            "n b -> job jobs j (direct)",
            "n c -> job bi report (direct)",
        ]
    );
}

#[test]
fn a_job_without_outputs_is_a_reader_under_the_name_of_its_application() {
    let parent = |application: &str| {
        format!(
            r#"{{"runId":"00000000-0000-0000-0000-000000000001","facets":{{"parent":{{"run":{{"runId":"x"}},"job":{{"namespace":"jobs","name":"{application}"}}}}}}}}"#
        )
    };
    let event = |job: &str, application: &str, outputs: &str| {
        let text = format!(
            r#"{{"eventTime":"2026-01-01T08:00:00Z","producer":"p","schemaURL":"s","run":{},"job":{{"namespace":"jobs","name":"{job}"}},
            "inputs":[{{"namespace":"n","name":"a"}}],"outputs":[{outputs}]}}"#,
            parent(application)
        );
        Event::read(text.as_bytes()).unwrap()
    };
    let directory = Directory::default();
    let reads = event("notebook.collect", "notebook", "");
    assert_eq!(lines(&settled(std::slice::from_ref(&reads), &directory)), ["n a -> job jobs notebook (ends)"]);
    let writes = event("notebook.write", "notebook", r#"{"namespace":"n","name":"b"}"#);
    assert_eq!(lines(&settled(&[reads.clone(), writes], &directory)), ["n a -> n b (together)"]);
    let of_another = event("other.write", "other", r#"{"namespace":"n","name":"b"}"#);
    let both = ["n a -> job jobs notebook (ends)", "n a -> n b (together)"];
    assert_eq!(lines(&settled(&[reads, of_another], &directory)), both);
}

#[test]
fn a_file_inside_of_a_table_is_the_table() {
    let directory = directory(&[("s3://lake", "sales/orders", 1)]);
    let find = |name: &str| directory.find(&dataset("s3a://lake", name));
    for name in ["sales/orders", "sales/orders/day=1/part-0.parquet", "sales/orders/*.parquet"] {
        assert_eq!(find(name), Some(table(1)), "{name}");
    }
    for name in ["sales", "sales/orders_eu", "sales/orders_eu/part-0.parquet", "/", "sales/orders/../secret"] {
        assert_eq!(find(name), None, "{name}");
    }
    assert_eq!(directory.find(&dataset("s3://other", "sales/orders")), None);
}

#[test]
fn a_name_that_means_several_tables_means_none() {
    let mut directory = directory(&[("c", "t", 1), ("c", "u", 2), ("s3://lake", "t", 3)]);
    let mut aliases = Aliases::default();
    aliases.insert(dataset("x", "d"), dataset("c", "t"));
    assert_eq!(directory.resolve(&dataset("x", "d"), &aliases), Some(table(1)));
    aliases.insert(dataset("x", "d"), dataset("c", "u"));
    assert_eq!(directory.resolve(&dataset("x", "d"), &aliases), None, "two aliases that disagree");
    aliases.insert(dataset("s3://lake", "t"), dataset("c", "t"));
    assert_eq!(directory.resolve(&dataset("s3://lake", "t"), &aliases), Some(table(3)), "its own name comes first");
    directory.insert(dataset("c", "t"), table(1));
    assert_eq!(directory.find(&dataset("c", "t")), Some(table(1)), "given twice");
    directory.insert(dataset("c", "t"), table(9));
    directory.insert(dataset("c", "t"), table(1));
    assert_eq!(directory.find(&dataset("c", "t")), None, "two tables of one name");
}

#[test]
fn a_speaker_cannot_move_what_another_says() {
    let alias = r#"{"eventTime":"2026-01-01T08:00:00Z","producer":"p","schemaURL":"s","dataset":{"namespace":"n","name":"b",
        "facets":{"symlinks":{"identifiers":[{"namespace":"c","name":"t","type":"TABLE"}]}}}}"#;
    let writes = run_event(
        "08:00:00",
        1,
        "j",
        r#","inputs":[{"namespace":"n","name":"a"}],"outputs":[{"namespace":"n","name":"b"}]"#,
    );
    let mut ledger = Ledger::default();
    ledger.apply(speaker(1), &writes).unwrap();
    ledger.apply(speaker(2), &writes).unwrap();
    ledger.apply(speaker(2), &Event::read(alias.as_bytes()).unwrap()).unwrap();
    let directory = directory(&[("c", "t", 7)]);
    let edges = |by: Speaker| -> Vec<Edge> {
        let said: Vec<_> = ledger.claims(by).collect();
        settle(by, &said, &directory).into_keys().collect()
    };
    assert_eq!(lines(&edges(speaker(1))), ["n a -> n b (together)"]);
    assert_eq!(lines(&edges(speaker(2))), ["n a -> table 7 (together)"]);
    // Both say it, and neither replaces the other: the source is a part of the edge.
    let both = [edges(speaker(1)), edges(speaker(2))].concat();
    assert_eq!(
        both.iter().map(|edge| (edge.speaker, edge.kind)).collect::<Vec<_>>(),
        [(speaker(1), Kind::Observed), (speaker(2), Kind::Observed)]
    );
    assert_eq!(both[1].to.holder, Holder::Table(table(7)));
}

#[test]
fn an_edge_into_another_domains_table_is_a_claim() {
    assert_eq!(Standing::of(Some(true)), Standing::Own);
    assert_eq!(Standing::of(Some(false)), Standing::Claim);
    assert_eq!(Standing::of(None), Standing::Own, "no domain owns the target");
}
