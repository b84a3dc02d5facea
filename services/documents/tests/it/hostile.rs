//! Documents that are meant to hurt.

use std::time::Duration;

use documents::{MAX_DOCUMENT_BYTES, lint, parse};

/// What a refusal may take: 100 ms, and ten times that in builds that are not optimised.
pub(crate) const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1_000 } else { 100 });

const HEAD: &str = "apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: 1.0.0\nstatus: active\n";

fn refused(name: &str, text: &str, reason: &str) {
    let start = cpu_time();
    let problems = parse(text.as_bytes()).expect_err(name);
    let took = cpu_time() - start;
    assert!(problems.iter().any(|problem| problem.message.contains(reason)), "{name}: {problems:?}");
    assert!(problems.iter().all(|problem| problem.message.len() < 1_000), "{name} tells too much");
    assert!(took < LIMIT, "{name} took {took:?}");
    assert!(problems.iter().all(|problem| problem.path.len() <= 1_000), "{name} has a pointer that is too long");
    let start = cpu_time();
    assert!(!lint(text.as_bytes()).is_empty(), "{name}");
    let took = cpu_time() - start;
    assert!(took < LIMIT, "{name} took {took:?} to be linted");
}

/// What this thread has spent on the processor, so that a busy machine does not count.
pub(crate) fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[test]
fn hostile_documents_are_refused_at_once() {
    // The schemas are compiled once per process, not per document.
    parse(format!("{HEAD}x: 1").as_bytes()).unwrap_err();

    let doubling = |n: usize| {
        let mut text = "a0: &a0 [x, x]\n".to_owned();
        (1..n).for_each(|i| text += &format!("a{i}: &a{i} [*a{0}, *a{0}]\n", i - 1));
        text
    };
    refused("alias bomb", &doubling(40), "");
    let wide = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(1_000), "*a,".repeat(99));
    refused("wide aliases", &wide, "");
    refused("many aliases", &format!("a: &a x\nb: [{}]\n", "*a,".repeat(200)), "alias");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(300_000), "*a,".repeat(90));
    refused("aliases of a long text", &long, "bytes of text");
    refused("an alias of itself", "a: &a [*a]\n", "contains it");
    refused("a merge bomb", "a: &a {x: 1}\nb: &b {<<: [*a, *a]}\nc: {<<: *c}\n", "");
    refused("nested lists", &"[".repeat(10_000), "");
    refused("nested maps", &"{a: ".repeat(10_000), "");
    let indented: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    refused("nested blocks", &indented, "");
    refused("many values", &format!("a: [{}]", "1,".repeat(60_000)), "");
    refused("too many bytes", &"#".repeat(MAX_DOCUMENT_BYTES + 1), "bytes");
    refused("a raw NUL", &format!("{HEAD}name: a\0b\n"), "");
    refused("an escaped NUL", &format!("{HEAD}name: \"a\\0b\"\n"), "U+0000");
    refused("an escaped NUL in a key", &format!("{HEAD}\"a\\0b\": 1\n"), "U+0000");
    refused("a huge exponent", &format!("{HEAD}price: {{priceAmount: 1e999999}}\n"), "");
    refused("a huge integer", &format!("{HEAD}price: {{priceAmount: {}}}\nx: 1\n", "9".repeat(100_000)), "");
    let far = format!("{HEAD}x: [{}{}]\n", "é,".repeat(9_000), "0,    ".repeat(40_000));
    refused("many numbers far out in one line", &far, "");
    let items = "0,".repeat(40_000);
    let long = "k".repeat(900);
    let deep = format!("{HEAD}customProperties: [{{property: p, value: {{{long}: {{{long}: \"\\0\"}}}}}}]\n");
    refused("a value below long keys", &deep, "U+0000");
    refused("a long key over many values", &format!("{HEAD}? {}\n: [{items}]\n", "k".repeat(5_000_000)), "");
    refused("a duplicate key", &format!("{HEAD}id: b\n"), "duplicate key");
    refused("a foreign tag", &format!("{HEAD}name: !exec rm\n"), "");
    refused("many documents", &"---\na: 1\n".repeat(3_000), "documents");
    refused("not UTF-8 at all", "", "no document");
}

#[test]
fn invalid_utf8_has_a_place() {
    let problems = parse(b"id: a\nname: \xff\n").unwrap_err();
    assert_eq!((problems[0].line, problems[0].column), (2, 7));
}

#[test]
fn words_of_older_yaml_are_texts() {
    let text = format!("{HEAD}name: no\n");
    let documents::Document::Contract(contract) = parse(text.as_bytes()).unwrap().document else { panic!() };
    assert_eq!(contract.name.as_deref(), Some("no"));
}
