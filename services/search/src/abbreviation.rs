//! Abbreviations that names in data warehouses use, and English words that say nothing alone.

/// Short form and full form. Both are found by both.
const ABBREVIATIONS: &[(&str, &str)] = &[
    ("acct", "account"),
    ("addr", "address"),
    ("agg", "aggregate"),
    ("agg", "aggregates"),
    ("amt", "amount"),
    ("app", "application"),
    ("attr", "attribute"),
    ("auth", "authentication"),
    ("avg", "average"),
    ("bal", "balance"),
    ("cat", "category"),
    ("cfg", "configuration"),
    ("cmd", "command"),
    ("cnt", "count"),
    ("conf", "configuration"),
    ("config", "configuration"),
    ("cust", "customer"),
    ("db", "database"),
    ("dept", "department"),
    ("desc", "description"),
    ("dest", "destination"),
    ("dev", "development"),
    ("dim", "dimension"),
    ("dist", "distance"),
    ("doc", "document"),
    ("dt", "date"),
    ("dur", "duration"),
    ("emp", "employee"),
    ("env", "environment"),
    ("err", "error"),
    ("est", "estimate"),
    ("evt", "event"),
    ("evts", "events"),
    ("exp", "experiment"),
    ("ext", "external"),
    ("freq", "frequency"),
    ("geo", "geography"),
    ("grp", "group"),
    ("hist", "history"),
    ("id", "identifier"),
    ("img", "image"),
    ("info", "information"),
    ("int", "internal"),
    ("inv", "invoice"),
    ("lang", "language"),
    ("lat", "latitude"),
    ("loc", "location"),
    ("lon", "longitude"),
    ("max", "maximum"),
    ("meta", "metadata"),
    ("mgmt", "management"),
    ("mgr", "manager"),
    ("min", "minimum"),
    ("mkt", "market"),
    ("msg", "message"),
    ("msgs", "messages"),
    ("num", "number"),
    ("obj", "object"),
    ("ord", "order"),
    ("org", "organization"),
    ("param", "parameter"),
    ("params", "parameters"),
    ("pct", "percent"),
    ("perf", "performance"),
    ("pers", "person"),
    ("pmt", "payment"),
    ("pos", "position"),
    ("prev", "previous"),
    ("prod", "product"),
    ("prod", "production"),
    ("prof", "profile"),
    ("qty", "quantity"),
    ("rec", "record"),
    ("ref", "reference"),
    ("reg", "registration"),
    ("rel", "release"),
    ("req", "request"),
    ("resp", "response"),
    ("rev", "revenue"),
    ("seq", "sequence"),
    ("sess", "session"),
    ("src", "source"),
    ("stat", "statistic"),
    ("stats", "statistics"),
    ("stg", "staging"),
    ("subs", "subscriptions"),
    ("tbl", "table"),
    ("temp", "temporary"),
    ("tmp", "temporary"),
    ("tot", "total"),
    ("trans", "transaction"),
    ("ts", "timestamp"),
    ("txn", "transaction"),
    ("txns", "transactions"),
    ("usr", "user"),
    ("val", "value"),
    ("ver", "version"),
    ("vol", "volume"),
];

const STOP_WORDS: &[&str] = &[
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been", "before", "but",
    "by", "can", "could", "did", "do", "does", "each", "every", "for", "from", "had", "has", "have", "having", "he",
    "her", "his", "how", "i", "if", "in", "into", "is", "it", "its", "many", "may", "me", "more", "most", "much",
    "must", "my", "no", "not", "of", "off", "on", "or", "our", "out", "over", "per", "she", "should", "so", "some",
    "such", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "under",
    "up", "us", "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom", "whose", "why", "will",
    "with", "would", "you", "your",
];

/// The other forms of a word.
pub(crate) fn other_forms(word: &str) -> impl Iterator<Item = &'static str> {
    ABBREVIATIONS.iter().filter_map(move |(short, full)| match word {
        word if word == *short => Some(*full),
        word if word == *full => Some(*short),
        _ => None,
    })
}

/// Whether a word says nothing alone.
pub(crate) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

/// Words by which names of older versions, trials and copies differ from the name of what is meant to be used.
const MARKS_OF_COPIES: &[&str] = &[
    "archive", "backup", "bak", "copy", "dev", "legacy", "nonprod", "obsolete", "old", "preprod", "sandbox", "staging",
    "stg", "temp", "test", "tmp",
];

/// Whether a word of a name says that the product is an older version, a trial or a copy: `v1`, `staging`, ...
pub(crate) fn is_mark_of_copy(word: &str) -> bool {
    let is_version = || {
        let number = word.strip_prefix('v').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    MARKS_OF_COPIES.binary_search(&word).is_ok() || is_version()
}
