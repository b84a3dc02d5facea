//! Stored files, file lists and our own checkpoints, are removed once no lease, verdict or served snapshot needs them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]
#![expect(clippy::disallowed_methods, reason = "files have the time of the machine")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use app::data_dir::DataDir;
use app::lease::file_list::Error;
use app::lease::{Leases, Scope};
use domain::clock::{Clock, Timestamp};
use domain::inspection::{InspectionError, MAX_CHECKPOINT_BYTES};
use domain::lease::Lease;
use domain::retention::GRACE;
use domain::table::Inspected;
use store::{Lock, Seek};
use tempfile::TempDir;
use testkit::actor::TestActor;
use testkit::app::TestApp;

use crate::open_table::{CONTRACT, FOLDER, PRODUCT, ROWS, good};

const HOUR: Duration = Duration::from_secs(3_600);

/// An application at the time of its files, and the owner of one table without snapshots.
async fn start() -> (TestApp, TestActor) {
    start_with(CONTRACT).await
}

async fn start_with(contract: &str) -> (TestApp, TestActor) {
    let test = TestApp::start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    test.clock.set(Timestamp(i64::try_from(now.as_micros()).unwrap()));
    let owner = test.domain("nyc").await;
    test.publish(&owner, "nyc", &[PRODUCT, contract]).await;
    (test, owner)
}

/// Where stored files of a kind are.
fn stored(test: &TestApp, kind: &str) -> PathBuf {
    test.table_folder("x").ancestors().nth(2).unwrap().join(kind)
}

/// How many snapshots of the table have files in the database.
async fn n_named(owner: &TestActor) -> usize {
    let target = app::table::find_table(owner, &"nyc.race.rows".parse().unwrap()).await.unwrap().unwrap();
    let snapshots = app::table::list_snapshots(owner, &target, &Seek::first(9)).await.unwrap().items;
    let has_files = |found: &Inspected| found.file_list.is_some();
    snapshots.iter().filter(|snapshot| snapshot.found.as_ref().is_some_and(has_files)).count()
}

/// How many files there are, without those that are being written.
fn n_files(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with('.')).count()
}

/// How many lists and checkpoints there are.
fn n_stored(test: &TestApp) -> (usize, usize) {
    (n_files(&stored(test, "lists")), n_files(&stored(test, "checkpoints")))
}

