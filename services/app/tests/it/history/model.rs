//! Who may read which table now, as plainly as it can be said: the rules of `docs/rules.md` over lists and numbers, with
//! no code of the product. Two domains, in each two products; three folders, two in the first domain. Each product has
//! one contract with one table, and the gate mode `block`.

/// The people; the last is a service account of the first.
pub(crate) const N_PEOPLE: usize = 5;
pub(crate) const ROBOT: usize = 4;
pub(crate) const ROBOTS_PERSON: usize = 0;
pub(crate) const N_DOMAINS: usize = 2;
pub(crate) const N_PRODUCTS: usize = 4;
pub(crate) const N_FOLDERS: usize = 3;
/// How long a lease lasts, in minutes.
const LEASE_MINUTES: u64 = 60;

pub(crate) fn domain_of_product(product: usize) -> usize {
    product / 2
}

pub(crate) fn domain_of_folder(folder: usize) -> usize {
    usize::from(folder == 2)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Consumer,
    Publisher,
    Owner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Internal,
    Confidential,
    Restricted,
}

/// One step of a history. Numbers beyond what there is are taken modulo what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Publish { by: usize, product: usize, folder: usize, class: Class },
    Retire { by: usize, product: usize },
    Inspect { folder: usize, good: bool },
    Grant { to: usize, product: usize, by: usize },
    Revoke { by: usize, grant: usize },
    Assign { to: usize, domain: usize, role: Role },
    Unassign { from: usize, domain: usize, role: Role },
    Disable { whom: usize },
    Enable { whom: usize },
    Vend { to: usize, product: usize, repair: bool },
    Wait { minutes: u64 },
}

/// What a question about a table is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    NotFound,
    Shut,
    Open,
}

#[derive(Debug)]
struct Product {
    class: Class,
    folder: usize,
    retired: bool,
    /// Its contract version became active.
    active: bool,
    /// The newest batch that was judged for it, and whether it was good.
    judged: Option<(u64, bool)>,
}

/// Who consented to a product's use of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Owner,
    ConsentOf(usize),
    Nothing,
}

#[derive(Debug, Default)]
struct Folder {
    /// The products that are bound to it, with their rights.
    products: Vec<(usize, Right)>,
    /// The newest batch, and whether it is good.
    batch: Option<(u64, bool)>,
}

#[derive(Debug)]
struct Grant {
    to: usize,
    product: usize,
    revoked: bool,
}

/// Whether a lease opens its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Open,
    Ended,
}

#[derive(Debug)]
struct Lease {
    to: usize,
    product: usize,
    repair: bool,
    /// By this grant, else by a role.
    grant: Option<usize>,
    until: u64,
    ended: bool,
}

#[derive(Debug)]
pub(crate) struct Model {
    now: u64,
    enabled: [bool; N_PEOPLE],
    roles: Vec<(usize, usize, Role)>,
    products: [Option<Product>; N_PRODUCTS],
    folders: [Folder; N_FOLDERS],
    grants: Vec<Grant>,
    leases: Vec<Lease>,
}

impl Model {
    /// At first everybody is enabled and has these roles.
    pub(crate) fn new(roles: &[(usize, usize, Role)]) -> Self {
        Self {
            now: 0,
            enabled: [true; N_PEOPLE],
            roles: roles.to_vec(),
            products: [const { None }; N_PRODUCTS],
            folders: Default::default(),
            grants: Vec::new(),
            leases: Vec::new(),
        }
    }

    pub(crate) fn n_grants(&self) -> usize {
        self.grants.len()
    }

    pub(crate) fn n_leases(&self) -> usize {
        self.leases.len()
    }

    pub(crate) fn has_role(&self, who: usize, domain: usize, role: Role) -> bool {
        self.roles.contains(&(who, domain, role))
    }

    pub(crate) fn is_laid(&self, folder: usize) -> bool {
        !self.folders[folder].products.is_empty()
    }

    pub(crate) fn folder_of(&self, product: usize) -> Option<usize> {
        self.products[product].as_ref().map(|published| published.folder)
    }

    pub(crate) fn class_of(&self, product: usize) -> Option<Class> {
        self.products[product].as_ref().map(|published| published.class)
    }

    /// Whether somebody can act. A service account cannot without its person.
    fn acts(&self, who: usize) -> bool {
        self.enabled[who] && (who != ROBOT || self.enabled[ROBOTS_PERSON])
    }

    fn publishes(&self, who: usize, domain: usize) -> bool {
        self.has_role(who, domain, Role::Owner) || self.has_role(who, domain, Role::Publisher)
    }

    fn owns(&self, who: usize, domain: usize) -> bool {
        self.has_role(who, domain, Role::Owner)
    }

    fn holds_grant(&self, who: usize, product: usize) -> bool {
        self.grants.iter().any(|grant| grant.to == who && grant.product == product && !grant.revoked)
    }

