//! Invalid input, generated from the command tree: each argument of each command, invalid in every way, as an allowed
//! caller and as others. The exit code tells the kind of error, nothing panics, and nothing changes.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Run;
use super::forms::{Form, READS, REMOTE, REPEATABLE, REPORTS, forms};
use super::kind::{Kind, Values};
use super::tree::{Argument, leaves};
use super::world::{World, documents, refused, successors, text};

/// How many commands run at once.
const N_AT_ONCE: usize = 4;
/// The longest argument that Linux allows: 128 KiB with its name and terminator.
const LONGEST_ARGUMENT: usize = 131_000;

/// One invalid call of a command.
struct Case {
    description: String,
    /// The kind of the invalid argument.
    kind: Option<Kind>,
    caller: &'static str,
    args: Vec<OsString>,
    stdin: String,
    /// The allowed exit codes.
    codes: &'static [i32],
}

#[test]
fn invalid_input_has_its_exit_code_and_changes_nothing() {
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

/// A world with a grant, a request and a role in each domain, and the input files of commands.
fn world() -> (World, Values) {
    let world = World::start();
    world.publish("other", "vault", "confidential");
    let mut shop = world.request_access("reader", "shop", "orders", "owner-shop");
    // An admin may see it, and the owner may not approve their own request.
    let mut other = world.request_access("admin", "other", "vault", "owner-other");
    world.succeed("shop", "orders", "internal", &mut shop);
    world.succeed("other", "vault", "confidential", &mut other);
    let role = |owner: &str, domain: &str| {
        let roles = world.json(owner, &["role", "list", "--domain", domain]);
        text(&roles, "/roles/0/id")
    };
    let token = |subject: &str| text(&world.json("admin", &["token", "create", subject]), "/tokenId");
    let values = Values {
        shop,
        shop_role: role("owner-shop", "shop"),
        shop_token: token("owner-shop"),
        other,
        other_role: role("owner-other", "other"),
        other_token: token("owner-other"),
    };
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
    world.write("table/a.parquet", "no Parquet");
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
            let given = if *argument == changed { value.clone() } else { kind.valid(values).map(OsString::from) };
            match given {
                Some(value) => args.extend(formatted(argument, &value)),
                None if *kind == Kind::Flag => args.push((*argument).into()),
                None => {}
            }
        }
        if let Some(value) = value.filter(|_| !form.arguments.iter().any(|(argument, _)| *argument == changed)) {
            args.extend(formatted(changed, &value));
        }
        args
    };
    let mut add = |description: String, kind: Option<Kind>, args: Vec<OsString>, stdin: &str, codes: &'static [i32]| {
        cases.push(Case {
            description: format!("{name}: {description}"),
            kind,
            caller,
            args,
            stdin: stdin.to_owned(),
            codes,
        });
    };

    // A comparison asks the server only about its impact.
    let asks_server = name != "contract diff" || form.arguments.iter().any(|(name, _)| *name == "--impact");
    let takes_remote = asks_server && arguments.iter().any(|argument| argument.name == "--server");
    let remote = REMOTE.iter().filter(|_| takes_remote);
    for (argument, kind) in form.arguments.iter().chain(remote) {
        let Some(found) = arguments.iter().find(|found| found.name == *argument) else {
            add(format!("`{argument}` is not in the help"), None, Vec::new(), "", &[]);
            continue;
        };
        let mut invalid = |how: &str, value: OsString, codes: &'static [i32]| {
            let shown: String = value.to_string_lossy().chars().take(40).collect();
            add(format!("{argument} {how} `{shown}`"), Some(*kind), args(argument, Some(value)), "", codes);
        };
        // Shared arguments are parsed in one place: each command is tested with only one invalid value.
        let invalid_values = kind.invalid(values);
        let (first, n) = match REMOTE.iter().any(|(name, _)| name == argument) && !invalid_values.is_empty() {
            true => (name.len() % invalid_values.len(), 1),
            false => (0, invalid_values.len()),
        };
        for value in invalid_values.into_iter().skip(first).take(n) {
            invalid("is invalid", value.into(), kind.codes_of_invalid());
        }
        if found.has_value && *kind != Kind::Name {
            invalid("is too long", "a".repeat(LONGEST_ARGUMENT - argument.len()).into(), &[1, 3, 4, 5, 64]);
        }
        // A data directory may have any name, and so may a new file.
        if found.has_value && !matches!(kind, Kind::Directory | Kind::NewFile) {
            invalid("is not UTF-8", OsString::from_vec(b"a.b.\xff".to_vec()), &[1, 64]);
        }
        if let Some(value) = kind.unknown() {
            invalid("is unknown", value.into(), kind.codes_of_unknown());
        }
        if let Some(value) = kind.foreign(values).filter(|_| !matches!(caller, "admin" | "steward")) {
            invalid("is foreign", value.into(), &[3, 4, 5]);
        }
        let is_file =
            matches!(kind, Kind::Documents | Kind::File | Kind::Linted | Kind::Refused | Kind::Schema | Kind::Sql);
        if is_file || *kind == Kind::TokenFile {
            invalid("is 10 MB", "large.yaml".into(), &[1, 3, 5, 64]);
            if is_file {
                let (args, stdin) = (args(argument, Some("-".into())), "a".repeat(10_000_001));
                add(format!("{argument} is 10 MB"), Some(*kind), args, &stdin, &[1, 3]);
            }
        }
        if found.is_required {
            add(format!("{argument} is missing"), Some(*kind), args(argument, None), "", &[64]);
        }
        // A positional argument is repeated at the end.
        let mut twice = args("", None);
        let value = kind.valid(values).map_or_else(|| OsString::from("x"), OsString::from);
        let again = if found.has_value { formatted(argument, &value) } else { vec![(*argument).into()] };
        let is_given = twice.iter().any(|arg| *arg == *argument) || kind.valid(values).is_some();
        twice.extend(again.iter().cloned());
        if !is_given {
            twice.extend(again);
        }
        add(format!("{argument} is repeated"), Some(*kind), twice, "", kind.codes_of_repeated(name));
    }
    cases.extend(form.others.iter().map(|other| Case {
        description: format!("{name}: everything is foreign, as {other}"),
        kind: None,
        caller: other,
        args: args("", None),
        stdin: String::new(),
        codes: &[3, 4, 5],
    }));
    cases
}

