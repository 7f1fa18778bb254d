// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;

/** Timed messages that are taken back before their time. */
final class Recalls {
    private Recalls() {
    }

    static void recall(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        List<String> kept = new ArrayList<>();
        for (int i = 0; i < Run.BROKERS * Run.QUEUES_PER_BROKER; i++) {
            Message m = run.message("recalled " + i);
            m.setDeliverTimeMs(System.currentTimeMillis() + 8000);
            SendResult sent = Run.stored(producer.send(m));
            Failure.unless(sent.getRecallHandle() != null, "the answer has no recall handle");
            Failure.unlessEqual(sent.getMsgId(), producer.recallMessage(run.topic(), sent.getRecallHandle()), "recalled message");
            Message other = run.message("kept " + i);
            other.setDeliverTimeMs(System.currentTimeMillis() + 8000);
            Run.stored(producer.send(other));
            kept.add("kept " + i);
        }
        List<String> got = Bodies.texts(run.drain(run.topic(), kept.size(), 30_000));
        Thread.sleep(2000);
        Failure.unlessSame(kept, got, "delivered");
        Failure.unlessSame(kept, Bodies.texts(run.drain(run.topic(), kept.size(), 1000)), "delivered in the end");
    }
}
