//! The container of circom's binary files: magic, version, then sections with a number and a length.
