//! Counts of data files that an inspection leaves for the next one of its table.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use std::fs;
use std::path::PathBuf;

use domain::inspection::{InspectionError, Kept};
use domain::table::SnapshotKey;
use testkit::actor::TestActor;
use testkit::app::TestApp;
use testkit::inspector::FakeInspector;

use crate::open_table::{CONTRACT, FOLDER, PRODUCT, ROWS, good};

async fn start() -> (TestApp, TestActor) {
    let test = TestApp::start().await;
    let owner = test.domain("nyc").await;
    test.publish(&owner, "nyc", &[PRODUCT, CONTRACT]).await;
    (test, owner)
}

fn left_by(version: u64) -> Kept {
    FakeInspector::leaves(&SnapshotKey::DeltaVersion(version))
}

fn files(test: &TestApp) -> Vec<PathBuf> {
    let folder = test.table_folder("x").ancestors().nth(2).unwrap().join("counts");
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn an_inspection_gets_the_counts_of_the_one_before() {
    let (test, _) = start().await;
    test.lay(FOLDER, 0, good()).await;
    test.lay(FOLDER, 1, good()).await;
    test.lay(FOLDER, 2, good()).await;
    assert_eq!(test.inspector.known(), [Kept::default(), left_by(0), left_by(1)]);
    assert_eq!(files(&test).len(), 1);
}

#[tokio::test]
async fn counts_that_are_damaged_are_as_if_they_were_not_there() {
    let (test, _) = start().await;
    test.lay(FOLDER, 0, good()).await;
    let file = files(&test).remove(0);
    let whole = fs::read(&file).unwrap();
    let zero = whole.iter().rposition(|byte| *byte == b'0').unwrap();
    let changed = [&whole[..zero], b"1", &whole[zero + 1..]].concat();
    let damaged = [&whole[..whole.len() - 2], &whole[..70], b"", b"\xff", &changed];
    for (version, bytes) in (1..).zip(damaged) {
        fs::write(&file, bytes).unwrap();
        test.lay(FOLDER, version, good()).await;
        assert_eq!(test.inspector.known().pop(), Some(Kept::default()), "{version}");
    }
    test.lay(FOLDER, 9, good()).await;
    assert_eq!(test.inspector.known().pop(), Some(left_by(5)));
}

#[tokio::test]
async fn another_inspection_of_a_failed_snapshot_counts_everything() {
    let (test, owner) = start().await;
    test.lay(FOLDER, 0, good()).await;
    test.lay(FOLDER, 1, good().failing(InspectionError::Unreadable("torn".to_owned()))).await;
    assert_eq!(test.inspector.known().pop(), Some(left_by(0)));
    test.inspector.set(test.table_folder(FOLDER), good());
    app::table::inspect_table(&owner, &ROWS.parse().unwrap(), None).await.unwrap();
    test.settle().await;
    assert_eq!(test.inspector.known().pop(), Some(Kept::default()));
}

#[tokio::test]
async fn the_counts_of_a_table_that_is_gone_are_removed() {
    let (test, _) = start().await;
    test.lay(FOLDER, 0, good()).await;
    let file = files(&test).remove(0);
    fs::copy(&file, file.with_file_name("0198f0f0-0000-7000-8000-000000000000")).unwrap();
    assert_eq!(files(&test).len(), 2);
    app::jobs::tidy_once(&test.app).await.unwrap();
    assert_eq!(files(&test), [file]);
}

#[tokio::test]
async fn counts_that_cannot_be_removed_keep_nothing_else() {
    let (test, _) = start().await;
    test.lay(FOLDER, 0, good()).await;
    let file = files(&test).remove(0);
    let (folder, unfinished) = (file.with_file_name("folder"), file.with_extension("new"));
    fs::create_dir(&folder).unwrap();
    fs::write(&unfinished, b"").unwrap();
    for n in 0..20 {
        fs::write(file.with_file_name(format!("gone-{n}")), b"").unwrap();
    }
    let list = file.ancestors().nth(2).unwrap().join("lists").join("0".repeat(64));
    fs::write(&list, b"").unwrap();
    fs::File::options().write(true).open(&list).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    app::jobs::tidy_once(&test.app).await.unwrap_err();
    let mut left = files(&test);
    left.sort();
    let mut expected = [file, unfinished, folder];
    expected.sort();
    assert_eq!(left, expected);
    assert!(!list.exists());
}
