//! Makes the driver's double, which is also what is linked against, and compiles the kernels for GPUs where there is nvcc.
//!
//! `NVCC` names nvcc; without it the build carries no code for GPUs, and says so when a device is asked to load some.
//! `OUTRIGGER_CUDA_ARCHITECTURES` lists what to compile for (`75,90`); what is newer than the last gets PTX.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use outrigger_kernels::{Parameter, Program, programs};

/// Turing, Ampere, Ada, Hopper, Blackwell: data centre and desktop.
const ARCHITECTURES: &str = "75,80,86,89,90,100,120";

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("OUT_DIR, set by cargo"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=double");
    println!("cargo::rerun-if-changed=../../kernels");
    println!("cargo::rerun-if-env-changed=NVCC");
    println!("cargo::rerun-if-env-changed=OUTRIGGER_CUDA_ARCHITECTURES");
    make_double(&out);
    let images = match env::var("NVCC") {
        Ok(nvcc) if !nvcc.is_empty() => compile_kernels(Path::new(&nvcc), &out),
        _ => Vec::new(),
    };
    let mut table = String::from("static IMAGES: &[(&str, &[u8])] = &[\n");
    for (name, image) in &images {
        writeln!(table, "    ({name:?}, include_bytes!({image:?})),").expect("a line");
    }
    table.push_str("];\n");
    fs::write(out.join("images.rs"), table).expect("the table of images is written");
}

/// The double, as `libcuda.so` for the linker and as `libcuda.so.1` for whoever runs tests: cargo puts this folder into the
/// loader's path then.
fn make_double(out: &Path) {
    let libraries = env::var("DEP_OUTRIGGER_HOST_KERNELS_LIBRARIES").expect("the kernels of the host build");
    let sanitizers = env::var("DEP_OUTRIGGER_HOST_KERNELS_SANITIZERS").is_ok_and(|value| value == "true");
    fs::write(out.join("kernels.c"), kernel_table()).expect("the table of kernels is written");
    let library = out.join("libcuda.so.1");
    let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-pthread", "-Wl,-soname,libcuda.so.1"]);
    if sanitizers {
        compiler.arg("-fsanitize=address,undefined");
    }
    compiler.arg("-o").arg(&library).arg("double/driver.c").arg(out.join("kernels.c")).arg("-L").arg(&libraries);
    compiler.arg("-Wl,--start-group").arg("-loutrigger_host");
    compiler.args(programs().iter().map(|program| format!("-loutrigger_host_{}", program.name)));
    compiler.arg("-Wl,--end-group");
    let status = compiler.status().expect("the C compiler runs");
    assert!(status.success(), "the double of the driver does not compile");
    fs::copy(&library, out.join("libcuda.so")).expect("a copy for the linker");
    println!("cargo::rustc-link-search=native={}", out.display());
    publish(&library, out);
}

/// A copy in `cuda-double`, beside the programs of this profile: tests that start these programs name the folder to the
/// loader, whatever crate they are of.
fn publish(library: &Path, out: &Path) {
    // OUT_DIR is `out` in a folder of this package in `build` in that of the profile.
    let folder = out.ancestors().nth(3).expect("the folder of the profile").join("cuda-double");
    fs::create_dir_all(&folder).expect("a folder for the double");
    // Renamed into its place: a process that runs keeps the one that it has mapped.
    let copy = folder.join(format!("copy-{}", std::process::id()));
    fs::copy(library, &copy).expect("a copy of the double");
    fs::rename(&copy, folder.join("libcuda.so.1")).expect("the copy takes its place");
}

/// C text: each kernel with its entry in the host build and its parameters.
fn kernel_table() -> String {
    let mut declarations = String::from(
        "struct kernel { const char *name; void (*entry)(void *const *); int cooperative; const char *parameters; };\n",
    );
    let mut table = String::from("const struct kernel outrigger_kernels[] = {\n");
    for kernel in programs().iter().flat_map(Program::kernels) {
        let letter = |parameter: &Parameter| match parameter {
            Parameter::Input(_) => 'i',
            Parameter::Output(_) => 'o',
            Parameter::Number => 'n',
        };
        let parameters: String = kernel.parameters.iter().map(letter).collect();
        let (name, cooperative) = (&kernel.name, u32::from(kernel.cooperative));
        writeln!(declarations, "void outrigger_host_{name}(void *const *);").expect("a line");
        writeln!(table, "    {{\"{name}\", outrigger_host_{name}, {cooperative}, \"{parameters}\"}},").expect("a line");
    }
    format!("{declarations}{table}    {{0, 0, 0, 0}},\n}};\n")
}

/// One image a program, with machine code for each architecture, and PTX of the last for what comes after it.
fn compile_kernels(nvcc: &Path, out: &Path) -> Vec<(&'static str, PathBuf)> {
    let listed = env::var("OUTRIGGER_CUDA_ARCHITECTURES").unwrap_or_else(|_| ARCHITECTURES.to_owned());
    let architectures: Vec<&str> = listed.split(',').map(str::trim).collect();
    let last = architectures.last().expect("an architecture");
    let mut flags: Vec<String> =
        architectures.iter().map(|one| format!("-gencode=arch=compute_{one},code=sm_{one}")).collect();
    flags.push(format!("-gencode=arch=compute_{last},code=compute_{last}"));
    let compile = |program: &Program| {
        let (source, image) = (out.join(format!("{}.cu", program.name)), out.join(format!("{}.fatbin", program.name)));
        let text = program.source();
        let stamp = out.join(format!("{}.stamp", program.name));
        let version = format!("{} {flags:?}\n{text}", nvcc.display());
        if !(image.exists() && fs::read_to_string(&stamp).is_ok_and(|before| before == version)) {
            fs::write(&source, text).expect("a source file is written");
            let mut command = Command::new(nvcc);
            command.args(["-O3", "-std=c++17", "-fatbin"]).args(&flags).arg(&source).arg("-o").arg(&image);
            let status = command.status().unwrap_or_else(|error| panic!("{}: {error}", nvcc.display()));
            assert!(status.success(), "nvcc does not compile {}", program.name);
            fs::write(&stamp, version).expect("a stamp is written");
        }
        (program.name, image)
    };
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    let mut images = Vec::new();
    for part in programs().chunks(at_once) {
        images.extend(thread::scope(|scope| {
            let running: Vec<_> = part.iter().map(|program| scope.spawn(|| compile(program))).collect();
            running.into_iter().map(|one| one.join().expect("a program compiles")).collect::<Vec<_>>()
        }));
    }
    images
}
