//! `charter.toml` in the data directory: one struct per section, a default for every key, unknown keys rejected.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use domain::name::DomainPath;
use domain::s3::Region;
use domain::topic::{TopicPrefix, TopicPrefixes};
use http_base::connections::Limits;
use http_base::connections::peer::Proxies;
use http_base::site::Site;
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) storage: Storage,
    pub(crate) inspect: Inspect,
    pub(crate) http: Http,
    pub(crate) gateway: Gateway,
    pub(crate) limits: ClientLimits,
    pub(crate) registry: Registry,
    pub(crate) contracts: Contracts,
    pub(crate) policies: Policies,
}

/// `[limits]`: what the API holds in memory at a time, and what one client may do. A client is a principal, and an address.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClientLimits {
    /// Memory for the bodies of requests, in MiB.
    pub(crate) bodies_mib: usize,
    /// The part of it for one client, in MiB.
    pub(crate) bodies_mib_per_client: usize,
    /// Maximum number of concurrent requests.
    pub(crate) requests: usize,
    /// Maximum number of concurrent requests of one client.
    pub(crate) requests_per_client: usize,
    /// Invalid tokens per second and address, and ten times as many at once; 0 for no limit.
    pub(crate) sign_in_failures: u32,
    /// Requests for credentials per second and principal, and ten times as many at once; 0 for no limit.
    pub(crate) vends: u32,
    /// Lineage events per second and principal, and ten times as many at once; 0 for no limit.
    pub(crate) lineage: u32,
}

/// The memory that one body of documents needs at most, rounded up.
const DOCUMENTS_MIB: usize = 32;

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            bodies_mib: 64,
            bodies_mib_per_client: 16,
            requests: 1_024,
            requests_per_client: 256,
            sign_in_failures: 10,
            vends: 1_000,
            lineage: 1_000,
        }
    }
}

/// `[storage]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Storage {
    pub(crate) local: LocalStorage,
}

/// `[storage.local]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LocalStorage {
    /// Directory of all local tables; `lake` in the data directory if not given.
    pub(crate) root: Option<PathBuf>,
}

/// `[inspect]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Inspect {
    /// Interval between two polls of all tables for new snapshots, in seconds.
    pub(crate) poll: u64,
    /// Maximum age of the last poll of a table, in seconds; a decision polls the table itself if it is older.
    pub(crate) probe: u64,
    /// Maximum number of concurrent inspections.
    pub(crate) workers: usize,
    /// Timeout of one inspection, in seconds.
    pub(crate) deadline: u64,
    /// Address space limit of one inspection, in MiB.
    pub(crate) memory_mib: u64,
    /// CPU time limit of one inspection, in seconds.
    pub(crate) cpu: u64,
    /// What to do if the kernel cannot enforce the worker's full sandbox.
    pub(crate) sandbox: Sandbox,
}

/// `inspect.sandbox`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sandbox {
    /// Do not inspect: the verdict is `error`.
    Required,
    /// Inspect with the restrictions that the kernel can enforce, and log a warning.
    BestEffort,
}

impl Default for Inspect {
    fn default() -> Self {
        Self {
            poll: 60,
            probe: 5,
            workers: 3,
            deadline: 600,
            memory_mib: 4_096,
            cpu: 1_200,
            sandbox: Sandbox::BestEffort,
        }
    }
}

/// `[http]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    /// Public address of the API and the page, such as `https://charter.example.org`; the host of each request if not given.
    pub(crate) address: Option<url::Url>,
    /// Maximum number of concurrent connections; further ones wait.
    pub(crate) connections: usize,
    /// Maximum number of concurrent connections of one address; if not given, a quarter of all, and no limit for loopback
    /// addresses.
    pub(crate) connections_per_address: Option<usize>,
    /// Timeout for receiving a request's head, and for idle connections, in seconds.
    pub(crate) header_timeout: u64,
    /// Addresses of the proxies in front of both listeners. Limits per address apply to the clients that they name in
    /// `X-Forwarded-For`.
    pub(crate) proxies: Vec<IpAddr>,
}

impl Default for Http {
    fn default() -> Self {
        Self { address: None, connections: 512, connections_per_address: None, header_timeout: 30, proxies: Vec::new() }
    }
}

