//! Open leases and their file lists.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use domain::id::LeaseId;

use crate::lease::OpenLease;
use crate::lease::file_list::FileList;

/// Open leases, kept for as long as the access revision stands: every revoke moves it.
#[derive(Default)]
pub(crate) struct LeaseCache(pub(crate) Mutex<HashMap<LeaseId, (i64, Arc<OpenLease>)>>);

/// How many open leases are kept.
pub(crate) const MAX_LEASES: usize = 10_000;

/// File lists in use, by digest: leases on one snapshot share one list, which is dropped with the last of them.
#[derive(Default)]
pub(crate) struct FileLists(pub(crate) Mutex<HashMap<String, Weak<FileList>>>);
