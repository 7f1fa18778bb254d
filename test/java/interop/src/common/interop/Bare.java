// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.Collection;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.common.message.MessageQueue;

/** Requests of one kind each, to every queue of a topic without messages: no send comes before that might be refused already. */
final class Bare {
    private static final int GROUP_NOT_EXIST = 26;

    private Bare() {
    }

    private interface Request {
        void to(DefaultMQPullConsumer consumer, MessageQueue q) throws Exception;
    }

    private static void toEachQueue(Run run, Request request) throws Exception {
        DefaultMQPullConsumer consumer = run.pullConsumer(run.group("consumer"));
        Collection<MessageQueue> queues = consumer.fetchSubscribeMessageQueues(run.topic());
        Failure.unlessEqual(Run.BROKERS * Run.QUEUES_PER_BROKER, queues.size(), "queues");
        factory(consumer).updateTopicRouteInfoFromNameServer(run.topic());
        for (MessageQueue q : queues) {
            request.to(consumer, q);
        }
    }

    private static MQClientInstance factory(DefaultMQPullConsumer consumer) {
        return consumer.getDefaultMQPullConsumerImpl().getRebalanceImpl().getmQClientFactory();
    }

    static void pull(Run run) throws Exception {
        toEachQueue(run, (consumer, q) -> Failure.unlessEqual(PullStatus.NO_NEW_MSG, consumer.pull(q, "*", 0, 1).getPullStatus(), "pull status"));
    }

    static void maxOffset(Run run) throws Exception {
        toEachQueue(run, (consumer, q) -> Failure.unlessEqual(0L, consumer.maxOffset(q), "max offset"));
    }

    /** A broker notes offsets of groups that it knows by heartbeats, one of which may be on its way already. */
    static void commitOffset(Run run) throws Exception {
        toEachQueue(run, (consumer, q) -> {
            for (int tries = 1; ; tries++) {
                factory(consumer).sendHeartbeatToAllBrokerWithLock();
                try {
                    consumer.getOffsetStore().updateConsumeOffsetToBroker(q, 0, false);
                    return;
                } catch (MQBrokerException e) {
                    if (e.getResponseCode() != GROUP_NOT_EXIST || tries == 20) {
                        throw e;
                    }
                    Thread.sleep(100);
                }
            }
        });
    }

    static void lock(Run run) throws Exception {
        toEachQueue(run, (consumer, q) ->
            Failure.unless(consumer.getDefaultMQPullConsumerImpl().getRebalanceImpl().lock(q), "not locked: " + q));
    }
}
