//! How readers access the data of two versions, as far as the rules depend on it: by position, by file path, with
//! defaults.

use crate::contract::{self, Fields, Server, ServerKind};
use crate::table::Format;

/// What is known of how the data of both versions is read. What would break readers counts if one version says it; what
/// excuses a change counts only if all servers of both do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Serving {
    /// Readers go by the position of columns.
    pub(super) by_position: bool,
    /// Readers go by the paths of files, where partitions are.
    pub(super) by_path: bool,
    /// How the data is partitioned is promised.
    pub(super) partitioning_promised: bool,
    /// Older data gets the default of a column that was added.
    pub(super) fills_defaults: bool,
    /// Values are resolved by Avro's rules.
    pub(super) is_avro: bool,
    /// Messages are read with the defaults of the reader's schema.
    pub(super) reads_defaults: bool,
    /// Delta tables whose readers are told to expect wider types.
    pub(super) widens_types: bool,
    /// Names at the source are never seen: all data is vended by a binding.
    pub(super) hides_names: bool,
}

impl Serving {
    /// Of a comparison.
    pub(super) fn of(old: &contract::Document, new: &contract::Document) -> Self {
        let contracts = [old, new];
        let any = |is: fn(&Server) -> bool| contracts.iter().any(|contract| contract.servers.iter().any(is));
        let all = |is: fn(&Server) -> bool| {
            contracts.iter().all(|contract| !contract.servers.is_empty() && contract.servers.iter().all(is))
        };
        let any_document = |is: fn(&contract::Document) -> bool| contracts.iter().any(|contract| is(contract));
        let takes_wider = |contract: &&contract::Document| {
            let ceiling = contract.settings.reader_ceiling.as_ref();
            ceiling.is_some_and(|ceiling| ceiling.features.contains("typeWidening"))
        };
        Self {
            by_position: any_document(|contract| contract.settings.ordered) || any(is_positional),
            by_path: any_document(|contract| contract.settings.path_readers) || any(is_folder_of_files),
            partitioning_promised: any_document(|contract| contract.settings.partitioning_promised),
            fills_defaults: all(|server| is_avro(server) || is_json_topic(server) || is_iceberg_3(server)),
            is_avro: all(is_avro),
            reads_defaults: all(|server| is_avro(server) || is_json_topic(server)),
            widens_types: all(is_delta) && contracts.iter().all(takes_wider),
            hides_names: all(|server| matches!(server.kind, ServerKind::Local(_))),
        }
    }
}

/// The names of the custom property that says an Iceberg table's format version.
pub(super) const FORMAT_VERSION: [&str; 2] = ["formatVersion", "format-version"];

/// An Iceberg server's format version, where it says.
pub(super) fn format_version(server: &Server) -> Option<u64> {
    let custom = custom(&server.other)?;
    let version = FORMAT_VERSION.iter().find_map(|name| custom.get(*name))?;
    version.as_u64().or_else(|| version.as_str()?.trim().parse().ok())
}

/// The custom properties among the fields of something.
pub(super) fn custom(fields: &Fields) -> Option<&Fields> {
    fields.get("customProperties")?.as_object()
}

fn is(server: &Server, kinds: &[&str]) -> bool {
    matches!(&server.kind, ServerKind::Other(word) if kinds.contains(&word.as_str()))
}

/// Whether its field `format` is one of these words, in any case.
fn has_format(server: &Server, words: &[&str]) -> bool {
    let format = server.other.get("format").and_then(|format| format.as_str());
    format.is_some_and(|format| words.iter().any(|word| format.eq_ignore_ascii_case(word)))
}

fn is_positional(server: &Server) -> bool {
    has_format(server, &["csv", "tsv", "psv", "delimited", "fixed", "fixed-width", "fwf", "txt"])
}

/// Files that readers list themselves; a table format keeps its own list.
fn is_folder_of_files(server: &Server) -> bool {
    match &server.kind {
        ServerKind::Local(local) => local.format == Format::Parquet,
        ServerKind::Other(_) => {
            is(server, &["s3", "azure", "sftp", "gcs"])
                && server.other.contains_key("format")
                && !has_format(server, &["delta", "iceberg", "hudi"])
        }
    }
}

fn is_topic(server: &Server) -> bool {
    is(server, &["kafka", "kinesis", "pubsub"])
}

fn is_avro(server: &Server) -> bool {
    is_topic(server) && has_format(server, &["avro"])
}

fn is_json_topic(server: &Server) -> bool {
    is_topic(server) && has_format(server, &["json"])
}

fn is_iceberg_3(server: &Server) -> bool {
    is(server, &["iceberg"]) && format_version(server).is_some_and(|version| version >= 3)
}

fn is_delta(server: &Server) -> bool {
    match &server.kind {
        ServerKind::Local(local) => local.format == Format::Delta,
        ServerKind::Other(_) => has_format(server, &["delta"]),
    }
}