/// `[gateway]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Gateway {
    /// Public URL of the gateway; its listen address if not given.
    pub(crate) endpoint: Option<url::Url>,
    /// The S3 region reported to clients.
    pub(crate) region: Option<String>,
    /// Maximum number of concurrent connections; further ones wait.
    pub(crate) connections: usize,
    /// Maximum number of concurrent connections of one address; if not given, a quarter of all, and no limit for loopback
    /// addresses.
    pub(crate) connections_per_address: Option<usize>,
    /// Timeout for receiving a request's head, and for idle connections, in seconds.
    pub(crate) header_timeout: u64,
}

impl Default for Gateway {
    fn default() -> Self {
        Self { endpoint: None, region: None, connections: 256, connections_per_address: None, header_timeout: 30 }
    }
}

/// `[registry]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Registry {
    /// The domain that owns schemas of subjects without a product; if not given, such schemas are rejected.
    pub(crate) quarantine: Option<String>,
    /// The prefixes of each domain's topics; if none are given, a free topic belongs to the first contract that names
    /// it.
    pub(crate) prefixes: BTreeMap<String, Vec<String>>,
    /// Maximum number of versions of a subject, including deleted ones.
    pub(crate) versions: u32,
    /// Maximum number of subjects; at the limit, no subject without a product is added.
    pub(crate) subjects: u32,
}

impl Default for Registry {
    fn default() -> Self {
        let settings = app::Settings::default();
        Self {
            quarantine: None,
            prefixes: BTreeMap::new(),
            versions: settings.max_versions,
            subjects: settings.max_subjects,
        }
    }
}

/// `[contracts]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Contracts {
    /// Custom properties that promise something to readers: changing one needs a MAJOR version.
    pub(crate) promises: BTreeSet<String>,
}

/// `[policies]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Policies {
    /// Directory of additional Cedar policies of the stewards, which may only forbid.
    pub(crate) folder: Option<PathBuf>,
}

