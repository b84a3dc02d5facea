//! Arbitrary input never makes the readers or the change engine panic, and what they say of it is consistent.
//!
//! Each file of `tests/fuzz/corpus` is mutated, bytes and structure, by a generator whose seed is the number of the
//! iteration, so that every run is the same and a failure names the seed that repeats it. `CHARTER_FUZZ` says how many
//! iterations to do instead of the few of every test run:
//!
//! ```text
//! CHARTER_FUZZ=1000000 cargo test --release -p documents --test documents_it -- fuzz
//! CHARTER_FUZZ_SEED=4711 cargo test -p documents --test documents_it -- fuzz
//! ```
//!
//! To add a case, put a file into the corpus: contracts as `*.yaml`, table schemas as `table-*.yaml`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use documents::{Document, parse, table_schema};
use domain::change::table::{self, Mode};
use domain::change::{Finding, MAX_VALUE_CHARS, Options, Proofs, Rule, compare, compare_with, judge, required_bump};
use domain::contract;
use domain::version::Bump;
use serde_json::{Value, json};

/// How many iterations a test run does unless it is told otherwise.
const N_ITERATIONS: u64 = 400;

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `n`, which is not 0.
    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A file of the corpus.
struct Seed {
    name: String,
    text: String,
    tree: Value,
    /// What it says, unless it is a table schema.
    contract: Option<contract::Document>,
}

fn corpus() -> Vec<Seed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let tree = serde_saphyr::from_str(&text).unwrap();
        let contract = contract(text.as_bytes());
        Seed { name: path.file_name().unwrap().to_string_lossy().into_owned(), text, tree, contract }
    };
    let mut seeds: Vec<_> = std::fs::read_dir(folder).unwrap().map(read).collect();
    seeds.sort_by(|a, b| a.name.cmp(&b.name));
    seeds
}

/// Mutates bytes: flips, removes, inserts, repeats, and takes in pieces of another file.
fn mutated_bytes(text: &str, other: &str, random: &mut Random) -> Vec<u8> {
    const TOKENS: [&str; 14] =
        ["\n", "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "null", "-1", "1e999", "\"", "\u{0}"];
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + random.below(6) {
        let at = random.below(bytes.len().max(1)).min(bytes.len());
        let end = (at + 1 + random.below(40)).min(bytes.len());
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, random.pick(&TOKENS).bytes())),
            3 => {
                let piece = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, piece));
            }
            4 => {
                let lines: Vec<_> = other.split_inclusive('\n').collect();
                drop(bytes.splice(at..at, random.pick(&lines).bytes()));
            }
            _ => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let mut lines: Vec<_> = text.split_inclusive('\n').collect();
                let (a, b) = (random.below(lines.len().max(1)), random.below(lines.len().max(1)));
                if a < lines.len() && b < lines.len() {
                    lines.swap(a, b);
                }
                bytes = lines.concat().into_bytes();
            }
        }
    }
    bytes
}

/// All nodes of a tree, by their pointers.
fn pointers(tree: &Value, at: String, found: &mut Vec<String>) {
    match tree {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| pointers(value, format!("{at}/{name}"), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| pointers(item, format!("{at}/{index}"), found));
        }
        _ => {}
    }
    found.push(at);
}

/// Mutates structure: removes, repeats, replaces and moves values.
fn mutated_tree(tree: &Value, random: &mut Random) -> Value {
    const TYPES: [&str; 14] = [
        "int",
        "long",
        "string",
        "double",
        "decimal(12,2)",
        "timestamp",
        "date",
        "array<int>",
        "map<int,int>",
        "struct<a:int>",
        "array<",
        "varchar(5)",
        "int[]",
        "",
    ];
    let mut tree = tree.clone();
    for _ in 0..1 + random.below(3) {
        let mut all = Vec::new();
        pointers(&tree, String::new(), &mut all);
        let at: &String = random.pick(&all);
        let other: &String = random.pick(&all);
        let other = tree.pointer(other).cloned().unwrap_or_default();
        let Some(value) = tree.pointer_mut(at) else { continue };
        // Most values become one of their own kind, so that most documents stay readable.
        if random.below(8) == 0 {
            *value = match random.below(4) {
                0 => Value::Null,
                1 => json!([other]),
                2 => json!({ "value": other }),
                _ => other,
            };
            continue;
        }
        match value {
            Value::Null => *value = other,
            Value::Bool(flag) => *flag = !*flag,
            Value::Number(number) => {
                *value = json!(number.as_f64().unwrap_or_default() + f64::from(random.pick(&[-1_i8, 1, 9]).to_owned()))
            }
            Value::String(text) => match random.below(3) {
                0 => text.push('x'),
                1 => *value = json!(random.pick(&TYPES)),
                _ if other.is_string() => *value = other,
                _ => {}
            },
            Value::Array(items) if !items.is_empty() => {
                let (a, b) = (random.below(items.len()), random.below(items.len()));
                match random.below(3) {
                    0 => drop(items.remove(a)),
                    1 => items.swap(a, b),
                    _ => {
                        let mut copy = items[a].clone();
                        for key in ["id", "name", "property", "server", "role"] {
                            if let Some(Value::String(text)) = copy.get_mut(key) {
                                text.push('2');
                            }
                        }
                        items.push(copy);
                    }
                }
            }
            Value::Object(fields) if !fields.is_empty() => {
                let names: Vec<_> = fields.keys().cloned().collect();
                drop(fields.remove(random.pick(&names)));
            }
            Value::Array(_) | Value::Object(_) => {}
        }
    }
    tree
}

