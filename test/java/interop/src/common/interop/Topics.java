// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.List;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** Topics that a client makes. */
final class Topics {
    private Topics() {
    }

    /** The first message to a topic that is not there. */
    static void auto(Run run) throws Exception {
        List<String> texts = run.send(8);
        run.drainSame(texts, "stored");
    }

    static void create(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        CreateTopic.call(producer, run.topic(), 3);
        Failure.unlessWithin(10_000, () -> {
            try {
                return producer.fetchPublishMessageQueues(run.topic()).size() == 3 * Run.BROKERS;
            } catch (MQClientException e) {
                return false;
            }
        }, "the topic has 3 queues on each broker");
        List<String> texts = Bodies.texts(run.name, 12);
        Failure.unlessEqual(Run.BROKERS, run.send(producer, texts, "").size(), "brokers that messages went to");
        run.drainSame(texts, "stored");
    }
}
