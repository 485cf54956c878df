//! The configuration as TOML, for `check-config`. Secrets are named by file path alone, so nothing needs hiding but
//! what those files hold, and that is never read here.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use outrigger_types::{Backend, Call, CircuitId, CircuitRule, Quota, Ruleset};

use super::{
    Config, Devices, EngineRule, Limits, Listen, LogFormat, OpenclRule, Proving, Tenant, Tracing, WitnessBounds,
};
use crate::Basis;
use crate::units::{quoted, quoted_list, show_bytes, show_duration};

impl Config {
    /// The whole configuration, every default filled in, in the form of the file. Holds paths of key files, never
    /// what is in them.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        self.write_profile(out)?;
        writeln!(out, "drain_grace = \"{}\"", show_duration(self.drain_grace))?;
        write_listen(out, &self.listen)?;
        writeln!(out, "\n[log]\nfilter = {}", quoted(&self.log.filter))?;
        let format = match self.log.format {
            LogFormat::Json => "json",
            LogFormat::Text => "text",
        };
        writeln!(out, "format = {format:?}")?;
        write_tracing(out, &self.tracing)?;
        writeln!(out, "\n[threads]\nverify = {}\nio = {}", self.threads.verify, self.threads.io)?;
        writeln!(out, "pin = {}", self.threads.pin)?;
        let rule = |rule| match rule {
            EngineRule::Auto => "auto",
            EngineRule::Off => "off",
        };
        let opencl = match self.engines.opencl {
            OpenclRule::Auto => "auto",
            OpenclRule::All => "all",
            OpenclRule::Off => "off",
        };
        writeln!(out, "\n[engines]\nvector = {:?}", rule(self.engines.vector))?;
        writeln!(out, "cuda = {:?}\nopencl = {opencl:?}", rule(self.engines.cuda))?;
        writeln!(out, "order = {:?}", self.engines.order.map(Backend::name))?;
        let known = show_bytes(self.engines.known_keys_bytes_max as u64);
        writeln!(out, "known_keys_bytes_max = \"{known}\"")?;
        write_devices(out, &self.devices)?;
        write_limits(out, &self.limits)?;
        self.write_scheduler(out)?;
        write_proving(out, &self.proving)?;
        self.tenants.iter().try_for_each(|tenant| write_tenant(out, tenant))
    }

    fn write_profile(&self, out: &mut String) -> std::fmt::Result {
        let profile = &self.profile;
        comment(out, &format!("profile {}: {}", profile.name, profile.summary))?;
        comment(out, &format!("chosen: {}", profile.choice))?;
        for figure in &profile.figures {
            let basis = match figure.basis {
                Basis::Estimate => "estimate",
                Basis::Measured => "measured",
            };
            let told: String = figure.circumstances().map(|(name, value)| format!(", {name} {value}")).collect();
            comment(out, &format!("  {} ({basis}{told}): {}", figure.keys.join(", "), figure.from))?;
        }
        let name = profile.path.as_ref().map_or_else(|| profile.name.clone(), |path| path.display().to_string());
        writeln!(out, "profile = {}", quoted(&name))
    }

    fn write_scheduler(&self, out: &mut String) -> std::fmt::Result {
        let tuning = &self.scheduler;
        writeln!(out, "\n[scheduler]\naging = \"{}\"", show_duration(tuning.aging))?;
        writeln!(out, "cache_entries = {}", tuning.cache_entries)?;
        writeln!(out, "consensus_reserve_percent = {}", tuning.consensus_reserve_percent)?;
        if tuning.costs.is_empty() {
            // The profile may have some.
            writeln!(out, "costs = []")?;
        }
        writeln!(out, "\n[scheduler.batch]\nitems_max = {}", tuning.batch.items_max)?;
        writeln!(out, "bytes_max = \"{}\"", show_bytes(tuning.batch.bytes_max as u64))?;
        writeln!(out, "delay_max = \"{}\"", show_duration(tuning.batch.delay_max))?;
        tuning.costs.iter().try_for_each(|guess| guess.write(out))
    }
}

