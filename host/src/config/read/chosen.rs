//! The guardrails that a command line asks for.

use crate::config::bundled::{Bundled, default_name};
use crate::config::error::{Place, Problem};
use crate::config::expand::Env;
use crate::config::report::Report;
use crate::config::service;
use crate::config::{Guardrail, GuardrailArg, InvalidName};

/// The guardrails in the order in which they were asked for, but for those that send messages to
/// a service ([`service::placed`]). What is asked for twice is one guardrail; what can't be had is an error, for the Python gateway only warned, and ran
/// unprotected. Of all that are bundled, those without a key to their service are left out, which
/// is said.
pub(in crate::config) fn chosen(
    args: &[GuardrailArg],
    bundled: &Bundled,
    report: &Report,
    env: Env<'_>,
) -> Vec<Guardrail> {
    let mut guardrails: Vec<Guardrail> = Vec::new();
    for (wrote, asked_for) in args.iter().flat_map(|arg| names(arg, bundled)) {
        let guardrail = guardrail(wrote, bundled, env).and_then(|(new, warning)| match guardrails
            .iter()
            .find(|earlier| earlier.name == new.name)
        {
            Some(earlier) if earlier.component == new.component => Ok(None),
            Some(earlier) => Err(Problem::DuplicateGuardrail {
                name: new.name.to_string(),
                first: earlier.component.clone(),
                second: new.component,
            }),
            None => Ok(Some((new, warning))),
        });
        match (guardrail, asked_for) {
            (Ok(None), _) => {}
            (Ok(Some((new, warning))), _) => {
                guardrails.push(new);
                warning.into_iter().for_each(|warning| report.warn(warning));
            }
            (Err(problem @ Problem::NoKey { .. }), AskedFor::WithAll) => {
                report.warn(format!("{problem}; it is left out"));
            }
            (Err(problem), _) => report.error(Place::CommandLine, problem),
        }
    }
    service::placed(guardrails)
}

/// How a guardrail was asked for.
#[derive(Clone, Copy)]
enum AskedFor {
    ByName,
    WithAll,
}

fn names<'a>(arg: &'a GuardrailArg, bundled: &'a Bundled) -> Vec<(&'a str, AskedFor)> {
    match arg {
        GuardrailArg::Named(name) => vec![(name, AskedFor::ByName)],
        GuardrailArg::AllBundled => {
            let all = bundled.all();
            all.map(|name| (name, AskedFor::WithAll)).collect()
        }
    }
}

/// A guardrail, and what a person should know about it.
fn guardrail(
    wrote: &str,
    bundled: &Bundled,
    env: Env<'_>,
) -> Result<(Guardrail, Option<String>), Problem> {
    // Without one, the path stays relative, and is then not found.
    let folder = std::env::current_dir().unwrap_or_default();
    let component = bundled.find(wrote, &folder, env)?;
    let name = default_name(&component).ok_or_else(|| Problem::Name {
        what: format!("guardrail \"{wrote}\""),
        cause: InvalidName::Empty,
    })?;
    let mut guardrail = Guardrail::new(name, component);
    let warning = service::complete(&mut guardrail, false, env)?;
    Ok((guardrail, warning))
}
