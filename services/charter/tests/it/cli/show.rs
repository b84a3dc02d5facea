//! The output for responses: decisions, credentials, documents, inspections, access.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::server::CannedServer;
use super::{Run, run};

fn answer(answer: Value) -> Value {
    json!({ "data": { "answer": answer } })
}

fn line(check: &str, outcome: &str, message: &str, details: &[&str]) -> Value {
    let check = check.to_uppercase();
    let code = format!("{check}_NOT_CHECKED");
    json!({ "check": check, "outcome": outcome, "code": code, "message": message, "details": details })
}

fn decision(allowed: bool, lines: &[Value]) -> Value {
    json!({
        "id": "decision-1", "action": "READ", "allowed": allowed, "at": "2026-01-01T00:00:00Z", "address": null,
        "lines": lines, "served": { "key": "5", "committedAt": "2026-01-01T00:00:00Z" }, "retryAt": null,
    })
}

fn credentials(secret: &str) -> Value {
    json!({
        "__typename": "VendCredentialsPayload",
        "lease": {
            "id": "lease-1", "action": "READ", "address": "a.b.c", "state": "ISSUED", "snapshot": null,
            "issuedAt": "2026-01-01T00:00:00Z", "expiresAt": "2026-01-01T01:00:00Z",
        },
        "decision": decision(true, &[]),
        "credentials": {
            "__typename": "GatewayCredentials", "accessKeyId": "key-1", "secretAccessKey": secret, "sessionToken": "token-1",
            "endpoint": "http://127.0.0.1:7071", "region": "local", "tableUri": "s3://lake/t-1",
            "expiresAt": "2026-01-01T01:00:00Z", "allowHttp": true,
        },
    })
}

fn snapshot(state: &str, verdict: Option<&str>, conforms: bool) -> Value {
    let verdict = verdict.map(|verdict| {
        json!({
            "verdict": verdict, "conforms": conforms, "conformance": ["column `x` is not declared"],
            "at": "2026-01-01T00:00:00Z",
            "results": [
                { "key": "k1", "title": "`id` has no null", "severity": "ERROR", "outcome": "FAIL", "measured": 150.0,
                  "unit": "ROWS", "message": "must be 0" },
                { "key": "k2", "title": "`note` is short", "severity": "WARNING", "outcome": "FAIL", "measured": 2.5,
                  "unit": "PERCENT", "message": null },
                { "key": "k3", "title": "custom", "severity": "ERROR", "outcome": "NOT_RUN", "measured": null,
                  "unit": "ROWS", "message": null },
                { "key": "k4", "title": "`id` is unique", "severity": "ERROR", "outcome": "PASS", "measured": 0.0,
                  "unit": "ROWS", "message": null },
            ],
        })
    });
    let read = verdict
        .as_ref()
        .map(|_| json!({ "files": "3", "bytes": "1024", "rows": "252582", "filesKnown": "1", "proven": "2" }));
    json!({
        "id": "s", "key": "3", "state": state, "noticedAt": "2026-01-01T00:00:00Z",
        "committedAt": "2026-01-01T00:00:00Z", "rows": "336776", "files": "4", "inspectionRead": read, "error": null,
        "verdict": verdict,
    })
}

