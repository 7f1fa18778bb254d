// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

/** Subscriptions to a part of a topic. */
final class Filters {
    private Filters() {
    }

    static void tag(Run run) throws Exception {
        consume(run, MessageSelector.byTag("a || b"), i -> i % 3 != 2);
    }

    static void sql(Run run) throws Exception {
        consume(run, MessageSelector.bySql("n between 10 and 19 and TAGS = 'a'"), i -> i >= 10 && i < 20 && i % 3 == 0);
    }

    private static void consume(Run run, MessageSelector selector, IntPredicate wanted) throws Exception {
        DefaultMQProducer producer = run.producer();
        List<String> want = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            String text = run.name + "-" + i;
            Message m = Bodies.message(run.topic(), "abc".substring(i % 3, i % 3 + 1), text);
            m.putUserProperty("n", String.valueOf(i));
            Run.stored(producer.send(m));
            if (wanted.test(i)) {
                want.add(text);
            }
        }
        Seen seen = new Seen();
        DefaultMQPushConsumer consumer = run.pushConsumer(run.group("consumer"));
        consumer.subscribe(run.topic(), selector);
        consumer.registerMessageListener(seen.concurrently());
        consumer.start();
        seen.await(want, "consumed");
    }
}
