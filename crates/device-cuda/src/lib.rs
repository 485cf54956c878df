//! CUDA behind the device seam, on the driver interface alone.
//!
//! Whatever links this crate needs `libcuda.so.1` to start, so it is linked by the CUDA worker and by nothing else. The
//! kernels are compiled when this crate is, where nvcc is at hand (see `build.rs`). Tests run on a double of the driver
//! (`double/driver.c`), also on machines with a GPU.

mod device;
mod failure;
mod queue;

pub use device::{CudaDevice, CudaOptions, list};

#[cfg(test)]
mod tests;
