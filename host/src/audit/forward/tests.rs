//! Records that arrive at a collector, which answers as it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::tests::{calls, keys, written};
use super::*;
use crate::journal::{Durability, Kind, Record, Rotation, Store, Which};

/// The path of a request, and its body.
type Asked = (String, Vec<u8>);

/// A collector: what it was sent, by path, and the answers that it gives first.
#[derive(Clone, Default)]
struct Collector {
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<Vec<&'static str>>>,
}

impl Collector {
    /// Gives its address, too.
    async fn start(answers: &[&'static str]) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self::default();
        *collector.answers.lock().unwrap() = answers.iter().rev().copied().collect();
        let serving = collector.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        (collector, address)
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 {
            while let Some((head, length)) = request(&bytes) {
                let body = bytes[head..head + length].to_vec();
                let heads = String::from_utf8(bytes.drain(..head + length).take(head).collect());
                self.asked.lock().unwrap().push((heads.unwrap(), body));
                let answer = self.answers.lock().unwrap().pop().unwrap_or("200 OK\r\n");
                let answer = format!("HTTP/1.1 {answer}content-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    }

    /// What was sent to a path.
    fn sent<M: Message + Default>(&self, path: &str) -> Vec<M> {
        let asked = self.asked.lock().unwrap();
        let there = asked
            .iter()
            .filter(|(head, _)| head.starts_with(&format!("POST {path} ")));
        there
            .map(|(_, body)| M::decode(body.as_slice()).unwrap())
            .collect()
    }

    fn logs(&self) -> Vec<LogRecord> {
        let requests = self
            .sent::<ExportLogsServiceRequest>("/v1/logs")
            .into_iter();
        let scopes = requests
            .flat_map(|it| it.resource_logs)
            .flat_map(|it| it.scope_logs);
        scopes.flat_map(|it| it.log_records).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self
            .sent::<ExportTraceServiceRequest>("/v1/traces")
            .into_iter();
        let scopes = requests
            .flat_map(|it| it.resource_spans)
            .flat_map(|it| it.scope_spans);
        scopes.flat_map(|it| it.spans).collect()
    }

    /// The counts that were sent last, by metric and by the value of an attribute.
    fn counts(&self, metric: &str, attribute: &str) -> BTreeMap<String, i64> {
        let last = self
            .sent::<ExportMetricsServiceRequest>("/v1/metrics")
            .pop()
            .unwrap();
        let metrics = &last.resource_metrics[0].scope_metrics[0].metrics;
        let found = metrics.iter().find(|it| it.name == metric).unwrap();
        let mut counts = BTreeMap::new();
        let points: Vec<_> = match found.data.clone().unwrap() {
            Data::Sum(sum) => {
                let points = sum.data_points.into_iter();
                points.map(|it| (it.attributes, number(it.value))).collect()
            }
            Data::Gauge(gauge) => {
                let points = gauge.data_points.into_iter();
                points.map(|it| (it.attributes, number(it.value))).collect()
            }
            Data::Histogram(histogram) => {
                let points = histogram.data_points.into_iter();
                points
                    .map(|it| {
                        assert_eq!(it.bucket_counts.iter().sum::<u64>(), it.count);
                        assert_eq!(it.bucket_counts.len(), it.explicit_bounds.len() + 1);
                        (it.attributes, it.count as i64)
                    })
                    .collect()
            }
            other => panic!("{other:?}"),
        };
        for (attributes, count) in points {
            *counts.entry(of(&attributes, attribute)).or_default() += count;
        }
        counts
    }
}

fn number(value: Option<opentelemetry_proto::tonic::metrics::v1::number_data_point::Value>) -> i64 {
    use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value::{AsDouble, AsInt};
    match value {
        Some(AsInt(value)) => value,
        Some(AsDouble(_)) | None => panic!("no count"),
    }
}

/// Where the body of a request begins and how long it is, once it is there.
fn request(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = bytes.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|it| it.parse().ok()).unwrap_or(0);
    (bytes.len() >= head + length).then_some((head, length))
}

/// The value of an attribute as a text; empty if it is not there.
fn of(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|it| it.key == key);
    match found.and_then(|it| it.value.clone()) {
        Some(AnyValue {
            value: Some(Value::StringValue(text)),
        }) => text,
        Some(AnyValue {
            value: Some(Value::IntValue(number)),
        }) => number.to_string(),
        _ => String::new(),
    }
}

struct Sending {
    _folder: TempDir,
    request: Forward,
    variables: Vec<(String, String)>,
}

impl Sending {
    fn to(address: &str) -> Self {
        let (folder, path) = written(&calls());
        let request = Forward {
            database: Whereabouts::File(path),
            cursor: None,
            begin: Begin::First,
            follows: false,
            contents: Contents::LeftOut,
        };
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), address.to_owned());
        Self {
            _folder: folder,
            request,
            variables: vec![endpoint],
        }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self) -> PathBuf {
        self.request.database.path().unwrap()
    }

    async fn run(&self) -> Result<u64, AuditError> {
        let value = |name: &str| {
            let set = self.variables.iter().find(|(known, _)| known == name);
            set.map(|(_, value)| value.clone())
        };
        run(&self.request, &value).await
    }
}

#[tokio::test]
async fn each_record_arrives_as_a_log_and_a_span_and_is_counted() {
    let (collector, address) = Collector::start(&[]).await;
    let sending = Sending::to(&address);
    assert_eq!(sending.run().await.unwrap(), 6);
    let (logs, spans) = (collector.logs(), collector.spans());
    assert_eq!((logs.len(), spans.len()), (6, 6));
    for (at, (log, span)) in logs.iter().zip(&spans).enumerate() {
        assert_eq!(
            of(&log.attributes, "mcp_gateway.audit.seq"),
            (at + 1).to_string()
        );
        assert_eq!(
            (&log.trace_id, &log.span_id),
            (&span.trace_id, &span.span_id)
        );
        assert_eq!((log.trace_id.len(), log.span_id.len()), (16, 8));
    }
    let (log, span) = (&logs[3], &spans[3]);
    assert_eq!(span.name, "tools/call DropTable");
    assert_eq!(span.end_time_unix_nano - span.start_time_unix_nano, 400_000);
    assert_eq!(span.status.as_ref().unwrap().code, 2);
    assert_eq!(span.events[0].name, "mcp_gateway.finding");
    assert_eq!(
        of(&span.events[0].attributes, "mcp_gateway.rule"),
        "drop-table"
    );
    for (key, value) in [
        ("mcp.method.name", "tools/call"),
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "DropTable"),
        ("mcp_gateway.server", "files"),
        ("error.type", "blocked"),
        ("mcp_gateway.blocked_by", "sql"),
    ] {
        assert_eq!(
            (of(&span.attributes, key), of(&log.attributes, key)),
            (value.into(), value.into())
        );
    }
    assert_eq!(
        (spans[4].name.as_str(), &spans[4].status),
        ("tools/list", &None)
    );
    let said = format!("{logs:?}{spans:?}");
    assert!(
        !said.contains("users"),
        "arguments left without being asked for"
    );