#[test]
fn why_shows_the_decision_line_by_line() {
    let lines = [
        line("identity", "HOLDS", "the principal is known", &[]),
        line("contract", "WARNS", "the version is deprecated", &["until 2026-06-01"]),
        line("grant", "FAILS", "no grant covers this", &[]),
        line("quality", "NOT_BINDING", "the verdict is fail", &[]),
        line("scope", "NOT_CHECKED", "not looked at", &[]),
    ];
    let server = CannedServer::answering([answer(decision(false, &lines))]);
    let run = server.run(&["why", "sales.orders.orders", "--purpose", "machine_learning"]);
    assert_eq!(run.code, 2);
    let expected = "\
sales.orders.orders: read denied
  ok   identity     the principal is known
  warn contract     the version is deprecated
                    until 2026-06-01
  FAIL grant        no grant covers this
  -    quality      the verdict is fail (not enforced)
  -    scope        not looked at
snapshot 5, committed 2026-01-01T00:00:00Z
";
    assert_eq!(run.stdout, expected);
    let hint = "hint: request access with `charter access request sales.orders.orders --purpose ... --sentence ...`\n";
    assert_eq!(run.stderr, hint);
    let input = &server.requests()[0].variables["input"];
    assert_eq!(*input, json!({ "address": "sales.orders.orders", "action": "READ", "purpose": "MACHINE_LEARNING" }));

    let open = CannedServer::answering([answer(decision(true, &[]))]).run(&["why", "a.b.c"]);
    assert_eq!((open.code, open.stderr.as_str()), (0, ""));
    let hidden = CannedServer::answering([answer(Value::Null)]).run(&["why", "a.b.c"]);
    assert_eq!((hidden.code, hidden.stdout.as_str()), (4, ""));
    assert!(hidden.stderr.starts_with("error: table `a.b.c` was not found\nhint: "), "{}", hidden.stderr);
}

#[test]
fn json_is_the_answer_with_the_names_of_the_api() {
    let shut = decision(false, &[line("grant", "FAILS", "a\u{1b}[2Jb", &[])]);
    let run = CannedServer::answering([answer(shut.clone())]).run(&["why", "a.b.c", "--json"]);
    assert_eq!(run.code, 2);
    // Only closed sets are spelled as in the domain.
    let mut expected = shut;
    expected["action"] = "read".into();
    expected["lines"][0]["check"] = "grant".into();
    expected["lines"][0]["code"] = "grant.not_checked".into();
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), expected);
}

#[test]
fn a_broken_audit_record_is_a_row_of_its_own() {
    let records = json!({
        "nodes": [
            { "__typename": "Record", "id": "r2", "at": "2026-01-02T00:00:00Z", "actor": { "subject": "ann" },
              "action": "DOMAIN_CREATE", "resource": "domain:d2", "outcome": "DONE", "reason": null, "requestId": "q",
              "detail": "{}", "mac": "00" },
            { "__typename": "BrokenRecord", "id": "r1", "at": "2026-01-01T00:00:00Z", "fault": "CHANGED",
              "action": "domain.create", "resource": "domain:d1" },
        ],
        "pageInfo": { "hasNextPage": false, "endCursor": null },
    });
    let run = CannedServer::answering([answer(records.clone())]).run(&["audit", "list"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let rows: Vec<&str> = run.stdout.lines().collect();
    assert!(rows[1].contains("ann") && rows[1].contains("d2") && rows[1].contains("done"), "{}", run.stdout);
    assert!(rows[2].contains("d1") && rows[2].contains("broken"), "{}", run.stdout);
    assert!(run.stdout.contains("The MAC does not fit the bytes"), "{}", run.stdout);

    let run = CannedServer::answering([answer(records)]).run(&["audit", "list", "--json"]);
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(run.code, 0, "{}", run.stderr);
    let broken = json!({ "__typename": "BrokenRecord", "id": "r1", "at": "2026-01-01T00:00:00Z", "fault": "changed",
        "action": "domain.create", "resource": "domain:d1" });
    assert_eq!(shown["nodes"][1], broken);
}

#[test]
fn control_characters_are_removed_from_text() {
    let lines = [line("grant", "FAILS", "a\u{1b}[2Jb\u{9b}c\rd", &[])];
    let run = CannedServer::answering([answer(decision(false, &lines))]).run(&["why", "a.b.c"]);
    assert!(run.stdout.contains("a\u{fffd}[2Jb\u{fffd}c\u{fffd}d"), "{:?}", run.stdout);
    let error = json!({ "data": null, "errors": [{ "message": "x\u{1b}]0;y" }] });
    let run = CannedServer::answering([error]).run(&["why", "a.b.c"]);
    assert_eq!(run.stderr, "error: x\u{fffd}]0;y\n");
}

#[test]
fn credentials_go_through_a_shell_unharmed() {
    let secret = "it's \"a\" $(touch pwned) `id` \\ \n!";
    let folder = tempfile::tempdir().unwrap();
    let Run { code, stdout, stderr } =
        CannedServer::answering([answer(credentials(secret))]).run(&["credentials", "a.b.c"]);
    assert_eq!((code, stderr.as_str()), (0, "note: the credentials expire at 2026-01-01T01:00:00Z\n"));
    assert!(stdout.lines().all(|line| line.starts_with("export ") || line == "!'"), "{stdout}");
    let mut shell = Command::new("/bin/sh");
    let script = r#"eval "$CODE"; exec /usr/bin/env -0"#;
    shell.args(["-c", script]).current_dir(folder.path()).env_clear().env("CODE", &stdout);
    let seen = run(shell, "").stdout;
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "key-1"),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_SESSION_TOKEN", "token-1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:7071"),
        ("AWS_REGION", "local"),
        ("AWS_ALLOW_HTTP", "true"),
        ("CHARTER_TABLE_URI", "s3://lake/t-1"),
    ] {
        assert!(seen.split('\0').any(|variable| variable == format!("{name}={value}")), "{name} in {seen:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something was executed");
}

#[test]
fn refused_credentials_leave_standard_output_empty() {
    let refused = json!({
        "__typename": "GateRefused",
        "decision": decision(false, &[line("quality", "FAILS", "the verdict is fail", &[])]),
    });
    // Codes are printed as the log and the documents spell them.
    let mut printed = refused.clone();
    printed["decision"]["action"] = "read".into();
    printed["decision"]["lines"][0]["check"] = "quality".into();
    printed["decision"]["lines"][0]["code"] = "quality.not_checked".into();
    for format in ["env", "json"] {
        let run = CannedServer::answering([answer(refused.clone())]).run(&["credentials", "a.b.c", "--format", format]);
        assert_eq!(run.code, 2, "{format}");
        assert!(run.stderr.contains("FAIL quality      the verdict is fail\n"), "{}", run.stderr);
        assert!(
            run.stderr.contains("error: the gate refused credentials for `a.b.c`\nhint: see the inspection results"),
            "{}",
            run.stderr
        );
        match format {
            "json" => assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), printed),
            _ => assert_eq!(run.stdout, ""),
        }
    }
}

