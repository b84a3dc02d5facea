//! What `docs/rules.md` repeats of the code: the tables in its sections "Changes of a contract" and "Open leases".

use domain::change::{Rule, Settlement};
use domain::gate::Code;

const RULES: &str = include_str!("../../../../docs/rules.md");

#[test]
fn the_documented_rules_of_changes_are_those_of_the_code() {
    let (_, section) = RULES.split_once("## 7. Changes of a contract").expect("the section");
    let documented: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .map(|cells: Vec<&str>| match cells[..] {
            [word, row, _, history, consumer, bump, settled_by] => vec![word, row, history, consumer, bump, settled_by],
            _ => panic!("a row of the table has seven cells: {cells:?}"),
        })
        .collect();
    let yes_or_no = |holds: bool| if holds { "yes" } else { "no" }.to_owned();
    let expected: Vec<Vec<String>> = Rule::ALL
        .iter()
        .map(|rule| {
            let judgement = rule.judgement();
            let settled_by = match rule.settled_by() {
                Settlement::Nothing => "",
                Settlement::Proof => "a proof over the data",
                Settlement::Widening => "`allowWidening`",
                Settlement::Readers => "every reader declares support",
            };
            vec![
                format!("`{rule}`"),
                rule.row().map_or_else(String::new, |row| row.to_string()),
                yes_or_no(judgement.history_safe),
                yes_or_no(judgement.consumer_safe),
                judgement.bump.as_str().to_uppercase(),
                settled_by.to_owned(),
            ]
        })
        .collect();
    assert_eq!(documented, expected, "docs/rules.md, Changes of a contract");
}

#[test]
fn the_documented_fates_of_open_leases_are_those_of_the_code() {
    let (_, section) = RULES.split_once("### Open leases").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("the next section");
    let documented: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
    let row = |code: &Code| code.fate().map(|fate| format!("| `{code}` | {} | {fate} |", code.meaning()));
    let expected: Vec<String> = Code::ALL.iter().filter_map(row).collect();
    assert_eq!(documented, expected, "docs/rules.md, Open leases; its rows are\n{}", expected.join("\n"));
}
