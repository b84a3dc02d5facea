//! Folders of Parquet files.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use domain::clock::Timestamp;
use domain::inspection::{InspectionJob, Kept};
use domain::table::{FileDigest, Format, PinnedFile, SnapshotKey};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::{delta, folder, launcher, numbers, run, sql, unreadable, value, write_parquet};

fn pinned(root: &Path, path: &str) -> PinnedFile {
    let stat = fs::metadata(root.join(path)).unwrap();
    let mtime_ns = stat.mtime() * 1_000_000_000 + stat.mtime_nsec();
    let ctime_ns = Some(stat.ctime() * 1_000_000_000 + stat.ctime_nsec());
    PinnedFile { path: path.to_owned(), size_bytes: stat.len(), mtime_ns, inode: stat.ino(), ctime_ns, digest: None }
}

#[test]
fn its_snapshot_is_the_data_files_at_any_depth() {
    let root = TempDir::new().unwrap();
    write_parquet(&root.path().join("b/k=1/x.parquet"), &numbers(&[1, 2]));
    write_parquet(&root.path().join("b.parquet"), &numbers(&[3]));
    for hidden in
        ["_tmp/x.parquet", ".x/x.parquet", "_x.parquet", ".x.parquet", "b/_x.parquet", "x.parquet.crc", "README"]
    {
        fs::create_dir_all(root.path().join(hidden).parent().unwrap()).unwrap();
        fs::write(root.path().join(hidden), "not Parquet").unwrap();
    }
    let found = folder(root.path(), vec![sql("SELECT sum(n) FROM ${table}")]).unwrap().inspection;
    let files = vec![pinned(root.path(), "b.parquet"), pinned(root.path(), "b/k=1/x.parquet")];
    assert_eq!(found.files, files);
    assert_eq!(found.snapshot, SnapshotKey::of_parquet_files(files.iter().rev()));
    assert_eq!((found.n_rows, found.checkpoint), (3, None));
    assert_eq!(found.measured, [value(6)]);
    assert_eq!(found.schema.columns.len(), 1, "a folder name is no column");
    let newest = files.iter().map(|file| file.mtime_ns).max().unwrap();
    assert_eq!(found.committed_at, Timestamp(newest / 1_000));
}

#[test]
fn each_of_path_size_times_and_inode_makes_another_snapshot() {
    let file =
        PinnedFile { path: "a".to_owned(), size_bytes: 1, mtime_ns: 2, inode: 3, ctime_ns: Some(4), digest: None };
    let key = |file: PinnedFile| SnapshotKey::of_parquet_files([&file]);
    let same = key(file.clone());
    assert_eq!(same, key(file.clone()));
    assert_ne!(same, key(PinnedFile { path: "b".to_owned(), ..file.clone() }));
    assert_ne!(same, key(PinnedFile { size_bytes: 2, ..file.clone() }));
    assert_ne!(same, key(PinnedFile { mtime_ns: 3, ..file.clone() }));
    assert_ne!(same, key(PinnedFile { inode: 4, ..file.clone() }));
    assert_ne!(same, key(PinnedFile { ctime_ns: Some(5), ..file.clone() }));
    assert_ne!(same, SnapshotKey::of_parquet_files([&file, &PinnedFile { path: "b".to_owned(), ..file.clone() }]));
}

#[test]
fn a_folder_that_is_no_longer_the_snapshot_is_refused() {
    let root = TempDir::new().unwrap();
    write_parquet(&root.path().join("a.parquet"), &numbers(&[1]));
    let snapshot = folder(root.path(), vec![]).unwrap().inspection.snapshot;
    let again = |snapshot: SnapshotKey| {
        run(&launcher(), |scratch| InspectionJob {
            format: Format::Parquet,
            root: root.path().to_owned(),
            snapshot: Some(snapshot),
            rules: vec![],
            digests: false,
            kept: Kept::default(),
            scratch,
        })
    };
    assert_eq!(again(snapshot.clone()).unwrap().inspection.snapshot, snapshot);
    write_parquet(&root.path().join("b.parquet"), &numbers(&[1]));
    assert_eq!(unreadable(again(snapshot)), "its files are no longer those of the snapshot");
}

#[test]
fn files_that_disagree_are_refused() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let others = [
        RecordBatch::try_from_iter([("n", text.clone())]).unwrap(),
        RecordBatch::try_from_iter([("m", number.clone())]).unwrap(),
        RecordBatch::try_from_iter([("n", number.clone()), ("m", text)]).unwrap(),
    ];
    for other in others {
        let root = TempDir::new().unwrap();
        write_parquet(&root.path().join("a.parquet"), &numbers(&[1]));
        write_parquet(&root.path().join("b.parquet"), &other);
        let reason = unreadable(folder(root.path(), vec![]));
        assert_eq!(reason, "the files `a.parquet` and `b.parquet` have different columns");
    }
    // That a column is never null in one file is no disagreement.
    let root = TempDir::new().unwrap();
    write_parquet(&root.path().join("a.parquet"), &RecordBatch::try_from_iter([("n", number)]).unwrap());
    let null: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(1)]));
    write_parquet(&root.path().join("b.parquet"), &RecordBatch::try_from_iter([("n", null)]).unwrap());
    let found = folder(root.path(), vec![sql("SELECT count(*) - count(n) FROM ${table}")]).unwrap().inspection;
    assert_eq!(found.measured, [value(1)]);
}

