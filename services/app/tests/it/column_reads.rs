//! Which columns are read: from what the gateway sends to the answer.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use app::Error;
use app::column_reads::{TableReaders, readers_of_table};
use app::lease::{Leases, OpenLease, Scope};
use domain::column_reads::{Chunk, DAY, FileChunks, MAX_COLUMNS, MAX_DAYS, ReadColumn, WRITE_EVERY};
use domain::gate::Action;
use domain::identity::{DomainRole, PlatformRole};
use domain::table::PinnedFile;
use testkit::actor::{TestActor, issued};
use testkit::app::TestApp;
use testkit::inspector::Scene;

use crate::open_table::{FOLDER, ROWS, open};

const MIB: u64 = 1 << 20;
const SIZE: u64 = 4 * MIB;
/// A data file, and one whose chunks are not known.
const FILE: &str = "a.parquet";
const DOUBTFUL: &str = "b.parquet";
/// The bytes of the columns of [`FILE`], a MiB each.
const ID: Range<u64> = 4..4 + MIB;
const NAME: Range<u64> = 4 + MIB..4 + 2 * MIB;

fn pinned(path: &str) -> PinnedFile {
    PinnedFile { path: path.to_owned(), size_bytes: SIZE, mtime_ns: 1, inode: 1, ctime_ns: Some(1), digest: None }
}

fn chunks() -> Option<FileChunks> {
    let chunk = |bytes: Range<u64>, column| Chunk { start: bytes.start, end: bytes.end, column: Some(column) };
    FileChunks::new(vec![chunk(ID, 0), chunk(NAME, 1)])
}

/// Columns `id`, `name`, and `day`, which is in no file.
fn scene() -> Scene {
    Scene::of("id:integer name day:date").with_files(vec![(pinned(FILE), chunks()), (pinned(DOUBTFUL), None)])
}

/// An application with the table, its owner, and a reader with a grant.
async fn start() -> (TestApp, TestActor, TestActor) {
    let (test, owner, reader, _) = open().await;
    test.lay(FOLDER, 1, scene()).await;
    app::column_reads::begin(&test.app).await.unwrap();
    (test, owner, reader)
}

async fn lease(test: &TestApp, reader: &TestActor) -> Arc<OpenLease> {
    test.app.open(reader.leases(ROWS).await.lease.id).await.unwrap()
}

fn send(test: &TestApp, lease: &OpenLease, key: &str, bytes: Range<u64>) {
    test.app.sends(lease, key, SIZE, &bytes);
}

async fn readers(actor: &TestActor, days: u32) -> Option<TableReaders> {
    let target = app::table::find_table(actor, &ROWS.parse().unwrap()).await.unwrap().unwrap();
    readers_of_table(actor, &target, days).await.unwrap()
}

/// The number of leases under which each column was read in the last 90 days, then under which anything may have been.
async fn counts(test: &TestApp, owner: &TestActor) -> (Vec<(String, u64)>, u64) {
    app::column_reads::write(&test.app).await.unwrap();
    let found = readers(owner, 90).await.unwrap();
    let sum = |readers: &[app::column_reads::ReaderOfColumn]| readers.iter().map(|reader| reader.extent.n_leases).sum();
    let columns = found.columns.iter().map(|column| (column.name.clone(), sum(&column.readers)));
    (columns.collect(), sum(&found.everything))
}

fn columns(id: u64, name: u64, day: u64) -> Vec<(String, u64)> {
    [("id", id), ("name", name), ("day", day)].map(|(column, n)| (column.to_owned(), n)).to_vec()
}

