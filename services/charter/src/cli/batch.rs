//! Batch comparison: reads pairs as JSON lines from standard input, and writes one JSON line for each to standard output.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};

use domain::change::{Finding, Options, Proofs, compare_with, needed_bump};
use domain::contract;
use domain::version::Bump;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::error::{Error, Exit, Result};
use super::output;

/// The longest line: two documents of the maximum size, with JSON's overhead.
const MAX_LINE_BYTES: u64 = 24_000_000;
/// The longest line for two schemas with their references.
pub(crate) const MAX_SCHEMA_LINE_BYTES: u64 = 4_500_000;

/// Answers line by line. `answer` takes the parsed line, or the id and the error of an invalid one; it returns whether
/// the pair could be compared, and the answer. A failed pair does not stop the batch.
///
/// # Errors
/// If standard input cannot be read, or at the end, if some pairs could not be compared.
pub(crate) fn run<L: DeserializeOwned, A: Serialize>(
    max_bytes: u64,
    answer: impl Fn(std::result::Result<L, (Option<Value>, String)>) -> (bool, A),
) -> Result<Exit> {
    let (mut stdout, mut all_compared) = (std::io::stdout().lock(), true);
    let mut stdin = BufReader::new(std::io::stdin().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        let cannot_read =
            |error: std::io::Error| Error::new(Exit::Failed, format!("cannot read standard input: {error}"));
        if stdin.by_ref().take(max_bytes + 1).read_until(b'\n', &mut line).map_err(cannot_read)? == 0 {
            break;
        }
        let is_too_long = line.len() as u64 > max_bytes && !line.ends_with(b"\n");
        if is_too_long {
            stdin.skip_until(b'\n').map_err(cannot_read)?;
        }
        // Some programs write a byte order mark first.
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let line = match is_too_long {
            true => Err((None, format!("the line is longer than {max_bytes} bytes"))),
            false => parse_line(text),
        };
        let (compared, answer) = answer(line);
        all_compared &= compared;
        let answer = serde_json::to_string(&answer).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
        match writeln!(stdout, "{answer}") {
            Ok(()) => {}
            // A closed pipe, as by `head`, is not an error.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Exit::Done),
            Err(error) => return Err(output::cannot_write(&error)),
        }
    }
    if all_compared { Ok(Exit::Done) } else { Err(Error::new(Exit::Invalid, "some pairs could not be compared")) }
}

fn parse_line<L: DeserializeOwned>(line: &[u8]) -> std::result::Result<L, (Option<Value>, String)> {
    serde_json::from_slice(line).map_err(|error| {
        // The id identifies the pair, if the line is JSON at all.
        let id = serde_json::from_slice::<Value>(line).ok().and_then(|mut line| line.get_mut("id").map(Value::take));
        (id, error.to_string())
    })
}

/// Deserializes a field for which null means the default.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    field: D,
) -> std::result::Result<T, D::Error> {
    Ok(Option::deserialize(field)?.unwrap_or_default())
}

/// A pair of contracts.
#[derive(Deserialize)]
struct Pair {
    id: Value,
    old: Value,
    new: Value,
    /// Assume that all data proofs succeed.
    #[serde(default, deserialize_with = "or_default")]
    proof: bool,
    /// Readers accept wider types.
    #[serde(default, deserialize_with = "or_default")]
    allow_widening: bool,
    /// The classification levels from the least to the most sensitive.
    #[serde(default, deserialize_with = "or_default")]
    classification_order: Vec<String>,
    /// Custom properties that promise something to readers.
    #[serde(default, deserialize_with = "or_default")]
    promises: BTreeSet<String>,
}

/// The answer for a pair of contracts.
#[derive(Serialize)]
struct Comparison {
    id: Option<Value>,
    backward: bool,
    forward: bool,
    bump: &'static str,
    /// Why the comparison failed; the other fields then have the strictest values.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// `charter contract diff --batch`.
pub(crate) fn diff() -> Result<Exit> {
    run(MAX_LINE_BYTES, |line: std::result::Result<Pair, _>| {
        let (id, result) = match line {
            Ok(pair) => (Some(pair.id.clone()), compare(&pair)),
            Err((id, error)) => (id, Err(error)),
        };
        match result {
            Ok((backward, forward, bump)) => {
                (true, Comparison { id, backward, forward, bump: bump.as_str(), error: None })
            }
            Err(error) => {
                let bump = Bump::Major.as_str();
                (false, Comparison { id, backward: false, forward: false, bump, error: Some(error) })
            }
        }
    })
}

fn compare(pair: &Pair) -> std::result::Result<(bool, bool, Bump), String> {
    let (old, new) = (parse_contract("old", &pair.old)?, parse_contract("new", &pair.new)?);
    let options = Options {
        proofs: if pair.proof { Proofs::All } else { Proofs::None },
        allow_widening: pair.allow_widening,
        classification_order: pair.classification_order.clone(),
        promises: pair.promises.clone(),
        ..Options::default()
    };
    let findings = compare_with(&old, &new, &options);
    let backward = findings.iter().all(Finding::history_safe);
    let forward = findings.iter().all(Finding::consumer_safe);
    Ok((backward, forward, needed_bump(&old, &new, &findings)))
}

fn parse_contract(which: &str, document: &Value) -> std::result::Result<contract::Document, String> {
    match documents::parse_to_compare(document.to_string().as_bytes()).map(|parsed| parsed.document) {
        Ok(documents::Document::Contract(contract)) => Ok(contract),
        Ok(documents::Document::Product(_)) => Err(format!("the {which} document is a data product")),
        Err(problems) => {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Err(format!("the {which} document: {}", problems.join("; ")))
        }
    }
}
