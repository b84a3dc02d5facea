//! A place in the tokens of a statement, and the steps from there.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::node::shortened;
use crate::problem::Problem;

/// A place in tokens without white space.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    tokens: &'a [TokenWithSpan],
    at: usize,
    /// Whether the first half of `>>` is behind.
    is_half: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(tokens: &'a [TokenWithSpan]) -> Self {
        Self { tokens, at: 0, is_half: false }
    }

    pub(super) fn rest(&self) -> &'a [TokenWithSpan] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead).map(|token| &token.token)
    }

    pub(super) fn next(&mut self) -> Option<&'a TokenWithSpan> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    /// The word without quotes that is so many tokens ahead, in capitals.
    pub(super) fn keyword_at(&self, ahead: usize) -> Option<String> {
        match self.peek_at(ahead)? {
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
            _ => None,
        }
    }

    pub(super) fn keyword(&self) -> Option<String> {
        self.keyword_at(0)
    }

    /// Whether these words without quotes follow.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| {
            matches!(self.peek_at(ahead), Some(Token::Word(own)) if own.quote_style.is_none() && own.value.eq_ignore_ascii_case(word))
        })
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(&[word]))
    }

    pub(super) fn eat(&mut self, words: &[&str]) -> bool {
        let is = self.is(words);
        if is {
            self.at += words.len();
        }
        is
    }

    pub(super) fn is_token(&self, token: &Token) -> bool {
        self.peek() == Some(token)
    }

    pub(super) fn eat_token(&mut self, token: &Token) -> bool {
        let is = self.is_token(token);
        if is {
            self.at += 1;
        }
        is
    }

    /// A name: a word, or a text where a dialect takes one for a name.
    pub(super) fn name(&mut self) -> Option<String> {
        let name = match self.peek()? {
            Token::Word(word) => word.value.clone(),
            Token::DoubleQuotedString(text) | Token::SingleQuotedString(text) => text.clone(),
            _ => return None,
        };
        self.at += 1;
        Some(name)
    }

    /// The parts of a name with points.
    pub(super) fn names(&mut self) -> Vec<String> {
        let mut names: Vec<String> = self.name().into_iter().collect();
        loop {
            let before = self.at;
            match self.peek() {
                // SQL Server's `database..table` leaves out the schema.
                Some(Token::Period) if !names.is_empty() => {
                    while self.eat_token(&Token::Period) {}
                    match self.name() {
                        Some(name) => names.push(name),
                        None => {
                            self.at = before;
                            return names;
                        }
                    }
                }
                // BigQuery's `my-project.data.table` needs no quotes.
                Some(Token::Minus) if !names.is_empty() && self.is_adjacent() => {
                    self.at += 1;
                    let more = match self.next().map(|token| &token.token) {
                        Some(Token::Word(word)) => word.value.clone(),
                        Some(Token::Number(digits, _)) => digits.clone(),
                        _ => {
                            self.at = before;
                            return names;
                        }
                    };
                    if let Some(last) = names.last_mut() {
                        last.push('-');
                        last.push_str(&more);
                    }
                }
                _ => return names,
            }
        }
    }

    /// Whether there is no space between this token and the one before it.
    fn is_adjacent(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        matches!((before, self.tokens.get(self.at)), (Some(before), Some(token)) if before.span.end == token.span.start)
    }

    /// A text in quotes.
    pub(super) fn text(&mut self) -> Option<String> {
        let text = match self.peek()? {
            Token::SingleQuotedString(text)
            | Token::DoubleQuotedString(text)
            | Token::NationalStringLiteral(text)
            | Token::EscapedStringLiteral(text)
            | Token::TripleSingleQuotedString(text)
            | Token::TripleDoubleQuotedString(text)
            | Token::SingleQuotedRawStringLiteral(text)
            | Token::DoubleQuotedRawStringLiteral(text) => text.clone(),
            Token::DollarQuotedString(quoted) => quoted.value.clone(),
            Token::QuoteDelimitedStringLiteral(quoted) | Token::NationalQuoteDelimitedStringLiteral(quoted) => {
                quoted.value.clone()
            }
            _ => return None,
        };
        self.at += 1;
        Some(text)
    }

    /// What is in the round brackets that begin here, which then are behind.
    pub(super) fn group(&mut self) -> Option<Self> {
        if !self.is_token(&Token::LParen) {
            return None;
        }
        let begin = self.at + 1;
        self.skip();
        let end = if self.tokens.get(self.at - 1).is_some_and(|last| last.token == Token::RParen && self.at > begin) {
            self.at - 1
        } else {
            self.at
        };
        Some(Self::new(self.tokens.get(begin..end).unwrap_or_default()))
    }

    /// The parts between commas that are in no brackets, those of types in angle brackets included.
    pub(super) fn items(&self) -> Vec<Self> {
        let mut rest = self.clone();
        let (mut items, mut begin, mut n_angles) = (Vec::new(), self.at, 0_usize);
        let mut opens = false;
        while let Some(token) = rest.peek() {
            match token {
                Token::Comma if n_angles == 0 => {
                    items.push(Self::new(self.tokens.get(begin..rest.at).unwrap_or_default()));
                    begin = rest.at + 1;
                }
                Token::Lt if opens => n_angles += 1,
                Token::Gt => n_angles = n_angles.saturating_sub(1),
                Token::ShiftRight => n_angles = n_angles.saturating_sub(2),
                _ => {}
            }
            opens = opens_type(token);
            rest.skip();
        }
        if begin < self.tokens.len() {
            items.push(Self::new(self.tokens.get(begin..).unwrap_or_default()));
        }
        items
    }

    /// Passes a token, or all between two brackets.
    pub(super) fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token.token {
                Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
                Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Passes tokens up to a place; brackets are passed as a whole.
    pub(super) fn until(&mut self, stop: impl Fn(&Self) -> bool) -> &'a [TokenWithSpan] {
        let begin = self.at;
        while !self.is_at_end() && !stop(self) {
            self.skip();
        }
        self.tokens.get(begin..self.at).unwrap_or_default()
    }

    /// Passes the end of angle brackets.
    pub(super) fn eat_greater(&mut self) -> bool {
        match self.peek() {
            Some(Token::Gt) => self.at += 1,
            Some(Token::ShiftRight) if self.is_half => {
                self.is_half = false;
                self.at += 1;
            }
            Some(Token::ShiftRight) => self.is_half = true,
            _ => return false,
        }
        true
    }

    /// Line and column of the next token, or of the last one.
    pub(super) fn place(&self) -> (u64, u64) {
        let token = self.tokens.get(self.at).or(self.tokens.last());
        token.map_or((1, 1), |token| (token.span.start.line.max(1), token.span.start.column.max(1)))
    }

    pub(super) fn line(&self) -> u64 {
        self.place().0
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Problem {
        let (line, column) = self.place();
        Problem { line, column, path: String::new(), message: message.into() }
    }

    /// What was wanted here, and what is here instead.
    pub(super) fn expected(&self, what: &str) -> Problem {
        match self.peek() {
            Some(token) => self.fault(format!("expected {what}, found `{}`", shortened(&token.to_string()))),
            None => self.fault(format!("expected {what}, found the end of the statement")),
        }
    }
}

/// Whether a token begins a type with types in angle brackets.
pub(super) fn opens_type(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none()
        && ["ARRAY", "STRUCT", "MAP", "LIST"].iter().any(|known| word.value.eq_ignore_ascii_case(known)))
}

/// Tokens as text, spaced as they were.
pub(super) fn rendered(tokens: &[TokenWithSpan]) -> String {
    spaced(tokens, |token| token.to_string())
}

/// Tokens as text for a note: what is in quotes may be a secret, and is left out.
pub(super) fn masked(tokens: &[TokenWithSpan]) -> String {
    let is_text = |token: &Token| Cursor::new(&[TokenWithSpan::wrap(token.clone())]).text().is_some();
    shortened(&spaced(tokens, |token| if is_text(token) { "'...'".to_owned() } else { token.to_string() }))
}

fn spaced(tokens: &[TokenWithSpan], shown: impl Fn(&Token) -> String) -> String {
    let mut text = String::new();
    let mut end = None;
    for token in tokens {
        if end.is_some_and(|end| end != token.span.start) {
            text.push(' ');
        }
        text.push_str(&shown(&token.token));
        end = Some(token.span.end);
    }
    text
}
