//! `charter serve`: configuration and wiring of the server.

mod config;
mod logging;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use app::data_dir::DataDir;
use app::issuer::Issuer;
use app::{App, Parts};
use clap::Args;
use domain::clock::{Clock, Random, SystemClock};
use http_base::log::Log;
use rustix::process::Signal;
use storage::LocalLake;
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
    /// Re-enable the first admin and print a token for it (recovery)
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
    let log = logging::start().context("cannot start the log")?;
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
    let listener = bind(args.listen).await?;
    let gateway_listener = bind(args.gateway_listen).await?;
    let gateway_endpoint = format!("http://{}", gateway_listener.local_addr()?);
    let app = wire(args, &config, folder, gateway_endpoint).await?;

    if let Some(token) = app::identity::bootstrap_token(&app).await? {
        let loopback = args.listen.ip().is_loopback() && args.gateway_listen.ip().is_loopback();
        anyhow::ensure!(loopback, "no admin exists yet: start on loopback first and create the first admin");
        announce(format_args!(
            "first admin token, valid for 24 hours and a single `charter token create`:\n{}",
            token.expose()
        ));
    }
    if args.recover_admin {
        let created = app::identity::recover_admin(&app).await.context("there is no admin to recover")?;
        announce(format_args!("admin token, valid for one hour:\n{}", created.token.expose()));
    }
    announce(format_args!("charter listens on http://{}", listener.local_addr()?));
    announce(format_args!("gateway listens on {}", app.settings.gateway_endpoint));

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
    let router = api::router(Arc::clone(&app), &config.api_limits(), &mutations, Some(log.clone()));
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
    app.db.close().await;
    Ok(())
}

/// Prints to standard output. A closed or full standard output does not stop the server.
fn announce(message: std::fmt::Arguments<'_>) {
    if let Err(error) = writeln!(std::io::stdout(), "{message}") {
        tracing::warn!(%error, "cannot write to standard output: its addresses and tokens are lost");
    }
}

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
        None => format!("sqlite:{}", folder.root().join("charter.db").display()),
    };
    let db = store::Db::open(&url, store::Options::default()).await.context("cannot open the database")?;
    let policy = match &config.policies.folder {
        Some(folder) => policy::Policy::load(folder),
        None => policy::Policy::embedded(),
    };
    let root = config.storage.local.root.clone().unwrap_or_else(|| folder.lake());
    let lake = LocalLake::open(&root).with_context(|| format!("cannot open the storage root `{}`", root.display()))?;
    let launcher = inspect::Launcher {
        worker: worker(args.worker.as_deref())?,
        deadline: Duration::from_secs(config.inspect.deadline),
        memory_bytes: config.inspect.memory_mib << 20,
        cpu_seconds: config.inspect.cpu,
        sandbox_required: config.inspect.sandbox == config::Sandbox::Required,
    };
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
