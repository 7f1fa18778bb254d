// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Push consumers. */
final class Pushes {
    private Pushes() {
    }

    static void concurrent(Run run) throws Exception {
        run.consume(new DefaultMQPushConsumer(run.group("consumer")), run.send(60));
    }

    /** Messages of one key share a queue and must come in order. */
    static void orderly(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            for (int key = 0; key < 4; key++) {
                String text = key + ":" + i;
                texts.add(text);
                Run.stored(producer.send(run.message(text), (queues, m, k) -> queues.get((int) k % queues.size()), key));
            }
        }
        Seen seen = new Seen();
        DefaultMQPushConsumer consumer = run.pushConsumer(run.group("consumer"));
        consumer.subscribe(run.topic(), "*");
        consumer.registerMessageListener(seen.orderly());
        consumer.start();
        seen.await(texts, "consumed");
        Map<String, Integer> next = new HashMap<>();
        for (String text : seen.texts()) {
            String[] part = text.split(":");
            int want = next.merge(part[0], 1, Integer::sum) - 1;
            Failure.unlessEqual(want, Integer.parseInt(part[1]), "order of key " + part[0]);
        }
    }

    static void broadcast(Run run) throws Exception {
        Seen[] seen = {new Seen(), new Seen()};
        for (Seen s : seen) {
            DefaultMQPushConsumer consumer = run.pushConsumer(run.group("consumer"));
            // The package of MessageModel differs between releases.
            consumer.setMessageModel(Enum.valueOf(consumer.getMessageModel().getDeclaringClass(), "BROADCASTING"));
            consumer.subscribe(run.topic(), "*");
            consumer.registerMessageListener(s.concurrently());
            consumer.start();
        }
        List<String> texts = run.send(20);
        for (Seen s : seen) {
            s.await(texts, "consumed by one of two");
        }
    }

    /** Two consumers of a group: each gets half of the queues, no message comes to both. */
    static void twoMembers(Run run) throws Exception {
        Seen all = new Seen();
        Seen[] seen = {new Seen(), new Seen()};
        DefaultMQPushConsumer[] members = new DefaultMQPushConsumer[2];
        for (int i = 0; i < members.length; i++) {
            Seen own = seen[i];
            members[i] = run.pushConsumer(run.group("consumer"));
            members[i].subscribe(run.topic(), "*");
            members[i].registerMessageListener((List<MessageExt> some, ConsumeConcurrentlyContext context) -> {
                own.add(some);
                all.add(some);
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
            members[i].start();
        }
        int half = Run.BROKERS * Run.QUEUES_PER_BROKER / 2;
        for (int stable = 0; stable < 10; stable++) {
            Failure.unlessWithin(60_000, () -> owned(members[0], run.topic()) == half && owned(members[1], run.topic()) == half,
                "each of two members owns " + half + " queues");
            Thread.sleep(100);
        }
        List<String> texts = run.send(100);
        all.await(texts, "consumed by both together");
        Failure.unless(seen[0].size() > 0 && seen[1].size() > 0, "one member got all messages");
    }

    private static long owned(DefaultMQPushConsumer c, String topic) {
        return c.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet().stream()
            .map(MessageQueue::getTopic).filter(topic::equals).count();
    }
}