#[test]
fn a_torn_file_is_refused() {
    let root = TempDir::new().unwrap();
    let path = root.path().join("a.parquet");
    write_parquet(&path, &numbers(&(0..1_000).collect::<Vec<_>>()));
    let whole = fs::read(&path).unwrap();
    let end = whole.len();
    let with = |at: usize, bytes: &[u8]| [&whole[..at], bytes, &whole[at + bytes.len()..]].concat();
    let torn = [
        whole[..end / 2].to_vec(),
        vec![],
        b"PAR1".to_vec(),
        with(end - 8, &u32::MAX.to_le_bytes()),
        with(end - 8, &(end as u32 * 2).to_le_bytes()),
        with(end - 8, &3_u32.to_le_bytes()),
        with(end - 4, b"PARX"),
        with(end - 40, &[0xff; 32]),
    ];
    for bytes in torn {
        fs::write(&path, &bytes).unwrap();
        let reason = unreadable(folder(root.path(), vec![]));
        assert!(reason.starts_with("the file `a.parquet` is corrupt"), "{reason}");
    }
    // What is torn inside is found by whoever reads it.
    fs::write(&path, with(8, &[0xff; 64])).unwrap();
    let reason = unreadable(folder(root.path(), vec![sql("SELECT sum(n) FROM ${table}")]));
    assert!(reason.starts_with("the file `a.parquet` is corrupt"), "{reason}");
}

#[test]
fn a_file_alone_is_a_table_of_any_name_without_its_neighbours() {
    let root = TempDir::new().unwrap();
    let path = root.path().join("orders.pq");
    write_parquet(&path, &numbers(&[1, 2, 3]));
    write_parquet(&root.path().join("a.parquet"), &numbers(&[4]));
    let found = folder(&path, vec![sql("SELECT sum(n) FROM ${table}")]).unwrap().inspection;
    assert_eq!((found.n_rows, found.measured), (3, vec![value(6)]));
    assert_eq!(found.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["orders.pq"]);
    fs::write(root.path().join("text"), "n\n1\n").unwrap();
    assert!(unreadable(folder(&root.path().join("text"), vec![])).starts_with("the file `text` is corrupt"));
}

#[test]
fn a_file_alone_is_opened_like_one_of_a_folder() {
    let root = TempDir::new().unwrap();
    let path = root.path().join("a.parquet");
    write_parquet(&path, &numbers(&[1]));
    let link = root.path().join("link.parquet");
    symlink(&path, &link).unwrap();
    assert!(unreadable(folder(&link, vec![])).contains("cannot be opened"));
    fs::hard_link(&path, root.path().join("b.parquet")).unwrap();
    assert!(unreadable(folder(&path, vec![])).contains("2 hard links"));
    // A Delta table is never a file.
    let reason = unreadable(delta(&path, 0, vec![]));
    assert!(reason.contains("cannot be opened"), "{reason}");
}

#[test]
fn a_link_or_an_empty_folder_is_refused() {
    let outside = TempDir::new().unwrap();
    write_parquet(&outside.path().join("a.parquet"), &numbers(&[1]));
    let root = TempDir::new().unwrap();
    assert_eq!(unreadable(folder(root.path(), vec![])), "it has no Parquet file");
    symlink(outside.path().join("a.parquet"), root.path().join("a.parquet")).unwrap();
    assert!(unreadable(folder(root.path(), vec![])).contains("symbolic link"));
    fs::remove_file(root.path().join("a.parquet")).unwrap();
    symlink(outside.path(), root.path().join("folder")).unwrap();
    assert!(unreadable(folder(root.path(), vec![])).contains("symbolic link"));
    assert!(unreadable(folder(&outside.path().join("absent"), vec![])).contains("cannot be opened"));
}

#[test]
fn too_many_columns_are_refused_by_the_footer_alone() {
    let root = TempDir::new().unwrap();
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let columns = (0..10_001).map(|n| (n.to_string(), column.clone()));
    write_parquet(&root.path().join("a.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
    let reason = unreadable(folder(root.path(), vec![]));
    assert_eq!(reason, "the file `a.parquet` has 10001 columns, more than 10000");
}

#[test]
fn a_file_with_another_hard_link_is_refused() {
    let (root, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write_parquet(&root.path().join("a.parquet"), &numbers(&[1]));
    fs::hard_link(root.path().join("a.parquet"), elsewhere.path().join("b")).unwrap();
    let told = "`a.parquet` has 2 hard links: copy it, so that it cannot be changed from elsewhere";
    assert_eq!(unreadable(folder(root.path(), vec![])), told);
    fs::remove_file(elsewhere.path().join("b")).unwrap();
    folder(root.path(), vec![]).unwrap();
}

#[test]
fn files_are_digested_where_the_job_says() {
    let root = TempDir::new().unwrap();
    write_parquet(&root.path().join("a.parquet"), &numbers(&[1]));
    write_parquet(&root.path().join("b/b.parquet"), &numbers(&[2]));
    let found = run(&launcher(), |scratch| InspectionJob {
        format: Format::Parquet,
        root: root.path().to_owned(),
        snapshot: None,
        rules: vec![],
        digests: true,
        kept: Kept::default(),
        scratch,
    });
    for file in found.unwrap().inspection.files {
        let digest = FileDigest(Sha256::digest(fs::read(root.path().join(&file.path)).unwrap()).into());
        assert_eq!(file.digest, Some(digest), "{}", file.path);
    }
}
