//! Closed sets: enums whose variants each have one word, the same in the database, the API, the command line and the
//! documents.
//!
//! [`closed_set!`](crate::closed_set!) declares one. A variant's doc comment is its meaning: `docs/codes.md` and the
//! GraphQL schema show it, so it is written for readers of those.

/// What every closed set can do, for code that works with any of them.
pub trait ClosedSet: Copy + Eq + std::fmt::Debug + Send + Sync + Sized + 'static {
    /// All values, in order.
    const ALL: &'static [Self];

    /// The value's word.
    fn as_str(self) -> &'static str;

    /// What the value means, in one line.
    fn meaning(self) -> &'static str;
}

/// A word that is not one of the set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not one of {expected}")]
pub struct UnknownWord {
    /// What was given, shortened.
    pub found: String,
    /// The words of the set, in backticks.
    pub expected: String,
}

impl UnknownWord {
    /// The error for a word outside of the set.
    pub fn new(found: &str, expected: &[&str]) -> Self {
        let expected: Vec<String> = expected.iter().map(|word| format!("`{word}`")).collect();
        Self { found: found.chars().filter(|c| !c.is_control()).take(80).collect(), expected: expected.join(", ") }
    }
}

/// Declares an enum with one word for each variant, and `ALL`, `as_str`, `meaning`, `Display` and `FromStr` over them.
#[macro_export]
macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $meaning:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $meaning])+ $variant,)+ }

        impl $name {
            /// All values, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value's word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What the value means, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($meaning),+).trim_start(),)+ }
            }
        }

        impl $crate::closed_set::ClosedSet for $name {
            const ALL: &'static [Self] = Self::ALL;

            fn as_str(self) -> &'static str {
                Self::as_str(self)
            }

            fn meaning(self) -> &'static str {
                Self::meaning(self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::closed_set::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::closed_set::UnknownWord::new(word, &[$($word,)+])),
                }
            }
        }
    };
}
