// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** The pull consumer that looks like Kafka's. */
final class LitePulls {
    private LitePulls() {
    }

    private static DefaultLitePullConsumer consumer(Run run) {
        DefaultLitePullConsumer c = run.configure(new DefaultLitePullConsumer(run.group("consumer")));
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.setPullThreadNums(4);
        return c;
    }

    private static List<MessageExt> poll(DefaultLitePullConsumer c, int n) {
        List<MessageExt> got = new ArrayList<>();
        long end = System.currentTimeMillis() + 40_000;
        while (got.size() < n && System.currentTimeMillis() < end) {
            got.addAll(c.poll(500));
        }
        got.addAll(c.poll(1000));
        return got;
    }

    /**
     * The client interrupts its pull of the queue, takes that for a broken connection and closes it. What else waits
     * on that connection then fails, perhaps the seek itself: less often on connections that serve one broker.
     */
    private static void seek(DefaultLitePullConsumer c, MessageQueue q) throws Exception {
        for (int tries = 1; ; tries++) {
            try {
                c.seek(q, 0);
                return;
            } catch (MQClientException e) {
                if (tries == 5) {
                    throw e;
                }
                Thread.sleep(200);
            }
        }
    }

    /** As a member of a group. */
    static void subscribe(Run run) throws Exception {
        List<String> texts = run.send(40);
        DefaultLitePullConsumer c = consumer(run);
        run.close(c::shutdown);
        c.subscribe(run.topic(), "*");
        c.start();
        Failure.unlessSame(texts, Bodies.texts(poll(c, texts.size())), "polled");
    }

    /** With queues of its own choice: seek, commit, and another consumer that finds what was committed. */
    static void assign(Run run) throws Exception {
        List<String> texts = run.send(40);
        DefaultLitePullConsumer c = consumer(run);
        c.setAutoCommit(false);
        Map<MessageQueue, Long> next = new HashMap<>();
        try {
            c.start();
            Collection<MessageQueue> queues = c.fetchMessageQueues(run.topic());
            Failure.unlessEqual(Run.BROKERS * Run.QUEUES_PER_BROKER, queues.size(), "queues");
            c.assign(queues);
            for (MessageQueue q : queues) {
                seek(c, q);
            }
            List<MessageExt> got = poll(c, texts.size());
            Failure.unlessSame(texts, Bodies.texts(got), "polled");
            for (MessageExt m : got) {
                for (MessageQueue q : queues) {
                    if (q.getQueueId() == m.getQueueId() && q.getBrokerName().equals(m.getBrokerName())) {
                        next.merge(q, m.getQueueOffset() + 1, Math::max);
                    }
                }
            }
            c.commitSync();
        } finally {
            c.shutdown(); // it tells the brokers only now, and waits for no answer
        }
        Thread.sleep(2000); // what the other finds first it keeps
        DefaultLitePullConsumer other = consumer(run);
        run.close(other::shutdown);
        other.start();
        other.assign(next.keySet());
        for (Map.Entry<MessageQueue, Long> e : next.entrySet()) {
            Failure.unlessWithin(5000, () -> {
                try {
                    return e.getValue().equals(other.committed(e.getKey()));
                } catch (Exception x) {
                    return false;
                }
            }, "committed offset " + e.getValue() + " of " + e.getKey());
        }
    }
}