    /// Whether somebody may know of something of this class in a product.
    fn knows(&self, who: usize, product: usize, class: Class) -> bool {
        let domain = domain_of_product(product);
        let in_domain = self.publishes(who, domain) || self.holds_grant(who, product);
        match class {
            Class::Internal => true,
            Class::Confidential => in_domain || self.has_role(who, domain, Role::Consumer),
            Class::Restricted => in_domain,
        }
    }

    fn retired(&self, product: usize) -> bool {
        self.products[product].as_ref().is_some_and(|product| product.retired)
    }

    fn owner_of(&self, folder: usize) -> Option<usize> {
        self.folders[folder].products.iter().find(|(_, right)| *right == Right::Owner).map(|(product, _)| *product)
    }

    /// Whether a product's binding to a folder stands.
    fn stands(&self, folder: usize, product: usize) -> bool {
        let Some(owner) = self.owner_of(folder) else { return false };
        match self.folders[folder].products.iter().find(|(other, _)| *other == product) {
            Some((_, Right::Owner)) => true,
            Some((_, Right::ConsentOf(who))) => {
                !self.retired(owner) && self.acts(*who) && self.owns(*who, domain_of_product(owner))
            }
            Some((_, Right::Nothing)) | None => false,
        }
    }

    fn is_live(&self, folder: usize, product: usize) -> bool {
        self.stands(folder, product) && !self.retired(product)
    }

    /// The highest class of the live bindings to a product's table, and at least its own.
    fn class_of_table(&self, product: usize) -> Class {
        let Some(published) = &self.products[product] else { return Class::Internal };
        let others = self.folders[published.folder].products.iter().map(|(other, _)| *other);
        let live = others.filter(|other| self.is_live(published.folder, *other));
        let classes = live.filter_map(|other| self.products[other].as_ref()).map(|other| other.class);
        classes.fold(published.class, Ord::max)
    }

    /// Whether somebody may bind another product to a folder that has a table.
    fn may_consent(&self, who: usize, folder: usize, product: usize) -> bool {
        let others = self.folders[folder].products.iter().filter(|(other, _)| *other != product);
        let mut asked = others.filter(|(other, right)| *right == Right::Owner || self.is_live(folder, *other));
        asked.all(|(other, _)| self.owns(who, domain_of_product(*other)))
    }

    /// Gives a product a right to a folder by consent of somebody who may.
    fn consent(&mut self, who: usize, folder: usize, product: usize) {
        let takes_over = self.owner_of(folder).is_some_and(|owner| self.retired(owner));
        let products = &mut self.folders[folder].products;
        products.retain(|(other, _)| *other != product);
        if takes_over {
            products.iter_mut().for_each(|(_, right)| *right = Right::Nothing);
        }
        products.push((product, if takes_over { Right::Owner } else { Right::ConsentOf(who) }));
    }

    /// The newest batch of a folder is judged for the bindings that stand and have not judged it.
    fn judge(&mut self, folder: usize) {
        let Some(batch) = self.folders[folder].batch else { return };
        for product in 0..N_PRODUCTS {
            let stands = self.stands(folder, product);
            let Some(published) = &mut self.products[product] else { continue };
            if stands && published.folder == folder {
                published.judged = Some(batch);
                published.active |= batch.1;
            }
        }
    }

    pub(crate) fn read(&self, who: usize, product: usize) -> Answer {
        let Some(published) = &self.products[product] else { return Answer::NotFound };
        if !self.knows(who, product, published.class) {
            return Answer::NotFound;
        }
        let has_right = self.holds_grant(who, product) || self.publishes(who, domain_of_product(product));
        let is_good = published.judged.is_some_and(|(_, good)| good);
        let open = self.acts(who)
            && self.knows(who, product, self.class_of_table(product))
            && has_right
            && !published.retired
            && published.active
            && is_good
            && self.stands(published.folder, product);
        if open { Answer::Open } else { Answer::Shut }
    }

    pub(crate) fn repair(&self, who: usize, product: usize) -> Answer {
        let Some(published) = &self.products[product] else { return Answer::NotFound };
        if !self.knows(who, product, published.class) {
            return Answer::NotFound;
        }
        let open = self.acts(who)
            && self.knows(who, product, self.class_of_table(product))
            && self.publishes(who, domain_of_product(product))
            && self.stands(published.folder, product);
        if open { Answer::Open } else { Answer::Shut }
    }

    /// Whether a lease opens its table at the gateway.
    pub(crate) fn fate(&self, lease: usize) -> Fate {
        let lease = &self.leases[lease];
        if lease.ended || self.now >= lease.until { Fate::Ended } else { Fate::Open }
    }

    /// Whether what a lease hangs on holds: its holder, the grant or the role it was issued by, the product, the binding,
    /// and that the holder may know of the data. What a batch is worth ends no lease.
    fn holds(&self, lease: &Lease) -> bool {
        let Some(published) = &self.products[lease.product] else { return false };
        let by_grant = lease.grant.is_some_and(|grant| !self.grants[grant].revoked);
        let by_role = lease.grant.is_none() && self.publishes(lease.to, domain_of_product(lease.product));
        self.acts(lease.to)
            && (by_grant || by_role)
            && (lease.repair || !published.retired)
            && self.stands(published.folder, lease.product)
            && self.knows(lease.to, lease.product, self.class_of_table(lease.product))
    }

