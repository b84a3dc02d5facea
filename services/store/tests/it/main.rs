//! The tests of `store`. What both databases must do is in functions that take a [`World`]; `suite!` runs each of them
//! on SQLite and on PostgreSQL.

mod audit;
mod catalog;
mod gate;
mod group;
mod open;
mod races;
mod schema;
mod transaction;
mod work;
mod world;

// `testkit` builds on this crate and all above it, so its harness is taken by path.
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
