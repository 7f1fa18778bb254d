// SPDX-License-Identifier: Apache-2.0
package workload;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.LongAdder;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A push consumer, one member of a group.
 *
 * <pre>
 * --namesrv ADDR --topic T --group G   required
 * --mode M                             concurrent (default) or orderly
 * --access-key K --secret-key S        the account that signs; nobody (default)
 * --instance NAME                      RocketMQ's own default, which differs from process to process
 * --fail-every N                       messages whose id is a multiple of N fail at their first delivery; 0 = none (default)
 * --interval MS                        see {@link Intervals}
 * --records FILE                       gets a line "id broker queueId queueOffset reconsumeTimes" for each delivery
 *                                      that is answered with success
 * </pre>
 *
 * Events: {@code ready}; {@code assigned} with queues and perBroker whenever the set of queues that it owns has
 * changed; {@code tick} each second with consumed (in that second), perBroker, totalConsumed, failed (deliveries
 * answered with "later"), corrupt (bodies that are not what was sent) and violations (messages of one order key out
 * of order), the last three since the start, as are p50us and p99us, the time from a stamped message's sending to its
 * delivery here; {@code end} like a tick, over the whole run.
 */
public final class Consumer {
    private final Args args;
    private final String topic;
    private final long failEvery;
    private final Records records;

    private final Counts perBroker = new Counts();
    private final Order order = new Order();
    private final LongAdder corrupt = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final Histogram latency = new Histogram();

    private Consumer(Args args) throws Exception {
        this.args = args;
        topic = args.text("topic");
        failEvery = args.number("fail-every", 0);
        records = new Records(args.text("records", null));
    }

    public static void main(String[] argv) {
        Program.main(() -> new Consumer(new Args(argv)).run());
    }

    private void run() throws Exception {
        DefaultMQPushConsumer consumer =
                new DefaultMQPushConsumer(args.text("group"), Account.hook(args), new AllocateMessageQueueAveragely());
        consumer.setNamesrvAddr(args.text("namesrv"));
        Intervals.set(consumer, args);
        String instance = args.text("instance", null);
        if (instance != null) {
            consumer.setInstanceName(instance);
        }
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        listen(consumer, args.text("mode", "concurrent"));
        args.done();
        consumer.start();
        Json.event("ready").print();
        watch(consumer);
        consumer.shutdown();
        records.close();
        report("end", perBroker.snapshot());
    }

    private void listen(DefaultMQPushConsumer consumer, String mode) {
        switch (mode) {
            case "concurrent":
                consumer.setMessageListener((MessageListenerConcurrently) (messages, context) ->
                        deliver(messages) ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS : ConsumeConcurrentlyStatus.RECONSUME_LATER);
                return;
            case "orderly":
                consumer.setMessageListener((MessageListenerOrderly) (messages, context) ->
                        deliver(messages) ? ConsumeOrderlyStatus.SUCCESS : ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT);
                return;
            default:
                throw new IllegalArgumentException("--mode " + mode + " is unknown");
        }
    }

    /** All messages of a delivery succeed or fail together; by default there is one. */
    private boolean deliver(List<MessageExt> messages) {
        StringBuilder lines = new StringBuilder();
        for (MessageExt m : messages) {
            long age = Stamp.age(m);
            if (age >= 0) {
                latency.record(age);
            }
            long id = Payload.read(m.getBody());
            if (id < 0) {
                corrupt.increment();
                continue;
            }
            if (failEvery > 0 && id % failEvery == 0 && m.getReconsumeTimes() == 0) {
                failed.increment();
                return false;
            }
            order.arrived(m);
            perBroker.add(m.getBrokerName(), 1);
            lines.append(id).append(' ').append(m.getBrokerName()).append(' ').append(m.getQueueId()).append(' ')
                    .append(m.getQueueOffset()).append(' ').append(m.getReconsumeTimes()).append('\n');
        }
        records.append(lines);
        return true;
    }

    @SuppressWarnings("deprecation") // The only way to see which queues are assigned at this moment.
    private void watch(DefaultMQPushConsumer consumer) throws InterruptedException {
        Map<String, Long> before = new HashMap<>();
        Set<MessageQueue> assigned = new TreeSet<>();
        for (int round = 1; !Program.sleepOrStop(200); round++) {
            Set<MessageQueue> now = new TreeSet<>();
            for (MessageQueue q : consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet()) {
                if (q.getTopic().equals(topic)) { // and not its retry topic
                    now.add(q);
                }
            }
            if (!now.equals(assigned)) {
                assigned = now;
                Counts queues = new Counts();
                now.forEach(q -> queues.add(q.getBrokerName(), 1));
                Json.event("assigned").put("queues", now.size()).put("perBroker", queues.snapshot()).print();
            }
            if (round % 5 == 0) {
                Map<String, Long> counts = perBroker.snapshot();
                report("tick", Counts.difference(counts, before));
                before = counts;
            }
        }
    }

    private void report(String event, Map<String, Long> consumed) {
        Json.event(event)
                .put("consumed", consumed.values().stream().mapToLong(Long::longValue).sum())
                .put("perBroker", consumed)
                .put("totalConsumed", perBroker.sum())
                .put("failed", failed.sum())
                .put("corrupt", corrupt.sum())
                .put("violations", order.violations())
                .put("p50us", latency.percentile(0.50))
                .put("p99us", latency.percentile(0.99))
                .print();
    }
}
