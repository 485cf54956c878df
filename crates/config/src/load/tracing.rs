//! The keys below `tracing`.

use crate::Tracing;
use crate::reader::Reader;

/// One call in a hundred: at a thousand calls a second some twenty spans, which a collector hardly notices.
const SAMPLED_PER_MILLION_DEFAULT: u64 = 10_000;

pub(super) fn read(reader: &mut Reader) -> Tracing {
    let sampled = reader.number("tracing.sampled_per_million", 0..=1_000_000);
    Tracing {
        otlp_endpoint: reader.parsed("tracing.otlp_endpoint").flatten(),
        sampled_per_million: sampled.unwrap_or(SAMPLED_PER_MILLION_DEFAULT) as u32,
    }
}

#[cfg(test)]
mod tests;
