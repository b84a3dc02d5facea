//! Wrong input, generated from the command tree: each argument of each command, wrong in every way, as the caller who may
//! do it and as those who may not. The exit code says what is wrong, nothing panics, and nothing changes.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Run;
use super::kind::{Form, Kind, READS, REMOTE, Values, forms};
use super::tree::{Argument, leaves};
use super::world::{World, documents, refused, successors, text};

/// How many commands run at once.
const N_AT_ONCE: usize = 4;
/// As long as Linux lets an argument be, 128 KiB with its name and its end.
const LONGEST_ARGUMENT: usize = 131_000;

/// One wrong way to call a command.
struct Case {
    what: String,
    /// What the wrong argument stands for.
    kind: Option<Kind>,
    caller: &'static str,
    args: Vec<OsString>,
    stdin: String,
    /// The exit codes that say what is wrong.
    codes: &'static [i32],
}

#[test]
fn wrong_input_is_told_apart_and_changes_nothing() {
    let (world, values) = world();
    let forms = forms();
    let leaves = leaves();
    let mut failures = Vec::new();
    let named: BTreeSet<String> = leaves.iter().map(|leaf| leaf.name()).collect();
    failures.extend(forms.keys().filter(|name| !named.contains(**name)).map(|name| format!("`{name}` is no command")));

    let mut n_cases = 0;
    for leaf in &leaves {
        let name = leaf.name();
        let Some(forms) = forms.get(name.as_str()) else {
            failures.push(format!("the command `{name}` has no entry"));
            continue;
        };
        let arguments = leaf.arguments();
        for argument in &arguments {
            let of_form = |form: &Form| form.arguments.iter().any(|(name, _)| *name == argument.name);
            if !forms.iter().any(of_form) && !REMOTE.iter().any(|(name, _)| *name == argument.name) {
                failures.push(format!("`{}` of `{name}` has no entry", argument.name));
            }
        }
        let cases: Vec<Case> =
            forms.iter().flat_map(|form| cases(&leaf.path, &name, &arguments, form, &values)).collect();
        n_cases += cases.len();
        let before = world.dump();
        failures.extend(run_all(&world, &name, &cases));
        if world.dump() != before {
            failures.push(format!("`{name}`: something changed"));
        }
    }
    assert!(n_cases > 700, "only {n_cases} cases were generated");
    assert!(failures.is_empty(), "{} of {n_cases} cases:\n{}", failures.len(), failures.join("\n"));
}

/// A world with a grant, a request and a role in each domain, and the files that commands are given.
fn world() -> (World, Values) {
    let world = World::start();
    world.publish("other", "vault", "confidential");
    let mut shop = world.ask("reader", "shop", "orders", "owner-shop");
    // An admin may know of it, and is not the owner, who may not answer himself.
    let mut other = world.ask("admin", "other", "vault", "owner-other");
    world.succeed("shop", "orders", "internal", &mut shop);
    world.succeed("other", "vault", "confidential", &mut other);
    let role = |owner: &str, domain: &str| {
        let roles = world.json(owner, &["role", "list", "--domain", domain]);
        text(&roles, "/roles/0/id")
    };
    let values =
        Values { shop, shop_role: role("owner-shop", "shop"), other, other_role: role("owner-other", "other") };
    for (domain, name, classification) in [("shop", "orders", "internal"), ("other", "vault", "confidential")] {
        let [_, contract] = documents(domain, name, classification);
        let [product, _] = successors(domain, name, classification);
        world.write(&format!("{name}/product.yaml"), product);
        world.write(&format!("{name}/contract.yaml"), contract);
    }
    world.write("refused.yaml", refused("shop", "orders", "1.9.0"));
    world.write("other.avsc", r#"{"type":"fixed","name":"Other","size":4}"#);
    world.write("orders.avsc", r#"{"type":"record","name":"orders","fields":[{"name":"id","type":"long"}]}"#);
    world.write("orders.sql", "CREATE TABLE orders (id bigint NOT NULL);");
    world.write("garbage.yaml", "- [");
    world.write("not-utf8.yaml", b"id: \xff\xfe");
    world.write("large.yaml", "a".repeat(10_000_001));
    (world, values)
}

fn cases(path: &[String], name: &str, arguments: &[Argument], form: &Form, values: &Values) -> Vec<Case> {
    let mut cases = Vec::new();
    let caller = form.caller;
    let args = |changed: &str, value: Option<OsString>| {
        let mut args: Vec<OsString> = path.iter().map(OsString::from).collect();
        for (argument, kind) in &form.arguments {
            let given = if *argument == changed { value.clone() } else { kind.good(values).map(OsString::from) };
            match given {
                Some(value) => args.extend(written(argument, &value)),
                None if *kind == Kind::Flag => args.push((*argument).into()),
                None => {}
            }
        }
        if let Some(value) = value.filter(|_| !form.arguments.iter().any(|(argument, _)| *argument == changed)) {
            args.extend(written(changed, &value));
        }
        args
    };
    let mut add = |what: String, kind: Option<Kind>, args: Vec<OsString>, stdin: &str, codes: &'static [i32]| {
        cases.push(Case { what: format!("{name}: {what}"), kind, caller, args, stdin: stdin.to_owned(), codes });
    };

    let takes_remote = arguments.iter().any(|argument| argument.name == "--server");
    let remote = REMOTE.iter().filter(|_| takes_remote);
    for (argument, kind) in form.arguments.iter().chain(remote) {
        let Some(found) = arguments.iter().find(|found| found.name == *argument) else {
            add(format!("`{argument}` is not in the help"), None, Vec::new(), "", &[]);
            continue;
        };
        let mut wrong = |what: &str, value: OsString, codes: &'static [i32]| {
            let shown: String = value.to_string_lossy().chars().take(40).collect();
            add(format!("{argument} {what} `{shown}`"), Some(*kind), args(argument, Some(value)), "", codes);
        };
        // What all commands take is read in one place: each command is given one wrong value of it.
        let values_wrong = kind.wrong(values);
        let (first, n) = match REMOTE.iter().any(|(name, _)| name == argument) && !values_wrong.is_empty() {
            true => (name.len() % values_wrong.len(), 1),
            false => (0, values_wrong.len()),
        };
        for value in values_wrong.into_iter().skip(first).take(n) {
            wrong("is wrong", value.into(), kind.codes_of_wrong());
        }
        if found.has_value && *kind != Kind::Name {
            wrong("is too long", "a".repeat(LONGEST_ARGUMENT - argument.len()).into(), &[1, 3, 4, 5, 64]);
        }
        // A data folder may be called anything.
        if found.has_value && *kind != Kind::Folder {
            wrong("is not UTF-8", OsString::from_vec(b"a.b.\xff".to_vec()), &[1, 64]);
        }
        if let Some(value) = kind.unknown() {
            wrong("is unknown", value.into(), kind.codes_of_unknown());
        }
        if let Some(value) = kind.someone_elses(values).filter(|_| !matches!(caller, "admin" | "steward")) {
            wrong("is someone else's", value.into(), &[3, 4, 5]);
        }
        let is_file = matches!(kind, Kind::Documents | Kind::File | Kind::Refused | Kind::Schema | Kind::Sql);
        if is_file || *kind == Kind::TokenFile {
            wrong("is 10 MB", "large.yaml".into(), &[1, 3, 5, 64]);
            if is_file {
                let (args, stdin) = (args(argument, Some("-".into())), "a".repeat(10_000_001));
                add(format!("{argument} is 10 MB"), Some(*kind), args, &stdin, &[1, 3]);
            }
        }
        if found.is_required {
            add(format!("{argument} is missing"), Some(*kind), args(argument, None), "", &[64]);
        }
        // What has a place is repeated by one more at the end; documents are, by the same ones again.
        let mut twice = args("", None);
        let value = kind.good(values).map_or_else(|| OsString::from("x"), OsString::from);
        let again = if found.has_value { written(argument, &value) } else { vec![(*argument).into()] };
        let is_given = twice.iter().any(|arg| *arg == *argument) || kind.good(values).is_some();
        twice.extend(again.iter().cloned());
        if !is_given {
            twice.extend(again);
        }
        add(format!("{argument} is repeated"), Some(*kind), twice, "", kind.codes_of_repeated());
    }
    cases.extend(form.others.iter().map(|other| Case {
        what: format!("{name}: everything is someone else's, as {other}"),
        kind: None,
        caller: other,
        args: args("", None),
        stdin: String::new(),
        codes: &[3, 4, 5],
    }));
    cases
}

