//! Reading events: real ones of Spark, Airflow, dbt and the Python client, and wrong ones.

use domain::clock::Timestamp;
use lineage::name;
use lineage::openlineage::{
    Error, Event, Facet, MAX_AHEAD, MAX_BATCH_EVENTS, MAX_DATASETS, MAX_EVENT_BYTES, MAX_PAIRS, MAX_STATEMENTS,
    Problem, Source, Subject, Transition,
};

use crate::world::{AIRFLOW, DBT, PYTHON, SPARK, dataset, events};

const HEAD: &str = r#""eventTime":"2026-01-01T00:00:00Z","producer":"p","schemaURL":"s""#;
const JOB: &str = r#""job":{"namespace":"n","name":"j"}"#;

fn read(rest: &str) -> Result<Event, Error> {
    Event::read(format!("{{{HEAD},{rest}}}").as_bytes())
}

/// The place and the problem of an event that cannot be read.
fn wrong(rest: &str) -> (String, Problem) {
    match read(rest) {
        Err(Error::At { place, problem }) => (place, problem),
        other => panic!("{rest}: {other:?}"),
    }
}

#[test]
fn real_events_are_read() {
    for (lines, n_events) in [(SPARK, 20), (AIRFLOW, 3), (PYTHON, 4), (DBT, 10)] {
        let events = events(lines);
        assert_eq!(events.len(), n_events);
        let array = format!("[{}]", lines.lines().collect::<Vec<_>>().join(","));
        let batch: Result<Vec<_>, _> = Event::read_batch(array.as_bytes()).unwrap().into_iter().collect();
        assert_eq!(batch.unwrap(), events, "a batch is read as its events are");
    }
}

#[test]
fn the_facets_of_a_run_of_spark_are_read() {
    let events = events(SPARK);
    let Subject::Run(run) = &events[10].subject else { panic!("{:?}", events[10].subject) };
    assert_eq!(run.transition, Some(Transition::Complete));
    assert_eq!(run.parent.as_ref().map(|job| job.name()), Some("pyspark_shell"));
    let input = &run.design.inputs[0];
    assert_eq!(input.dataset, dataset("file", "/data/wh/mart/t"));
    assert_eq!(input.symlinks, Facet::Given(vec![dataset("http://127.0.0.1:18181", "mart.t")]));
    let fields: Vec<_> = input.schema.given().unwrap().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(fields, ["id", "name", "amt", "note", "_file", "_pos", "_spec_id", "_partition"]);
    let influences = run.design.outputs[0].columns.given().unwrap();
    assert_eq!(influences[0].column.as_deref(), Some("id"));
    assert_eq!(influences[0].sources[0].column, "id");
    assert_eq!(influences[0].sources[0].ways, [Source::Direct].into());
    // Facets that are not read are kept.
    assert_eq!(events[10].json["run"]["facets"]["spark_properties"]["properties"]["spark.master"], "local[1]");
    assert_eq!(events[10].json, serde_json::from_str::<serde_json::Value>(SPARK.lines().nth(10).unwrap()).unwrap());
}

#[test]
fn facets_of_dbt_and_the_python_client_are_read() {
    let dbt = events(DBT);
    let Subject::Run(run) = &dbt[1].subject else { panic!() };
    let exposures = run.design.outputs[0].exposures.given().unwrap();
    assert_eq!((exposures[0].namespace(), exposures[0].name()), ("dbt", "exposure.shop.weekly"));
    let Subject::Run(run) = &dbt[2].subject else { panic!() };
    let assertions = &run.design.inputs[0].assertions;
    assert_eq!(assertions.len(), 1, "given twice, counted once");
    assert_eq!((assertions[0].assertion.as_str(), assertions[0].success), ("not_null", true));
    let Subject::Run(run) = &dbt[4].subject else { panic!() };
    assert_eq!((run.tests[0].status.as_str(), run.tests[0].severity.as_deref()), ("fail", Some("warn")));

    let python = events(PYTHON);
    let Subject::Run(run) = &python[0].subject else { panic!() };
    let schema: Vec<_> = run.design.inputs[0].schema.given().unwrap().iter().map(|field| field.name.clone()).collect();
    assert_eq!(schema, ["id", "who", "who.mail"]);
    let Subject::Run(run) = &python[1].subject else { panic!() };
    let columns = run.design.outputs[0].columns.given().unwrap();
    let ways: Vec<_> =
        columns.iter().map(|influence| (influence.column.as_deref(), &influence.sources[0].ways)).collect();
    assert!(ways.contains(&(Some("mail"), &[Source::Masked].into())), "{ways:?}");
    assert!(ways.contains(&(None, &[Source::Indirect].into())), "{ways:?}");
    assert!(matches!(python[2].subject, Subject::Job(_)) && matches!(python[3].subject, Subject::Dataset(_)));
}

