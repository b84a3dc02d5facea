//! The newest snapshot, the probe for a newer one, the way to a location, and pinned readers.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;

use domain::storage::{Error, Lake, ReadError, Reader, WorkerRoot};
use domain::table::{FileDigest, Format, Location, PinnedFile, SnapshotKey};
use sha2::{Digest, Sha256};
use storage::{LocalLake, newest_delta_version};
use tempfile::TempDir;

struct World {
    folder: TempDir,
    lake: LocalLake,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("lake")).unwrap();
        let lake = LocalLake::open(&folder.path().join("lake")).unwrap();
        Self { folder, lake }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("lake").join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }
}

fn at(location: &str) -> Location {
    location.parse().unwrap()
}

#[tokio::test]
async fn the_newest_delta_version_is_the_highest_log_entry() {
    let world = World::new();
    let newest = async || world.lake.newest(&at("nyc/trips"), Format::Delta).await;
    assert!(matches!(newest().await, Err(Error::NoFolder(_))));
    world.write("nyc/trips/a.parquet", "");
    assert!(matches!(newest().await, Err(Error::NoTable(_, Format::Delta))));
    for name in ["00000000000000000003.json", "00000000000000000011.json", "00000000000000000012.crc", "13.json"] {
        world.write(&format!("nyc/trips/_delta_log/{name}"), "{}");
    }
    assert_eq!(newest().await.unwrap(), SnapshotKey::DeltaVersion(11));
    let newer =
        async |version| world.lake.has_newer(&at("nyc/trips"), &SnapshotKey::DeltaVersion(version)).await.unwrap();
    assert!(newer(10).await);
    assert!(!newer(11).await);
}

/// Where entries were removed, a checkpoint stands for them, if none of its parts is missing.
#[tokio::test]
async fn a_complete_checkpoint_is_a_delta_version() {
    let world = World::new();
    let newest = async || world.lake.newest(&at("t"), Format::Delta).await;
    let write = |name: &str| world.write(&format!("t/_delta_log/{name}"), "");
    for name in [
        "00000000000000000002.checkpoint.0000000001.0000000002.parquet",
        "00000000000000000002.checkpoint.0000000003.0000000002.parquet",
        "00000000000000000002.checkpoint.0000000001.0000000003.parquet",
        "00000000000000000002.checkpoint.0000000000.0000000001.parquet",
        "00000000000000000002.checkpoint.1.1.parquet",
        "00000000000000000002.checkpoint.short.parquet",
        "2.checkpoint.parquet",
        "+0000000000000000002.checkpoint.parquet",
        "_last_checkpoint",
    ] {
        write(name);
        assert!(matches!(newest().await, Err(Error::NoTable(_, Format::Delta))), "{name}");
    }
    for (version, name) in [
        (2, "00000000000000000002.checkpoint.0000000002.0000000002.parquet"),
        (3, "00000000000000000003.checkpoint.parquet"),
        (4, "00000000000000000004.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet"),
        (5, "00000000000000000005.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json"),
        (6, "00000000000000000006.json"),
    ] {
        write(name);
        assert_eq!(newest().await.unwrap(), SnapshotKey::DeltaVersion(version), "{name}");
    }
}

#[tokio::test]
async fn a_parquet_folder_is_named_by_its_data_files_and_only_a_listing_can_tell_a_newer_one() {
    let world = World::new();
    world.write("flat/a.parquet", "a");
    let newest = async || world.lake.newest(&at("flat"), Format::Parquet).await.unwrap();
    let first = newest().await;
    world.write("flat/_hidden/b.parquet", "b");
    world.write("flat/.hidden.parquet", "b");
    symlink(world.path("flat/a.parquet"), world.path("flat/link.parquet")).unwrap();
    assert_eq!(newest().await, first, "hidden names and links do not count");
    world.write("flat/part=1/b.parquet", "b");
    assert_ne!(newest().await, first);
    assert!(world.lake.has_newer(&at("flat"), &first).await.unwrap());
}

