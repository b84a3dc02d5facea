//! The gate: every check refuses by itself, and the served snapshot follows `docs/rules.md`, "Served snapshot".

use std::time::Duration;

use domain::clock::Timestamp;
use domain::contract::{GateMode, Late, Settings, State};
use domain::gate::served::{JudgedSnapshot, Snapshots};
use domain::gate::{
    self, Action, Check, Code, ContractFacts, Decision, Facts, LineOutcome, PolicyAnswer, Request, Visibility, action,
};
use domain::grant::{Decided, Grant, PortMajor, Purpose, Window};
use domain::id::{
    AccessRequestId, BindingId, DecisionId, GrantId, LeaseId, PrincipalId, ProductId, SnapshotId, TableId,
};
use domain::identity::PurposeCode;
use domain::org::Enforcement;
use domain::quality::Verdict;
use domain::share::BindingRight;
use uuid::Uuid;

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3_600);

pub(crate) fn request(action: Action) -> Request {
    Request {
        decision_id: DecisionId(Uuid::from_u128(1)),
        principal_id: PrincipalId(Uuid::from_u128(2)),
        action,
        binding_id: BindingId(Uuid::from_u128(3)),
        table_id: TableId(Uuid::from_u128(4)),
        purpose: None,
        lifetime: None,
        now: NOW,
    }
}

/// Facts with which everything is in order.
pub(crate) fn good() -> Facts {
    Facts {
        principal_enabled: true,
        visibility: Visibility::Established,
        policy: PolicyAnswer { allowed: true, policy_ids: vec!["data.read".to_owned()], errors: Vec::new() },
        product_served: true,
        contract: ContractFacts {
            version: "1.2.0".parse().unwrap(),
            state: State::Active { since: NOW.minus(DAY) },
            settings: Settings::default(),
            freshness: None,
        },
        enforcement: Enforcement::On,
        role_grants: false,
        grants: vec![grant(10, PurposeCode::Analytics, NOW.minus(DAY), NOW.plus(DAY))],
        snapshots: Snapshots { judged: vec![judged(100, Verdict::Pass, true)], ..Snapshots::default() },
        binding: BindingRight::Stands,
        location_is_its_own: true,
    }
}

pub(crate) fn grant(id: u128, purpose: PurposeCode, from: Timestamp, until: Timestamp) -> Grant {
    Grant {
        id: GrantId(Uuid::from_u128(id)),
        request_id: AccessRequestId(Uuid::from_u128(id)),
        principal_id: PrincipalId(Uuid::from_u128(2)),
        port_major: PortMajor { product_id: ProductId(Uuid::from_u128(5)), port: "flights".parse().unwrap(), major: 1 },
        purpose: Purpose::new(purpose, "to learn").unwrap(),
        window: Window { from, until },
        granted_by: PrincipalId(Uuid::from_u128(6)),
        granted_at: from,
        revoked: None,
    }
}

pub(crate) fn judged(id: u128, verdict: Verdict, conforms: bool) -> JudgedSnapshot {
    JudgedSnapshot {
        snapshot_id: SnapshotId(Uuid::from_u128(id)),
        committed_at: NOW.minus(HOUR),
        verdict,
        conforms,
        readable: verdict != Verdict::Error,
        conformance: Vec::new(),
        findings: Vec::new(),
    }
}

pub(crate) fn failing(decision: &Decision) -> Vec<&str> {
    let failing = decision.lines.iter().filter(|line| line.outcome == LineOutcome::Fails);
    failing.map(|line| line.code.as_str()).collect()
}

fn outcome(decision: &Decision, check: Check) -> LineOutcome {
    decision.lines.iter().find(|line| line.check == check).unwrap().outcome
}

/// Decides a read with changed facts and compares the codes of what fails.
#[track_caller]
fn check(change: impl FnOnce(&mut Facts), expected: &[&str]) -> Decision {
    let mut facts = good();
    change(&mut facts);
    let decision = gate::decide(&request(Action::Read), &facts);
    assert_eq!(failing(&decision), expected);
    assert_eq!(decision.allows(), expected.is_empty());
    decision
}

