//! Servers.

use domain::contract::{LocalServer, SERVING_ENVIRONMENT, Server, ServerKind};
use domain::table::Format;

use crate::reader::{At, Reader};

/// One server. An unusable server of a supported type is a problem, and is kept like one of another type.
pub(super) fn server(at: &At<'_>, reader: &mut Reader) -> Option<Server> {
    const MODELLED: &[&str] = &["id", "server", "type", "environment"];
    let (documentary, mut other) = at.rest(MODELLED, &[]);
    let word = at.text_of("type")?;
    let local = if word == "local" { local(at, reader) } else { None };
    let kind = match local {
        Some(local) => {
            other.remove("path");
            other.remove("format");
            ServerKind::Local(local)
        }
        None => ServerKind::Other(word),
    };
    Some(Server {
        id: at.text_of("id"),
        name: at.text_of("server").unwrap_or_default(),
        environment: at.text_of("environment").unwrap_or_else(|| SERVING_ENVIRONMENT.to_owned()),
        kind,
        documentary,
        other,
    })
}

/// A folder on local storage.
fn local(at: &At<'_>, reader: &mut Reader) -> Option<LocalServer> {
    let path = at.get("path")?;
    let path = reader.keep(&path, path.text()?.parse());
    let format = at.get("format")?;
    let word = format.text()?;
    let format = match word {
        "delta" => Some(Format::Delta),
        "parquet" => Some(Format::Parquet),
        _ => {
            let message = "is not a format that tables are served in: use `delta` or `parquet`";
            reader.problem(&format, format!("`{word}` {message}"));
            None
        }
    };
    Some(LocalServer { path: path?, format: format? })
}