#[tokio::test]
async fn a_column_counts_once_for_each_lease_and_day() {
    let (test, owner, reader) = start().await;
    let first = lease(&test, &reader).await;
    assert_eq!(counts(&test, &owner).await, (columns(0, 0, 0), 0), "a lease alone is no read");
    send(&test, &first, FILE, ID);
    send(&test, &first, FILE, ID);
    // The values of a column that is in no file are in the metadata, which each reader reads.
    assert_eq!(counts(&test, &owner).await, (columns(1, 0, 1), 0));
    test.clock.advance(WRITE_EVERY);
    send(&test, &first, FILE, ID);
    test.clock.advance(WRITE_EVERY);
    assert_eq!(counts(&test, &owner).await, (columns(1, 0, 1), 0), "it is one lease still");
    let found = readers(&owner, 90).await.unwrap();
    assert_eq!(found.columns[0].readers[0].principal_id, reader.id());
    assert_eq!(found.columns[0].readers[0].extent.last_at, owner.now().minus(WRITE_EVERY), "and was read again");
    assert_eq!(found.unread(), ["name"]);
    let second = lease(&test, &reader).await;
    send(&test, &second, FILE, ID.start..NAME.start + 1);
    assert_eq!(counts(&test, &owner).await, (columns(2, 1, 2), 0));
    assert_eq!(readers(&owner, 90).await.unwrap().unread(), [""; 0]);
    test.clock.advance(DAY);
    send(&test, &second, FILE, NAME);
    assert_eq!(counts(&test, &owner).await, (columns(2, 2, 3), 0), "another day");
}

#[tokio::test]
async fn a_read_before_midnight_belongs_to_its_day() {
    let (test, owner, reader) = start().await;
    let lease = lease(&test, &reader).await;
    send(&test, &lease, FILE, ID);
    test.clock.advance(DAY);
    send(&test, &lease, FILE, NAME);
    assert_eq!(counts(&test, &owner).await, (columns(1, 1, 2), 0));
    let last = readers(&owner, 1).await.unwrap();
    let of = |name: &str| last.columns.iter().find(|column| column.name == name).unwrap().readers[0].extent.last_at;
    assert_eq!(of("name"), owner.now());
    assert_eq!(of("id"), owner.now().minus(DAY));
}

#[tokio::test]
async fn what_cannot_be_told_counts_as_everything() {
    let (test, owner, reader) = start().await;
    let open = lease(&test, &reader).await;
    for key in [DOUBTFUL, "c.parquet"] {
        send(&test, &open, key, 0..1);
        let (columns, everything) = counts(&test, &owner).await;
        assert_eq!((columns[0].1, everything), (0, 1), "{key}");
    }
    assert_eq!(readers(&owner, 90).await.unwrap().unread(), [""; 0], "it may have been any column");

    // Without the map.
    let (test, owner, reader) = start().await;
    for file in fs::read_dir(stored(&test)).unwrap() {
        fs::write(file.unwrap().path(), "damaged").unwrap();
    }
    let open = lease(&test, &reader).await;
    assert!(matches!(&open.scope, Scope::Pinned { chunks: None, .. }));
    send(&test, &open, FILE, ID);
    assert_eq!(counts(&test, &owner).await, (columns(0, 0, 0), 1));

    // The folder as it is.
    let (test, owner, _) = start().await;
    let repair = issued(owner.vends(ROWS, Action::Repair).await);
    let open = test.app.open(repair.lease.id).await.unwrap();
    send(&test, &open, FILE, ID);
    assert_eq!(counts(&test, &owner).await, (columns(0, 0, 0), 1));
}

#[tokio::test]
async fn a_lease_of_many_columns_counts_as_everything() {
    let (test, owner, reader, _) = open().await;
    let names: Vec<String> = (0..=MAX_COLUMNS).map(|at| format!("c{at}")).collect();
    let chunk = |at: usize| Chunk { start: at as u64, end: at as u64 + 1, column: u32::try_from(at).ok() };
    let chunks = FileChunks::new((0..=MAX_COLUMNS).map(chunk).collect());
    test.lay(
        FOLDER,
        1,
        Scene::of(&format!("id:integer {}", names[1..].join(" "))).with_files(vec![(pinned(FILE), chunks)]),
    )
    .await;
    let open = lease(&test, &reader).await;
    let last = MAX_COLUMNS as u64;
    send(&test, &open, FILE, 1..last + 1);
    let (found, everything) = counts(&test, &owner).await;
    assert_eq!((found.iter().filter(|(_, n)| *n == 1).count(), everything), (MAX_COLUMNS, 0));
    send(&test, &open, FILE, 0..1);
    let (found, everything) = counts(&test, &owner).await;
    assert_eq!((found[0].1, everything), (0, 1), "one more");
    send(&test, &open, FILE, 1..2);
    assert_eq!(counts(&test, &owner).await.1, 1, "once");
}

