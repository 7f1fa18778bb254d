// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.message.MessageRequestMode;

/** The consumer that owns no queues: it pops messages from any and acknowledges each one. */
final class Pops {
    private Pops() {
    }

    static void pop(Run run) throws Exception {
        List<String> texts = run.send(30);
        DefaultMQProducer producer = run.start(new DefaultMQProducer(run.group("admin")));
        MQClientInstance client = producer.getDefaultMQProducerImpl().getMqClientFactory();
        client.updateTopicRouteInfoFromNameServer(run.topic());
        Set<String> brokers = new HashSet<>();
        for (MessageQueue q : producer.fetchPublishMessageQueues(run.topic())) {
            brokers.add(q.getBrokerName());
        }
        String group = run.group("consumer");
        for (String broker : brokers) {
            client.getMQClientAPIImpl().setMessageRequestMode(client.findBrokerAddressInPublish(broker), run.topic(), group,
                MessageRequestMode.POP, 8, 5000);
        }
        Seen seen = new Seen();
        Set<String> failed = new HashSet<>();
        DefaultMQPushConsumer consumer = run.pushConsumer(group);
        consumer.setClientRebalance(false);
        consumer.setPopInvisibleTime(12_000);
        consumer.subscribe(run.topic(), "*");
        consumer.registerMessageListener((List<MessageExt> some, ConsumeConcurrentlyContext context) -> {
            seen.add(some);
            synchronized (failed) {
                // One message of each queue fails once; its time out of sight is then changed to 10 s.
                for (MessageExt m : some) {
                    if (m.getQueueOffset() == 2 && m.getReconsumeTimes() == 0 && failed.add(Bodies.text(m))) {
                        return ConsumeConcurrentlyStatus.RECONSUME_LATER;
                    }
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        Failure.unlessWithin(40_000, () -> seen.size() >= texts.size(), "all messages popped");
        Failure.unless(seen.messages().stream().allMatch(m -> m.getProperty("POP_CK") != null), "the messages were pulled, not popped");
        // What was not acknowledged comes back after its 12 s, what failed after its 10.
        Thread.sleep(20_000);
        List<String> want = new ArrayList<>(texts);
        want.addAll(failed);
        Failure.unlessEqual(Run.BROKERS * Run.QUEUES_PER_BROKER, failed.size(), "messages that failed once");
        // A broker looks for them at one pop in five only.
        Failure.unlessWithin(60_000, () -> seen.size() >= want.size(), "failed messages popped again");
        Failure.unlessSame(want, seen.texts(), "popped");
    }
}
