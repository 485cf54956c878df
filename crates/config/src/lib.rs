//! File, environment, command line and hardware profiles to one validated configuration.