#[test]
fn a_reader_with_everything_in_order_gets_a_permit_for_the_newest_snapshot() {
    let decision = check(|_| {}, &[]);
    let permit = decision.into_permit().unwrap();
    assert_eq!(permit.served(), Some(SnapshotId(Uuid::from_u128(100))));
    assert_eq!(permit.grant_id(), Some(GrantId(Uuid::from_u128(10))));
    assert_eq!(permit.purpose(), PurposeCode::Analytics);
    assert_eq!(permit.expires_at(), NOW.plus(HOUR));
    let lease = domain::lease::Lease::issue(LeaseId(Uuid::from_u128(7)), permit, NOW);
    assert!(lease.is_open(NOW) && !lease.is_open(NOW.plus(HOUR)));
}

#[test]
fn each_check_refuses_by_itself() {
    check(|facts| facts.principal_enabled = false, &["identity.unknown"]);
    check(|facts| facts.visibility = Visibility::Hidden, &["visibility.hidden"]);
    check(|facts| facts.policy.allowed = false, &["policy.denied"]);
    check(|facts| facts.product_served = false, &["contract.product_inactive"]);
    check(|facts| facts.contract.state = State::NEW, &["contract.draft"]);
    check(|facts| facts.contract.state = State::Retired { since: NOW }, &["contract.retired"]);
    check(|facts| facts.contract.state = State::Superseded { since: NOW }, &["contract.superseded"]);
    check(|facts| facts.grants.clear(), &["grant.missing"]);
    check(
        |facts| facts.snapshots.judged = vec![judged(100, Verdict::Fail, true)],
        &["quality.failed", "scope.nothing_to_serve"],
    );
    check(|facts| facts.location_is_its_own = false, &["scope.location"]);
    check(|facts| facts.visibility = Visibility::Classified, &["visibility.classified"]);
    check(|facts| facts.binding = BindingRight::ConsentEnded, &["scope.consent_ended"]);
    check(|facts| facts.binding = BindingRight::OwnerRetired, &["scope.owner_retired"]);
}

#[test]
fn an_error_of_evaluation_is_a_refusal_even_if_a_policy_allows() {
    check(|facts| facts.policy.errors.push("attribute missing".to_owned()), &["policy.error"]);
}

#[test]
fn the_answer_tells_everything_that_is_missing() {
    let expected = [
        "policy.denied",
        "contract.draft",
        "grant.missing",
        "conformance.pending",
        "quality.pending",
        "scope.nothing_to_serve",
    ];
    check(
        |facts| {
            facts.policy.allowed = false;
            facts.contract.state = State::NEW;
            facts.grants.clear();
            facts.snapshots = Snapshots::default();
        },
        &expected,
    );
}

#[test]
fn identity_and_visibility_stop_early_and_tell_nothing_else() {
    for change in
        [|facts: &mut Facts| facts.principal_enabled = false, |facts: &mut Facts| facts.visibility = Visibility::Hidden]
    {
        let mut facts = good();
        facts.grants.clear();
        change(&mut facts);
        let decision = gate::decide(&request(Action::Read), &facts);
        assert_eq!(failing(&decision).len(), 1);
        assert_eq!(decision.lines.len(), Check::ALL.len());
        assert_eq!(decision.served, None);
        let told = decision.lines.iter().filter(|line| line.outcome != LineOutcome::NotChecked);
        assert!(told.count() <= 2);
    }
}

#[test]
fn a_deprecated_version_serves_until_its_sunset_and_no_lease_outlives_it() {
    let sunset = NOW.plus(Duration::from_secs(60));
    let deprecated = |sunset| State::Deprecated { since: NOW.minus(DAY), sunset };
    let decision = check(|facts| facts.contract.state = deprecated(sunset), &[]);
    assert_eq!(outcome(&decision, Check::Contract), LineOutcome::Warns);
    assert_eq!(decision.into_permit().unwrap().expires_at(), sunset);
    check(|facts| facts.contract.state = deprecated(NOW), &["contract.sunset"]);
}

