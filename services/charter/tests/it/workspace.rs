//! The arrows between the crates, and where their dependencies come from (DESIGN section 4).

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// What each crate may know of the others. A crate that is not named here fails the test.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("documents", &["domain"]),
    ("inspect", &["domain"]),
    ("policy", &["domain"]),
    ("store", &["domain"]),
    ("app", &["documents", "domain", "policy", "store"]),
    ("api", &["app", "domain"]),
    ("gateway", &["app", "domain"]),
    ("worker", &["domain", "inspect"]),
    ("charter", &["api", "app", "documents", "domain", "gateway", "inspect", "policy", "store"]),
    ("testkit", &["app", "documents", "domain", "inspect", "policy", "store"]),
];

/// Crates that only the worker may link: they parse foreign bytes.
const LAKE: &[&str] = &["arrow", "buoyant_kernel", "datafusion", "deltalake", "deltalake-core", "parquet"];

/// Licences that go with Apache-2.0; an expression is good when one of its `OR` sides is made of these.
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
    // Copyleft by file: what links it unchanged, as we do, stays under its own licence.
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
];

#[test]
fn crates_know_only_what_the_design_lets_them() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let arrows: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, known)| (*name, known.iter().copied().collect())).collect();
    for package in metadata.workspace_packages() {
        let allowed = arrows.get(package.name.as_str());
        let allowed = allowed.unwrap_or_else(|| panic!("crate `{}` is not in the table of arrows", package.name));
        for dependency in normal_dependencies(package).filter(|name| ours.contains(name.as_str())) {
            assert!(allowed.contains(dependency.as_str()), "`{}` must not know `{dependency}`", package.name);
        }
    }
}

#[test]
fn only_the_worker_links_the_lake() {
    for (name, reached) in reached_from_workspace(&metadata()) {
        let lake: Vec<&str> = LAKE.iter().copied().filter(|krate| reached.contains(*krate)).collect();
        if name == "worker" {
            assert_eq!(lake, LAKE, "the worker is what links the lake");
        } else {
            assert!(lake.is_empty(), "`{name}` links {lake:?}");
        }
    }
}

#[test]
fn nobody_depends_on_the_worker() {
    for package in metadata().workspace_packages() {
        assert!(normal_dependencies(package).all(|name| name != "worker"), "`{}` depends on the worker", package.name);
    }
}

#[test]
fn every_dependency_has_a_good_licence_and_source() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    for package in metadata.packages.iter().filter(|package| !ours.contains(package.name.as_str())) {
        let source = package.source.as_ref().map(|source| source.repr.as_str()).unwrap_or_default();
        assert!(source.starts_with("registry+"), "`{}` comes from `{source}`", package.name);
        let licence = package.license.as_deref().unwrap_or_default();
        assert!(is_good(licence), "`{}` has the licence `{licence}`", package.name);
    }
}

#[test]
fn a_licence_is_judged_by_its_expression() {
    for good in ["MIT", "MIT OR Apache-2.0", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "(MIT OR GPL-2.0) AND Unicode-3.0"] {
        assert!(is_good(good), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "BUSL-1.1", "(MIT OR Apache-2.0) AND GPL-2.0"] {
        assert!(!is_good(bad), "{bad}");
    }
}

/// Every `AND` part has one `OR` side that we take. `/` is an old spelling of `OR`.
fn is_good(licence: &str) -> bool {
    let sides = |part: &str| -> Vec<String> {
        let bare = part.replace(['(', ')'], "").replace('/', " OR ");
        bare.split(" OR ").map(|side| side.trim().to_owned()).collect()
    };
    // An `AND` inside one side of an `OR` (such as `MIT OR (Apache-2.0 AND ISC)`) reads as two parts, which is stricter.
    licence.split(" AND ").all(|part| sides(part).iter().any(|side| LICENCES.contains(&side.as_str())))
}

fn metadata() -> Metadata {
    // Only what is compiled on Linux: the other platforms' crates need not be on this machine.
    let options = ["--locked", "--filter-platform", "x86_64-unknown-linux-gnu"].map(str::to_owned);
    MetadataCommand::new().other_options(options).exec().unwrap()
}

fn normal_dependencies(package: &Package) -> impl Iterator<Item = String> + '_ {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.to_string())
}

/// For each of our crates, the names of all that it links, through any number of steps.
fn reached_from_workspace(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let resolve = metadata.resolve.as_ref().unwrap();
    let names: BTreeMap<_, _> =
        metadata.packages.iter().map(|package| (package.id.clone(), package.name.to_string())).collect();
    let edges: BTreeMap<_, Vec<_>> = resolve
        .nodes
        .iter()
        .map(|node| {
            let normal =
                node.deps.iter().filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
            (node.id.clone(), normal.map(|dep| dep.pkg.clone()).collect())
        })
        .collect();
    let mut reached = BTreeMap::new();
    for package in metadata.workspace_packages() {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![package.id.clone()];
        while let Some(id) = waiting.pop() {
            for next in edges.get(&id).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    waiting.push(next.clone());
                }
            }
        }
        reached.insert(package.name.to_string(), seen.iter().map(|id| names[id].clone()).collect());
    }
    reached
}
