// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.AckCallback;
import org.apache.rocketmq.client.consumer.AckResult;
import org.apache.rocketmq.client.consumer.PopCallback;
import org.apache.rocketmq.client.consumer.PopResult;
import org.apache.rocketmq.client.consumer.PopStatus;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.header.AckMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.ChangeInvisibleTimeRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.ExtraInfoUtil;
import org.apache.rocketmq.remoting.protocol.header.PopMessageRequestHeader;

/**
 * Pops that keep the order of a queue: while a message is with a consumer nobody gets a later one. The push consumer
 * never asks for that, whatever its listener, so these are requests made with the client's own API, one by one.
 */
final class OrderlyPops {
    private static final int PER_QUEUE = 6;
    private static final int BATCH = 2;
    private static final long INVISIBLE_MILLIS = 30_000;

    private final Run run;
    private final MQClientInstance client;
    private final MessageQueue queue;

    private OrderlyPops(Run run, MQClientInstance client, MessageQueue queue) {
        this.run = run;
        this.client = client;
        this.queue = queue;
    }

    static void orderly(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        MQClientInstance client = producer.getDefaultMQProducerImpl().getMqClientFactory();
        for (MessageQueue q : producer.fetchPublishMessageQueues(run.topic())) {
            List<String> texts = Bodies.texts(q.getBrokerName() + "-" + q.getQueueId(), PER_QUEUE);
            for (String text : texts) {
                Run.stored(producer.send(run.message(text), q));
            }
            client.updateTopicRouteInfoFromNameServer(run.topic());
            new OrderlyPops(run, client, q).check(texts);
        }
    }

    private void check(List<String> texts) throws Exception {
        List<String> got = new ArrayList<>();
        List<MessageExt> first = pop();
        Failure.unlessEqual(texts.subList(0, BATCH), Bodies.texts(first), "popped first");
        Failure.unlessEqual(Collections.emptyList(), Bodies.texts(pop()), "popped while others are not acknowledged");
        for (MessageExt m : first) {
            showAgain(m);
        }
        Thread.sleep(1500);
        while (got.size() < texts.size()) {
            List<MessageExt> some = pop();
            Failure.unless(!some.isEmpty(), "nothing popped after " + got);
            for (MessageExt m : some) {
                Failure.unlessEqual(got.size() < BATCH ? 1 : 0, m.getReconsumeTimes(), "earlier deliveries of " + Bodies.text(m));
                got.add(Bodies.text(m));
                acknowledge(m);
            }
        }
        Failure.unlessEqual(texts, got, "popped in order");
        Failure.unlessEqual(Collections.emptyList(), Bodies.texts(pop()), "popped in the end");
    }

    private String address() {
        return client.findBrokerAddressInPublish(queue.getBrokerName());
    }

    private List<MessageExt> pop() throws Exception {
        PopMessageRequestHeader h = new PopMessageRequestHeader();
        h.setConsumerGroup(run.group("consumer"));
        h.setTopic(run.topic());
        h.setQueueId(queue.getQueueId());
        h.setMaxMsgNums(BATCH);
        h.setInvisibleTime(INVISIBLE_MILLIS);
        h.setPollTime(500);
        h.setBornTime(System.currentTimeMillis());
        h.setInitMode(0); // from the first message
        h.setExpType("TAG");
        h.setExp("*");
        h.setOrder(true);
        h.setBrokerName(queue.getBrokerName());
        CompletableFuture<PopResult> result = new CompletableFuture<>();
        client.getMQClientAPIImpl().popMessageAsync(queue.getBrokerName(), address(), h, 10_000, new PopCallback() {
            @Override
            public void onSuccess(PopResult r) {
                result.complete(r);
            }

            @Override
            public void onException(Throwable e) {
                result.completeExceptionally(e);
            }
        });
        PopResult r = result.get(15, TimeUnit.SECONDS);
        return r.getPopStatus() == PopStatus.FOUND ? r.getMsgFoundList() : Collections.emptyList();
    }

    /** Ends the time for which others do not see a message. */
    private void showAgain(MessageExt m) throws Exception {
        ChangeInvisibleTimeRequestHeader h = new ChangeInvisibleTimeRequestHeader();
        h.setConsumerGroup(run.group("consumer"));
        h.setTopic(run.topic());
        h.setQueueId(queue.getQueueId());
        h.setExtraInfo(m.getProperty("POP_CK"));
        h.setOffset(ExtraInfoUtil.getQueueOffset(ExtraInfoUtil.split(m.getProperty("POP_CK"))));
        h.setInvisibleTime(1000L);
        h.setBrokerName(queue.getBrokerName());
        Answer answer = new Answer();
        client.getMQClientAPIImpl().changeInvisibleTimeAsync(queue.getBrokerName(), address(), h, 10_000, answer);
        answer.get(15, TimeUnit.SECONDS);
    }

    private void acknowledge(MessageExt m) throws Exception {
        AckMessageRequestHeader h = new AckMessageRequestHeader();
        h.setConsumerGroup(run.group("consumer"));
        h.setTopic(run.topic());
        h.setQueueId(queue.getQueueId());
        h.setExtraInfo(m.getProperty("POP_CK"));
        h.setOffset(ExtraInfoUtil.getQueueOffset(ExtraInfoUtil.split(m.getProperty("POP_CK"))));
        h.setBrokerName(queue.getBrokerName());
        Answer answer = new Answer();
        client.getMQClientAPIImpl().ackMessageAsync(address(), 10_000, answer, h);
        answer.get(15, TimeUnit.SECONDS);
    }

    private static final class Answer extends CompletableFuture<AckResult> implements AckCallback {
        @Override
        public void onSuccess(AckResult r) {
            complete(r);
        }

        @Override
        public void onException(Throwable e) {
            completeExceptionally(e);
        }
    }
}
