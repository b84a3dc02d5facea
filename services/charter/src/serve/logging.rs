//! The server's log on standard error, and the log lines of panics.

use std::panic::PanicHookInfo;

use http_base::log::Log;

/// Starts the log: `CHARTER_LOG` filters it (default `info`), `CHARTER_LOG_FORMAT=json` selects JSON lines.
///
/// Everything that the server writes to standard error goes through the log, also the messages of panics: a plain write
/// waits for the reader of a pipe, and the default of `tracing_subscriber` for a failed write is to panic.
///
/// # Errors
/// If the thread of the log cannot be started.
pub(super) fn start() -> std::io::Result<Log> {
    let log = Log::to(std::io::stderr())?;
    let filter = tracing_subscriber::EnvFilter::try_from_env("CHARTER_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let filter = match gateway::LOG_DIRECTIVE.parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    };
    let writer = log.clone();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || writer.clone())
        .log_internal_errors(false);
    // This only fails if a subscriber is already installed.
    let _ = match std::env::var("CHARTER_LOG_FORMAT").as_deref() {
        Ok("json") => builder.json().try_init(),
        _ => builder.with_ansi(false).try_init(),
    };
    std::panic::set_hook(Box::new(log_panic));
    Ok(log)
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(tracing::field::display);
    tracing::error!(panic = panic.payload_as_str().unwrap_or("no message"), location, "a thread panicked");
}
