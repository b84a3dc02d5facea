//! `charter serve`: configuration and wiring of the server.

mod config;
mod logging;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use app::data_dir::{DataDir, RECORD_KEY};
use app::issuer::Issuer;
use app::{App, Parts};
use clap::Args;
use domain::clock::{Clock, Random, SystemClock};
use http_base::log::Log;
use rustix::process::Signal;
use storage::LocalLake;
use store::Missing;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use self::config::Config;

/// The options of `charter serve`, from the command line or the environment.
#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Data directory: database, keys, and the tables in local storage
    #[arg(long, env = "CHARTER_DATA", value_name = "DIR", default_value = "./charter-data")]
    pub(crate) data: PathBuf,
    /// Listen address of the HTTP API; port 0 picks a free port
    #[arg(long, env = "CHARTER_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub(crate) listen: SocketAddr,
    /// Listen address of the S3 gateway; port 0 picks a free port
    #[arg(long, env = "CHARTER_GATEWAY_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:7071")]
    pub(crate) gateway_listen: SocketAddr,
    /// Database URL, `sqlite:...` or `postgres://...`; a SQLite file in the data directory if not given
    #[arg(long, env = "CHARTER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Program that inspects tables; `charter-worker` next to this program if not given
    #[arg(long, env = "CHARTER_WORKER", value_name = "FILE")]
    pub(crate) worker: Option<PathBuf>,
    /// Re-enable the first admin, revoke its tokens and print a new one. To use it again, start once without it
    #[arg(long)]
    pub(crate) recover_admin: bool,
    /// TLS is terminated by a proxy; allow listening on non-loopback addresses
    #[arg(long, env = "CHARTER_BEHIND_TLS")]
    pub(crate) behind_tls: bool,
}

/// Runs the server until SIGTERM or SIGINT, then shuts down gracefully: in-flight requests are finished first.
///
/// # Errors
/// If the configuration is invalid, or an address, the data directory or the database cannot be opened.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    // What the server and its workers write is for the server's user alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let log = logging::start().context("cannot start the log")?;
    if let Some(url) = &args.database_url
        && let Ok(parsed) = url::Url::parse(url)
        && let Some(password) = parsed.password()
        && is_on_the_command_line(password)
    {
        tracing::warn!(
            "the database password is on the command line, where other users can read it: pass the URL in the \
             environment variable CHARTER_DATABASE_URL"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(args, &log));
    log.flush_within(FLUSH_TIMEOUT);
    served
}