#[test]
fn a_python_program_reads_its_credentials_from_the_environment_and_none_are_issued() {
    for (library, import) in
        [("deltalake", "from deltalake"), ("polars", "import polars"), ("pyarrow", "from deltalake")]
    {
        let server = CannedServer::answering([answer(json!({ "format": "DELTA" }))]);
        let program = server.run(&["credentials", "a.b.c", "--format", library]).stdout;
        assert!(program.contains(import) && program.contains("os.environ"), "{program}");
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        assert!(!requests[0].document.contains("vendCredentials"));
        assert_python(&program);
    }
    let parquet = answer(json!({ "format": "PARQUET" }));
    for library in ["polars", "pyarrow"] {
        let run = CannedServer::answering([parquet.clone()]).run(&["credentials", "a.b.c", "--format", library]);
        assert_python(&run.stdout);
    }
    let run = CannedServer::answering([parquet]).run(&["credentials", "a.b.c", "--format", "deltalake"]);
    assert_eq!((run.code, run.stdout.as_str()), (64, ""));
    assert!(run.stderr.contains("hint: use `--format polars`"), "{}", run.stderr);
}

#[test]
fn credentials_written_into_a_python_program_are_literals() {
    let secret = "it's \"a\" \\ \n{x}";
    let server = CannedServer::answering([answer(json!({ "format": "DELTA" })), answer(credentials(secret))]);
    let program = server.run(&["credentials", "a.b.c", "--format", "polars", "--inline"]).stdout;
    assert!(!program.contains("os.environ"), "{program}");
    let reader =
        "import ast, json, sys; print(json.dumps(ast.literal_eval(ast.parse(sys.stdin.read()).body[0].value)))";
    let mut python = Command::new("python3");
    python.args(["-c", reader]);
    let seen: Value = serde_json::from_str(&run(python, &program).stdout).unwrap();
    assert_eq!(seen["AWS_SECRET_ACCESS_KEY"], secret);
    assert_eq!(seen["CHARTER_TABLE_URI"], "s3://lake/t-1");
}

