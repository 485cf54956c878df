//! Which implementation of the lanes runs.

/// An implementation of the lanes that this machine can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Avx512,
    Portable,
}

impl Unit {
    /// Arrays of plain words: right on every machine, and slower than a good scalar library.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// AVX-512 with IFMA, where the processor and the operating system have it.
    pub fn detect() -> Option<Self> {
        crate::lanes::avx512_is_here().then_some(Self(Kind::Avx512))
    }

    /// The name used in records: `avx512` or `portable`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Avx512 => "avx512",
            Kind::Portable => "portable",
        }
    }

    pub(crate) const fn kind(self) -> Kind {
        self.0
    }
}

/// Runs `$body` with `$lanes` standing for the lanes of a unit, target features enabled around all of it:
/// `on_lanes!(unit, L => verify::<L>(items))`.
macro_rules! on_lanes {
    ($unit:expr, $lanes:ident => $body:expr) => {
        match $unit.kind() {
            #[cfg(target_arch = "x86_64")]
            $crate::unit::Kind::Avx512 => {
                type $lanes = $crate::lanes::Avx512;
                <$lanes as $crate::lanes::Lanes>::enter(
                    #[inline(always)]
                    || $body,
                )
            }
            #[cfg(not(target_arch = "x86_64"))]
            $crate::unit::Kind::Avx512 => unreachable!("no unit of AVX-512 is made on this architecture"),
            $crate::unit::Kind::Portable => {
                type $lanes = $crate::lanes::Portable;
                $body
            }
        }
    };
}

pub(crate) use on_lanes;
