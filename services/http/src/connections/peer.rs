//! The address of a client.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::HeaderMap;

/// The header in which proxies record the clients in front of them, the nearest one last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address at the other end of a connection. Handlers find it among a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The proxies in front of the server. Limits per address apply to the clients behind them instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Arc<[IpAddr]>);

impl Proxies {
    /// Proxies by their addresses.
    pub fn new(addresses: &[IpAddr]) -> Self {
        Self(addresses.iter().map(IpAddr::to_canonical).collect())
    }

    /// The address whose share a connection counts for; `None` for a proxy, whose connections are those of many clients.
    pub fn of_connection(&self, peer: IpAddr) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        (!self.0.contains(&peer)).then(|| network(peer))
    }

    /// The address that a request comes from: that of the connection, or what the nearest proxy says. What clients and foreign
    /// proxies say themselves is not trusted. `None` if it is unknown or the machine's own.
    pub fn of_request(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let mut address = peer.to_canonical();
        if self.0.contains(&address) {
            // By bytes: the client's own part of a value may be no text.
            let forwarded =
                headers.get_all(FORWARDED_FOR).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
            let forwarded: Vec<&[u8]> = forwarded.collect();
            let addresses = forwarded.into_iter().rev().map_while(|text| {
                let text = std::str::from_utf8(text).ok()?;
                text.trim().parse::<IpAddr>().ok()
            });
            address = addresses.map(|address| address.to_canonical()).find(|address| !self.0.contains(address))?;
        }
        (!address.is_loopback()).then(|| network(address))
    }
}

/// The address, or the network that one client of IPv6 has for itself.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}
