//! The change engine: a wide contract judged against a long history.

use std::fmt::Write as _;
use std::time::Instant;

use documents::Document;
use domain::change;
use domain::contract;

use crate::measure::Figures;

/// A new version of 1,000 columns against 100 promised versions of its major, all parsed beforehand. Each version adds a
/// column and words another one anew; types, keys, bounds and classifications are among what is compared.
pub(crate) fn judge() {
    const N_COLUMNS: usize = 1_000;
    const N_VERSIONS: usize = 100;
    let mut history: Vec<contract::Document> =
        (0..N_VERSIONS).map(|minor| contract(minor, N_COLUMNS - N_VERSIONS + minor)).collect();
    let parsed = contract(N_VERSIONS, N_COLUMNS);
    let versions: Vec<_> = history.iter().map(|old| old.version).collect();
    let judged = |new: &contract::Document, history: &[contract::Document]| {
        let promised: Vec<&contract::Document> = history.iter().collect();
        change::judge(new, &versions, &promised).unwrap();
    };
    let apart = rounds(|| judged(&parsed, &history));
    // As the server keeps them: each version shares its columns with the one before it, from when it is first read.
    for at in 1..N_VERSIONS {
        let (before, rest) = history.split_at_mut(at);
        rest[0].share_columns(&before[at - 1]);
    }
    let shared = rounds(|| {
        let mut new = parsed.clone();
        new.share_columns(&history[N_VERSIONS - 1]);
        judged(&new, &history);
    });
    println!("contract of {N_COLUMNS} columns judged against {N_VERSIONS} versions, as publishing does: {shared}");
    println!("  budget: under 20 ms");
    println!("  versions that share no column: {apart}");
}

fn rounds(round: impl Fn()) -> Figures {
    const N_ROUNDS: usize = 50;
    let times = (0..N_ROUNDS).map(|_| {
        let began = Instant::now();
        round();
        began.elapsed()
    });
    Figures::of(times.collect())
}

/// Version `1.<minor>.0` with so many columns.
fn contract(minor: usize, n_columns: usize) -> contract::Document {
    let mut text = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: 1.{minor}.0\nstatus: active\nschema:\n  - name: rows\n    \
         logicalType: object\n    properties:\n      - name: id\n        logicalType: integer\n        required: true\n        \
         unique: true\n        primaryKey: true\n        primaryKeyPosition: 1\n"
    );
    for column in 1..n_columns {
        let kind = ["string", "integer", "number", "boolean", "timestamp"][column % 5];
        // The column whose words change in this version.
        let since = if column <= minor { minor } else { 0 };
        write!(
            text,
            "      - name: column_{column}\n        logicalType: {kind}\n        description: column {column} since \
             {since}\n        classification: {}\n        tags: [a, b]\n",
            ["public", "internal", "confidential"][column % 3],
        )
        .unwrap();
        if kind == "string" {
            text += "        logicalTypeOptions:\n          maxLength: 200\n";
        }
    }
    match documents::parse(text.as_bytes()).unwrap().document {
        Document::Contract(contract) => contract,
        Document::Product(_) => unreachable!("the text says that it is a contract"),
    }
}
