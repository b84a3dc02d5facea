//! Overrides: the findings shown, the confirmation, and the signature.

use serde_json::{Value, json};

use super::server::CannedServer;

fn answer(answer: Value) -> Value {
    json!({ "data": { "answer": answer } })
}

fn refusal(digest: &str) -> Value {
    let finding = |path: &str, bump: &str, consumer_safe: bool| json!({ "path": path, "rule": "r", "historySafe": true, "consumerSafe": consumer_safe, "bump": bump, "message": "m", "before": null, "after": null, "proof": null });
    json!({
        "__typename": "VersionRefusal", "document": "<stdin>", "contract": "orders", "version": "1.1.0",
        "comparedWith": "1.0.0", "needed": "MAJOR", "suggested": "2.0.0", "message": "it breaks readers",
        "findings": [finding("orders.amount", "MAJOR", false), finding("orders", "PATCH", true)],
        "findingsDigest": digest, "affected": null,
    })
}

fn accepted(revoked_at: Option<&str>) -> Value {
    json!({
        "__typename": "ContractOverride", "id": "o-1", "contract": { "documentId": "orders" }, "version": "1.1.0", "comparedWith": "1.0.0",
        "findings": refusal("d")["findings"], "findingsDigest": "d", "reason": "nobody reads it",
        "steward": { "subject": "sue" }, "createdAt": "2026-01-01T00:00:00Z", "expiresAt": "2026-01-09T00:00:00Z",
        "intact": true, "stands": revoked_at.is_none(), "revokedBy": revoked_at.map(|_| json!({ "subject": "sam" })),
        "revokedAt": revoked_at, "revokeReason": revoked_at.map(|_| "a mistake"),
    })
}

const SHOWN: &str = "\
<stdin>: contract `orders` 1.1.0 against 1.0.0 needs a major version: 2.0.0
  it breaks readers
  major
    orders.amount: m (r, not consumer-safe)
  patch
    orders: m (r)
";
const CREATE: [&str; 8] =
    ["override", "create", "shop.orders", "-", "--reason", "nobody reads it", "--until", "2026-01-09"];

#[test]
fn the_signed_findings_are_the_shown_findings() {
    let created = answer(json!({ "__typename": "CreateOverridePayload", "override": accepted(None) }));
    let server = CannedServer::answering([answer(refusal("d-1")), created]);
    let run = server.run_with_stdin(&[&CREATE[..], &["--yes", "--idempotency-key", "k"]].concat(), "the document");
    let expected = "\
OVERRIDE  CONTRACT  VERSION  VALID  UNTIL                 STEWARD  REASON
o-1       orders    1.1.0    yes    2026-01-09T00:00:00Z  sue      nobody reads it
";
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, expected, SHOWN));
    let inputs: Vec<Value> = server.requests().into_iter().map(|request| request.variables).collect();
    let document = json!({ "path": "<stdin>", "text": "the document" });
    assert_eq!(inputs[0], json!({ "product": "shop.orders", "document": document }));
    let signed = json!({ "product": "shop.orders", "document": document, "findingsDigest": "d-1",
        "reason": "nobody reads it", "expiresAt": "2026-01-09T00:00:00Z", "idempotencyKey": "k" });
    assert_eq!(inputs[1], json!({ "input": signed }));
}

