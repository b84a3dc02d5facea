//! Rules that the matrix cannot show.

use domain::contract::{Classification, GateMode};
use domain::id::ProductId;
use domain::identity::{DomainRole, PlatformRole, PurposeCode};
use policy::{Action, Caller, Party, Policy, Question, Resource};

use crate::world::{World, path, port_major, service, user, uuid};

fn caller(principal: Party) -> Caller<'static> {
    Caller { principal, platform_roles: &[], domain_roles: &[], grants: &[], limited: false }
}

#[test]
fn every_word_of_the_domain_is_one_of_the_schema() {
    // A word that the schema does not know makes the question itself an error.
    let policy = Policy::embedded().unwrap();
    let mut world = World::new();
    let everybody = caller(user(1));
    let check = |action, resource: &Resource<'_>, purpose| {
        let answer = policy.decide(&Question { caller: &everybody, action, resource, purpose });
        assert_eq!(answer.errors, Vec::<String>::new());
    };
    for classification in ["public", "internal", "confidential", "restricted"] {
        let classification = Classification::from_word(classification).unwrap();
        check(Action::ViewProduct, &Resource::Product(world.product(classification)), None);
    }
    for purpose in PurposeCode::ALL {
        check(Action::Read, &world.binding(Classification::Internal), Some(*purpose));
    }
    for mode in [GateMode::Block, GateMode::LastGood, GateMode::Warn] {
        world.settings.gate_mode = mode;
        check(Action::Publish, &world.contract(), None);
    }
}

#[test]
fn own_requests_cannot_be_answered_even_with_every_role() {
    let policy = Policy::embedded().unwrap();
    let world = World::new();
    let person = user(1);
    let (account, sibling) = (service(2, person), service(3, person));
    let everything = |principal| Caller { platform_roles: PlatformRole::ALL, ..caller(principal) };
    let owner = [(path("sales"), DomainRole::Owner), (path("sales/emea"), DomainRole::Owner)];
    for (approver, requester) in
        [(person, person), (account, person), (person, account), (account, account), (account, sibling)]
    {
        let caller = Caller { domain_roles: &owner, ..everything(approver) };
        for (action, resource, forbidden_by) in [
            (Action::ApproveRequest, world.request(requester), "no-answer-to-own-request"),
            (Action::RejectRequest, world.request(requester), "no-answer-to-own-request"),
            (Action::GrantAccess, world.grant(requester), "no-grant-to-self"),
        ] {
            let answer = policy.decide(&Question { caller: &caller, action, resource: &resource, purpose: None });
            assert!(!answer.allowed, "{action} by {approver:?} for {requester:?}");
            assert_eq!(answer.policy_ids, [forbidden_by]);
        }
    }
    // The same approver answers somebody else's, so it is the rule above that refused.
    let caller = Caller { domain_roles: &owner, ..everything(person) };
    assert!(policy.allows(&caller, Action::ApproveRequest, &world.request(user(9))));
    assert!(policy.allows(&caller, Action::GrantAccess, &world.grant(service(8, user(9)))));
}

#[test]
fn platform_roles_together_give_no_data() {
    let policy = Policy::embedded().unwrap();
    let world = World::new();
    let caller = Caller { platform_roles: PlatformRole::ALL, ..caller(user(1)) };
    for action in [Action::Read, Action::Repair, Action::Write, Action::Inspect] {
        assert!(!policy.allows(&caller, action, &world.binding(Classification::Public)), "{action}");
    }
}

#[test]
fn a_role_does_not_reach_into_a_domain_whose_name_begins_alike() {
    let policy = Policy::embedded().unwrap();
    let mut world = World::new();
    for (held, domain, holds) in [
        ("sales", "sales", true),
        ("sales", "sales/emea/dach", true),
        ("sales", "sales_eu", false),
        ("sales", "salesforce/emea", false),
        ("sales/emea", "sales", false),
        ("emea", "sales/emea", false),
    ] {
        world.domain = path(domain);
        let roles = [(path(held), DomainRole::Owner)];
        let caller = Caller { domain_roles: &roles, ..caller(user(1)) };
        let product = Resource::Product(world.product(Classification::Restricted));
        assert_eq!(policy.allows(&caller, Action::ViewProduct, &product), holds, "{held} for {domain}");
    }
}

