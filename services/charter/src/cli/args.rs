//! Arguments that several commands share, and the parsers of their values.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use domain::clock::Timestamp;
use domain::closed_set::{ClosedSet, UnknownWord};
use domain::name::{Address, Name};

use super::api::Action;

/// The server and the caller's token.
#[derive(Args)]
#[command(next_help_heading = "Server and output")]
pub(crate) struct Remote {
    /// Server address
    #[arg(long, env = "CHARTER_SERVER", value_name = "URL", default_value = "http://127.0.0.1:7070", global = true)]
    pub(crate) server: String,
    /// Access token; arguments are visible to other programs on this machine, so prefer the environment or a file
    #[arg(long, env = "CHARTER_TOKEN", hide_env_values = true, global = true)]
    pub(crate) token: Option<String>,
    /// File with the access token; ignored if a token is given
    #[arg(long, env = "CHARTER_TOKEN_FILE", value_name = "FILE", global = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// Print the response as JSON, with the API's field names
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Makes a change safe to retry.
#[derive(Args)]
pub(crate) struct Idempotency {
    /// Key that makes the change safe to retry: within 24 hours, a repeat with it has no effect; random if not given
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

impl Idempotency {
    /// The given key, or a random one.
    pub(crate) fn into_key(self) -> Option<String> {
        Some(self.idempotency_key.unwrap_or_else(random_key))
    }
}

/// Which part of a list.
#[derive(Args)]
pub(crate) struct Paging {
    /// Maximum number of entries; all if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Continue after this cursor, the `endCursor` of an earlier response
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// `domain.product`.
#[derive(Clone, Debug)]
pub(crate) struct ProductAddress {
    pub(crate) domain: String,
    pub(crate) product: String,
}

impl std::fmt::Display for ProductAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.domain, self.product)
    }
}

/// Parses `domain.product`.
pub(crate) fn product(text: &str) -> Result<ProductAddress, String> {
    let invalid = || "not a product address: use `domain.product`".to_owned();
    let (domain, product) = text.split_once('.').ok_or_else(invalid)?;
    let product: Name = product.parse().map_err(|_| invalid())?;
    Ok(ProductAddress { domain: domain_path(domain)?, product: product.to_string() })
}

/// Parses the path of a domain.
pub(crate) fn domain_path(text: &str) -> Result<String, String> {
    text.parse::<domain::name::DomainPath>().map(|path| path.to_string()).map_err(|error| error.to_string())
}

/// Validates the address of a table. The server receives it unchanged.
pub(crate) fn table(text: &str) -> Result<String, String> {
    text.parse::<Address>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Parses an RFC 3339 timestamp, or a date, which means its start.
pub(crate) fn timestamp(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_date_time(text)
        .ok_or_else(|| "use a date (`2026-12-31`) or RFC 3339 (`2026-12-31T18:00:00Z`)".to_owned())
}

/// Parses a duration in whole seconds, minutes, hours or days, such as `90s`, `15m`, `12h`, `90d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let invalid = || "not a duration: use for example `90s`, `15m`, `12h` or `90d`".to_owned();
    let (unit, unit_seconds) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit)).ok_or_else(invalid)?;
    let digits = text.trim_end_matches(unit);
    let number: u32 = digits.parse().map_err(|_| invalid())?;
    if digits.len() + 1 != text.len() || number == 0 {
        return Err(invalid());
    }
    Ok(Duration::from_secs(u64::from(number) * unit_seconds))
}

/// A duration as an input of the API; longer than the API can express is as long as possible.
pub(crate) fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

/// Parses an action that credentials are issued for: the gate decides on `write`, but there are no credentials for it.
pub(crate) fn vended_action() -> impl TypedValueParser<Value = Action> {
    let words = [Action::Read, Action::Repair].into_iter().filter_map(|action| action.to_possible_value());
    PossibleValuesParser::new(words).try_map(|word| Action::from_str(&word, false))
}

/// Parses a word of a closed set.
pub(crate) fn word<T: ClosedSet + FromStr<Err = UnknownWord>>() -> impl TypedValueParser<Value = T> {
    let words = T::ALL.iter().map(|value| PossibleValue::new(value.as_str()).help(value.meaning()));
    PossibleValuesParser::new(words).try_map(|word| word.parse())
}

#[expect(clippy::disallowed_methods, reason = "the client creates its keys here; no test depends on their value")]
fn random_key() -> String {
    uuid::Uuid::new_v4().to_string()
}
