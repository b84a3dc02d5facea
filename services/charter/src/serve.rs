//! `charter serve`: configuration and wiring of the server.

mod config;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use app::folder::Folder;
use app::issuer::Issuer;
use app::{App, Parts};
use clap::Args;
use domain::clock::{Clock, Random, SystemClock};
use storage::LocalLake;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use self::config::Config;

/// What `charter serve` is told on the command line or in the environment.
#[derive(Args)]
pub(crate) struct ServeArgs {
    /// The data folder: database, keys, and the tables of local storage
    #[arg(long, env = "CHARTER_DATA", value_name = "FOLDER", default_value = "./charter-data")]
    pub(crate) data: PathBuf,
    /// Where HTTP is listened on; port 0 takes any free one
    #[arg(long, env = "CHARTER_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub(crate) listen: SocketAddr,
    /// Where the S3 gateway is listened on; port 0 takes any free one
    #[arg(long, env = "CHARTER_GATEWAY_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:7071")]
    pub(crate) gateway_listen: SocketAddr,
    /// The database, `sqlite:...` or `postgres://...`; a SQLite file in the data folder if not given
    #[arg(long, env = "CHARTER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// The program that inspects tables; `charter-worker` beside this program if not given
    #[arg(long, env = "CHARTER_WORKER", value_name = "FILE")]
    pub(crate) worker: Option<PathBuf>,
    /// Print a token for the first admin, enabled and in office again: for when every admin has lost his
    #[arg(long)]
    pub(crate) recover_admin: bool,
    /// A proxy in front ends TLS, so that other addresses than loopback may be listened on
    #[arg(long, env = "CHARTER_BEHIND_TLS")]
    pub(crate) behind_tls: bool,
}

/// Runs the server until it is told to stop (SIGTERM, SIGINT); what is under way is finished first.
///
/// # Errors
/// If the configuration does not hold, or an address, the data folder or the database cannot be opened.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    log();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(args))
}

async fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    for address in [args.listen, args.gateway_listen] {
        let safe = address.ip().is_loopback() || args.behind_tls;
        anyhow::ensure!(
            safe,
            "without TLS only loopback is listened on, not `{address}`: put a proxy that ends TLS in \
                               front and say --behind-tls"
        );
    }
    let folder = Folder::open(&args.data)
        .with_context(|| format!("the data folder `{}` cannot be opened", args.data.display()))?;
    let config = Config::read(folder.root())?;
    let listener = bind(args.listen).await?;
    let gateway_listener = bind(args.gateway_listen).await?;
    let gateway_endpoint = format!("http://{}", gateway_listener.local_addr()?);
    let app = wire(args, &config, folder, gateway_endpoint).await?;

    if let Some(token) = app::identity::bootstrap_token(&app).await? {
        let loopback = args.listen.ip().is_loopback() && args.gateway_listen.ip().is_loopback();
        anyhow::ensure!(loopback, "nobody is admin yet: start on loopback first and make the first admin");
        announce(format_args!(
            "first admin token, good for 24 hours and one use of `charter token create`:\n{}",
            token.expose()
        ));
    }
    if args.recover_admin {
        let made = app::identity::recover_admin(&app).await.context("there is no admin to recover")?;
        announce(format_args!("admin token, good for an hour:\n{}", made.token.expose()));
    }
    announce(format_args!("charter listens on http://{}", listener.local_addr()?));
    announce(format_args!("gateway listens on {}", app.settings.gateway_endpoint));

    let stop = CancellationToken::new();
    let jobs = tokio::spawn(app::jobs::run(Arc::clone(&app), stop.clone()));
    let gateway = gateway::Gateway {
        leases: Arc::clone(&app) as Arc<dyn app::lease::Leases>,
        clock: Arc::clone(&app.clock),
        limits: config.gateway_limits(),
    };
    let gateway = tokio::spawn(gateway.serve(gateway_listener, stop.clone()));
    let mutations = TaskTracker::new();
    let router = api::router(Arc::clone(&app), &api::Limits::default(), &mutations);
    let answer = move |request| router.clone().oneshot(request);
    let http = tokio::spawn(gateway::connections::serve(listener, config.http_limits(), stop.clone(), answer));

    told_to_stop().await?;
    tracing::info!("told to stop; finishing what is under way");
    stop.cancel();
    let finished = async {
        http.await??;
        mutations.close();
        mutations.wait().await;
        gateway.await??;
        jobs.await?;
        anyhow::Ok(())
    };
    match tokio::time::timeout(LONGEST_FAREWELL, finished).await {
        Ok(finished) => finished?,
        Err(_) => tracing::warn!("some work was not finished in time"),
    }
    app.db.close().await;
    Ok(())
}

/// Tells whoever started the server. That nobody listens any more is no reason to end.
fn announce(what: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{what}");
}

/// How long the server waits for what is under way when it is told to stop.
const LONGEST_FAREWELL: Duration = Duration::from_secs(30);

async fn wire(args: &ServeArgs, config: &Config, folder: Folder, gateway_endpoint: String) -> anyhow::Result<Arc<App>> {
    let random: Arc<dyn Random> = Arc::new(OsRandom);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let url = match &args.database_url {
        Some(url) => url.clone(),
        None => format!("sqlite:{}", folder.root().join("charter.db").display()),
    };
    let db = store::Db::open(&url, store::Options::default()).await.context("the database cannot be opened")?;
    let policy = match &config.policies.folder {
        Some(folder) => policy::Policy::load(folder),
        None => policy::Policy::embedded(),
    };
    let root = config.storage.local.root.clone().unwrap_or_else(|| folder.lake());
    let lake =
        LocalLake::open(&root).with_context(|| format!("the storage root `{}` cannot be opened", root.display()))?;
    let launcher = inspect::Launcher {
        worker: worker(args.worker.as_deref())?,
        deadline: Duration::from_secs(config.inspect.deadline),
        memory_bytes: config.inspect.memory_mib << 20,
        cpu_seconds: config.inspect.cpu,
        sandbox_required: config.inspect.sandbox == config::Sandbox::Required,
    };
    let issuer = Issuer::open(folder.root(), random.as_ref()).context("the token keys cannot be opened")?;
    let parts = Parts {
        db,
        policy: policy.context("the policies are not valid")?,
        issuer,
        clock,
        random,
        inspector: Arc::new(launcher),
        folder,
        lake: Arc::new(lake),
        settings: config.settings(gateway_endpoint),
    };
    App::new(parts).context("the keys in the data folder cannot be opened")
}

fn worker(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()?.with_file_name("charter-worker"),
    };
    let path = path
        .canonicalize()
        .with_context(|| format!("the worker `{}` is not there: build it, or name it with --worker", path.display()))?;
    Ok(path)
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("`{address}` cannot be listened on"))
}

async fn told_to_stop() -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Logs go to standard error; `CHARTER_LOG` filters them (`info` if not set), `CHARTER_LOG_FORMAT=json` is for programs.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CHARTER_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let filter = match gateway::LOG_DIRECTIVE.parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // It only fails where a subscriber is installed already.
    let _ = match std::env::var("CHARTER_LOG_FORMAT").as_deref() {
        Ok("json") => builder.json().try_init(),
        _ => builder.with_ansi(false).try_init(),
    };
}

/// The operating system's randomness. Without it nothing here is safe, so it is the one thing that may end the program.
struct OsRandom;

impl Random for OsRandom {
    #[expect(clippy::expect_used, reason = "a key or token from anything but good randomness would be worse than none")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system gives randomness");
    }
}
