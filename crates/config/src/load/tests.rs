use std::path::Path;
use std::time::Duration;

use outrigger_types::{Backend, Call, CircuitId, CircuitRule, Priority, Ruleset};
use tempfile::TempDir;

use crate::{
    Config, ConfigErrors, DeviceApi, DeviceSeen, Devices, ENGINE_ORDER_DEFAULT, EngineRule, Engines, LogFormat,
    Machine, OpenclRule, Origin, Overrides, Sources,
};

/// Sources of nothing but this file.
fn sources(directory: &TempDir, text: &str) -> Sources {
    let path = directory.path().join("outrigger.toml");
    std::fs::write(&path, text).expect("written");
    let machine = Machine { architecture: "x86_64".to_owned(), cores: 2, ..Machine::default() };
    let runtime_directory = Some(Path::new("/run/user/7").to_owned());
    Sources { file: Some(path), runtime_directory, machine, ..Sources::default() }
}

pub(super) fn load(text: &str, adapt: impl FnOnce(&mut Sources)) -> Result<Config, ConfigErrors> {
    let directory = tempfile::tempdir().expect("a directory");
    let mut sources = sources(&directory, text);
    adapt(&mut sources);
    Config::load(sources)
}

pub(super) fn variable(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn nothing_gives_the_defaults_and_the_profile() {
    let config = load("", |_| {}).expect("defaults");
    assert_eq!(config.listen.unix.as_deref(), Some(Path::new("/run/user/7/outrigger/outrigger.sock")));
    assert_eq!((config.listen.unix_mode, config.listen.tcp, config.listen.insecure_loopback), (0o660, None, false));
    assert_eq!(config.listen.admin, "127.0.0.1:9464".parse().ok());
    assert_eq!(config.profile.name, "cpu-generic");
    assert_eq!((config.threads.verify, config.threads.io, config.threads.pin), (0, 2, false));
    assert_eq!((config.devices.group_max, config.scheduler.costs.len()), (0, 0));
    let engines = Engines {
        vector: EngineRule::Auto,
        cuda: EngineRule::Auto,
        opencl: OpenclRule::Auto,
        order: ENGINE_ORDER_DEFAULT,
        known_keys_bytes_max: 256 << 20,
    };
    assert_eq!(config.engines, engines);
    assert_eq!(config.scheduler.batch.items_max, 4_096);
    assert_eq!(config.scheduler_options(), outrigger_types::SchedulerOptions::default());
}

#[test]
fn each_layer_overrides_the_one_beneath() {
    let text = "drain_grace = \"1s\"\n[threads]\nio = 3\nverify = 3\n[scheduler.batch]\nbytes_max = \"1MiB\"\n";
    let config = load(text, |sources| {
        sources.environment = vec![variable("OUTRIGGER_THREADS__VERIFY", "4"), variable("OUTRIGGER_THREADS__IO", "4")];
        sources.overrides = Overrides { io_threads: Some(5), ..Overrides::default() };
    })
    .expect("good layers");
    assert_eq!((config.threads.verify, config.threads.io), (4, 5));
    assert_eq!((config.drain_grace, config.scheduler.batch.bytes_max), (Duration::from_secs(1), 1 << 20));
    assert_eq!(config.scheduler.batch.items_max, 4_096, "of the profile");
}

#[test]
fn the_vector_engine_can_be_turned_off() {
    let off = load("[engines]\nvector = \"off\"\n", |_| {}).expect("good");
    assert_eq!(off.engines.vector, EngineRule::Off);
    assert!(off.describe().contains("[engines]\nvector = \"off\"\n"), "{}", off.describe());
    let on = load("[engines]\nvector = \"off\"\n", |sources| {
        sources.environment = vec![variable("OUTRIGGER_ENGINES__VECTOR", "off")];
        sources.overrides = Overrides { vector: Some("auto".to_owned()), ..Overrides::default() };
    });
    assert_eq!(on.expect("good").engines.vector, EngineRule::Auto, "the flag has the last word");
    let errors = load("[engines]\nvector = \"on\"\n", |_| {}).expect_err("no such rule").to_string();
    assert!(errors.contains("engines.vector") && errors.contains("auto"), "{errors}");
}

#[test]
fn devices_can_be_chosen_and_bounded() {
    let text = "[engines]\nopencl = \"all\"\ncuda = \"off\"\n[devices]\naudit_per_million = 1000000\n\
        memory_bytes_max = \"4GiB\"\narena_bytes = \"64MiB\"\nmsm_copies_max = 2\ngroup_max = 32\nhang_max = \"2s\"\nready_max = \"30s\"\n\
        kernel_cache = \"\"\ncuda_worker = \"/opt/outrigger-cuda\"\n";
    let config = load(text, |sources| sources.cache_directory = Some("/var/cache/outrigger".into())).expect("good");
    assert_eq!((config.engines.opencl, config.engines.cuda), (OpenclRule::All, EngineRule::Off));
    let devices = Devices {
        audit_per_million: 1_000_000,
        memory_bytes_max: 4 << 30,
        arena_bytes: 64 << 20,
        group_max: 32,
        msm_window_bits: 0,
        msm_entries_per_item: 64,
        msm_copies_max: 2,
        hang_max: Duration::from_secs(2),
        ready_max: Duration::from_secs(30),
        cuda_worker: Some("/opt/outrigger-cuda".into()),
        kernel_cache: None,
    };
    assert_eq!(config.devices, devices);
    assert_eq!(load(&config.describe(), |_| {}).expect("what it tells").devices, devices);
    let default = load("", |sources| sources.cache_directory = Some("/var/cache/outrigger".into())).expect("good");
    assert_eq!(default.devices.cuda_worker, None, "beside the program");
    assert_eq!(default.devices.kernel_cache.as_deref(), Some(Path::new("/var/cache/outrigger/kernels")));
    let wrong = "[engines]\nopencl = \"some\"\n[devices]\naudit_per_million = 1000001\narena_bytes = \"1MiB\"\n";
    let errors = load(wrong, |_| {}).expect_err("all three are wrong").to_string();
    for key in ["engines.opencl", "devices.audit_per_million", "devices.arena_bytes"] {
        assert!(errors.contains(key), "{errors}");
    }
}

#[test]
fn tables_of_known_keys_are_bounded_or_off() {
    let bytes = |text: &str| {
        let config = load(&format!("[engines]\nknown_keys_bytes_max = {text}\n"), |_| {})?;
        let described = load(&config.describe(), |_| {}).expect("what it tells is a configuration");
        assert_eq!(described.engines, config.engines);
        Ok::<_, ConfigErrors>(config.engines.known_keys_bytes_max)
    };
    for (text, expected) in [("0", 0), ("\"64MiB\"", 64 << 20), ("\"4MiB\"", 4 << 20)] {
        assert_eq!(bytes(text).expect("good"), expected);
    }
    for text in ["1", "\"1MiB\"", "\"much\"", "-1"] {
        let errors = bytes(text).expect_err("too little").to_string();
        assert!(errors.contains("engines.known_keys_bytes_max"), "{errors}");
    }
}

#[test]
fn all_errors_are_shown_at_once_with_their_places() {
    let text = "[listn]\nunix = \"/x\"\n[threads]\nio = 0\n[log]\nformat = \"xml\"\n";
    let errors = load(text, |sources| {
        sources.environment = vec![variable("OUTRIGGER_THREADS__VERFY", "2"), variable("OUTRIGGER_DRAIN_GRACE", "20")];
        sources.overrides = Overrides { admin: Some("nowhere".to_owned()), ..Overrides::default() };
    })
    .expect_err("five errors");
    let found = |key: &str| errors.0.iter().find(|error| error.key == key).unwrap_or_else(|| panic!("{key}: {errors}"));
    assert_eq!(errors.0.len(), 6, "{errors}");
    assert!(found("listn.unix").message.contains("listen.unix"), "{errors}");
    assert!(matches!(found("threads.io").origin, Origin::File(_)));
    assert!(found("log.format").message.contains("json"));
    assert!(found("threads.verfy").message.contains("OUTRIGGER_THREADS__VERIFY"), "{errors}");
    assert_eq!(found("drain_grace").origin, Origin::Environment("OUTRIGGER_DRAIN_GRACE".to_owned()));
    assert_eq!(found("listen.admin").origin, Origin::CommandLine("listen.admin".to_owned()));
}

#[test]
fn tcp_without_tls_needs_loopback_and_the_flag() {
    let cases = [
        ("tcp = \"0.0.0.0:1\"", false),
        ("tcp = \"0.0.0.0:1\"\ninsecure_loopback = true", false),
        ("tcp = \"127.0.0.1:1\"", false),
        ("tcp = \"127.0.0.1:1\"\ninsecure_loopback = true", true),
        ("tcp = \"0.0.0.0:1\"\ntls = { certificate = \"a\", key = \"b\" }", true),
        ("tcp = \"0.0.0.0:1\"\ntls = { certificate = \"a\" }", false),
        ("unix = \"\"", false),
        ("unix_mode = \"0999\"", false),
    ];
    for (text, is_good) in cases {
        let result = load(&format!("[listen]\n{text}\n"), |_| {});
        assert_eq!(result.is_ok(), is_good, "{text}: {result:?}");
    }
}

const TENANTS: &str = r#"
[[tenants]]
name = "node"
uids = [1000]
calls = ["verify", "recover", "prove"]
rulesets = ["ethereum-transaction", "fabric"]
circuits = ["0x00000000000000000000000000000000000000000000000000000000000000Ab"]
priority_max = "consensus"
weight = 300
quota.items_max = 1000
[[tenants]]
name = "other"
certificate_names = ["other.test"]
calls = ["hash"]
rulesets = ["*"]
circuits = ["*"]
"#;

#[test]
fn tenants_are_read_whole() {
    let config = load(TENANTS, |_| {}).expect("two tenants");
    let [node, other] = config.tenants.as_slice() else { panic!("two tenants") };
    assert_eq!(
        (node.uids.as_slice(), node.policy.weight, node.policy.quota.items_max),
        ([1_000].as_slice(), 300, 1_000)
    );
    assert_eq!(node.policy.calls, [Call::Verify, Call::Recover, Call::Prove].into());
    assert_eq!(node.policy.rulesets, [Ruleset::EthereumTransaction, Ruleset::Fabric].into());
    assert_eq!((node.policy.priority_max, other.policy.priority_max), (Priority::Consensus, Priority::Block));
    assert_eq!(other.policy.rulesets.len(), Ruleset::ALL.len());
    let mut circuit = [0; 32];
    circuit[31] = 0xab;
    assert_eq!(node.policy.circuits, CircuitRule::Only([CircuitId(circuit)].into()));
    assert_eq!(other.policy.circuits, CircuitRule::All);
    assert_eq!(config.scheduler_options().tenants.len(), 2);
}

#[test]
fn tenants_that_cannot_be_told_apart_or_want_what_is_not_are_errors() {
    let cases = [
        ("name = \"node\"\nuids = [1]", "two tenants"),
        ("name = \"x\"\nuids = [1000]", "already belongs"),
        ("name = \"x\"\ncertificate_names = [\"Other.Test\"]", "already belongs"),
        ("name = \"x\"", "no caller"),
        ("name = \"x\"\nuids = [1]\ncalls = [\"sign\"]", "unknown call"),
        ("name = \"x\"\nuids = [1]\nrulesets = [\"etherium\"]", "unknown ruleset"),
        ("name = \"x\"\nuids = [1]\ncircuits = [\"merkle\"]", "64 hexadecimal digits"),
        ("name = \"x\"\nuids = [-1]", "whole numbers"),
        ("name = \"x\"\nuids = [1]\nweight = 0", "1 to 1000"),
        ("name = \"x\"\nuids = [1]\nqouta.items_max = 1", "tenants[2].quota.items_max"),
        ("uids = [1]", "needs a name"),
    ];
    for (tenant, message) in cases {
        let errors = load(&format!("{TENANTS}\n[[tenants]]\n{tenant}\n"), |_| {}).expect_err(tenant);
        assert!(errors.to_string().contains(message), "{tenant}: {errors}");
    }
}

#[test]
fn the_description_can_be_read_back() {
    let text = format!(
        "[log]\nformat = \"json\"\n[listen]\ntcp = \"0.0.0.0:1\"\ntls = {{ certificate = \"a\", key = \"b\", client_ca = \"c\" }}\n\
         [proving]\ndirectory = \"/var/lib/o\"\njournal_key = \"k\"\nnice = 11\nwitness.time_max = \"9s\"\n{TENANTS}"
    );
    let config = load(&text, |_| {}).expect("a configuration");
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!((config.proving.nice, config.proving.witness.time_max), (11, Duration::from_secs(9)));
    let mut again = load(&config.describe(), |_| {}).unwrap_or_else(|errors| panic!("{errors}\n{}", config.describe()));
    // It names the profile that was chosen.
    assert_eq!(again.profile.choice, crate::Choice::Named);
    again.profile.choice = config.profile.choice.clone();
    assert_eq!(again, config);
}

#[test]
fn files_that_are_missing_or_not_toml_are_errors_beside_the_others() {
    let errors = load("a = = b", |sources| sources.environment = vec![variable("OUTRIGGER_LOGS", "x")]);
    assert_eq!(errors.expect_err("two errors").0.len(), 2);
    let errors = load("", |sources| sources.file = Some("/nowhere/outrigger.toml".into())).expect_err("no file");
    assert!(errors.to_string().contains("/nowhere/outrigger.toml: cannot read"), "{errors}");
}

#[test]
fn a_profile_may_be_a_file_whose_unknown_keys_are_errors() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("mine.toml");
    let profile = |values: &str| {
        let text = format!("[about]\nname = \"mine\"\nsummary = \"my machine\"\n{values}\n");
        std::fs::write(&path, text).expect("written");
        load(&format!("profile = {path:?}"), |_| {})
    };
    let config = profile("[threads]\nio = 9").expect("a good profile");
    assert_eq!((config.threads.io, config.profile.name.as_str()), (9, "mine"));
    let errors = profile("[threads]\noi = 9").expect_err("an unknown key");
    assert!(errors.to_string().contains("threads.io"), "{errors}");
    let errors = load("profile = \"none\"", |_| {}).expect_err("no such profile");
    assert!(matches!(errors.0[0].origin, Origin::File(_)), "{errors}");
}

