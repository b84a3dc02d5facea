//! The tests of `store`. What both databases must do is in functions that take a [`World`]; `suite!` runs each of them
//! on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod audit;
mod catalog;
mod column_reads;
mod gate;
mod group;
mod json;
mod lineage;
mod notice;
mod open;
mod outbox;
mod overrides;
mod races;
mod registry;
mod schema;
mod share;
mod table;
mod transaction;
mod work;
mod world;

// `testkit` builds on this crate and all above it; taken by path, its harness makes these tests wait for none of them.
#[expect(unreachable_pub, reason = "public in `testkit`")]
#[path = "../../../testkit/src/postgres.rs"]
mod postgres;

use world::World;

/// Makes two tests of each function, `sqlite::name` and `postgres::name`.
macro_rules! suite {
    ($($name:ident,)+) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(crate::World::on_sqlite().await).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(world) = crate::World::on_postgres().await {
                        super::$name(world).await;
                    }
                }
            )+
        }
    };
}
pub(crate) use suite;