/// The command line form of an argument with its value.
fn formatted(argument: &str, value: &OsStr) -> Vec<OsString> {
    if !argument.starts_with('-') {
        return vec![value.to_owned()];
    }
    let mut text = OsString::from(format!("{argument}="));
    text.push(value);
    vec![text]
}

impl Kind {
    fn codes_of_invalid(self) -> &'static [i32] {
        match self {
            Self::Request | Self::Grant | Self::Role | Self::TokenId | Self::Cursor | Self::Key | Self::Text => &[3],
            Self::PrincipalId => &[3],
            // The id of another type is looked up like any node.
            Self::Notice | Self::Override => &[3, 4],
            Self::Port | Self::Contract | Self::Version | Self::Subject | Self::NewSubject => &[3, 4],
            Self::Documents | Self::File | Self::Linted | Self::Refused | Self::Schema | Self::Sql => &[1, 3],
            Self::Reference => &[1, 3, 64],
            Self::NewVersion | Self::Object | Self::Column => &[3],
            Self::NewFile => &[1, 64],
            Self::Token => &[5, 64],
            Self::TokenFile => &[1, 5],
            Self::Data => &[1, 64],
            Self::Directory | Self::Database | Self::Program | Self::Listen => &[1, 64],
            _ => &[64],
        }
    }

    fn codes_of_unknown(self) -> &'static [i32] {
        // Only callers who may act in every domain learn that a domain does not exist.
        if matches!(self, Self::Domain | Self::NewDomain) { &[4, 5] } else { &[4] }
    }

    fn codes_of_repeated(self, command: &str) -> &'static [i32] {
        match self {
            Self::Name | Self::Domain | Self::Column | Self::Word(_) if REPEATABLE.contains(&command) => &[0],
            Self::Documents => &[3],
            Self::Linted => &[0],
            _ => &[64],
        }
    }
}

/// Runs the cases, several at once; returns the failures.
fn run_all(world: &World, name: &str, cases: &[Case]) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..N_AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // A token file is ignored if a token is given.
                    let run = match case.kind {
                        Some(Kind::TokenFile) => world.run_with("", &case.args, &case.stdin),
                        _ => world.run(case.caller, &case.args, &case.stdin),
                    };
                    if let Err(reason) = check(name, case, &run) {
                        let shown = |text: &str| text.chars().take(300).collect::<String>();
                        let (out, err) = (shown(&run.stdout), shown(&run.stderr));
                        failures.lock().unwrap().push(format!(
                            "{}: {reason}: {}\n  out {out:?}\n  err {err:?}",
                            case.description, run.code
                        ));
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}

fn check(name: &str, case: &Case, run: &Run) -> Result<(), &'static str> {
    let is_empty = run.code == 0 && run.stdout.is_empty();
    if READS.contains(&name) && is_empty && case.codes != [64] {
        return Ok(());
    }
    if !case.codes.contains(&run.code) {
        return Err("the exit code");
    }
    // What may be repeated is answered.
    if case.codes == [0] {
        return Ok(());
    }
    let is_report = REPORTS.contains(&name) && matches!(run.code, 0 | 3);
    if is_report && run.code == 0 {
        return Ok(());
    }
    if !run.stdout.is_empty() && !is_report {
        return Err("something on standard output");
    }
    let is_reported = run.stderr.starts_with("error: ") || run.stderr.contains("\nerror: ");
    if is_reported && !run.stderr.contains("panicked") { Ok(()) } else { Err("no error on standard error") }
}
