// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Messages found by what is known of them. */
final class Queries {
    private Queries() {
    }

    /** One key for messages on both brokers. The index is written a little later than the messages. */
    static void byKey(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        long begin = System.currentTimeMillis();
        List<String> texts = new ArrayList<>();
        for (MessageQueue q : producer.fetchPublishMessageQueues(run.topic())) {
            String text = "on " + q.getBrokerName() + " in " + q.getQueueId();
            texts.add(text);
            Message m = run.message(text);
            m.setKeys("order-17");
            Run.stored(producer.send(m, q));
        }
        Exception last = null;
        List<MessageExt> got = new ArrayList<>();
        for (int i = 0; i < 30 && got.size() < texts.size(); i++) {
            Thread.sleep(200);
            try {
                QueryResult r = producer.queryMessage(run.topic(), "order-17", 32, begin - 60_000, begin + 60_000);
                got = r.getMessageList();
                last = null;
            } catch (Exception e) {
                last = e;
            }
        }
        if (last != null) {
            throw last;
        }
        Failure.unlessSame(texts, Bodies.texts(got), "found");
    }

    static void byUniqueId(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        for (MessageQueue q : producer.fetchPublishMessageQueues(run.topic())) {
            String text = "on " + q.getBrokerName() + " in " + q.getQueueId();
            SendResult sent = Run.stored(producer.send(run.message(text), q));
            Exception last = null;
            MessageExt got = null;
            for (int i = 0; i < 20 && got == null; i++) {
                Thread.sleep(100);
                try {
                    got = producer.viewMessage(run.topic(), sent.getMsgId());
                    last = null;
                } catch (Exception e) {
                    last = e;
                }
            }
            if (last != null) {
                throw last;
            }
            Failure.unless(got != null, "not found: message on " + q);
            Failure.unlessEqual(text, Bodies.text(got), "found");
        }
    }

    /** The id holds the broker's own address, and the client connects to it. */
    static void byOffsetId(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        for (MessageQueue q : producer.fetchPublishMessageQueues(run.topic())) {
            String text = "on " + q.getBrokerName() + " in " + q.getQueueId();
            SendResult sent = Run.stored(producer.send(run.message(text), q));
            MessageExt got = producer.viewMessage(run.topic(), sent.getOffsetMsgId());
            Failure.unlessEqual(text, Bodies.text(got), "found");
        }
    }
}
