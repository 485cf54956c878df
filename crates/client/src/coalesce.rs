//! Single calls.

use std::sync::Arc;

use outrigger_types::{ColumnBuf, Keys, Ruleset, SignatureOptions, SignatureWork, Verdict, Work};

use crate::call::Core;
use crate::{CallOptions, ClientError};

pub(crate) struct Lanes {
    core: Arc<Core>,
}

impl Lanes {
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        Self { core: Arc::clone(core) }
    }

    pub(crate) async fn verify_one(
        &self,
        ruleset: Ruleset,
        options: &SignatureOptions,
        [key, signature, message]: [&[u8]; 3],
    ) -> Result<Verdict, ClientError> {
        let work = Work::Verify(SignatureWork {
            ruleset,
            options: options.clone(),
            keys: Keys::Inline(ColumnBuf::from_items(&[key])),
            signatures: ColumnBuf::from_items(&[signature]),
            messages: ColumnBuf::from_items(&[message]),
        });
        let answer = self.core.run(Arc::new(work), CallOptions::default()).await?;
        Ok(answer.output.verdicts[0])
    }
}