async fn serve(args: &ServeArgs, log: &Log) -> anyhow::Result<()> {
    // Without a handler, a write beyond `ulimit -f` kills the process; with one it fails like a write to a full disk.
    let _too_large = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    for address in [args.listen, args.gateway_listen] {
        let safe = address.ip().is_loopback() || args.behind_tls;
        anyhow::ensure!(
            safe,
            "refusing to listen on `{address}` without TLS: run a TLS-terminating proxy in front and pass --behind-tls"
        );
    }
    let folder = DataDir::open(&args.data)
        .with_context(|| format!("cannot open the data directory `{}`", args.data.display()))?;
    let config = Config::read(folder.root())?;
    let page = page::Page::embedded().context("the documents of the page are not embedded")?;
    let web = api::Web { site: config.site(args.behind_tls), page };
    let listener = bind(args.listen).await?;
    let gateway_listener = bind(args.gateway_listen).await?;
    let gateway_endpoint = format!("http://{}", gateway_listener.local_addr()?);
    let recovery = folder.clone();
    let app = wire(args, &config, folder, gateway_endpoint).await?;

    if let Some(token) = app::token::bootstrap_token(&app).await? {
        let loopback = args.listen.ip().is_loopback() && args.gateway_listen.ip().is_loopback();
        anyhow::ensure!(loopback, "no admin exists yet: start on loopback first and create the first admin");
        announce(format_args!(
            "first admin token, valid for 24 hours and a single `charter token create`:\n{}",
            token.expose()
        ));
    }
    recover_admin(args, &recovery, &app).await?;
    announce(format_args!("charter listens on http://{}", listener.local_addr()?));
    if web.page.is_built() {
        let address = config.http.address.as_ref().map(|address| address.as_str().trim_end_matches('/').to_owned());
        let address = address.map_or_else(|| listener.local_addr().map(|address| format!("http://{address}")), Ok)?;
        announce(format_args!("page at {address}, sign in with `charter login`"));
    } else {
        announce(format_args!("page is not built into this program: run `make page build`"));
    }
    announce(format_args!("gateway listens on {}", app.settings.gateway_endpoint));

    app::column_reads::begin(&app).await.context("cannot begin to record reads")?;
    let stop = CancellationToken::new();
    let jobs = tokio::spawn(app::jobs::run(Arc::clone(&app), stop.clone()));
    let gateway = gateway::Gateway {
        leases: Arc::clone(&app) as Arc<dyn app::lease::Leases>,
        clock: Arc::clone(&app.clock),
        random: Arc::clone(&app.random),
        region: app.settings.region.clone(),
        limits: config.gateway_limits(),
    };
    let gateway = tokio::spawn(gateway.serve(gateway_listener, stop.clone()));
    let mutations = TaskTracker::new();
    let router = api::router(Arc::clone(&app), &config.api_limits(), &mutations, Some(log.clone()), web);
    let answer = move |request| router.clone().oneshot(request);
    let limits = config.http_limits();
    let http = tokio::spawn(http_base::connections::serve(listener, limits, api::is_health, stop.clone(), answer));

    shutdown_signal().await?;
    tracing::info!("shutting down, waiting for in-flight requests");
    stop.cancel();
    let finished = async {
        http.await?;
        mutations.close();
        mutations.wait().await;
        gateway.await??;
        jobs.await?;
        anyhow::Ok(())
    };
    match tokio::time::timeout(SHUTDOWN_TIMEOUT, finished).await {
        Ok(finished) => finished?,
        Err(_) => tracing::warn!("shutdown timed out, aborting the remaining work"),
    }
    if let Err(error) = app::column_reads::end(&app).await {
        tracing::error!(error = &error as &dyn std::error::Error, "the last reads of columns are not written");
    }
    app.close().await;
    Ok(())
}

/// Recovers the admin if that is asked for, once: an option that stays in a unit file prints no token at later starts.
async fn recover_admin(args: &ServeArgs, folder: &DataDir, app: &Arc<App>) -> anyhow::Result<()> {
    if !args.recover_admin {
        return folder.rearm_recovery().context("cannot remove the mark of an earlier recovery");
    }
    // Marked first: a crash in between prints no second token.
    if !folder.mark_recovery().context("cannot mark the recovery")? {
        tracing::warn!(
            "--recover-admin was used at an earlier start: no token is printed. To use it again, start once without it"
        );
        return Ok(());
    }
    match app::token::recover_admin(app).await {
        Ok(created) => {
            announce(format_args!("admin token, valid for one hour:\n{}", created.token.expose()));
            Ok(())
        }
        Err(error) => {
            folder.rearm_recovery().context("cannot remove the mark of a recovery that failed")?;
            Err(error).context("cannot recover the admin")
        }
    }
}

/// Prints to standard output. A closed or full standard output does not stop the server.
fn announce(message: std::fmt::Arguments<'_>) {
    if let Err(error) = writeln!(std::io::stdout(), "{message}") {
        tracing::warn!(%error, "cannot write to standard output: its addresses and tokens are lost");
    }
}

/// The SQLite file in the data directory, where no database URL is given.
const DATABASE_FILE: &str = "charter.db";
/// How long the last lines of the log may take at the end.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a graceful shutdown may take.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

