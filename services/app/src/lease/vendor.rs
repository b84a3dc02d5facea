//! The gateway's own vendor.

use domain::lease::{Credentials, GatewayCredentials, Order, Provision, VendError, Vendor};
use domain::pending::Pending;

use super::{LeaseCredentials, LeaseSecrets};

/// Derives credentials for the gateway. It needs no provider.
#[derive(Clone, Debug)]
pub struct GatewayVendor {
    /// The secrets that the gateway checks.
    pub secrets: LeaseSecrets,
    /// The gateway's URL.
    pub endpoint: String,
    /// The region to name.
    pub region: String,
}

impl Vendor for GatewayVendor {
    fn provision(&self) -> Provision {
        Provision::Local
    }

    fn vend<'a>(&'a self, order: Order<'a>) -> Pending<'a, Result<Credentials, VendError>> {
        let LeaseCredentials { access_key_id, secret_access_key, session_token } =
            self.secrets.credentials(order.lease.id);
        let credentials = GatewayCredentials {
            access_key_id,
            secret_access_key,
            session_token,
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            table_uri: domain::s3::table_uri(order.lease.table_id),
        };
        Box::pin(std::future::ready(Ok(Credentials::Gateway(credentials))))
    }
}
