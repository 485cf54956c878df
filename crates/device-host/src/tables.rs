//! The kernels that the build has compiled.

/// A kernel as C knows it: its arguments as pointers, of a buffer the address of its bytes, of a number where it lies.
pub(crate) type Entry = unsafe extern "C" fn(arguments: *const *mut std::ffi::c_void);

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// The kernel of that name.
pub(crate) fn entry(name: &str) -> Option<Entry> {
    KERNELS.iter().find(|(one, _)| *one == name).map(|(_, entry)| *entry)
}
