//! Inspections in a separate process: the messages between the server and `charter-worker`, and its launcher.
//!
//! [`wire`] defines the job and the report as JSON, with their limits. [`Launcher`] starts one worker per job and turns
//! anything but a valid report into an [`InspectionError`](domain::inspection::InspectionError). The inspection itself is in
//! `worker`, a program that no other crate links.
//!
//! To add a field to the job or the report: the domain type in `domain::table`, its mirror in [`wire`] with both
//! conversions, then the worker.

mod launcher;
pub mod wire;

pub use launcher::Launcher;
