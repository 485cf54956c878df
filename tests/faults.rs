//! What may go wrong around a running sidecar, done to the real program: overload, a kill, signals in the midst of
//! work, callers that vanish or dawdle, deadlines too short, strangers with certificates, devices that fail in every way. Times are generous: the
//! tests run beside others.

mod support;

#[path = "faults/callers.rs"]
mod callers;
#[path = "faults/cuda.rs"]
mod cuda;
#[path = "faults/devices.rs"]
mod devices;
#[path = "faults/ends.rs"]
mod ends;
#[path = "faults/overload.rs"]
mod overload;
#[path = "faults/reload.rs"]
mod reload;
#[path = "faults/tls.rs"]
mod tls;
