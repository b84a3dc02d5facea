//! `charter-worker`: looks at one snapshot of one table and reports what it found.

fn main() {}
