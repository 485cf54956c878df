//! The arithmetic against plain big numbers.
