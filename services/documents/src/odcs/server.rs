//! Servers.

use domain::contract::{LocalServer, SERVING_ENVIRONMENT, Server, ServerKind};
use domain::table::Format;

use crate::reader::{At, Reader};

/// One server; `None` if it is one of ours and cannot be used, which then is a problem.
pub(super) fn server(at: &At<'_>, reader: &mut Reader) -> Option<Server> {
    const MODELLED: &[&str] = &["id", "server", "type", "environment"];
    let (documentary, mut other) = at.rest(MODELLED, &[]);
    let kind = match at.text_of("type")?.as_str() {
        "local" => {
            let path = at.get("path")?;
            let path = reader.keep(&path, path.text()?.parse());
            let format = at.get("format")?;
            let format_word = format.text()?;
            let format = match format_word {
                "delta" => Some(Format::Delta),
                "parquet" => Some(Format::Parquet),
                _ => {
                    let message = "is not a format that tables are served in: use `delta` or `parquet`";
                    reader.problem(&format, format!("`{format_word}` {message}"));
                    None
                }
            };
            other.remove("path");
            other.remove("format");
            ServerKind::Local(LocalServer { path: path?, format: format? })
        }
        other => ServerKind::Other(other.to_owned()),
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
