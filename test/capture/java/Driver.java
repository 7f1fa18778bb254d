// SPDX-License-Identifier: Apache-2.0

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/**
 * Makes a client of whatever version is on the class path send one of each request the recorder
 * should see. A step that fails is reported and does not stop the others: older clients lack some.
 * Arguments: name server, broker as the client knows it, and "plain" for a run with old kinds of
 * sends only.
 */
public class Driver {
    static String nameServer;
    static String broker;
    static DefaultMQAdminExt admin;

    interface Step {
        void run() throws Throwable;
    }

    static void step(String name, Step s) {
        try {
            s.run();
            System.out.println("ok   " + name);
        } catch (Throwable t) {
            System.out.println("FAIL " + name + ": " + t);
        }
    }

    /** Calls the method of that name whose parameters take the arguments. */
    static Object call(Object target, String name, Object... args) throws Throwable {
        for (Method m : target.getClass().getMethods()) {
            if (!m.getName().equals(name) || m.getParameterCount() != args.length) {
                continue;
            }
            try {
                return m.invoke(target, args);
            } catch (IllegalArgumentException e) {
                continue;
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }
        throw new NoSuchMethodException(name);
    }

    static void admin(String name, Object... args) {
        step(name, () -> call(admin, name, args));
    }

    static byte[] bytes(String s) {
        return s.getBytes(StandardCharsets.UTF_8);
    }

    static Message message(String topic, String key) {
        Message m = new Message(topic, "TagA", key, bytes("body of " + key));
        m.putUserProperty("quote\"d", "back\\slash");
        return m;
    }

    static void topic(String name) {
        admin("createAndUpdateTopicConfig", broker, new TopicConfig(name, 4, 4, 6));
    }

    public static void main(String[] args) throws Exception {
        nameServer = args[0];
        broker = args[1];
        admin = new DefaultMQAdminExt(5000);
        admin.setNamesrvAddr(nameServer);
        admin.setInstanceName("admin");
        admin.start();
        for (String t : List.of("CapTopic", "CapOrder", "CapRetry", "CapTx", "CapPop", "CapRequest", "CapGone")) {
            topic(t);
        }
        Thread.sleep(2500); // the broker registers new topics with the name server

        DefaultMQProducer producer = new DefaultMQProducer("CapProducer");
        producer.setNamesrvAddr(nameServer);
        producer.setInstanceName("producer");
        producer.start();
        List<DefaultMQPushConsumer> consumers = new ArrayList<>();
        if (args.length > 2) { // "plain": started with sendSmartMsg off, only the first version of sends is wanted
            step("send", () -> producer.send(message("CapTopic", "key-plain")));
            requestAndReply(producer, consumers);
            System.exit(0);
        }
        List<SendResult> sent = new ArrayList<>();
        step("send", () -> sent.add(producer.send(message("CapTopic", "key-1"))));
        step("send to a topic that is created on the way", () -> producer.send(message("CapAuto", "key-a")));
        step("send oneway", () -> producer.sendOneway(message("CapTopic", "key-2")));
        step("send batch", () -> producer.send(Arrays.asList(message("CapTopic", "key-3"), message("CapTopic", "key-4"))));
        step("send async", () -> {
            CountDownLatch done = new CountDownLatch(1);
            producer.send(message("CapTopic", "key-5"), new SendCallback() {
                public void onSuccess(SendResult r) {
                    done.countDown();
                }

                public void onException(Throwable e) {
                    System.out.println("async: " + e);
                }
            });
            done.await(5, TimeUnit.SECONDS);
        });
        for (int i = 0; i < 4; i++) {
            String key = "order-" + i;
            step("send in order", () -> producer.send(message("CapOrder", key), (queues, m, arg) -> queues.get(0), null));
        }
        step("send for retry", () -> producer.send(message("CapRetry", "retry-1")));
        step("send to nowhere", () -> producer.send(message("%bad topic%", "x")));

        AtomicInteger retries = new AtomicInteger();
        for (String t : List.of("CapTopic", "CapRetry")) {
            DefaultMQPushConsumer c = consumer("CapGroup" + t, t);
            c.registerMessageListener((MessageListenerConcurrently) (messages, context) ->
                t.equals("CapRetry") && retries.getAndIncrement() == 0
                    ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS);
            c.start();
            consumers.add(c);
        }
        DefaultMQPushConsumer orderly = consumer("CapGroupOrder", "CapOrder");
        orderly.registerMessageListener((MessageListenerOrderly) (messages, context) -> ConsumeOrderlyStatus.SUCCESS);
        orderly.start();
        consumers.add(orderly);

        step("lite pull", () -> {
            DefaultLitePullConsumer c = new DefaultLitePullConsumer("CapGroupLite");
            c.setNamesrvAddr(nameServer);
            c.setInstanceName("lite");
            c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
            c.subscribe("CapTopic", "*");
            c.start();
            c.poll(5000);
            for (MessageQueue q : c.fetchMessageQueues("CapTopic")) {
                c.offsetForTimestamp(q, System.currentTimeMillis());
            }
            c.commitSync();
            Thread.sleep(500);
            c.shutdown();
        });

        step("transactions", () -> {
            TransactionMQProducer tx = new TransactionMQProducer("CapTxProducer");
            tx.setNamesrvAddr(nameServer);
            tx.setInstanceName("tx");
            CountDownLatch checked = new CountDownLatch(1);
            tx.setTransactionListener(new TransactionListener() {
                public LocalTransactionState executeLocalTransaction(Message m, Object arg) {
                    return (LocalTransactionState) arg;
                }

                public LocalTransactionState checkLocalTransaction(MessageExt m) {
                    checked.countDown();
                    return LocalTransactionState.COMMIT_MESSAGE;
                }
            });
            tx.start();
            tx.sendMessageInTransaction(message("CapTx", "tx-commit"), LocalTransactionState.COMMIT_MESSAGE);
            tx.sendMessageInTransaction(message("CapTx", "tx-rollback"), LocalTransactionState.ROLLBACK_MESSAGE);
            tx.sendMessageInTransaction(message("CapTx", "tx-unknown"), LocalTransactionState.UNKNOW);
            System.out.println("checked: " + checked.await(60, TimeUnit.SECONDS));
            Thread.sleep(500);
            tx.shutdown();
        });

        requestAndReply(producer, consumers);

        step("pop", () -> {
            Object pop = Enum.valueOf((Class) Class.forName("org.apache.rocketmq.common.message.MessageRequestMode"), "POP");
            call(admin, "setMessageRequestMode", broker, "CapPop", "CapGroupPop", pop, 8, 3000L);
            DefaultMQPushConsumer c = consumer("CapGroupPop", "CapPop");
            call(c, "setClientRebalance", false);
            AtomicInteger seen = new AtomicInteger();
            c.registerMessageListener((MessageListenerConcurrently) (messages, context) ->
                seen.getAndIncrement() == 0 ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS);
            c.start();
            consumers.add(c);
            for (int i = 0; i < 3; i++) {
                producer.send(message("CapPop", "pop-" + i));
            }
            Thread.sleep(8000);
        });
        step("recall", () -> {
            Message m = message("CapTopic", "recalled");
            call(m, "setDelayTimeSec", 600L);
            SendResult r = producer.send(m);
            call(producer, "recallMessage", "CapTopic", call(r, "getRecallHandle"));
        });

        MessageQueue queue = new MessageQueue("CapTopic", "broker-a", 0);
        step("maxOffset", () -> producer.getDefaultMQProducerImpl().maxOffset(queue));
        step("minOffset", () -> producer.getDefaultMQProducerImpl().minOffset(queue));
        step("earliest", () -> producer.getDefaultMQProducerImpl().earliestMsgStoreTime(queue));
        step("query by key", () -> admin.queryMessage("CapTopic", "key-1", 10, 0, System.currentTimeMillis() + 1000));

        String client = consumers.get(0).buildMQClientId();
        String group = "CapGroupCapTopic";
        admin("examineBrokerClusterInfo");
        admin("examineTopicRouteInfo", "CapTopic");
        admin("examineTopicRouteInfo", "NoSuchTopic");
        admin("examineTopicStats", "CapTopic");
        admin("examineConsumeStats", group);
        admin("examineConsumerConnectionInfo", group);
        admin("examineConsumerConnectionInfo", "NoSuchGroup", broker);
        admin("examineProducerConnectionInfo", "CapProducer", "CapTopic");
        admin("getAllProducerInfo", broker);
        admin("getConsumerRunningInfo", group, client, false);
        admin("consumeMessageDirectly", group, client, "CapTopic", sent.isEmpty() ? "" : sent.get(0).getMsgId());
        admin("getConsumeStatus", "CapTopic", group, client);
        admin("resetOffsetByTimestamp", "CapTopic", group, System.currentTimeMillis() - 1000, true);
        admin("fetchAllTopicList");
        admin("fetchBrokerRuntimeStats", broker);
        admin("getBrokerConfig", broker);
        admin("getNameServerConfig", List.of(nameServer));
        admin("createAndUpdateKvConfig", "ORDER_TOPIC_CONFIG", "CapOrder", "broker-a:4");
        admin("getKVConfig", "ORDER_TOPIC_CONFIG", "CapOrder");
        admin("examineTopicRouteInfo", "CapOrder");
        admin("wipeWritePermOfBroker", nameServer, "broker-a");
        admin("addWritePermOfBroker", nameServer, "broker-a");
        admin("getAllSubscriptionGroup", broker, 3000L);
        admin("getAllTopicConfig", broker, 3000L);
        admin("examineTopicConfig", broker, "CapTopic");
        admin("queryConsumeQueue", broker, "CapTopic", 0, 0L, 4, group);
        admin("queryTopicConsumeByWho", "CapTopic");
        admin("queryConsumeTimeSpan", "CapTopic", group);
        admin("viewBrokerStatsData", broker, "TOPIC_PUT_NUMS", "CapTopic");
        step("subscription group", () -> {
            for (String c : List.of("org.apache.rocketmq.remoting.protocol.subscription", "org.apache.rocketmq.common.subscription")) {
                try {
                    Constructor<?> make = Class.forName(c + ".SubscriptionGroupConfig").getConstructor();
                    Object config = make.newInstance();
                    call(config, "setGroupName", "CapGroupMade");
                    call(admin, "createAndUpdateSubscriptionGroupConfig", broker, config);
                    return;
                } catch (ClassNotFoundException e) {
                    continue;
                }
            }
        });
        admin("deleteSubscriptionGroup", broker, "CapGroupMade");
        admin("deleteTopicInBroker", Set.of(broker), "CapGone");
        Properties p = new Properties();
        p.setProperty("slaveReadEnable", "false");
        admin("updateBrokerConfig", broker, p);

        Thread.sleep(6000); // offsets are stored every 5 s
        step("shutdown", () -> {
            for (DefaultMQPushConsumer c : consumers) {
                c.shutdown();
            }
            producer.shutdown();
            admin.shutdown();
        });
        System.exit(0);
    }

    static void requestAndReply(DefaultMQProducer producer, List<DefaultMQPushConsumer> consumers) {
        step("request and reply", () -> {
            DefaultMQPushConsumer c = consumer("CapGroupReply", "CapRequest");
            CountDownLatch replied = new CountDownLatch(1); // the callback below fires too early in some versions
            c.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                for (MessageExt m : messages) {
                    step("reply", () -> producer.send(MessageUtil.createReplyMessage(m, bytes("reply"))));
                    replied.countDown();
                }
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
            c.start();
            consumers.add(c);
            CountDownLatch done = new CountDownLatch(1);
            producer.request(message("CapRequest", "question"), new RequestCallback() {
                public void onSuccess(Message m) {
                    done.countDown();
                }

                public void onException(Throwable e) {
                    System.out.println("request: " + e);
                    done.countDown();
                }
            }, 15000);
            done.await(20, TimeUnit.SECONDS);
            System.out.println("replied: " + replied.await(20, TimeUnit.SECONDS));
            Thread.sleep(500);
        });
    }

    static DefaultMQPushConsumer consumer(String group, String topic) throws Exception {
        DefaultMQPushConsumer c = new DefaultMQPushConsumer(group);
        c.setNamesrvAddr(nameServer);
        c.setInstanceName(group);
        c.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        c.subscribe(topic, "TagA || TagB");
        return c;
    }
}
