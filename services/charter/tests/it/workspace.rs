//! The allowed dependencies between the crates, and the sources and licences of third-party crates (docs/design.md,
//! "Layout").

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// The workspace crates that each crate depends on. A crate without an entry fails the test.
const ALLOWED_DEPENDENCIES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("documents", &["domain", "sql_rule"]),
    ("inspect", &["domain"]),
    ("lineage", &["domain"]),
    ("policy", &["domain"]),
    ("search", &["domain"]),
    ("storage", &["domain"]),
    ("store", &["domain", "lineage"]),
    ("app", &["documents", "domain", "lineage", "policy", "search", "store"]),
    ("http_base", &["app", "domain"]),
    ("api", &["app", "domain", "http_base", "lineage", "page", "search"]),
    ("gateway", &["app", "domain", "http_base"]),
    ("page", &[]),
    ("sql_rule", &[]),
    ("worker", &["domain", "inspect", "sql_rule"]),
    (
        "charter",
        &[
            "api",
            "app",
            "documents",
            "domain",
            "gateway",
            "http_base",
            "inspect",
            "lineage",
            "page",
            "policy",
            "search",
            "storage",
            "store",
        ],
    ),
    ("testkit", &["app", "domain", "policy", "storage", "store"]),
];

/// Crates that only the worker may link, because they parse untrusted files.
const LAKE: &[&str] = &["arrow", "buoyant_kernel", "datafusion", "deltalake", "deltalake-core", "parquet"];

/// Licences that are compatible with Apache-2.0.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    // File-level copyleft: linking the unmodified code does not affect our licence.
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
];

#[test]
fn crates_depend_only_on_allowed_crates() {
    let metadata = Metadata::read();
    let allowed_dependencies: BTreeMap<&str, BTreeSet<&str>> =
        ALLOWED_DEPENDENCIES.iter().map(|(name, known)| (*name, known.iter().copied().collect())).collect();
    for package in metadata.own_packages() {
        let name = text(&package["name"]);
        let allowed = allowed_dependencies
            .get(name)
            .unwrap_or_else(|| panic!("crate `{name}` has no entry in `ALLOWED_DEPENDENCIES`"));
        let dependencies: BTreeSet<&str> =
            normal_dependencies(package).filter(|dependency| metadata.is_own(dependency)).collect();
        assert_eq!(&dependencies, allowed, "`{name}` has other dependencies than `ALLOWED_DEPENDENCIES` says");
    }
}

#[test]
fn only_the_worker_links_the_lake() {
    for (name, reached) in Metadata::read().reached_from_workspace() {
        let lake: Vec<&str> = LAKE.iter().copied().filter(|krate| reached.contains(*krate)).collect();
        if name == "worker" {
            assert_eq!(lake, LAKE, "the worker links the lake crates");
        } else {
            assert!(lake.is_empty(), "`{name}` links {lake:?}");
        }
    }
}

#[test]
fn no_crate_depends_on_the_worker() {
    for package in Metadata::read().own_packages() {
        let name = text(&package["name"]);
        assert!(
            normal_dependencies(package).all(|dependency| dependency != "worker"),
            "`{name}` depends on the worker"
        );
    }
}

#[test]
fn every_dependency_has_an_allowed_licence_and_source() {
    let metadata = Metadata::read();
    for package in metadata.packages().iter().filter(|package| !metadata.is_own(text(&package["name"]))) {
        let name = text(&package["name"]);
        let source = package["source"].as_str().unwrap_or_default();
        assert!(source.starts_with("registry+"), "`{name}` comes from `{source}`");
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence), "`{name}` has the licence `{licence}`");
    }
}

/// `make demo` builds the programs, `make test` builds the tests; whichever runs second compiles no third-party crate.
/// A dev-dependency that gives a crate another feature would compile it twice: name that feature in the root
/// `Cargo.toml`. A crate that only tests use is named in testkit.
#[test]
fn programs_and_tests_build_the_same_third_party_crates() {
    let programs = features_of_third_party("normal,build");
    let tests = features_of_third_party("normal,build,dev");
    assert!(programs.len() > 300, "only {} crates found", programs.len());
    for (package, features) in &tests {
        assert_eq!(programs.get(package), Some(features), "`{package}` is built otherwise for programs than for tests");
    }
}

