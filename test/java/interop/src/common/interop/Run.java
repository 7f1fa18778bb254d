// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** One run of one scenario: its names, its clients (closed after it), and what many scenarios do. */
final class Run {
    /** Of the topics that the scenarios are given. */
    static final int QUEUES_PER_BROKER = 2;
    static final int BROKERS = 2;

    private static final AtomicInteger INSTANCES = new AtomicInteger();

    final String nameServer;
    final String prefix;
    final String name;
    private final List<AutoCloseable> open = Collections.synchronizedList(new ArrayList<>());

    Run(String nameServer, String prefix, String name) {
        this.nameServer = nameServer;
        this.prefix = prefix;
        this.name = name;
    }

    /** The topic that was made for this scenario. */
    String topic() {
        return prefix + "-" + name;
    }

    String group(String suffix) {
        return prefix + "-" + name + "-" + suffix;
    }

    /** Has something closed after the scenario. */
    void close(AutoCloseable c) {
        open.add(c);
    }

    void closeAll() {
        List<AutoCloseable> all = new ArrayList<>(open);
        Collections.reverse(all);
        for (AutoCloseable c : all) {
            try {
                c.close();
            } catch (Exception e) {
                e.printStackTrace();
            }
        }
        open.clear();
    }

    /**
     * Points a client at the name server, makes it a client of its own, with an id and connections that no other has, and lets it look
     * at routes more often, so that scenarios with topics that arise on the way need not wait half a minute.
     */
    <C extends ClientConfig> C configure(C client) {
        client.setNamesrvAddr(nameServer);
        client.setInstanceName(ProcessHandle.current().pid() + "-" + name + "-" + INSTANCES.incrementAndGet());
        client.setPollNameServerInterval(2000);
        return client;
    }

    <P extends DefaultMQProducer> P start(P producer) throws MQClientException {
        configure(producer);
        producer.setSendMsgTimeout(10_000);
        close(producer::shutdown);
        producer.start();
        return producer;
    }

    DefaultMQProducer producer() throws MQClientException {
        return start(new DefaultMQProducer(group("producer")));
    }

    /** A push consumer that begins with the oldest message. Not started: it wants a subscription and a listener. */
    DefaultMQPushConsumer pushConsumer(String group) {
        return configurePush(new DefaultMQPushConsumer(group));
    }

    private DefaultMQPushConsumer configurePush(DefaultMQPushConsumer c) {
        configure(c);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.setConsumeThreadMin(4);
        c.setConsumeThreadMax(4);
        close(c::shutdown);
        return c;
    }

    /** Has a push consumer consume this scenario's topic, and compares. */
    void consume(DefaultMQPushConsumer c, Collection<String> want) throws Exception {
        Seen seen = new Seen();
        configurePush(c);
        c.subscribe(topic(), "*");
        c.registerMessageListener(seen.concurrently());
        c.start();
        seen.await(want, "consumed");
    }

    DefaultMQPullConsumer pullConsumer(String group) throws MQClientException {
        DefaultMQPullConsumer c = configure(new DefaultMQPullConsumer(group));
        close(c::shutdown);
        c.start();
        return c;
    }

    static SendResult stored(SendResult r) throws Failure {
        Failure.unlessEqual(SendStatus.SEND_OK, r.getSendStatus(), "send status");
        return r;
    }

    /** Sends texts one after another and tells how many each broker got. */
    Map<String, Integer> send(DefaultMQProducer producer, Collection<String> texts, String tag) throws Exception {
        Map<String, Integer> perBroker = new HashMap<>();
        for (String text : texts) {
            SendResult r = stored(producer.send(Bodies.message(topic(), tag, text)));
            perBroker.merge(r.getMessageQueue().getBrokerName(), 1, Integer::sum);
        }
        return perBroker;
    }

    List<String> send(int n) throws Exception {
        List<String> texts = Bodies.texts(name, n);
        send(producer(), texts, "");
        return texts;
    }

    /** Reads a topic with pulls until there are n messages, then once more for any that should not be there. */
    List<MessageExt> drain(String topic, int n, long millis) throws Exception {
        DefaultMQPullConsumer consumer = pullConsumer(group("drain"));
        Map<MessageQueue, Long> next = new HashMap<>();
        List<MessageExt> got = new ArrayList<>();
        long end = System.currentTimeMillis() + millis;
        Exception last = null;
        boolean more = true;
        while (more) {
            more = got.size() < n && System.currentTimeMillis() < end;
            try {
                Collection<MessageQueue> queues = consumer.fetchSubscribeMessageQueues(topic);
                for (MessageQueue q : queues) {
                    if (!next.containsKey(q)) {
                        next.put(q, consumer.minOffset(q));
                    }
                    PullResult r;
                    do {
                        r = consumer.pull(q, "*", next.get(q), 32);
                        next.put(q, r.getNextBeginOffset());
                        if (r.getMsgFoundList() != null) {
                            got.addAll(r.getMsgFoundList());
                        }
                    } while (r.getMsgFoundList() != null && !r.getMsgFoundList().isEmpty());
                }
                last = null;
            } catch (MQBrokerException e) {
                throw e; // an answer; it will not get better
            } catch (MQClientException e) {
                last = e; // no route yet
            }
            Thread.sleep(more ? 100 : 0);
        }
        if (last != null && got.isEmpty() && n > 0) {
            throw last;
        }
        return got;
    }

    /** Reads this scenario's topic and compares. */
    void drainSame(Collection<String> want, String what) throws Exception {
        Failure.unlessSame(want, Bodies.texts(drain(topic(), want.size(), 20_000)), what);
    }

    Message message(String text) {
        return Bodies.message(topic(), text);
    }
}