fn assert_python(program: &str) {
    let mut python = Command::new("python3");
    python.args(["-c", "import ast, sys; ast.parse(sys.stdin.read())"]);
    let parsed = run(python, program);
    assert_eq!(parsed.code, 0, "{}\n{program}", parsed.stderr);
}

#[test]
fn a_token_is_all_that_is_printed() {
    let created = json!({ "token": "t.o.k", "tokenId": "id1", "expiresAt": "2026-01-01T00:00:00Z", "principal": { "subject": "ada" } });
    let server = CannedServer::answering([answer(created)]);
    let run = server.run(&["token", "create", "ada", "--lifetime", "90d"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "t.o.k\n"));
    assert_eq!(run.stderr, "note: token `id1` for `ada`, valid until 2026-01-01T00:00:00Z\n");
    assert_eq!(server.requests()[0].variables["input"]["lifetimeSeconds"], 90 * 24 * 3_600);
}

#[test]
fn a_link_is_all_that_login_prints_and_its_code_is_behind_the_hash() {
    let created = json!({ "code": "K7QM2FXA9RTDWB3N", "expiresAt": "2026-01-01T00:05:00Z",
        "sessionEndsAt": "2026-01-01T01:00:00Z" });
    let server = CannedServer::answering([answer(created.clone()), answer(created)]);
    let run = server.run(&["login", "--lifetime", "1h"]);
    let link = run.stdout.strip_suffix("/sign-in#code=K7QM2FXA9RTDWB3N\n");
    let address = link.unwrap_or_else(|| panic!("{run:?}"));
    assert!(run.code == 0 && address.starts_with("http://127.0.0.1:"), "{run:?}");
    let notes = format!(
        "note: valid once, until 2026-01-01T00:05:00Z; or enter `K7QM-2FXA-9RTD-WB3N` at {address}/sign-in\n\
         note: the session ends at 2026-01-01T01:00:00Z at the latest\n"
    );
    assert_eq!(run.stderr, notes);
    assert_eq!(server.requests()[0].variables["input"]["lifetimeSeconds"], 3_600);
    let shown: Value = serde_json::from_str(&server.run(&["login", "--json"]).stdout).unwrap();
    assert_eq!(shown["link"], format!("{address}/sign-in#code=K7QM2FXA9RTDWB3N"));
    assert_eq!(server.requests()[1].variables["input"]["lifetimeSeconds"], Value::Null);
}

#[test]
fn documents_come_from_files_folders_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["b.yml", "a/z.json", "a/c.yaml", "notes.md", ".git/x.yaml", ".hidden.yaml"] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    let server = CannedServer::answering([answer(
        json!({ "__typename": "PlanDocumentsPayload", "changes": [], "warnings": [] }),
    )]);
    let path = folder.path().to_str().unwrap();
    let run = server.run_with_stdin(&["plan", path, "-", "--domain", "sales"], "from-stdin");
    assert_eq!((run.code, run.stdout.as_str()), (0, "0 added, 0 changed, 0 removed, 0 unchanged\n"), "{}", run.stderr);
    let input = server.requests()[0].variables["input"].clone();
    let documents = input["documents"].as_array().unwrap();
    let texts: Vec<&str> = documents.iter().map(|document| document["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["a/c.yaml", "a/z.json", "b.yml", "from-stdin"]);
    assert_eq!(documents[3]["path"], "<stdin>");
    assert_eq!(input["domain"], "sales");

    fs::write(folder.path().join("c.yaml"), [0xff, 0xfe]).unwrap();
    let run = server.run(&["plan", path]);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("c.yaml` is not UTF-8"), "{}", run.stderr);
    let run = server.run(&["plan", folder.path().join("missing").to_str().unwrap()]);
    assert_eq!(run.code, 1);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(server.run(&["plan", empty.path().to_str().unwrap()]).code, 64);
    assert_eq!(server.requests().len(), 1, "unreadable documents are not sent");
}