fn n_bytes(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

/// The key of the checkpoint that a new lease serves.
async fn served(test: &TestApp, reader: &TestActor) -> String {
    let lease = reader.leases(ROWS).await.lease;
    let open = test.app.open(lease.id).await.unwrap();
    let Scope::Pinned { files, .. } = &open.scope else { panic!("a read lease is pinned") };
    files.entries()[0].file.path.clone()
}

async fn tidy(test: &TestApp) {
    app::jobs::tidy_once(&test.app).await.unwrap();
}

/// Two runs, a grace apart: the first finds what is unneeded, the second collects it.
async fn collect(test: &TestApp) {
    tidy(test).await;
    test.clock.advance(GRACE + HOUR);
    tidy(test).await;
}

/// Prints the sizes too: `CHARTER_COMMITS=1000 cargo test ... retention::commits_do_not_fill_the_disk -- --nocapture`.
#[tokio::test]
async fn commits_do_not_fill_the_disk() {
    let n_commits: u64 = testkit::number("CHARTER_COMMITS").unwrap_or(40);
    let (test, owner) = start().await;
    let mut most = 0;
    for version in 0..n_commits {
        test.lay(FOLDER, version, good()).await;
        test.clock.advance(HOUR);
        tidy(&test).await;
        let (lists, checkpoints) = n_stored(&test);
        assert_eq!(lists, checkpoints);
        most = most.max(lists);
        if (version + 1) % 100 == 0 || version + 1 == n_commits {
            let bytes = [n_bytes(&stored(&test, "lists")), n_bytes(&stored(&test, "checkpoints"))];
            println!("{} commits, one an hour: {lists} lists, {bytes:?} bytes of lists and checkpoints", version + 1);
        }
    }
    // One an hour for the grace, the newest, and the run that finds them.
    assert!(most <= 16, "{most} lists");
    // Many commits outlast the first tokens, which a start renews.
    let test = test.restart().await;
    let owner = test.ctx(&owner.actor.principal.subject).await;
    assert!(served(&test, &owner).await.contains(&format!("{:020}", n_commits - 1)));
}

#[tokio::test]
async fn nothing_goes_before_the_grace_is_over() {
    let (test, owner) = start().await;
    for version in 0..3 {
        test.lay(FOLDER, version, good()).await;
    }
    tidy(&test).await;
    test.clock.advance(GRACE);
    tidy(&test).await;
    // Young files stay on disk in any case; the database must name them, too.
    assert_eq!((n_stored(&test), n_named(&owner).await), ((3, 3), 3));
    test.clock.advance(HOUR);
    tidy(&test).await;
    assert_eq!((n_stored(&test), n_named(&owner).await), ((1, 1), 1));
}

#[tokio::test]
async fn the_files_of_an_open_lease_stay() {
    let (test, owner) = start().await;
    test.lay(FOLDER, 0, good()).await;
    let old = owner.leases(ROWS).await.lease;
    test.lay(FOLDER, 1, good()).await;
    tidy(&test).await;
    test.clock.advance(GRACE + HOUR);
    // Not a lease that the gate would give, but one that a fault or a hand might have.
    let now = test.clock.now();
    let lease = test.insert_lease(Lease { issued_at: now, expires_at: now.plus(HOUR), ..old }).await;
    tidy(&test).await;
    assert_eq!(n_stored(&test), (2, 2));
    test.app.open(lease.id).await.unwrap();
    test.clock.advance(HOUR * 2);
    tidy(&test).await;
    assert_eq!(n_stored(&test), (1, 1));
}

#[tokio::test]
async fn the_last_good_snapshot_keeps_its_files_however_many_bad_ones_came_since() {
    let mode = "status: active\ncustomProperties:\n  - property: gateMode\n    value: last_good\n";
    let contract = CONTRACT.replace("status: active\n", mode);
    let (test, owner) = start_with(&contract).await;
    test.lay(FOLDER, 0, good()).await;
    for version in 1..6 {
        test.lay(FOLDER, version, good().breaking("required")).await;
    }
    collect(&test).await;
    assert_eq!(n_stored(&test), (2, 2), "the last good one and the newest");
    assert!(served(&test, &owner).await.contains(&format!("{:020}", 0)));
}

#[tokio::test]
async fn a_table_that_goes_back_to_a_collected_snapshot_is_inspected_again() {
    let (test, owner) = start().await;
    test.lay(FOLDER, 0, good()).await;
    test.lay(FOLDER, 1, good()).await;
    collect(&test).await;
    let log = test.table_folder(FOLDER).join("_delta_log");
    fs::remove_file(log.join(format!("{:020}.json", 1))).unwrap();
    test.inspector.set(test.table_folder(FOLDER), good().failing(InspectionError::Unreadable("gone".to_owned())));
    test.settle().await;
    test.inspector.set(test.table_folder(FOLDER), good());
    app::jobs::poll_once(&test.app).await.unwrap();
    // Its files are gone.
    owner.refusals(ROWS).await;
    test.settle().await;
    assert!(served(&test, &owner).await.contains(&format!("{:020}", 0)));
    assert_eq!(n_stored(&test), (2, 2));
}

#[tokio::test]
async fn what_a_crash_left_behind_is_removed_when_it_is_old() {
    let (test, owner) = start().await;
    test.lay(FOLDER, 0, good()).await;
    let (lists, checkpoints) = (stored(&test, "lists"), stored(&test, "checkpoints"));
    let stray = ["e".repeat(64), "f".repeat(64)];
    let all = [
        lists.join(&stray[0]),
        lists.join(format!(".{}.new", stray[0])),
        checkpoints.join(format!("{}.parquet", stray[1])),
        // Not ours.
        lists.join("README"),
    ];
    all.iter().for_each(|path| fs::write(path, b"x").unwrap());
    tidy(&test).await;
    assert!(all.iter().all(|path| path.exists()), "young ones may be named yet");
    let old = SystemTime::now() - GRACE - HOUR;
    all.iter().for_each(|path| File::open(path).unwrap().set_modified(old).unwrap());
    let test = test.restart().await;
    tidy(&test).await;
    assert_eq!(all.map(|path| path.exists()), [false, false, false, true]);
    let owner = test.ctx(&owner.actor.principal.subject).await;
    served(&test, &owner).await;
}

#[tokio::test]
async fn a_file_that_an_inspection_has_just_stored_is_not_removed() {
    let (test, owner) = start().await;
    test.lay(FOLDER, 0, good()).await;
    // The files of version 1 are stored, and older than the grace by the clock, when their inspection waits for the
    // database.
    let log = test.table_folder(FOLDER).join("_delta_log");
    fs::write(log.join(format!("{:020}.json", 1)), b"{}").unwrap();
    app::jobs::poll_once(&test.app).await.unwrap();
    let held = test.inspector.hold();
    let inspection = tokio::spawn({
        let app = Arc::clone(&test.app);
        async move { app::jobs::run_due(&app).await.map(|_| ()) }
    });
    held.reached().await;
    let turn = test.app.db.write(Lock::Facts).await.unwrap();
    held.release();
    let is_stored = async {
        while n_files(&stored(&test, "lists")) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), is_stored).await.unwrap();
    test.clock.advance(GRACE + HOUR);
    let collection = tokio::spawn({
        let app = Arc::clone(&test.app);
        async move { app::retention::collect(&app).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    if collection.is_finished() {
        panic!("it did not wait: {:?}", collection.await);
    }
    drop(turn);
    inspection.await.unwrap().unwrap();
    collection.await.unwrap().unwrap();
    assert!(served(&test, &owner).await.contains(&format!("{:020}", 1)));
}

/// Stores the newest snapshot as an earlier release did, without the name of its checkpoint; gives its file list.
async fn forget_checkpoint(test: &TestApp) -> String {
    let mut tx = test.app.db.write(Lock::Facts).await.unwrap();
    let table = store::table::list(&mut tx, &Seek::first(1)).await.unwrap().items.remove(0);
    let head = store::table::get_snapshot(&mut tx, table.head.unwrap()).await.unwrap();
    let found = Inspected { checkpoint: None, ..head.found.unwrap() };
    store::table::set_inspected(&mut tx, head.id, Ok(&found)).await.unwrap();
    tx.commit().await.unwrap();
    found.file_list.unwrap()
}

#[tokio::test]
async fn checkpoints_of_an_earlier_release_are_named_before_any_is_removed() {
    let (test, owner) = start().await;
    test.lay(FOLDER, 0, good()).await;
    forget_checkpoint(&test).await;
    collect(&test).await;
    assert_eq!(n_stored(&test), (1, 1));
    served(&test, &owner).await;
}

#[tokio::test]
async fn no_checkpoint_is_removed_while_a_list_cannot_be_read() {
    let (test, owner) = start().await;
    test.lay(FOLDER, 0, good()).await;
    let list = forget_checkpoint(&test).await;
    let (path, aside) = (stored(&test, "lists").join(&list), stored(&test, "aside"));
    fs::rename(&path, &aside).unwrap();
    // Reading a directory is an error of the system, as one for want of file descriptors is.
    fs::create_dir(&path).unwrap();
    test.clock.advance(GRACE + HOUR);
    app::jobs::tidy_once(&test.app).await.unwrap_err();
    fs::remove_dir(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    collect(&test).await;
    assert_eq!(n_stored(&test), (1, 1));
    served(&test, &owner).await;
}

/// A data directory, and the place in it where an inspection writes.
fn data_dir() -> (TempDir, DataDir, PathBuf) {
    let data = TempDir::new().unwrap();
    let folder = DataDir::open(data.path()).unwrap();
    let scratch = folder.root().join("scratch");
    (data, folder, scratch.join("checkpoint.parquet"))
}

#[test]
fn a_checkpoint_is_hashed_in_chunks_and_has_a_largest_size() {
    let (_data, folder, written) = data_dir();
    let of_size = |size: u64| File::create(&written).unwrap().set_len(size).unwrap();
    of_size(MAX_CHECKPOINT_BYTES + 1);
    assert_eq!(folder.keep_checkpoint(&written).unwrap(), Err(Error::LargeCheckpoint));
    of_size(MAX_CHECKPOINT_BYTES / 2);
    let kept = folder.keep_checkpoint(&written).unwrap().unwrap();
    assert_eq!(kept.size_bytes, MAX_CHECKPOINT_BYTES / 2);
    assert!(!written.exists(), "it moved");
    let peak = peak_kib();
    assert!(peak < 400 << 10, "the process took {peak} KiB");
}

/// The most memory that this process has ever had, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn only_a_file_of_its_own_is_a_checkpoint() {
    let (data, folder, written) = data_dir();
    let secret = data.path().join("keys/secret");
    fs::write(&secret, b"secret").unwrap();
    std::os::unix::fs::symlink(&secret, &written).unwrap();
    assert_eq!(folder.keep_checkpoint(&written).unwrap(), Err(Error::BadCheckpoint), "a symbolic link");
    fs::remove_file(&written).unwrap();
    fs::hard_link(&secret, &written).unwrap();
    assert_eq!(folder.keep_checkpoint(&written).unwrap(), Err(Error::BadCheckpoint), "a hard link");
    fs::remove_file(&written).unwrap();
    fs::create_dir(&written).unwrap();
    assert_eq!(folder.keep_checkpoint(&written).unwrap(), Err(Error::BadCheckpoint), "a folder");
}
