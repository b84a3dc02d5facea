//! Hidden equals missing, byte for byte: the same catalog is made twice, once with what is hidden from those who ask, and
//! asked the same random questions. `CHARTER_LINEAGE_CASES` sets the number of questions.

use std::fmt::Write as _;

use app::lineage::{Answer, Ask, By, Holder, MAX_DEPTH, Start, explore};
use domain::identity::DomainRole;
use lineage::edge::{Kind, Kinds};
use lineage::graph::Direction;
use policy::Policy;
use testkit::actor::{TestActor, access_to};
use testkit::app::TestApp;
use testkit::clock::SeededRandom;
use testkit::inspector::Scene;
use testkit::reading::data_file;

use super::{documents, event, name, place, reads, send};

/// How many products a catalog has, hidden ones included.
const N_PRODUCTS: usize = 7;
/// How many questions a catalog is asked.
const N_QUESTIONS: u64 = 30;
/// How many edges an answer shows of what is reached, at most.
const N_SHOWN_EDGES: usize = 20;
/// How many questions there are without `CHARTER_LINEAGE_CASES`.
const N_CASES: u64 = 360;

/// Columns of a source, each with the column of the target that is made from it.
type Columns = Vec<(&'static str, &'static str)>;

#[derive(Debug)]
struct Product {
    domain: &'static str,
    name: String,
    is_hidden: bool,
    /// The products that it reads.
    inputs: Vec<String>,
}

impl Product {
    fn address(&self) -> String {
        format!("{}.{}.{}", self.domain, self.name, self.name)
    }
}

/// By which policy something is hidden.
#[derive(Clone, Copy, Debug)]
enum Hiding {
    Restricted,
    Confidential,
    /// A policy of the house hides a domain from all but its owners.
    Forbidden,
}

impl Hiding {
    fn classification(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Confidential => "confidential",
            Self::Forbidden => "internal",
        }
    }

    fn policy(self) -> Policy {
        const RULE: &str = r#"@id("hide") forbid (
                principal, action == Action::"viewProduct", resource is Product in Domain::"hr"
            ) when { !(principal in resource.domain.owners) };"#;
        match self {
            Self::Restricted | Self::Confidential => Policy::embedded().unwrap(),
            Self::Forbidden => Policy::with_files(&[("hide.cedar", RULE)]).unwrap(),
        }
    }
}

/// A catalog that was thrown together: products in the order of their publication, and what jobs are said to do.
#[derive(Debug)]
struct Plan {
    hiding: Hiding,
    products: Vec<Product>,
    /// Whether a hidden product is bound to the first product's table as well, and what it reads.
    sharer: Option<Vec<String>>,
    /// The places of tables that a job reads and writes, and the columns that it names.
    jobs: Vec<(usize, usize, Columns)>,
    /// Whose places are spelt as folders, not as addresses at the gateway.
    as_folders: Vec<bool>,
    /// Who is granted which product, and the columns that they read; of a hidden consumer where it is said.
    grants: Vec<(usize, Vec<u32>, bool)>,
}