#[test]
fn apply_shows_changes_and_what_they_wait_for() {
    let finding = json!({ "path": "/schema/0", "rule": "column.added", "historySafe": true, "consumerSafe": true,
        "bump": "MINOR", "message": "`note` is new", "before": null, "after": null, "proof": null });
    let port = |columns: Value| json!({ "product": { "name": "orders", "domain": { "path": "shop" } }, "name": "orders", "major": 1, "columns": columns });
    let reader =
        |subject: Value, columns: Value| json!({ "principal": subject, "distance": 1, "ports": [port(columns)] });
    let affected = json!({ "complete": false, "count": 5, "consumers": [
        reader(json!({ "subject": "ana" }), json!(["amount", "day"])), reader(Value::Null, Value::Null)] });
    let change = |change: &str, version: &str, findings: Vec<Value>, reasons: Value, affected: Value| {
        json!({ "kind": "CONTRACT", "document": "orders.yaml", "name": "orders", "version": version, "change": change,
            "state": "DRAFT", "findings": findings, "bump": null, "reasons": reasons, "affected": affected })
    };
    let applied = json!({
        "__typename": "ApplyDocumentsPayload",
        "changes": [
            change("ADDED", "1.1.0", vec![finding], json!(["`orders` is not inspected"]), affected),
            change("UNCHANGED", "1.0.0", vec![], json!([]), Value::Null),
        ],
        "warnings": [{ "document": "orders.yaml", "line": 3, "column": 9, "path": "/status", "message": "odd word" }],
    });
    let server = CannedServer::answering([answer(applied.clone())]);
    let run = server.run_with_stdin(&["apply", "-", "--prune", "--yes"], "x");
    let expected = "\
+ contract orders 1.1.0 (orders.yaml): draft
    minor
      /schema/0: `note` is new (column.added)
    breaks: ana on shop.orders.orders__v1: reads amount, day
    breaks: - on shop.orders.orders__v1: which columns it reads is not known
    breaks: 3 more; `charter impact` names them
    breaks: lineage is not up to date: consumers may be missing
    waiting: `orders` is not inspected
= contract orders 1.0.0 (orders.yaml): draft
1 added, 0 changed, 0 removed, 1 unchanged
";
    assert_eq!((run.code, run.stdout.as_str()), (0, expected));
    assert_eq!(run.stderr, "warning: orders.yaml:3:9: /status: odd word\n");
    assert_eq!(server.requests()[0].variables["input"]["prune"], true);
    let run = CannedServer::answering([answer(applied.clone())]).run_with_stdin(&["apply", "-", "--json"], "x");
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), applied);
}

#[test]
fn invalid_documents_exit_3_with_every_place() {
    let problems = json!({ "__typename": "InvalidDocuments", "problems": [
        { "document": "a.yaml", "line": 2, "column": 5, "path": "/id", "message": "is missing" },
        { "document": "b.yaml", "line": null, "column": null, "path": "", "message": "names no domain" },
    ] });
    let run = CannedServer::answering([answer(problems)]).run_with_stdin(&["apply", "-"], "x");
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    let expected = "a.yaml:2:5: /id: is missing\nb.yaml: names no domain\n\
        error: 2 problems in the documents\n";
    assert_eq!(run.stderr, expected);
}

#[test]
fn a_refused_version_exits_2_with_findings_and_the_version_to_set() {
    let finding = |path: &str, bump: &str, history: bool, consumer: bool| json!({ "path": path, "rule": "r", "historySafe": history, "consumerSafe": consumer, "bump": bump, "message": "m", "before": null, "after": null, "proof": null });
    let refused = json!({ "__typename": "RefusedVersions", "refusals": [{
        "document": "a.yaml", "contract": "orders", "version": "1.0.1", "comparedWith": "1.0.0", "needed": "MAJOR",
        "suggested": "2.0.0", "findingsDigest": null, "message": "",
        "affected": { "complete": true, "count": 1, "consumers": [{ "principal": { "subject": "ana" }, "distance": 1, "ports": [{
            "product": { "name": "orders", "domain": { "path": "shop" } }, "name": "orders", "major": 1, "columns": ["y"] }] }] },
        "findings": [finding("/p", "PATCH", true, true), finding("/x", "MAJOR", true, false), finding("/y", "MAJOR", false, false)],
    }] });
    let run = CannedServer::answering([answer(refused)]).run_with_stdin(&["plan", "-"], "x");
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    let expected = "\
a.yaml: contract `orders` 1.0.1 against 1.0.0 needs a major version: 2.0.0
  major
    /x: m (r, not consumer-safe)
    /y: m (r, neither history-safe nor consumer-safe)
  patch
    /p: m (r)
  breaks: ana on shop.orders.orders__v1: reads y
error: 1 version refused
hint: set the version in `a.yaml` to `2.0.0`
";
    assert_eq!(run.stderr, expected);
}

