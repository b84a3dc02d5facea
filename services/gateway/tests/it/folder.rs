//! A lease of a table's unpinned folder, as `repair` and `inspect` get it.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Answer, FOLDER_LEASE, TABLE, TestServer, encoded, object};

#[tokio::test]
async fn all_files_are_listed_without_links() {
    let server = TestServer::start().await;
    let listed = ask(&server, "/lake?list-type=2").await;
    let keys = listed.elements("Key");
    let names: Vec<&str> = keys.iter().map(|key| key.strip_prefix(&format!("{TABLE}/")).unwrap()).collect();
    let expected = [
        "_delta_log/00000000000000000002.checkpoint.parquet",
        "_delta_log/00000000000000000002.json",
        "_delta_log/_last_checkpoint",
        "a.parquet",
        "bad.parquet",
        "big.bin",
        "empty.bin",
        "huge.bin",
        "nested/b.parquet",
        "nested/deep/c.parquet",
        crate::support::ODD_KEY,
    ];
    assert_eq!(names, expected);
    for name in
        ["bad.parquet", "_delta_log/00000000000000000002.json", "nested/deep/c.parquet", crate::support::ODD_KEY]
    {
        assert_eq!(ask(&server, &object(name)).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn nothing_escapes_the_folder() {
    let server = TestServer::start().await;
    fs::create_dir(server.root().join("loop")).unwrap();
    symlink(server.root(), server.root().join("loop/again")).unwrap();
    symlink("a.parquet", server.root().join("inner.parquet")).unwrap();
    for key in [
        "link.parquet",
        "inner.parquet",
        "linked/secret.parquet",
        "loop/again/a.parquet",
        "../table2/secret.parquet",
        "nested/../a.parquet",
        "./a.parquet",
        "nested//b.parquet",
        "/etc/passwd",
        "nested",
        "nested/",
        "",
        "a.parquet/",
        "a.parquet\0",
        "none",
        &"k".repeat(300),
    ] {
        assert_eq!(ask(&server, &object(key)).await.status, 404, "{key:?}");
    }
    let listed = ask(&server, "/lake?list-type=2").await.text();
    assert!(!["secret", "link", "inner", "again"].iter().any(|name| listed.contains(name)), "{listed}");
    for prefix in ["../", "linked/", "linked/secret", "loop/again/", "/etc/"] {
        let prefix = encoded(&format!("{TABLE}/{prefix}"), false);
        let listed = ask(&server, &format!("/lake?list-type=2&prefix={prefix}")).await;
        assert_eq!(listed.elements("Key").len(), 0, "{prefix}");
    }
}

#[tokio::test]
async fn an_unpinned_folder_shows_its_current_content() {
    let server = TestServer::start().await;
    fs::write(server.root().join("a.parquet"), "rewritten").unwrap();
    fs::write(server.root().join("new.parquet"), "new").unwrap();
    fs::remove_file(server.root().join("nested/b.parquet")).unwrap();
    assert_eq!(ask(&server, &object("a.parquet")).await.text(), "rewritten");
    assert_eq!(ask(&server, &object("new.parquet")).await.text(), "new");
    assert_eq!(ask(&server, &object("nested/b.parquet")).await.status, 404);
    let listed = ask(&server, &format!("/lake?list-type=2&prefix={TABLE}/ne")).await;
    assert_eq!(listed.elements("Key"), [format!("{TABLE}/nested/deep/c.parquet"), format!("{TABLE}/new.parquet")]);
}

async fn ask(server: &TestServer, target: &str) -> Answer {
    server.send(&server.signer(FOLDER_LEASE).sign("GET", target)).await
}
