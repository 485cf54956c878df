//! Which machines a profile is for.

use std::fmt::{self, Display, Write};

use serde::{Deserialize, Deserializer};

use super::machine::{ComputeCapability, DeviceApi, DeviceSeen, Machine, Vendor};
use crate::units::{self, quoted_list};

/// When `profile = "auto"` may take a profile: every rule that is given must hold. Those about devices must all hold for
/// one and the same device. A list that is empty, and a number that is not there, is no rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// The processor is one of these, such as `x86_64`.
    pub architectures: Vec<String>,
    /// The model name of the processor holds one of these.
    pub model_contains: Vec<String>,
    /// The processor has all of these, by the names of `/proc/cpuinfo`.
    pub cpu_features: Vec<String>,
    /// At least so many cores.
    pub cores_min: Option<usize>,
    /// A device that is reached in one of these ways...
    pub apis: Vec<DeviceApi>,
    /// ...that one of these made...
    pub vendors: Vec<Vendor>,
    /// ...whose model name holds one of these...
    pub device_contains: Vec<String>,
    /// ...of this compute capability at least, which CUDA alone says...
    pub compute_capability_min: Option<ComputeCapability>,
    /// ...with at least so many bytes of memory that Outrigger may hold, which are four fifths of what it has.
    #[serde(deserialize_with = "bytes")]
    pub device_memory_min: Option<u64>,
}

/// The rules of a profile, all of which hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// Each in words.
    pub(super) rules: Vec<String>,
    /// The device that those about devices hold for.
    pub(super) device: Option<String>,
}

/// A rule in words, and whether it holds.
type Rule = (String, bool);

impl Match {
    /// Whether any rule is about devices.
    pub(super) fn is_about_devices(&self) -> bool {
        !(self.apis.is_empty() && self.vendors.is_empty() && self.device_contains.is_empty())
            || self.compute_capability_min.is_some()
            || self.device_memory_min.is_some()
    }

    /// All rules, where all of them hold.
    pub(super) fn held(&self, machine: &Machine) -> Option<Held> {
        let mut rules = self.held_by_processor(machine)?;
        if !self.is_about_devices() {
            return Some(Held { rules, device: None });
        }
        let devices = machine.devices.iter().filter(|device| !device.is_processor);
        let (device, of_device) = devices.filter_map(|device| Some((device, all(self.of_device(device))?))).next()?;
        rules.extend(of_device);
        Some(Held { rules, device: Some(format!("{} ({})", device.name.trim(), device.api)) })
    }

    /// The rules about the processor, where all of them hold.
    pub(super) fn held_by_processor(&self, machine: &Machine) -> Option<Vec<String>> {
        all(self.of_processor(machine))
    }

    /// Writes them as a table of TOML, where there are any.
    pub(super) fn write(&self, out: &mut String) -> fmt::Result {
        let names = |names: &[String]| Some(quoted_list(names)).filter(|_| !names.is_empty());
        let text = |values: Vec<String>| names(&values);
        let lines = [
            ("architectures", names(&self.architectures)),
            ("model_contains", names(&self.model_contains)),
            ("cpu_features", names(&self.cpu_features)),
            ("cores_min", self.cores_min.map(|least| least.to_string())),
            ("apis", text(self.apis.iter().map(DeviceApi::to_string).collect())),
            ("vendors", text(self.vendors.iter().map(Vendor::to_string).collect())),
            ("device_contains", names(&self.device_contains)),
            ("compute_capability_min", self.compute_capability_min.map(|least| format!("\"{least}\""))),
            ("device_memory_min", self.device_memory_min.map(|least| format!("\"{}\"", units::show_bytes(least)))),
        ];
        let given: Vec<_> = lines.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        if !given.is_empty() {
            writeln!(out, "\n[match]")?;
        }
        given.into_iter().try_for_each(|(key, value)| writeln!(out, "{key} = {value}"))
    }

    fn of_processor(&self, machine: &Machine) -> impl Iterator<Item = Rule> {
        let features = &self.cpu_features;
        let rules = [
            rule("architectures", &self.architectures, self.architectures.contains(&machine.architecture)),
            rule("model_contains", &self.model_contains, holds_one(&machine.model, &self.model_contains)),
            rule("cpu_features", features, features.iter().all(|feature| machine.features.contains(feature))),
            self.cores_min.and_then(|least| rule("cores_min", &[least], machine.cores >= least)),
        ];
        rules.into_iter().flatten()
    }

    fn of_device(&self, device: &DeviceSeen) -> impl Iterator<Item = Rule> {
        let is_theirs = device.vendor().is_some_and(|vendor| self.vendors.contains(&vendor));
        let capability = device.compute_capability();
        let rules = [
            rule("apis", &self.apis, self.apis.contains(&device.api)),
            rule("vendors", &self.vendors, is_theirs),
            rule("device_contains", &self.device_contains, holds_one(&device.name, &self.device_contains)),
            self.compute_capability_min.and_then(|least| {
                rule("compute_capability_min", &[least], capability.is_some_and(|capability| capability >= least))
            }),
            self.device_memory_min
                .and_then(|least| rule("device_memory_min", &[units::show_bytes(least)], device.memory_bytes >= least)),
        ];
        rules.into_iter().flatten()
    }
}

/// A rule, where there is one.
fn rule<T: Display>(key: &str, values: &[T], holds: bool) -> Option<Rule> {
    let values: Vec<_> = values.iter().map(T::to_string).collect();
    (!values.is_empty()).then(|| (format!("{key} {}", values.join(", ")), holds))
}

fn holds_one(text: &str, parts: &[String]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

/// The words, where all hold.
fn all(rules: impl Iterator<Item = Rule>) -> Option<Vec<String>> {
    rules.map(|(words, holds)| holds.then_some(words)).collect()
}

/// A size as the configuration writes it: a number, or a text with its unit.
fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a size in bytes is needed, such as \"16GiB\"")]
    enum Size {
        Number(u64),
        Text(String),
    }
    match Size::deserialize(deserializer)? {
        Size::Number(bytes) => Ok(Some(bytes)),
        Size::Text(text) => units::bytes(&text).map(Some).map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests;
