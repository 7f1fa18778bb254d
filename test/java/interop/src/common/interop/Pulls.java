// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.MessageQueue;

/** The pull consumer and the offsets of queues. */
final class Pulls {
    private Pulls() {
    }

    /** A long poll on each queue is answered by the message that comes meanwhile. */
    static void pull(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        DefaultMQPullConsumer consumer = run.pullConsumer(run.group("consumer"));
        List<MessageQueue> queues = producer.fetchPublishMessageQueues(run.topic());
        Failure.unlessEqual(Run.BROKERS * Run.QUEUES_PER_BROKER, queues.size(), "queues");
        for (MessageQueue q : queues) {
            long offset = consumer.maxOffset(q);
            CompletableFuture<PullResult> poll = CompletableFuture.supplyAsync(() -> {
                try {
                    return consumer.pullBlockIfNotFound(q, "*", offset, 32);
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            Thread.sleep(200);
            String text = "to " + q.getQueueId();
            Run.stored(producer.send(run.message(text), q));
            PullResult r = poll.get(15, TimeUnit.SECONDS);
            Failure.unlessEqual(PullStatus.FOUND, r.getPullStatus(), "pull status");
            Failure.unlessEqual(text, Bodies.text(r.getMsgFoundList().get(0)), "message");
            Failure.unlessEqual(offset + 1, r.getNextBeginOffset(), "next offset");
        }
    }

    /** Max, min, earliest time, search by time, commit and query, on each broker. */
    static void offsets(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        DefaultMQPullConsumer consumer = run.pullConsumer(run.group("consumer"));
        long before = System.currentTimeMillis();
        List<MessageQueue> queues = producer.fetchPublishMessageQueues(run.topic());
        for (MessageQueue q : queues) {
            int n = 3 + q.getQueueId() + (q.getBrokerName().endsWith("a") ? 0 : 5);
            SendResult last = null;
            for (int i = 0; i < n; i++) {
                last = Run.stored(producer.send(run.message("message " + i), q));
            }
            Failure.unlessEqual(n - 1L, last.getQueueOffset(), "offset of the last message");
            // The queue is written a little later than the answer to the send.
            Failure.unlessWithin(5000, () -> maxOffset(consumer, q) >= n, "max offset " + n);
            Failure.unlessEqual((long) n, consumer.maxOffset(q), "max offset");
            Failure.unlessEqual(0L, consumer.minOffset(q), "min offset");
            Failure.unlessWithin(5000, () -> {
                try {
                    return consumer.searchOffset(q, before - 1000) == 0 && consumer.searchOffset(q, before + 3_600_000) >= n - 1;
                } catch (Exception e) {
                    return false;
                }
            }, "search by time");
            long earliest = consumer.getDefaultMQPullConsumerImpl().earliestMsgStoreTime(q);
            Failure.unless(earliest > before - 3_600_000 && earliest < before + 3_600_000, "earliest store time " + earliest);
            // A broker makes a group with its first pull, and notes offsets only then.
            Failure.unlessEqual(PullStatus.FOUND, consumer.pull(q, "*", 0, 1).getPullStatus(), "pull status");
            consumer.getOffsetStore().updateConsumeOffsetToBroker(q, n - 2, false);
        }
        DefaultMQPullConsumer other = run.pullConsumer(run.group("consumer"));
        for (MessageQueue q : queues) {
            int n = 3 + q.getQueueId() + (q.getBrokerName().endsWith("a") ? 0 : 5);
            Failure.unlessWithin(5000, () -> {
                try {
                    return other.fetchConsumeOffset(q, true) == n - 2;
                } catch (Exception e) {
                    return false;
                }
            }, "committed offset of " + q);
        }
    }

    private static long maxOffset(DefaultMQPullConsumer consumer, MessageQueue q) {
        try {
            return consumer.maxOffset(q);
        } catch (MQClientException e) {
            throw new IllegalStateException(e);
        }
    }
}