/// A line of a comment, whatever is in it.
fn comment(out: &mut String, text: &str) -> std::fmt::Result {
    writeln!(out, "# {}", text.replace(char::is_control, " "))
}

fn write_listen(out: &mut String, listen: &Listen) -> std::fmt::Result {
    let unix = listen.unix.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let address = |address: Option<std::net::SocketAddr>| address.map(|one| one.to_string()).unwrap_or_default();
    writeln!(out, "\n[listen]\nunix = {}\nunix_mode = \"{:04o}\"", quoted(&unix), listen.unix_mode)?;
    writeln!(out, "tcp = {:?}\nadmin = {:?}", address(listen.tcp), address(listen.admin))?;
    writeln!(out, "insecure_loopback = {}", listen.insecure_loopback)?;
    writeln!(out, "connections_max = {}", listen.connections_max)?;
    if let Some(tls) = &listen.tls {
        writeln!(out, "\n[listen.tls]\ncertificate = {}\nkey = {}", path(&tls.certificate), path(&tls.key))?;
        if let Some(client_ca) = &tls.client_ca {
            writeln!(out, "client_ca = {}", path(client_ca))?;
        }
    }
    Ok(())
}

fn write_tracing(out: &mut String, tracing: &Tracing) -> std::fmt::Result {
    let endpoint = tracing.otlp_endpoint.as_ref().map_or("", |endpoint| endpoint.as_str());
    writeln!(out, "\n[tracing]\notlp_endpoint = {}", quoted(endpoint))?;
    writeln!(out, "sampled_per_million = {}", tracing.sampled_per_million)
}

fn write_devices(out: &mut String, devices: &Devices) -> std::fmt::Result {
    writeln!(out, "\n[devices]\naudit_per_million = {}", devices.audit_per_million)?;
    writeln!(out, "memory_bytes_max = \"{}\"", show_bytes(devices.memory_bytes_max))?;
    writeln!(out, "arena_bytes = \"{}\"", show_bytes(devices.arena_bytes as u64))?;
    writeln!(out, "group_max = {}", devices.group_max)?;
    writeln!(out, "msm_window_bits = {}", devices.msm_window_bits)?;
    writeln!(out, "msm_entries_per_item = {}", devices.msm_entries_per_item)?;
    writeln!(out, "msm_copies_max = {}", devices.msm_copies_max)?;
    writeln!(out, "hang_max = \"{}\"", show_duration(devices.hang_max))?;
    writeln!(out, "ready_max = \"{}\"", show_duration(devices.ready_max))?;
    writeln!(out, "cuda_worker = {}", path_or_none(&devices.cuda_worker))?;
    writeln!(out, "kernel_cache = {}", path_or_none(&devices.kernel_cache))
}

/// A path as the file has it, where "" stands for none.
fn path_or_none(of: &Option<PathBuf>) -> String {
    of.as_ref().map_or_else(|| quoted(""), |of| path(of))
}

fn path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

fn write_limits(out: &mut String, limits: &Limits) -> std::fmt::Result {
    let Quota { requests_max, items_max, bytes_max, compute_max } = limits.quota;
    writeln!(out, "\n[limits]\nrequests_max = {requests_max}\nitems_in_flight_max = {items_max}")?;
    writeln!(out, "bytes_in_flight_max = \"{}\"", show_bytes(bytes_max))?;
    writeln!(out, "compute_max = \"{}\"", show_duration(compute_max))?;
    writeln!(out, "message_bytes_max = \"{}\"", show_bytes(limits.message_bytes_max as u64))?;
    writeln!(out, "items_max = {}\nstream_window = {}", limits.items_max, limits.stream_window)?;
    writeln!(out, "key_set_bytes_max = \"{}\"", show_bytes(limits.key_set_bytes_max as u64))?;
    writeln!(out, "merkle_bytes_max = \"{}\"", show_bytes(limits.merkle_bytes_max as u64))?;
    writeln!(out, "secret_bytes_max = \"{}\"", show_bytes(limits.secret_bytes_max as u64))?;
    writeln!(out, "operation_bytes_max = \"{}\"", show_bytes(limits.operation_bytes_max as u64))
}

