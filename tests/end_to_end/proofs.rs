//! Groth16 from a setup to a verdict: the command line here and through a sidecar, submitted jobs, and what is refused.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::circuits::{Circuit, cube_witness, membership_inputs, small_witness};
use crate::support::command::{Ran, outrigger, program, run};
use crate::support::sidecar::Sidecar;

/// Where a command works: against a sidecar, or on a store of its own.
enum Place {
    Sidecar(Sidecar),
    Local(TempDir),
}

impl Place {
    fn both() -> [Self; 2] {
        [Self::Sidecar(Sidecar::start()), Self::Local(tempfile::tempdir().expect("a folder"))]
    }

    /// Runs a command there.
    fn run(&self, arguments: &[&str]) -> Ran {
        match self {
            Self::Sidecar(sidecar) => outrigger(&[arguments, &["--endpoint", &sidecar.endpoint()]].concat(), ""),
            Self::Local(store) => {
                let mut command = program();
                run(command.args(arguments).arg("--local").env("OUTRIGGER_PROVING__DIRECTORY", store.path()), "")
            }
        }
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], status: i32, words: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (status, ""), "{arguments:?}: {}", ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "{arguments:?} should say {word:?}: {}", ran.stderr);
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

/// A folder with the cube's circuit in it.
fn cube() -> (TempDir, Circuit) {
    let folder = tempfile::tempdir().expect("a folder");
    let circuit = Circuit::cube(folder.path());
    (folder, circuit)
}

#[test]
fn a_setup_is_insecure_and_says_so() {
    let (folder, circuit) = cube();
    let (key, vk) = (folder.path().join("made.zkey"), folder.path().join("made.json"));
    let setup = ["setup", "--r1cs", text(&circuit.r1cs), "--key", text(&key), "--vk", text(&vk), "--json"];
    let ran = outrigger(&setup, "");
    let told = ran.json();
    assert!(ran.stderr.starts_with("INSECURE"), "{}", ran.stderr);
    assert_eq!(told["insecure"], true);
    assert_eq!((&told["constraints"], &told["wires"], &told["public_signals"]), (&json!(2), &json!(4), &json!(1)));
    assert_eq!(read(&vk)["nPublic"], 1);
    let first = std::fs::read(&key).expect("the key");
    let again = outrigger(&setup, "");
    assert_eq!(again.status, 2, "{}", again.stderr);
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    assert!(std::fs::read(&key).expect("the key") == first, "a key that is there stays");
    outrigger(&[&setup[..], &["--force"]].concat(), "").json();
    assert!(std::fs::read(&key).expect("the key") != first, "fresh randomness");
    let none = outrigger(&["setup", "--r1cs", text(&key), "--key", "x.zkey"], "");
    assert_eq!(none.status, 2, "{}", none.stderr);
    assert!(none.stderr.contains(".r1cs"), "{}", none.stderr);
}

