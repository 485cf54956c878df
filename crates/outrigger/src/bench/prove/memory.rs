//! How much memory a proof takes, by what the system says of this process: pages of mapped files count.

use serde::Serialize;

/// From before a key is opened to after the first proof with it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Memory {
    /// Bytes of the key's file.
    key_bytes: u64,
    /// Bytes in memory before.
    idle_bytes: u64,
    /// The most that there were.
    peak_bytes: u64,
    /// Peak less idle, over the key.
    over_key: f64,
}

/// Bytes that this process has in memory; what was the most begins anew. `None` where the system does not tell.
pub(super) fn begin() -> Option<u64> {
    // Linux: 5 resets the high-water mark.
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    status("VmRSS:")
}

/// What there was since [`begin`].
pub(super) fn end(idle_bytes: u64, key_bytes: u64) -> Option<Memory> {
    let peak_bytes = status("VmHWM:")?;
    let over_key = peak_bytes.saturating_sub(idle_bytes) as f64 / key_bytes as f64;
    Some(Memory { key_bytes, idle_bytes, peak_bytes, over_key })
}

fn status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}
