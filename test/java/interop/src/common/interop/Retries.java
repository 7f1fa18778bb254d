// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.common.message.MessageExt;

/** What cannot be consumed. */
final class Retries {
    private Retries() {
    }

    /** Each message fails twice, once again after a delay, and then lies in the dead letter queue. */
    static void deadLetter(Run run) throws Exception {
        List<String> texts = run.send(6);
        Seen seen = new Seen();
        DefaultMQPushConsumer consumer = run.pushConsumer(run.group("consumer"));
        consumer.setMaxReconsumeTimes(1);
        consumer.subscribe(run.topic(), "*");
        consumer.registerMessageListener((List<MessageExt> some, ConsumeConcurrentlyContext context) -> {
            seen.add(some);
            return ConsumeConcurrentlyStatus.RECONSUME_LATER;
        });
        consumer.start();
        List<String> twice = new ArrayList<>(texts);
        twice.addAll(texts);
        seen.await(twice, "delivered twice");
        long retried = seen.messages().stream().filter(m -> m.getReconsumeTimes() == 1).count();
        Failure.unlessEqual((long) texts.size(), retried, "deliveries marked as the second");
        Failure.unlessSame(texts, Bodies.texts(run.drain("%DLQ%" + run.group("consumer"), texts.size(), 20_000)), "dead letters");
        Failure.unlessEqual(2 * texts.size(), seen.size(), "deliveries");
    }
}
