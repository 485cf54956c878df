//! The answer for one item.

use std::fmt;

/// The answer for one item, one byte on every path. Zero is *not processed*, so that zeroed or stale memory
/// never reads as an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// No engine has judged the item.
    #[default]
    Unprocessed = 0,
    /// The signature or proof holds under the ruleset.
    Valid = 1,
    /// It decodes, but a rule or the equation fails: r or s out of range, high S where that is refused,
    /// S ≥ L, small order, the identity, a wrong signer.
    Invalid = 2,
    /// It cannot be decoded: a wrong length, DER, point encoding, a point off the curve, a field element ≥ p.
    Malformed = 3,
}

impl Verdict {
    /// The name used in JSON and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unprocessed => "unprocessed",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Malformed => "malformed",
        }
    }

    /// The verdict of a byte; any byte that is not an answer is *unprocessed*.
    pub const fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Valid,
            2 => Self::Invalid,
            3 => Self::Malformed,
            _ => Self::Unprocessed,
        }
    }

    /// [`Verdict::Valid`] where `holds`, else [`Verdict::Invalid`].
    pub const fn from_equation(holds: bool) -> Self {
        if holds { Self::Valid } else { Self::Invalid }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