#[test]
fn nothing_is_signed_without_confirmation() {
    let server = CannedServer::answering([answer(refusal("d-1"))]);
    let run = server.run_with_stdin(&CREATE, "the document");
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let expected = "error: nothing was signed\nhint: pass `--yes` to sign these findings\n";
    assert_eq!(run.stderr, format!("{SHOWN}{expected}"));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn findings_that_changed_in_the_meantime_are_shown_and_not_signed() {
    let other = json!({ "__typename": "OtherFindings", "refusal": refusal("d-2"), "message": "other findings" });
    let server = CannedServer::answering([answer(refusal("d-1")), answer(other)]);
    let run = server.run_with_stdin(&[&CREATE[..], &["--yes"]].concat(), "the document");
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert_eq!(run.stderr, format!("{SHOWN}{SHOWN}error: other findings\n"));
}

#[test]
fn a_review_is_data() {
    let run = CannedServer::answering([answer(refusal("d"))])
        .run_with_stdin(&["override", "review", "shop.orders", "-"], "x");
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, SHOWN, ""));
    let problem = json!({ "document": "<stdin>", "line": 1, "column": 2, "path": "", "message": "odd" });
    let invalid = answer(json!({ "__typename": "InvalidDocuments", "problems": [problem] }));
    let run = CannedServer::answering([invalid]).run_with_stdin(&["override", "review", "shop.orders", "-"], "x");
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    assert_eq!(run.stderr, "<stdin>:1:2: odd\nerror: 1 problem in the documents\n");
}

#[test]
fn an_override_shows_its_findings_and_its_revocation() {
    let run =
        CannedServer::answering([answer(accepted(Some("2026-01-02T00:00:00Z")))]).run(&["override", "show", "o-1"]);
    let expected = "\
OVERRIDE  CONTRACT  VERSION  VALID  UNTIL                 STEWARD  REASON
o-1       orders    1.1.0    no     2026-01-02T00:00:00Z  sue      nobody reads it

compared with 1.0.0
major
  orders.amount: m (r, not consumer-safe)
patch
  orders: m (r)

revoked by sam at 2026-01-02T00:00:00Z: a mistake
";
    assert_eq!((run.code, run.stdout.as_str()), (0, expected), "{}", run.stderr);
    for nothing in [Value::Null, json!({})] {
        let run = CannedServer::answering([answer(nothing)]).run(&["override", "show", "o-2"]);
        assert_eq!((run.code, run.stdout.as_str()), (4, ""));
        assert!(run.stderr.starts_with("error: override `o-2` was not found\n"), "{}", run.stderr);
    }
}

#[test]
fn the_reply_to_a_notice_is_shown() {
    let side = |version: &str| json!({ "version": version, "contract": { "documentId": "orders" } });
    let notice = json!({
        "id": "n-1", "product": { "name": "orders", "domain": { "path": "shop" } }, "from": side("1.0.0"),
        "to": side("2.0.0"), "migrationNote": null, "deadline": "2026-03-01T00:00:00Z",
        "openedAt": "2026-01-01T00:00:00Z", "closedAt": null,
    });
    let given = json!({ "reply": "NEEDS_TIME", "until": "2026-04-01T00:00:00Z", "reason": "a quarter's work",
        "answeredBy": { "subject": "bob" }, "at": "2026-01-02T00:00:00Z" });
    let answered = json!({ "__typename": "AnswerNoticePayload", "notice": notice, "answer": given });
    let args = ["notice", "answer", "n-1", "needs_time", "--until", "2026-04-01", "--reason", "a quarter's work"];
    let run = CannedServer::answering([answer(answered)]).run(&args);
    let expected = "\
ANSWER      NEEDS UNTIL           REASON            BY   AT
needs_time  2026-04-01T00:00:00Z  a quarter's work  bob  2026-01-02T00:00:00Z
";
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.starts_with("NOTICE ") && run.stdout.ends_with(expected), "{}", run.stdout);
    for wrong in ["26-12-31", "31-12-26", "2027-0012-31", "2027-12-0031", "2027-12-31T10:00:61Z"] {
        let run = CannedServer::answering([]).run(&["notice", "answer", "n-1", "needs_time", "--until", wrong]);
        assert_eq!(run.code, 64, "{wrong}");
        assert!(run.stderr.contains("use a date"), "{}", run.stderr);
    }
    let closed = json!({ "__typename": "NoticeClosed", "notice": notice, "message": "it is closed" });
    let run = CannedServer::answering([answer(closed)]).run(&args);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (1, "", "error: it is closed\n"));
}
