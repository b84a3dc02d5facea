//! Sign-in codes as they are made and typed.

use domain::clock::Random;
use domain::web_session::SignInCode;

struct Bytes(u8);

impl Random for Bytes {
    fn fill(&self, buffer: &mut [u8]) {
        for (at, byte) in buffer.iter_mut().enumerate() {
            *byte = self.0.wrapping_add(u8::try_from(at).unwrap_or(0));
        }
    }
}

#[test]
fn a_code_is_read_as_people_type_it() {
    let code = SignInCode::new(&Bytes(0));
    assert_eq!(code.expose(), "0123456789ABCDEF");
    for typed in
        ["0123456789ABCDEF", "0123-4567-89ab-cdef", " 0123 4567 89AB CDEF ", "oI23456789abcdef", "OL23456789ABCDEF"]
    {
        assert_eq!(SignInCode::parse(typed).as_ref(), Some(&code), "{typed}");
    }
    for other in
        ["", "0123456789ABCDE", "0123456789ABCDEF0", "0123456789ABCDEU", "0123456789ABCDÉF", "0123_4567_89AB_CDEF"]
    {
        assert_eq!(SignInCode::parse(other), None, "{other}");
    }
}

#[test]
fn every_letter_of_a_code_is_as_likely_and_unmistakable() {
    let letters: std::collections::BTreeMap<char, usize> = (0..=255)
        .flat_map(|byte| SignInCode::new(&Bytes(byte)).expose().chars().take(1).collect::<Vec<_>>())
        .fold(Default::default(), |mut counts, letter| {
            *counts.entry(letter).or_default() += 1;
            counts
        });
    assert_eq!(letters.len(), 32);
    assert!(letters.values().all(|count| *count == 8), "{letters:?}");
    assert!("ILOU".chars().all(|letter| !letters.contains_key(&letter)));
}

#[test]
fn a_code_does_not_show() {
    let code = SignInCode::new(&Bytes(3));
    assert!(!format!("{code:?}").contains(code.expose()));
}
