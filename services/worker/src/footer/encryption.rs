//! Whether the footer of a Parquet file says that columns of the file are encrypted.
//!
//! With a readable footer, only its field `encryption_algorithm` tells. The Parquet reader, built without encryption,
//! skips it, so it is looked for here: the footer is one struct of Thrift's compact protocol.

/// The number of the field in the struct `FileMetaData` of `parquet.thrift`.
const ENCRYPTION_ALGORITHM: i64 = 8;
/// The maximum depth of values. The format's own is below ten.
const MAX_DEPTH: usize = 32;

/// Whether the footer names an encryption algorithm. `false` for what is not a footer: the reader refuses it.
pub(super) fn is_encrypted(footer: &[u8]) -> bool {
    let mut input = Compact { rest: footer };
    input.find_field(ENCRYPTION_ALGORITHM).unwrap_or(false)
}

struct Compact<'a> {
    rest: &'a [u8],
}

impl Compact<'_> {
    /// Whether the struct has the field; `None` if it is cut off or nested too deeply.
    fn find_field(&mut self, wanted: i64) -> Option<bool> {
        let mut id = 0;
        while let Some(kind) = self.field(&mut id)? {
            if id == wanted {
                return Some(true);
            }
            self.skip(kind, MAX_DEPTH)?;
        }
        Some(false)
    }

    /// The type of the next field, whose number goes to `id`; `None` within if the struct ends.
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let header = self.byte()?;
        if header == 0 {
            return Some(None);
        }
        *id = match header >> 4 {
            0 => {
                let zigzag = self.number()?;
                i64::try_from(zigzag >> 1).ok()? ^ -i64::try_from(zigzag & 1).ok()?
            }
            step => id.checked_add(i64::from(step))?,
        };
        Some(Some(header & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // True and false are in the field's header.
            1 | 2 => Some(()),
            3 => self.bytes(1),
            4..=6 => self.number().map(|_| ()),
            7 => self.bytes(8),
            8 => {
                let length = self.number()?;
                self.bytes(length)
            }
            9 | 10 => {
                let header = self.byte()?;
                let size = if header >> 4 == 15 { self.number()? } else { u64::from(header >> 4) };
                self.items(size, &[header & 0x0f], depth)
            }
            11 => match self.number()? {
                0 => Some(()),
                size => {
                    let kinds = self.byte()?;
                    self.items(size, &[kinds >> 4, kinds & 0x0f], depth)
                }
            },
            12 => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Skips values in a collection, each of at least one byte.
    fn items(&mut self, size: u64, kinds: &[u8], depth: usize) -> Option<()> {
        for _ in 0..size {
            for kind in kinds {
                match kind {
                    1 | 2 => self.bytes(1)?,
                    kind => self.skip(*kind, depth)?,
                }
            }
        }
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn bytes(&mut self, n_bytes: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(n_bytes).ok()?..)?;
        Some(())
    }
}