#[test]
fn variables_that_are_not_keys_are_passed_over() {
    let config = load("", |sources| {
        sources.environment =
            vec![variable("PATH", "/bin"), variable("OUTRIGGER_CONFIG", "x"), variable("OUTRIGGER_ENDPOINT", "y")];
    });
    assert!(config.is_ok(), "{config:?}");
}

#[test]
fn a_tenant_may_use_no_circuit_that_it_was_not_given() {
    let text = "[[tenants]]\nname = \"x\"\nuids = [1]\n";
    let config = load(text, |_| {}).expect("a tenant");
    assert_eq!(config.tenants[0].policy.circuits, CircuitRule::Only([].into()));
}

#[test]
fn proving_is_on_where_there_is_a_place_for_it() {
    let config = load("", |_| {}).expect("defaults");
    assert_eq!((config.proving.directory, config.proving.journal_key), (None, None));
    let state = |sources: &mut Sources| sources.state_directory = Some("/var/lib/outrigger".into());
    let config = load("", state).expect("defaults");
    assert_eq!(config.proving.directory.as_deref(), Some(Path::new("/var/lib/outrigger")));
    assert_eq!((config.proving.threads, config.proving.concurrency, config.proving.nice), (0, 1, 10));
    assert!(config.proving.secret_bytes_max >= config.limits.secret_bytes_max as u64);
    let config = load("[proving]\ndirectory = \"\"\n", state).expect("turned off");
    assert_eq!(config.proving.directory, None);
}

