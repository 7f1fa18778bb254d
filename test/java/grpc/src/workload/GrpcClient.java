// SPDX-License-Identifier: Apache-2.0
package workload;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientServiceProvider;
import org.apache.rocketmq.client.apis.consumer.ConsumeResult;
import org.apache.rocketmq.client.apis.consumer.FilterExpression;
import org.apache.rocketmq.client.apis.consumer.PushConsumer;
import org.apache.rocketmq.client.apis.consumer.SimpleConsumer;
import org.apache.rocketmq.client.apis.message.MessageView;
import org.apache.rocketmq.client.apis.producer.Producer;

/**
 * A producer or a consumer that speaks gRPC.
 *
 * <pre>
 * --namesrv ADDR --topic T            required; the address is that of a RocketMQ Proxy, or of what is in front of one
 * --role R                            producer, push or simple
 * --tls yes                           TLS, whoever the server is; without it plain text
 * --first-id I --count N              of a producer
 * --group G                           of a consumer
 * --records FILE                      gets a line for each message as those of {@link Producer} or {@link Consumer};
 *                                     broker, queue and offset of a delivery are not known here
 * </pre>
 *
 * Events: {@code ready}; {@code end} with sent of a producer, and with consumed and corrupt of a consumer, which runs until
 * its input closes.
 */
public final class GrpcClient {
    private static final ClientServiceProvider PROVIDER = ClientServiceProvider.loadService();

    private final Args args;
    private final String topic;
    private final ClientConfiguration configuration;
    private final Records records;
    private final LongAdder consumed = new LongAdder();
    private final LongAdder corrupt = new LongAdder();

    private GrpcClient(Args args) throws Exception {
        this.args = args;
        topic = args.text("topic");
        configuration = ClientConfiguration.newBuilder()
                .setEndpoints(args.text("namesrv"))
                .enableSsl("yes".equals(args.text("tls", "no")))
                .setRequestTimeout(Duration.ofSeconds(10))
                .build();
        records = new Records(args.text("records", null));
    }

    public static void main(String[] argv) {
        Program.main(() -> new GrpcClient(new Args(argv)).run());
    }

    private void run() throws Exception {
        switch (args.text("role")) {
            case "producer":
                produce(args.number("first-id", 0), args.number("count", 1));
                break;
            case "push":
                push(args.text("group"));
                break;
            case "simple":
                simple(args.text("group"));
                break;
            default:
                throw new IllegalArgumentException("--role is unknown");
        }
        records.close();
    }

    private void produce(long firstId, long count) throws Exception {
        args.done();
        try (Producer producer = PROVIDER.newProducerBuilder().setClientConfiguration(configuration).setTopics(topic).build()) {
            Json.event("ready").print();
            for (long id = firstId; id < firstId + count; id++) {
                producer.send(PROVIDER.newMessageBuilder().setTopic(topic).setBody(Payload.make(id, 64)).build());
                records.append(id + "\n");
            }
        }
        Json.event("end").put("sent", count).print();
    }

    private void push(String group) throws Exception {
        args.done();
        try (PushConsumer consumer = PROVIDER.newPushConsumerBuilder()
                .setClientConfiguration(configuration)
                .setConsumerGroup(group)
                .setSubscriptionExpressions(Map.of(topic, FilterExpression.SUB_ALL))
                .setMessageListener(message -> {
                    take(message);
                    return ConsumeResult.SUCCESS;
                })
                .build()) {
            Json.event("ready").put("group", consumer.getConsumerGroup()).print();
            while (!Program.sleepOrStop(1000)) {
                continue;
            }
        }
        report();
    }

    private void simple(String group) throws Exception {
        args.done();
        try (SimpleConsumer consumer = PROVIDER.newSimpleConsumerBuilder()
                .setClientConfiguration(configuration)
                .setConsumerGroup(group)
                .setAwaitDuration(Duration.ofSeconds(5))
                .setSubscriptionExpressions(Map.of(topic, FilterExpression.SUB_ALL))
                .build()) {
            Json.event("ready").print();
            while (!Program.stopping()) {
                for (MessageView message : consumer.receive(32, Duration.ofSeconds(30))) {
                    take(message);
                    consumer.ack(message);
                }
            }
        }
        report();
    }

    private void take(MessageView message) {
        ByteBuffer body = message.getBody();
        byte[] bytes = new byte[body.remaining()];
        body.get(bytes);
        long id = Payload.read(bytes);
        if (id < 0) {
            corrupt.increment();
            return;
        }
        consumed.increment();
        records.append(id + " unknown 0 0 " + (message.getDeliveryAttempt() - 1) + "\n");
    }

    private void report() {
        Json.event("end").put("consumed", consumed.sum()).put("corrupt", corrupt.sum()).print();
    }
}
