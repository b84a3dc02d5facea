//! Change notices and overrides: the rules by themselves.

use std::time::Duration;

use domain::audit::Key;
use domain::change::{Finding, FindingRecord, Refusal, Rule, finding_records};
use domain::clock::Timestamp;
use domain::contract::{self, Settings, SlaProperty, State, Wish};
use domain::grant::{Decided, Grant, PortMajor, Purpose, Window};
use domain::id::{AccessRequestId, AnswerId, ContractId, GrantId, NoticeId, OverrideId, PrincipalId, ProductId};
use domain::identity::PurposeCode;
use domain::notice::{Answer, ChangeNotice, Error, MAX_NOTE_CHARS, NewAnswer, Promise, Reply, Side};
use domain::overrides::{self, FindingsDigest, MAX_DURATION, Override, judge_under};
use domain::version::Bump;
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn contract(version: &str) -> contract::Document {
    contract::Document {
        document_id: "orders".into(),
        api_version: "v3.1.0".into(),
        name: None,
        version: version.parse().unwrap(),
        wish: Wish::Activate,
        domain: None,
        data_product: None,
        objects: Vec::new(),
        servers: Vec::new(),
        sla: Vec::new(),
        roles: Vec::new(),
        settings: Settings::default(),
        documentary: Default::default(),
        other: Default::default(),
    }
}

fn open(state: &State, old: &contract::Document, new: &contract::Document) -> Option<ChangeNotice> {
    let side = |document: &contract::Document| Side { contract_id: ContractId(uuid(1)), version: document.version };
    let active = State::Active { since: NOW };
    ChangeNotice::open(
        NoticeId(uuid(2)),
        ProductId(uuid(3)),
        Promise { side: side(old), state, document: old },
        Promise { side: side(new), state: &active, document: new },
        NOW,
    )
}

fn notice() -> ChangeNotice {
    open(&State::Active { since: NOW }, &contract("1.0.0"), &contract("2.0.0")).unwrap()
}

fn port(major: u64) -> PortMajor {
    PortMajor { product_id: ProductId(uuid(3)), port: "orders".parse().unwrap(), major }
}

fn grant(major: u64) -> Grant {
    Grant {
        id: GrantId(uuid(4)),
        request_id: AccessRequestId(uuid(5)),
        principal_id: PrincipalId(uuid(6)),
        port_major: port(major),
        purpose: Purpose::new(PurposeCode::Analytics, "to learn").unwrap(),
        window: Window { from: NOW.plus(DAY), until: NOW.plus(2 * DAY) },
        granted_by: PrincipalId(uuid(7)),
        granted_at: NOW,
        revoked: None,
    }
}

