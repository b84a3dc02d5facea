//! Loading, and what it refuses.

use domain::error::Kind;
use policy::{Error, Policy};

#[test]
fn bad_policies_are_refused_with_their_place() {
    let check = |text: &str, place: &str, word: &str| {
        let Err(Error::Refused(faults)) = Policy::with_files(&[("team.cedar", text)]) else {
            panic!("accepted: {text}");
        };
        let said = faults[0].to_string();
        assert!(said.starts_with(&format!("team.cedar:{place}: ")), "{said}");
        assert!(said.contains(word), "{said}");
    };
    let rule = |condition: &str| {
        format!("@id(\"x\")\nforbid (principal, action == Action::\"read\", resource)\nwhen {{ {condition} }};")
    };

    check("@id(\"x\")\nforbid (principal, action resource);", "2:27", "unexpected token");
    check(&rule("resource.colour == 1"), "3:8", "colour");
    check(&rule("resource.product == 1"), "3:8", "types");
    check(&rule("resource.product.classification == Classification::\"secret\""), "3:43", "secret");
    check(&rule("context.purpose == Purpose::\"analytics\""), "3:8", "optional");
    check("@id(\"x\")\nforbid (principal, action == Action::\"raed\", resource);", "2:30", "unrecognized action");
    // A warning: a rule that can never apply.
    check(
        "@id(\"x\")\nforbid (principal, action == Action::\"read\", resource is Domain);",
        "1:1",
        "unable to find an applicable action",
    );
    check("\nforbid (principal, action, resource);", "2:1", "a policy needs an `@id`");
    check("@id(\"x\")\npermit (principal, action, resource);", "1:1", "may only `forbid`");
    check(
        "@id(\"grant-holders-read\")\nforbid (principal, action == Action::\"read\", resource);",
        "1:1",
        "already used by a policy in data.cedar",
    );
    check(
        "@id(\"x\")\n@grants(\"role\")\nforbid (principal, action, resource);",
        "1:1",
        "only a `permit` has `@grants`",
    );
    check("@id(\"x\")\nforbid (principal == ?principal, action, resource);", "1:1", "templates are not allowed");
}

#[test]
fn all_faults_of_all_files_are_reported_at_once() {
    let files = [("a.cedar", "forbid (principal, action, resource);"), ("b.cedar", "forbid")];
    let Err(error) = Policy::with_files(&files) else { panic!("accepted") };
    assert_eq!(error.kind(), Kind::Invalid);
    let said = error.to_string();
    assert!(said.contains("a.cedar:1:1") && said.contains("b.cedar:1:"), "{said}");
}

#[test]
fn a_folder_adds_its_cedar_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("notes.txt", "not a policy");
    let embedded = Policy::embedded().unwrap();
    let loaded = Policy::load(folder.path()).unwrap();
    assert_eq!(loaded.ids(), embedded.ids());
    assert_eq!(loaded.digest(), embedded.digest());

    write("freeze.cedar", "@id(\"freeze\") forbid (principal, action == Action::\"publish\", resource);");
    let loaded = Policy::load(folder.path()).unwrap();
    assert_eq!(loaded.ids().len(), embedded.ids().len() + 1);
    assert_ne!(loaded.digest(), embedded.digest());

    write("large.cedar", &" ".repeat(1_000_001));
    assert!(matches!(Policy::load(folder.path()), Err(Error::Refused(_))));
    assert!(matches!(Policy::load(&folder.path().join("missing")), Err(Error::Unreadable { .. })));
}
