//! The guardrails that a command line asks for.

use crate::config::bundled::{Bundled, default_name};
use crate::config::error::{Place, Problem};
use crate::config::expand::Env;
use crate::config::report::Report;
use crate::config::{Guardrail, GuardrailArg, InvalidName};

/// The guardrails in the order in which they were asked for. What is asked for
/// twice is one guardrail; what can't be had is an error, for the Python
/// gateway only warned, and ran unprotected.
pub(in crate::config) fn chosen(
    args: &[GuardrailArg],
    bundled: &Bundled,
    report: &Report,
    env: Env<'_>,
) -> Vec<Guardrail> {
    let mut guardrails: Vec<Guardrail> = Vec::new();
    for wrote in args.iter().flat_map(|arg| names(arg, bundled)) {
        let guardrail = guardrail(wrote, bundled, env).and_then(|new| {
            match guardrails.iter().find(|earlier| earlier.name == new.name) {
                Some(earlier) if earlier.component == new.component => Ok(None),
                Some(earlier) => Err(Problem::DuplicateGuardrail {
                    name: new.name.to_string(),
                    first: earlier.component.clone(),
                    second: new.component,
                }),
                None => Ok(Some(new)),
            }
        });
        match guardrail {
            Ok(new) => guardrails.extend(new),
            Err(problem) => report.error(Place::CommandLine, problem),
        }
    }
    guardrails
}

fn names<'a>(arg: &'a GuardrailArg, bundled: &'a Bundled) -> Vec<&'a str> {
    match arg {
        GuardrailArg::Named(name) => vec![name],
        GuardrailArg::AllBundled => bundled.names().collect(),
    }
}

fn guardrail(wrote: &str, bundled: &Bundled, env: Env<'_>) -> Result<Guardrail, Problem> {
    // Without one, the path stays relative, and is then not found.
    let folder = std::env::current_dir().unwrap_or_default();
    let component = bundled.find(wrote, &folder, env)?;
    let name = default_name(&component).ok_or_else(|| Problem::Name {
        what: format!("guardrail \"{wrote}\""),
        cause: InvalidName::Empty,
    })?;
    Ok(Guardrail::new(name, component))
}
