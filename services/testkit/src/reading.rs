//! Tables of which columns can be read: a file with known chunks, and readers that the gateway would serve.

use std::ops::Range;

use app::lease::Leases as _;
use domain::column_reads::{Chunk, FileChunks};
use domain::table::PinnedFile;

use crate::actor::TestActor;
use crate::app::TestApp;

const PATH: &str = "a.parquet";
const CHUNK_BYTES: u64 = 1_000;

/// A data file with one chunk for each of these columns, for `Scene::with_files`.
pub fn data_file(n_columns: u32) -> (PinnedFile, Option<FileChunks>) {
    let pinned = PinnedFile {
        path: PATH.to_owned(),
        size_bytes: size_bytes(n_columns),
        mtime_ns: 1,
        inode: 1,
        ctime_ns: Some(1),
        digest: None,
    };
    let chunks = (0..n_columns).map(|column| {
        let Range { start, end } = bytes(column);
        Chunk { start, end, column: Some(column) }
    });
    (pinned, FileChunks::new(chunks.collect()))
}

fn bytes(column: u32) -> Range<u64> {
    let start = 4 + u64::from(column) * CHUNK_BYTES;
    start..start + CHUNK_BYTES
}

fn size_bytes(n_columns: u32) -> u64 {
    bytes(n_columns).start + 44
}

impl TestApp {
    /// Has one of two columns of a table with [`data_file`] read through a lease. It is in memory until
    /// `app::column_reads::write`.
    pub async fn reads_column(&self, reader: &TestActor, table: &str, column: u32) {
        let lease = reader.leases(table).await.lease;
        let open = self.app.open(lease.id).await.expect("an open lease");
        self.app.sends(&open, PATH, size_bytes(2), &bytes(column));
    }
}
