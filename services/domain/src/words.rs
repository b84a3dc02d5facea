//! The words of closed sets: an enum whose variants each have one word, the same in the database, the API, the command
//! line and documents.

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

/// Declares an enum with one word for each variant, and `as_str`, `ALL`, `Display` and `FromStr` over them.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::words::UnknownWord::new(word, &[$($word,)+])),
                }
            }
        }
    };
}