#[test]
fn a_grant_covers_its_window_only() {
    let with = |grant: Grant| move |facts: &mut Facts| facts.grants = vec![grant];
    let analytics = PurposeCode::Analytics;
    check(with(grant(10, analytics, NOW, NOW.plus(DAY))), &[]);
    check(with(grant(10, analytics, NOW.plus(HOUR), NOW.plus(DAY))), &["grant.not_yet"]);
    check(with(grant(10, analytics, NOW.minus(DAY), NOW)), &["grant.ended"]);
    let decided = Decided { by: PrincipalId(Uuid::from_u128(6)), at: NOW, reason: None };
    let revoked = grant(10, analytics, NOW.minus(DAY), NOW.plus(DAY)).revoke(decided).unwrap();
    check(with(revoked), &["grant.revoked"]);
}

#[test]
fn a_lease_ends_with_its_grant() {
    let until = NOW.plus(Duration::from_secs(10));
    let decision = check(|facts| facts.grants[0].window.until = until, &[]);
    assert_eq!(decision.into_permit().unwrap().expires_at(), until);
    check(|facts| facts.grants[0].window.until = NOW.plus(Duration::from_millis(500)), &["scope.too_short"]);
}

#[test]
fn a_lifetime_is_clamped_to_twelve_hours() {
    let mut request = request(Action::Read);
    request.lifetime = Some(Duration::from_secs(1 << 40));
    let permit = gate::decide(&request, &good()).into_permit().unwrap();
    assert_eq!(permit.expires_at(), NOW.plus(HOUR * 12));
}

#[test]
fn two_purposes_and_none_said_is_refused_with_a_hint() {
    let two = |facts: &mut Facts| {
        facts.grants.push(grant(11, PurposeCode::Reporting, NOW.minus(DAY), NOW.plus(DAY)));
    };
    let decision = check(two, &["grant.purpose_needed"]);
    assert!(decision.lines.iter().any(|line| line.message.contains("analytics, reporting")));

    let mut facts = good();
    two(&mut facts);
    let mut request = request(Action::Read);
    request.purpose = Some(PurposeCode::Reporting);
    let permit = gate::decide(&request, &facts).into_permit().unwrap();
    assert_eq!(permit.grant_id(), Some(GrantId(Uuid::from_u128(11))));
    request.purpose = Some(PurposeCode::Support);
    assert_eq!(failing(&gate::decide(&request, &facts)), ["grant.other_purpose"]);
}

#[test]
fn a_role_stands_for_a_grant_with_the_purpose_operations() {
    let decision = check(
        |facts| {
            facts.grants.clear();
            facts.role_grants = true;
        },
        &[],
    );
    let permit = decision.into_permit().unwrap();
    assert_eq!((permit.grant_id(), permit.purpose()), (None, PurposeCode::Operations));
}

#[test]
fn the_action_table_is_the_one_of_the_design() {
    let rows = [
        (Action::Read, "identity visibility policy contract grant conformance quality scope"),
        (Action::Repair, "identity visibility policy scope"),
        (Action::Write, "identity visibility policy contract scope"),
        (Action::Inspect, "policy scope"),
    ];
    for (action, expected) in rows {
        let binding = Check::ALL.iter().filter(|check| action::binds(action, **check));
        assert_eq!(binding.map(|check| check.as_str()).collect::<Vec<_>>().join(" "), expected, "{action}");
    }
}

#[test]
fn repair_reads_the_head_for_an_hour_whatever_the_quality() {
    let mut facts = good();
    facts.grants.clear();
    facts.contract.state = State::NEW;
    facts.snapshots = Snapshots::default();
    let mut request = request(Action::Repair);
    request.lifetime = Some(HOUR * 5);
    let permit = gate::decide(&request, &facts).into_permit().unwrap();
    assert_eq!((permit.served(), permit.expires_at()), (None, NOW.plus(HOUR)));
    facts.policy.allowed = false;
    assert_eq!(failing(&gate::decide(&request, &facts)), ["policy.denied"]);
}

#[test]
fn repair_hangs_on_a_role_never_on_a_grant() {
    let mut request = request(Action::Repair);
    let permit = gate::decide(&request, &good()).into_permit().unwrap();
    assert_eq!((permit.grant_id(), permit.purpose()), (None, PurposeCode::Operations));
    request.purpose = Some(PurposeCode::Analytics);
    assert_eq!(failing(&gate::decide(&request, &good())), ["scope.purpose"]);
}

