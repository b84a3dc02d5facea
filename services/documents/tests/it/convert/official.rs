//! The standards' own examples, into every target and back.

use documents::convert::{Target, export};

use super::{TARGETS, holds_one, imported, objects, options, parsed_by_its_target};
use crate::shared;

#[test]
fn official_examples_are_exported_byte_for_byte() {
    for (name, text) in shared::examples() {
        let exported =
            export(text.as_bytes(), Target::Odcs, None).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        assert!(exported.text == text, "{name}");
        assert!(exported.lost.is_empty() && exported.changed.is_empty());
    }
}

#[test]
fn official_examples_are_what_each_target_can_read() {
    let mut n_exports = 0;
    for (name, text) in shared::examples().into_iter().filter(|(name, _)| name.contains(".odcs.")) {
        // One of the examples has a hundred tables; each target sees all of them at once below, where it can.
        for object in objects(&text).into_iter().take(8) {
            for (target, source) in TARGETS {
                let exported = export(text.as_bytes(), target, Some(&object));
                let exported = exported.unwrap_or_else(|problems| panic!("{name} {target:?}: {problems:#?}"));
                parsed_by_its_target(target, &exported.text);
                if let Some(source) = source {
                    imported(source, &exported.text, &options());
                }
                n_exports += 1;
            }
        }
        // Targets that hold several objects hold all of them.
        for (target, _) in TARGETS.iter().filter(|(target, _)| !holds_one(*target)) {
            match export(text.as_bytes(), *target, None) {
                Ok(exported) => parsed_by_its_target(*target, &exported.text),
                Err(problems) => assert!(objects(&text).is_empty(), "{name} {target:?}: {problems:#?}"),
            }
        }
    }
    println!("{n_exports} exports were read");
}