impl Plan {
    fn new(seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        let hiding = [Hiding::Restricted, Hiding::Confidential, Hiding::Forbidden][random.below(3)];
        let mut products: Vec<Product> = Vec::new();
        for number in 0..N_PRODUCTS {
            let is_hidden = number > 0 && random.is_one_of(3);
            let domain = if is_hidden { "hr" } else { ["shop", "fin"][random.below(2)] };
            let inputs = products.iter().filter(|_| random.is_one_of(3)).map(|product| product.name.clone()).collect();
            products.push(Product { domain, name: format!("p{number}"), is_hidden, inputs });
        }
        let sharer = (!random.is_one_of(3)).then(|| {
            let inputs = products[1..].iter().filter(|_| random.is_one_of(2));
            inputs.map(|product| product.name.clone()).collect()
        });
        let columns = [("id", "id"), ("amount", "amount"), ("id", "amount")];
        let mut jobs: Vec<(usize, usize, Columns)> = Vec::new();
        for _ in 0..8 {
            let named = columns.iter().filter(|_| random.is_one_of(3)).copied().collect();
            jobs.push((random.below(N_PRODUCTS + 2), random.below(N_PRODUCTS + 2), named));
        }
        // More than an answer shows of one table.
        if random.is_one_of(2) {
            let to = random.below(N_PRODUCTS);
            jobs.extend((0..2 * N_SHOWN_EDGES).map(|_| (random.below(N_PRODUCTS), to, Vec::new())));
        }
        let as_folders = (0..N_PRODUCTS + 2).map(|_| random.is_one_of(2)).collect();
        let mut grants = Vec::new();
        for product in 0..N_PRODUCTS {
            for is_hidden in [false, true] {
                if random.is_one_of(2) {
                    grants.push((product, (0..2).filter(|_| random.is_one_of(2)).collect(), is_hidden));
                }
            }
        }
        Self { hiding, products, sharer, jobs, as_folders, grants }
    }

    fn shown(&self) -> impl Iterator<Item = &Product> {
        self.products.iter().filter(|product| !product.is_hidden)
    }
}

/// A catalog made of a plan.
struct World {
    test: TestApp,
    /// Those who may not know of what is hidden: the owner of a domain, a consumer, and one without roles.
    callers: [TestActor; 3],
    /// Who may know of it.
    insider: TestActor,
}

impl World {
    /// What is hidden comes last, so that all else has the same ids. `places` are those of the world that has all tables.
    async fn make(plan: &Plan, places: Option<&[String]>) -> (Self, Vec<String>) {
        let test = TestApp::start_under(plan.hiding.policy()).await;
        app::column_reads::begin(&test.app).await.unwrap();
        let mut owners = Vec::new();
        for domain in ["shop", "fin", "hr"] {
            owners.push(test.domain(domain).await);
        }
        let owner = |domain: &str| &owners[["shop", "fin", "hr"].iter().position(|known| *known == domain).unwrap()];
        let both =
            test.member("both", &[(plan.products[0].domain, DomainRole::Owner), ("hr", DomainRole::Owner)]).await;
        let consumer = test.member("consumer", &[("shop", DomainRole::Consumer)]).await;
        let ghost = test.member("ghost", &[("hr", DomainRole::Owner)]).await;
        test.principal("reader").await;

        for product in plan.shown() {
            publish(&test, owner(product.domain), product, "internal").await;
        }
        for (number, columns, _) in plan.grants.iter().filter(|(_, _, is_hidden)| !is_hidden) {
            let product = &plan.products[*number];
            if !product.is_hidden {
                grant(&test, owner(product.domain), &consumer, product, columns).await;
            }
        }
        if places.is_none() {
            for product in plan.products.iter().filter(|product| product.is_hidden) {
                publish(&test, owner("hr"), product, plan.hiding.classification()).await;
            }
            for (number, columns, is_hidden) in &plan.grants {
                let product = &plan.products[*number];
                // The owners of `fin` alone see who reads there.
                if product.is_hidden || (*is_hidden && product.domain == "fin") {
                    let columns = if product.is_hidden { &[] } else { columns.as_slice() };
                    grant(&test, owner(product.domain), &ghost, product, columns).await;
                }
            }
            if let Some(inputs) = &plan.sharer {
                let [product, contract] = documents("hr", "copy", plan.hiding.classification(), &read(inputs), "");
                let first = plan.products[0].domain;
                let contract = contract.replace("hr/{model}", &format!("{first}/p0"));
                test.publish(&both, "hr", &[product, contract]).await;
            }
        }
        app::column_reads::write(&test.app).await.unwrap();
        let places = match places {
            Some(places) => places.to_vec(),
            None => addresses(&owners, plan).await,
        };
        let spelt = |place: usize| {
            let folder = match plan.products.get(place) {
                Some(product) => format!("{}/{}", product.domain, product.name),
                None => format!("outside/{place}"),
            };
            match (plan.as_folders[place], places.get(place)) {
                (false, Some(address)) => ("s3://lake", address.clone()),
                (_, _) => ("file", super::place(&test, &folder)),
            }
        };
        let events = plan.jobs.iter().enumerate().map(|(number, (from, to, columns))| {
            let (from, to) = (spelt(*from), spelt(*to));
            event(u128::try_from(number).unwrap(), &format!("job-{number}"), (from.0, &from.1), (to.0, &to.1), columns)
        });
        send(&test.ctx("consumer").await, &events.collect::<Vec<_>>()).await;
        let callers = [test.ctx("owner-shop").await, test.ctx("consumer").await, test.ctx("reader").await];
        let insider = test.ctx("owner-hr").await;
        (Self { test, callers, insider }, places)
    }
}

