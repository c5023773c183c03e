//! The `message` capability: a closer look at the message that is being
//! checked, paid for only by the guardrails that take it.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::contract::v0_1::mcp_gateway::guardrail::message::{
    EarlierFinding, Host, HostMessage, Place, Role,
};
use super::journal::Trail;
use crate::message::{self, Message, Texts};
use crate::sandbox::Confined;

/// What a guardrail can learn about a message besides its texts. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct MessageView {
    /// The message as the earlier guardrails of the chain left it.
    pub message: Message,
    /// Its texts.
    pub texts: Arc<Texts>,
    /// The request that it belongs to, as it was sent on.
    pub request: Option<Message>,
    /// What the earlier guardrails found in it: their names, and the rules.
    pub earlier: Vec<(Arc<str>, String)>,
    /// Microseconds since the request was sent on; 0 for a message that ends
    /// no exchange.
    pub elapsed: u64,
    /// What is known of its exchange for the journal, if that is recorded.
    pub trail: Option<Arc<Trail>>,
}

impl Host for Confined {}

impl HostMessage for Confined {
    fn place(&mut self, view: Resource<MessageView>, text: u32) -> wasmtime::Result<Option<Place>> {
        self.spend_host_call()?;
        let view = self.table.get(&view)?;
        let place = usize::try_from(text)
            .ok()
            .and_then(|text| view.texts.place(text));
        Ok(place.map(|place| Place {
            pointer: place.pointer,
            role: match place.role {
                message::Role::Key => Role::Key,
                message::Role::Value => Role::Value,
            },
        }))
    }

    fn payload(&mut self, view: Resource<MessageView>) -> wasmtime::Result<Option<String>> {
        self.spend_host_call()?;
        let view = self.table.get(&view)?;
        Ok(view.message.payload().map(str::to_owned))
    }

    fn value(
        &mut self,
        view: Resource<MessageView>,
        pointer: String,
    ) -> wasmtime::Result<Option<String>> {
        self.spend_host_call()?;
        let view = self.table.get(&view)?;
        Ok(view.message.value(&pointer).map(str::to_owned))
    }

    fn request(&mut self, view: Resource<MessageView>) -> wasmtime::Result<Option<String>> {
        self.spend_host_call()?;
        let view = self.table.get(&view)?;
        let params = view.request.as_ref().and_then(Message::payload);
        Ok(params.map(str::to_owned))
    }

    fn earlier_findings(
        &mut self,
        view: Resource<MessageView>,
    ) -> wasmtime::Result<Vec<EarlierFinding>> {
        self.spend_host_call()?;
        let view = self.table.get(&view)?;
        let earlier = view.earlier.iter().map(|(guardrail, rule)| EarlierFinding {
            guardrail: guardrail.to_string(),
            rule: rule.clone(),
        });
        Ok(earlier.collect())
    }

    fn elapsed(&mut self, view: Resource<MessageView>) -> wasmtime::Result<u64> {
        self.spend_host_call()?;
        Ok(self.table.get(&view)?.elapsed)
    }

    /// A guest only ever borrows the view, so it has none to drop; the host
    /// takes it back after the check.
    fn drop(&mut self, view: Resource<MessageView>) -> wasmtime::Result<()> {
        self.table.delete(view)?;
        Ok(())
    }
}
