//! Open leases: what ends them at once and what they outlive (`docs/rules.md`, "Open leases").

use domain::contract::{Late, State};
use domain::gate::open::{Fate, judge};
use domain::gate::served::Snapshots;
use domain::gate::{Action, Code, Facts, Visibility};
use domain::grant::Decided;
use domain::id::{BindingId, GrantId, LeaseId, PrincipalId, TableId};
use domain::identity::PurposeCode;
use domain::lease::{Hold, Lease};
use domain::quality::Verdict;
use domain::share::BindingRight;
use uuid::Uuid;

use crate::gate::{DAY, HOUR, NOW, failing, good, grant, judged, request};

const GRANT: GrantId = GrantId(Uuid::from_u128(10));

/// What the lease of the good facts' reader hangs on.
fn hold() -> Hold {
    let permit = domain::gate::decide(&request(Action::Read), &good()).into_permit().unwrap();
    Lease::issue(LeaseId(Uuid::from_u128(7)), permit, NOW).hold()
}

/// A change of the good facts after which a check fails with a code, for a purpose that is asked for; `None` for the codes
/// that facts alone cannot give: what an open lease is for is always known, and a binding that is gone has no facts.
fn shutting(code: Code) -> Option<fn(&mut Facts)> {
    let shut: fn(&mut Facts) = match code {
        Code::IdentityUnknown => |facts| facts.principal_enabled = false,
        Code::VisibilityHidden => |facts| facts.visibility = Visibility::Hidden,
        Code::VisibilityClassified => |facts| facts.visibility = Visibility::Classified,
        Code::PolicyDenied => |facts| facts.policy.allowed = false,
        Code::PolicyError => |facts| facts.policy.errors.push("a sum is out of range".to_owned()),
        Code::ContractProductInactive => |facts| facts.product_served = false,
        Code::ContractDraft => |facts| facts.contract.state = State::NEW,
        Code::ContractSunset => |facts| facts.contract.state = State::Deprecated { since: NOW.minus(DAY), sunset: NOW },
        Code::ContractSuperseded => |facts| facts.contract.state = State::Superseded { since: NOW },
        Code::ContractRetired => |facts| facts.contract.state = State::Retired { since: NOW },
        Code::GrantMissing => |facts| facts.grants.clear(),
        Code::GrantNotYet => |facts| facts.grants[0].window.from = NOW.plus(HOUR),
        Code::GrantEnded => |facts| facts.grants[0].window.until = NOW,
        Code::GrantRevoked => |facts| {
            let decided = Decided { by: PrincipalId(Uuid::from_u128(6)), at: NOW, reason: None };
            facts.grants[0] = facts.grants[0].clone().revoke(decided).unwrap();
        },
        Code::GrantOtherPurpose => |facts| facts.grants[0].purpose.code = PurposeCode::Support,
        Code::ScopeConsentEnded => |facts| facts.binding = BindingRight::ConsentEnded,
        Code::ScopeOwnerRetired => |facts| facts.binding = BindingRight::OwnerRetired,
        Code::ScopeLocation => |facts| facts.location_is_its_own = false,
        Code::ConformancePending | Code::QualityPending => |facts| facts.snapshots = Snapshots::default(),
        Code::ConformanceBroken => |facts| facts.snapshots.judged = vec![judged(100, Verdict::Fail, false)],
        Code::ConformanceUnknown | Code::QualityError => {
            |facts| facts.snapshots.judged = vec![judged(100, Verdict::Error, false)]
        }
        Code::QualityFailed | Code::ScopeNothingToServe => {
            |facts| facts.snapshots.judged = vec![judged(100, Verdict::Fail, true)]
        }
        Code::QualityHeadPending => |facts| facts.snapshots.head_pending_since = Some(NOW.minus(HOUR * 2)),
        Code::QualityLate => |facts| {
            facts.contract.freshness = Some(HOUR / 2);
            facts.contract.settings.late = Late::Block;
        },
        Code::ScopeTooShort => |facts| facts.grants[0].window.until = NOW.plus(HOUR / 3_600 / 2),
        Code::GrantPurposeNeeded | Code::ScopePurpose | Code::ScopeUnbound => return None,
        other => {
            assert_eq!(other.fate(), None, "{other} has no row here");
            return None;
        }
    };
    Some(shut)
}

