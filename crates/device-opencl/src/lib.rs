//! OpenCL behind the device seam.
//!
//! The library (`libOpenCL.so.1`, or what `OPENCL_DYLIB_PATH` names) is loaded when it is first asked for, so that a
//! machine without one is no error until somebody wants a device. Programs are compiled by the driver and kept in a
//! cache on disk. OpenCL is called here alone, and the driver is trusted to keep to its specification; that is why
//! a process of its own drives each device.

mod cache;
mod device;
mod failure;
mod queue;

pub use device::{OpenClDevice, OpenClOptions, list};

#[cfg(test)]
mod tests;