#[tokio::test]
async fn the_leases_of_inspections_are_no_readers() {
    let (test, _, reader) = start().await;
    let OpenLease { id, table_id, expires_at, scope, .. } = (*lease(&test, &reader).await).clone();
    let inspection = OpenLease { id, table_id, reader: None, expires_at, scope };
    send(&test, &inspection, FILE, ID);
    app::column_reads::write(&test.app).await.unwrap();
    let mut tx = test.app.db.read().await.unwrap();
    assert_eq!(store::column_reads::list_of_tables(&mut tx, &[table_id], 0).await.unwrap(), []);
}

/// Where the maps are.
fn stored(test: &TestApp) -> PathBuf {
    test.table_folder("x").ancestors().nth(2).unwrap().join("chunks")
}

#[tokio::test]
async fn the_map_of_a_snapshot_is_kept_beside_its_list() {
    let (test, _, reader) = start().await;
    let open = lease(&test, &reader).await;
    let Scope::Pinned { files, chunks: Some(map), .. } = &open.scope else { panic!("a pinned lease with a map") };
    assert_eq!(map.columns()[..], ["id", "name", "day"]);
    assert_eq!(map.without_bytes(), [2]);
    // In the order of the list, where our own checkpoint, which has no column, is the first.
    let keys: Vec<_> = files.entries().iter().map(|file| file.file.path.as_str()).collect();
    assert_eq!(keys, ["_delta_log/00000000000000000001.checkpoint.parquet", FILE, DOUBTFUL]);
    assert_eq!(map.files(), [Some(FileChunks::default()), chunks(), None]);
    let lists = stored(&test).with_file_name("lists");
    let names = |folder: PathBuf| {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(stored(&test)), names(lists), "under the digest of the list");
}

#[tokio::test]
async fn readers_are_shown_to_those_who_see_the_leases_of_others() {
    let (test, owner, reader) = start().await;
    let open = lease(&test, &reader).await;
    send(&test, &open, FILE, ID);
    app::column_reads::write(&test.app).await.unwrap();
    let shown = readers(&owner, 90).await.unwrap();
    for (actor, expected) in [
        (test.officer("steward", PlatformRole::Steward).await, true),
        (test.officer("auditor", PlatformRole::Auditor).await, true),
        (test.member("publisher", &[("nyc", DomainRole::Publisher)]).await, false),
        (test.member("consumer", &[("nyc", DomainRole::Consumer)]).await, false),
        (reader.clone(), false),
        (test.principal("stranger").await, false),
    ] {
        let found = readers(&actor, 90).await;
        assert_eq!(found.is_some(), expected, "{}", actor.actor.principal.subject);
        assert!(found.is_none_or(|found| found == shown));
    }
}

#[tokio::test]
async fn days_are_bounded() {
    let (_, owner, _) = start().await;
    let target = app::table::find_table(&owner, &ROWS.parse().unwrap()).await.unwrap().unwrap();
    for days in [0, MAX_DAYS + 1, u32::MAX] {
        let refused = readers_of_table(&owner, &target, days).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "days", .. })), "{days}");
    }
    assert!(readers_of_table(&owner, &target, MAX_DAYS).await.is_ok());
}

