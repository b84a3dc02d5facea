//! Where browsers reach the server, and what that decides: the session cookie, and which requests come from our own page.
//!
//! A browser sends a cookie with requests that any page makes. So a request that signs in with one has to prove that our page
//! made it, in three ways that another page cannot bring about: a header of its own, which needs the server's consent from
//! elsewhere; `Sec-Fetch-Site`; and `Origin`. Each of them is enough; all are required.

use domain::clock::{Clock, Timestamp};
use http::HeaderMap;
use http::header::{COOKIE, HOST, HeaderName, HeaderValue, InvalidHeaderValue, ORIGIN};

use crate::problem::Problem;

/// The header that only our page sends.
pub const PAGE: HeaderName = HeaderName::from_static("x-charter");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where browsers reach the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// The origin of the public address, such as `https://charter.example.org`; the `Host` of each request where there is
    /// none.
    origin: Option<String>,
    is_https: bool,
}

impl Site {
    /// At a public address with this origin, as browsers write it.
    pub fn at(origin: String) -> Self {
        let is_https = origin.starts_with("https://");
        Self { origin: Some(origin), is_https }
    }

    /// At the host that each request names.
    pub fn of_host(is_https: bool) -> Self {
        Self { origin: None, is_https }
    }

    /// The name of the session cookie. With TLS it has the prefix that browsers accept from this host alone, with `Secure`.
    pub fn cookie_name(&self) -> &'static str {
        if self.is_https { "__Host-charter_session" } else { "charter_session" }
    }

    /// The secret in the session cookie, if the request has exactly one: of two, another page of the domain may have set the
    /// one that is used here.
    pub fn session_secret(&self, headers: &HeaderMap) -> Option<String> {
        let name = self.cookie_name();
        let pairs =
            headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
        let mut secrets = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(cookie, _)| *cookie == name);
        match (secrets.next(), secrets.next()) {
            (Some((_, secret)), None) => Some(secret.to_owned()).filter(|secret| !secret.is_empty()),
            _ => None,
        }
    }

    /// The value of `Set-Cookie` that begins a session.
    ///
    /// # Errors
    /// For a secret that no header can hold.
    pub fn session_cookie(
        &self,
        secret: &str,
        ends_at: Timestamp,
        clock: &dyn Clock,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        let mut cookie = self.cookie(secret, ends_at.since(clock.now()).as_secs()).parse::<HeaderValue>()?;
        cookie.set_sensitive(true);
        Ok(cookie)
    }

    /// The value of `Set-Cookie` that ends a session in the browser.
    pub fn ended_cookie(&self) -> HeaderValue {
        let ended = self.cookie("", 0);
        ended.parse().unwrap_or(HeaderValue::from_static(""))
    }

    fn cookie(&self, secret: &str, max_age: u64) -> String {
        let secure = if self.is_https { "; Secure" } else { "" };
        format!("{}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={max_age}{secure}", self.cookie_name())
    }

    /// Goes on only if our own page made the request.
    ///
    /// # Errors
    /// [`Problem::ForeignOrigin`].
    pub fn require_own_page(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if only(headers, &PAGE) != Some("page") {
            return Err(Problem::ForeignOrigin("send the header `x-charter: page`, or sign in with a bearer token"));
        }
        let sites = headers.get_all(SEC_FETCH_SITE).iter();
        if sites.into_iter().any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none")) {
            return Err(Problem::ForeignOrigin("`Sec-Fetch-Site` is another site's"));
        }
        let origin = only(headers, &ORIGIN);
        if origin.is_none() || origin != self.own_origin(headers).as_deref() {
            return Err(Problem::ForeignOrigin(
                "`Origin` is not the address of this server: open the page there, or set `http.address` in `charter.toml`",
            ));
        }
        Ok(())
    }

    /// The origin of our page, as the browser of a request sees it.
    fn own_origin(&self, headers: &HeaderMap) -> Option<String> {
        match &self.origin {
            Some(origin) => Some(origin.clone()),
            None => {
                let scheme = if self.is_https { "https" } else { "http" };
                only(headers, &HOST).map(|host| format!("{scheme}://{}", host.to_ascii_lowercase()))
            }
        }
    }
}

/// The value of a header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
