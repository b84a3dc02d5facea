//! Protobuf schemas that are taken: with options that nothing declares, and as large as an honest megabyte.

use std::collections::BTreeMap;

use documents::protobuf::{Error, MAX_BYTES, canonical, normalise, parse, serialized};
use domain::change::message::all_compatible;
use domain::change::protobuf::compare;

use crate::shared;

#[test]
fn options_that_nothing_declares_are_taken_and_kept() {
    let text = r#"
syntax = "proto3";
package a;
import "other.proto";
option (lint.file) = LOUD;
message T {
  option (some_ref) = "x";
  option (rules.of).message.cel = { id:   "i", /* why */ expression: 'this > 1' };
  string a = 1 [(validate.rules).string.min_len = 3, deprecated = true, (gt) = -1.5];
  oneof o { option (one) = true; int32 b = 2 [(x) = -7]; }
  map<string, int32> m = 3 [(y) = {}];
  enum E { option (named) = 1; A = 0 [(z) = "q\"t"]; }
}
service S { option (s) = 1; rpc Get (T) returns (T) { option (http) = { get: "/v1" }; } }
"#;
    let other = "syntax = 'proto3'; package other; message O { option (un.known) = 1; }";
    let imports = [("other.proto".to_owned(), other.to_owned())].into();
    let printed = canonical(text, &imports).unwrap();
    for line in [
        "option (lint.file) = LOUD;\n",
        "  option (some_ref) = \"x\";\n  option (rules.of).message.cel = { id : \"i\" , expression : \"this > 1\" };\n",
        "  string a = 1 [deprecated = true, (validate.rules).string.min_len = 3, (gt) = -1.5];\n",
        "    option (one) = true;\n    int32 b = 2 [(x) = -7];\n",
        "  map<string, int32> m = 3 [(y) = {}];\n",
        "    option (named) = 1;\n    A = 0 [(z) = \"q\\\"t\"];\n",
        "  option (s) = 1;\n",
        "    option (http) = { get : \"/v1\" };\n",
    ] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
    assert_eq!(canonical(&printed, &imports).unwrap(), printed, "the canonical text is its own");
    let normal = normalise(text, &imports).unwrap();
    assert_eq!(normalise(&printed, &imports).unwrap(), normal);
    assert!(normal.contains("[deprecated = true, (gt) = -1.5, (validate.rules).string.min_len = 3]"), "{normal}");
    assert_ne!(canonical(&text.replace("\"x\"", "\"y\""), &imports).unwrap(), printed, "an option is part of the text");
    serialized(text, &imports).unwrap();
    // What is declared is still judged by the compiler, and so is what is no custom option.
    let declared = "syntax = 'proto3'; import 'google/protobuf/descriptor.proto'; \
                    extend google.protobuf.MessageOptions { int32 size = 50001; } message T { option (size) = ";
    canonical(&format!("{declared} 1; }}"), &BTreeMap::new()).unwrap();
    for wrong in [
        format!("{declared} 'large'; }}"),
        "syntax = 'proto3'; message T { option some_ref = 'x'; }".to_owned(),
        "syntax = 'proto3'; message T { option (some_ref) = 'x'; Missing a = 1; }".to_owned(),
    ] {
        let error = canonical(&wrong, &BTreeMap::new()).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    }
    if let Some(folder) = shared::folder("cases/registry/06-undeclared-option") {
        let text = std::fs::read_to_string(folder.join("schema.proto")).unwrap();
        assert!(canonical(&text, &BTreeMap::new()).unwrap().contains("option (some_ref) = \"x\";"));
    }
}

/// What the limits are for: `docs/registry.md`.
#[test]
fn a_megabyte_of_honest_schema_is_read() {
    let messages: String = (0..3_000)
        .map(|n| {
            let fields: String = (1..=13).map(|n| format!("  string column_{n} = {n};\n")).collect();
            format!("message Event{n} {{\n{fields}}}\n")
        })
        .collect();
    let constants: String = (0..60_000).map(|n| format!("  CODE_{n} = {n};\n")).collect();
    for body in [messages, format!("enum Code {{\n{}}}\n", &constants[..900_000].rsplit_once('\n').unwrap().0)] {
        let text = format!("syntax = \"proto3\";\n{body}");
        assert!((850_000..=MAX_BYTES).contains(&text.len()), "{} bytes", text.len());
        let printed = canonical(&text, &BTreeMap::new()).unwrap();
        assert!(printed.len() > 800_000);
        let schema = parse(&text, &BTreeMap::new()).unwrap();
        assert!(all_compatible(&compare(&schema, &schema).unwrap()));
    }
}
