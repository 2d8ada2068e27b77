import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import java.io.FileReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Debezium's engine with a sink as Debezium Server has it: a batch is sent, waited for, and only then marked as done.
 * The producer's settings are those of Cheeper's relay. Arguments: the engine's properties, the topic, the broker.
 */
public final class OutboxToKafka {
    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        try (FileReader file = new FileReader(arguments[0])) {
            settings.load(file);
        }
        Properties kafka = new Properties();
        kafka.put("bootstrap.servers", arguments[2]);
        kafka.put("enable.idempotence", "true");
        kafka.put("acks", "all");
        kafka.put("linger.ms", "5");
        kafka.put("batch.size", "262144");
        kafka.put("buffer.memory", "67108864");
        KafkaProducer<String, String> producer =
            new KafkaProducer<>(kafka, new StringSerializer(), new StringSerializer());
        DebeziumEngine<RecordChangeEvent<SourceRecord>> engine =
            DebeziumEngine.create(ChangeEventFormat.of(Connect.class))
                .using(settings)
                .notifying((records, committer) -> {
                    send(producer, arguments[1], records);
                    for (RecordChangeEvent<SourceRecord> each : records) {
                        committer.markProcessed(each);
                    }
                    committer.markBatchFinished();
                })
                .using((success, message, error) -> {
                    System.err.println(success + " " + message + " " + error);
                    Runtime.getRuntime().halt(success ? 0 : 1);
                })
                .build();
        engine.run();
    }

    private static void send(
            KafkaProducer<String, String> producer, String topic, List<RecordChangeEvent<SourceRecord>> records)
            throws InterruptedException {
        List<Future<RecordMetadata>> sent = new ArrayList<>(records.size());
        for (RecordChangeEvent<SourceRecord> each : records) {
            SourceRecord record = each.record();
            if (record == null || record.value() == null || !"events".equals(record.topic())) {
                continue; // a heartbeat, or the end of a transaction
            }
            ProducerRecord<String, String> message =
                new ProducerRecord<>(topic, (String) record.key(), (String) record.value());
            for (Header header : record.headers()) {
                if (header.value() != null) {
                    message.headers().add(header.key(), header.value().toString().getBytes(StandardCharsets.UTF_8));
                }
            }
            sent.add(producer.send(message));
        }
        producer.flush(); // which also passes over linger.ms
        try {
            for (Future<RecordMetadata> each : sent) {
                each.get();
            }
        } catch (java.util.concurrent.ExecutionException error) {
            throw new IllegalStateException(error);
        }
    }
}
