//! For every command, hidden equals missing, byte for byte: the same catalog is built twice, once with a confidential
//! product that the callers may not know of, and queried in the same way.

use std::collections::BTreeSet;

use domain::clock::Timestamp;

use super::tree::leaves;
use super::world::{Ids, World, documents, text};

/// The calls of each command. `{}` is replaced with each id of the hidden product. A command without a line here fails
/// the test.
const CALLS: [(&str, &[&str]); 54] = [
    // These need no server.
    ("serve", &[]),
    (
        "contract diff",
        &[
            "payroll-1.yaml payroll-2.yaml",
            "payroll-1.yaml payroll-2.yaml --format junit",
            "payroll-1.yaml payroll-2.yaml --impact shop.payroll",
            "payroll-1.yaml payroll-2.yaml --impact shop.orders --json",
        ],
    ),
    ("contract init", &["- --domain hr --object payroll"]),
    ("contract lint", &["payroll-1.yaml payroll --strict"]),
    ("contract import", &["payroll.avsc --from avro --id payroll-contract"]),
    ("contract export", &["payroll-1.yaml --to avro"]),
    (
        "lineage",
        &[
            "shop.orders.orders --depth 5",
            "shop.orders.orders --up --json",
            "shop.payroll.payroll",
            "--product shop.payroll",
            "shop.orders.orders --column id",
        ],
    ),
    (
        "impact",
        &["shop.orders.orders", "shop.orders.orders --json", "shop.payroll.payroll --json", "--product shop.payroll"],
    ),
    ("search", &["", "payroll", "payroll --json", "--domain shop", "id --limit 5 --json"]),
    ("report rot", &["", "--json", "--domain shop --json", "--domain shop/payroll"]),
    ("contract test", &["payroll-1.yaml --data payroll"]),
    ("schema compat", &["payroll.avsc payroll.avsc"]),
    (
        "plan",
        &[
            "payroll --domain shop",
            "payroll --domain other",
            "payroll --domain shop --prune",
            "payroll --domain shop --json",
            "payroll --domain shop --format junit",
            "payroll --domain other --format github",
        ],
    ),
    (
        "apply",
        &[
            "payroll --domain shop",
            "payroll --domain shop --prune --yes",
            "reference --domain other",
            "reference --domain other --json",
        ],
    ),
    ("domain create", &["shop/payroll", "payroll"]),
    ("domain enforce", &["shop off", "payroll off"]),
    ("domain list", &["", "--json", "--limit 1 --json"]),
    ("principal create", &["payroll"]),
    ("principal list", &[""]),
    ("principal enable", &["payroll"]),
    ("principal disable", &["payroll"]),
    ("role assign", &["reader publisher --domain shop", "payroll owner --domain shop"]),
    ("role unassign", &["{}"]),
    ("role list", &["", "--domain shop", "--domain shop/payroll"]),
    ("token create", &["payroll"]),
    ("token list", &["payroll", "--limit 1 --json"]),
    // A link would name the address of its world.
    ("login", &["--lifetime 2h"]),
    ("token revoke", &["{}"]),
    ("registry release", &["payroll-value --domain shop"]),
    ("product list", &["", "--json", "--domain shop", "--limit 1 --json", "--domain shop --limit 1 --json"]),
    ("product show", &["shop.payroll", "shop.payroll --json"]),
    ("product readers", &["shop.payroll", "shop.payroll --json", "shop.orders --days 400 --json"]),
    ("table show", &["shop.payroll.payroll", "shop.payroll.payroll__v1 --json", "shop.payroll.nothing"]),
    ("version activate", &["shop.payroll payroll-contract 1.0.0", "shop.orders payroll-contract 1.0.0 --json"]),
    ("inspect", &["shop.payroll.payroll", "shop.payroll.payroll --wait --json"]),
    (
        "access request",
        &[
            "shop.payroll.payroll --purpose support --sentence why",
            "shop.payroll.payroll__v1 --purpose support --sentence why --json",
            "shop.payroll --port payroll --purpose support --sentence why",
            "shop.payroll --port payroll --major 1 --purpose support --sentence why",
        ],
    ),
    ("access approve", &["{}", "{} --json"]),
    ("access reject", &["{} --reason why"]),
    ("access withdraw", &["{}"]),
    ("access revoke", &["{} --reason why", "{} --reason why --json"]),
    ("access list", &["", "--json", "--state pending --json"]),
    ("access grants", &["", "--json", "--limit 1 --json"]),
    ("notice list", &["", "--json", "--limit 1 --json"]),
    ("notice show", &["{}", "{} --json"]),
    ("notice answer", &["{} acknowledged", "{} objects --reason why --json"]),
    ("notice update", &["{} --note why"]),
    ("override review", &["shop.payroll payroll/contract.yaml", "shop.payroll payroll/contract.yaml --json"]),
    ("override create", &["shop.payroll payroll/contract.yaml --reason why --until 2030-01-01 --yes"]),
    ("override list", &["shop.payroll", "shop.payroll --json"]),
    ("override show", &["{}", "{} --json"]),
    ("override revoke", &["{} --reason why"]),
    (
        "why",
        &[
            "shop.payroll.payroll",
            "shop.payroll.payroll__v1",
            "shop.payroll.payroll --json",
            "shop.payroll.payroll --action repair",
            "shop.payroll.payroll --action write --purpose support",
        ],
    ),
    (
        "credentials",
        &[
            "shop.payroll.payroll",
            "shop.payroll.payroll --json",
            "shop.payroll.payroll --action repair",
            "shop.payroll.payroll --format polars",
            "shop.payroll.payroll --format deltalake --inline",
        ],
    ),
    ("audit list", &["", "--json", "--action product.publish"]),
];