    /// Takes a step.
    pub(crate) fn step(&mut self, step: Step) {
        match step {
            Step::Publish { by, product, folder, class } => self.publish(by, product, folder, class),
            Step::Retire { by, product } => {
                let may = self.acts(by) && self.owns(by, domain_of_product(product));
                if let Some(published) = self.products[product].as_mut().filter(|_| may) {
                    published.retired = true;
                }
            }
            Step::Inspect { folder, good } => {
                if self.is_laid(folder) {
                    let next = self.folders[folder].batch.map_or(0, |(batch, _)| batch + 1);
                    self.folders[folder].batch = Some((next, good));
                    self.judge(folder);
                }
            }
            Step::Grant { to, product, by } => self.grant(to, product, by),
            Step::Revoke { by, grant } => {
                let n_grants = self.grants.len();
                if n_grants > 0 && self.may_revoke(by, grant % n_grants) {
                    self.grants[grant % n_grants].revoked = true;
                }
            }
            Step::Assign { to, domain, role } => {
                if !self.has_role(to, domain, role) {
                    self.roles.push((to, domain, role));
                }
            }
            Step::Unassign { from, domain, role } => self.roles.retain(|held| *held != (from, domain, role)),
            Step::Disable { whom } => self.enabled[whom] = false,
            Step::Enable { whom } => self.enabled[whom] = true,
            Step::Vend { to, product, repair } => {
                let answer = if repair { self.repair(to, product) } else { self.read(to, product) };
                if answer == Answer::Open {
                    let by_role = repair || self.publishes(to, domain_of_product(product));
                    let granted = |grant: &Grant| grant.to == to && grant.product == product && !grant.revoked;
                    // Of several grants the one that ends last: the newest, and they are given one after the other.
                    let grant = if by_role { None } else { self.grants.iter().rposition(granted) };
                    let until = self.now + LEASE_MINUTES;
                    self.leases.push(Lease { to, product, repair, grant, until, ended: false });
                }
            }
            Step::Wait { minutes } => self.now += minutes,
        }
        let ended: Vec<bool> = self.leases.iter().map(|lease| lease.ended || !self.holds(lease)).collect();
        self.leases.iter_mut().zip(ended).for_each(|(lease, ended)| lease.ended = ended);
    }

    fn publish(&mut self, by: usize, product: usize, folder: usize, class: Class) {
        let domain = domain_of_product(product);
        if !self.acts(by) || !self.publishes(by, domain) {
            return;
        }
        let folder = self.products[product].as_ref().map_or(folder, |published| published.folder);
        match &self.products[product] {
            // A retired product does not come back, and the set is refused.
            Some(published) if published.retired => return,
            Some(published) => {
                let (old, new) = (published.class, class);
                let kept = if new < old && !self.owns(by, domain) { old } else { new };
                if let Some(published) = &mut self.products[product] {
                    published.class = kept;
                }
                let renews = !self.stands(folder, product) && self.may_consent(by, folder, product);
                if renews {
                    self.consent(by, folder, product);
                }
                if renews || kept != old {
                    self.judge(folder);
                }
                return;
            }
            None if self.is_laid(folder) => {
                if !self.may_consent(by, folder, product) {
                    return;
                }
                self.consent(by, folder, product);
            }
            None if domain_of_folder(folder) == domain => self.folders[folder].products.push((product, Right::Owner)),
            None => return,
        }
        self.products[product] = Some(Product { class, folder, retired: false, active: false, judged: None });
        self.judge(folder);
    }

    fn grant(&mut self, to: usize, product: usize, by: usize) {
        let Some(published) = &self.products[product] else { return };
        let is_open = !published.retired && published.active;
        let may_ask = self.acts(to)
            && self.knows(to, product, published.class)
            && self.knows(to, product, self.class_of_table(product));
        let person = |who: usize| if who == ROBOT { ROBOTS_PERSON } else { who };
        let may_answer = self.acts(by) && self.owns(by, domain_of_product(product)) && person(by) != person(to);
        if is_open && may_ask && may_answer {
            self.grants.push(Grant { to, product, revoked: false });
        }
    }

    /// Owners of the product, those of every other product whose binding to the table stands, and the holder with the
    /// person behind it.
    fn may_revoke(&self, by: usize, grant: usize) -> bool {
        let grant = &self.grants[grant];
        let Some(published) = &self.products[grant.product] else { return false };
        let mut products = self.folders[published.folder].products.iter().map(|(product, _)| *product);
        let is_owner = products.any(|product| {
            let counts = product == grant.product || self.stands(published.folder, product);
            counts && self.owns(by, domain_of_product(product))
        });
        let is_holder = by == grant.to || (grant.to == ROBOT && by == ROBOTS_PERSON);
        self.acts(by) && (is_owner || is_holder)
    }
}
