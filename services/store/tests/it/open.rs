//! Opening a database.

use domain::error::Kind;
use sqlx::{ConnectOptions, Connection};
use std::os::unix::fs::PermissionsExt;
use store::{Db, Missing, OpenError, Options};

use crate::world::{World, domain};

fn url(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("charter.db").display())
}

async fn refused(url: &str) -> OpenError {
    refused_with(url, Options::for_testing()).await
}

async fn refused_with(url: &str, options: Options) -> OpenError {
    match Db::open(url, options).await {
        Ok(_) => panic!("`{url}` was opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_database_is_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let sales = domain("sales");
    let db = Db::open(&url(&folder), Options::default()).await.unwrap();
    let mut tx = db.write(store::Lock::Facts).await.unwrap();
    store::org::insert(&mut tx, &sales).await.unwrap();
    tx.commit().await.unwrap();
    db.close().await;

    let db = Db::open(&url(&folder), Options::default()).await.unwrap();
    assert_eq!(store::org::get(&mut db.read().await.unwrap(), sales.id).await.unwrap(), sales);
}

#[tokio::test]
async fn a_folder_has_one_user_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&url(&folder), Options::for_testing()).await.unwrap();
    let error = refused(&url(&folder)).await;
    assert!(matches!(error, OpenError::InUse(_)), "{error:?}");
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.to_string().contains("is in use by another process"));
    db.close().await;
    Db::open(&url(&folder), Options::for_testing()).await.unwrap().close().await;
}

#[tokio::test]
async fn a_sqlite_database_and_its_files_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&url(&folder), Options::for_testing()).await.unwrap();
    let mut tx = db.write(store::Lock::Facts).await.unwrap();
    store::org::insert(&mut tx, &domain("sales")).await.unwrap();
    tx.commit().await.unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(files.len(), 4, "the database, its log, its index and its lock: {files:?}");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
    }
    db.close().await;

    let file = folder.path().join("charter.db");
    for mode in [0o644, 0o640, 0o604, 0o620] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = refused(&url(&folder)).await;
        assert!(matches!(error, OpenError::LooseMode { .. }), "{mode:o}: {error:?}");
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    Db::open(&url(&folder), Options::for_testing()).await.unwrap().close().await;
}

#[tokio::test]
async fn a_missing_sqlite_database_is_created_only_where_that_is_asked_for() {
    let options = || Options { missing: Missing::Refuse, ..Options::for_testing() };
    let folder = tempfile::tempdir().unwrap();
    let error = refused_with(&url(&folder), options()).await;
    assert!(matches!(error, OpenError::Missing), "{error:?}");
    let file = folder.path().join("charter.db");
    assert!(!file.exists(), "nothing was created");
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let error = refused_with(&url(&folder), options()).await;
    assert!(matches!(error, OpenError::Missing), "an empty file is no database: {error:?}");
    Db::open(&url(&folder), Options::for_testing()).await.unwrap().close().await;
    Db::open(&url(&folder), options()).await.unwrap().close().await;
}

#[tokio::test]
async fn an_empty_postgres_database_is_filled_only_where_that_is_asked_for() {
    let Some(server) = crate::postgres::Server::shared() else { return };
    let options = || Options { missing: Missing::Refuse, ..Options::for_testing() };
    let url = server.database();
    for _ in 0..2 {
        let error = refused_with(&url, options()).await;
        assert!(matches!(error, OpenError::Missing), "{error:?}");
    }
    Db::open(&url, Options::for_testing()).await.unwrap().close().await;
    Db::open(&url, options()).await.unwrap().close().await;
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    for url in ["", "charter.db", "mysql://localhost/x", "sqlite:", "sqlite::memory:", "sqlite:/", "sqlite:.."] {
        assert!(matches!(refused(url).await, OpenError::NotAnAddress), "`{url}`");
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_created_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = refused(&format!("sqlite:{}/file/charter.db", folder.path().display())).await;
    assert!(matches!(error, OpenError::Folder { .. }), "{error:?}");
}

/// What a newer program leaves behind.
const NEWER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     VALUES (999, 'later', TRUE, '', 0)";

#[tokio::test]
async fn a_newer_sqlite_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Db::open(&url(&folder), Options::for_testing()).await.unwrap().close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("charter.db"));
    let mut connection = options.connect().await.unwrap();
    // PostgreSQL reads the checksum's literal as bytes, SQLite as a text.
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (999, 'later', TRUE, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let error = refused(&url(&folder)).await;
    assert!(matches!(error, OpenError::Newer { database: 999, program: 1..999 }), "{error:?}");
}

#[tokio::test]
async fn a_newer_postgres_database_is_refused() {
    let Some(server) = crate::postgres::Server::shared() else { return };
    let url = server.database();
    Db::open(&url, Options::for_testing()).await.unwrap().close().await;
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::query(NEWER).execute(&mut connection).await.unwrap();
    let error = refused(&url).await;
    assert!(matches!(error, OpenError::Newer { database: 999, program: 1..999 }), "{error:?}");
}

#[tokio::test]
async fn a_migration_that_was_edited_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Db::open(&url(&folder), Options::for_testing()).await.unwrap().close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("charter.db"));
    let mut connection = options.connect().await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00'").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert!(matches!(refused(&url(&folder)).await, OpenError::Migration(_)));
}

#[tokio::test]
async fn null_is_never_read_as_nothing() {
    let folder = tempfile::tempdir().unwrap();
    Db::open(&url(&folder), Options::for_testing()).await.unwrap().close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("charter.db"));
    let mut connection = options.connect().await.unwrap();
    for sql in [
        "DROP TABLE outbox",
        "CREATE TABLE outbox (position INTEGER, kind TEXT, subject TEXT, payload TEXT, at INTEGER)",
        "INSERT INTO outbox VALUES (1, 'contract.published', 's', NULL, 1)",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();

    // SQLite's driver would give the empty text.
    let db = Db::open(&url(&folder), Options::for_testing()).await.unwrap();
    let events = store::outbox::list_after(&mut db.read().await.unwrap(), 0, 1).await;
    assert!(matches!(events, Err(store::Error::Inconsistent { table: "outbox", .. })), "{events:?}");
}

#[tokio::test]
async fn sqlite_waits_for_the_disk_by_default() {
    assert_eq!(Options::default().durability, store::Durability::Full);
    // A row is there for readers as soon as its commit is told.
    let world = World::on_sqlite_with(Options::default()).await;
    world.catalog().await;
}
