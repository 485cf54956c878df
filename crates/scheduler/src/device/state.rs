//! How a device is, in one word.

/// How a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// It was tried with everything that it can do and takes work.
    Up,
    /// Its worker compiles kernels, or trials are still to come; what has passed takes work already.
    Testing,
    /// It computed wrong and takes no work: it is left alone, then tried again.
    Quarantined,
    /// It has no worker now.
    Down,
}

impl DeviceState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Up, Self::Testing, Self::Quarantined, Self::Down];

    /// The value of the label `state`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Testing => "testing",
            Self::Quarantined => "quarantined",
            Self::Down => "down",
        }
    }
}
