// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;

/** Namespaces of the first kind: the client puts one before topics and groups. */
final class Namespaces {
    private Namespaces() {
    }

    static void namespace(Run run) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer(run.group("producer"));
        producer.setNamespace("tenant");
        run.start(producer);
        List<String> texts = Bodies.texts(run.name, 20);
        run.send(producer, texts, "");
        Seen seen = new Seen();
        DefaultMQPushConsumer consumer = run.pushConsumer(run.group("consumer"));
        consumer.setNamespace("tenant");
        consumer.subscribe(run.topic(), "*");
        consumer.registerMessageListener(seen.concurrently());
        consumer.start();
        seen.await(texts, "consumed");
        for (MessageExt m : seen.messages()) {
            Failure.unlessEqual(run.topic(), m.getTopic(), "topic as the consumer sees it");
        }
        Failure.unlessSame(texts, Bodies.texts(run.drain("tenant%" + run.topic(), texts.size(), 10_000)), "in the topic with the namespace");
    }
}