/// What a document says of the products that its own reads.
fn read(inputs: &[String]) -> String {
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    if inputs.is_empty() { String::new() } else { reads(&inputs) }
}

async fn publish(test: &TestApp, owner: &TestActor, product: &Product, classification: &str) {
    let documents = documents(product.domain, &product.name, classification, &read(&product.inputs), "");
    test.publish(owner, product.domain, &documents).await;
    let scene = Scene::of("id:integer amount:number").with_files(vec![data_file(2)]);
    test.lay(&format!("{}/{}", product.domain, product.name), 0, scene).await;
}

/// Grants access to a product's table, and has these columns read.
async fn grant(test: &TestApp, owner: &TestActor, reader: &TestActor, product: &Product, columns: &[u32]) {
    owner.grants(reader, access_to(&product.address())).await.unwrap();
    let reader = test.ctx(&reader.actor.principal.subject).await;
    for column in columns {
        test.reads_column(&reader, &product.address(), *column).await;
    }
}

/// The addresses of all tables at the gateway, below `s3://lake`.
async fn addresses(owners: &[TestActor], plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    for product in &plan.products {
        let address = product.address().parse().unwrap();
        let mut id = None;
        for owner in owners {
            id = id.or(app::table::find_table(owner, &address).await.unwrap());
        }
        found.push(id.unwrap().table.id.to_string());
    }
    found
}

/// A question, and who asks it.
#[derive(Debug)]
struct Question {
    caller: usize,
    ask: Ask,
}

impl Question {
    fn new(random: &SeededRandom, plan: &Plan) -> Self {
        // The table that is shared more often than the others.
        let product = &plan.products[if random.is_one_of(3) { 0 } else { random.below(N_PRODUCTS) }];
        let columns: Vec<String> =
            ["id", "amount"].iter().filter(|_| random.is_one_of(3)).map(|column| (*column).to_owned()).collect();
        let start = if random.is_one_of(4) {
            Start::Product(product.domain.parse().unwrap(), product.name.parse().unwrap())
        } else {
            Start::Table(product.address().parse().unwrap(), columns)
        };
        let kinds = [
            Kinds::ALL,
            Kinds::ALL,
            Kinds::of(&[Kind::Declared]),
            Kinds::of(&[Kind::Observed, Kind::Granted]),
            Kinds::of(&[Kind::Declared, Kind::Read]),
        ];
        let ask = Ask {
            start,
            direction: if random.is_one_of(3) { Direction::Upstream } else { Direction::Downstream },
            kinds: kinds[random.below(kinds.len())],
            depth: [1, 2, 3, MAX_DEPTH][random.below(4)],
            first: [1, 2, 3, 50][random.below(4)],
            after: None,
            consumers_after: None,
        };
        Self { caller: random.below(3), ask }
    }

