//! Each limit on GraphQL documents, at the limit and beyond it.

use api::Limits;
use serde_json::{Value, json};

use crate::support::{Api, code};

/// Asks a document as the admin; gives the first error's message, if there is one.
async fn refusal(api: &Api, query: &str) -> Option<String> {
    let answer = api.ask("admin", query, Value::Null).await;
    let message = answer["errors"][0]["message"].as_str().map(str::to_owned);
    if message.is_some() {
        assert_eq!(code(&answer).as_deref(), Some("INVALID"), "{answer}");
    }
    message
}

async fn check(api: &Api, fitting: &str, beyond: &str, what: &str) {
    assert_eq!(refusal(api, fitting).await, None, "at the limit");
    let message = refusal(api, beyond).await.expect("beyond the limit");
    assert!(message.contains(what), "{message}");
}

#[tokio::test]
async fn the_standard_introspection_query_passes() {
    let api = Api::start().await;
    let answer = api.data("admin", include_str!("documents/introspection.graphql"), Value::Null).await;
    assert_eq!(answer["__schema"]["mutationType"]["name"], "Mutation");
}

#[tokio::test]
async fn fields_nest_at_most_20_deep() {
    let api = Api::start().await;
    let nested = |depth: usize| {
        // __schema, types, fields, type, then `ofType` down to `name`.
        format!(
            "{{ __schema {{ types {{ fields {{ type {{ {} name {} }} }} }} }} }}",
            "ofType { ".repeat(depth - 5),
            "}".repeat(depth - 5)
        )
    };
    check(&api, &nested(20), &nested(21), "nested too deep").await;
}

#[tokio::test]
async fn a_document_costs_at_most_5000() {
    let api = Api::start().await;
    // A page of 199 items with `nodes` and 24 fields each is 199 * 25 + 1 = 4,976; with 25 fields 199 * 26 + 1.
    let page = |n_fields: usize| {
        let fields: String = (0..n_fields).map(|_| "id ").collect();
        format!("{{ domains(first: 199) {{ nodes {{ {fields} }} }} }}")
    };
    check(&api, &page(24), &page(25), "too complex").await;
    // The page's size counts where a variable gives it, too.
    let query = "query($n: Int) { domains(first: $n) { nodes { products(first: 100) { nodes { id } } } } }";
    let answer = api.ask("admin", query, json!({ "n": 24 })).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    let answer = api.ask("admin", query, json!({ "n": 25 })).await;
    assert!(answer["errors"][0]["message"].as_str().is_some_and(|message| message.contains("complex")), "{answer}");
    for n in [-1, i32::MIN, i32::MAX] {
        assert_eq!(api.code("admin", query, json!({ "n": n })).await, "INVALID");
    }
}

#[tokio::test]
async fn a_document_has_at_most_50_directives() {
    let api = Api::start().await;
    let with = |n: usize| {
        let fields: String = (0..n).map(|_| "version @include(if: true) ").collect();
        format!("{{ viewer {{ {fields} }} }}")
    };
    check(&api, &with(50), &with(51), "directives").await;
    let spread =
        format!("{{ viewer {{ ...V }} }} fragment V on Viewer {{ {} }}", "version @include(if: true) ".repeat(51));
    assert!(refusal(&api, &spread).await.is_some_and(|message| message.contains("directives")));
}

#[tokio::test]
async fn a_document_has_at_most_50_aliases() {
    let api = Api::start().await;
    let with = |n: usize| {
        let fields: String = (0..n).map(|index| format!("a{index}: viewer {{ version }} ")).collect();
        format!("{{ {fields} }}")
    };
    check(&api, &with(50), &with(51), "aliases").await;
}

#[tokio::test]
async fn a_document_has_at_most_5000_tokens() {
    let api = Api::start().await;
    let with = |n: usize| format!("{{ viewer {{ {} }} }}", "version ".repeat(n - 5));
    let limit = Limits::default().n_tokens;
    // Comments, commas and blanks are no tokens.
    let fitting = with(limit).replace("version version ", "version,\u{feff} version # a comment\n");
    let message = refusal(&api, &fitting).await;
    assert!(message.as_ref().is_none_or(|message| !message.contains("tokens")), "{message:?}");
    let message = refusal(&api, &with(limit + 1)).await.expect("beyond the limit");
    assert!(message.contains("tokens"), "{message}");
}

#[tokio::test]
async fn a_document_has_at_most_64_kib() {
    let api = Api::start().await;
    let with = |n: usize| format!("{{ viewer {{ version }} }}{}", " ".repeat(n - 22));
    let limit = Limits::default().query_bytes;
    check(&api, &with(limit), &with(limit + 1), "bytes").await;
}

#[tokio::test]
async fn brackets_nest_at_most_64_deep_before_anything_recursive_reads_them() {
    let api = Api::start().await;
    let nested = |n: usize| format!("{{ node(id: {}{}) {{ id }} }}", "[".repeat(n - 2), "]".repeat(n - 2));
    let limit = Limits::default().nesting;
    let message = refusal(&api, &nested(limit)).await.expect("a list is no id");
    assert!(!message.contains("nested"), "{message}");
    let message = refusal(&api, &nested(limit + 1)).await.expect("beyond the limit");
    assert!(message.contains("nested at most"), "{message}");
    for open in ["{", "[", "("] {
        assert!(refusal(&api, &open.repeat(30_000)).await.is_some());
    }
}

#[tokio::test]
async fn brackets_in_strings_and_comments_do_not_count() {
    let api = Api::start().await;
    let brackets = "(".repeat(200);
    for text in [
        format!("\"{brackets}\""),
        format!("\"\"\"{brackets} \\\"\"\" {brackets}\"\"\""),
        format!("\"\\\"{brackets}\""),
    ] {
        let query = format!("# {brackets}\n{{ domain(path: {text}) {{ id }} }}");
        let message = refusal(&api, &query).await.expect("not a path");
        assert!(message.contains("is not a name"), "{message}");
    }
}

#[tokio::test]
async fn exponential_fragments_are_counted_before_they_are_spread() {
    let api = Api::start().await;
    let mut document = "{ viewer { ...F0 } } ".to_owned();
    for level in 0..30 {
        document += &format!("fragment F{level} on Viewer {{ ...F{0} ...F{0} }} ", level + 1);
    }
    document += "fragment F30 on Viewer { version }";
    let message = refusal(&api, &document).await.expect("2^30 selections");
    assert!(message.contains("select at most"), "{message}");
    let cycle = "{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }";
    assert!(refusal(&api, cycle).await.is_some());
}

#[tokio::test]
async fn repeated_keys_of_input_objects_are_refused() {
    let api = Api::start().await;
    let query = r#"mutation { createDomain(input: { path: "a", path: "b" }) { __typename } }"#;
    let message = refusal(&api, query).await.expect("twice");
    assert!(message.contains("the key `path` is repeated"), "{message}");
    // Aliases are not keys.
    let query = "{ a: viewer { a: version } b: viewer { a: version } }";
    assert_eq!(refusal(&api, query).await, None);
}