#[test]
fn a_proof_goes_from_key_and_witness_to_a_verdict() {
    let (folder, circuit) = cube();
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::write(file("w.wtns"), &*cube_witness(3)).expect("a witness");
    for place in Place::both() {
        let key = ["prove", "--key", text(&circuit.key), "--witness", &file("w.wtns")];
        let made = place.json(&[&key[..], &["--proof", &file("p.json"), "--public", &file("s.json")]].concat());
        let hash = made["circuit"].as_str().expect("a hash").to_owned();
        assert_eq!((hash.len(), &made["public"]), (64, &json!(["27"])));
        assert_eq!(
            (&read(Path::new(&file("p.json"))), read(Path::new(&file("s.json")))),
            (&made["proof"], json!(["27"]))
        );
        assert!(made["prove_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{made}");
        assert!(made["stages_ms"]["verify"].as_f64().is_some_and(|ms| ms > 0.0), "{made}");

        let add = ["circuits", "add", "--name", "cube", "--key", text(&circuit.key), "--r1cs", text(&circuit.r1cs)];
        let added = place.json(&add);
        assert_eq!((&added["circuit"], &added["has_r1cs"]), (&json!(hash), &json!(true)));
        let listed = place.json(&["circuits", "list"]);
        assert_eq!(listed["circuits"].as_array().map(Vec::len), Some(1), "the key that was sent is this circuit");
        let shown = place.json(&["circuits", "show", &hash, "--vk", &file("v.json")]);
        assert_eq!((&shown["curve"], &shown["wires"], &shown["domain"]), (&json!("bn254"), &json!(4), &json!(4)));
        assert!(place.run(&["circuits", "list"]).stdout.contains("cube"));
        assert!(place.run(&["circuits", "show", &hash]).stdout.contains("bn254"));

        let again = place.json(&["prove", "--circuit", &hash, "--witness", &file("w.wtns"), "--calldata", &file("c")]);
        assert_ne!(again["proof"], made["proof"], "fresh randomness");
        assert!(std::fs::read_to_string(file("c")).expect("calldata").contains("0x"));
        for by in [["--vk", &file("v.json")], ["--circuit", &hash]] {
            verdicts(&place, &by, &made["proof"], folder.path());
        }
        assert_eq!(place.json(&["circuits", "remove", &hash])["removed"], true);
        assert_eq!(place.json(&["circuits", "list"])["circuits"], json!([]));
        place.refused(&["circuits", "show", &hash], 2, &[&hash]);
        place.refused(&["prove", "--circuit", &hash, "--witness", &file("w.wtns"), "--json"], 2, &[&hash]);
    }
}

/// The proof is valid, and nothing else is.
#[track_caller]
fn verdicts(place: &Place, by: &[&str], proof: &Value, folder: &Path) {
    let (proof_path, public_path) = (folder.join("judged.json"), folder.join("signals.json"));
    let verdict = |proof: &Value, public: &Value| {
        std::fs::write(&proof_path, proof.to_string()).expect("a file");
        std::fs::write(&public_path, public.to_string()).expect("a file");
        let files = ["--proof", text(&proof_path), "--public", text(&public_path)];
        place.json(&[&["verify-proof"], by, &files[..]].concat())["verdict"].clone()
    };
    assert_eq!(verdict(proof, &json!(["27"])), "valid");
    assert_eq!(verdict(proof, &json!(["28"])), "invalid");
    let mut tampered = proof.clone();
    tampered["pi_a"] = proof["pi_c"].clone();
    assert_eq!(verdict(&tampered, &json!(["27"])), "invalid");
}

#[test]
fn inputs_make_a_proof_by_the_circuits_own_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let circuit = Circuit::membership(folder.path());
    let wasm = circuit.wasm.as_deref().expect("a witness program");
    let (inputs, root) = membership_inputs(&mut rand::rng());
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::write(file("i.json"), inputs.to_string()).expect("inputs");
    let mut wrong = inputs.clone();
    wrong["leaf"] = json!("1");
    std::fs::write(file("wrong.json"), wrong.to_string()).expect("inputs");
    std::fs::write(file("few.json"), r#"{"root": "1"}"#).expect("inputs");
    for place in Place::both() {
        let files = ["--key", text(&circuit.key), "--r1cs", text(&circuit.r1cs), "--wasm", text(wasm)];
        let hash = place.json(&[&["circuits", "add", "--name", "membership"], &files[..]].concat())["circuit"].clone();
        let hash = hash.as_str().expect("a hash");
        let made = place.json(&["prove", "--circuit", hash, "--input", &file("i.json")]);
        assert_eq!(made["public"], json!([root]));
        for stage in ["witness", "check", "sparse_product", "ntt", "msm_g1", "msm_g2", "verify"] {
            assert!(made["stages_ms"][stage].as_f64().is_some_and(|ms| ms > 0.0), "{stage}: {}", made["stages_ms"]);
        }
        let own = ["prove", "--key", text(&circuit.key), "--wasm", text(wasm), "--input", &file("i.json")];
        assert_eq!(place.json(&own)["public"], json!([root]));
        place.json(&[&own[..], &["--save-witness", &file("kept.wtns")]].concat());
        let kept = ["prove", "--circuit", hash, "--witness", &file("kept.wtns")];
        assert_eq!(place.json(&kept)["public"], json!([root]));
        let by_hash = |input: &str| ["prove", "--circuit", hash, "--json", "--input", input].map(str::to_owned);
        for input in ["wrong.json", "few.json"] {
            let arguments = by_hash(&file(input));
            place.refused(&arguments.each_ref().map(String::as_str), 2, &[]);
        }
    }
}

#[test]
fn bad_secrets_and_files_are_named() {
    let (folder, circuit) = cube();
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::write(file("good.wtns"), &*cube_witness(3)).expect("a witness");
    std::fs::write(file("bad.wtns"), &*small_witness(&[1, 28, 3, 9])).expect("a witness");
    std::fs::write(file("short.wtns"), &*small_witness(&[1, 27, 3])).expect("a witness");
    std::fs::write(file("not.wtns"), b"wtns?").expect("a file");
    std::fs::write(file("not.json"), b"{").expect("a file");
    let key = text(&circuit.key);
    for place in Place::both() {
        let prove = |more: &[&str]| {
            [&["prove", "--json", "--key", key], more]
                .concat()
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        let refused = |more: &[&str], status, words: &[&str]| {
            let arguments = prove(more);
            place.refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), status, words);
        };
        refused(&["--witness", &file("bad.wtns")], 2, &["does not satisfy", ".r1cs"]);
        refused(&["--witness", &file("bad.wtns"), "--r1cs", text(&circuit.r1cs)], 2, &["constraint 1"]);
        refused(&["--witness", &file("short.wtns")], 2, &["3", "4"]);
        refused(&["--witness", &file("not.wtns")], 2, &[".wtns"]);
        refused(&["--witness", "/nowhere.wtns"], 2, &["/nowhere.wtns"]);
        refused(&["--input", "/nowhere.json"], 2, &["--wasm"]);
        place.refused(&["prove", "--key", key, "--witness", &file("good.wtns")], 2, &["--proof"]);
        place.refused(
            &["prove", "--json", "--key", &file("good.wtns"), "--witness", &file("good.wtns")],
            2,
            &[".zkey"],
        );
        place.refused(&["prove", "--json", "--key", key], 2, &["--witness"]);
        place.refused(&["circuits", "add", "--name", "x", "--key", &file("good.wtns")], 2, &[".zkey"]);
        place.refused(&["circuits", "show", "12"], 2, &["64 hexadecimal digits"]);
        let verify = ["verify-proof", "--proof", &file("not.json"), "--public", &file("not.json")];
        place.refused(&[&verify[..], &["--vk", &file("not.json")]].concat(), 2, &["proof.json"]);
        place.refused(&verify, 2, &["--vk", "--circuit"]);
        let absent =
            place.run(&["prove", "--json", "--backend", "cuda", "--key", key, "--witness", &file("good.wtns")]);
        assert_eq!((absent.status, absent.stdout.as_str()), (1, ""), "{}", absent.stderr);
        assert!(absent.stderr.contains("cuda"), "{}", absent.stderr);
    }
}