    let outcomes = collector.counts("mcp_gateway.calls", "mcp_gateway.outcome");
    assert_eq!(
        outcomes,
        BTreeMap::from([("blocked".into(), 1), ("ok".into(), 5)])
    );
    let found = collector.counts("mcp_gateway.findings", "mcp_gateway.rule");
    assert_eq!(found, BTreeMap::from([("drop-table".into(), 2)]));
    let waiting = collector.counts("mcp_gateway.audit.queue", "");
    assert_eq!(waiting.into_values().collect::<Vec<_>>(), [0]);
    let times = collector.counts("mcp.client.operation.duration", "mcp.method.name");
    assert_eq!(
        times,
        BTreeMap::from([("tools/call".into(), 5), ("tools/list".into(), 1)])
    );
}

#[tokio::test]
async fn what_has_arrived_is_not_sent_again_and_what_comes_is() {
    let (collector, address) = Collector::start(&[]).await;
    let sending = Sending::to(&address);
    assert_eq!(sending.run().await.unwrap(), 6);
    assert_eq!(sending.run().await.unwrap(), 0);
    let mut store = Store::open(&sending.path(), &keys().unwrap(), Durability::Batch).unwrap();
    store.append(&calls()).unwrap();
    let mut rotation = Rotation::begin(&sending.path(), &keys().unwrap()).unwrap();
    rotation.rotate(Which::All, &|| true).unwrap();
    store.append(&calls()).unwrap();
    assert_eq!(sending.run().await.unwrap(), 12);
    let seqs: Vec<_> = collector
        .logs()
        .iter()
        .map(|log| {
            of(&log.attributes, "mcp_gateway.audit.seq")
                .parse::<i64>()
                .unwrap()
        })
        .collect();
    assert_eq!(seqs, (1..=18).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_busy_collector_is_asked_again() {
    let busy = "503 Service Unavailable\r\nretry-after: 0\r\n";
    let (collector, address) = Collector::start(&[busy, busy]).await;
    assert_eq!(Sending::to(&address).run().await.unwrap(), 6);
    // The same logs three times, and each kind once more.
    assert_eq!(collector.asked.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn what_a_collector_refuses_is_said_and_sent_again_the_next_time() {
    let (_, address) = Collector::start(&["400 Bad Request\r\n"]).await;
    let sending = Sending::to(&address);
    let refusal = sending.run().await.unwrap_err().to_string();
    assert_eq!(
        refusal,
        format!("{address}/v1/logs refused the records: 400 Bad Request")
    );
    assert_eq!(sending.run().await.unwrap(), 6);
}

#[tokio::test]
async fn the_variables_of_opentelemetry_say_where_what_is_sent() {
    let (collector, address) = Collector::start(&[]).await;
    let mut sending = Sending::to("http://127.0.0.1:9/nobody")
        .set(
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            &format!("{address}/own/path"),
        )
        .set(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20abc, x-more=1",
        )
        .set("OTEL_TRACES_EXPORTER", "none")
        .set("OTEL_METRICS_EXPORTER", "none")
        .set("OTEL_SERVICE_NAME", "guard")
        .set(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=test,service.name=x",
        );
    sending.request.contents = Contents::Included;
    assert_eq!(sending.run().await.unwrap(), 6);
    let asked = collector.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    for words in [
        "POST /own/path ",
        "authorization: Bearer abc",
        "x-more: 1",
        "application/x-protobuf",
    ] {
        assert!(asked[0].0.contains(words), "{words}: {}", asked[0].0);
    }
    let logs = collector
        .sent::<ExportLogsServiceRequest>("/own/path")
        .remove(0);
    let resource = &logs.resource_logs[0].resource.as_ref().unwrap().attributes;
    assert_eq!(of(resource, "service.name"), "guard");
    assert_eq!(of(resource, "deployment.environment.name"), "test");
    let first = &logs.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!(
        of(&first.attributes, "gen_ai.tool.call.arguments"),
        r#"{"table":"users"}"#
    );
}

#[tokio::test]
async fn a_variable_that_cannot_be_followed_is_named() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/dev/null"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "nowhere"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a"),
        ("OTEL_LOGS_EXPORTER", "console"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "x"),
    ] {
        let sending = Sending::to("http://127.0.0.1:9").set(name, value);
        let error = sending.run().await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{name} has to be ")),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn guardrails_that_were_swapped_are_counted() {
    let (collector, address) = Collector::start(&[]).await;
    let sending = Sending::to(&address);
    let mut store = Store::open(&sending.path(), &keys().unwrap(), Durability::Batch).unwrap();
    let came = |method| Record {
        subject: Some("basic".into()),
        ..Record::alone(Kind::Guardrail, method, "{}".into())
    };
    let all = ["guardrail/loaded", "guardrail/swapped", "guardrail/swapped"].map(came);
    store.append(&all).unwrap();
    assert_eq!(sending.run().await.unwrap(), 9);
    let swaps = collector.counts("mcp_gateway.guardrail.swaps", "mcp_gateway.guardrail.name");
    assert_eq!(swaps, BTreeMap::from([("basic".into(), 2)]));
}