#[test]
fn proving_that_contradicts_itself_is_an_error() {
    let cases = [
        ("[proving]\nnice = 5", "from 10 to 19"),
        ("[proving]\nconcurrency = 0", "from 1 to 64"),
        ("[proving]\nsecret_bytes_max = \"1MiB\"", "limits.secret_bytes_max"),
        ("[proving]\njobs_max = 3\ntenant_jobs_max = 4", "proving.jobs_max"),
        ("[proving]\nwitness.memory_bytes_max = \"5GiB\"", "4GiB"),
        ("[proving]\njournalkey = \"x\"", "proving.journal_key"),
    ];
    for (text, message) in cases {
        let errors = load(text, |_| {}).expect_err(text);
        assert!(errors.to_string().contains(message), "{text}: {errors}");
    }
    assert_eq!(load("[proving]\njobs_max = 3", |_| {}).expect("few jobs").proving.tenant_jobs_max, 3);
    let large = load("[limits]\nsecret_bytes_max = \"2GiB\"", |_| {}).expect("large requests");
    assert_eq!(large.proving.secret_bytes_max, 2 << 30);
}

#[test]
fn the_order_of_engines_is_made_whole() {
    let order =
        |text: &str| Ok::<_, ConfigErrors>(load(&format!("[engines]\norder = {text}\n"), |_| {})?.engines.order);
    use Backend::{Cpu, Cuda, Opencl, Vector};
    assert_eq!(order("[]").expect("good"), ENGINE_ORDER_DEFAULT);
    assert_eq!(order("[\"cpu\"]").expect("good"), [Cpu, Cuda, Opencl, Vector]);
    let all = order("[\"vector\", \"cpu\", \"opencl\", \"cuda\"]").expect("good");
    assert_eq!(all, [Vector, Cpu, Opencl, Cuda]);
    for (text, message) in
        [("[\"cpu\", \"cpu\"]", "named twice"), ("[\"gpu\"]", "one of cpu"), ("3", "list of strings")]
    {
        let errors = order(text).expect_err(text).to_string();
        assert!(errors.contains("engines.order") && errors.contains(message), "{errors}");
    }
    let by_environment = load("", |sources| {
        sources.environment = vec![variable("OUTRIGGER_ENGINES__ORDER", "vector, cpu")];
    });
    assert_eq!(by_environment.expect("good").engines.order, [Vector, Cpu, Cuda, Opencl]);
}

