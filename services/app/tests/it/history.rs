//! Random histories against a small model of who may read which table ([`model`]): after each step some questions, and
//! at the end all of them, are asked of the gate and of the model, and every lease of the gateway.
//!
//! `CHARTER_HISTORIES` sets how many are played on SQLite, `CHARTER_HISTORIES_POSTGRES` on PostgreSQL; without it as many
//! as a few seconds allow. `CHARTER_HISTORY_SEED` sets with which one to begin. A difference is told with its seed and
//! the shortest history that shows it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

mod model;
mod player;

use std::time::{Duration, Instant};

use domain::identity::PlatformRole;
use testkit::app::TestApp;
use testkit::clock::SeededRandom;
use testkit::number;

use self::model::{Class, N_DOMAINS, N_FOLDERS, N_PEOPLE, Role, Step};
use self::player::Player;

/// The most steps of a history.
const N_STEPS: u64 = 24;
/// How many histories are played where none is asked for: so many for so long, then as long as time allows.
const N_AT_LEAST: u64 = 40;
const N_AT_MOST: u64 = 300;
const AT_LEAST: Duration = Duration::from_secs(15);
/// How many histories are played on one application: its lists grow with each.
const N_ON_ONE: u64 = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gate_and_the_model_agree_on_sqlite() {
    play_all("CHARTER_HISTORIES", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gate_and_the_model_agree_on_postgres() {
    play_all("CHARTER_HISTORIES_POSTGRES", true).await;
}

async fn play_all(variable: &str, on_postgres: bool) {
    let asked = number(variable);
    let first = number("CHARTER_HISTORY_SEED").unwrap_or(0);
    let began = Instant::now();
    let (mut app, mut counts, mut n_played) = (None, player::Counts::default(), 0_u64);
    for seed in first..first + asked.unwrap_or(N_AT_MOST) {
        if asked.is_none() && n_played >= N_AT_LEAST && began.elapsed() > AT_LEAST {
            break;
        }
        n_played += 1;
        if (seed - first).is_multiple_of(N_ON_ONE) {
            let Some(next) = start(on_postgres).await else { return };
            app = Some(next);
        }
        let app = app.as_ref().unwrap();
        let steps = steps(seed);
        if let Err(difference) = Player::new(app, seed).await.play(&steps, &mut counts).await {
            let (steps, difference) = shortest(on_postgres, seed, steps, difference).await;
            panic!("seed {seed}: {difference}\nafter {steps:#?}");
        }
        if n_played.is_multiple_of(1_000) {
            println!("{n_played} histories after {:.0?}: {counts:?}", began.elapsed());
        }
    }
    println!("{n_played} histories from seed {first} in {:.0?}: {counts:?}", began.elapsed());
    assert!(n_played < N_AT_LEAST || counts.are_all_met(), "something never happened: {counts:?}");
}

async fn start(on_postgres: bool) -> Option<TestApp> {
    let app = match on_postgres {
        true => TestApp::start_on(Some(testkit::postgres::Server::shared()?.database())).await,
        false => TestApp::start().await,
    };
    // A steward may have tables inspected wherever they are.
    app.assign_platform("admin", PlatformRole::Steward).await;
    Some(app)
}

/// Leaves out every step without which the difference remains.
async fn shortest(on_postgres: bool, seed: u64, mut steps: Vec<Step>, mut difference: String) -> (Vec<Step>, String) {
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        let Some(app) = start(on_postgres).await else { break };
        match Player::new(&app, seed).await.play(&fewer, &mut player::Counts::default()).await {
            Err(still) => (steps, difference) = (fewer, still),
            Ok(()) => at += 1,
        }
    }
    (steps, difference)
}

/// The steps of a history: always the same of a seed.
fn steps(seed: u64) -> Vec<Step> {
    let random = Dice(SeededRandom::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let n_steps = 8 + random.below(N_STEPS - 7);
    (0..n_steps).map(|n| random.step(n)).collect()
}

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, bound: u64) -> u64 {
        self.index(usize::try_from(bound).unwrap()) as u64
    }

    fn index(&self, bound: usize) -> usize {
        self.0.below(bound)
    }

    fn class(&self) -> Class {
        [Class::Internal, Class::Internal, Class::Confidential, Class::Restricted][self.index(4)]
    }

    fn role(&self) -> Role {
        [Role::Owner, Role::Owner, Role::Publisher, Role::Consumer][self.index(4)]
    }

    /// Two products more often than the others: those that share a table in most histories.
    fn product(&self) -> usize {
        [0, 0, 0, 2, 2, 2, 1, 3][self.index(8)]
    }

    /// Those who own something more often than the others.
    fn owner(&self) -> usize {
        [0, 1, 2, 2, self.index(N_PEOPLE)][self.index(5)]
    }

    fn folder(&self) -> usize {
        [0, 0, 0, 1, 2][self.index(5)] % N_FOLDERS
    }

    fn step(&self, n: u64) -> Step {
        let (who, product, owner, domain) = (self.index(N_PEOPLE), self.product(), self.owner(), self.index(N_DOMAINS));
        // A history begins with a table, mostly a shared one.
        match n {
            0 => return Step::Publish { by: 2, product: 0, folder: 0, class: self.class() },
            1 => return Step::Publish { by: owner, product: 2, folder: 0, class: self.class() },
            2 => return Step::Inspect { folder: 0, good: self.below(8) > 0 },
            _ => {}
        }
        match self.below(36) {
            0..=3 => Step::Publish { by: self.owner(), product, folder: self.folder(), class: self.class() },
            4 => Step::Retire { by: owner, product },
            5..=7 => Step::Inspect { folder: self.folder(), good: self.below(4) > 0 },
            8..=13 => Step::Grant { to: who, product, by: owner },
            14..=15 => Step::Revoke { by: who, grant: self.index(8) },
            16..=18 => Step::Assign { to: who, domain, role: self.role() },
            19..=22 => Step::Unassign { from: self.owner(), domain, role: self.role() },
            23 => Step::Disable { whom: who },
            24 => Step::Enable { whom: who },
            25..=34 => Step::Vend { to: who, product, repair: self.below(4) == 0 },
            _ => Step::Wait { minutes: 25 },
        }
    }
}
