//! A pinned lease serves files in their inspected state only.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use tokio::io::AsyncWriteExt;

use domain::table::{FileDigest, PinnedFile};

use crate::support::{
    FOLDER_LEASE, HUGE_BYTES, LEASE, TestServer, digest_of, object, own_checkpoint, pinned, read_answer, read_head,
};

const KEY: &str = "nested/b.parquet";

#[tokio::test]
async fn a_changed_file_is_not_served() {
    check(|path| fs::write(path, "longer").unwrap()).await;
    check(|path| touch(path, Duration::from_nanos(1))).await;
    check(|path| {
        let modified = fs::metadata(path).unwrap().modified().unwrap();
        fs::write(path, "longer").unwrap();
        File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_replaced_file_is_not_served() {
    check(|path| {
        let modified = fs::metadata(path).unwrap().modified().unwrap();
        let other = path.with_file_name("other");
        fs::write(&other, "x").unwrap();
        File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
        fs::rename(&other, path).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_missing_file_is_not_served() {
    check(|path| fs::remove_file(path).unwrap()).await;
    check(|path| fs::remove_dir_all(path.parent().unwrap()).unwrap()).await;
}

#[tokio::test]
async fn links_are_not_followed() {
    // The pinned file itself, behind a link of its name: size, time and inode would all be right.
    check(|path| {
        fs::rename(path, path.with_file_name("moved")).unwrap();
        symlink("moved", path).unwrap();
    })
    .await;
    check(|path| {
        let folder = path.parent().unwrap();
        fs::rename(folder, folder.with_file_name("moved")).unwrap();
        symlink("moved", folder).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_link_in_place_of_the_table_folder_is_not_followed() {
    let server = TestServer::start().await;
    let moved = server.root().with_file_name("moved");
    fs::rename(server.root(), &moved).unwrap();
    symlink(&moved, server.root()).unwrap();
    expect_changed(&server, KEY).await;
}

#[tokio::test]
async fn only_regular_files_are_served() {
    check(|path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    })
    .await;
}

#[tokio::test]
async fn opening_a_pipe_does_not_wait_for_a_writer() {
    let server = TestServer::start().await;
    let path = server.root().join(KEY);
    fs::remove_file(&path).unwrap();
    mkfifoat(CWD, &path, Mode::from_raw_mode(0o600)).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(10), server.ask("GET", &object(KEY))).await;
    // Unblocks a gateway that does wait, so that the test can fail.
    let _ = rustix::fs::open(&path, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty());
    assert_eq!(answer.expect("the gateway waits for a writer").status, 412);
}

#[tokio::test]
async fn our_own_checkpoint_is_pinned() {
    let server = TestServer::start().await;
    touch(&server.checkpoint(), Duration::from_nanos(1));
    expect_changed(&server, &own_checkpoint()).await;
    let server = TestServer::start().await;
    let moved = server.checkpoint().with_file_name("moved");
    fs::rename(server.checkpoint(), &moved).unwrap();
    symlink(&moved, server.checkpoint()).unwrap();
    expect_changed(&server, &own_checkpoint()).await;
}

#[tokio::test]
async fn other_files_of_the_lease_are_still_served() {
    let server = TestServer::start().await;
    fs::remove_file(server.root().join(KEY)).unwrap();
    assert_eq!(server.ask("GET", &object("a.parquet")).await.status, 200);
    let listed = server.ask("GET", "/lake?list-type=2").await;
    assert!(listed.text().contains(KEY), "the list is that of the inspection");
}

#[tokio::test]
async fn a_response_is_cut_short_when_its_file_changes() {
    let server = TestServer::start().await;
    let mut stream = server.connect().await;
    stream.write_all(&server.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with(b"HTTP/1.1 200"));
    let file = File::options().write(true).open(server.root().join("huge.bin")).unwrap();
    file.write_all_at(b"changed", HUGE_BYTES - 7).unwrap();
    assert!(is_cut_short(head, stream).await);
}

#[tokio::test]
async fn a_response_is_cut_short_when_its_file_is_truncated() {
    let server = TestServer::start().await;
    let mut stream = server.connect().await;
    stream.write_all(&server.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    File::options().write(true).open(server.root().join("huge.bin")).unwrap().set_len(HUGE_BYTES / 2).unwrap();
    assert!(is_cut_short(head, stream).await);
}

/// Whether a response whose head was read ends early.
pub(crate) async fn is_cut_short(head: Vec<u8>, mut stream: tokio::net::TcpStream) -> bool {
    use tokio::io::AsyncReadExt;
    let promised = format!("content-length: {HUGE_BYTES}\r\n");
    assert!(String::from_utf8(head).unwrap().contains(&promised));
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    u64::try_from(rest.len()).unwrap() < HUGE_BYTES
}

/// Changes a pinned file, and expects GET and HEAD to report it.
async fn check(change: impl Fn(&Path)) {
    let server = TestServer::start().await;
    assert_eq!(server.ask("GET", &object(KEY)).await.status, 200);
    change(&server.root().join(KEY));
    expect_changed(&server, KEY).await;
}

async fn expect_changed(server: &TestServer, key: &str) {
    let mut stream = server.connect().await;
    stream.write_all(&server.signer(LEASE).sign("GET", &object(key)).bytes()).await.unwrap();
    let get = read_answer(&mut stream).await;
    assert_eq!(get.status, 412, "{}", get.text());
    assert!(get.text().contains("request a new lease") && get.elements("Code") == ["PreconditionFailed"]);
    assert_eq!(server.ask("HEAD", &object(key)).await.status, 412);
}

fn touch(path: &Path, by: Duration) {
    let file = File::options().write(true).open(path).unwrap();
    let modified: SystemTime = file.metadata().unwrap().modified().unwrap();
    file.set_modified(modified + by).unwrap();
}

/// Writes other bytes of the same length, and sets the modification time back.
fn rewrite(path: &Path) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    let mut bytes = fs::read(path).unwrap();
    bytes[0] ^= 1;
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(&bytes, 0).unwrap();
    file.set_modified(modified).unwrap();
}

#[tokio::test]
async fn a_file_rewritten_in_place_with_its_time_set_back_is_not_served() {
    check(rewrite).await;
}

#[tokio::test]
async fn a_file_with_another_hard_link_is_not_served() {
    let server = TestServer::start().await;
    let path = server.root().join(KEY);
    fs::hard_link(&path, server.checkpoint().with_file_name("elsewhere")).unwrap();
    // Pinned by an earlier release, or inspected before links were looked at.
    server.pin_files(vec![PinnedFile { ctime_ns: None, ..pinned(&server.root(), KEY) }]);
    for lease in [LEASE, FOLDER_LEASE] {
        let answer = server.send(&server.signer(lease).sign("GET", &object(KEY))).await;
        assert_eq!(answer.status, 412);
        assert!(answer.text().contains("other hard links"), "{}", answer.text());
    }
    let listed = server.send(&server.signer(FOLDER_LEASE).sign("GET", "/lake?list-type=2")).await;
    assert!(!listed.text().contains(KEY), "links are not listed");
}

#[tokio::test]
async fn the_bytes_of_a_file_are_compared_with_a_pinned_digest_before_they_are_served_first() {
    let server = TestServer::start().await;
    let path = server.root().join("huge.bin");
    let right = digest_of(&path);
    let pin = |digest| {
        let file = PinnedFile { digest: Some(digest), ..pinned(&server.root(), "huge.bin") };
        server.pin_files(vec![file.clone()]);
        file
    };
    let get = async || server.get_with("huge.bin", "range", "bytes=0-9").await.status;
    pin(FileDigest([0; 32]));
    assert_eq!(get().await, 412, "the last byte would do");
    let file = pin(right);
    assert_eq!(get().await, 206);

    // A file that differs from what was inspected in nothing that a pin of an earlier release has.
    rewrite(&path);
    let old = PinnedFile { ctime_ns: None, ..file };
    server.pin_files(vec![old.clone()]);
    assert_eq!(get().await, 412, "another state is looked at again");
    server.pin_files(vec![PinnedFile { digest: None, ..old }]);
    assert_eq!(get().await, 206, "without a digest it is served until it is inspected again");
}

#[tokio::test]
async fn our_own_checkpoint_is_known_by_its_digest() {
    let server = TestServer::start().await;
    assert_eq!(server.ask("GET", &object(&own_checkpoint())).await.status, 200);
    rewrite(&server.checkpoint());
    expect_changed(&server, &own_checkpoint()).await;
}
