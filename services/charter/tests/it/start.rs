//! What a start refuses, and what it leaves alone when it does.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use testkit::postgres;

use crate::test_server::{Program, Run, TestServer, refused_start};

/// A database URL as arguments.
fn database(url: Option<&str>) -> Vec<&str> {
    url.map(|url| vec!["--database-url", url]).unwrap_or_default()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn assert_says(run: &Run, text: &str) {
    assert!(run.stderr.contains(text), "{run:?}");
    assert_eq!(run.stdout, "", "neither a token nor an address is printed");
}

#[test]
fn a_second_server_is_refused_before_it_touches_the_folder_on_sqlite() {
    refuse_a_second_server(None);
}

#[test]
fn a_second_server_is_refused_before_it_touches_the_folder_on_postgres() {
    let Some(server) = postgres::Server::shared() else { return };
    refuse_a_second_server(Some(server.database()));
}

fn refuse_a_second_server(url: Option<String>) {
    let server = TestServer::start_on(url.clone(), "");
    let marker = server.data().join("scratch/of-a-running-inspection");
    fs::write(&marker, "").unwrap();
    let run = refused_start(server.data(), &database(url.as_deref()), &[]);
    assert_says(&run, "in use by another process");
    assert!(marker.exists(), "the scratch space of the running server was emptied");
    server.user("admin").ok(&["domain", "list"]);
}

#[test]
fn a_missing_sqlite_database_beside_old_keys_is_no_first_start() {
    let mut server = TestServer::start("");
    server.kill();
    let kept = tempfile::tempdir().unwrap();
    for file in ["charter.db", "charter.db-wal", "charter.db-shm"] {
        if server.data().join(file).exists() {
            fs::rename(server.data().join(file), kept.path().join(file)).unwrap();
        }
    }
    let run = refused_start(server.data(), &[], &[]);
    assert_says(&run, "charter.db` is missing or empty, but the data directory");
    assert!(run.stderr.contains("restore the database"), "{run:?}");
    assert!(!server.data().join("charter.db").exists(), "no database was created");

    for file in fs::read_dir(kept.path()).unwrap() {
        let file = file.unwrap();
        fs::rename(file.path(), server.data().join(file.file_name())).unwrap();
    }
    server.kill_and_restart(Program::Charter);
    server.user("admin").ok(&["domain", "list"]);
}

#[test]
fn an_empty_postgres_database_beside_old_keys_is_no_first_start() {
    let Some(postgres) = postgres::Server::shared() else { return };
    let server = TestServer::start_on(Some(postgres.database()), "");
    server.kill();
    let other = postgres.database();
    assert_says(&refused_start(server.data(), &["--database-url", &other], &[]), "is missing or empty");
}

#[test]
fn a_missing_key_beside_old_records_is_not_replaced() {
    let server = TestServer::start("");
    server.kill();
    let key = server.data().join("keys/record.key");
    fs::remove_file(&key).unwrap();
    assert_says(&refused_start(server.data(), &[], &[]), "restore the key from the backup");
    assert!(!key.exists(), "no key was created");
}

#[test]
fn a_data_directory_or_database_that_others_may_read_is_refused() {
    let server = TestServer::start("");
    let mode = fs::metadata(server.data()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700, "a first start closes the folder");
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    assert!(status.contains("Umask:\t0077"), "{status}");
    server.kill();
    let data = server.data();
    for mode in [0o755, 0o750, 0o701, 0o1777] {
        set_mode(data, mode);
        assert_says(&refused_start(data, &[], &[]), &format!("accessible to other users (mode {mode:o})"));
    }
    set_mode(data, 0o700);
    set_mode(&data.join("charter.db"), 0o644);
    assert_says(&refused_start(data, &[], &[]), "charter.db` is accessible to other users (mode 644)");
}

#[test]
fn a_password_on_the_command_line_causes_a_warning_without_the_password() {
    let data = tempfile::tempdir().unwrap();
    let url = "mysql://charter:hunter2@127.0.0.1/charter";
    let argument = refused_start(data.path(), &["--database-url", url], &[]);
    assert!(argument.stderr.contains("the database password is on the command line"), "{argument:?}");
    let environment = refused_start(data.path(), &[], &[("CHARTER_DATABASE_URL", url)]);
    assert!(!environment.stderr.contains("command line"), "{environment:?}");
    for run in [argument, environment] {
        assert!(!run.stderr.contains("hunter2") && !run.stdout.contains("hunter2"), "{run:?}");
    }
}

#[test]
fn recovery_prints_a_token_once_until_a_start_without_it() {
    let mut server = TestServer::start("");
    let mut tokens = Vec::new();
    for (program, prints) in [
        (Program::Recovering, true),
        (Program::Recovering, false),
        (Program::Recovering, false),
        (Program::Charter, false),
        (Program::Recovering, true),
    ] {
        server.kill_and_restart(program);
        assert_eq!(server.printed_token().is_some(), prints, "{}", server.log());
        // The log is written behind the server, and what waits is lost with a kill.
        if matches!(program, Program::Recovering) && !prints {
            server.until_logged("start once without it");
        }
        tokens.extend(server.printed_token().map(str::to_owned));
    }
    // The second recovery has ended the first one's token.
    assert_eq!(server.run_with(&tokens[0], &["domain", "list"]).code, 5);
    assert_eq!(server.run_with(&tokens[1], &["domain", "list"]).code, 0);
}
