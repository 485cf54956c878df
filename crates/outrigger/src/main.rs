//! The Outrigger sidecar and its command line.

fn main() {}