/// Callers who may not know of the product: one with a grant in the domain, the owner of another domain, and a stranger.
const CALLERS: [&str; 3] = ["reader", "owner-other", "stranger"];

/// A world, and the ids of the hidden product.
fn world(with_hidden: bool) -> (World, Vec<String>) {
    let mut world = World::start();
    world.request_access("reader", "shop", "orders", "owner-shop");
    let mut hidden = Vec::new();
    if with_hidden {
        world.publish("shop", "payroll", "confidential");
        assert_eq!(world.run("owner-shop", &["credentials", "shop.payroll.payroll"], "").code, 0);
        let Ids { request, grant, .. } = world.request_access("admin", "shop", "payroll", "owner-shop");
        let product = world.json("owner-shop", &["product", "show", "shop.payroll"]);
        let ids = ["/id", "/contracts/0/id", "/contracts/0/versions/nodes/0/id", "/tables/0/id"];
        hidden = ids.iter().map(|pointer| text(&product, pointer)).chain([request, grant]).collect();
    }
    for version in ["1", "2"] {
        world.write(&format!("payroll-{version}.yaml"), &documents("shop", "payroll", "internal")[1]);
    }
    world.write("payroll.avsc", r#"{"type":"record","name":"payroll","fields":[]}"#);
    let [product, contract] = documents("shop", "payroll", "internal");
    world.write("payroll/product.yaml", product);
    world.write("payroll/contract.yaml", contract);
    // A product of another domain that refers to the contract that may be hidden.
    let [product, _] = documents("other", "report", "internal");
    let product = product.replace("report-contract", "payroll-contract");
    world.write(
        "reference/product.yaml",
        product + "inputPorts:\n  - name: payroll\n    version: 1.0.0\n    contractId: payroll-contract\n",
    );
    // From here on, both worlds generate the same ids and have the same time.
    world.test.random.reseed(99);
    world.test.clock.set(Timestamp(1_800_000_000_000_000));
    world.sign_in();
    (world, hidden)
}

#[test]
fn a_hidden_product_is_answered_like_a_missing_one() {
    let named: BTreeSet<String> = leaves().iter().map(|leaf| leaf.name()).collect();
    let called: BTreeSet<String> = CALLS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(called, named, "every command is called, and every call is a command");

    let ((with, ids), (without, _)) = (world(true), world(false));
    let mut commands = Vec::new();
    for (name, calls) in CALLS {
        for call in calls {
            let ids = if call.contains("{}") { ids.as_slice() } else { &[String::new()] };
            commands.extend(ids.iter().map(|id| format!("{name} {}", call.replace("{}", id))));
        }
    }
    let answers = |world: &World| -> Vec<_> {
        let calls = commands.iter().flat_map(|command| CALLERS.map(|caller| (caller, command)));
        let run = |(caller, command): (&str, &String)| {
            let args: Vec<&str> = command.split_whitespace().collect();
            (format!("{caller}: {command}"), world.run(caller, &args, ""))
        };
        calls.map(run).collect()
    };
    let (with_answers, without_answers) = std::thread::scope(|scope| {
        let without = scope.spawn(|| answers(&without));
        (answers(&with), without.join().unwrap())
    });
    let differ: Vec<_> = with_answers.iter().zip(&without_answers).filter(|(one, two)| one != two).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    for (what, run) in &with_answers {
        assert!([0, 1, 2, 3, 4, 5, 64].contains(&run.code), "{what}: {run:?}");
        assert!(run.code == 64 || !what.contains("shop.payroll") || run.code == 4, "{what}: {run:?}");
    }
    // The worlds do differ for the owner.
    let list = |world: &World| world.run("owner-shop", &["product", "list"], "");
    assert_ne!(list(&with), list(&without));
}
