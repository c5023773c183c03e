//! Whose task an id means. An id does not say so, so it is learnt from the
//! answers and notifications that first name it.

use std::sync::{Arc, PoisonError};

use super::Catalog;
use super::recent::Recent;
use crate::message::{self, Message, string};

/// Tasks that are remembered: far more than anybody has at a time.
const TASKS: usize = 4096;

/// A longer id is not learnt, since it is none.
const LONGEST: usize = 1024;

/// The owners of tasks, by the tasks' ids. Of two servers that use one id, the
/// first keeps it.
#[derive(Debug)]
pub(super) struct Tasks {
    /// Tasks of servers, which the client asks about.
    servers: Recent<String, Arc<str>>,
    /// Tasks of the client, by the server whose request made each.
    client: Recent<String, Arc<str>>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            servers: Recent::of(TASKS),
            client: Recent::of(TASKS),
        }
    }
}

impl Tasks {
    /// The server that runs a task.
    pub(super) fn owner(&mut self, task: &str) -> Option<Arc<str>> {
        self.servers.get(task).cloned()
    }

    pub(super) fn learn(&mut self, task: &str, server: &Arc<str>) {
        first_keeps(&mut self.servers, task, server);
    }

    /// Forgets the tasks of servers that are gone.
    pub(super) fn retain(&mut self, stays: impl Fn(&Arc<str>) -> bool) {
        self.servers.retain(&stays);
        self.client.retain(&stays);
    }
}

fn first_keeps(table: &mut Recent<String, Arc<str>>, task: &str, server: &Arc<str>) {
    if task.len() <= LONGEST && table.get(task).is_none() {
        table.insert(task.to_owned(), Arc::clone(server));
    }
}

impl Catalog {
    /// Learns whose task a message of a server is about: an answer that a task
    /// was made, or a notification of one.
    pub(super) fn learn_task(&self, server: &Arc<str>, message: &Message) {
        if let Some(task) = task_in(message) {
            self.tasks().learn(&task, server);
        }
    }

    /// Learns that the client's answer to a request of a server made a task.
    pub fn learn_client_task(&self, server: &Arc<str>, answer: &Message) {
        if self.several()
            && let Some(task) = task_in(answer)
        {
            first_keeps(&mut self.tasks().client, &task, server);
        }
    }

    /// The server whose request made a task of the client's.
    pub(super) fn asker_of_task(&self, notification: &Message) -> Option<Arc<str>> {
        let task = task_in(notification)?;
        self.tasks().client.get(&*task).cloned()
    }

    pub(super) fn tasks(&self) -> std::sync::MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of the task that a message is about. It stands in `task` in the
/// version of 2025-11-25, and at the top in the extension that came after.
fn task_in(message: &Message) -> Option<String> {
    // Most messages are not about a task, and some are long.
    memchr::memmem::find(message.line().as_bytes(), br#""taskId""#)?;
    let result = message::members(message.payload()?).ok()?;
    let task = match result.unique("task").ok()? {
        Some(task) => message::unique_member(task, "taskId").ok()??,
        None => result.unique("taskId").ok()??,
    };
    string(task).map(|task| task.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_where_either_version_has_it() {
        let task = |result: &str| task_in(&Message::result("1", result));
        for about in [
            r#"{"task":{"taskId":"t1","status":"working"}}"#,
            r#"{"resultType":"task","taskId":"t1"}"#,
        ] {
            assert_eq!(task(about).as_deref(), Some("t1"), "{about}");
        }
        for not in [
            r#"{"content":[{"type":"text","text":"\"taskId\""}]}"#,
            r#"{"content":[{"taskId":"t1"}]}"#,
            r#"{"taskId":1}"#,
            r#"{"task":{"taskId":"t1","taskId":"t2"}}"#,
        ] {
            assert_eq!(task(not), None, "{not}");
        }
    }

    #[test]
    fn of_two_servers_with_one_id_the_first_keeps_it() {
        let mut tasks = Tasks::default();
        for server in ["a", "b"] {
            tasks.learn("t", &Arc::from(server));
        }
        assert_eq!(tasks.owner("t").as_deref(), Some("a"));
        tasks.retain(|server| **server != *"a");
        assert_eq!(tasks.owner("t"), None);
    }
}
