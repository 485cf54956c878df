//! What the proving adapters share: the line protocol of `benches/peers/README.md`, the thread pool, and the form of
//! a proof in JSON.

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Whatever goes wrong; an adapter only prints it.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A prover with its key and a witness in memory.
pub trait Prover: Sized {
    /// Reads the key and the witness, and prepares all that does not depend on the randomness of a proof.
    fn load(key: &Path, witness: &Path) -> Result<Self>;

    /// One proof with fresh randomness, kept for [`Prover::write`].
    fn prove(&mut self) -> Result<()>;

    /// Writes the last proof and the public signals in snarkjs's JSON.
    fn write(&self, proof: &Path, public: &Path) -> Result<()>;
}

/// Runs an adapter until its input ends: `main` of each of them. The exit status is 1 after an error, 2 after a
/// command line that is none.
pub fn main<P: Prover>() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, witness, threads] = arguments.as_slice() else {
        eprintln!("usage: prove-NAME KEY.zkey WITNESS.wtns THREADS");
        return 2.into();
    };
    match serve::<P>(Path::new(key), Path::new(witness), threads) {
        Ok(()) => 0.into(),
        Err(error) => {
            eprintln!("error: {error}");
            1.into()
        }
    }
}

fn serve<P: Prover>(key: &Path, witness: &Path, threads: &str) -> Result<()> {
    let threads = threads.parse().map_err(|_| format!("{threads} is not a number of threads"))?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let start = Instant::now();
    let mut prover = P::load(key, witness)?;
    answer(&format!("ready {:.3}", milliseconds(start.elapsed())))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["prove"] => {
                let start = Instant::now();
                prover.prove()?;
                answer(&format!("{:.3}", milliseconds(start.elapsed())))?;
            }
            ["verify", proof, public] => {
                prover.write(Path::new(proof), Path::new(public))?;
                answer("ok")?;
            }
            [] => {}
            _ => return Err(format!("unknown command {line:?}").into()),
        }
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn answer(line: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