#[test]
fn what_was_inspected_is_readable_though_a_rule_could_not_be_measured() {
    let unmeasured = |readable| {
        move |facts: &mut Facts| {
            facts.enforcement = Enforcement::Report;
            facts.snapshots.judged = vec![JudgedSnapshot { readable, ..judged(100, Verdict::Error, true) }];
        }
    };
    check(unmeasured(true), &[]);
    check(unmeasured(false), &["scope.nothing_to_serve"]);
}

#[test]
fn writing_needs_a_contract_that_is_not_retired() {
    let mut facts = good();
    facts.grants.clear();
    facts.contract.state = State::NEW;
    assert!(gate::decide(&request(Action::Write), &facts).allows());
    facts.contract.state = State::Retired { since: NOW };
    assert_eq!(failing(&gate::decide(&request(Action::Write), &facts)), ["contract.retired"]);
}

/// The table of `docs/rules.md`, "Served snapshot": verdict of the newest snapshot, and what each mode does. The one
/// before it passed.
#[test]
fn the_served_snapshot_follows_the_mode() {
    const NEWEST: u128 = 100;
    const BEFORE: u128 = 99;
    type Row = (Verdict, bool, [Option<u128>; 3]);
    let rows: [Row; 6] = [
        (Verdict::Pass, true, [Some(NEWEST), Some(NEWEST), Some(NEWEST)]),
        (Verdict::Warn, true, [Some(NEWEST), Some(NEWEST), Some(NEWEST)]),
        (Verdict::Fail, true, [None, Some(BEFORE), Some(NEWEST)]),
        (Verdict::Fail, false, [None, Some(BEFORE), None]),
        (Verdict::Error, false, [None, Some(BEFORE), None]),
        (Verdict::Error, true, [None, Some(BEFORE), None]),
    ];
    for (verdict, conforms, expected) in rows {
        for (mode, expected) in [GateMode::Block, GateMode::LastGood, GateMode::Warn].into_iter().zip(expected) {
            let mut facts = good();
            facts.contract.settings.gate_mode = mode;
            facts.snapshots.judged = vec![judged(NEWEST, verdict, conforms), judged(BEFORE, Verdict::Pass, true)];
            let decision = gate::decide(&request(Action::Read), &facts);
            let served = decision.served.map(|id| id.0.as_u128());
            assert_eq!(served, expected, "{mode:?} {verdict} conforms={conforms}");
            assert_eq!(decision.allows(), expected.is_some(), "{mode:?} {verdict} conforms={conforms}");
        }
    }
}

#[test]
fn last_good_never_serves_what_does_not_conform_or_failed() {
    let decision = check(
        |facts| {
            facts.contract.settings.gate_mode = GateMode::LastGood;
            facts.snapshots.judged = vec![
                judged(100, Verdict::Error, false),
                judged(99, Verdict::Fail, true),
                judged(98, Verdict::Pass, false),
                judged(97, Verdict::Warn, true),
            ];
        },
        &[],
    );
    assert_eq!(decision.served.map(|id| id.0.as_u128()), Some(97));
    assert_eq!(outcome(&decision, Check::Quality), LineOutcome::Warns);
}

#[test]
fn nothing_inspected_shuts_every_mode_with_a_time_to_try_again() {
    for mode in [GateMode::Block, GateMode::LastGood, GateMode::Warn] {
        let decision = check(
            |facts| {
                facts.contract.settings.gate_mode = mode;
                facts.snapshots = Snapshots { head_pending_since: Some(NOW), ..Snapshots::default() };
            },
            &["conformance.pending", "quality.pending", "scope.nothing_to_serve"],
        );
        assert!(decision.retry_at.is_some_and(|at| at > NOW));
    }
}

#[test]
fn a_pending_head_shuts_block_after_grace_and_no_other_mode() {
    let pending = |mode, since| {
        move |facts: &mut Facts| {
            facts.contract.settings.gate_mode = mode;
            facts.snapshots.head_pending_since = Some(since);
        }
    };
    let (within, past) = (NOW.minus(HOUR), NOW.minus(HOUR + Duration::from_micros(1)));
    check(pending(GateMode::Block, within), &[]);
    check(pending(GateMode::Block, past), &["quality.head_pending", "scope.nothing_to_serve"]);
    for mode in [GateMode::LastGood, GateMode::Warn] {
        let decision = check(pending(mode, past), &[]);
        assert_eq!(outcome(&decision, Check::Quality), LineOutcome::Warns);
    }
}

