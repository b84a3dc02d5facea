//! Speed and size at 100,000 products with 1,000,000 columns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use search::{Access, Change, Column, Document, Index, Port, Request, Table, Visibility};

use crate::dice::Dice;

const WORDS: usize = 20_000;
const COLUMNS: usize = 10;
const QUERIES: usize = 2_000;
const RUNS: usize = 5;

/// Prints the figures. `CHARTER_PRODUCTS` is the number of products, `CHARTER_QUERIES` that of queries.
///
/// ```console
/// cargo test --release -p search --test search_it -- --ignored --nocapture bench
/// ```
#[test]
#[ignore = "prints figures that need a quiet machine and a release build"]
fn search_at_scale() {
    let (products, queries) = (number("CHARTER_PRODUCTS", 100_000), number("CHARTER_QUERIES", QUERIES));
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(11);
    let words = words(&mut dice);
    let started = Instant::now();
    let builder = Index::build(folder.path()).unwrap();
    let mut making = Duration::ZERO;
    for n in 0..products {
        let begun = processor();
        let document = document(&mut dice, &words, n);
        making += processor() - begun;
        builder.add(&document).unwrap();
    }
    let index = builder.finish(1).unwrap();
    let of_adding = processor().saturating_sub(making);
    let of_all = process_time().saturating_sub(making);
    let indexing = started.elapsed().checked_sub(making).unwrap();
    let size: u64 =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    println!("{products} products, {} columns", products * COLUMNS);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / products as f64;
    println!("bulk, processor: {:.0} µs a document, {:.0} µs of them to add it", each(of_all), each(of_adding));
    println!(
        "bulk: {indexing:?}, {:.0} documents/s; {} MB on disk",
        products as f64 / indexing.as_secs_f64(),
        size >> 20
    );
    drop(index);
    let started = Instant::now();
    let index = Index::open(folder.path()).unwrap();
    println!("open with verification: {:?}; memory {}", started.elapsed(), memory());

    let classes = (0..60).filter(|class| class % 3 != 0).map(|class| (format!("class{class}"), Access::Know)).collect();
    let granted = (0..200).map(|_| (format!("{:032x}", dice.below(products)), Access::Read)).collect();
    let caller = Arc::new(Visibility::new(classes, granted));
    let started = Instant::now();
    index.search(&caller, &Request::page("first", 20)).unwrap();
    println!("first search of a caller: {:?}", started.elapsed());
    let (mut all, mut wall) = (Vec::new(), Vec::new());
    let mut kinds: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for _ in 0..queries {
        let (kind, text) = query(&mut dice, &words);
        let request = Request::page(&text, 20);
        // The best of some runs is what a search takes on a machine that does nothing else.
        let taken = (0..RUNS).map(|_| {
            let started = Instant::now();
            index.search(&caller, &request).unwrap();
            started.elapsed()
        });
        let taken: Vec<Duration> = taken.collect();
        wall.push(taken[0]);
        let taken = taken.into_iter().min().unwrap();
        all.push(taken);
        kinds.entry(kind).or_default().push(taken);
    }
    for (kind, times) in kinds
        .iter_mut()
        .chain([("all", &mut all), ("all, first", &mut wall)].iter_mut().map(|(kind, times)| (&*kind, &mut **times)))
    {
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!(
            "{kind:>12}: n {:4}, p50 {:?}, p90 {:?}, p99 {:?}, max {:?}",
            times.len(),
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0)
        );
    }
    let mut applied = Vec::new();
    for n in 0..20 {
        let document = document(&mut dice, &words, n * 7);
        let started = Instant::now();
        index.apply([Change::Put(Box::new(document))], 2).unwrap();
        index.search(&caller, &Request::page("first", 20)).unwrap();
        applied.push(started.elapsed());
    }
    applied.sort();
    println!("change to seen: p50 {:?}, max {:?}; memory {}", applied[10], applied[19], memory());
}