#[test]
fn roles_of_several_domains_and_many_grants_do_not_add_up() {
    let policy = Policy::embedded().unwrap();
    let world = World::new();
    let roles = [
        (path("sales"), DomainRole::Consumer),
        (path("sales/emea"), DomainRole::Consumer),
        (path("finance"), DomainRole::Owner),
        (path("sales/emea/dach"), DomainRole::Publisher),
    ];
    let mut grants: Vec<_> = (2..1_000).map(|major| port_major("orders", major)).collect();
    let without = Caller { domain_roles: &roles, grants: &grants, ..caller(user(1)) };
    assert!(!policy.allows(&without, Action::Read, &world.binding(Classification::Internal)));
    grants.extend([port_major("orders", 1), port_major("orders", 1)]);
    let with = Caller { domain_roles: &roles, grants: &grants, ..caller(user(1)) };
    assert!(policy.allows(&with, Action::Read, &world.binding(Classification::Internal)));
}

#[test]
fn a_grant_on_another_product_shows_nothing() {
    let policy = Policy::embedded().unwrap();
    let world = World::new();
    let product = Resource::Product(world.product(Classification::Restricted));
    let mut grants = [port_major("orders", 1)];
    assert!(policy.allows(&Caller { grants: &grants, ..caller(user(1)) }, Action::ViewProduct, &product));
    grants[0].product_id = ProductId(uuid(999));
    assert!(!policy.allows(&Caller { grants: &grants, ..caller(user(1)) }, Action::ViewProduct, &product));
}

#[test]
fn a_question_that_makes_no_sense_is_refused() {
    let policy = Policy::embedded().unwrap();
    let world = World::new();
    let admin = Caller { platform_roles: PlatformRole::ALL, ..caller(user(1)) };
    let resource = Resource::Domain(&world.domain);
    let answer = policy.decide(&Question { caller: &admin, action: Action::Read, resource: &resource, purpose: None });
    assert!(!answer.allowed);
    assert_eq!(answer.errors.len(), 1);
}

#[test]
fn a_steward_forbids_a_setting() {
    let rule = "@id(\"no-warn-mode\") forbid (principal, action == Action::\"publish\", resource is Contract) \
                when { resource.gateMode == GateMode::\"warn\" && resource in Domain::\"sales\" };";
    let policy = Policy::with_files(&[("sales.cedar", rule)]).unwrap();
    let mut world = World::new();
    let roles = [(path("sales"), DomainRole::Publisher)];
    let publisher = Caller { domain_roles: &roles, ..caller(user(1)) };
    let answer = |world: &World| {
        let resource = world.contract();
        policy.decide(&Question { caller: &publisher, action: Action::Publish, resource: &resource, purpose: None })
    };
    assert_eq!(answer(&world).policy_ids, ["owners-and-publishers-publish-contracts"]);
    world.settings.gate_mode = GateMode::Warn;
    assert!(!answer(&world).allowed);
    assert_eq!(answer(&world).policy_ids, ["no-warn-mode"]);
}

#[test]
fn a_rule_without_an_action_speaks_of_every_action() {
    let rule = "@id(\"suspended\") forbid (principal, action, resource) when { resource in Domain::\"sales\" };";
    let policy = Policy::with_files(&[("suspend.cedar", rule)]).unwrap();
    let world = World::new();
    let roles = [(path("sales"), DomainRole::Owner)];
    let owner = Caller { domain_roles: &roles, platform_roles: PlatformRole::ALL, ..caller(user(1)) };
    for (action, resource) in [
        (Action::Publish, Resource::Domain(&world.domain)),
        (Action::ViewProduct, Resource::Product(world.product(Classification::Public))),
        (Action::Read, world.binding(Classification::Public)),
        (Action::ViewLease, world.lease(user(2))),
    ] {
        let answer = policy.decide(&Question { caller: &owner, action, resource: &resource, purpose: None });
        assert_eq!((answer.allowed, answer.policy_ids), (false, vec!["suspended".to_owned()]), "{action}");
    }
    assert!(policy.allows(&owner, Action::CreateDomain, &Resource::Platform));
}