/// An argument with its value, as it is written.
fn written(argument: &str, value: &OsStr) -> Vec<OsString> {
    if !argument.starts_with('-') {
        return vec![value.to_owned()];
    }
    let mut text = OsString::from(format!("{argument}="));
    text.push(value);
    vec![text]
}

impl Kind {
    fn codes_of_wrong(self) -> &'static [i32] {
        match self {
            Self::Request | Self::Grant | Self::Role | Self::Cursor | Self::Key | Self::Text => &[3],
            Self::PrincipalId => &[3],
            // One of another kind is looked up like any node.
            Self::Notice | Self::Override => &[3, 4],
            Self::Port | Self::Contract | Self::Version | Self::Subject | Self::NewSubject => &[3, 4],
            Self::Documents | Self::File | Self::Refused | Self::Schema | Self::Sql => &[1, 3],
            Self::Reference => &[1, 3, 64],
            Self::NewVersion | Self::Object => &[3],
            Self::Token => &[5, 64],
            Self::TokenFile => &[1, 5],
            Self::Folder | Self::Database | Self::Program | Self::Listen => &[1, 64],
            _ => &[64],
        }
    }

    fn codes_of_unknown(self) -> &'static [i32] {
        // Only who may act in every domain is told that one does not exist.
        if matches!(self, Self::Domain | Self::NewDomain) { &[4, 5] } else { &[4] }
    }

    fn codes_of_repeated(self) -> &'static [i32] {
        if self == Self::Documents { &[3] } else { &[64] }
    }
}

/// Runs the cases, several at once; gives what was not as it should be.
fn run_all(world: &World, name: &str, cases: &[Case]) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..N_AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // A file with the token is not looked at where there is a token.
                    let run = match case.kind {
                        Some(Kind::TokenFile) => world.run_with("", &case.args, &case.stdin),
                        _ => world.run(case.caller, &case.args, &case.stdin),
                    };
                    if let Err(why) = check(name, case, &run) {
                        let shown = |text: &str| text.chars().take(300).collect::<String>();
                        let (out, err) = (shown(&run.stdout), shown(&run.stderr));
                        failures
                            .lock()
                            .unwrap()
                            .push(format!("{}: {why}: {}\n  out {out:?}\n  err {err:?}", case.what, run.code));
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}

fn check(name: &str, case: &Case, run: &Run) -> Result<(), &'static str> {
    let finds_nothing = run.code == 0 && run.stdout.is_empty();
    if READS.contains(&name) && finds_nothing && case.codes != [64] {
        return Ok(());
    }
    if !case.codes.contains(&run.code) {
        return Err("the exit code");
    }
    if !run.stdout.is_empty() {
        return Err("something on standard output");
    }
    let is_told = run.stderr.starts_with("error: ") || run.stderr.contains("\nerror: ");
    if is_told && !run.stderr.contains("panicked") { Ok(()) } else { Err("no error on standard error") }
}