fn write_proving(out: &mut String, proving: &Proving) -> std::fmt::Result {
    writeln!(out, "\n[proving]\ndirectory = {}", path_or_none(&proving.directory))?;
    writeln!(out, "threads = {}\nconcurrency = {}", proving.threads, proving.concurrency)?;
    writeln!(out, "together_max = {}", proving.together_max)?;
    writeln!(out, "together_domain_max = {}", proving.together_domain_max)?;
    writeln!(out, "large_domain_min = {}", proving.large_domain_min)?;
    writeln!(out, "multiples_max = {}", proving.multiples_max)?;
    writeln!(out, "multiples_bytes_max = \"{}\"", show_bytes(proving.multiples_bytes_max as u64))?;
    writeln!(out, "msm_digits_at_once = {}", proving.msm_digits_at_once)?;
    writeln!(out, "msm_window_bits_max = {}", proving.msm_window_bits_max)?;
    writeln!(out, "nice = {}\njobs_max = {}", proving.nice, proving.jobs_max)?;
    writeln!(out, "tenant_jobs_max = {}", proving.tenant_jobs_max)?;
    writeln!(out, "secret_bytes_max = \"{}\"", show_bytes(proving.secret_bytes_max))?;
    writeln!(out, "aging = \"{}\"", show_duration(proving.aging))?;
    writeln!(out, "result_lifetime = \"{}\"", show_duration(proving.result_lifetime))?;
    writeln!(out, "journal_key = {}", path_or_none(&proving.journal_key))?;
    writeln!(out, "ready_bytes_max = \"{}\"", show_bytes(proving.ready_bytes_max as u64))?;
    writeln!(out, "key_bytes_max = \"{}\"", show_bytes(proving.key_bytes_max))?;
    writeln!(out, "r1cs_bytes_max = \"{}\"", show_bytes(proving.r1cs_bytes_max))?;
    writeln!(out, "wasm_bytes_max = \"{}\"", show_bytes(proving.wasm_bytes_max))?;
    let WitnessBounds { fuel_max, memory_bytes_max, time_max } = proving.witness;
    writeln!(out, "\n[proving.witness]\nfuel_max = {fuel_max}")?;
    writeln!(out, "memory_bytes_max = \"{}\"", show_bytes(memory_bytes_max as u64))?;
    writeln!(out, "time_max = \"{}\"", show_duration(time_max))
}

fn write_tenant(out: &mut String, tenant: &Tenant) -> std::fmt::Result {
    let policy = &tenant.policy;
    let calls: Vec<_> = policy.calls.iter().copied().map(Call::name).collect();
    let rulesets: Vec<_> = policy.rulesets.iter().copied().map(Ruleset::name).collect();
    writeln!(out, "\n[[tenants]]\nname = {}\ncalls = {calls:?}\nrulesets = {rulesets:?}", quoted(&policy.name))?;
    let circuits = match &policy.circuits {
        CircuitRule::All => vec!["*".to_owned()],
        CircuitRule::Only(circuits) => circuits.iter().map(CircuitId::to_string).collect(),
    };
    writeln!(out, "circuits = {circuits:?}")?;
    writeln!(out, "priority_max = \"{}\"\nweight = {}", policy.priority_max, policy.weight)?;
    writeln!(out, "uids = {:?}\ncertificate_names = {}", tenant.uids, quoted_list(&tenant.certificate_names))?;
    writeln!(out, "unauthenticated = {}", tenant.unauthenticated)?;
    let Quota { requests_max, items_max, bytes_max, compute_max } = policy.quota;
    writeln!(out, "quota.requests_max = {requests_max}\nquota.items_max = {items_max}")?;
    writeln!(out, "quota.bytes_max = \"{}\"", show_bytes(bytes_max))?;
    writeln!(out, "quota.compute_max = \"{}\"", show_duration(compute_max))
}
