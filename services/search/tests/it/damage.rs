//! An index that is missing, of another version or damaged is an answer, not a panic.

use std::fs;
use std::path::{Path, PathBuf};

use search::{Change, Index, OpenError, Request};

use crate::catalog::{Catalog, With, open, product, scratch};
use crate::dice::Dice;

/// An index with several segments and deleted documents, closed. One more segment would have them merged, if the merge
/// ended before the index is closed.
fn closed() -> tempfile::TempDir {
    let catalog =
        Catalog::of((0..40).map(|n| product("a", &format!("orders_{n}")).with_columns(&["price", "customer"])));
    for n in 0..2 {
        catalog.put(product("a", &format!("orders_{n}")).described("changed"));
    }
    catalog.index.apply([Change::Remove("a.orders_9".to_owned())], 9).unwrap();
    catalog.folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let is_part = |path: &PathBuf| path.extension().is_none_or(|extension| extension != "lock");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_part).collect();
    files.sort();
    files
}

fn refused(folder: &Path) -> OpenError {
    Index::open(folder).err().unwrap()
}

#[test]
fn a_folder_without_an_index_wants_a_build() {
    let folder = scratch();
    assert!(matches!(refused(folder.path()), OpenError::Missing));
    assert!(matches!(refused(&folder.path().join("nowhere")), OpenError::Missing));
    // A build that did not end leaves no index.
    let builder = Index::build(folder.path()).unwrap();
    builder.add(&product("a", "orders")).unwrap();
    drop(builder);
    assert!(matches!(refused(folder.path()), OpenError::Missing));
}

#[test]
fn an_index_that_is_open_is_not_opened_again() {
    let catalog = Catalog::of([product("a", "orders")]);
    assert!(matches!(refused(catalog.folder.path()), OpenError::InUse));
    assert!(matches!(Index::build(catalog.folder.path()), Err(OpenError::InUse)));
    assert_eq!(catalog.ids("orders"), ["a.orders"]);
}

#[test]
fn another_format_wants_a_rebuild() {
    let folder = scratch();
    let mut schema = tantivy::schema::Schema::builder();
    schema.add_text_field("id", tantivy::schema::STRING);
    tantivy::Index::create_in_dir(folder.path(), schema.build()).unwrap();
    assert!(refused(folder.path()).wants_rebuild());
}

#[test]
fn every_missing_truncated_or_changed_file_wants_a_rebuild() {
    let sound = closed();
    let mut dice = Dice::new(7);
    let scratch = scratch();
    let mut n = 0;
    for file in files(sound.path()) {
        let bytes = fs::read(&file).unwrap();
        let mut damaged: Vec<Option<Vec<u8>>> = vec![None, Some(Vec::new())];
        for _ in 0..12 {
            if bytes.is_empty() {
                continue;
            }
            let mut flipped = bytes.clone();
            flipped[dice.below(bytes.len())] ^= 1 << dice.below(8);
            damaged.push(Some(flipped));
            damaged.push(Some(bytes[..dice.below(bytes.len())].to_vec()));
        }
        for damage in damaged {
            let folder = scratch.path().join(n.to_string());
            n += 1;
            fs::create_dir(&folder).unwrap();
            for part in files(sound.path()) {
                fs::copy(&part, folder.join(part.file_name().unwrap())).unwrap();
            }
            let target = folder.join(file.file_name().unwrap());
            match damage {
                None => fs::remove_file(&target).unwrap(),
                Some(bytes) => fs::write(&target, bytes).unwrap(),
            }
            match Index::open(&folder) {
                Err(error) => assert!(error.wants_rebuild(), "{}: {error}", target.display()),
                // A change of a file's own version, which nothing reads, or of what no document needs.
                Ok(index) => {
                    let answer = index.search(&open(), &Request::page("orders", 50)).unwrap();
                    assert_eq!(answer.total, 39, "{}", target.display());
                }
            }
            fs::remove_dir_all(&folder).unwrap();
        }
    }
    assert!(n > 300, "only {n} damages");
}

#[test]
fn a_rebuild_replaces_what_was_there_and_nothing_else() {
    let folder = closed();
    let own = folder.path().join("notes.txt");
    fs::write(&own, "mine").unwrap();
    fs::write(folder.path().join("meta.json"), "broken").unwrap();
    assert!(refused(folder.path()).wants_rebuild());
    let builder = Index::build(folder.path()).unwrap();
    builder.add(&product("a", "orders")).unwrap();
    drop(builder.finish(3).unwrap());
    let index = Index::open(folder.path()).unwrap();
    assert_eq!(index.position(), 3);
    assert_eq!(index.search(&open(), &Request::page("", 50)).unwrap().total, 1);
    assert!(own.exists());
}
