//! Comparisons by the thousand: pairs as JSON lines on standard input, one JSON line for each on standard output.

use std::io::{BufRead, BufReader, Read, Write};

use domain::change::{Finding, Options, Proofs, compare_with, required_bump};
use domain::contract;
use domain::version::Bump;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::error::{Error, Exit, Result};

/// The longest line: two documents of the size that is read, with what JSON adds to them.
const MAX_LINE_BYTES: u64 = 24_000_000;
/// The longest line of two schemas with what they refer to.
pub(crate) const MAX_SCHEMA_LINE_BYTES: u64 = 4_500_000;

/// Answers line by line. `answer` is given the line, or the id of one that cannot be read and why; it says whether the
/// pair could be compared. What cannot is answered too, and the rest goes on.
///
/// # Errors
/// If standard input cannot be read, or at the end if some pairs could not be compared.
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
        // Some programs begin what they write with a byte order mark.
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let read = match is_too_long {
            true => Err((None, format!("the line is longer than {max_bytes} bytes"))),
            false => read(text),
        };
        let (compared, answer) = answer(read);
        all_compared &= compared;
        let answer = serde_json::to_string(&answer).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
        // A reader that has gone away, such as `head`, is no failure.
        if writeln!(stdout, "{answer}").is_err() {
            return Ok(Exit::Done);
        }
    }
    if all_compared { Ok(Exit::Done) } else { Err(Error::new(Exit::Invalid, "some pairs could not be compared")) }
}

fn read<L: DeserializeOwned>(line: &[u8]) -> std::result::Result<L, (Option<Value>, String)> {
    serde_json::from_slice(line).map_err(|error| {
        // The id tells which pair it was, if the line is JSON at all.
        let id = serde_json::from_slice::<Value>(line).ok().and_then(|mut line| line.get_mut("id").map(Value::take));
        (id, error.to_string())
    })
}

/// Reads a field of a line in which null is the same as none.
///
/// # Errors
/// Those of the deserializer.
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
    /// All data proofs hold.
    #[serde(default, deserialize_with = "or_default")]
    proof: bool,
    /// Readers take wider types.
    #[serde(default, deserialize_with = "or_default")]
    allow_widening: bool,
    /// The words of classification from the least to the most sensitive.
    #[serde(default, deserialize_with = "or_default")]
    classification_order: Vec<String>,
}

/// What a pair of contracts is worth.
#[derive(Serialize)]
struct Judged {
    id: Option<Value>,
    backward: bool,
    forward: bool,
    bump: &'static str,
    /// Why there is no comparison; the strictest is answered then.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// `charter contract diff --batch`.
///
/// # Errors
/// Those of [`run`].
pub(crate) fn diff() -> Result<Exit> {
    run(MAX_LINE_BYTES, |line: std::result::Result<Pair, _>| {
        let (id, judged) = match line {
            Ok(pair) => (Some(pair.id.clone()), judge(&pair)),
            Err((id, why)) => (id, Err(why)),
        };
        let failed = judged.is_err();
        let judged = match judged {
            Ok((backward, forward, bump)) => Judged { id, backward, forward, bump: bump.as_str(), error: None },
            Err(why) => Judged { id, backward: false, forward: false, bump: Bump::Major.as_str(), error: Some(why) },
        };
        (!failed, judged)
    })
}

fn judge(pair: &Pair) -> std::result::Result<(bool, bool, Bump), String> {
    let (old, new) = (contract("old", &pair.old)?, contract("new", &pair.new)?);
    let options = Options {
        proofs: if pair.proof { Proofs::All } else { Proofs::None },
        allow_widening: pair.allow_widening,
        classification_order: pair.classification_order.clone(),
        ..Options::default()
    };
    let findings = compare_with(&old, &new, &options);
    // Documents that differ at all are a new version.
    let least = if pair.old == pair.new { Bump::None } else { Bump::Patch };
    let backward = findings.iter().all(Finding::history_safe);
    let forward = findings.iter().all(Finding::consumer_safe);
    Ok((backward, forward, required_bump(&findings).max(least)))
}

fn contract(which: &str, document: &Value) -> std::result::Result<contract::Document, String> {
    match documents::parse_to_compare(document.to_string().as_bytes()).map(|parsed| parsed.document) {
        Ok(documents::Document::Contract(contract)) => Ok(contract),
        Ok(documents::Document::Product(_)) => Err(format!("the {which} document is a data product")),
        Err(problems) => {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Err(format!("the {which} document: {}", problems.join("; ")))
        }
    }
}