fn answer(
    notice: &ChangeNotice,
    grant: &Grant,
    reply: Reply,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Answer, Error> {
    let by = PrincipalId(uuid(6));
    let given = NewAnswer { principal_id: by, by, reply, reason: reason.map(str::to_owned) };
    notice.answer(AnswerId(uuid(8)), std::slice::from_ref(grant), &[port(1)], given, now)
}

#[test]
fn a_notice_is_opened_to_those_who_were_promised_something() {
    let (old, new) = (contract("1.0.0"), contract("2.0.0"));
    let (since, sunset) = (NOW, NOW.plus(5 * DAY));
    assert_eq!(open(&State::Active { since }, &old, &new).unwrap().deadline, NOW.plus(90 * DAY));
    assert_eq!(open(&State::Deprecated { since, sunset }, &old, &new).unwrap().deadline, sunset);
    for state in [State::NEW, State::Superseded { since }, State::Retired { since }] {
        assert_eq!(open(&state, &old, &new), None, "{state:?}");
    }
    let end = |date: &str| SlaProperty {
        id: None,
        property: "endOfSupport".into(),
        value: date.into(),
        value_ext: None,
        unit: None,
        element: None,
        documentary: Default::default(),
        other: Default::default(),
    };
    let old = contract::Document { sla: vec![end("2030-01-01")], ..old };
    let new = contract::Document { sla: vec![end("2040-01-01")], ..new };
    let opened = open(&State::Active { since }, &old, &new).unwrap();
    assert_eq!(opened.deadline.to_string(), "2030-01-01T00:00:00Z");
    assert_eq!(opened.migration_note, None);
    // A date that has passed promises nothing any more: readers get the time that everybody gets.
    let old = contract::Document { sla: vec![end("2001-01-01")], ..old };
    assert_eq!(open(&State::Active { since }, &old, &new).unwrap().deadline, NOW.plus(90 * DAY));
    assert_eq!(open(&State::Deprecated { since, sunset: NOW }, &old, &new), None, "it has ended");
}

#[test]
fn a_sunset_closes_an_open_notice() {
    let notice = notice();
    let ended = |of: Side, at: Timestamp| move |major| (of.major() == major).then_some(at);
    assert_eq!(notice.clone().settled(|_| None), notice);
    for side in [notice.from, notice.to] {
        assert_eq!(notice.clone().settled(ended(side, NOW)).closed_at, Some(NOW));
    }
    let closed = notice.clone().close(NOW).unwrap();
    assert_eq!(closed.clone().settled(ended(notice.from, NOW.plus(DAY))), closed, "it stays as it was closed");
}

#[test]
fn an_answer_is_for_the_holder_of_a_grant_that_stands_on_the_old_major() {
    let notice = notice();
    let given = answer(&notice, &grant(1), Reply::Acknowledged, Some(" "), NOW).unwrap();
    assert_eq!((given.reason, given.principal_id, given.at), (None, grant(1).principal_id, NOW));
    assert_eq!(answer(&notice, &grant(2), Reply::Acknowledged, None, NOW), Err(Error::NotConcerned));
    let over = NOW.plus(2 * DAY);
    assert_eq!(answer(&notice, &grant(1), Reply::Acknowledged, None, over), Err(Error::NotConcerned));
    let others = Grant { principal_id: PrincipalId(uuid(9)), ..grant(1) };
    assert_eq!(answer(&notice, &others, Reply::Acknowledged, None, NOW), Err(Error::NotConcerned));
    let revoked = Some(Decided { by: PrincipalId(uuid(7)), at: NOW, reason: None });
    let revoked = Grant { revoked, ..grant(1) };
    assert_eq!(answer(&notice, &revoked, Reply::Acknowledged, None, NOW), Err(Error::NotConcerned));
    let closed = notice.close(NOW).unwrap();
    assert_eq!(answer(&closed, &grant(1), Reply::Acknowledged, None, NOW), Err(Error::Closed));
}

#[test]
fn who_objects_or_needs_time_says_why_and_until_when() {
    let notice = notice();
    let later = Reply::NeedsTime { until: Timestamp(notice.deadline.0 + 1) };
    for reply in [Reply::Objects, later] {
        assert!(matches!(answer(&notice, &grant(1), reply, None, NOW), Err(Error::NoReason(_))), "{reply:?}");
        let given = answer(&notice, &grant(1), reply, Some(" we are few "), NOW).unwrap();
        assert_eq!((given.reply, given.reason.as_deref()), (reply, Some("we are few")));
    }
    let anyway = Reply::NeedsTime { until: notice.deadline };
    let refused = answer(&notice, &grant(1), anyway, Some("x"), NOW);
    assert_eq!(refused, Err(Error::NoMoreTime(notice.deadline)));
    // A deadline that has passed gives nothing to what has passed too.
    let (now, over) = (notice.deadline.plus(DAY), Reply::NeedsTime { until: notice.deadline.plus(DAY) });
    let grant = Grant { window: Window { from: NOW, until: now.plus(DAY) }, ..grant(1) };
    assert_eq!(answer(&notice, &grant, over, Some("x"), now), Err(Error::NoMoreTime(now)));
}

#[test]
fn a_deadline_moves_to_later_only_and_nothing_moves_once_closed() {
    let opened = notice();
    let deadline = opened.deadline;
    let later = opened.clone().extend(Timestamp(deadline.0 + 1)).unwrap();
    assert_eq!(later.clone().extend(later.deadline), Err(Error::Sooner(later.deadline)));
    assert_eq!(later.extend(deadline).map(|notice| notice.deadline), Err(Error::Sooner(Timestamp(deadline.0 + 1))));
    let noted = opened.clone().with_note(" read\n`total` ").unwrap();
    assert_eq!(noted.migration_note.as_deref(), Some("read\n`total`"));
    for bad in ["", " ", "a\u{0}b", &"x".repeat(MAX_NOTE_CHARS + 1)] {
        assert_eq!(opened.clone().with_note(bad), Err(Error::BadNote));
    }
    let closed = opened.close(NOW).unwrap();
    assert_eq!(closed.clone().extend(Timestamp(deadline.0 + 1)), Err(Error::Closed));
    assert_eq!(closed.clone().with_note("x"), Err(Error::Closed));
    assert_eq!(closed.close(NOW), Err(Error::Closed));
}

#[test]
fn a_version_serves_as_long_as_was_said() {
    let (since, sunset) = (NOW, NOW.plus(DAY));
    let deprecated = State::Deprecated { since, sunset };
    assert_eq!(deprecated.clone().serve_until(NOW), deprecated, "never sooner");
    let later = NOW.plus(2 * DAY);
    assert_eq!(deprecated.serve_until(later), State::Deprecated { since, sunset: later });
    let active = State::Active { since };
    assert_eq!(active.clone().serve_until(later), active);
}

fn finding(path: &str) -> Finding {
    let rule = Rule::ColumnRemovedRequired;
    let (before, after) = (Some("number".to_owned()), None);
    Finding {
        path: path.into(),
        rule,
        message: "the column was removed".into(),
        before,
        after,
        proof: None,
        settled: false,
    }
}

fn accepted() -> Override {
    Override {
        id: OverrideId(uuid(1)),
        contract_id: ContractId(uuid(2)),
        version: "1.1.0".parse().unwrap(),
        since: "1.0.0".parse().unwrap(),
        findings: finding_records(&[finding("a")]),
        reason: " nobody reads it ".into(),
        steward: PrincipalId(uuid(3)),
        created_at: NOW,
        expires_at: NOW.plus(DAY),
        revoked: None,
    }
}

#[test]
fn a_digest_tells_findings_and_their_base_apart() {
    let of = |since: &str, paths: &[&str]| {
        let findings: Vec<Finding> = paths.iter().map(|path| finding(path)).collect();
        FindingsDigest::of(since.parse().unwrap(), &finding_records(&findings))
    };
    let all =
        [of("1.0.0", &[]), of("1.0.0", &["a"]), of("1.0.1", &["a"]), of("1.0.0", &["a", "b"]), of("1.0.0", &["b"])];
    for (n, digest) in all.iter().enumerate() {
        assert_eq!(all.iter().position(|other| other == digest), Some(n));
        assert_eq!(digest.to_string().parse().as_ref(), Ok(digest));
    }
    for wrong in ["", "0", &"0".repeat(63), &"0".repeat(65), &"A".repeat(64), &"\u{fc}".repeat(32)] {
        assert!(wrong.parse::<FindingsDigest>().is_err(), "{wrong}");
    }
}

#[test]
fn an_override_stands_from_its_making_to_its_end() {
    let says = accepted().checked().unwrap();
    assert_eq!(says.reason, "nobody reads it");
    for (at, stands) in [(NOW.0 - 1, false), (NOW.0, true), (says.expires_at.0 - 1, true), (says.expires_at.0, false)] {
        assert_eq!(says.stands(Timestamp(at)), stands, "{at}");
    }
    let decided = |at| Decided { by: PrincipalId(uuid(3)), at, reason: None };
    assert_eq!(says.clone().revoke(decided(says.expires_at)), Err(overrides::Error::NotStanding));
    let revoked = says.revoke(decided(NOW)).unwrap();
    assert!(!revoked.stands(NOW));
    assert_eq!(revoked.revoke(decided(NOW)), Err(overrides::Error::NotStanding));
    for expires_at in [NOW, Timestamp(NOW.plus(MAX_DURATION).0 + 1)] {
        assert_eq!(Override { expires_at, ..accepted() }.checked(), Err(overrides::Error::BadExpiry));
    }
    Override { expires_at: NOW.plus(MAX_DURATION), ..accepted() }.checked().unwrap();
    let silent = Override { reason: " ".into(), ..accepted() };
    assert!(matches!(silent.checked(), Err(overrides::Error::NoReason(_))));
}

#[test]
fn a_digest_covers_all_that_a_finding_says() {
    let [told] = <[FindingRecord; 1]>::try_from(finding_records(&[finding("a")])).unwrap();
    let other = [
        told.clone(),
        FindingRecord { path: "b".into(), ..told.clone() },
        FindingRecord { rule: "b".into(), ..told.clone() },
        FindingRecord { history_safe: !told.history_safe, ..told.clone() },
        FindingRecord { consumer_safe: !told.consumer_safe, ..told.clone() },
        FindingRecord { bump: Bump::Minor, ..told.clone() },
        FindingRecord { message: "b".into(), ..told.clone() },
        FindingRecord { proof: Some(String::new()), ..told.clone() },
        FindingRecord { before: None, ..told.clone() },
        FindingRecord { before: Some("text".into()), ..told.clone() },
        FindingRecord { before: None, after: told.before.clone(), ..told.clone() },
        FindingRecord { after: Some(String::new()), ..told },
    ];
    let digests = other.map(|finding| FindingsDigest::of("1.0.0".parse().unwrap(), &[finding]));
    for (n, digest) in digests.iter().enumerate() {
        assert_eq!(digests.iter().position(|other| other == digest), Some(n));
    }
}

#[test]
fn the_signature_covers_everything() {
    let key = Key::new([7; 32]);
    let says = accepted();
    let mac = says.sign(&key);
    assert!(says.is_signed(&key, &mac));
    assert!(!says.is_signed(&Key::new([8; 32]), &mac));
    assert!(!says.is_signed(&key, &mac[1..]));
    let changed = [
        Override { id: OverrideId(uuid(9)), ..says.clone() },
        Override { contract_id: ContractId(uuid(9)), ..says.clone() },
        Override { version: "1.2.0".parse().unwrap(), ..says.clone() },
        Override { since: "1.0.1".parse().unwrap(), ..says.clone() },
        Override { findings: Vec::new(), ..says.clone() },
        Override { reason: "x".into(), ..says.clone() },
        Override { steward: PrincipalId(uuid(9)), ..says.clone() },
        Override { created_at: Timestamp(0), ..says.clone() },
        Override { expires_at: Timestamp(i64::MAX), ..says.clone() },
    ];
    for changed in changed {
        assert!(!changed.is_signed(&key, &mac), "{changed:?}");
    }
    let end = Decided { by: PrincipalId(uuid(3)), at: NOW, reason: Some("a mistake".into()) };
    let ended = says.clone().revoke(end.clone()).unwrap();
    assert!(!ended.is_signed(&key, &mac), "an end is signed anew");
    let mac = ended.sign(&key);
    assert!(ended.is_signed(&key, &mac));
    assert!(!says.is_signed(&key, &mac), "what has ended cannot be made to stand");
    for other in [
        Decided { by: PrincipalId(uuid(9)), ..end.clone() },
        Decided { at: Timestamp(NOW.0 + 1), ..end.clone() },
        Decided { reason: Some("x".into()), ..end.clone() },
        Decided { reason: None, ..end },
    ] {
        let other = Override { revoked: Some(other), ..ended.clone() };
        assert!(!other.is_signed(&key, &mac), "{other:?}");
    }
}

#[test]
fn an_override_from_before_there_were_values_still_accepts_what_it_did() {
    let refused = |finding: Finding| {
        let [version, since, least] = ["1.1.0", "1.0.0", "2.0.0"].map(|text| text.parse().unwrap());
        Refusal::Bump { version, since, needed: Bump::Major, least, findings: vec![finding] }
    };
    let old = |findings: Vec<FindingRecord>| Override { findings, ..accepted() };
    let records = finding_records(&[finding("a")]);
    let bare: Vec<_> = records.iter().map(|it| FindingRecord { before: None, after: None, ..it.clone() }).collect();
    let version = accepted().version;
    assert!(old(bare.clone()).accepts(version, &refused(finding("a"))));
    assert!(!old(bare.clone()).accepts(version, &refused(finding("b"))));
    // One that shows values accepts these alone.
    assert!(old(records.clone()).accepts(version, &refused(finding("a"))));
    let other = Finding { before: Some("text".to_owned()), ..finding("a") };
    assert!(!old(records).accepts(version, &refused(other.clone())));
    assert!(old(bare.clone()).accepts(version, &refused(other)));
    // The bytes that were signed then are the same today.
    let digest = FindingsDigest::of("1.0.0".parse().unwrap(), &bare);
    assert_eq!(digest.to_string(), "4fa4ea629017d0d0572b10f0dcb5133cc09b4a84e4dbc8d7963c8b29d55822d6");
}

/// Each promised version refuses for a finding named after itself; one override accepts one refusal.
#[test]
fn every_refusal_needs_its_own_override() {
    let new = contract("1.3.0");
    let (one, two) = (contract("1.0.0"), contract("1.1.0"));
    let refuse = |promised: &[&contract::Document]| match promised.last() {
        None => Ok(()),
        Some(old) => Err(Refusal::Bump {
            version: new.version,
            since: old.version,
            needed: Bump::Major,
            least: "2.0.0".parse().unwrap(),
            findings: vec![finding(&old.version.to_string())],
        }),
    };
    let accept = |old: &contract::Document, version: &str| Override {
        version: version.parse().unwrap(),
        since: old.version,
        findings: finding_records(&[finding(&old.version.to_string())]),
        ..accepted()
    };
    let (first, second, other) = (accept(&one, "1.3.0"), accept(&two, "1.3.0"), accept(&two, "1.4.0"));
    let needed = |overrides: &[&Override]| judge_under(&new, &[&one, &two], overrides, refuse).map(|found| found.len());
    assert_eq!(needed(&[&first, &second]), Ok(2));
    for short in [vec![], vec![&first], vec![&second], vec![&first, &other]] {
        assert!(needed(&short).is_err(), "{short:?}");
    }
    assert_eq!(judge_under(&new, &[], &[&first], refuse), Ok(vec![]), "what is not refused needs none");
    let version = new.version;
    let not_greater = |_: &[&contract::Document]| Err(Refusal::NotGreater { version, newest: version });
    assert!(judge_under(&new, &[&one], &[&first], not_greater).is_err(), "that is never accepted");
}
