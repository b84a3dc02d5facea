//! The command tree, as shown by its help.

use super::charter;

/// A command or a group of commands.
pub(crate) struct Node {
    /// The command and subcommand names.
    pub(crate) path: Vec<String>,
    /// The output of `--help`.
    pub(crate) help: String,
    is_group: bool,
}

/// One argument of a command.
#[derive(Debug)]
pub(crate) struct Argument {
    /// `--limit`, or `TABLE` for a positional argument.
    pub(crate) name: String,
    /// False for flags.
    pub(crate) has_value: bool,
    pub(crate) is_required: bool,
}

/// The whole tree, parents first.
pub(crate) fn nodes() -> Vec<Node> {
    below(&[])
}

/// The commands without subcommands.
pub(crate) fn leaves() -> Vec<Node> {
    nodes().into_iter().filter(|node| !node.is_group).collect()
}

fn below(path: &[String]) -> Vec<Node> {
    let help = help(path, "--help");
    let (_, listed) = help.split_once("Commands:\n").unwrap_or_default();
    // Continuation lines of a help text are indented further.
    let names = listed.lines().take_while(|line| line.starts_with("  ")).filter_map(|line| line[2..].split(' ').next());
    let names: Vec<String> = names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect();
    let mut nodes = vec![Node { path: path.to_vec(), help: help.clone(), is_group: !names.is_empty() }];
    nodes.extend(names.into_iter().flat_map(|name| below(&[path, &[name]].concat())));
    nodes
}

fn help(path: &[String], flag: &str) -> String {
    let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
    args.push(flag);
    let run = charter(&args);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{args:?}");
    run.stdout
}

impl Node {
    /// The path as one text.
    pub(crate) fn name(&self) -> String {
        self.path.join(" ")
    }

    /// All arguments except `--help`.
    pub(crate) fn arguments(&self) -> Vec<Argument> {
        // The short help has an argument's name and its text on one line.
        let help = help(&self.path, "-h");
        let (_, usage) = help.split_once("Usage: ").expect("a usage");
        let usage = usage.split("\n\n").next().unwrap_or_default();
        let indented = help.lines().filter_map(|line| {
            let text = line.trim_start();
            let is_entry = (2..=6).contains(&(line.len() - text.len())) && text.starts_with(['-', '<', '[']);
            is_entry.then_some(text)
        });
        indented.filter_map(|text| argument(text, usage)).collect()
    }
}

/// Parses `-d, --domain <DOMAIN>  Help`, `--json  Help`, `<FILE>...  Help`, `[SUBJECT]  Help`.
fn argument(text: &str, usage: &str) -> Option<Argument> {
    let spec = text.split("  ").next().unwrap_or_default();
    let mut words = spec.split(' ').skip_while(|word| word.ends_with(','));
    let first = words.next()?;
    if first.starts_with("--") {
        let is_required = usage.split(['\n', ' ']).any(|word| word == first);
        let has_value = words.next().is_some();
        return (first != "--help").then(|| Argument { name: first.to_owned(), has_value, is_required });
    }
    let name = first.trim_end_matches("...").trim_matches(['<', '>', '[', ']']).to_owned();
    Some(Argument { name, has_value: true, is_required: first.starts_with('<') })
}