#[test]
fn an_evaluation_error_refuses_what_another_policy_allows() {
    // Arithmetic that overflows passes validation and fails when it is evaluated. Cedar itself skips such a policy.
    let rule = "@id(\"overflows\") forbid (principal, action == Action::\"publish\", resource is Contract) \
                when { resource.graceSeconds * 9223372036854775807 == 0 };";
    let policy = Policy::with_files(&[("overflow.cedar", rule)]).unwrap();
    let world = World::new();
    let roles = [(path("sales"), DomainRole::Owner)];
    let owner = Caller { domain_roles: &roles, ..caller(user(1)) };
    let resource = world.contract();
    let answer =
        policy.decide(&Question { caller: &owner, action: Action::Publish, resource: &resource, purpose: None });
    assert!(!answer.allowed);
    assert_eq!(answer.policy_ids, ["owners-and-publishers-publish-contracts"]);
    assert!(answer.errors[0].contains("overflow"), "{:?}", answer.errors);
}

/// What `@grants("role")` in `policies/data.cedar` says: the gate takes a role for a grant where this says so.
#[test]
fn only_owners_and_publishers_read_by_role() {
    let forbid = "@id(\"closed\") forbid (principal, action == Action::\"read\", resource is Binding);";
    let (open, closed) = (Policy::embedded().unwrap(), Policy::with_files(&[("closed.cedar", forbid)]).unwrap());
    let world = World::new();
    let binding = world.binding(Classification::Internal);
    let grants = [port_major("lake", 1)];
    let reads = |policy: &Policy, caller: &Caller<'_>, action, purpose| {
        let question = Question { caller, action, resource: &binding, purpose };
        policy.reads_by_role(&question, &policy.decide(&question))
    };
    let purposes = [None, Some(PurposeCode::Operations), Some(PurposeCode::Analytics)];
    for role in DomainRole::ALL {
        for domain in ["sales", "sales/emea", "finance"] {
            let domain_roles = [(path(domain), *role)];
            let by_role = Caller { domain_roles: &domain_roles, grants: &grants, ..caller(user(1)) };
            let expected = matches!(role, DomainRole::Owner | DomainRole::Publisher) && domain != "finance";
            for purpose in purposes {
                // Also where a purpose or another policy keeps the role out: the refusal tells the two apart.
                for policy in [&open, &closed] {
                    assert_eq!(
                        reads(policy, &by_role, Action::Read, purpose),
                        expected,
                        "{role} of {domain}, {purpose:?}"
                    );
                }
            }
            assert!(!reads(&open, &by_role, Action::Repair, None));
        }
    }
    let everything = Caller { platform_roles: PlatformRole::ALL, grants: &grants, ..caller(user(1)) };
    for purpose in purposes {
        assert!(!reads(&open, &everything, Action::Read, purpose));
    }
}

/// What a token for one purpose may do. Every other action is forbidden with it.
const LIMITED: [Action; 18] = [
    Action::ViewAudit,
    Action::ViewPrincipal,
    Action::CreateToken,
    Action::ViewToken,
    Action::RevokeToken,
    Action::ViewProduct,
    Action::ViewDetail,
    Action::RequestAccess,
    Action::ViewRequest,
    Action::WithdrawRequest,
    Action::ViewGrant,
    Action::ViewNotice,
    Action::ViewLease,
    Action::ViewDecision,
    Action::InspectTable,
    Action::Read,
    Action::Repair,
    Action::Write,
];

#[test]
fn a_token_for_one_purpose_reads_and_decides_nothing() {
    let policy = Policy::embedded().unwrap();
    let world = World::new();
    let domain_roles: Vec<_> = DomainRole::ALL.iter().map(|role| (path("sales/emea"), *role)).collect();
    let grants = [port_major("orders", 1)];
    let (me, other) = (user(1), user(2));
    let account = service(3, me);
    let resources = [
        Resource::Platform,
        Resource::Domain(&world.domain),
        Resource::Principal(other),
        Resource::Principal(account),
        Resource::Principal(me),
        Resource::Product(world.product(Classification::Restricted)),
        world.contract(),
        world.binding(Classification::Restricted),
        world.request(other),
        world.request(me),
        world.grant(other),
        world.grant(me),
        world.lease(me),
        world.decision(me),
    ];
    for action in Action::ALL.iter().filter(|action| **action != Action::Inspect) {
        let allowed_with = |limited| {
            let caller = Caller {
                principal: me,
                platform_roles: PlatformRole::ALL,
                domain_roles: &domain_roles,
                grants: &grants,
                limited,
            };
            resources.iter().any(|resource| policy.allows(&caller, *action, resource))
        };
        // Overrides are forbidden to the domain's own people, whatever their token.
        assert_eq!(allowed_with(false), *action != Action::OverrideRefusal, "{action}");
        assert_eq!(allowed_with(true), LIMITED.contains(action), "{action}");
    }
}
