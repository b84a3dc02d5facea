//! The address of a client, in front of which proxies stand.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};
use http_base::connections::peer::Proxies;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_request_comes_from_the_client_that_the_nearest_proxy_names() {
    let proxies = Proxies::new(&[address("10.0.0.1"), address("127.0.0.1"), address("2001:db8::1")]);
    let check = |peer: &str, forwarded: &[&str], expected: Option<&str>| {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        assert_eq!(proxies.of_request(address(peer), &headers), expected.map(address), "{peer} {forwarded:?}");
    };
    // Not from a proxy: the header is the client's own.
    check("203.0.113.9", &[], Some("203.0.113.9"));
    check("203.0.113.9", &["198.51.100.1"], Some("203.0.113.9"));
    // From a proxy: the last address that is not a proxy's.
    check("10.0.0.1", &["198.51.100.1"], Some("198.51.100.1"));
    check("10.0.0.1", &["192.0.2.66, 198.51.100.1"], Some("198.51.100.1"));
    check("10.0.0.1", &["192.0.2.66", "198.51.100.1, 127.0.0.1"], Some("198.51.100.1"));
    check("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], Some("198.51.100.1"));
    check("2001:db8::1", &["2001:db8:1:2:3:4:5:6"], Some("2001:db8:1:2::"));
    // What a client sends in front of it may be no text.
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", HeaderValue::from_bytes(b"\xff, 198.51.100.1").unwrap());
    assert_eq!(proxies.of_request(address("10.0.0.1"), &headers), Some(address("198.51.100.1")));
    assert_eq!(Proxies::new(&[address("::ffff:10.0.0.1")]), Proxies::new(&[address("10.0.0.1")]));
    // Unknown: the header is missing, or no address.
    for forwarded in [&[][..], &["unknown"], &["198.51.100.1, unknown"], &[""], &["10.0.0.1"], &["127.0.0.1"]] {
        check("10.0.0.1", forwarded, None);
    }
}

#[test]
fn clients_of_the_machine_itself_have_no_address_of_their_own() {
    let headers = HeaderMap::new();
    for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(Proxies::default().of_request(address(peer), &headers), None, "{peer}");
    }
}