#[test]
fn a_submitted_job_survives_the_sidecar() {
    let (folder, _) = cube();
    // Long enough that it does not end before the sidecar does.
    let (chain, witness) = Circuit::chain(folder.path(), 12);
    let mut sidecar = Sidecar::start_with_journal();
    let endpoint = sidecar.endpoint();
    let submit = ["prove", "--submit", "--json", "--key", text(&chain.key), "--witness", text(&witness)];
    let jobs: Vec<String> = (0..3)
        .map(|_| {
            let told = outrigger(&[&submit[..], &["--endpoint", &endpoint]].concat(), "").json();
            told["job"].as_str().expect("a job").to_owned()
        })
        .collect();
    sidecar.kill();
    sidecar.start_again();
    let (proof, public) = (folder.path().join("p.json"), folder.path().join("s.json"));
    let ask = |what: &str, job: &str, more: &[&str]| {
        outrigger(&[&["jobs", what, job, "--endpoint", &endpoint, "--json"], more].concat(), "")
    };
    for job in &jobs {
        let done = ask("watch", job, &["--proof", text(&proof), "--public", text(&public)]).json();
        assert_eq!((&done["state"], &done["proof"]), (&json!("done"), &read(&proof)));
        let circuit = sidecar_circuit(&endpoint);
        let files = ["--proof", text(&proof), "--public", text(&public), "--circuit", &circuit];
        let verdict =
            outrigger(&[&["verify-proof", "--json", "--endpoint", &endpoint], &files[..]].concat(), "").json();
        assert_eq!(verdict["verdict"], "valid");
        assert_eq!(ask("show", job, &[]).json()["state"], "done");
    }
    let unknown = ask("show", "no-such-job", &[]);
    assert_eq!(unknown.status, 2, "{}", unknown.stderr);
}

