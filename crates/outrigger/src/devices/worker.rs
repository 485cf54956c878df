//! The processes that drive devices: `outrigger device-worker` for OpenCL, `outrigger-cuda` for CUDA.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use outrigger_algorithms::gpu::{self, Rooms};
use outrigger_config::Devices;
use outrigger_device::{Api, Device, DeviceError, DeviceInfo, Operations, serve, socket_from_stdin};
use outrigger_device_opencl::{OpenClDevice, OpenClOptions};
use outrigger_groth16::engine::device::sums::SumTuning;

use crate::cli::{DeviceWorkerArgs, Failure};

/// The CUDA worker: a program of its own, since only what links the driver's library may need it.
const CUDA_WORKER: &str = "outrigger-cuda";

/// The program that drives CUDA devices: the one that the configuration names, or the one beside this program.
pub(super) fn cuda_program(named: Option<&Path>) -> io::Result<PathBuf> {
    match named {
        Some(named) => Ok(named.to_owned()),
        None => Ok(std::env::current_exe()?.with_file_name(CUDA_WORKER)),
    }
}

/// What makes the command of a device's worker.
pub(super) fn command(device: &DeviceInfo, rules: &Devices) -> io::Result<impl FnMut() -> Command + Send + 'static> {
    let is_cuda = device.api == Api::Cuda;
    let program = if is_cuda { cuda_program(rules.cuda_worker.as_deref())? } else { std::env::current_exe()? };
    let (ordinal, memory) = (device.ordinal, rules.memory_bytes_max);
    let (cache, group) = (rules.kernel_cache.clone(), rules.group_max);
    let sums = SumTuning {
        window_bits: Some(rules.msm_window_bits).filter(|bits| *bits > 0),
        entries_per_item: rules.msm_entries_per_item,
        copies_max: rules.msm_copies_max,
        ..SumTuning::default()
    };
    Ok(move || {
        let mut command = Command::new(&program);
        if !is_cuda {
            command.arg("device-worker");
            // CUDA's kernels are compiled already.
            if let Some(cache) = &cache {
                command.arg("--kernel-cache").arg(cache);
            }
        }
        command.arg("--ordinal").arg(ordinal.to_string()).arg("--memory-bytes-max").arg(memory.to_string());
        command.arg("--group-max").arg(group.to_string()).arg("--sums").arg(sums.to_string());
        command
    })
}

/// Lists OpenCL devices, or serves one until the parent is gone.
pub(crate) fn run(args: &DeviceWorkerArgs) -> Result<ExitCode, Failure> {
    if args.list {
        return list();
    }
    let options = OpenClOptions {
        cache: args.kernel_cache.clone(),
        memory_bytes_max: (args.memory_bytes_max > 0).then_some(args.memory_bytes_max),
        group_size_max: (args.group_max > 0).then_some(args.group_max),
    };
    let socket = socket_from_stdin().map_err(Failure::work)?;
    let open = || {
        let device: Box<dyn Device> = Box::new(OpenClDevice::open(args.ordinal, &options)?);
        let rooms: Arc<dyn Operations> = Arc::new(Rooms::with_sums(args.sums));
        Ok((device, rooms))
    };
    serve(socket, &gpu::build(), open).map_err(Failure::work)?;
    Ok(ExitCode::SUCCESS)
}

fn list() -> Result<ExitCode, Failure> {
    let devices = match outrigger_device_opencl::list() {
        Ok(devices) => devices,
        // No driver is no error: then there are no devices.
        Err(DeviceError::Absent(_)) => Vec::new(),
        Err(error) => return Err(Failure::work(error)),
    };
    devices.iter().for_each(|device| println!("{}", device.to_line()));
    Ok(ExitCode::SUCCESS)
}