fn contract(bytes: &[u8]) -> Option<contract::Document> {
    match parse(bytes).ok()?.document {
        Document::Contract(contract) => Some(contract),
        Document::Product(_) => None,
    }
}

/// What must hold for any two contracts.
fn check_contracts(old: &contract::Document, new: &contract::Document) {
    assert_eq!(compare(new, new), vec![]);
    let findings = compare(old, new);
    let options = Options { proofs: Proofs::All, allow_widening: true, readers_keep_up: true, ..Options::default() };
    let settled = compare_with(old, new, &options);
    assert_eq!(findings.len(), settled.len(), "options find nothing else");
    assert!(required_bump(&settled) <= required_bump(&findings), "options never raise the bump");
    let breaks = |finding: &Finding| !finding.consumer_safe();
    assert!(
        !findings.iter().any(breaks) || findings.iter().any(|it| it.settled) || required_bump(&findings) == Bump::Major
    );
    for finding in &findings {
        assert!(!finding.path.is_empty() && !finding.message.is_empty());
        let values = || finding.before.iter().chain(&finding.after);
        assert!(values().all(|it| it.chars().count() <= MAX_VALUE_CHARS + 2 && !it.contains(char::is_control)));
        // An order has no values, and neither has what has no access or is in no other place.
        let may_be_silent = matches!(
            finding.rule,
            Rule::ShapeChanged | Rule::QualityRespelled | Rule::Documentation | Rule::RoleAdded | Rule::RoleChanged
        );
        assert!(may_be_silent || values().next().is_some(), "{finding:?} shows no value");
        if let Some(proof) = &finding.proof {
            assert!(!proof.to_string().is_empty());
            proof.checks();
        }
    }
    drop(judge(new, &[old.version], &[old]));
    assert_eq!(compare(old, new), findings, "the same input gives the same answer");
}

/// What must hold for any two table schemas.
fn check_tables(old: &Value, new: &Value) -> bool {
    let (Ok(old), Ok(new)) = (table_schema::parse(old), table_schema::parse(new)) else { return false };
    for mode in ["iceberg-v2", "iceberg-v3", "flink-sql", "delta", "delta+column-mapping+type-widening"] {
        let mode: Mode = mode.parse().unwrap();
        assert_eq!(table::compare(&new, &new, mode), Ok(vec![]));
        table::compare(&old, &new, mode).unwrap();
        table::compare(&new, &old, mode).unwrap();
    }
    true
}

/// One iteration: whether its input could be read.
fn iteration(seeds: &[Seed], number: u64) -> bool {
    let mut random = Random(number);
    let seed = random.pick(seeds);
    let other = random.pick(seeds);
    let tree = mutated_tree(&seed.tree, &mut random);
    let Some(old) = &seed.contract else { return check_tables(&seed.tree, &tree) };
    let bytes = match random.below(6) {
        0 => mutated_bytes(&seed.text, &other.text, &mut random),
        1 => mutated_bytes(&tree.to_string(), &other.text, &mut random),
        _ => tree.to_string().into_bytes(),
    };
    crate::lint::agrees(&bytes);
    let Some(new) = contract(&bytes) else { return false };
    check_contracts(old, &new);
    check_contracts(&new, old);
    true
}

#[test]
fn mutated_documents_are_read_and_compared_without_a_panic() {
    let seeds = corpus();
    for seed in &seeds {
        let is_table = seed.name.starts_with("table-");
        let is_read = if is_table { check_tables(&seed.tree, &seed.tree) } else { seed.contract.is_some() };
        assert!(is_read, "{} is not valid before it is mutated", seed.name);
    }
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds_of_run = match number("CHARTER_FUZZ_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CHARTER_FUZZ").unwrap_or(N_ITERATIONS),
    };
    let n_iterations = seeds_of_run.end - seeds_of_run.start;
    let mut n_read = 0;
    for seed in seeds_of_run {
        match catch_unwind(AssertUnwindSafe(|| iteration(&seeds, seed))) {
            Ok(is_read) => n_read += u64::from(is_read),
            Err(_) => panic!("CHARTER_FUZZ_SEED={seed} repeats this"),
        }
    }
    println!("{n_read} of {n_iterations} mutants could be read");
    assert!(n_iterations < 100 || n_read * 10 > n_iterations, "most mutants fail before they are compared");
}