fn number(variable: &str, usual: usize) -> usize {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

/// The processor time of this thread: what a search takes on a machine that does nothing else.
fn processor() -> Duration {
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(status.split(' ').next().unwrap().parse().unwrap())
}

/// The processor time of all threads, those that ended too.
fn process_time() -> Duration {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: Vec<u64> =
        status.rsplit(") ").next().unwrap().split(' ').skip(11).take(2).map(|ticks| ticks.parse().unwrap()).collect();
    Duration::from_millis((ticks[0] + ticks[1]) * 10)
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    format!("{} {} {}", of("VmHWM"), of("RssAnon"), of("RssFile")).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn words(dice: &mut Dice) -> Vec<String> {
    let syllables = [
        "or", "der", "cus", "to", "mer", "re", "ve", "nue", "pay", "ment", "in", "voi", "ce", "sta", "tus", "li", "ne",
        "da", "ta", "ses", "sion", "e", "vent",
    ];
    (0..WORDS)
        .map(|n| {
            let mut word: String = (0..2 + dice.below(3)).map(|_| *dice.pick(&syllables)).collect();
            if n % 4 == 0 {
                word.push(char::from(b'a' + (n / 4 % 26) as u8));
            }
            word
        })
        .collect()
}

fn text(dice: &mut Dice, words: &[String], n: usize, between: &str) -> String {
    let list: Vec<&str> = (0..n).map(|_| words[dice.skewed(words.len())].as_str()).collect();
    list.join(between)
}

fn document(dice: &mut Dice, words: &[String], n: usize) -> Document {
    let n_words = 2 + dice.below(3);
    let name = format!("{}_{n}", text(dice, words, n_words, "_"));
    let domain = format!("domain{}", dice.below(40));
    let columns = (0..COLUMNS)
        .map(|_| Column {
            name: text(dice, words, 2, "_"),
            description: text(dice, words, 4, " "),
            synonyms: Vec::new(),
        })
        .collect();
    Document {
        id: format!("{n:032x}"),
        revision: 1,
        address: format!("{domain}.{name}"),
        title: name.replace('_', " "),
        description: text(dice, words, 20, " "),
        tags: vec![text(dice, words, 1, " ")],
        owners: vec![format!("team{}", dice.below(100))],
        ports: vec![Port {
            name: "out".to_owned(),
            format: Some((*dice.pick(&["delta", "parquet"])).to_owned()),
            addresses: vec![format!("s3://lake/{domain}/{name}")],
        }],
        tables: vec![Table { name: name.clone(), description: text(dice, words, 6, " "), columns, ..Table::default() }],
        classification: Some((*dice.pick(&["internal", "confidential"])).to_owned()),
        state: "active".to_owned(),
        class: format!("class{}", dice.below(60)),
        contracts: vec![format!("{n:032x}")],
        upstream: (0..dice.below(3)).map(|_| format!("{:032x}", dice.below(n + 1))).collect(),
        name,
        domain,
        readers: dice.below(100) as u32,
        ..Document::default()
    }
}

fn query(dice: &mut Dice, words: &[String]) -> (&'static str, String) {
    let word = |dice: &mut Dice| words[dice.skewed(words.len())].clone();
    match dice.below(10) {
        0 => ("one word", format!("{} ", word(dice))),
        1 | 2 => ("two words", format!("{} {} ", word(dice), word(dice))),
        3 => ("three words", text(dice, words, 3, " ")),
        4 => {
            ("sentence", format!("how many {} of the {} per {} and {}", word(dice), word(dice), word(dice), word(dice)))
        }
        5 | 6 => {
            let word = word(dice);
            let n = 1 + dice.below(word.len());
            ("unfinished", word[..n].to_owned())
        }
        7 => {
            let mut chars: Vec<char> = word(dice).chars().collect();
            let at = dice.below(chars.len());
            chars.remove(at);
            ("misspelt", format!("{} {}", chars.into_iter().collect::<String>(), word(dice)))
        }
        8 => ("identifier", text(dice, words, 2, "_")),
        _ => ("everything", String::new()),
    }
}