impl Config {
    /// Reads `charter.toml` from a data directory. A missing file means the defaults.
    pub(crate) fn read(data: &Path) -> anyhow::Result<Self> {
        let path = data.join("charter.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        };
        let config: Self =
            toml::from_str(&text).with_context(|| format!("invalid configuration `{}`", path.display()))?;
        anyhow::ensure!(config.inspect.workers > 0, "`inspect.workers` must be at least 1");
        anyhow::ensure!(config.inspect.deadline > 0, "`inspect.deadline` must be at least 1 second");
        anyhow::ensure!(config.inspect.poll > 0, "`inspect.poll` must be at least 1 second");
        let ClientLimits { bodies_mib, bodies_mib_per_client, requests, requests_per_client, .. } = config.limits;
        anyhow::ensure!(bodies_mib >= DOCUMENTS_MIB, "`limits.bodies_mib` must be at least {DOCUMENTS_MIB}");
        anyhow::ensure!(bodies_mib_per_client >= 8, "`limits.bodies_mib_per_client` must be at least 8");
        anyhow::ensure!(requests > 0, "`limits.requests` must be at least 1");
        anyhow::ensure!(requests_per_client > 0, "`limits.requests_per_client` must be at least 1");
        if let Some(address) = &config.http.address {
            let is_origin = matches!(address.scheme(), "http" | "https")
                && address.username().is_empty()
                && address.password().is_none()
                && address.path() == "/"
                && address.query().is_none()
                && address.fragment().is_none();
            anyhow::ensure!(is_origin, "`http.address` must be `http://host:port` or `https://host`, without a path");
        }
        config.quarantine().context("`registry.quarantine` must be a domain path")?;
        config.topic_prefixes().context("`registry.prefixes` is not valid")?;
        config.region().context("`gateway.region` is not valid")?;
        anyhow::ensure!(config.registry.versions > 0, "`registry.versions` must be at least 1");
        for (name, connections, per_address, header_timeout) in [
            ("http", config.http.connections, config.http.connections_per_address, config.http.header_timeout),
            (
                "gateway",
                config.gateway.connections,
                config.gateway.connections_per_address,
                config.gateway.header_timeout,
            ),
        ] {
            anyhow::ensure!(connections > 0, "`{name}.connections` must be at least 1");
            anyhow::ensure!(per_address != Some(0), "`{name}.connections_per_address` must be at least 1");
            anyhow::ensure!(header_timeout > 0, "`{name}.header_timeout` must be at least 1 second");
        }
        Ok(config)
    }

    fn quarantine(&self) -> Result<Option<DomainPath>, domain::name::Error> {
        self.registry.quarantine.as_deref().map(str::parse).transpose()
    }

    fn topic_prefixes(&self) -> anyhow::Result<TopicPrefixes> {
        let mut prefixes = Vec::new();
        for (domain, of_domain) in &self.registry.prefixes {
            let domain: DomainPath = domain.parse()?;
            for prefix in of_domain {
                prefixes.push((prefix.parse::<TopicPrefix>()?, domain.clone()));
            }
        }
        Ok(TopicPrefixes::new(prefixes)?)
    }

    fn region(&self) -> Result<Option<Region>, domain::s3::InvalidRegion> {
        self.gateway.region.as_deref().map(str::parse).transpose()
    }

    /// The connection limits of the API's listener.
    pub(crate) fn http_limits(&self) -> Limits {
        self.limits(self.http.connections, self.http.connections_per_address, self.http.header_timeout)
    }

    /// The connection limits of the gateway's listener.
    pub(crate) fn gateway_limits(&self) -> Limits {
        self.limits(self.gateway.connections, self.gateway.connections_per_address, self.gateway.header_timeout)
    }

    fn limits(&self, connections: usize, per_address: Option<usize>, header_timeout: u64) -> Limits {
        // The most permits that a semaphore can hold.
        let connections = connections.min(tokio::sync::Semaphore::MAX_PERMITS);
        Limits {
            connections,
            connections_per_address: per_address,
            proxies: Proxies::new(&self.http.proxies),
            request_timeout: Duration::from_secs(header_timeout),
            ..Limits::default()
        }
    }

    /// Where browsers reach the API.
    pub(crate) fn site(&self, behind_tls: bool) -> Site {
        match &self.http.address {
            Some(address) => Site::at(address.origin().ascii_serialization()),
            None => Site::of_host(behind_tls),
        }
    }

    /// The limits of the API.
    pub(crate) fn api_limits(&self) -> api::Limits {
        let limits = &self.limits;
        api::Limits {
            bodies_bytes: limits.bodies_mib.saturating_mul(1 << 20),
            bodies_bytes_per_client: limits.bodies_mib_per_client.saturating_mul(1 << 20),
            n_large_bodies: limits.bodies_mib / DOCUMENTS_MIB,
            n_requests: limits.requests.min(tokio::sync::Semaphore::MAX_PERMITS),
            n_requests_per_client: limits.requests_per_client,
            sign_in_failures_per_second: limits.sign_in_failures,
            proxies: Proxies::new(&self.http.proxies),
            ..api::Limits::default()
        }
    }

    /// The settings of the use cases.
    pub(crate) fn settings(&self, gateway_endpoint: String) -> app::Settings {
        let defaults = app::Settings::default();
        app::Settings {
            gateway_endpoint: match &self.gateway.endpoint {
                Some(endpoint) => endpoint.as_str().trim_end_matches('/').to_owned(),
                None => gateway_endpoint,
            },
            region: self.region().ok().flatten().unwrap_or(defaults.region),
            poll: Duration::from_secs(self.inspect.poll),
            probe: Duration::from_secs(self.inspect.probe),
            n_inspections: self.inspect.workers,
            inspection_claim: Duration::from_secs(self.inspect.deadline.saturating_add(60)),
            quarantine: self.quarantine().ok().flatten(),
            topic_prefixes: self.topic_prefixes().unwrap_or_default(),
            comparison: domain::change::Options { promises: self.contracts.promises.clone(), ..defaults.comparison },
            max_versions: self.registry.versions,
            max_subjects: self.registry.subjects,
            vends_per_second: self.limits.vends,
            catch_up_wait: defaults.catch_up_wait,
            lineage_events_per_second: self.limits.lineage,
        }
    }
}
