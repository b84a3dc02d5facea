//! Tokens in headers.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use http_base::sign_in::{basic_password, bearer_token};

#[test]
fn a_token_is_read_from_exactly_one_header() {
    check(&["Bearer abc"], Some("abc"), None);
    check(&["bearer abc"], Some("abc"), None);
    check(&["BEARER   abc  "], Some("abc"), None);
    check(&["Basic dXNlcjp0b2tlbg=="], None, Some("token"));
    check(&["bAsIc  dXNlcjp0OmsgZW4="], None, Some("t:k en"));
    check(&["Basic OnRva2Vu"], None, Some("token"));
    for values in [
        vec![],
        vec![""],
        vec!["Bearer"],
        vec!["Bearer "],
        vec!["Bearer    "],
        vec!["Bearer\tabc"],
        vec!["Bearerabc"],
        vec!["abc"],
        vec!["Token abc"],
        vec!["Bearer \u{fc}"],
        vec!["Basic"],
        vec!["Basic "],
        vec!["Basic !"],
        // A user without a password, an empty password, and text that is not UTF-8.
        vec!["Basic dXNlcg=="],
        vec!["Basic Og=="],
        vec!["Basic /zr/"],
        vec!["Bearer abc", "Bearer abc"],
        vec!["Bearer abc", "Basic dXNlcjp0b2tlbg=="],
        vec!["Basic dXNlcjp0b2tlbg==", "Bearer abc"],
    ] {
        check(&values, None, None);
    }
}

#[track_caller]
fn check(values: &[&str], token: Option<&str>, password: Option<&str>) {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    assert_eq!(bearer_token(&headers).as_deref(), token, "{values:?}");
    assert_eq!(basic_password(&headers).as_deref(), password, "{values:?}");
}