#[test]
fn late_data_warns_unless_the_contract_blocks_and_final_data_is_never_late() {
    let late = |late, is_final| {
        move |facts: &mut Facts| {
            facts.contract.freshness = Some(Duration::from_secs(60));
            facts.contract.settings.late = late;
            facts.contract.settings.is_final = is_final;
        }
    };
    let decision = check(late(Late::Warn, false), &[]);
    assert_eq!(outcome(&decision, Check::Quality), LineOutcome::Warns);
    check(late(Late::Block, false), &["quality.late", "scope.nothing_to_serve"]);
    let decision = check(late(Late::Block, true), &[]);
    assert_eq!(outcome(&decision, Check::Quality), LineOutcome::Holds);
}

#[test]
fn a_graver_fact_is_not_covered_by_a_late_or_pending_head() {
    let decision = check(
        |facts| {
            facts.contract.freshness = Some(Duration::from_secs(60));
            facts.contract.settings.late = Late::Block;
            facts.snapshots.judged = vec![judged(100, Verdict::Fail, true)];
            facts.snapshots.head_pending_since = Some(NOW.minus(HOUR * 2));
        },
        &["quality.failed", "scope.nothing_to_serve"],
    );
    let quality = decision.lines.iter().find(|line| line.check == Check::Quality).unwrap();
    assert_eq!(quality.details.len(), 2, "both are told beside it: {:?}", quality.details);
}

#[test]
fn report_and_off_relax_conformance_and_quality_only() {
    for enforcement in [Enforcement::Off, Enforcement::Report] {
        let bad = move |facts: &mut Facts| {
            facts.enforcement = enforcement;
            facts.snapshots.judged = vec![judged(100, Verdict::Fail, false)];
        };
        let decision = check(bad, &[]);
        assert_eq!(decision.served.map(|id| id.0.as_u128()), Some(100));
        let expected = match enforcement {
            Enforcement::Report => LineOutcome::NotBinding,
            Enforcement::Off | Enforcement::On => LineOutcome::NotChecked,
        };
        assert_eq!(outcome(&decision, Check::Quality), expected);
        check(
            move |facts| {
                bad(facts);
                facts.grants.clear()
            },
            &["grant.missing"],
        );
        check(
            move |facts| {
                bad(facts);
                facts.policy.allowed = false
            },
            &["policy.denied"],
        );
        check(
            move |facts| {
                bad(facts);
                facts.visibility = Visibility::Hidden
            },
            &["visibility.hidden"],
        );
        // What could not be inspected has no file list: there is nothing to serve.
        check(
            move |facts| {
                bad(facts);
                facts.snapshots.judged = vec![judged(100, Verdict::Error, false)]
            },
            &["scope.nothing_to_serve"],
        );
    }
}

#[test]
fn a_refusal_keeps_its_lines_and_gives_no_permit() {
    let mut facts = good();
    facts.grants.clear();
    let refusal = gate::decide(&request(Action::Read), &facts).into_permit().unwrap_err();
    assert!(!refusal.allows());
    assert_eq!(refusal.lines.len(), Check::ALL.len());
}

#[test]
fn a_provider_has_no_longer_than_the_longest_deadline() {
    let longest = domain::lease::MAX_VENDOR_DEADLINE;
    for (asked, given) in [(HOUR, longest), (longest, longest), (longest / 2, longest / 2)] {
        assert_eq!(domain::lease::VendorDeadline::new(asked).get(), given);
    }
}

#[test]
fn a_code_begins_with_the_word_of_its_check() {
    for code in Code::ALL {
        let check = code.check().as_str();
        assert!(code.as_str().strip_prefix(check).is_some_and(|rest| rest.starts_with('.')), "{code} of {check}");
        assert!(!code.meaning().is_empty() && code.meaning().ends_with('.'), "{code}");
    }
    for check in Check::ALL {
        assert_eq!((Code::holds(*check).check(), Code::not_checked(*check).check()), (*check, *check));
        assert_eq!(Code::holds(*check).as_str(), format!("{check}.holds"));
        assert_eq!(Code::not_checked(*check).as_str(), format!("{check}.not_checked"));
    }
}
