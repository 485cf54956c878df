//! The CUDA worker: drives one GPU for the sidecar, which starts it and watches it.
//!
//! It is linked against the driver's `libcuda.so.1` and does not start without; the sidecar is not, and finds out from
//! how this program ends. Beside that it is what `outrigger device-worker` is for OpenCL.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use outrigger_algorithms::gpu::{self, Rooms};
use outrigger_device::{Device, Operations, serve, socket_from_stdin};
use outrigger_device_cuda::{CudaDevice, CudaOptions};
use outrigger_groth16::engine::device::sums::SumTuning;

/// As in the sidecar: a batch's columns are large blocks, which the C library gives back to the system at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Drive a CUDA device for the sidecar, which starts this program; by hand only --list is of use.
#[derive(Parser)]
#[command(name = "outrigger-cuda", version)]
struct Arguments {
    /// Print what devices there are, a JSON object a line, and end
    #[arg(long)]
    list: bool,
    /// The number of the device in that list
    #[arg(long, value_name = "N", default_value_t = 0)]
    ordinal: u32,
    /// Bytes of its memory to hold at most; 0: what suits it
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    memory_bytes_max: u64,
    /// Work-items of a group at most; 0: as many as suit it
    #[arg(long, value_name = "N", default_value_t = 0)]
    group_max: u32,
    /// How sums of proofs are cut
    #[arg(long, value_name = "BITS,ENTRIES,COPIES", default_value_t)]
    sums: SumTuning,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match if arguments.list { list() } else { drive(&arguments) } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outrigger-cuda: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list() -> Result<(), Box<dyn Error>> {
    let devices = outrigger_device_cuda::list()?;
    devices.iter().for_each(|device| println!("{}", device.to_line()));
    Ok(())
}

/// Serves the device until the parent is gone.
fn drive(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let options = CudaOptions {
        memory_bytes_max: (arguments.memory_bytes_max > 0).then_some(arguments.memory_bytes_max),
        group_size_max: (arguments.group_max > 0).then_some(arguments.group_max),
    };
    let (socket, sums) = (socket_from_stdin()?, arguments.sums);
    let open = || {
        let device: Box<dyn Device> = Box::new(CudaDevice::open(arguments.ordinal, &options)?);
        let rooms: Arc<dyn Operations> = Arc::new(Rooms::with_sums(sums));
        Ok((device, rooms))
    };
    Ok(serve(socket, &gpu::build(), open)?)
}
