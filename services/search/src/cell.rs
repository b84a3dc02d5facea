//! What is known of each document during a search.

use crate::field::Stage;

/// One document.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) score: f32,
    /// The weighted count of the word that is being scored.
    pub(crate) count: f32,
    /// The sum of the weights of the words that are found.
    pub(crate) covered: f32,
    /// Which words are found.
    pub(crate) found: u16,
    /// Which words are in a name or title.
    pub(crate) named: u16,
    /// Which words are in a name, title or the domain.
    pub(crate) placed: u16,
    /// How many neighbouring pairs are in a name.
    pub(crate) pairs: u8,
    /// The number of the word that was counted last, from 1.
    pub(crate) word: u8,
    stage: u8,
    pub(crate) matched: bool,
}

impl Cell {
    /// A document of which nothing is known.
    pub(crate) const EMPTY: Self = Self {
        score: 0.0,
        count: 0.0,
        covered: 0.0,
        found: 0,
        named: 0,
        placed: 0,
        pairs: 0,
        word: 0,
        stage: Stage::Text as u8,
        matched: false,
    };

    /// A document that is shown because everything is.
    pub(crate) fn of_all(factor: f32) -> Self {
        Self { score: factor, stage: Stage::All as u8, matched: true, ..Self::EMPTY }
    }

    pub(crate) fn stage(self) -> Stage {
        Stage::ALL[usize::from(self.stage)]
    }

    /// Puts the document into a stage, unless it is in an earlier one.
    pub(crate) fn reach(&mut self, stage: Stage) {
        self.stage = self.stage.min(stage as u8);
    }

    /// The name of what is not offered any more must not hide what replaces it. Who gives the address means it.
    pub(crate) fn demote(&mut self) {
        self.stage = match self.stage() {
            Stage::Address => Stage::Address,
            Stage::Name => Stage::Words,
            Stage::Words => Stage::Term,
            Stage::Term | Stage::Text => Stage::Text,
            Stage::All => Stage::All,
        } as u8;
    }
}

/// The cells of all documents, by segment.
pub(crate) type Cells = Vec<Vec<Cell>>;