#[test]
fn an_open_lease_does_what_the_table_says() {
    let until = good().grants[0].window.until;
    assert_eq!(judge(&hold(), Some(good()), NOW), Ok(Some(until)));
    let mut n_rows = 0;
    for code in Code::ALL {
        let (fate, Some(shut)) = (code.fate(), shutting(*code)) else { continue };
        let mut facts = good();
        shut(&mut facts);
        let mut asked = request(Action::Read);
        asked.purpose = Some(PurposeCode::Analytics);
        let failing: Vec<String> =
            failing(&domain::gate::decide(&asked, &facts)).into_iter().map(str::to_owned).collect();
        assert!(failing.contains(&code.to_string()), "{code}: {failing:?}");
        let judged = judge(&hold(), Some(facts.clone()), NOW);
        match fate.expect("a check fails with it") {
            Fate::EndsAtOnce => assert!(judged.unwrap_err().contains(code), "{code}"),
            Fate::RunsOn => assert_eq!(judged, Ok(Some(facts.grants[0].window.until)), "{code}"),
        }
        n_rows += 1;
    }
    assert_eq!(n_rows, 28);
    assert_eq!(judge(&hold(), None, NOW), Err(vec![Code::ScopeUnbound]));
}

/// Whatever else has happened to the data.
#[test]
fn what_ends_a_lease_is_not_hidden_by_what_it_outlives() {
    for code in Code::ALL.iter().filter(|code| code.fate() == Some(Fate::EndsAtOnce)) {
        let Some(shut) = shutting(*code) else { continue };
        let mut facts = good();
        facts.snapshots = Snapshots::default();
        shut(&mut facts);
        assert!(judge(&hold(), Some(facts), NOW).unwrap_err().contains(code), "{code}");
    }
    let repair = Hold { action: Action::Repair, grant_id: None, ..hold() };
    let facts = Facts { snapshots: Snapshots::default(), ..good() };
    assert_eq!(judge(&repair, Some(facts), NOW), Err(vec![Code::ScopePurpose]), "repair is for operations alone");
}

#[test]
fn a_lease_hangs_on_the_right_that_gave_it() {
    let mut two = good();
    two.grants.push(grant(11, PurposeCode::Analytics, NOW.minus(DAY), NOW.plus(DAY * 2)));
    assert_eq!(judge(&hold(), Some(two.clone()), NOW), Ok(Some(two.grants[0].window.until)), "not the longer one");
    two.grants.remove(0);
    two.role_grants = true;
    assert_eq!(judge(&hold(), Some(two.clone()), NOW), Err(vec![Code::GrantMissing]), "another grant, and a role");

    let by_role = Hold { grant_id: None, purpose: PurposeCode::Operations, ..hold() };
    assert_eq!(judge(&by_role, Some(two.clone()), NOW), Ok(None));
    two.role_grants = false;
    two.grants.push(grant(12, PurposeCode::Operations, NOW.minus(DAY), NOW.plus(DAY)));
    assert_eq!(judge(&by_role, Some(two), NOW), Err(vec![Code::GrantMissing]), "a grant for the same purpose");
}

#[test]
fn no_lease_outlives_the_sunset_of_its_version() {
    let sunset = NOW.plus(HOUR);
    let mut facts = good();
    facts.contract.state = State::Deprecated { since: NOW, sunset };
    assert_eq!(judge(&hold(), Some(facts.clone()), NOW), Ok(Some(sunset)));
    assert_eq!(judge(&hold(), Some(facts.clone()), sunset), Err(vec![Code::ContractSunset]));
    // Repair asks for no contract.
    let repair = Hold { action: Action::Repair, grant_id: None, purpose: PurposeCode::Operations, ..hold() };
    assert_eq!(judge(&repair, Some(facts), sunset), Ok(None));
}

#[test]
fn leases_that_hang_on_the_same_agree_in_every_part() {
    let hold = hold();
    assert_eq!((hold.grant_id, hold.purpose, hold.action), (Some(GRANT), PurposeCode::Analytics, Action::Read));
    assert_eq!(hold.principal_id, PrincipalId(Uuid::from_u128(2)));
    assert_eq!((hold.binding_id, hold.table_id), (BindingId(Uuid::from_u128(3)), TableId(Uuid::from_u128(4))));
}