#[tokio::test]
async fn a_link_on_the_way_is_refused_everywhere() {
    let world = World::new();
    world.write("real/t/_delta_log/00000000000000000000.json", "{}");
    symlink(world.path("real"), world.path("linked")).unwrap();
    world.lake.check_way(&at("real/t")).unwrap();
    world.lake.check_way(&at("real/not/there/yet")).unwrap();
    assert!(matches!(world.lake.check_way(&at("linked/t")), Err(Error::Link(_))));
    assert!(matches!(world.lake.newest(&at("linked/t"), Format::Delta).await, Err(Error::NoFolder(_))));
    let key = "_delta_log/00000000000000000000.json";
    assert!(world.lake.open_current(&at("real/t"), key).await.is_ok());
    assert!(matches!(world.lake.open_current(&at("linked/t"), key).await, Err(ReadError::NotFound)));
    assert!(matches!(world.lake.list_current(&at("linked/t"), "").await, Err(ReadError::NotFound)));
    let WorkerRoot::Folder(root) = world.lake.worker_root(&at("real/t"));
    assert_eq!(root, world.path("real/t"));
}

#[tokio::test]
async fn a_reader_is_pinned_to_the_state_in_which_the_file_was_opened() {
    let world = World::new();
    world.write("t/nested/a.parquet", "0123456789");
    let listed = world.lake.list_current(&at("t"), "nested/").await.unwrap();
    let [file] = &listed[..] else { panic!("one file: {listed:?}") };
    assert_eq!(file.path, "nested/a.parquet");
    let reader = world.lake.open_pinned(&at("t"), file).await.unwrap();
    assert_eq!(read(&reader).await.unwrap(), b"2345");

    let other = PinnedFile { size_bytes: 9, ..file.clone() };
    assert!(matches!(world.lake.open_pinned(&at("t"), &other).await, Err(ReadError::Changed)));
    let own = world.path(&format!("t/{}", file.path));
    assert!(world.lake.open_own(&own, file).await.is_ok());
    assert!(matches!(world.lake.open_own(&own, &other).await, Err(ReadError::Changed)));

    world.write("t/nested/a.parquet", "another text");
    assert!(matches!(read(&reader).await, Err(ReadError::Changed)));
    assert!(matches!(world.lake.open_pinned(&at("t"), file).await, Err(ReadError::Changed)));
    fs::remove_file(world.path("t/nested/a.parquet")).unwrap();
    assert!(matches!(world.lake.open_pinned(&at("t"), file).await, Err(ReadError::Changed)), "gone is changed");
}

async fn read(reader: &Arc<dyn Reader>) -> Result<Vec<u8>, ReadError> {
    Arc::clone(reader).read(2, 4).await
}

#[tokio::test]
async fn a_file_is_digested_once_in_each_state_and_not_in_one_that_changes() {
    let world = World::new();
    world.write("t/a.parquet", "0123456789");
    let listed = world.lake.list_current(&at("t"), "").await.unwrap().remove(0);
    let digest = FileDigest(Sha256::digest("0123456789").into());
    let right = PinnedFile { digest: Some(digest), ..listed.clone() };
    let wrong = PinnedFile { digest: Some(FileDigest([1; 32])), ..listed };
    let many = (0..20).map(|number| {
        let (lake, pin) = (world.lake.clone(), if number % 2 == 0 { right.clone() } else { wrong.clone() });
        tokio::spawn(async move { lake.open_pinned(&at("t"), &pin).await.is_ok() })
    });
    for (number, opened) in many.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(opened.await.unwrap(), number % 2 == 0);
    }
}

#[test]
fn the_newest_version_of_a_delta_table_that_belongs_to_no_lake_is_found() {
    let folder = TempDir::new().unwrap();
    let newest = || newest_delta_version(folder.path());
    assert_eq!(newest().unwrap(), None);
    fs::create_dir(folder.path().join("_delta_log")).unwrap();
    assert!(newest().unwrap_err().to_string().contains("no version"));
    for name in ["00000000000000000009.json", "00000000000000000010.json", "00000000000000000011.json.tmp", "12.json"] {
        fs::write(folder.path().join("_delta_log").join(name), "").unwrap();
    }
    assert_eq!(newest().unwrap(), Some(10));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(newest_delta_version(&file).unwrap(), None);
}