/// The sets of features with which each third-party crate is built, by name and version.
fn features_of_third_party(edges: &str) -> BTreeMap<String, BTreeSet<String>> {
    let format = "{p}|{f}";
    let lines = cargo(&["tree", "--workspace", "--locked", "--edges", edges, "--format", format, "--prefix", "none"]);
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines.lines() {
        let Some((package, of_package)) = line.split_once('|') else { continue };
        let is_own = package.contains("(/");
        if !is_own {
            let of_package = of_package.trim_end_matches(" (*)").trim_end();
            features.entry(package.to_owned()).or_default().insert(of_package.to_owned());
        }
    }
    features
}

#[test]
fn licence_expressions_are_evaluated() {
    for good in ["MIT", "MIT OR Apache-2.0", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "(MIT OR GPL-2.0) AND Unicode-3.0"] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "BUSL-1.1", "(MIT OR Apache-2.0) AND GPL-2.0"] {
        assert!(!is_allowed(bad), "{bad}");
    }
}

/// Whether every `AND` part has an allowed `OR` side. `/` is an old spelling of `OR`.
fn is_allowed(licence: &str) -> bool {
    let sides = |part: &str| -> Vec<String> {
        let bare = part.replace(['(', ')'], "").replace('/', " OR ");
        bare.split(" OR ").map(|side| side.trim().to_owned()).collect()
    };
    // An `AND` inside one side of an `OR` (such as `MIT OR (Apache-2.0 AND ISC)`) reads as two parts, which is stricter.
    licence.split(" AND ").all(|part| sides(part).iter().any(|side| LICENCES.contains(&side.as_str())))
}

/// The output of `cargo metadata`.
struct Metadata(Value);

impl Metadata {
    fn read() -> Self {
        // Only the crates for Linux: those for other platforms may be missing on this machine.
        let platform = "x86_64-unknown-linux-gnu";
        let json = cargo(&["metadata", "--format-version", "1", "--locked", "--filter-platform", platform]);
        Self(serde_json::from_str(&json).unwrap())
    }

    fn packages(&self) -> &[Value] {
        self.0["packages"].as_array().unwrap()
    }

    fn own_packages(&self) -> impl Iterator<Item = &Value> {
        let members = self.0["workspace_members"].as_array().unwrap();
        self.packages().iter().filter(|package| members.contains(&package["id"]))
    }

    fn is_own(&self, name: &str) -> bool {
        self.own_packages().any(|package| package["name"] == name)
    }

    /// For each of our crates, the names of all its transitive dependencies.
    fn reached_from_workspace(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let names: BTreeMap<&str, &str> =
            self.packages().iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
        let nodes = self.0["resolve"]["nodes"].as_array().unwrap();
        let edges: BTreeMap<&str, Vec<&str>> =
            nodes.iter().map(|node| (text(&node["id"]), normal_edges(node).collect())).collect();
        let mut reached = BTreeMap::new();
        for package in self.own_packages() {
            let mut seen = BTreeSet::new();
            let mut waiting = vec![text(&package["id"])];
            while let Some(id) = waiting.pop() {
                waiting.extend(edges.get(id).into_iter().flatten().filter(|next| seen.insert(**next)));
            }
            reached.insert(text(&package["name"]), seen.iter().map(|id| names[id]).collect());
        }
        reached
    }
}

/// The dependencies of a package, except for those of its tests and build script.
fn normal_dependencies(package: &Value) -> impl Iterator<Item = &str> {
    let dependencies = package["dependencies"].as_array().unwrap();
    dependencies.iter().filter(|dependency| dependency["kind"].is_null()).map(|dependency| text(&dependency["name"]))
}

/// The ids of the dependencies of a node in the resolved graph.
fn normal_edges(node: &Value) -> impl Iterator<Item = &str> {
    let is_normal = |edge: &&Value| edge["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
    node["deps"].as_array().unwrap().iter().filter(is_normal).map(|edge| text(&edge["pkg"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The standard output of a cargo command in this workspace.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
