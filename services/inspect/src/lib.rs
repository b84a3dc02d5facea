//! Inspections outside of the server's process: what is said between server and `charter-worker`, and who starts it.
//!
//! [`wire`] holds the job and the report as JSON, with their limits; [`Launcher`] starts one worker for one job and
//! makes an [`InspectionError`](domain::inspection::InspectionError) of everything that is not a well-formed report. The
//! inspection itself is in `worker`, which nothing links.
//!
//! To add a field to the job or the report: the domain type in `domain::table`, its mirror in [`wire`] with both
//! conversions, then the worker.

mod launcher;
pub mod wire;

pub use launcher::Launcher;