#[test]
fn both_forms_of_column_lineage_are_read() {
    let columns = |facet: &str| {
        let dataset = format!(r#"{{"namespace":"n","name":"d","facets":{{"columnLineage":{facet}}}}}"#);
        let event = read(&format!(r#""dataset":{dataset}"#)).unwrap();
        let Subject::Dataset(facts) = event.subject else { panic!() };
        facts.columns.given().unwrap()[0].sources[0].ways.clone()
    };
    let source = r#""namespace":"n","name":"s","field":"f""#;
    let with = |rest: &str, beside: &str| {
        columns(&format!(r#"{{"fields":{{"c":{{"inputFields":[{{{source}{rest}}}]{beside}}}}}}}"#))
    };
    assert_eq!(with("", ""), [Source::Direct].into());
    assert_eq!(
        with("", r#","transformationType":"MASKED","transformationDescription":"hash""#),
        [Source::Masked].into()
    );
    let two = r#","transformations":[{"type":"INDIRECT","subtype":"JOIN"},{"type":"DIRECT","masking":false}]"#;
    assert_eq!(with(two, ""), [Source::Direct, Source::Indirect].into());
}

#[test]
fn a_facet_can_be_withdrawn() {
    let event = read(r#""dataset":{"namespace":"n","name":"d","facets":{"symlinks":{"_deleted":true}}}"#).unwrap();
    let Subject::Dataset(facts) = event.subject else { panic!() };
    assert_eq!((facts.symlinks, facts.lineage), (Facet::Deleted, Facet::Absent));
}

#[test]
fn an_event_is_the_same_whatever_the_order_of_its_keys() {
    let one = Event::read(format!("{{{HEAD},{JOB}}}").as_bytes()).unwrap();
    let two = Event::read(format!("{{{JOB}, {HEAD}}}").as_bytes()).unwrap();
    let other = Event::read(format!("{{{HEAD},{JOB},\"x\":null}}").as_bytes()).unwrap();
    assert_eq!(one.digest, two.digest);
    assert_ne!(one.digest, other.digest);
}

#[test]
fn wrong_events_are_refused_with_the_place() {
    let missing = Problem::Missing;
    let not = |expected| Problem::NotA { expected };
    let run = r#""run":{"runId":"01a229de-8ef9-7c49-a6b2-e51f3f2f4ae5"}"#;
    let facet = |name: &str, facet: &str| {
        format!(
            r#"{JOB},"inputs":[{{"namespace":"n","name":"a"}},{{"namespace":"n","name":"d","facets":{{"{name}":{facet}}}}}]"#
        )
    };
    let cases: Vec<(String, &str, Problem)> = vec![
        (r#""x":1"#.to_owned(), "", not("an event: it has no `run`, `job` or `dataset`")),
        (run.to_owned(), "/job", missing.clone()),
        (format!(r#"{JOB},"run":{{"runId":"7"}}"#), "/run/runId", not("a UUID")),
        (format!(r#"{JOB},"run":[]"#), "/run", not("an object")),
        (format!(r#"{JOB},{run},"eventType":7"#), "/eventType", not("a string")),
        (r#""job":{"namespace":"n"}"#.to_owned(), "/job/name", missing.clone()),
        (r#""job":{"namespace":"n","name":""}"#.to_owned(), "/job", Problem::Name(name::Error::Empty)),
        (format!(r#"{JOB},"inputs":{{}}"#), "/inputs", not("an array")),
        (
            facet("symlinks", r#"{"identifiers":[{"namespace":"n"}]}"#),
            "/inputs/1/facets/symlinks/identifiers/0/name",
            missing.clone(),
        ),
        (facet("symlinks", "[]"), "/inputs/1/facets/symlinks", not("an object")),
        (
            facet("schema", r#"{"fields":[{"name":"a","fields":[{}]}]}"#),
            "/inputs/1/facets/schema/fields/0/fields/0/name",
            missing.clone(),
        ),
        (
            facet("schema", r#"{"fields":[{"name":""}]}"#),
            "/inputs/1/facets/schema/fields/0/name",
            Problem::Name(name::Error::Empty),
        ),
        (
            facet("columnLineage", r#"{"fields":{"":{"inputFields":[]}}}"#),
            "/inputs/1/facets/columnLineage/fields/",
            Problem::Name(name::Error::Empty),
        ),
        (
            facet("columnLineage", r#"{"fields":{"a/b":{}}}"#),
            "/inputs/1/facets/columnLineage/fields/a~1b/inputFields",
            missing.clone(),
        ),
        (
            facet("lineage", r#"{"inputs":[{"namespace":"n","name":"x"}]}"#),
            "/inputs/1/facets/lineage/inputs/0/type",
            missing.clone(),
        ),
        (
            facet("dbt_exposures", r#"{"exposures":[{"name":"x"}]}"#),
            "/inputs/1/facets/dbt_exposures/exposures/0/unique_id",
            missing,
        ),
    ];
    for (rest, place, problem) in cases {
        assert_eq!(wrong(&rest), (place.to_owned(), problem), "{rest}");
    }
    assert!(
        matches!(wrong(&format!(r#"{JOB},{run},"eventType":"BEGIN""#)), (place, Problem::Word(_)) if place == "/eventType")
    );
    let other_type = facet("lineage", r#"{"inputs":[{"namespace":"n","name":"x","type":"VIEW"}]}"#);
    assert!(matches!(wrong(&other_type), (_, Problem::Word(_))));
    let no_time = Event::read(format!(r#"{{"eventTime":"yesterday","producer":"p",{JOB}}}"#).as_bytes());
    assert!(matches!(no_time, Err(Error::At { place, .. }) if place == "/eventTime"));
}

#[test]
fn an_event_from_the_future_is_refused() {
    let event = read(JOB).unwrap();
    let future = Error::At { place: "/eventTime".to_owned(), problem: Problem::Future };
    assert_eq!(event.check_time(event.time.minus(MAX_AHEAD)), Ok(()));
    assert_eq!(event.check_time(Timestamp(event.time.minus(MAX_AHEAD).0 - 1)), Err(future));
}

#[test]
fn texts_that_are_no_events_are_refused() {
    for text in ["", "{", "7", "{} {}", r#"{"a":1,"a":2}"#, "[1"] {
        assert!(Event::read(text.as_bytes()).is_err(), "{text}");
    }
    assert!(matches!(read(&format!(r#"{JOB},"x":"\u0000""#)), Err(Error::NotJson(_))), "PostgreSQL stores no NUL");
    for text in ["{}", "7", "null"] {
        assert!(matches!(Event::read_batch(text.as_bytes()), Err(Error::At { .. })), "{text}");
    }
    let batch = Event::read_batch(format!("[{{{HEAD},{JOB}}},7]").as_bytes()).unwrap();
    assert!(batch[0].is_ok() && batch[1].is_err(), "each event is judged alone");
}

#[test]
fn hostile_events_are_refused_within_bounds() {
    assert!(matches!(Event::read(&vec![b' '; MAX_EVENT_BYTES + 1]), Err(Error::TooLarge { .. })));
    let deep = format!(r#"{JOB},"x":{}{}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(read(&deep), Err(Error::NotJson(_))));
    let nested = format!(r#"{JOB},"x":{}{}"#, "[".repeat(65), "]".repeat(65));
    assert!(matches!(read(&nested), Err(Error::NotJson(_))));
    let wide = format!(r#"{JOB},"x":[{}0]"#, "0,".repeat(500_000));
    assert!(matches!(read(&wide), Err(Error::NotJson(_))));
    let many = vec!["0"; MAX_BATCH_EVENTS + 1].join(",");
    assert!(matches!(Event::read_batch(format!("[{many}]").as_bytes()), Err(Error::At { .. })));

    let datasets = |n_datasets: usize| {
        let one = |number| format!(r#"{{"namespace":"n","name":"{number}"}}"#);
        (0..n_datasets).map(one).collect::<Vec<_>>().join(",")
    };
    let too_many = format!(r#"{JOB},"inputs":[{}]"#, datasets(MAX_DATASETS + 1));
    assert_eq!(wrong(&too_many), ("/inputs".to_owned(), Problem::TooMany { most: MAX_DATASETS }));
    let pairs = format!(r#"{JOB},"inputs":[{}],"outputs":[{}]"#, datasets(200), datasets(101));
    assert_eq!(wrong(&pairs), (String::new(), Problem::TooMany { most: MAX_PAIRS }));
    let fields = vec![r#"{"name":"a"}"#; MAX_STATEMENTS + 1].join(",");
    let schema = format!(r#""dataset":{{"namespace":"n","name":"d","facets":{{"schema":{{"fields":[{fields}]}}}}}}"#);
    assert!(matches!(wrong(&schema), (_, Problem::TooMany { most: MAX_STATEMENTS })));

    // A place in an error is shortened, whatever the names in it.
    let key = "k".repeat(100_000);
    let (place, _) = wrong(&format!(
        r#""dataset":{{"namespace":"n","name":"d","facets":{{"columnLineage":{{"fields":{{"{key}":{{"inputFields":7}}}}}}}}}}"#
    ));
    assert!(place.chars().count() <= 301, "{}", place.len());
}
