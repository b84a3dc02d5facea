//! A provider of credentials that does as the test says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::lease::{Credentials, GatewayCredentials, Order, Provision, Secret, VendError, Vendor, VendorDeadline};
use domain::pending::Pending;
use tokio::sync::Semaphore;

/// How the provider behaves when it is asked.
#[derive(Clone, Debug, Default)]
pub enum Behaviour {
    /// It makes credentials after a few turns of the scheduler.
    #[default]
    Prompt,
    /// It fails.
    Failing(VendError),
    /// It makes credentials once the test lets it go on.
    Held,
    /// It never answers.
    Silent,
}

/// A provider under the test's control.
#[derive(Debug)]
pub struct FakeVendor {
    deadline: Duration,
    behaviour: Mutex<Behaviour>,
    asked: Semaphore,
    go_on: Semaphore,
    n_asked: AtomicUsize,
}

impl FakeVendor {
    /// A prompt provider with a deadline.
    pub fn new(deadline: Duration) -> Self {
        Self {
            deadline,
            behaviour: Mutex::default(),
            asked: Semaphore::new(0),
            go_on: Semaphore::new(0),
            n_asked: AtomicUsize::new(0),
        }
    }

    /// Sets how it behaves from now on.
    pub fn set(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// Waits until it has been asked once more.
    pub async fn asked(&self) {
        self.asked.acquire().await.expect("never closed").forget();
    }

    /// Lets one held answer go on.
    pub fn go_on(&self) {
        self.go_on.add_permits(1);
    }

    /// How often it was asked.
    pub fn n_asked(&self) -> usize {
        self.n_asked.load(Ordering::SeqCst)
    }

    async fn answer(&self, order: Order<'_>) -> Result<Credentials, VendError> {
        let n_before = self.n_asked.fetch_add(1, Ordering::SeqCst);
        self.asked.add_permits(1);
        let behaviour = self.behaviour.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match behaviour {
            Behaviour::Prompt => {
                for _ in 0..n_before % 50 {
                    tokio::task::yield_now().await;
                }
            }
            Behaviour::Failing(error) => return Err(error),
            Behaviour::Held => self.go_on.acquire().await.expect("never closed").forget(),
            Behaviour::Silent => std::future::pending().await,
        }
        Ok(Credentials::Gateway(GatewayCredentials {
            access_key_id: format!("provider-{}", order.lease.id),
            secret_access_key: Secret::new("a provider's secret".to_owned()),
            session_token: Secret::new("a provider's token".to_owned()),
            endpoint: "https://provider.example".to_owned(),
            region: "moon-1".to_owned(),
            table_uri: format!("provider://{}", order.location),
        }))
    }
}

impl Vendor for FakeVendor {
    fn provision(&self) -> Provision {
        Provision::Provider { deadline: VendorDeadline::new(self.deadline) }
    }

    fn vend<'a>(&'a self, order: Order<'a>) -> Pending<'a, Result<Credentials, VendError>> {
        Box::pin(self.answer(order))
    }
}
