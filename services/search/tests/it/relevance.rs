//! The judged collection of real data products: how good the order of hits is.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use search::{Access, Column, Document, Index, Port, Request, Table, Visibility};
use serde_json::Value;

/// As many hits as the evaluator looks at.
const DEPTH: usize = 50;

/// Ranks the development queries, writes the run and prints the table of the evaluator. Needs the collection:
///
/// ```console
/// CHARTER_SHARED=... cargo test --release -p search --test search_it -- --ignored --nocapture relevance
/// ```
#[test]
#[ignore = "needs the judged collection in CHARTER_SHARED, and prints a table"]
fn the_judged_collection_is_ranked() {
    let folder = Path::new(&std::env::var("CHARTER_SHARED").unwrap()).join("relevance");
    let scratch = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let index = build(&folder.join("catalog.jsonl.gz"), scratch.path());
    println!("indexed in {:?}", started.elapsed());
    let everything = Arc::new(Visibility::new(BTreeMap::from([("all".to_owned(), Access::Read)]), BTreeMap::new()));
    let mut run = String::new();
    let mut times = Vec::new();
    for line in fs::read_to_string(folder.join("dev-queries.jsonl")).unwrap().lines() {
        let query: Value = serde_json::from_str(line).unwrap();
        let request = Request::page(text(&query["query"]), DEPTH);
        let answer = index.search(&everything, &request).unwrap();
        let page = Request { limit: 20, ..request.clone() };
        let took = (0..5).map(|_| {
            let started = Instant::now();
            index.search(&everything, &page).unwrap();
            started.elapsed()
        });
        times.push(took.min().unwrap());
        for (rank, hit) in answer.hits.iter().enumerate() {
            writeln!(run, "{}\t{}\t{}", text(&query["qid"]), rank + 1, hit.id).unwrap();
        }
        if std::env::var("CHARTER_EXPLAIN").is_ok_and(|qid| qid == text(&query["qid"])) {
            for hit in &answer.hits {
                println!("{} {:?} {} {:?}", hit.id, hit.stage, hit.score, hit.matches);
            }
        }
    }
    times.sort();
    println!("20 hits, best of 5: p50 {:?}, p99 {:?}", times[times.len() / 2], times[times.len() * 99 / 100]);
    let file = std::env::var_os("CHARTER_RUN").map_or_else(|| scratch.path().join("run.tsv"), PathBuf::from);
    fs::write(&file, run).unwrap();
    let status = Command::new("python3")
        .arg(folder.join("evaluate.py"))
        .args([folder.join("dev-queries.jsonl"), folder.join("dev-qrels.tsv"), file])
        .status()
        .unwrap();
    assert!(status.success());
}

fn build(catalog: &Path, folder: &Path) -> Index {
    let unpacked = Command::new("gzip").arg("-dc").arg(catalog).output().unwrap();
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    let builder = Index::build(folder).unwrap();
    for line in String::from_utf8(unpacked.stdout).unwrap().lines() {
        builder.add(&document(&serde_json::from_str(line).unwrap())).unwrap();
    }
    builder.finish(1).unwrap()
}

fn document(product: &Value) -> Document {
    let deprecated = product["deprecated"].as_bool().unwrap();
    Document {
        id: text(&product["id"]).to_owned(),
        revision: 1,
        address: text(&product["id"]).to_owned(),
        name: text(&product["name"]).to_owned(),
        title: text(&product["title"]).to_owned(),
        description: text(&product["description"]).to_owned(),
        tags: texts(&product["tags"]),
        owners: texts(&product["owners"]),
        ports: vec![Port { name: text(&product["name"]).to_owned(), format: None, addresses: Vec::new() }],
        tables: list(&product["tables"]).map(table).collect(),
        domain: text(&product["domain"]).to_owned(),
        state: if deprecated { "deprecated" } else { "active" }.to_owned(),
        deprecated,
        class: "all".to_owned(),
        contracts: vec![text(&product["id"]).to_owned()],
        upstream: texts(&product["upstream"]),
        ..Document::default()
    }
}

fn table(table: &Value) -> Table {
    let column = |column: &Value| Column {
        name: text(&column["name"]).to_owned(),
        description: text(&column["description"]).to_owned(),
        synonyms: Vec::new(),
    };
    Table {
        name: text(&table["name"]).to_owned(),
        address: Some(text(&table["address"]).to_owned()),
        description: text(&table["description"]).to_owned(),
        synonyms: Vec::new(),
        columns: list(&table["columns"]).map(column).collect(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).map(|value| text(value).to_owned()).collect()
}
