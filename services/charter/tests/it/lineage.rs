//! Lineage that the unmodified clients of others send to the built program: OpenLineage's for Python, and dbt.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::clients::clients;
use testkit::shared::found as installed;

use crate::test_server::{TestServer, make_demo, repository, text};

const TABLE: &str = "nyc.flights.flights";

/// A server with the demo's table, inspected.
fn server() -> TestServer {
    let server = TestServer::start("").with_people();
    std::fs::create_dir_all(server.lake().join("nyc")).unwrap();
    make_demo(&server.lake().join("nyc/flights"), 0);
    let ann = server.user("ann");
    ann.applies(&["tests/demo/flights.product.yaml", "tests/demo/flights.contract.yaml"]).ok();
    ann.inspects(TABLE).ok();
    server
}

/// Runs a program of the clients, which sends its events as ann.
#[track_caller]
fn send(server: &TestServer, program: &str, args: &[&str], folder: &Path) {
    let mut command = Command::new(clients().unwrap().join("bin").join(program));
    command.args(args).current_dir(folder).env("OPENLINEAGE_NAMESPACE", "dbt");
    let transport = [
        ("TYPE", "http"),
        ("URL", server.address.as_str()),
        ("AUTH__TYPE", "api_key"),
        ("AUTH__APIKEY", &server.token("ann")),
        ("COMPRESSION", "gzip"),
    ];
    command.envs(transport.map(|(name, value)| (format!("OPENLINEAGE__TRANSPORT__{name}"), value)));
    command.env("FLIGHTS", server.lake().join("nyc/flights/*.parquet")).env("DBT_SEND_ANONYMOUS_USAGE_STATS", "false");
    // dbt's wrapper starts `dbt` by its name.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", clients().unwrap().join("bin").display()));
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
}

/// What a column of the table goes into: distance, name and columns of each.
fn found(server: &TestServer, column: &str) -> Vec<Value> {
    let answer = server.user("ann").ok(&["impact", TABLE, "--column", column, "--json"]).json();
    assert_eq!(answer["complete"], true, "{answer}");
    let found = answer["found"].as_array().unwrap().iter();
    found.map(|one| json!([one["distance"], one["node"]["name"], one["columns"]])).collect()
}

#[test]
fn events_of_the_client_for_python_resolve_to_tables() {
    let Some(clients) = clients() else { return };
    let Some(_) = installed("the lineage clients", clients.join("bin/dbt-ol")) else { return };
    let server = server();
    let program = repository().join("tests/clients/lineage.py");
    let folder = server.lake().join("nyc/flights");
    let args = [program.to_str().unwrap(), "run", folder.to_str().unwrap()];
    send(&server, "python", &args, server.data());
    assert_eq!(found(&server, "distance"), [json!([1, "mart.public.miles", ["miles"]])]);
    assert_eq!(found(&server, "carrier"), Vec::<Value>::new());
}

#[test]
fn models_tests_and_exposures_of_dbt_resolve_to_tables() {
    let Some(clients) = clients() else { return };
    let Some(_) = installed("the lineage clients", clients.join("bin/dbt-ol")) else { return };
    let server = server();
    let project = server.data().join("dbt");
    let source = repository().join("tests/clients/dbt");
    std::fs::create_dir_all(project.join("models")).unwrap();
    for file in ["dbt_project.yml", "profiles.yml", "models/carriers.sql", "models/schema.yml"] {
        std::fs::copy(source.join(file), project.join(file)).unwrap();
    }
    send(&server, "dbt-ol", &["build", "--profiles-dir", "."], &project);
    let log = server.log();
    assert!(!log.contains(r#"path="/api/v1/lineage" operation="-" status=4"#), "{log}");
    // dbt calls the table by a name in its own database: what that means is said once, before or after.
    assert_eq!(found(&server, "distance"), Vec::<Value>::new());
    let uri = text(&server.user("ann").ok(&["credentials", TABLE, "--json"]).json(), "/credentials/tableUri");
    let program = repository().join("tests/clients/lineage.py");
    let own = ["duckdb://carriers.duckdb", "carriers.nyc.flights"];
    send(&server, "python", &[program.to_str().unwrap(), "name", own[0], own[1], &uri], server.data());
    let dashboard = json!([2, "exposure.carriers.board", null]);
    assert_eq!(
        found(&server, "distance"),
        [json!([1, "carriers.main.carriers", ["miles"]]), dashboard.clone()],
        "the tests that dbt ran on the table are no readers"
    );
    assert_eq!(found(&server, "carrier"), [json!([1, "carriers.main.carriers", ["carrier"]]), dashboard]);
    assert_eq!(found(&server, "origin"), Vec::<Value>::new());
}
