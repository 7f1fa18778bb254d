// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/** What mqadmin has to look at: a topic with a message in each queue, a producer, and a consumer that consumed all. */
final class AdminFixture {
    private static AdminFixture fixture;

    final String topic;
    final String producerGroup;
    final String consumerGroup;
    final String producerId;
    final String consumerId;
    final long before = System.currentTimeMillis() - 1000;
    final List<String> texts = new ArrayList<>();
    final List<SendResult> sent = new ArrayList<>();
    final Seen seen = new Seen();

    private AdminFixture(Run caller) throws Exception {
        Run run = new Run(caller.nameServer, caller.prefix, "fixture"); // never closed: it serves all commands
        topic = run.topic();
        producerGroup = run.group("producer");
        consumerGroup = run.group("consumer");
        DefaultMQProducer producer = run.producer();
        producerId = producer.buildMQClientId();
        for (MessageQueue q : producer.fetchPublishMessageQueues(topic)) {
            Message m = run.message("in " + q.getBrokerName() + " " + q.getQueueId());
            m.setKeys("key-1");
            texts.add(Bodies.text(m));
            sent.add(Run.stored(producer.send(m, q)));
        }
        DefaultMQPushConsumer consumer = run.pushConsumer(consumerGroup);
        consumerId = consumer.buildMQClientId();
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener(seen.concurrently());
        consumer.start();
        seen.await(texts, "consumed");
        consumer.getDefaultMQPushConsumerImpl().persistConsumerOffset(); // by itself not in the first 10 s
        Thread.sleep(1000); // it waits for no answer
    }

    static AdminFixture get(Run run) throws Exception {
        if (fixture == null) {
            fixture = new AdminFixture(run);
        }
        return fixture;
    }
}