#[test]
fn inspect_waits_for_the_verdict_of_the_newest_snapshot() {
    let table = |head: Value| json!({ "id": "t", "address": "a.b.c", "head": head });
    let queued = answer(json!({ "table": table(snapshot("PENDING", None, true)) }));
    let cases = [
        (snapshot("INSPECTED", Some("PASS"), true), 0),
        (snapshot("INSPECTED", Some("WARN"), true), 0),
        (snapshot("INSPECTED", Some("WARN"), false), 2),
        (snapshot("INSPECTED", Some("FAIL"), true), 2),
        (snapshot("INSPECTED", Some("ERROR"), true), 1),
        (snapshot("ERROR", None, true), 1),
    ];
    for (head, exit) in cases {
        let server = CannedServer::answering([queued.clone(), answer(table(head.clone()))]);
        let run = server.run(&["inspect", "a.b.c", "--wait"]);
        assert_eq!((run.code, run.stderr.as_str()), (exit, ""), "{head}");
        assert_eq!(server.requests().len(), 2);
    }
    let pending = answer(table(snapshot("PENDING", None, true)));
    let server = CannedServer::answering([vec![queued, answer(table(Value::Null))], vec![pending; 10]].concat());
    let run = server.run(&["inspect", "a.b.c", "--wait", "--timeout", "1s"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.starts_with("error: `a.b.c` is not inspected yet after 1 s\nhint: "), "{}", run.stderr);

    let inspected = answer(json!({ "table": table(snapshot("INSPECTED", Some("FAIL"), true)) }));
    let run = CannedServer::answering([inspected]).run(&["inspect", "a.b.c"]);
    let expected = "\
snapshot 3: fail (336776 rows, 4 files, committed 2026-01-01T00:00:00Z)
  read: files 3, rows 252582, bytes 1024; known from before: files 1; proven by statistics: counts 2
  warn conforms to the contract, with remarks
       column `x` is not declared
  FAIL `id` has no null: 150 rows; must be 0
  warn `note` is short: 2.5 percent
  -    custom (not run)
  ok   `id` is unique: 0 rows
";
    assert_eq!((run.code, run.stdout.as_str()), (0, expected));
}

#[test]
fn a_request_names_a_table_or_a_port() {
    let request = json!({
        "id": "r-1", "state": "PENDING", "requester": { "subject": "ada" },
        "product": { "name": "orders", "domain": { "path": "sales" } }, "port": "lake", "major": 1,
        "purpose": "ANALYTICS", "sentence": "to learn", "from": "2026-01-01T00:00:00Z",
        "until": "2026-03-01T00:00:00Z", "decidedBy": null, "decidedAt": null, "reason": null,
        "createdAt": "2026-01-01T00:00:00Z", "grant": null,
    });
    let server =
        CannedServer::answering([answer(json!({ "request": request.clone() })), answer(json!({ "request": request }))]);
    let asking = ["--purpose", "analytics", "--sentence", "to learn", "--idempotency-key", "k"];
    let by_table = ["access", "request", "sales.orders.orders__v1", "--until", "2026-03-01"];
    let run = server.run(&[&by_table[..], &asking].concat());
    let expected = "\
REQUEST  STATE    REQUESTER  PORT                  PURPOSE    FROM                  UNTIL                 GRANT
r-1      pending  ada        sales.orders lake v1  analytics  2026-01-01T00:00:00Z  2026-03-01T00:00:00Z  -
";
    assert_eq!((run.code, run.stdout.as_str()), (0, expected), "{}", run.stderr);
    let by_port = ["access", "request", "sales.orders", "--port", "lake", "--major", "1"];
    assert_eq!(server.run(&[&by_port[..], &asking].concat()).code, 0);
    let inputs: Vec<Value> = server.requests().iter().map(|request| request.variables["input"].clone()).collect();
    let common = json!({ "purpose": "ANALYTICS", "sentence": "to learn", "from": null, "idempotencyKey": "k" });
    let with = |more: Value| {
        let mut input = common.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(inputs[0], with(json!({ "address": "sales.orders.orders__v1", "until": "2026-03-01T00:00:00Z" })));
    assert_eq!(inputs[1], with(json!({ "product": "sales.orders", "port": "lake", "major": 1, "until": null })));
}

#[test]
fn a_principal_is_found_by_its_subject() {
    let principal = |id: &str, subject: &str, issuer: &str| {
        json!({ "id": id, "issuer": issuer, "subject": subject, "kind": "USER", "enabled": false, "owner": null,
            "createdAt": "2026-01-01T00:00:00Z" })
    };
    let list = answer(json!({
        "nodes": [principal("1", "ada", "i"), principal("2", "bob", "i"), principal("3", "eve", "i"), principal("4", "eve", "j")],
        "pageInfo": { "hasNextPage": false, "endCursor": null },
    }));
    let switched = answer(json!({ "principal": principal("2", "bob", "i") }));
    let server = CannedServer::answering([list.clone(), switched]);
    assert_eq!(server.run(&["principal", "disable", "bob"]).code, 0);
    assert_eq!(server.requests()[1].variables["input"]["principal"], "2");
    assert_eq!(server.requests()[1].variables["input"]["enabled"], false);
    assert_eq!(CannedServer::answering([list.clone()]).run(&["principal", "enable", "nobody"]).code, 4);
    assert_eq!(CannedServer::answering([list]).run(&["principal", "enable", "eve"]).code, 1);
}

#[test]
fn readers_of_columns_are_shown_by_table() {
    let reader = |subject: Value, leases: &str| json!({ "principal": subject, "leases": leases, "lastReadAt": "2026-01-01T00:00:00Z" });
    let bob = || json!({ "subject": "bob" });
    let readers = json!({
        "from": "2025-12-02T00:00:00Z", "since": "2025-12-24T00:00:00Z", "losses": ["2025-12-30T00:00:00Z"],
        "complete": false, "everything": [reader(Value::Null, "1")], "unread": ["x", "y"],
        "columns": [{ "name": "id", "readers": [reader(bob(), "12")] }, { "name": "x", "readers": [] }],
    });
    let empty = json!({
        "from": "2025-12-02T00:00:00Z", "since": null, "losses": [], "complete": true, "everything": [], "unread": [],
        "columns": [],
    });
    let tables = json!({ "tables": [
        { "address": "a.b.c__v1", "readers": readers }, { "address": "a.b.d__v1", "readers": empty },
        { "address": "a.b.e__v1", "readers": null } ] });
    let server = CannedServer::answering([answer(tables.clone())]);
    let run = server.run(&["product", "readers", "a.b", "--days", "30"]);
    let expected = "\
a.b.c__v1
30 days, reads since 2025-12-24T00:00:00Z are known
reads of up to a minute may have been lost before 2025-12-30T00:00:00Z
there were more reads than are counted here
COLUMN  READER  LEASES  LAST READ
any     -       1       2026-01-01T00:00:00Z
id      bob     12      2026-01-01T00:00:00Z
not read: x, y

a.b.d__v1
30 days, reads are not recorded
read by no one

a.b.e__v1
its readers are shown to those who see its leases
";
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, expected, ""));
    assert_eq!(server.requests()[0].variables, json!({ "domain": "a", "name": "b", "days": 30 }));
    let run = CannedServer::answering([answer(tables.clone())]).run(&["product", "readers", "a.b", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), tables);
    let run = CannedServer::answering([answer(Value::Null)]).run(&["product", "readers", "a.b"]);
    assert_eq!(run.code, 4);
    for days in ["0", "401"] {
        assert_eq!(run_with(&["product", "readers", "a.b", "--days", days]).code, 64, "{days}");
    }
}

fn run_with(args: &[&str]) -> Run {
    CannedServer::answering([]).run(args)
}
