//! `AdminService`.

use std::sync::Arc;

use outrigger_algorithms::{RulesetRules, registry};
use outrigger_proto::v1;
use outrigger_proto::v1::admin_service_server::AdminService;
use outrigger_types::{Backend, Curve, Engine, HashAlgorithm, MerkleTree, MessageForm, Operation, Ruleset, limits};
use tonic::{Request, Response, Status};

use crate::calls::caller;
use crate::convert::{backend_number, curve_number};
use crate::state::State;

/// The service.
pub(crate) struct Admin {
    state: Arc<State>,
}

impl Admin {
    pub(crate) const fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    fn rules(&self) -> impl Iterator<Item = &'static RulesetRules> + '_ {
        Ruleset::ALL.iter().filter_map(|ruleset| self.state.vocabulary.rules(*ruleset))
    }

    fn ruleset(&self, rules: &RulesetRules) -> v1::RulesetCapability {
        let forms = rules.message_forms.iter().map(|form| match form {
            MessageForm::Message => v1::MessageForm::Message as i32,
            MessageForm::Digest => v1::MessageForm::Digest as i32,
        });
        v1::RulesetCapability {
            ruleset: rules.ruleset.number(),
            name: rules.ruleset.name().to_owned(),
            version: rules.version,
            algorithm: registry::room_of(rules.ruleset).map_or_else(String::new, |room| room.name.to_owned()),
            backends: self.backends(Operation::Verify(rules.ruleset)),
            message_forms: forms.collect(),
            can_recover: rules.recover.is_some(),
            can_verify_sets: rules.verify_sets.is_some(),
        }
    }

    fn hashes(&self) -> Vec<v1::HashCapability> {
        let known = HashAlgorithm::ALL.iter().filter(|one| self.state.vocabulary.hash_rules(**one).is_some());
        known
            .map(|algorithm| v1::HashCapability {
                algorithm: algorithm.number(),
                name: algorithm.name().to_owned(),
                backends: self.backends(Operation::Hash(*algorithm)),
            })
            .collect()
    }

    fn merkle_trees(&self) -> Vec<i32> {
        let is_built = |tree: &&MerkleTree| {
            HashAlgorithm::ALL.iter().any(|algorithm| (self.state.vocabulary.takes)(**tree, *algorithm))
        };
        MerkleTree::ALL.iter().filter(is_built).map(|tree| tree.number()).collect()
    }

    fn backends(&self, operation: Operation) -> Vec<i32> {
        let engines = self.state.executor.engines.iter().filter(|engine| engine.supports(operation));
        let mut backends: Vec<i32> = engines.map(|engine| backend_number(engine.backend())).collect();
        backends.sort_unstable();
        backends.dedup();
        backends
    }

    fn engine(&self, engine: &dyn Engine) -> v1::EngineCapability {
        let verifications = self.rules().map(|rules| Operation::Verify(rules.ruleset));
        let hashes = HashAlgorithm::ALL.iter().map(|algorithm| Operation::Hash(*algorithm));
        let supported = verifications.chain(hashes).filter(|operation| engine.supports(*operation));
        let parallelism = supported.map(|operation| engine.parallelism(operation)).max().unwrap_or(0);
        v1::EngineCapability {
            backend: backend_number(engine.backend()),
            device: engine.device().to_owned(),
            parallelism: u32::try_from(parallelism).unwrap_or(u32::MAX),
        }
    }

    fn proving(&self) -> Option<v1::ProvingCapability> {
        self.state.proving.as_ref()?;
        let in_force = self.state.limits.load();
        Some(v1::ProvingCapability {
            curves: Curve::ALL.map(curve_number).to_vec(),
            backends: vec![backend_number(Backend::Cpu)],
            secret_bytes_max: in_force.secret_bytes_max as u64,
            operation_bytes_max: in_force.operation_bytes_max as u64,
        })
    }

    fn proof_curves(&self) -> Vec<i32> {
        let is_verified = |curve: &Curve| !self.backends(Operation::VerifyProofs(*curve)).is_empty();
        Curve::ALL.into_iter().filter(is_verified).map(curve_number).collect()
    }

    fn limits(&self) -> v1::Limits {
        let in_force = self.state.limits.load();
        v1::Limits {
            message_bytes_max: in_force.message_bytes_max as u64,
            items_max: in_force.items_max as u64,
            stream_window: u32::try_from(in_force.stream_window).unwrap_or(u32::MAX),
            identity_bytes_max: limits::IDENTITY_BYTES_MAX as u32,
            key_set_bytes_max: u32::try_from(in_force.key_set_bytes_max).unwrap_or(u32::MAX),
        }
    }
}

#[tonic::async_trait]
impl AdminService for Admin {
    async fn get_capabilities(
        &self,
        mut request: Request<v1::GetCapabilitiesRequest>,
    ) -> Result<Response<v1::GetCapabilitiesResponse>, Status> {
        let caller = caller(&mut request)?;
        Ok(Response::new(v1::GetCapabilitiesResponse {
            version: self.state.version.clone(),
            rulesets: self.rules().map(|rules| self.ruleset(rules)).collect(),
            hashes: self.hashes(),
            merkle_trees: self.merkle_trees(),
            engines: self.state.executor.engines.iter().map(|engine| self.engine(engine.as_ref())).collect(),
            limits: Some(self.limits()),
            tenant: caller.tenant.name.to_string(),
            proving: self.proving(),
            proof_curves: self.proof_curves(),
        }))
    }
}
