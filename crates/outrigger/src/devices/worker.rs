//! The process that drives a device: `outrigger device-worker`.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use outrigger_algorithms::gpu::Rooms;
use outrigger_config::Devices;
use outrigger_device::{Device, DeviceError, Operations, serve, socket_from_stdin};
use outrigger_device_opencl::{OpenClDevice, OpenClOptions};
use serde::{Deserialize, Serialize};

use super::BUILD;
use crate::cli::{DeviceWorkerArgs, Failure};

/// A device, as `--list` prints it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) ordinal: u32,
    pub(crate) name: String,
    pub(crate) platform: String,
    pub(crate) driver: String,
    pub(crate) compute_units: u32,
    pub(crate) memory_bytes: u64,
    /// A processor, which cores and lanes use better.
    pub(crate) is_processor: bool,
}

/// What makes the command of a device's worker.
pub(crate) fn command(ordinal: u32, rules: &Devices) -> std::io::Result<impl FnMut() -> Command + Send + 'static> {
    let program = std::env::current_exe()?;
    let (memory, cache): (u64, Option<PathBuf>) = (rules.memory_bytes_max, rules.kernel_cache.clone());
    Ok(move || {
        let mut command = Command::new(&program);
        command.arg("device-worker").arg("--ordinal").arg(ordinal.to_string());
        command.arg("--memory-bytes-max").arg(memory.to_string());
        if let Some(cache) = &cache {
            command.arg("--kernel-cache").arg(cache);
        }
        command
    })
}

/// Lists devices, or serves one until the parent is gone.
pub(crate) fn run(args: &DeviceWorkerArgs) -> Result<ExitCode, Failure> {
    if args.list {
        return list();
    }
    let options = OpenClOptions {
        cache: args.kernel_cache.clone(),
        memory_bytes_max: (args.memory_bytes_max > 0).then_some(args.memory_bytes_max),
    };
    let socket = socket_from_stdin().map_err(Failure::work)?;
    let open = || {
        let device: Box<dyn Device> = Box::new(OpenClDevice::open(args.ordinal, &options)?);
        let rooms: Arc<dyn Operations> = Arc::new(Rooms::default());
        Ok((device, rooms))
    };
    serve(socket, BUILD, open).map_err(Failure::work)?;
    Ok(ExitCode::SUCCESS)
}

fn list() -> Result<ExitCode, Failure> {
    let devices = match outrigger_device_opencl::list() {
        Ok(devices) => devices,
        // No driver is no error: then there are no devices.
        Err(DeviceError::Absent(_)) => Vec::new(),
        Err(error) => return Err(Failure::work(error)),
    };
    for device in devices {
        let listed = Listed {
            ordinal: device.ordinal,
            name: device.name,
            platform: device.platform,
            driver: device.driver,
            compute_units: device.compute_units,
            memory_bytes: device.memory_bytes,
            is_processor: device.is_processor,
        };
        println!("{}", serde_json::to_string(&listed).map_err(Failure::work)?);
    }
    Ok(ExitCode::SUCCESS)
}