/// The only circuit of a sidecar.
fn sidecar_circuit(endpoint: &str) -> String {
    let listed = outrigger(&["circuits", "list", "--json", "--endpoint", endpoint], "").json();
    listed["circuits"][0]["circuit"].as_str().expect("a circuit").to_owned()
}

#[test]
fn without_a_journal_key_nothing_can_be_submitted() {
    let (folder, circuit) = cube();
    let witness = folder.path().join("w.wtns");
    std::fs::write(&witness, &*cube_witness(2)).expect("a witness");
    let sidecar = Sidecar::start();
    let endpoint = sidecar.endpoint();
    let submit =
        ["prove", "--submit", "--key", text(&circuit.key), "--witness", text(&witness), "--endpoint", &endpoint];
    let ran = outrigger(&submit, "");
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("journal_key"), "{}", ran.stderr);
    let local = outrigger(&["jobs", "show", "x", "--local"], "");
    assert_eq!(local.status, 2, "{}", local.stderr);
}

#[test]
fn a_sidecar_proves_where_there_is_a_place_for_it() {
    let sidecar = Sidecar::start();
    let (proves, circuits) = sidecar.proving_said();
    assert_eq!((proves, circuits), (true, Some(sidecar.home().join("state/outrigger/circuits").as_path())));
    let off = Sidecar::start_with("[proving]\ndirectory = \"\"\n");
    assert_eq!(off.proving_said(), (false, None));
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), b"").expect("a file");
    let socket = folder.path().join("socket");
    let serve = |command: &mut std::process::Command| {
        run(command.args(["serve", "--json", "--admin", "", "--unix"]).arg(&socket), "")
    };
    // A place that was named must be usable. One that a session has anyway need not, as the next case shows.
    let named = serve(program().env("OUTRIGGER_PROVING__DIRECTORY", folder.path().join("file")));
    assert_eq!(named.status, 1, "{}", named.stderr);
    assert!(named.stderr.contains("proving.directory"), "{}", named.stderr);
    let mut child = program()
        .args(["serve", "--json", "--admin", "", "--unix"])
        .arg(&socket)
        .env("XDG_STATE_HOME", folder.path().join("file"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a line");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let ready: Value = serde_json::from_str(&line).expect("it serves, without proofs");
    assert_eq!(ready["proving"], false);
}

#[test]
fn a_proof_that_takes_too_long_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let (chain, witness) = Circuit::chain(folder.path(), 12);
    for place in Place::both() {
        let prove = ["prove", "--json", "--timeout-ms", "5", "--key", text(&chain.key), "--witness", text(&witness)];
        let since = std::time::Instant::now();
        let ran = place.run(&prove);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        // Most of it goes into opening the key.
        assert!(since.elapsed() < Duration::from_secs(60));
    }
}
