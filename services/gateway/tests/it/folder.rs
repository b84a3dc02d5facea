//! A lease of a table's folder as it is: what `repair` and `inspect` read.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Answer, FOLDER_LEASE, House, TABLE, encoded, object};

#[tokio::test]
async fn all_files_are_there_and_no_links() {
    let house = House::open().await;
    let listed = ask(&house, "/lake?list-type=2").await;
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
        assert_eq!(ask(&house, &object(name)).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn nothing_leads_out_of_the_folder() {
    let house = House::open().await;
    fs::create_dir(house.root().join("loop")).unwrap();
    symlink(house.root(), house.root().join("loop/again")).unwrap();
    symlink("a.parquet", house.root().join("inner.parquet")).unwrap();
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
        assert_eq!(ask(&house, &object(key)).await.status, 404, "{key:?}");
    }
    let listed = ask(&house, "/lake?list-type=2").await.text();
    assert!(!["secret", "link", "inner", "again"].iter().any(|name| listed.contains(name)), "{listed}");
    for prefix in ["../", "linked/", "linked/secret", "loop/again/", "/etc/"] {
        let prefix = encoded(&format!("{TABLE}/{prefix}"), false);
        let listed = ask(&house, &format!("/lake?list-type=2&prefix={prefix}")).await;
        assert_eq!(listed.elements("Key").len(), 0, "{prefix}");
    }
}

#[tokio::test]
async fn the_folder_is_seen_as_it_is_now() {
    let house = House::open().await;
    fs::write(house.root().join("a.parquet"), "rewritten").unwrap();
    fs::write(house.root().join("new.parquet"), "new").unwrap();
    fs::remove_file(house.root().join("nested/b.parquet")).unwrap();
    assert_eq!(ask(&house, &object("a.parquet")).await.text(), "rewritten");
    assert_eq!(ask(&house, &object("new.parquet")).await.text(), "new");
    assert_eq!(ask(&house, &object("nested/b.parquet")).await.status, 404);
    let listed = ask(&house, &format!("/lake?list-type=2&prefix={TABLE}/ne")).await;
    assert_eq!(listed.elements("Key"), [format!("{TABLE}/nested/deep/c.parquet"), format!("{TABLE}/new.parquet")]);
}

async fn ask(house: &House, target: &str) -> Answer {
    house.send(&house.signer(FOLDER_LEASE).sign("GET", target)).await
}
