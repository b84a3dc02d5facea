//! Circles of modules: files of one crate that lead back to themselves by the paths they name.
//!
//! A path leads from its file to the file that has the name, through re-exports: paths of `use` and of code, from
//! `crate`, `super`, `self` or a child module. A re-export of a child's name counts if its file uses the name itself.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// The most files of a circle: more cannot be understood, tested or moved one at a time.
const LARGEST_CIRCLE: usize = 4;

/// What is no code: comments, literals and lifetimes.
static NO_CODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r##"(?s)//[^\n]*|/\*.*?\*/|\br"[^"]*"|\br#+".*?"#+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\[^']+|\\')'|'\w+"##)
        .unwrap()
});
/// A `use`, with its visibility and its tree.
static USE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(pub(?:\([^)]*\))? )?use ([^;<]+);").unwrap());
/// A path in code, or a name; except for visibilities, definitions and members.
static PATH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\(in |\bmod |\bfn |\.)?\b(\w+(?:::\w+)*)").unwrap());

/// A path, from the root of the crate.
type Names = Vec<String>;

#[derive(Default)]
struct File {
    paths: BTreeSet<Names>,
    /// Where the re-exported names come from.
    exports: BTreeMap<String, Names>,
}

#[test]
fn no_crate_has_a_large_circle_of_modules() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut n_files = 0;
    for service in services.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        let mut sources = BTreeMap::new();
        read_sources(&service.join("src"), &[], &mut sources);
        n_files += sources.len();
        let large: Vec<_> = circles(&sources).into_iter().filter(|circle| circle.len() > LARGEST_CIRCLE).collect();
        assert!(large.is_empty(), "{}: move what these modules share into leaves: {large:#?}", service.display());
    }
    assert!(n_files > 400, "only {n_files} files found");
}

#[test]
fn circles_are_found_whatever_the_form_of_the_path() {
    let circles_of = |face: &str, b: &str| {
        let sources = [("a", face), ("a::b", b), ("a::c", "use super::B;")];
        let names = |module: &str| module.split("::").map(str::to_owned).collect();
        circles(&sources.map(|(module, text)| (names(module), text.to_owned())).into())
    };
    let face = "mod b; mod c; pub use self::b::B; fn f() {}";
    for b in ["use crate::a::c;", "use super::{f, c::{self, C}};", "fn g(n: &'_ u8) { super::c::g('\"') }"] {
        assert_eq!(circles_of(face, b), [["crate::a::b", "crate::a::c"].map(str::to_owned).to_vec()].into(), "{b}");
    }
    for b in [
        "// super::c",
        "/* super::c */",
        "const C: &str = \"super::c\";",
        "pub(in super::c) fn g() {}",
        "use super::f;",
    ] {
        assert_eq!(circles_of(face, b), BTreeSet::new(), "{b}");
    }
    for face in ["pub use self::b::B; fn f() -> B { B::new() }", "use self::b::B;", "fn f() { b::g() }"] {
        assert_eq!(circles_of(face, "use super::f;").first().unwrap()[..2], ["crate::a", "crate::a::b"], "{face}");
    }
}

fn read_sources(folder: &Path, module: &[String], sources: &mut BTreeMap<Names, String>) {
    for path in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_face = ["mod", "lib", "main"].contains(&name);
        let module = if is_face { module.to_vec() } else { [module, &[name.to_owned()]].concat() };
        if path.is_dir() {
            read_sources(&path, &module, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.entry(module).or_default().push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The sets of several files in which each leads to each other.
fn circles(sources: &BTreeMap<Names, String>) -> BTreeSet<Vec<String>> {
    let read = |(module, text): (&Names, &String)| (module.clone(), File::read(module, text, sources));
    let files: BTreeMap<Names, File> = sources.iter().map(read).collect();
    let targets = |file: &File| file.paths.iter().map(|path| target(path, &files)).collect();
    let edges: BTreeMap<&Names, Vec<&Names>> = files.iter().map(|(module, file)| (module, targets(file))).collect();
    let reach = |module: &Names| {
        let (mut reached, mut waiting) = (BTreeSet::new(), edges[module].clone());
        while let Some(next) = waiting.pop() {
            if reached.insert(next) {
                waiting.extend(&edges[next]);
            }
        }
        reached
    };
    let reached: BTreeMap<&Names, BTreeSet<&Names>> = files.keys().map(|module| (module, reach(module))).collect();
    let circle_of = |module: &Names| -> Vec<String> {
        let members = reached[module].iter().filter(|other| reached[*other].contains(module));
        members.map(|names| format!("crate::{}", names.join("::"))).collect()
    };
    files.keys().map(circle_of).filter(|circle| circle.len() > 1).collect()
}

/// The file that a path leads to.
fn target<'a>(path: &[String], files: &'a BTreeMap<Names, File>) -> &'a Names {
    let deepest = (0..=path.len()).rev().find_map(|len| files.get_key_value(&path[..len]));
    let (module, file) = deepest.expect("a crate has a root");
    let (name, rest) = path[module.len()..].split_first().unzip();
    match name.and_then(|name| file.exports.get(name)) {
        Some(origin) => target(&[origin, rest.unwrap()].concat(), files),
        None => module,
    }
}

impl File {
    fn read(module: &Names, text: &str, sources: &BTreeMap<Names, String>) -> Self {
        let code = NO_CODE.replace_all(text, "");
        // From the root of the crate; `None` for a path that leads out of it.
        let absolute = |path: &str| {
            let first = path.split("::").next().unwrap();
            let child = [module.as_slice(), &[first.to_owned()]].concat();
            let is_inside = ["crate", "self", "super"].contains(&first) || sources.contains_key(&child);
            let mut names = if first == "crate" { Names::new() } else { module.clone() };
            for name in path.split("::") {
                match name {
                    "crate" | "self" => {}
                    "super" => drop(names.pop()),
                    name => names.push(name.to_owned()),
                }
            }
            is_inside.then_some(names)
        };
        let mut file = Self::default();
        for found in USE.captures_iter(&code) {
            for names in paths_of_use(&found[2]).iter().filter_map(|path| absolute(path)) {
                match (found.get(1), names.last().cloned()) {
                    (Some(_), Some(name)) => drop(file.exports.insert(name, names)),
                    _ => drop(file.paths.insert(names)),
                }
            }
        }
        let code = USE.replace_all(&code, "");
        let paths = PATH.captures_iter(&code).filter(|found| found.get(1).is_none()).map(|found| found[2].to_owned());
        let paths: BTreeSet<String> = paths.collect();
        file.paths.extend(paths.iter().filter(|path| path.contains("::")).filter_map(|path| absolute(path)));
        let used: BTreeSet<&str> = paths.iter().filter_map(|path| path.split("::").next()).collect();
        let counts = |(name, names): &(&String, &Names)| !names.starts_with(module) || used.contains(name.as_str());
        file.paths.extend(file.exports.iter().filter(counts).map(|(_, names)| names.clone()));
        file
    }
}

/// The paths in the tree of a `use`.
fn paths_of_use(tree: &str) -> Vec<String> {
    let Some((above, list)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap().trim().to_owned()];
    };
    let mut depth = 0;
    let parts = list.trim_end().strip_suffix('}').unwrap().split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0 && c == ','
    });
    let below = parts.filter(|part| !part.trim().is_empty()).flat_map(paths_of_use);
    below.map(|path| format!("{}{path}", above.trim())).collect()
}
