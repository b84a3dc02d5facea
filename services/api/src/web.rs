//! The web page, and where browsers reach it.

use http_base::site::Site;
use page::Page;

/// The web page, and where browsers reach it.
#[derive(Clone, Debug)]
pub struct Web {
    /// Where browsers reach the server.
    pub site: Site,
    /// The page.
    pub page: Page,
}