#[test]
fn groups_and_windows_have_sizes_that_devices_take() {
    for good in ["group_max = 0", "group_max = 8", "group_max = 1024", "msm_window_bits = 4", "msm_window_bits = 24"] {
        assert!(load(&format!("[devices]\n{good}\n"), |_| {}).is_ok(), "{good}");
    }
    for bad in ["group_max = 4", "group_max = 48", "group_max = 2048", "msm_window_bits = 3", "msm_window_bits = 25"] {
        let errors = load(&format!("[devices]\n{bad}\n"), |_| {}).expect_err(bad).to_string();
        assert!(errors.contains("devices.") && errors.contains("to"), "{errors}");
    }
}

fn hopper() -> DeviceSeen {
    DeviceSeen {
        api: DeviceApi::Cuda,
        name: "NVIDIA H200".to_owned(),
        platform: "CUDA, sm_90".to_owned(),
        memory_bytes: 110 << 30,
        is_processor: false,
    }
}

#[test]
fn devices_are_looked_for_where_a_profile_may_depend_on_them() {
    let chosen = |text: &str, machine: Machine| {
        let directory = tempfile::tempdir().expect("a directory");
        let mut asked = None;
        let sources = Sources { machine, ..sources(&directory, text) };
        let config = Config::load_with_devices(sources, |search| {
            asked = Some(search.clone());
            vec![hopper()]
        });
        (config.expect("good").profile, asked)
    };
    let (profile, asked) =
        chosen("[engines]\nopencl = \"off\"\n[devices]\ncuda_worker = \"/opt/w\"\n", Machine::default());
    let asked = asked.expect("it looks");
    assert_eq!((asked.cuda, asked.opencl), (EngineRule::Auto, OpenclRule::Off));
    assert_eq!(asked.cuda_worker.as_deref(), Some(Path::new("/opt/w")));
    assert_eq!(profile.name, "nvidia-h200");
    let words = profile.choice.to_string();
    assert!(words.contains("compute_capability_min 9.0") && words.contains("device NVIDIA H200 (cuda)"), "{words}");
    for text in ["profile = \"cpu-generic\"", "[engines]\ncuda = \"off\"\nopencl = \"off\"\n"] {
        let (profile, asked) = chosen(text, Machine::default());
        assert_eq!((profile.name.as_str(), asked), ("cpu-generic", None), "{text}");
    }
    let known = Machine { devices: vec![hopper()], ..Machine::default() };
    let directory = tempfile::tempdir().expect("a directory");
    let config = Config::load(Sources { machine: known, ..sources(&directory, "") }).expect("good");
    assert_eq!(config.profile.name, "nvidia-h200", "what the sources know is enough");
    assert!(config.describe().contains("# chosen: auto, since these hold: apis cuda"), "{}", config.describe());
}

/// What is written must be TOML whatever is in it.
#[test]
fn odd_texts_can_be_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("odd.toml");
    let text = "[about]\nname = \"a\\u0007\\\\\\\"\"\nsummary = \"two\\nlines\"\n";
    std::fs::write(&path, text).expect("written");
    let config = load(&format!("profile = {path:?}\nlog.filter = \"a\\u007f\\\"\\u200b'\""), |_| {}).expect("odd");
    assert_eq!(load(&config.describe(), |_| {}).expect("what it tells"), config);
}