    /// All that a caller is told, on all pages.
    async fn told(&self, world: &World, caller: &TestActor) -> String {
        let mut all = String::new();
        let mut ask = self.ask.clone();
        loop {
            let answer = match explore(caller, ask.clone()).await {
                Ok(answer) => answer,
                Err(error) => return error.to_string(),
            };
            tell(&answer, &mut all);
            if answer.next.is_none() && answer.next_consumers.is_none() {
                break;
            }
            // Where one list has ended, its last page is told again.
            ask.after = answer.next.or(ask.after);
            ask.consumers_after = answer.next_consumers.or(ask.consumers_after);
        }
        let folder = place(&world.test, "");
        let folder = folder.trim_end_matches('/');
        all.replace(folder, "<lake>").replace(&hex::encode(folder), "<lake>")
    }
}

/// All that an answer says, in its order and with its cursors.
fn tell(answer: &Answer, all: &mut String) {
    let holder = |holder: &Holder| name(holder);
    let start: Vec<String> = answer.start.iter().map(|target| target.address()).collect();
    let Answer { cut, total, n_consumers, next, next_consumers, .. } = answer;
    let _ = writeln!(all, "{start:?} {cut:?} {total:?} {n_consumers} {next:?} {next_consumers:?}");
    for count in &answer.counts {
        let domains = count.by_domain.iter();
        let domains = domains.map(|(domain, n)| (domain.as_ref().map(|domain| domain.path.to_string()), *n));
        let domains: Vec<_> = domains.collect();
        let _ = writeln!(all, "{} {} {domains:?} {}", count.distance, count.n_found, count.n_consumers);
    }
    for found in &answer.found {
        let _ = writeln!(
            all,
            "{} {} {:?} and {} edges more",
            found.distance,
            holder(&found.holder),
            found.part,
            found.n_more_edges
        );
        for edge in &found.edges {
            let by = match &edge.by {
                By::Principal(id) => id.to_string(),
                By::Product(known) => known.address(),
            };
            let end = |(node, column): &(Holder, Option<String>)| format!("{}#{column:?}", holder(node));
            let (from, to) = (end(&edge.from), end(&edge.to));
            let (kind, basis, standing, job, seen) = (edge.kind, edge.basis, edge.standing, &edge.job, &edge.seen);
            let _ = writeln!(all, "  {from} > {to} {kind:?} {basis:?} {standing:?} {job:?} {seen:?} by {by}");
        }
    }
    for consumer in &answer.consumers {
        let _ = writeln!(all, "{consumer:?}");
    }
}

#[tokio::test]
async fn what_is_hidden_changes_no_byte_of_an_answer() {
    let n_cases = testkit::number("CHARTER_LINEAGE_CASES").unwrap_or(N_CASES);
    let n_catalogs = n_cases.div_ceil(N_QUESTIONS);
    let (mut n_seen, mut n_bytes) = (0, 0);
    for seed in 1..=n_catalogs {
        let plan = Plan::new(seed);
        let (all, places) = World::make(&plan, None).await;
        let (without, _) = World::make(&plan, Some(&places)).await;
        let random = SeededRandom::new(!seed);
        let mut is_seen = false;
        for _ in 0..N_QUESTIONS {
            let question = Question::new(&random, &plan);
            let Question { caller, .. } = question;
            let told = question.told(&all, &all.callers[caller]).await;
            n_bytes += told.len();
            let expected = question.told(&without, &without.callers[caller]).await;
            assert_eq!(told, expected, "catalog {seed}, {question:?}, {plan:?}");
            // With the filter taken out, as for those who may know, the property does not hold.
            if !is_seen {
                let (one, other) = (question.told(&all, &all.insider), question.told(&without, &without.insider));
                is_seen = one.await != other.await;
            }
        }
        n_seen += u64::from(is_seen);
    }
    println!("{} questions about {n_catalogs} catalogs, {n_bytes} bytes of answers", n_catalogs * N_QUESTIONS);
    assert!(n_seen * 2 >= n_catalogs, "hidden products made a difference in {n_seen} catalogs only");
}