async fn wire(
    args: &ServeArgs,
    config: &Config,
    folder: DataDir,
    gateway_endpoint: String,
) -> anyhow::Result<Arc<App>> {
    let random: Arc<dyn Random> = Arc::new(OsRandom);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let url = match &args.database_url {
        Some(url) => url.clone(),
        None => format!("sqlite:{}", folder.root().join(DATABASE_FILE).display()),
    };
    let missing = if folder.has_keys() { Missing::Refuse } else { Missing::Create };
    let options = store::Options { missing, ..store::Options::default() };
    let db = match store::Db::open(&url, options).await {
        Err(store::OpenError::Missing) => return Err(missing_database(args, &folder)),
        db => db.context("cannot open the database")?,
    };
    if !folder.has_record_key() && app::audit::has_records(&db).await? {
        return Err(missing_record_key(&folder));
    }
    let policy = match &config.policies.folder {
        Some(folder) => policy::Policy::load(folder),
        None => policy::Policy::embedded(),
    };
    let root = config.storage.local.root.clone().unwrap_or_else(|| folder.lake());
    let lake = LocalLake::open(&root).with_context(|| format!("cannot open the storage root `{}`", root.display()))?;
    let launcher = launcher(args.worker.as_deref(), &config.inspect)?;
    let issuer = Issuer::open(folder.root(), random.as_ref()).context("cannot open the token signing keys")?;
    let parts = Parts {
        db,
        policy: policy.context("invalid policies")?,
        issuer,
        clock,
        random,
        inspector: Arc::new(launcher),
        folder,
        lake: Arc::new(lake),
        vendor: None,
        verifiers: Vec::new(),
        settings: config.settings(gateway_endpoint),
    };
    App::new(parts).context("cannot open the keys in the data directory")
}

/// A new database beside old keys would be a new first start, with a new first admin.
fn missing_database(args: &ServeArgs, folder: &DataDir) -> anyhow::Error {
    let which = match args.database_url.as_deref().and_then(|url| url.strip_prefix("sqlite:")) {
        Some(file) => format!("`{file}`"),
        None if args.database_url.is_some() => "of --database-url".to_owned(),
        None => format!("`{}`", folder.root().join(DATABASE_FILE).display()),
    };
    anyhow::anyhow!(
        "the database {which} is missing or empty, but the data directory `{}` has the keys of an earlier one: restore \
         the database, or correct --database-url; to begin with an empty database, use an empty data directory",
        folder.root().display()
    )
}

/// A new key would leave the records of the old one unreadable.
fn missing_record_key(folder: &DataDir) -> anyhow::Error {
    let key = folder.keys().join(RECORD_KEY);
    anyhow::anyhow!(
        "the key `{0}` is missing, but the database has audit records that were made with it: restore the key from the \
         backup. If it is lost, earlier records and overrides cannot be read any more; to go on without them, create a \
         new key: `(umask 077; head -c 32 /dev/urandom > {0})`",
        key.display()
    )
}

/// The launcher of workers under the limits that a server has by default.
///
/// # Errors
/// If there is no worker.
pub(crate) fn default_launcher(worker: Option<&Path>) -> anyhow::Result<inspect::Launcher> {
    launcher(worker, &config::Inspect::default())
}

fn launcher(worker: Option<&Path>, config: &config::Inspect) -> anyhow::Result<inspect::Launcher> {
    Ok(inspect::Launcher {
        worker: self::worker(worker)?,
        deadline: Duration::from_secs(config.deadline),
        memory_bytes: config.memory_mib << 20,
        cpu_seconds: config.cpu,
        sandbox_required: config.sandbox == config::Sandbox::Required,
    })
}

fn worker(configured: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = match configured {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()?.with_file_name("charter-worker"),
    };
    let path = path
        .canonicalize()
        .with_context(|| format!("worker `{}` not found: build it, or pass its path with --worker", path.display()))?;
    Ok(path)
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on `{address}`"))
}

async fn shutdown_signal() -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// The operating system's randomness. Nothing is secure without it, so a failure aborts the program.
struct OsRandom;

impl Random for OsRandom {
    #[expect(clippy::expect_used, reason = "no key or token is better than a predictable one")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system provides randomness");
    }
}

/// Whether a secret is part of this program's arguments, which other users of the machine can read.
fn is_on_the_command_line(secret: &str) -> bool {
    !secret.is_empty() && std::env::args_os().any(|argument| argument.to_string_lossy().contains(secret))
}
