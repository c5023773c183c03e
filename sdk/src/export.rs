//! What stands between the component's exports and a guardrail.

use std::cell::RefCell;
use std::panic;

use crate::bindings::mcp_gateway::guardrail::{message as raw, types};
use crate::{Guardrail, Message, config, log};

/// The longest panic text that is logged, in characters.
const PANIC_TEXT: usize = 300;

/// Exports a [`Guardrail`] as the component. Once per crate.
#[macro_export]
macro_rules! export {
    ($guardrail:ty) => {
        const _: () = {
            ::std::thread_local! {
                static SLOT: $crate::__private::Slot<$guardrail> =
                    const { $crate::__private::Slot::new() };
            }

            struct Component;

            impl $crate::bindings::exports::mcp_gateway::guardrail::guardrail::Guest for Component {
                fn configure(
                    config: ::std::string::String,
                ) -> ::core::result::Result<
                    $crate::bindings::mcp_gateway::guardrail::types::Manifest,
                    ::std::string::String,
                > {
                    SLOT.with(|slot| slot.configure(&config))
                }

                fn check(
                    envelope: $crate::bindings::mcp_gateway::guardrail::types::Envelope,
                    texts: $crate::bindings::mcp_gateway::guardrail::types::Texts,
                    message: &$crate::bindings::mcp_gateway::guardrail::message::Message,
                ) -> ::core::result::Result<
                    $crate::bindings::mcp_gateway::guardrail::types::Verdict,
                    ::std::string::String,
                > {
                    SLOT.with(|slot| slot.check(&envelope, &texts, message))
                }
            }

            #[cfg(target_family = "wasm")]
    $crate::bindings::export_guardrail!(Component with_types_in $crate::bindings);

            // A native linker takes none of the export's names, so under a native test nothing is exported. This keeps
            // the compiler from calling the guardrail dead code there.
            #[cfg(not(target_family = "wasm"))]
            #[allow(dead_code)]
            fn exported() {
                use $crate::bindings::exports::mcp_gateway::guardrail::guardrail::Guest;
                let _ = (
                    Component,
                    <Component as Guest>::configure,
                    <Component as Guest>::check,
                );
            }
        };
    };
}

/// Holds the guardrail that `configure` made, for `check`.
#[derive(Debug)]
pub struct Slot<G>(RefCell<Option<G>>);

impl<G: Guardrail> Slot<G> {
    #[allow(
        missing_docs,
        clippy::new_without_default,
        reason = "hidden, for the macro"
    )]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    #[allow(
        missing_docs,
        clippy::missing_errors_doc,
        reason = "hidden, for the macro"
    )]
    pub fn configure(&self, text: &str) -> Result<types::Manifest, String> {
        panic::set_hook(Box::new(report));
        let guardrail = G::configure(config::parse(text)?)?;
        let manifest = guardrail.manifest().into_raw();
        *self.0.borrow_mut() = Some(guardrail);
        Ok(manifest)
    }

    #[allow(
        missing_docs,
        clippy::missing_errors_doc,
        reason = "hidden, for the macro"
    )]
    pub fn check(
        &self,
        envelope: &types::Envelope,
        texts: &types::Texts,
        message: &raw::Message,
    ) -> Result<types::Verdict, String> {
        let slot = self.0.borrow();
        let guardrail = slot
            .as_ref()
            .ok_or("check was called before configure succeeded")?;
        guardrail
            .check(&Message::new(envelope, texts, message))
            .map(crate::Verdict::into_raw)
    }
}

/// Without this a panic's text is on standard error at best, and a person sees only `unreachable`.
///
/// The text is for the author alone: that of a slice out of range quotes what was to be sliced.
fn report(panic: &panic::PanicHookInfo<'_>) {
    match panic.location() {
        Some(place) => log::error(format_args!(
            "panicked at {}:{}",
            place.file(),
            place.line()
        )),
        None => log::error("panicked"),
    }
    let text = panic.payload_as_str().unwrap_or("no text");
    let text: String = text.chars().take(PANIC_TEXT).collect();
    log::debug(format_args!("panicked: {text}"));
}
