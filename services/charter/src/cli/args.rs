//! Arguments that several commands take, and the parsers of their values.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use domain::clock::Timestamp;
use domain::gate::Action;
use domain::identity::PurposeCode;
use domain::name::{Address, Name};
use serde_json::Value;

/// Where the server is and who asks.
#[derive(Args)]
#[command(next_help_heading = "Server and output")]
pub(crate) struct Remote {
    /// The server's address
    #[arg(long, env = "CHARTER_SERVER", value_name = "URL", default_value = "http://127.0.0.1:7070", global = true)]
    pub(crate) server: String,
    /// The token; other programs of this machine may see it in the arguments, so prefer the environment or a file
    #[arg(long, env = "CHARTER_TOKEN", hide_env_values = true, global = true)]
    pub(crate) token: Option<String>,
    /// A file that holds the token; not looked at where there is a token
    #[arg(long, env = "CHARTER_TOKEN_FILE", value_name = "FILE", global = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// Print the answer as JSON, with the field names of the API
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What makes it safe to send a change twice.
#[derive(Args)]
pub(crate) struct Idempotency {
    /// Repeating a change with its key, within 24 hours, changes nothing more; a fresh key if not given
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

impl Idempotency {
    /// Adds the key to a mutation's input.
    pub(crate) fn into_input(self, mut input: Value) -> Value {
        input["idempotencyKey"] = Value::String(self.idempotency_key.unwrap_or_else(fresh_key));
        input
    }
}

/// How much of a list.
#[derive(Args)]
pub(crate) struct Paging {
    /// List at most so many; all if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Go on after this cursor, the `endCursor` of an earlier answer
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// `domain.product`.
#[derive(Clone, Debug)]
pub(crate) struct ProductAddress {
    /// The domain's path.
    pub(crate) domain: String,
    /// The product's name.
    pub(crate) product: String,
}

impl std::fmt::Display for ProductAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.domain, self.product)
    }
}

/// Reads `domain.product`.
pub(crate) fn product(text: &str) -> Result<ProductAddress, String> {
    let wrong = || "it is not an address: use `domain.product`".to_owned();
    let (domain, product) = text.split_once('.').ok_or_else(wrong)?;
    let product: Name = product.parse().map_err(|_| wrong())?;
    Ok(ProductAddress { domain: domain_path(domain)?, product: product.to_string() })
}

/// Reads a domain's path.
pub(crate) fn domain_path(text: &str) -> Result<String, String> {
    text.parse::<domain::name::DomainPath>().map(|path| path.to_string()).map_err(|error| error.to_string())
}

/// Reads the address of a table. It is passed on as it was written.
pub(crate) fn table(text: &str) -> Result<String, String> {
    text.parse::<Address>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Reads a moment: RFC 3339, or a date, which means its start.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || "it is not a date (`2026-12-31`) or RFC 3339 (`2026-12-31T18:00:00Z`)".to_owned();
    Timestamp::parse_date_time(text).ok_or_else(wrong)
}

/// Reads a length of time: whole seconds, minutes, hours or days, such as `90s`, `15m`, `12h`, `90d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let wrong = || "it is not a length of time: use `90s`, `15m`, `12h` or `90d`".to_owned();
    let (unit, unit_seconds) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit)).ok_or_else(wrong)?;
    let digits = text.trim_end_matches(unit);
    let number: u32 = digits.parse().map_err(|_| wrong())?;
    if digits.len() + 1 != text.len() || number == 0 {
        return Err(wrong());
    }
    Ok(Duration::from_secs(u64::from(number) * unit_seconds))
}

/// The words for a purpose.
pub(crate) fn purposes() -> PossibleValuesParser {
    PossibleValuesParser::new(PurposeCode::ALL.iter().map(|purpose| purpose.as_str()))
}

/// The words for what credentials are made for. For `write` the gate answers, and nothing is handed out yet.
pub(crate) fn vended_actions() -> PossibleValuesParser {
    PossibleValuesParser::new([Action::Read, Action::Repair].map(Action::as_str))
}

/// The words for what may be asked of the gate by a client; `inspect` is the server's own.
pub(crate) fn actions() -> PossibleValuesParser {
    PossibleValuesParser::new([Action::Read, Action::Repair, Action::Write].map(Action::as_str))
}

/// A word of the command line as the API writes it: `machine_learning` is `MACHINE_LEARNING`.
pub(crate) fn enum_value(word: &str) -> String {
    word.to_uppercase()
}

#[expect(clippy::disallowed_methods, reason = "a client's keys come from here; nothing tested depends on their value")]
fn fresh_key() -> String {
    uuid::Uuid::new_v4().to_string()
}