#[tokio::test]
async fn reads_are_forgotten_after_400_days() {
    let (test, _, reader) = start().await;
    let open = lease(&test, &reader).await;
    send(&test, &open, FILE, ID);
    app::column_reads::write(&test.app).await.unwrap();
    let left = async || {
        app::jobs::tidy_once(&test.app).await.unwrap();
        let mut tx = test.app.db.read().await.unwrap();
        store::column_reads::list_of_tables(&mut tx, &[open.table_id], 0).await.unwrap()
    };
    test.clock.advance(DAY * MAX_DAYS);
    let kept = left().await;
    let names: Vec<_> = kept.iter().map(|read| read.column.clone()).collect();
    assert_eq!(names, ["day", "id"].map(|name| ReadColumn::Named(name.to_owned())));
    assert!(kept.iter().all(|read| read.principal_id == reader.id()));
    test.clock.advance(DAY);
    assert_eq!(left().await, []);
}

#[tokio::test]
async fn the_end_writes_the_rest_and_a_crash_shows() {
    let (test, owner, reader) = start().await;
    let open = lease(&test, &reader).await;
    send(&test, &open, FILE, ID);
    let since = owner.now();
    app::column_reads::end(&test.app).await.unwrap();
    let found = readers(&owner, 90).await.unwrap();
    assert_eq!(found.columns[0].readers.len(), 1);
    assert_eq!((found.recording.since, found.recording.losses), (Some(since), vec![]));

    test.clock.advance(DAY / 100);
    let test = test.restart().await;
    app::column_reads::begin(&test.app).await.unwrap();
    let owner = test.ctx("owner-nyc").await;
    assert_eq!(readers(&owner, 90).await.unwrap().recording.losses, [], "the first run had an end");
    test.clock.advance(DAY / 100);
    let test = test.restart().await;
    app::column_reads::begin(&test.app).await.unwrap();
    let owner = test.ctx("owner-nyc").await;
    let recording = readers(&owner, 90).await.unwrap().recording;
    assert_eq!((recording.since, recording.losses), (Some(since), vec![owner.now()]), "the second had none");
}

#[tokio::test]
async fn without_a_recording_no_column_is_unread() {
    let (test, owner, _, _) = open().await;
    test.lay(FOLDER, 1, scene()).await;
    let found = readers(&owner, 90).await.unwrap();
    assert_eq!(found.recording.since, None);
    assert_eq!(found.unread(), [""; 0]);
}

/// What the recording adds to a request, against the millisecond or so that one takes. Prints the figure.
#[tokio::test]
async fn recording_a_read_takes_no_time_to_speak_of() {
    const N_FILES: u32 = 1_000;
    const N_COLUMNS: u32 = 100;
    const N_READS: u32 = 20_000;
    let (test, _, reader, _) = open().await;
    let names: Vec<String> = (1..N_COLUMNS).map(|at| format!("c{at}")).collect();
    let chunk = |at: u32| Chunk {
        start: u64::from(at) * 1_000,
        end: (u64::from(at) + 1) * 1_000,
        column: Some(at % N_COLUMNS),
    };
    let chunks = FileChunks::new((0..4 * N_COLUMNS).map(chunk).collect());
    let files = (0..N_FILES).map(|at| (pinned(&format!("{at:06}.parquet")), chunks.clone())).collect();
    test.lay(FOLDER, 1, Scene::of(&format!("id:integer {}", names.join(" "))).with_files(files)).await;
    let open = lease(&test, &reader).await;
    let keys: Vec<String> = (0..N_FILES).map(|at| format!("{at:06}.parquet")).collect();
    let begun = std::time::Instant::now();
    for (at, key) in (0..N_READS).zip(keys.iter().cycle()) {
        let start = u64::from(at % (4 * N_COLUMNS)) * 1_000;
        send(&test, &open, key, start..start + 1_000);
    }
    let each = begun.elapsed() / N_READS;
    println!("{N_FILES} files of {} chunks: {each:?} for each read", 4 * N_COLUMNS);
    assert!(each < std::time::Duration::from_micros(200), "{each:?}");
}
