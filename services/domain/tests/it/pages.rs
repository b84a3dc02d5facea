//! The tests that the tables of guards name (`docs/gate-guards.md`, `docs/gateway-guards.md`) exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[test]
fn tests_that_the_guard_tables_name_exist() {
    let functions: BTreeSet<String> = rust_files("tests")
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let names = text.split("fn ").skip(1).filter_map(|rest| words(rest).next().map(str::to_owned));
            names.collect::<Vec<_>>()
        })
        .collect();
    let crates = crates();
    let mut missing = BTreeSet::new();
    for (file, text) in documents().into_iter().filter(|(file, _)| is_guards(file)) {
        // The second column of each table; the first word of a path is the test's module and no crate.
        for row in text.lines().filter(|line| line.starts_with("| ")) {
            for test in code(row).filter(|code| code.contains("::")) {
                let (module, name) = test.rsplit_once("::").unwrap();
                let is_item = crates.contains_key(module.split("::").next().unwrap());
                if !is_item && !functions.contains(name) {
                    missing.insert(format!("{}: {test}", file.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

fn is_guards(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-guards.md"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every page: those of the root, of `docs/` and of its decisions.
fn documents() -> Vec<(PathBuf, String)> {
    let folders = [root(), root().join("docs"), root().join("docs/decisions")];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let files =
        entries.map(|entry| entry.unwrap().path()).filter(|file| file.extension().is_some_and(|ext| ext == "md"));
    let pages: Vec<_> = files.map(|file| (file.clone(), std::fs::read_to_string(&file).unwrap())).collect();
    assert!(pages.len() > 20, "{} pages", pages.len());
    pages
}

/// The Rust files of a folder of every crate.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut waiting: Vec<PathBuf> =
        std::fs::read_dir(root().join("services")).unwrap().map(|c| c.unwrap().path().join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// The words of each crate's sources, and the names of their files and folders.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in rust_files("src") {
        let path = file.strip_prefix(root().join("services")).unwrap().to_string_lossy().into_owned();
        let name = path.split('/').next().unwrap().to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        crates.entry(name).or_default().extend(words(&path).chain(words(&text)).map(str::to_owned));
    }
    crates
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// What stands in backticks on one line.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}
